// SPDX-License-Identifier: MIT
/*
 * test_index.c - store, crash and rebuild: what is committed is found again, what is not is not;
 * an index made again from the segments equals the one that was lost; duplicates stay single.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "cloud/media.h"
#include "cloud/recover.h"
#include "cloud/segment.h"
#include "cloud/store.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"
#include "tests/unit/tmp_dir.h"

static char data[64];
static struct sluice_camera camera[2];
static const struct sluice_keyring *keys; /* all of it is done with and without */

static void end_data(void)
{
	tmp_dir_remove(data);
}

static void begin_data(void)
{
	char path[128];

	snprintf(data, sizeof(data), "/tmp/test_index.XXXXXX");
	if (!mkdtemp(data))
		exit(1);
	snprintf(path, sizeof(path), "%s/segments", data);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/media", data);
	mkdir(path, 0700);
}

static int check_all(struct sluice_index *ix, const struct sluice_keyring *ring,
		     struct sluice_check *k)
{
	struct sluice_media *m;
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/media", data);
	err = sluice_media_dir_open(path, ring, &m);
	if (!err)
		err = sluice_check(data, ix, m, NULL, NULL, k);
	sluice_media_close(m);
	return err;
}

static int rebuild_all(struct sluice_index *ix, struct sluice_recovered *r, uint64_t *count)
{
	struct sluice_media *m;
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/media", data);
	err = sluice_media_dir_open(path, keys, &m);
	if (!err)
		err = sluice_rebuild(data, ix, m, r, count);
	sluice_media_close(m);
	return err;
}

static struct sluice_item *make_item(enum sluice_item_kind kind, int c, uint64_t epoch,
				     uint64_t sequence, size_t size)
{
	struct sluice_item *item = calloc(1, sizeof(*item) + size);
	size_t i;

	item->kind = kind;
	item->camera = &camera[c];
	item->epoch = epoch;
	item->sequence = sequence;
	item->range_last = INT64_MAX;
	item->time_ns = 1000 * sequence;
	item->utc_ns = 1700000000000000000ull + 1000 * sequence;
	item->width = 64;
	item->height = 48;
	item->reason = 8;
	item->cells_size = sequence % 5;
	item->jpeg_size = (uint32_t)(size - item->cells_size);
	for (i = 0; i < size; i++)
		item->data[i] = (uint8_t)random_below(256);
	return item;
}

/* One item as a group of its own, committed or aborted. Returns whether it was a duplicate. */
static int store_one(struct sluice_store *s, struct sluice_item *item, int commit)
{
	uint64_t resume = 0;
	int duplicate, err;

	CHECK(!sluice_store_begin(s));
	err = item->kind == SLUICE_ITEM_OPEN ? sluice_store_epoch(s, item, &resume)
					     : sluice_store_frame(s, item);
	CHECK(!err);
	CHECK(!sluice_store_sync(s));
	if (commit)
		CHECK(!sluice_store_commit(s));
	else
		sluice_store_abort(s);
	duplicate = item->duplicate;
	free(item);
	return duplicate;
}

static uint64_t resume_of(struct sluice_store *s, int c, uint64_t epoch)
{
	struct sluice_item *item = make_item(SLUICE_ITEM_OPEN, c, epoch, 0, 0);
	uint64_t resume = 99;

	CHECK(!sluice_store_begin(s));
	CHECK(!sluice_store_epoch(s, item, &resume));
	CHECK(!sluice_store_commit(s));
	free(item);
	return resume;
}

static struct sluice_index *open_index(void)
{
	struct sluice_index *ix = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/index.db", data);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	if (!ix)
		exit(1);
	return ix;
}

/* What the index says, as a digest: frames without the segment's number (it may change). */
struct digest {
	EVP_MD_CTX *sha;
	struct sluice_index *ix;
	uint64_t count;
};

static int digest_frame(void *ctx, const struct sluice_index_frame *f)
{
	struct digest *d = ctx;
	struct sluice_index_frame found;
	char path[192] = "", line[512];
	int n;

	CHECK(!d->ix->ops->frame_find(d->ix, f->camera, f->epoch, f->sequence, &found, path));
	n = snprintf(line, sizeof(line), "%llu %llu %s %llu %u %llu %llu %u %u\n",
		     (unsigned long long)f->epoch, (unsigned long long)f->sequence, path,
		     (unsigned long long)f->offset, f->length, (unsigned long long)f->time_ns,
		     (unsigned long long)f->utc_ns, f->reason, f->flags);
	EVP_DigestUpdate(d->sha, line, (size_t)n);
	d->count++;
	return 0;
}

