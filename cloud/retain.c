// SPDX-License-Identifier: MIT
/*
 * retain.c - what is too old, or too much, goes.
 *
 * The unit of deletion of frames is the segment: it goes when its last frame is older than
 * events_s, and stays whole as long as a pinned event has a part in it; nothing that is evidence is
 * ever copied or rewritten. Above max_bytes (or with less than free_bytes left on the disk) the
 * oldest segments go before their time: first those of keep-alive and audit frames alone, then
 * those whose events are all nuisance, then the others. Segments that are open are never touched.
 *
 * Order: the rows go from the index, some hundreds in a transaction, and in the last one the file's
 * name is noted as gone; then the file is removed; then the note. A crash in between leaves a
 * note, and the next start (sluice_retain_finish) removes the file before it looks for segments
 * that the index does not know: what was forgotten does not come back, and no row is ever without
 * its file. A reader that has just looked up a frame finds no file, which is what it would have
 * found a moment later.
 *
 * What lies in a remote store waits while it cannot; segments on the disk, which are what fills it,
 * do not wait for the files of summaries.
 *
 * The writer waits for a transaction of this thread at most: no step holds the index longer than
 * SLUICE_RETAIN_ROWS rows take.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "cloud/backup.h"
#include "cloud/depot.h"
#include "cloud/index.h"
#include "cloud/media.h"
#include "cloud/retain.h"
#include "lib/cond.h"
#include "lib/log.h"

#define PAUSE_MS 20    /* between two steps */
#define IDLE_MS	 30000 /* with nothing to do */
#define AWAY_S	 60    /* after a remote store of media could not */

struct sluice_retain {
	struct sluice_retain_config c;
	struct sluice_index *index;
	pthread_t thread;
	int started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under the lock */
	int stopping;
	struct sluice_retained stats;
	/* the thread's own */
	uint64_t away_until_s; /* the store of media is not asked before */
	struct sluice_log_limit limit;
};

void (*sluice_retain_point)(enum sluice_retain_at at);

static void reach_point(enum sluice_retain_at at)
{
	if (sluice_retain_point)
		sluice_retain_point(at);
}

/* ---- files ---- */

/* media/TENANT/CAMERA-HEX/PLACE, wherever the media are. */
static int remove_summary(struct sluice_media *media, const char *path)
{
	struct sluice_camera c = { 0 };
	char id[SLUICE_MEDIA_PLACE], more;

	_Static_assert(SLUICE_NAME_MAX == 32 && SLUICE_MEDIA_PLACE == 48, "the numbers below");
	if (sscanf(path, "media/%31[^/]/%32[^/]/%47[^/]%c", c.tenant, c.hex, id, &more) != 3 ||
	    !sluice_name_valid(c.tenant) || sluice_unhex(c.hex, c.id, sizeof(c.id)))
		return -EINVAL;
	return media->ops->remove(media, &c, id);
}

/* What may be away; it is not asked while it is. */
struct stores {
	struct sluice_depot *depot;
	struct sluice_media *media;
	int depot_away, media_away;
};

/* 1: one was removed; 0: none is left, or it is of a store that is away. -ENOLINK: of one that
 * cannot at present. */
static int remove_gone(struct sluice_index *ix, const struct stores *s)
{
	int err, segment, remote;
	char path[192];

	err = ix->ops->gone(ix, path);
	if (err)
		return err == -ENOENT ? 0 : err;
	segment = !strncmp(path, "segments/", 9);
	if (segment ? s->depot_away : s->media_away)
		return 0;
	remote = segment ? s->depot->whole : s->media->remote;
	err = segment ? s->depot->ops->remove(s->depot, path) : remove_summary(s->media, path);
	if (err && err != -EINVAL && remote)
		return -ENOLINK;
	reach_point(SLUICE_RETAIN_REMOVED);
	if (!err || err == -EINVAL)
		err = ix->ops->gone_done(ix, path);
	return err ? err : 1;
}

/* Stores far away: all of them, or none. */
static struct stores stores_of(const char *data, struct sluice_media *media,
			       struct sluice_depot *local, int away)
{
	struct stores s = { sluice_media_depot(media, data, local), media, 0, 0 };

	s.depot_away = away && s.depot->whole;
	s.media_away = !media || (away && media->remote);
	return s;
}

