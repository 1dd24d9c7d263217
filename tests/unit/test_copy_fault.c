// SPDX-License-Identifier: MIT
/*
 * test_copy_fault.c - the N-th allocation, or the N-th call that touches the disk, fails while a
 * store is backed up, restored, given another master key, or an event of it is exported. Whatever
 * fails: it is said, nothing leaks, what was whole before is whole, and the same again then
 * succeeds.
 *
 * usage: test_copy_fault [PLACES [WORK]], at most so many of each kind, spread evenly; one work
 * alone
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>
#include <openssl/err.h>

#include "cloud/backup.h"
#include "cloud/export.h"
#include "cloud/recover.h"
#include "cloud/rekey.h"
#include "tests/unit/certs.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"
#include "tests/unit/nth_fault.h"
#include "tests/unit/store_rig.h"

static struct store_rig rig;
static const struct sluice_whose who = { "t", NULL };

/* A work, and what must hold after it; err: what it has said. */
struct work {
	const char *name;
	void (*ready)(void); /* may be NULL */
	int (*run)(void);
	void (*judge)(int err);
	long leaks; /* blocks that OpenSSL's decoders leave when memory ends within them */
};

/* ---- the store that it is about ---- */

static void copy_small(const char *stem, const char *end)
{
	char from[512], to[512], buf[8192];
	size_t n;
	FILE *in, *out;

	snprintf(from, sizeof(from), "%s", certs_path(stem, end));
	snprintf(to, sizeof(to), "%s/%s.%s", rig.data, stem, end);
	in = fopen(from, "re");
	out = fopen(to, "we");
	n = in && out ? fread(buf, 1, sizeof(buf), in) : 0;
	CHECK(n > 0 && fwrite(buf, 1, n, out) == n);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
}

static int add_group(uint64_t first)
{
	struct sluice_store *s = NULL;
	int ok = !sluice_store_open(rig.data, &rig.ring, &s) && store_rig_group(&rig, s, first);

	sluice_store_close(s);
	return ok;
}

static void make_store(void)
{
	struct sluice_shelf shelf;

	store_rig_begin(&rig, 3);
	CHECK(add_group(0));
	CHECK(!store_rig_shelf(&rig, rig.data, &shelf) && store_rig_summary(&rig, &shelf));
	store_rig_close(&shelf);
	copy_small("server", "key");
	copy_small("server", "crt");
	copy_small("ca", "crt");
}

/* So many frames from the first on are in data, and so is the event. */
static void check_store(const char *data, uint64_t frames)
{
	struct sluice_shelf shelf;
	struct sluice_check k;
	uint64_t i;

	if (store_rig_shelf(&rig, data, &shelf)) {
		CHECK(!"opens");
		return;
	}
	for (i = 0; i < frames; i++)
		CHECK(!store_rig_frame(&rig, &shelf, i));
	CHECK(!sluice_check(data, shelf.index, shelf.media, NULL, NULL, &k));
	CHECK(!k.missing_frame && !k.bad_media && !k.bad_header && !k.locked && k.summaries == 1);
	store_rig_close(&shelf);
}

/* ---- backup ---- */

static char copy[80], back[80];

static int run_backup(void)
{
	const struct sluice_backup_config c = { .from = rig.data, .to = copy };
	struct sluice_backed_up out;

	return sluice_backup(&c, &out);
}

static int verify(void)
{
	const struct sluice_backup_config c = { .from = copy };
	struct sluice_backed_up out;

	return sluice_backup_verify(&c, &out);
}

static int run_restore(void)
{
	const struct sluice_backup_config c = { .from = copy, .to = back };
	struct sluice_backed_up out;

	return sluice_restore(&c, &out);
}

static void check_restored(uint64_t frames)
{
	CHECK(!verify());
	store_rig_remove(back);
	CHECK(!run_restore());
	check_store(back, frames);
	store_rig_remove(back);
}

static int is_there(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", copy, name);
	return !access(path, F_OK);
}

/* A copy that has a manifest is whole; and a broken run is gone on with. */
static void judge_backup(int err)
{
	check_store(rig.data, STORE_RIG_GROUP);
	if (!err || is_there(SLUICE_BACKUP_MANIFEST))
		check_restored(STORE_RIG_GROUP);
	CHECK(!run_backup());
	check_restored(STORE_RIG_GROUP);
}