static uint64_t digest_index(uint8_t out[32])
{
	struct digest d = { .ix = open_index() };
	uint64_t epoch;
	int c;

	d.sha = EVP_MD_CTX_new();
	EVP_DigestInit(d.sha, EVP_sha256());
	for (c = 0; c < 2; c++)
		for (epoch = 1; epoch <= 2; epoch++)
			CHECK(!d.ix->ops->frames(d.ix, camera[c].id, epoch, -1, INT64_MAX, 0,
						 digest_frame, &d));
	EVP_DigestFinal(d.sha, out, NULL);
	EVP_MD_CTX_free(d.sha);
	sluice_index_close(d.ix);
	return d.count;
}

static void fill_store(struct sluice_store *s)
{
	int c, i, epoch;

	for (c = 0; c < 2; c++) {
		for (epoch = 1; epoch <= 2; epoch++) {
			store_one(s, make_item(SLUICE_ITEM_OPEN, c, (uint64_t)epoch, 0, 0), 1);
			for (i = 0; i < 20; i++)
				CHECK(!store_one(s,
						 make_item(SLUICE_ITEM_FRAME, c, (uint64_t)epoch,
							   (uint64_t)(3 * i),
							   10 + random_below(3000)),
						 1));
		}
	}
}

static void test_store(void)
{
	struct sluice_store *s;

	begin_data();
	CHECK(!sluice_store_open(data, keys, &s));
	CHECK(resume_of(s, 0, 1) == 0);
	CHECK(!store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, 4, 100), 1));
	CHECK(resume_of(s, 0, 1) == 5);
	CHECK(store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, 4, 100), 1) == 1);
	/* what the index does not know is stored, wherever it lies */
	CHECK(!store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, 3, 100), 1));
	CHECK(store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, 3, 100), 1) == 1);
	/* an aborted group leaves nothing, and the same frame is no duplicate afterwards */
	CHECK(!store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, 6, 100), 0));
	CHECK(resume_of(s, 0, 1) == 5);
	CHECK(!store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, 6, 100), 1));
	CHECK(resume_of(s, 0, 1) == 7);
	/* another epoch, and back */
	CHECK(resume_of(s, 0, 2) == 0);
	CHECK(!store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 2, 0, 100), 1));
	CHECK(resume_of(s, 0, 1) == 7);
	sluice_store_close(s);
	CHECK(!sluice_store_open(data, keys, &s));
	CHECK(resume_of(s, 0, 2) == 1);
	sluice_store_close(s);
	end_data();
}

static void test_rebuild(void)
{
	struct sluice_recovered r;
	struct sluice_index *ix;
	struct sluice_check k;
	struct sluice_store *s;
	uint8_t before[32], after[32];
	uint64_t summaries;
	char path[128];

	begin_data();
	CHECK(!sluice_store_open(data, keys, &s));
	fill_store(s);
	sluice_store_close(s);
	CHECK(digest_index(before) == 80);

	/* rows thrown away */
	ix = open_index();
	CHECK(!rebuild_all(ix, &r, &summaries));
	CHECK(r.frames == 80 && r.added == 80 && !r.damaged && !r.cut);
	CHECK(!check_all(ix, keys, &k));
	CHECK(k.frames == 80 && k.indexed == 80 && !k.missing_row && !k.missing_frame);
	sluice_index_close(ix);
	CHECK(digest_index(after) == 80);
	CHECK(!memcmp(before, after, 32));

	/* the whole file lost: cameras come back from the directory */
	snprintf(path, sizeof(path), "%s/index.db", data);
	unlink(path);
	ix = open_index();
	CHECK(!rebuild_all(ix, &r, &summaries));
	sluice_index_close(ix);
	CHECK(digest_index(after) == 80);
	CHECK(!memcmp(before, after, 32));
	end_data();
}

/* The only segment of camera 0. */
static void find_segment(char *out, size_t size)
{
	char dir[256];
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/segments/t/d/c0", data);
	d = opendir(dir);
	out[0] = 0;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(out, size, "%s/%.200s", dir, e->d_name);
	closedir(d);
}

