// SPDX-License-Identifier: MIT
/* cmd_store.c - fsck, rebuild-index, rekey (they need the data directory for themselves), export.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>

#include "cloud/auth.h"
#include "cloud/cmd.h"
#include "cloud/export.h"
#include "cloud/keyconf.h"
#include "cloud/recover.h"
#include "cloud/rekey.h"
#include "cloud/retain.h"
#include "lib/log.h"

struct words {
	const char *data, *tenant;
	struct sluice_keyconf keys;
	int json, repair;
	struct sluice_keyring ring;
};

static const struct option options[] = {
	{ "data", required_argument, NULL, 'd' },
	{ "tenant", required_argument, NULL, 't' },
	{ "key-file", required_argument, NULL, 'k' },
	{ "key-command", required_argument, NULL, 'c' },
	{ "old-key-file", required_argument, NULL, 'K' },
	{ "old-key-command", required_argument, NULL, 'C' },
	{ "json", no_argument, NULL, 'j' },
	{ "repair", no_argument, NULL, 'r' },
	{ 0 },
};

/* allowed: letters of the options above; words: how many others. 0, or the exit code + 1. */
static int parse_words(int argc, char **argv, const char *allowed, int count, struct words *w)
{
	int o;

	memset(w, 0, sizeof(*w));
	w->tenant = SLUICE_TENANT;
	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == '?')
			return 3;
		if (!strchr(allowed, o))
			return 1 +
			       sluice_cmd_usage(argv[0], "unknown option '%s'", argv[optind - 1]);
		switch (o) {
		case 'd':
			w->data = optarg;
			break;
		case 't':
			w->tenant = optarg;
			break;
		case 'k':
			w->keys.file = optarg;
			break;
		case 'c':
			w->keys.command = optarg;
			break;
		case 'K':
			w->keys.old_file = optarg;
			break;
		case 'C':
			w->keys.old_command = optarg;
			break;
		case 'j':
			w->json = 1;
			break;
		default:
			w->repair = 1;
		}
	}
	if (!w->data)
		return 1 + sluice_cmd_usage(argv[0], "--data DIR is missing");
	if (argc - optind != count)
		return 1 + sluice_cmd_usage(argv[0], argc - optind > count ? "too many words"
									   : "a word is missing");
	return sluice_keyconf_read(&w->keys, &w->ring) ? 2 : 0;
}

/* Locked for as long as the descriptor is open. */
static int lock_data(const char *data)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", data);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		sluice_error("cannot open %s: %s", path, strerror(errno));
	} else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		sluice_error("%s is in use; stop the server first", data);
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct sluice_index *open_index(const char *data)
{
	struct sluice_index *ix = NULL;
	char path[4096];
	int err;

	snprintf(path, sizeof(path), "%s/index.db", data);
	err = sluice_index_sqlite_open(path, &ix);
	if (err)
		sluice_error("cannot use %s: %s; move it away, then: sluice-cloud rebuild-index "
			     "--data %s",
			     path, strerror(-err), data);
	return ix;
}

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
	if (r->locked)
		printf("sealed by a key that is not here, so not looked into: %llu segments and "
		       "files; name the key with --key-file or --key-command\n",
		       (unsigned long long)r->locked);
	puts(verdict);
}

static void print_check_json(const struct sluice_check *r, const char *verdict)
{
	json_t *o =
		json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "verdict", verdict,
			  "segments", (json_int_t)r->segments, "damaged_headers",
			  (json_int_t)r->bad_header, "half_written_ends", (json_int_t)r->bad_tail,
			  "frames", (json_int_t)r->frames, "frames_not_in_index",
			  (json_int_t)r->missing_row, "index_rows", (json_int_t)r->indexed,
			  "index_rows_without_frame", (json_int_t)r->missing_frame, "summaries",
			  (json_int_t)r->summaries, "files_missing_or_changed",
			  (json_int_t)r->bad_media, "locked", (json_int_t)r->locked);

	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* What a start of the server would do, over every segment. */
