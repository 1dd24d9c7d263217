/* SPDX-License-Identifier: MIT */
/* url.h - the two kinds of address that people give us: a cloud and an HTTP proxy. */
#ifndef SLUICE_LIB_URL_H
#define SLUICE_LIB_URL_H

#include <stdbool.h>
#include <stddef.h>

#define SLUICE_HOST_MAX 256

struct sluice_place {
	char host[SLUICE_HOST_MAX]; /* a name or an address, without brackets */
	char port[8];		    /* decimal, 1..65535 */
};

struct sluice_proxy {
	struct sluice_place at;
	char basic[352]; /* base64 of "user:password"; "": none */
};

/* "https://HOST[:PORT][/]", HOST may be [ADDRESS]; port 443. False: it is not. */
bool sluice_url_cloud(const char *url, struct sluice_place *out);

/* "http://[USER:PASSWORD@]HOST:PORT[/]", percent escapes in user and password; the scheme may be
 * missing, as it often is in the environment. 0 or -EINVAL with a sentence in *why (static). */
int sluice_url_proxy(const char *url, struct sluice_proxy *out, const char **why);

/* What no_proxy says of a host: names separated by commas or blanks, each good for the host itself
 * and what lies below it; "*": every host. list may be NULL. */
bool sluice_url_bypass(const char *list, const char *host);

#endif
