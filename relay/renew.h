/* SPDX-License-Identifier: MIT */
/* renew.h - a new certificate in time, over a connection of its own; the link goes on. */
#ifndef RELAY_RENEW_H
#define RELAY_RENEW_H

#include "lib/conn.h"
#include "lib/http1.h"
#include "relay/clouds.h"
#include "relay/identity.h"

struct relay_renew_config {
	struct sluice_io *io;
	const struct relay_clouds *clouds; /* borrowed: the address that is in use is asked */
	struct relay_identity id;
	/* a new certificate is in place: make a new TLS context of the files. Then renew_tls(). */
	void (*renewed)(void *arg);
	/* each attempt's end: 0 or -errno; text for people. May be NULL. */
	void (*told)(void *arg, int err, const char *why);
	void *arg;
};

/* Memory of the caller. */
struct relay_renew {
	struct relay_renew_config conf;
	struct sluice_tls_ctx *tls; /* borrowed: with the present certificate */
	int64_t begin, due, end;    /* of the present certificate, UTC seconds */
	struct sluice_io_timer check;
	struct sluice_conn *conn;
	struct sluice_http *http;
	char *csr, *body;
	size_t body_size;
	bool answered, ended;
	unsigned int failures; /* in a row */
	uint64_t next_try_ns;
	/* counters */
	uint64_t renewals, failed;
};

/* Looks every now and then whether it is time. tls may be NULL: nothing happens before renew_tls().
 */
void relay_renew_start(struct relay_renew *r, const struct relay_renew_config *c,
		       struct sluice_tls_ctx *tls);

/* The certificate in use is another one now. */
void relay_renew_tls(struct relay_renew *r, struct sluice_tls_ctx *tls);

/* Do it now, due or not. -EBUSY: it is under way. */
int relay_renew_now(struct relay_renew *r);

/* No more; a connection that is open is cut off. NULL-safe on a zeroed one. */
void relay_renew_stop(struct relay_renew *r);

#endif