static int repair(const char *data, struct sluice_index *ix)
{
	struct sluice_recovered r;
	int err = sluice_retain_finish(data, ix);

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

int sluice_cmd_fsck(int argc, char **argv)
{
	struct sluice_index *ix;
	struct sluice_check r;
	const char *verdict;
	struct words w;
	int err = parse_words(argc, argv, "dkcKCjr", 0, &w), lock;

	if (err)
		return err - 1;
	lock = lock_data(w.data);
	ix = lock < 0 ? NULL : open_index(w.data);
	err = !ix ? -EIO : w.repair ? repair(w.data, ix) : 0;
	if (!err) {
		err = sluice_check(w.data, ix, &w.ring, &r);
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
	}
	sluice_index_close(ix);
	sluice_keyring_clear(&w.ring);
	if (lock >= 0)
		close(lock);
	return err ? 1 : 0;
}

/* ---- rebuild-index, rekey ---- */

int sluice_cmd_rebuild(int argc, char **argv)
{
	struct sluice_recovered r = { 0 };
	struct sluice_index *ix;
	uint64_t summaries = 0;
	struct words w;
	int err = parse_words(argc, argv, "dkcKC", 0, &w), lock;

	if (err)
		return err - 1;
	umask(077);
	lock = lock_data(w.data);
	ix = lock < 0 ? NULL : open_index(w.data);
	err = ix ? sluice_rebuild(w.data, ix, &w.ring, &r, &summaries) : -EIO;
	if (ix && err)
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
	sluice_index_close(ix);
	sluice_keyring_clear(&w.ring);
	if (lock >= 0)
		close(lock);
	return err || r.damaged || r.unread || r.foreign ? 1 : 0;
}

int sluice_cmd_rekey(int argc, char **argv)
{
	struct sluice_rekeyed r;
	struct words w;
	int err = parse_words(argc, argv, "dkcKC", 0, &w), lock;

	if (err)
		return err - 1;
	if (!w.ring.count)
		return sluice_cmd_usage("rekey", "--key-file or --key-command is missing");
	lock = lock_data(w.data);
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
	sluice_keyring_clear(&w.ring);
	if (lock >= 0)
		close(lock);
	return err || r.locked ? 1 : 0;
}

/* ---- export ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static int is_interrupted(void *ctx)
{
	(void)ctx;
	return interrupted;
}

/* To OUT.part, which becomes OUT when it is whole. */
static int export_file(const struct sluice_shelf *s, const struct words *w, const char *id,
		       enum sluice_export_format format, const char *path,
		       struct sluice_exported *out)
{
	struct sluice_whose who = { w->tenant, NULL };
	char part[4096];
	int fd, err;

	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = sluice_export(s, &who, id, format, fd, is_interrupted, NULL, out);
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	if (!err && rename(part, path) < 0)
		err = -errno;
	if (err)
		unlink(part);
	return err;
}

static int export_all(const struct sluice_shelf *s, const struct words *w, const char *id,
		      const char *path, int mp4)
{
	struct sluice_exported out;
	char beside[4096];
	int err = export_file(s, w, id, mp4 ? SLUICE_EXPORT_MP4 : SLUICE_EXPORT_ZIP, path, &out);

	snprintf(beside, sizeof(beside), "%s.manifest.json", path);
	if (!err && mp4)
		err = export_file(s, w, id, SLUICE_EXPORT_MANIFEST, beside, &out);
	snprintf(beside, sizeof(beside), "%s.manifest.sig", path);
	if (!err && mp4)
		err = export_file(s, w, id, SLUICE_EXPORT_SIGNATURE, beside, &out);
	if (err == -ENOENT)
		sluice_error("no event %s of tenant %s with stored frames", id, w->tenant);
	else if (err)
		sluice_error("cannot export to %s: %s", path, strerror(-err));
	else
		fprintf(stderr, "%s: %u frames%s%s\n", path, out.frames,
			out.complete ? "" : ", of an event that goes on",
			out.missing ? "; some could not be read, the manifest names them" : "");
	return err;
}

int sluice_cmd_export(int argc, char **argv)
{
	const struct sigaction interrupt = { .sa_handler = on_interrupt };
	struct sluice_shelf s = { 0 };
	char path[4096];
	const char *end;
	struct words w;
	int err = parse_words(argc, argv, "dtkcKC", 2, &w), mp4;

	if (err)
		return err - 1;
	end = strrchr(argv[optind + 1], '.');
	mp4 = end && !strcmp(end, ".mp4");
	if (!mp4 && (!end || strcmp(end, ".zip") != 0))
		return sluice_cmd_usage("export", "the file's name ends with .zip or .mp4");
	umask(077);
	sigaction(SIGINT, &interrupt, NULL);
	s.data = w.data;
	s.index = open_index(w.data);
	s.rebuild = sluice_rebuild_open();
	snprintf(path, sizeof(path), "%s/media", w.data);
	err = s.index && s.rebuild ? sluice_media_dir_open(path, &w.ring, &s.media) : -EIO;
	if (!err)
		err = export_all(&s, &w, argv[optind], argv[optind + 1], mp4);
	sluice_media_close(s.media);
	sluice_rebuild_close(s.rebuild);
	sluice_index_close(s.index);
	sluice_keyring_clear(&w.ring);
	return err ? 1 : 0;
}