static void write_conf(const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/cloud.conf", rig.data);
	f = fopen(path, "we");
	CHECK(f && fputs(text, f) >= 0);
	if (f)
		fclose(f);
}

/* One copy is there, and since then the store has grown and a file has changed. */
static void ready_again(void)
{
	write_conf("[server]\n");
	CHECK(!run_backup());
	CHECK(add_group(STORE_RIG_GROUP));
	write_conf("[server]\nname = here\n");
}

/* The copy is the last one or the new one, never something between. */
static void judge_again(int err)
{
	check_restored(err ? STORE_RIG_GROUP : 2 * STORE_RIG_GROUP);
	CHECK(!run_backup());
	check_restored(2 * STORE_RIG_GROUP);
	CHECK(is_there("cloud.conf") && !is_there("cloud.conf.next"));
}

static void ready_restore(void)
{
	CHECK(!run_backup());
}

static void judge_restore(int err)
{
	if (!err)
		check_store(back, STORE_RIG_GROUP);
	check_restored(STORE_RIG_GROUP);
}

/* ---- rekey ---- */

static struct sluice_keyring both;

static void ready_rekey(void)
{
	make_ring(&both, 4, 3);
}

static int run_rekey(void)
{
	struct sluice_rekeyed out;
	int err;

	err = sluice_rekey(rig.data, &both, &out);
	CHECK(err || (out.files && !out.locked));
	return err;
}

/* Whoever was told that it is done throws the old key away. */
static void judge_rekey(int err)
{
	if (err) {
		make_ring(&rig.ring, 4, 3);
		check_store(rig.data, STORE_RIG_GROUP);
		CHECK(!run_rekey());
	}
	make_ring(&rig.ring, 4, 0);
	check_store(rig.data, STORE_RIG_GROUP);
}

/* ---- export ---- */

static int exported = -1;
static char exported_path[64];

static int run_export_as(enum sluice_export_format format)
{
	struct sluice_exported out;
	struct sluice_shelf shelf;
	int err = store_rig_shelf(&rig, rig.data, &shelf);

	if (!err) {
		shelf.rebuild = sluice_rebuild_open();
		err = shelf.rebuild ? sluice_export(&shelf, &who, store_rig_id, format, exported,
						    NULL, NULL, &out)
				    : -ENOMEM;
		CHECK(err || (out.frames == STORE_RIG_GROUP && !out.missing && out.complete));
		sluice_rebuild_close(shelf.rebuild);
		store_rig_close(&shelf);
	}
	return err;
}

static void ready_export(void)
{
	snprintf(exported_path, sizeof(exported_path), "/tmp/test_copy_fault.XXXXXX");
	exported = mkstemp(exported_path);
	CHECK(exported >= 0);
}

static int run_zip(void)
{
	return run_export_as(SLUICE_EXPORT_ZIP);
}

static int run_manifest(void)
{
	return run_export_as(SLUICE_EXPORT_MANIFEST);
}

/* Frames, key frame, summary, manifest, signature, two certificates, each whole: Info-ZIP says so.
 */
static void check_zip(void)
{
	char command[160], line[256];
	int files = 0;
	FILE *list;

	snprintf(command, sizeof(command), "unzip -tqq %s && unzip -Z1 %s", exported_path,
		 exported_path);
	list = popen(command, "re");
	while (list && fgets(line, sizeof(line), list))
		files++;
	CHECK(list && !pclose(list));
	CHECK(files == STORE_RIG_GROUP + 6);
}

static void check_manifest(int fd)
{
	char text[65536];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	json_t *o = n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;

	CHECK(json_array_size(json_object_get(o, "frames")) == STORE_RIG_GROUP);
	CHECK(json_is_true(json_object_get(o, "complete")));
	json_decref(o);
}

static void end_export(void)
{
	close(exported);
	unlink(exported_path);
}

static void judge_zip(int err)
{
	if (!err)
		check_zip();
	end_export();
}

static void judge_manifest(int err)
{
	if (!err)
		check_manifest(exported);
	end_export();
}

