// SPDX-License-Identifier: MIT
/*
 * A round tries every address once, without waiting in between; the back-off (uplink.c) comes after
 * a round in which nobody answered. A round begins with the address that answered last, because it
 * most likely does again, and goes on with the others in the order of preference. A link that held
 * for five minutes on a lesser address makes the next round begin at the top: that is how a relay
 * comes back to the preferred cloud (a cloud that wants its relays to move says GOAWAY).
 *
 * A link that ended after it had been up begins a new round, whose first try is not delayed by the
 * others: the same address first, then the rest. After GOAWAY the next one is tried instead.
 */
#include "relay/clouds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED_MS 300000

static bool same_place(const struct sluice_place *a, const struct sluice_place *b)
{
	return !strcmp(a->host, b->host) && !strcmp(a->port, b->port);
}

int relay_clouds_parse(struct relay_clouds *c, const char *urls, char *why, size_t why_size)
{
	c->count = 0;
	while (*urls) {
		size_t n = strcspn(urls, ", \t");
		char url[SLUICE_HOST_MAX + 32];
		struct sluice_place at;

		if (!n) {
			urls++;
			continue;
		}
		snprintf(url, sizeof(url), "%.*s", (int)(n < sizeof(url) ? n : sizeof(url)), urls);
		urls += n;
		if (n >= sizeof(url) || !sluice_url_cloud(url, &at)) {
			snprintf(why, why_size, "the cloud must be https://HOST[:PORT], not %.200s",
				 url);
			return -EINVAL;
		}
		for (unsigned int i = 0; i < c->count; i++) {
			if (!same_place(&at, &c->at[i]))
				continue;
			snprintf(why, why_size, "the cloud %.200s is named twice", url);
			return -EINVAL;
		}
		if (c->count == RELAY_CLOUDS_MAX) {
			snprintf(why, why_size, "more than %d clouds", RELAY_CLOUDS_MAX);
			return -EINVAL;
		}
		c->at[c->count++] = at;
	}
	if (c->count)
		return 0;
	snprintf(why, why_size, "no cloud: give --cloud https://HOST:PORT or [cloud] url");
	return -EINVAL;
}

static const char *environment(const char *lower, const char *upper)
{
	const char *s = getenv(lower);

	if (!s || !*s)
		s = getenv(upper);
	return s && *s ? s : NULL;
}

int relay_clouds_proxy(struct relay_clouds *c, const char *url, const char *no_proxy, char *why,
		       size_t why_size)
{
	const char *from = "", *text;

	c->proxied = false;
	if (!url) {
		url = environment("https_proxy", "HTTPS_PROXY");
		from = " (environment: https_proxy)";
		if (!no_proxy)
			no_proxy = environment("no_proxy", "NO_PROXY");
	}
	if (!url || !*url || !strcmp(url, "none"))
		return 0;
	if (sluice_url_proxy(url, &c->proxy, &text)) {
		snprintf(why, why_size, "%s%s", text, from);
		return -EINVAL;
	}
	if (no_proxy && strlen(no_proxy) >= sizeof(c->no_proxy)) {
		snprintf(why, why_size, "no_proxy is longer than %zu bytes",
			 sizeof(c->no_proxy) - 1);
		return -EINVAL;
	}
	snprintf(c->no_proxy, sizeof(c->no_proxy), "%s", no_proxy ? no_proxy : "");
	c->proxied = true;
	return 0;
}

const struct sluice_place *relay_clouds_place(const struct relay_clouds *c)
{
	return &c->at[c->now];
}

const struct sluice_proxy *relay_clouds_via(const struct relay_clouds *c)
{
	if (!c->proxied || sluice_url_bypass(c->no_proxy, c->at[c->now].host))
		return NULL;
	return &c->proxy;
}

void relay_clouds_good(struct relay_clouds *c)
{
	c->good = c->now;
	c->tried = 0;
	c->top = false;
}

/* The n-th address of a round: the first one, then the others in order. */
static unsigned int nth_of_round(const struct relay_clouds *c, unsigned int n)
{
	unsigned int first = c->top ? 0 : c->good;

	if (!n)
		return first;
	return n <= first ? n - 1 : n;
}

bool relay_clouds_failed(struct relay_clouds *c, uint64_t up_ms, bool away)
{
	if (up_ms && !away) {
		c->top = up_ms >= SETTLED_MS;
		c->tried = 0;
		c->now = nth_of_round(c, 0);
		return false;
	}
	c->tried++;
	if (c->tried < c->count) {
		c->now = nth_of_round(c, c->tried);
		return true;
	}
	c->tried = 0;
	c->now = nth_of_round(c, 0);
	return false;
}

bool relay_clouds_replace(struct relay_clouds *c, const struct relay_clouds *with)
{
	struct sluice_place now = c->at[c->now];
	bool same_way = c->proxied == with->proxied &&
			(!c->proxied || (same_place(&c->proxy.at, &with->proxy.at) &&
					 !strcmp(c->proxy.basic, with->proxy.basic) &&
					 !strcmp(c->no_proxy, with->no_proxy)));

	*c = *with;
	c->now = c->good = c->tried = 0;
	c->top = false;
	for (unsigned int i = 0; i < c->count; i++) {
		if (!same_place(&now, &c->at[i]))
			continue;
		c->now = c->good = i;
		return !same_way;
	}
	return true;
}
