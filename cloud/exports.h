/* SPDX-License-Identifier: MIT */
/*
 * exports.h - exports that are made while nobody waits, and then lie ready for a while: people see
 * how far they have come, cancel them, fetch them, more than once if they like.
 *
 * They are one person's: whoever asked for one, by "user:NAME" or "token:NAME" of a tenant, is all
 * that sees it. They lie in files without a name beside the store, and end with the node.
 */
#ifndef SLUICE_EXPORTS_H
#define SLUICE_EXPORTS_H

#include "cloud/exporter.h"

#define SLUICE_EXPORTS_KEPT  16	 /* of the node, all states */
#define SLUICE_EXPORTS_EACH  4	 /* of one person; their oldest that is over goes for a new one */
#define SLUICE_EXPORTS_WHILE 900 /* seconds that one is kept after it is over */

enum sluice_exports_state {
	SLUICE_EXPORTS_RUNNING,
	SLUICE_EXPORTS_READY,
	SLUICE_EXPORTS_FAILED,
	SLUICE_EXPORTS_CANCELLED,
};

struct sluice_exports_one {
	char id[33], event[33];
	enum sluice_export_format format;
	enum sluice_exports_state state;
	struct sluice_exported made;
	uint64_t size, began_ns, ended_ns; /* UTC; ended 0: it is being made */
	int err;			   /* of FAILED */
};

struct sluice_exports;

/* Whose they are. Borrowed. */
struct sluice_exports_owner {
	const char *tenant, *who;
};

/* data and media are borrowed. NULL: out of memory. */
struct sluice_exports *sluice_exports_open(const char *data, struct sluice_media *media);
/* Breaks off what is being made, and waits for it. NULL-safe. */
void sluice_exports_close(struct sluice_exports *x);

/* Begins one of an event that whose may see; it is in *out. -EBUSY: SLUICE_EXPORTS_MAX are being
 * made, or no place is free; -ENOMEM. */
int sluice_exports_add(struct sluice_exports *x, const struct sluice_exports_owner *o,
		       const struct sluice_whose *whose, const char *event,
		       enum sluice_export_format format, struct sluice_exports_one *out);
/* The owner's, newest first: how many, at most SLUICE_EXPORTS_EACH. */
unsigned int sluice_exports_list(struct sluice_exports *x, const struct sluice_exports_owner *o,
				 struct sluice_exports_one out[SLUICE_EXPORTS_EACH]);
/* -ENOENT. */
int sluice_exports_find(struct sluice_exports *x, const struct sluice_exports_owner *o,
			const char *id, struct sluice_exports_one *out);
/* One that is being made is cancelled, any other forgotten with its file. -ENOENT. */
int sluice_exports_drop(struct sluice_exports *x, const struct sluice_exports_owner *o,
			const char *id);
/* The file as a body. -ENOENT; -EAGAIN: it is not ready; -ENOMEM. */
int sluice_exports_body(struct sluice_exports *x, const struct sluice_exports_owner *o,
			const char *id, struct sluice_response *r);
/* Every now and then: what has been kept long enough goes. */
void sluice_exports_sweep(struct sluice_exports *x);

#endif