int sluice_retain_finish(const char *data, struct sluice_index *ix, struct sluice_media *media)
{
	/* nobody looks for files in a remote store: those the thread removes */
	struct sluice_depot local;
	const struct stores s = stores_of(data, media, &local, 1);
	int rc;

	while ((rc = remove_gone(ix, &s)) > 0)
		;
	return rc;
}

/* ---- policy ---- */

static uint64_t before(const struct sluice_retain *r, uint64_t age_s)
{
	uint64_t now = r->c.utc_now(), age = age_s * 1000000000ull;

	return age_s && now > age ? now - age : 0;
}

static int over_size(const struct sluice_retain *r, int *over)
{
	const int here = !r->c.media || !r->c.media->depot;
	struct statvfs v;
	uint64_t bytes = 0;
	int err = r->c.max_bytes ? r->index->ops->bytes(r->index, &bytes) : 0;

	*over = r->c.max_bytes && bytes > r->c.max_bytes;
	if (!err && !*over && here && r->c.free_bytes && !statvfs(r->c.data, &v))
		*over = (uint64_t)v.f_bavail * v.f_frsize < r->c.free_bytes;
	return err;
}

/* What goes next: 0, -ENOENT, or what failed. */
static int choose_segment(struct sluice_retain *r, struct sluice_index_segment *s, int *for_size)
{
	static const enum sluice_index_class order[] = { SLUICE_CLASS_QUIET, SLUICE_CLASS_NUISANCE,
							 SLUICE_CLASS_MOTION };
	const struct sluice_index_ops *ops = r->index->ops;
	uint64_t old = before(r, r->c.events_s);
	size_t i;
	int err;

	*for_size = 0;
	err = ops->segment_oldest(r->index, SLUICE_CLASS_QUIET, old, s);
	if (err == -ENOENT)
		err = ops->segment_oldest(r->index, SLUICE_CLASS_MOTION, old, s);
	if (err != -ENOENT)
		return err;
	err = over_size(r, for_size);
	if (err || !*for_size)
		return err ? err : -ENOENT;
	err = -ENOENT;
	for (i = 0; i < 3 && err == -ENOENT; i++)
		err = ops->segment_oldest(r->index, order[i], INT64_MAX, s);
	return err;
}

static void count_segment(struct sluice_retain *r, const struct sluice_index_segment *s,
			  int for_size)
{
	pthread_mutex_lock(&r->lock);
	r->stats.segments++;
	r->stats.segment_bytes += s->size;
	r->stats.for_size += for_size;
	r->stats.for_age += !for_size;
	pthread_mutex_unlock(&r->lock);
	sluice_debug("segment %s goes: %s", s->path, for_size ? "too much is stored" : "too old");
}

static int drop_segment(struct sluice_retain *r)
{
	struct sluice_index_segment s;
	int for_size, rc = choose_segment(r, &s, &for_size);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = r->index->ops->segment_drop(r->index, &s, SLUICE_RETAIN_ROWS);
	reach_point(SLUICE_RETAIN_FORGOT);
	if (!rc)
		count_segment(r, &s, for_size);
	return rc < 0 ? rc : 1;
}

static int drop_summary(struct sluice_retain *r)
{
	uint64_t old = before(r, r->c.summaries_s);
	struct sluice_camera c;
	char id[33];
	int err = r->index->ops->summary_oldest(r->index, old, id, &c);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = r->index->ops->summary_drop(r->index, &c, id);
	reach_point(SLUICE_RETAIN_FORGOT);
	if (err)
		return err;
	pthread_mutex_lock(&r->lock);
	r->stats.summaries++;
	pthread_mutex_unlock(&r->lock);
	return 1;
}

/* A backup copies what its index names: meanwhile nothing goes. A descriptor; -EAGAIN: it runs. */
static int hold_backup(const struct sluice_retain *r)
{
	char path[4400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", r->c.data, SLUICE_BACKUP_LOCK);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		close(fd);
		return -EAGAIN;
	}
	return fd;
}

static uint64_t monotonic_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

static int is_away(const struct sluice_retain *r)
{
	return monotonic_s() < r->away_until_s;
}

