// SPDX-License-Identifier: MIT
/*
 * server_data.c - what a node has on disk and in its data bases, from the lock to the fleet.
 *
 * Of one data directory a node that is alone has the lock; processes that share it each have a
 * share, and a lock of their own by their name. Segments that a crash left open are recovered
 * before anything is added.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "cloud/badge.h"
#include "cloud/conf.h"
#include "cloud/fleet.h"
#include "cloud/indexconf.h"
#include "cloud/mediaconf.h"
#include "cloud/people.h"
#include "cloud/recover.h"
#include "cloud/server_state.h"
#include "lib/log.h"

/* Processes of one node each have a lock of their own, and a share in that of the data. */
static int lock_own(struct sluice_server *s)
{
	char path[4096];
	int err = 0;

	snprintf(path, sizeof(path), "%s/lock.%s", s->c.data, s->node);
	s->own_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->own_lock < 0) {
		err = -errno;
		sluice_error("cannot open %s: %s", path, strerror(-err));
	} else if (flock(s->own_lock, LOCK_EX | LOCK_NB) < 0) {
		err = -EBUSY;
		sluice_error("a process called %s runs on %s already: give each a name of its own "
			     "in [server] node",
			     s->node, s->c.data);
	}
	return err;
}

static int lock_data(struct sluice_server *s)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/lock", s->c.data);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0) {
		int err = -errno;

		sluice_error("cannot open %s: %s; make the data directory with: sluice-cloud init "
			     "--data %s",
			     path, strerror(-err), s->c.data);
		return err;
	}
	if (flock(s->lock, (s->c.open_bus ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		sluice_error("%s is in use by another sluice-cloud", s->c.data);
		return -EBUSY;
	}
	return s->c.open_bus ? lock_own(s) : 0;
}

/* Keys and data bases. */
static int open_identity(struct sluice_server *s)
{
	char cert[4096], key[4096], ca[4096], why[512];
	const struct sluice_tls_config tls = { .server = true, .cert = cert, .key = key, .ca = ca };
	int err;

	snprintf(cert, sizeof(cert), "%s/server.crt", s->c.data);
	snprintf(key, sizeof(key), "%s/server.key", s->c.data);
	snprintf(ca, sizeof(ca), "%s/ca.crt", s->c.data);
	err = sluice_ca_open(s->c.data, &s->ca);
	if (err) {
		sluice_error(
			"cannot use %s/ca.key and ca.crt: %s; run: sluice-cloud init --data %s",
			s->c.data, err == -EACCES ? "others may read the key" : strerror(-err),
			s->c.data);
		return err;
	}
	if (s->c.device_life_s)
		sluice_ca_device_life(s->ca, s->c.device_life_s);
	s->tls = sluice_tls_ctx_open(&tls, &err, why, sizeof(why));
	if (!s->tls)
		sluice_error("%s", why);
	return err;
}

/* What operators want of devices, and who they are, where others may change it. */
static int open_fleet(struct sluice_server *s)
{
	int err = sluice_people_fleet(s->c.data, &s->fleet);

	if (!err && sluice_indexconf_pg())
		err = sluice_badges_open(s->c.data, &s->badges);
	if (!err)
		err = sluice_people_mark(s->c.data);
	return err;
}

static int recover_store(struct sluice_server *s, struct sluice_index *ix)
{
	struct sluice_recovered r;
	int err;

	if (s->media->depot) /* each has its row, or nobody was told of it */
		return 0;
	err = sluice_recover(s->c.data, ix, 0, &r);
	if (err) {
		sluice_error("cannot recover %s: %s", s->c.data, strerror(-err));
		return err;
	}
	if (r.scanned)
		sluice_info("recovered %u segments: %llu frames added to the index, %llu bytes of "
			    "half-written records cut off",
			    r.scanned, (unsigned long long)r.added, (unsigned long long)r.cut);
	if (r.damaged)
		sluice_error("%u segments are damaged; run: sluice-cloud fsck --data %s", r.damaged,
			     s->c.data);
	return 0;
}

/* A bucket that cannot be used is told at once; one that cannot be reached may be there soon. */
static int open_media(struct sluice_server *s)
{
	char why[SLUICE_S3_WHY];
	int err = sluice_mediaconf_open(s->c.conf, s->c.data, s->c.keys, &s->media, why);

	if (!err)
		err = sluice_mediaconf_check(s->media, why);
	if (err && s->media && sluice_mediaconf_passes(err)) {
		sluice_warning("%s; %s wait until it answers", why,
			       s->media->depot ? "frames and summaries" : "summaries");
		return 0;
	}
	if (err)
		sluice_error("%s", why);
	return err;
}

static int open_store(struct sluice_server *s)
{
	struct sluice_index *ix;
	int err = open_media(s);

	if (!err)
		err = sluice_index_open(s->c.data, &ix);
	if (err)
		return err;
	err = sluice_indexconf_mark(s->c.data);
	if (!err)
		err = sluice_mediaconf_mark(s->media, s->c.data);
	if (err)
		sluice_error("cannot note in %s where its index and segments lie: %s", s->c.data,
			     strerror(-err));
	if (!err && sluice_server_ingests(s))
		err = sluice_retain_finish(s->c.data, ix,
					   s->media); /* or what was forgotten would come back */
	if (!err && sluice_server_ingests(s))
		err = recover_store(s, ix);
	sluice_index_close(ix);
	return err;
}

int server_data_open(struct sluice_server *s)
{
	int err = lock_data(s);

	if (!err)
		err = open_identity(s);
	if (!err)
		err = open_store(s);
	return err ? err : open_fleet(s);
}
