// SPDX-License-Identifier: MIT
/* cmd_store.c - fsck, rebuild-index, rekey: they need the data directory for themselves. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>

#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "cloud/orphans.h"
#include "cloud/recover.h"
#include "cloud/mediaconf.h"
#include "cloud/rekey.h"
#include "cloud/retain.h"
#include "lib/log.h"

/* ---- fsck ---- */

static void print_check(const struct sluice_check *r, const char *verdict)
{
	printf("segments %u: damaged headers %u, half-written ends %u\n"
	       "frames %llu: not in the index %llu\n"
	       "index rows %llu: without their frame %llu\n"
	       "summaries %llu: missing or changed files %llu\n",
	       r->segments, r->bad_header, r->bad_tail, (unsigned long long)r->frames,
	       (unsigned long long)r->missing_row, (unsigned long long)r->indexed,
	       (unsigned long long)r->missing_frame, (unsigned long long)r->summaries,
	       (unsigned long long)r->bad_media);
	if (r->orphans)
		printf("segments that no row names (orphans) %llu\n",
		       (unsigned long long)r->orphans);
	if (r->locked)
		printf("sealed by a key that is not here, so not looked into: %llu segments and "
		       "files; name the key with --key-file or --key-command\n",
		       (unsigned long long)r->locked);
	puts(verdict);
}

static void print_check_json(const struct sluice_check *r, const char *verdict)
{
	json_t *o = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "verdict",
			      verdict, "segments", (json_int_t)r->segments, "damaged_headers",
			      (json_int_t)r->bad_header, "half_written_ends",
			      (json_int_t)r->bad_tail, "frames", (json_int_t)r->frames,
			      "frames_not_in_index", (json_int_t)r->missing_row, "index_rows",
			      (json_int_t)r->indexed, "index_rows_without_frame",
			      (json_int_t)r->missing_frame, "summaries", (json_int_t)r->summaries,
			      "files_missing_or_changed", (json_int_t)r->bad_media, "locked",
			      (json_int_t)r->locked, "orphans", (json_int_t)r->orphans);

	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* What a start of the server would do, over every segment. */
static int repair(const char *data, struct sluice_index *ix, struct sluice_media *media)
{
	struct sluice_recovered r;
	int err = sluice_retain_finish(data, ix, media);

	if (!err && media->depot) {
		fprintf(stderr, "in a bucket nothing is half-written: nothing to be repaired\n");
		return 0;
	}
	if (!err)
		err = sluice_recover(data, ix, 1, &r);
	if (err)
		sluice_error("cannot repair %s: %s", data, strerror(-err));
	else
		fprintf(stderr,
			"repaired: %llu frames added to the index, %llu bytes of half-written "
			"records cut off\n",
			(unsigned long long)r.added, (unsigned long long)r.cut);
	return err;
}

/* ---- orphans ---- */

/* Hours of --remove-orphans; 0: that is no number of them. */
static unsigned long read_hours(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *end || n < SLUICE_ORPHAN_HOURS_MIN || n > 24ul * 3650 ? 0 : n;
}

/* An index that knows less than half of what lies there is not believed. */
static int remove_orphans(const struct sluice_cmd_words *w, const struct sluice_media *media,
			  const struct sluice_check *r, const struct sluice_orphans *o)
{
	const uint64_t age = read_hours(w->orphans_age) * 3600000000000ull;
	size_t removed = 0;
	int err;

	if (!media->depot)
		return 0; /* of a directory: recovery takes them in */
	if (r->orphans > r->segments) {
		sluice_error("there are more orphans (%llu) than segments that the index knows "
			     "(%u), so it may be the wrong one: nothing is removed; "
			     "sluice-cloud rebuild-index takes them in",
			     (unsigned long long)r->orphans, r->segments);
		return -EUCLEAN;
	}
	err = sluice_orphans_remove(o, media->depot, sluice_utc_now() - age, &removed);
	fprintf(stderr, "%zu orphans older than %s h removed\n", removed, w->orphans_age);
	return err;
}

static void list_orphans(const struct sluice_cmd_words *w, const struct sluice_orphans *o)
{
	const uint64_t now = sluice_utc_now();

	for (size_t i = 0; i < o->count && w->orphans; i++)
		fprintf(stderr, "orphan %s, %llu s old\n", o->path[i],
			(unsigned long long)(now - sluice_orphan_time(o->path[i])) / 1000000000ull);
}

