// SPDX-License-Identifier: MIT
/*
 * cmd_move_media.c - migrate-media: what a data directory holds of segments and summaries' files
 * goes to the bucket that [media] of cloud.conf names.
 *
 * A node may run on the directory meanwhile, with its old settings: then what is closed is copied,
 * and the retention waits, as for a backup. The run that finds the node stopped copies the rest,
 * and notes in the data directory that its segments lie in the bucket; from then on no node and no
 * command takes the directory for the store. Files are not removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>

#include "cloud/backup.h"
#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "cloud/indexconf.h"
#include "cloud/media_move.h"
#include "cloud/mediaconf.h"
#include "cloud/recover.h"
#include "cloud/retain.h"
#include "lib/log.h"

struct moving {
	struct sluice_cmd_words w;
	int lock; /* of the data directory: no node runs; -1: one does */
	int hold; /* the retention waits */
	struct sluice_index *ix;
	struct sluice_media *from, *to;
};

/* Once a second, where somebody looks. */
static void show(void *ctx, const char *what, uint64_t done, uint64_t of, uint64_t bytes)
{
	time_t *last = ctx, now = time(NULL);

	if (now == *last || !isatty(STDERR_FILENO))
		return;
	*last = now;
	fprintf(stderr, "\r\033[K%s: %llu of about %llu, %.1f MB", what, (unsigned long long)done,
		(unsigned long long)of, (double)bytes / 1e6);
}

static int take_lock(const char *data, const char *name)
{
	char path[4400];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", data, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return err;
}

/* What a start of the node would do, so that no segment is open. */
static int settle(struct moving *m)
{
	struct sluice_recovered r;
	int err = sluice_retain_finish(m->w.data, m->ix, m->from);

	if (!err)
		err = sluice_recover(m->w.data, m->ix, 0, &r);
	if (err)
		sluice_error("cannot recover %s: %s", m->w.data, strerror(-err));
	return err;
}

/* 0, or it is told. */
static int begin(struct moving *m)
{
	const struct sluice_cloud_conf *conf = m->w.conf_is_its ? &m->w.conf : NULL;
	char path[4400], why[SLUICE_S3_WHY];
	int err;

	if (!conf || conf->media.backend != SLUICE_MEDIA_S3) {
		sluice_error("say --config FILE, of a file with [media] backend = s3: where the "
			     "media of %s are to go",
			     m->w.data);
		return -EINVAL;
	}
	if (sluice_mediaconf_elsewhere(m->w.data) && !m->w.check) {
		sluice_error("the segments of %s lie in a bucket already (%s/segments.elsewhere "
			     "says so); --check compares what is left here with it",
			     m->w.data, m->w.data);
		return -EEXIST;
	}
	m->hold = take_lock(m->w.data, SLUICE_BACKUP_LOCK);
	if (m->hold < 0) {
		sluice_error("%s/%s: %s; does a backup run, or another migrate-media?", m->w.data,
			     SLUICE_BACKUP_LOCK, strerror(-m->hold));
		return m->hold;
	}
	m->lock = take_lock(m->w.data, "lock");
	snprintf(path, sizeof(path), "%s/media", m->w.data);
	err = sluice_media_dir_open(path, &m->w.ring, &m->from);
	if (err) {
		sluice_error("cannot open %s: %s", path, strerror(-err));
		return err;
	}
	err = sluice_mediaconf_open_new(conf, &m->w.ring, &m->to, why);
	if (!err)
		err = sluice_mediaconf_check(m->to, why);
	if (err) {
		sluice_error("%s", why);
		return err;
	}
	m->ix = sluice_cmd_index(m->w.data);
	return !m->ix ? -EIO : m->lock < 0 || m->w.check ? 0 : settle(m);
}

static void print(const struct moving *m, const struct sluice_media_moved *r, const char *verdict)
{
	json_t *o;

	if (!m->w.json) {
		printf("segments %llu, summaries %llu, %.1f MB the same on both sides: %llu copied "
		       "now\nnot the same %llu, unreadable here %llu, still open %llu\n%s\n",
		       (unsigned long long)r->segments, (unsigned long long)r->summaries,
		       (double)r->bytes / 1e6, (unsigned long long)r->copied,
		       (unsigned long long)r->differ, (unsigned long long)r->lost,
		       (unsigned long long)r->open, verdict);
		return;
	}
	o = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "verdict", verdict, "segments",
		      (json_int_t)r->segments, "summaries", (json_int_t)r->summaries, "bytes",
		      (json_int_t)r->bytes, "copied", (json_int_t)r->copied, "differ",
		      (json_int_t)r->differ, "lost", (json_int_t)r->lost, "open",
		      (json_int_t)r->open);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* What is to be done next. 0: nothing. */
static int finish(const struct moving *m, const struct sluice_media_moved *r)
{
	const int whole = !r->differ && !r->lost && !r->open;
	int err = 0;

	if (r->first[0])
		sluice_error("%llu are not in the bucket as they are here, first %s; sluice-cloud "
			     "fsck says more",
			     (unsigned long long)(r->differ + r->lost), r->first);
	if (whole && m->lock >= 0 && !m->w.check)
		err = sluice_mediaconf_mark(m->to, m->w.data);
	if (err)
		sluice_error("cannot note in %s where its segments lie: %s", m->w.data,
			     strerror(-err));
	print(m, r,
	      m->w.check ? (whole ? "ok" : "DIFFERENT")
	      : !whole	 ? (r->differ || r->lost ? "NOT WHOLE" : "stop the node and say it again")
	      : m->lock < 0 ? "copied; stop the node and say it again for what came meanwhile"
			    : "moved; start the node with these settings");
	return whole && !err ? 0 : -EUCLEAN;
}

static int move(struct moving *m)
{
	struct sluice_media_moved r;
	time_t last = 0;
	int err = begin(m);

	if (err)
		return err;
	err = sluice_media_move(&(struct sluice_media_move_config){ .data = m->w.data,
								    .ix = m->ix,
								    .from = m->from,
								    .to = m->to,
								    .check = m->w.check,
								    .progress = show,
								    .stopping =
									    sluice_cmd_interrupted,
								    .ctx = &last },
				&r);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (err == -ECANCELED)
		sluice_error("interrupted; say it again to go on");
	else if (err)
		sluice_error("cannot move the media of %s: %s; say it again to go on", m->w.data,
			     strerror(-err));
	return err ? err : finish(m, &r);
}

int sluice_cmd_move_media(int argc, char **argv)
{
	struct moving m = { .lock = -1, .hold = -1 };
	int err = sluice_cmd_words(argc, argv, "dkjn", 0, 0, &m.w);

	if (err)
		return err - 1;
	umask(077);
	sluice_cmd_catch_interrupt();
	err = move(&m);
	sluice_index_close(m.ix);
	sluice_media_close(m.from);
	sluice_media_close(m.to);
	if (m.lock >= 0)
		close(m.lock);
	if (m.hold >= 0)
		close(m.hold);
	sluice_indexconf_clear();
	sluice_cmd_words_free(&m.w);
	return err ? 1 : 0;
}