/* A crash after the segment's sync and before the commit, with half a record behind. */
static void test_recover(void)
{
	struct sluice_recovered r;
	struct sluice_store *s;
	struct sluice_index *ix;
	struct sluice_check k;
	struct stat st;
	char path[512];
	uint64_t last;
	FILE *f;
	int i;

	begin_data();
	CHECK(!sluice_store_open(data, keys, &s));
	store_one(s, make_item(SLUICE_ITEM_OPEN, 0, 1, 0, 0), 1);
	for (i = 0; i < 5; i++)
		store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, (uint64_t)i, 500), 1);
	sluice_store_close(s);
	/* as if the last commits had never been: rows away, the segment open, a torn record */
	ix = open_index();
	CHECK(!ix->ops->frames_clear(ix));
	find_segment(path, sizeof(path));
	f = fopen(path, "a");
	CHECK(f && fwrite("SCRDgarbage", 1, 11, f) == 11);
	if (f)
		fclose(f);
	CHECK(!sluice_recover(data, ix, 0, &r));
	CHECK(r.scanned == 1 && r.added == 5 && r.cut == 11 && !r.damaged);
	CHECK(!ix->ops->frame_last(ix, camera[0].id, 1, 0, INT64_MAX, &last) && last == 4);
	/* once more: nothing to do */
	CHECK(!sluice_recover(data, ix, 0, &r));
	CHECK(!r.scanned);
	/* rot in the middle of what was acknowledged: told, not cut */
	CHECK(!stat(path, &st));
	f = fopen(path, "r+");
	CHECK(f && !fseek(f, st.st_size / 2, SEEK_SET) && fputc(0x55, f) == 0x55 &&
	      fputc(0xaa, f) == 0xaa);
	if (f)
		fclose(f);
	CHECK(!sluice_recover(data, ix, 1, &r));
	CHECK(r.damaged == 1 && !r.cut);
	CHECK(!check_all(ix, keys, &k));
	CHECK(k.missing_frame > 0 && k.bad_tail == 1);
	sluice_index_close(ix);
	end_data();
}

static int count_summary(void *ctx, const struct sluice_camera *c,
			 const struct sluice_index_summary *s)
{
	CHECK(!c || !strcmp(c->name, "c0"));
	CHECK(!c || (s->media_count == 1 && !strcmp(s->media[0].name, "key-1.jpg")));
	++*(int *)ctx;
	return 0;
}