int sluice_cmd_fsck(int argc, char **argv)
{
	struct sluice_orphans orphans = { 0 };
	struct sluice_media *media;
	struct sluice_index *ix;
	struct sluice_check r;
	const char *verdict;
	struct sluice_cmd_words w;
	int err = sluice_cmd_words(argc, argv, "dkjrOR", 0, 0, &w), lock;

	if (err)
		return err - 1;
	if (w.orphans_age && !read_hours(w.orphans_age)) {
		sluice_cmd_words_free(&w);
		return sluice_cmd_usage("fsck", "--remove-orphans HOURS: at least %d",
					SLUICE_ORPHAN_HOURS_MIN);
	}
	lock = sluice_cmd_lock(w.data, "stop the server first");
	ix = lock < 0 ? NULL : sluice_cmd_index(w.data);
	media = ix ? sluice_cmd_media(&w) : NULL;
	err = !media ? -EIO : w.repair ? repair(w.data, ix, media) : 0;
	if (!err) {
		err = sluice_check(w.data, ix, media, sluice_orphans_add, &orphans, &r);
		if (err)
			sluice_error("cannot check %s: %s", w.data, strerror(-err));
	}
	if (!err) {
		if (r.bad_header || r.missing_frame || r.bad_media)
			err = -EUCLEAN;
		else if (r.locked)
			err = -ENOKEY;
		verdict = err == -EUCLEAN		? "DAMAGED"
			  : err				? "NOT CHECKED: the key is missing or wrong"
			  : r.bad_tail || r.missing_row ? "ok; the next start completes the index"
							: "ok";
		(w.json ? print_check_json : print_check)(&r, verdict);
		list_orphans(&w, &orphans);
		if (w.orphans_age && remove_orphans(&w, media, &r, &orphans))
			err = -EUCLEAN;
	}
	sluice_orphans_free(&orphans);
	sluice_media_close(media);
	sluice_index_close(ix);
	sluice_cmd_words_free(&w);
	if (lock >= 0)
		close(lock);
	return err ? 1 : 0;
}

/* ---- rebuild-index, rekey ---- */

int sluice_cmd_rebuild(int argc, char **argv)
{
	struct sluice_recovered r = { 0 };
	struct sluice_media *media;
	struct sluice_index *ix;
	uint64_t summaries = 0;
	struct sluice_cmd_words w;
	int err = sluice_cmd_words(argc, argv, "dk", 0, 0, &w), lock;

	if (err)
		return err - 1;
	umask(077);
	lock = sluice_cmd_lock(w.data, "stop the server first");
	ix = lock < 0 ? NULL : sluice_cmd_index(w.data);
	media = ix ? sluice_cmd_media(&w) : NULL;
	err = media ? sluice_rebuild(w.data, ix, media, &r, &summaries) : -EIO;
	if (media && err)
		sluice_error("cannot rebuild: %s", strerror(-err));
	if (!err) {
		printf("%llu frames of %u segments are in the index, %llu summaries were added; "
		       "damaged segments: %u\n",
		       (unsigned long long)r.added, r.scanned, (unsigned long long)summaries,
		       r.damaged);
		if (r.unread)
			sluice_error("%llu summaries cannot be read: damaged, or sealed by a key "
				     "that is not here (--key-file, --key-command)",
				     (unsigned long long)r.unread);
		if (r.foreign)
			sluice_error("%llu summaries have the id of another camera's and were left "
				     "out",
				     (unsigned long long)r.foreign);
	}
	sluice_media_close(media);
	sluice_index_close(ix);
	sluice_cmd_words_free(&w);
	if (lock >= 0)
		close(lock);
	return err || r.damaged || r.unread || r.foreign ? 1 : 0;
}

int sluice_cmd_rekey(int argc, char **argv)
{
	struct sluice_rekeyed r;
	struct sluice_cmd_words w;
	int err = sluice_cmd_words(argc, argv, "dk", 0, 0, &w), lock;

	if (err)
		return err - 1;
	if (!w.ring.count) {
		sluice_cmd_words_free(&w);
		return sluice_cmd_usage("rekey", "--key-file or --key-command is missing");
	}
	if (w.conf_is_its && w.conf.media.backend != SLUICE_MEDIA_DIRECTORY)
		sluice_warning("files in the bucket keep their locks: keep the old key as "
			       "[encryption] old_key_file");
	if (sluice_mediaconf_elsewhere(w.data)) {
		sluice_error("the segments of %s lie in a bucket, whose objects are not written "
			     "again: give the new key as [encryption] key_file and the old one as "
			     "old_key_file, and keep the old one as long as they are there",
			     w.data);
		sluice_cmd_words_free(&w);
		return 1;
	}
	lock = sluice_cmd_lock(w.data, "stop the server first");
	err = lock < 0 ? -EBUSY : sluice_rekey(w.data, &w.ring, &r);
	if (lock >= 0 && err)
		sluice_error("cannot change the key: %s; say it again to go on", strerror(-err));
	if (!err) {
		printf("sealed files %llu: %llu have new locks, %llu had them already\n",
		       (unsigned long long)r.files, (unsigned long long)r.changed,
		       (unsigned long long)(r.files - r.changed - r.locked));
		if (r.locked)
			sluice_error("%llu files are sealed by a key that is not here, first %s; "
				     "keep the old key",
				     (unsigned long long)r.locked, r.first);
	}
	sluice_cmd_words_free(&w);
	if (lock >= 0)
		close(lock);
	return err || r.locked ? 1 : 0;
}