/* ---- each of them, at each place ---- */

static const struct work works[] = {
	{ "backup", NULL, run_backup, judge_backup, 0 },
	{ "backup again", ready_again, run_backup, judge_again, 0 },
	{ "restore", ready_restore, run_restore, judge_restore, 0 },
	{ "rekey", ready_rekey, run_rekey, judge_rekey, 0 },
	{ "export as ZIP", ready_export, run_zip, judge_zip, 3 },
	{ "export's manifest", ready_export, run_manifest, judge_manifest, 0 },
};

static void make_rig(const struct work *w)
{
	make_store();
	snprintf(copy, sizeof(copy), "%s.copy", rig.data);
	snprintf(back, sizeof(back), "%s.back", rig.data);
	if (w->ready)
		w->ready();
}

static void remove_rig(void)
{
	store_rig_remove(rig.data);
	store_rig_remove(copy);
	store_rig_remove(back);
}

/* On a rig. Blocks of memory that are left; *total: places that there are; *err: what was said. */
static long attempt(const struct work *w, enum nth_kind k, unsigned long at, unsigned long *total,
		    int *err)
{
	long before = nth_fault.live;

	nth_begin(k, at);
	*err = w->run();
	*total = nth_end();
	ERR_clear_error(); /* OpenSSL's words of it are no leak */
	before = nth_fault.live - before;
	w->judge(*err);
	return before;
}

static unsigned long count_places(const struct work *w, enum nth_kind k, long *left)
{
	unsigned long total;
	int err;

	make_rig(w);
	*left = attempt(w, k, 0, &total, &err);
	CHECK(!err);
	remove_rig();
	return total;
}

static void run_work(void *arg)
{
	((const struct work *)arg)->run();
}

static void test_kills(const struct work *w, unsigned long places)
{
	unsigned long total, at, step, tried = 0;
	long left;

	total = count_places(w, NTH_DISK, &left);
	step = total / places + 1;
	for (at = 1; at <= total; at += step) {
		int bad = check_failures;

		make_rig(w);
		CHECK(nth_killed(at, run_work, (void *)w));
		w->judge(-EINTR);
		remove_rig();
		tried++;
		if (check_failures != bad)
			fprintf(stderr, "^ %s: killed at %lu of %lu\n", w->name, at, total);
	}
	printf("%s: killed at %lu of %lu places\n", w->name, tried, total);
}

/* 1: it was said that something failed. */
static int test_place(const struct work *w, enum nth_kind k, const char *kind, unsigned long at)
{
	unsigned long ignored;
	int bad = check_failures, err;
	long left = attempt(w, k, at, &ignored, &err);

	CHECK(left <= w->leaks);
	if (check_failures != bad)
		fprintf(stderr, "^ %s: %s %lu: said %d, %ld blocks are left\n", w->name, kind, at,
			err, left);
	return err != 0;
}

static void test_work(const struct work *w, enum nth_kind k, const char *kind, unsigned long places)
{
	unsigned long total, at, step, tried = 0, said = 0;
	long left;

	count_places(w, k, &left); /* warms up what lives as long as the process */
	total = count_places(w, k, &left);
	CHECK(!left);
	step = total / places + 1;
	for (at = 1; at <= total; at += step) {
		make_rig(w);
		said += (unsigned long)test_place(w, k, kind, at);
		remove_rig();
		tried++;
	}
	printf("%s: %s: %lu places, %lu tried, %lu of them said that it failed\n", w->name, kind,
	       total, tried, said);
}

int main(int argc, char **argv)
{
	unsigned long places = argc > 1 ? strtoul(argv[1], NULL, 0) : 16;
	size_t i;

	certs_make_usual();
	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		if (argc > 2 && strcmp(argv[2], works[i].name))
			continue;
		nth_fault.err = EIO;
		test_work(&works[i], NTH_DISK, "disk, EIO", places);
		nth_fault.err = ENOSPC;
		test_work(&works[i], NTH_DISK, "disk, ENOSPC", places);
		test_work(&works[i], NTH_MEMORY, "memory", places);
		test_kills(&works[i], places);
	}
	certs_remove();
	return check_result();
}