static const char *upper_hex(const uint8_t id[16], char out[33])
{
	int i;

	for (i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02X", id[i]);
	return out;
}

static void test_summaries(void)
{
	static const char json[] =
		"{\"version\":1,\"epoch\":\"1\",\"start_ns\":\"5\",\"end_ns\":\"9\"}";
	static const char id[] = "0123456789abcdef0123456789abcdef";
	struct sluice_media_file files[] = { { "key-1.jpg", (const uint8_t *)"jpeg", 4 },
					     { "summary.json", (const uint8_t *)json,
					       sizeof(json) - 1 } };
	struct sluice_media_file earlier = { "summary.json", (const uint8_t *)"{}", 2 };
	struct sluice_media_file bad = { "../key", (const uint8_t *)"x", 1 };
	struct sluice_index_media media = { .name = "key-1.jpg", .size = 4 };
	struct sluice_index_summary row = { .epoch = 1,
					    .start_utc_ns = 5,
					    .end_utc_ns = 9,
					    .json = json,
					    .media = &media,
					    .media_count = 1 };
	struct sluice_recovered r;
	struct sluice_media *m;
	struct sluice_store *s;
	struct sluice_index *ix;
	const struct sluice_whose t = { .tenant = "t" }, other = { .tenant = "other" };
	struct sluice_whose granted = t;
	struct sluice_camera stranger;
	char path[128], hex[33];
	uint8_t *bytes, owner[16];
	uint64_t again;
	size_t size;
	int n = 0;

	begin_data();
	CHECK(!sluice_store_open(data, keys, &s));
	store_one(s, make_item(SLUICE_ITEM_OPEN, 0, 1, 0, 0), 1);
	store_one(s, make_item(SLUICE_ITEM_FRAME, 0, 1, 0, 50), 1);
	sluice_store_close(s);
	snprintf(path, sizeof(path), "%s/media", data);
	CHECK(!sluice_media_dir_open(path, keys, &m));
	CHECK(!m->ops->put(m, &camera[0], id, files, 2));
	CHECK(!m->ops->put(m, &camera[0], id, &earlier, 1)); /* replaced, whole */
	CHECK(m->ops->get(m, &camera[0], id, "key-1.jpg", 100, &bytes, &size) == -ENOENT);
	CHECK(!m->ops->put(m, &camera[0], id, files, 2));
	CHECK(!m->ops->get(m, &camera[0], id, "summary.json", 100, &bytes, &size) &&
	      size == sizeof(json) - 1 && !memcmp(bytes, json, size));
	free(bytes);
	CHECK(m->ops->put(m, &camera[0], id, &bad, 1) == -EINVAL);
	CHECK(!m->ops->get(m, &camera[0], id, "key-1.jpg", 100, &bytes, &size) && size == 4);
	free(bytes);
	CHECK(m->ops->get(m, &camera[0], id, "key-1.jpg", 3, &bytes, &size) == -EFBIG);
	CHECK(m->ops->get(m, &camera[0], id, "key-2.jpg", 100, &bytes, &size) == -ENOENT);
	CHECK(m->ops->get(m, &camera[0], "..", "index.db", 100, &bytes, &size) == -ENOENT);
	CHECK(m->ops->get(m, &camera[1], id, "key-1.jpg", 100, &bytes, &size) == -ENOENT);
	memcpy(row.id, id, sizeof(row.id));
	memcpy(row.camera, camera[0].id, 16);
	SHA256((const uint8_t *)"jpeg", 4, media.sha256);
	ix = open_index();
	CHECK(ix->ops->summary_add(ix, &row) == 0);
	CHECK(ix->ops->summary_add(ix, &row) == 1);
	/* neither another camera nor another tenant comes by that id */
	CHECK(!sluice_camera_init(&stranger, "other", "d", "c1"));
	CHECK(!ix->ops->camera_add(ix, &stranger));
	memcpy(row.camera, camera[1].id, 16);
	CHECK(ix->ops->summary_add(ix, &row) == -EEXIST);
	memcpy(row.camera, stranger.id, 16);
	CHECK(ix->ops->summary_add(ix, &row) == -EEXIST);
	CHECK(!ix->ops->summary_owner(ix, id, owner, NULL) && !memcmp(owner, camera[0].id, 16));
	CHECK(ix->ops->summary_owner(ix, "00", owner, NULL) == -ENOENT);
	CHECK(!ix->ops->summaries_unacked(ix, camera[0].id, count_summary, &n) && n == 1);
	CHECK(!ix->ops->summary_acked(ix, camera[0].id, id));
	CHECK(!ix->ops->summaries_unacked(ix, camera[0].id, count_summary, &n) && n == 1);
	CHECK(!ix->ops->summaries(ix, &t, NULL, 10, count_summary, &n) && n == 2);
	CHECK(!ix->ops->summaries(ix, &t, "c1", 10, count_summary, &n) && n == 2);
	CHECK(!ix->ops->summaries(ix, &other, NULL, 10, count_summary, &n) && n == 2);
	CHECK(!ix->ops->summary_find(ix, &t, id, count_summary, &n) && n == 3);
	CHECK(ix->ops->summary_find(ix, &other, id, count_summary, &n) == -ENOENT);
	granted.cameras = upper_hex(camera[1].id, hex);
	CHECK(!ix->ops->summaries(ix, &granted, NULL, 10, count_summary, &n) && n == 3);
	CHECK(ix->ops->summary_find(ix, &granted, id, count_summary, &n) == -ENOENT && n == 3);
	granted.cameras = "";
	CHECK(ix->ops->summary_find(ix, &granted, id, count_summary, &n) == -ENOENT && n == 3);
	granted.cameras = upper_hex(camera[0].id, hex);
	CHECK(!ix->ops->summary_find(ix, &granted, id, count_summary, &n) && n == 4);
	n = 3;
	sluice_index_close(ix);
	snprintf(path, sizeof(path), "%s/index.db", data);
	unlink(path);
	ix = open_index();
	CHECK(!sluice_rebuild(data, ix, m, &r, &again) && again == 1);
	CHECK(!ix->ops->summary_find(ix, &t, id, count_summary, &n) && n == 4);
	sluice_index_close(ix);
	sluice_media_close(m);
	end_data();
}

static void test_names(void)
{
	struct sluice_cameras *t = sluice_cameras_open();
	const struct sluice_camera *a, *b;
	char name[16];
	int i;

	CHECK(sluice_name_valid("cam-0_a.b") && !sluice_name_valid("") &&
	      !sluice_name_valid(".a") && !sluice_name_valid("a/b") && !sluice_name_valid("a b") &&
	      sluice_name_valid("1234567890123456789012345678901") &&
	      !sluice_name_valid("12345678901234567890123456789012"));
	for (i = 0; i < SLUICE_CAMERAS_MAX; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		CHECK(!sluice_cameras_get(t, "t", "d", name, &a));
	}
	CHECK(!sluice_cameras_get(t, "t", "d", "c3", &a) &&
	      !sluice_cameras_get(t, "t", "d", "c3", &b) && a == b);
	CHECK(sluice_cameras_get(t, "t", "d", "one-more", &a) == -EDQUOT);
	CHECK(!sluice_cameras_get(t, "t", "e", "one-more", &a));
	CHECK(sluice_cameras_get(t, "t", "d", "../x", &a) == -EINVAL);
	sluice_cameras_close(t);
}

int main(int argc, char **argv)
{
	int i;

	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	CHECK(!sluice_camera_init(&camera[0], "t", "d", "c0"));
	CHECK(!sluice_camera_init(&camera[1], "t", "d", "c1"));
	test_names();
	for (i = 0; i < 2; i++) {
		test_store();
		test_rebuild();
		test_recover();
		test_summaries();
		keys = make_keys(1);
	}
	return check_result();
}