static void note_away(struct sluice_retain *r)
{
	r->away_until_s = monotonic_s() + AWAY_S;
	pthread_mutex_lock(&r->lock);
	r->stats.failed++;
	pthread_mutex_unlock(&r->lock);
}

int sluice_retain_step(struct sluice_retain *r)
{
	int lock = hold_backup(r), rc;
	struct sluice_depot local;
	struct stores s;

	if (lock < 0)
		return lock == -EAGAIN ? 0 : lock;
	s = stores_of(r->c.data, r->c.media, &local, is_away(r));
	rc = remove_gone(r->index, &s);
	if (rc == -ENOLINK) { /* what lies here does not wait for it */
		note_away(r);
		rc = 0;
	}
	if (!rc)
		rc = drop_segment(r);
	if (!rc)
		rc = drop_summary(r);
	if (!rc && r->c.summaries_s)
		rc = r->index->ops->ledgers_drop(r->index, before(r, r->c.summaries_s));
	close(lock);
	return rc;
}

/* ---- the thread ---- */

/* 1: to stop. */
static int pause_ms(struct sluice_retain *r, int64_t ms)
{
	struct timespec t = sluice_cond_until((uint64_t)ms);
	int stopping;

	pthread_mutex_lock(&r->lock);
	if (!r->stopping)
		pthread_cond_timedwait(&r->wake, &r->lock, &t);
	stopping = r->stopping;
	pthread_mutex_unlock(&r->lock);
	return stopping;
}

/* What went since the last time it said so. */
static void tell(struct sluice_retain *r, struct sluice_retained *told)
{
	struct sluice_retained now;

	sluice_retain_stats(r, &now);
	if (now.segments != told->segments || now.summaries != told->summaries)
		sluice_info("retention: %llu segments (%llu for their age, %llu for room, %.1f MB) "
			    "and %llu summaries went",
			    (unsigned long long)(now.segments - told->segments),
			    (unsigned long long)(now.for_age - told->for_age),
			    (unsigned long long)(now.for_size - told->for_size),
			    (double)(now.segment_bytes - told->segment_bytes) / 1e6,
			    (unsigned long long)(now.summaries - told->summaries));
	*told = now;
}

static void *retain_main(void *arg)
{
	struct sluice_retain *r = arg;
	struct sluice_retained told = { 0 };
	int rc = 0;

	/* of this thread alone; where it may not, it works on as it is */
	setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
	while (!pause_ms(r, rc > 0 ? PAUSE_MS : IDLE_MS)) {
		rc = r->c.duty && !atomic_load(r->c.duty) ? 0 : sluice_retain_step(r);
		if (rc < 0) {
			pthread_mutex_lock(&r->lock);
			r->stats.failed++;
			pthread_mutex_unlock(&r->lock);
			sluice_log_limited(&r->limit, SLUICE_LOG_ERROR,
					   "retention: %s; trying again", strerror(-rc));
		}
		if (rc <= 0)
			tell(r, &told);
	}
	return NULL;
}

int sluice_retain_open(const struct sluice_retain_config *c, struct sluice_retain **out)
{
	struct sluice_retain *r = calloc(1, sizeof(*r));
	int err;

	*out = NULL;
	if (!r)
		return -ENOMEM;
	r->c = *c;
	if (!r->c.utc_now)
		r->c.utc_now = sluice_utc_now;
	r->limit = (struct sluice_log_limit){ .burst = 3, .interval_ms = 60000 };
	err = sluice_index_open(c->data, &r->index);
	if (err) {
		free(r);
		return err;
	}
	pthread_mutex_init(&r->lock, NULL);
	sluice_cond_init(&r->wake);
	*out = r;
	return 0;
}

int sluice_retain_start(struct sluice_retain *r)
{
	int err = -pthread_create(&r->thread, NULL, retain_main, r);

	r->started = !err;
	return err;
}

void sluice_retain_stats(struct sluice_retain *r, struct sluice_retained *out)
{
	if (!r) {
		memset(out, 0, sizeof(*out));
		return;
	}
	pthread_mutex_lock(&r->lock);
	*out = r->stats;
	pthread_mutex_unlock(&r->lock);
}

void sluice_retain_close(struct sluice_retain *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = 1;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	sluice_index_close(r->index);
	free(r);
}
