/* SPDX-License-Identifier: MIT */
/*
 * audit.h - lines of the audit log that belong to no change of auth.db: what was read, what was
 * refused. They are written by a thread of their own, many in one transaction, so that no event
 * loop waits for a disk. (Changes write their line themselves, in their own transaction: auth.h.)
 */
#ifndef SLUICE_AUDIT_H
#define SLUICE_AUDIT_H

#include "cloud/auth.h"

#define SLUICE_AUDIT_QUEUE 4096	  /* lines that wait */
#define SLUICE_AUDIT_ROWS  500000 /* kept; of more the oldest go */
#define SLUICE_AUDIT_DAYS  400

struct sluice_auditor;

/* Takes the handle, also where it fails: NULL and -errno in *err. */
struct sluice_auditor *sluice_auditor_open(struct sluice_auth *auth,
					   const struct sluice_auth_lives *lives, int *err);
/* Writes what waits, takes no more. NULL-safe. */
void sluice_auditor_stop(struct sluice_auditor *t);
/* After stop(). NULL-safe. */
void sluice_auditor_close(struct sluice_auditor *t);

/*
 * Any thread. 0: it will be written. -EBUSY: too many wait; -EIO: the last ones cannot be written
 * (they are tried again, and the log of the node says why). Then whoever asked must be refused:
 * what cannot be logged does not happen. action: static.
 */
int sluice_auditor_add(struct sluice_auditor *t, const char *tenant, const struct sluice_actor *by,
		       const char *action, const char *what, enum sluice_result result);

/* A session or an API token was used. Kept to the minute; may get lost under load. */
void sluice_auditor_used(struct sluice_auditor *t, const struct sluice_who *who, uint64_t now_ns);

#endif
