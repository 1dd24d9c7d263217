// SPDX-License-Identifier: MIT
/*
 * export.c - see export.h and docs/operations.md (how to verify).
 *
 * The frames are those of the event's epoch from 5 s before it to 5 s behind it, as they were
 * stored. A frame that was sent as a region is given as the whole picture that it stands for
 * (rebuild.c: no coefficient changes), and the manifest says so. The manifest names camera, epoch,
 * sequence, time and SHA-256 of each, so that one picture alone can be proven too; what could not
 * be read is named as missing. The same event gives the same bytes each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "cloud/export.h"
#include "lib/sha256.h"

#define FILE_MAX (64u << 20)
#define PAGE	 256 /* rows taken at a time */

struct export
{
	const struct sluice_shelf *shelf;
	const struct sluice_whose *who;
	enum sluice_export_format format;
	int fd;
	int (*stopping)(void *ctx);
	void *ctx;
	struct sluice_exported *out;
	/* of the event */
	struct sluice_camera camera;
	char id[33];
	uint64_t epoch, start_ns, end_ns;
	char *summary; /* its JSON */
	struct sluice_index_media media[SLUICE_SUMMARY_MEDIA_MAX];
	char place[SLUICE_MEDIA_PLACE]; /* of its files */
	size_t media_count;
	/* being made */
	struct sluice_zip *zip;
	struct sluice_mp4 *mp4;
	json_t *frames, *files;
	uint64_t bytes, last_time_ns;
	struct sluice_index_frame row[PAGE];
	size_t rows;
};

/* ---- what is to be exported ---- */

static int take_event(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	struct export *e = ctx;

	e->camera = *c;
	e->epoch = s->epoch;
	e->start_ns = s->start_utc_ns;
	e->end_ns = s->end_utc_ns;
	e->media_count = s->media_count;
	sluice_media_place(e->place, s->id, s->token);
	if (s->media_count)
		memcpy(e->media, s->media, s->media_count * sizeof(e->media[0]));
	free(e->summary);
	e->summary = strdup(s->json);
	return e->summary ? 0 : -ENOMEM;
}

static int find_event(struct export *e, const char *id)
{
	struct sluice_index *ix = e->shelf->index;
	int err;

	snprintf(e->id, sizeof(e->id), "%s", id);
	err = ix->ops->summary_find(ix, e->who, id, take_event, e);
	e->out->complete = !err;
	if (err != -ENOENT)
		return err;
	err = ix->ops->events_open(ix, e->who, id, take_event, e);
	if (!err && !e->summary)
		err = -ENOENT;
	e->end_ns = sluice_utc_now(); /* it goes on */
	return err;
}

/* ---- what goes in ---- */

static void hash(const void *data, size_t size, char hex[65])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	sluice_sha256(data, size, digest);
	sluice_hex(digest, sizeof(digest), hex);
}

static int add_file(struct export *e, const char *name, const void *data, size_t size)
{
	char hex[65];

	hash(data, size, hex);
	if (json_array_append_new(e->files, json_pack("{s:s,s:I,s:s}", "name", name, "size",
						      (json_int_t)size, "sha256", hex)))
		return -ENOMEM;
	return e->zip ? sluice_zip_file(e->zip, name, e->start_ns, data, size) : 0;
}

static int put_picture(struct export *e, const struct sluice_index_frame *f, const char *name,
		       const uint8_t *jpeg, size_t size, unsigned int width, unsigned int height)
{
	int err = 0;

	e->bytes += size;
	if (e->bytes > SLUICE_EXPORT_BYTES_MAX || ++e->out->frames > SLUICE_EXPORT_FRAMES_MAX)
		return -EFBIG;
	if (e->zip)
		return sluice_zip_file(e->zip, name, f->utc_ns, jpeg, size);
	if (!e->mp4)
		err = sluice_mp4_open(e->fd, width, height, &e->mp4);
	return err ? err : sluice_mp4_frame(e->mp4, f->time_ns, jpeg, size);
}

/* Not there, or damaged: the manifest may say so for ever. All else may be better the next time. */
static int is_lost(int err)
{
	return err == -ENOENT || err == -EBADMSG;
}

/* One frame: the picture, and its line in the manifest. */
static int add_frame(struct export *e, const struct sluice_index_frame *f)
{
	char name[96], hex[65] = "", utc[32], numbers[4][24];
	struct sluice_segment_frame rec;
	uint8_t *jpeg = NULL, *buf = NULL;
	size_t size = 0;
	int err;

	if (e->mp4 && f->time_ns <= e->last_time_ns)
		return 0; /* a second copy; times of an epoch rise */
	e->last_time_ns = f->time_ns;
	err = sluice_shelf_record(e->shelf, &e->camera, f->epoch, f->sequence, &rec, &buf);
	if (!err)
		err = sluice_shelf_picture(e->shelf, &e->camera, f->epoch, f->sequence, &jpeg,
					   &size);
	if (err && !is_lost(err)) {
		free(buf);
		return err;
	}
	snprintf(name, sizeof(name), "frames/%06u-%llu-%llu.jpg", e->out->frames + 1,
		 (unsigned long long)f->epoch, (unsigned long long)f->sequence);
	err = jpeg ? put_picture(e, f, name, jpeg, size, rec.width, rec.height) : 0;
	e->out->missing += !jpeg;
	if (jpeg)
		hash(jpeg, size, hex);
	sluice_rfc3339(f->utc_ns, utc);
	snprintf(numbers[0], sizeof(numbers[0]), "%llu", (unsigned long long)f->epoch);
	snprintf(numbers[1], sizeof(numbers[1]), "%llu", (unsigned long long)f->sequence);
	snprintf(numbers[2], sizeof(numbers[2]), "%llu", (unsigned long long)f->time_ns);
	snprintf(numbers[3], sizeof(numbers[3]), "%llu", (unsigned long long)f->utc_ns);
	if (!err &&
	    json_array_append_new(e->frames,
				  json_pack("{s:s*,s:s,s:s,s:s,s:s,s:s,s:s*,s:I,s:b,s:b}", "file",
					    e->zip && jpeg ? name : NULL, "epoch", numbers[0],
					    "sequence", numbers[1], "time_ns", numbers[2], "utc_ns",
					    numbers[3], "utc", utc, "sha256", jpeg ? hex : NULL,
					    "size", (json_int_t)size, "missing", !jpeg, "rebuilt",
					    !!(f->flags & SLUICE_WIRE_REGION))))
		err = -ENOMEM;
	free(jpeg);
	free(buf);
	return err;
}

static int take_row(void *ctx, const struct sluice_index_frame *f)
{
	struct export *e = ctx;

	e->row[e->rows++] = *f;
	return 0;
}

static int add_frames(struct export *e)
{
	struct sluice_index *ix = e->shelf->index;
	uint64_t begin =
		e->start_ns > SLUICE_EXPORT_ROLL_NS ? e->start_ns - SLUICE_EXPORT_ROLL_NS : 0;
	uint64_t to = e->end_ns + SLUICE_EXPORT_ROLL_NS;
	struct sluice_index_place at = sluice_index_before(begin);
	size_t i;
	int err;

	do {
		e->rows = 0;
		err = ix->ops->frames_between(ix, e->who, e->camera.id, &at, to, PAGE, take_row, e);
		for (i = 0; i < e->rows && !err; i++) {
			if (e->stopping && e->stopping(e->ctx))
				err = -ECANCELED;
			else if (e->row[i].epoch == e->epoch)
				err = add_frame(e, &e->row[i]);
			at = sluice_index_place(&e->row[i]);
			if (e->row[i].utc_ns > begin)
				e->out->per_mille = (unsigned int)((e->row[i].utc_ns - begin) *
								   1000 / (to - begin));
		}
	} while (!err && e->rows == PAGE);
	return !err && !e->out->frames ? -ENOENT : err;
}

static int add_media(struct export *e)
{
	struct sluice_media *m = e->shelf->media;
	uint8_t *data;
	size_t i, size;
	int err;

	err = add_file(e, e->out->complete ? "summary.json" : "event.json", e->summary,
		       strlen(e->summary));
	for (i = 0; i < e->media_count && !err; i++) {
		err = m->ops->get(m, &e->camera, e->place, e->media[i].name, FILE_MAX, &data,
				  &size);
		if (is_lost(err)) {
			err = 0;
			continue; /* fsck tells */
		}
		if (err)
			break;
		err = add_file(e, e->media[i].name, data, size);
		free(data);
	}
	return err;
}

/* ---- the manifest ---- */

/* Malloc'd, or NULL. */
static char *make_manifest(struct export *e)
{
	char start[32], end[32];
	json_t *o;
	char *text;

	sluice_rfc3339(e->start_ns, start);
	sluice_rfc3339(e->end_ns, end);
	o = json_pack("{s:i,s:s,s:b,s:{s:s,s:s,s:s,s:s},s:s,s:s,s:I,s:I,s:O,s:O}", "version", 1,
		      "event", e->id, "complete", e->out->complete, "camera", "id", e->camera.hex,
		      "name", e->camera.name, "device", e->camera.device, "tenant",
		      e->camera.tenant, "start", start, "end", end, "frames_exported",
		      (json_int_t)e->out->frames, "frames_missing", (json_int_t)e->out->missing,
		      "files", e->files, "frames", e->frames);
	text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	return text;
}

/* A certificate beside the manifest, so that whoever has the archive has all to check it. */
static int zip_certificate(struct export *e, const char *file, const char *name)
{
	char path[4096], text[16384];
	size_t n;
	FILE *f;
	int err;

	snprintf(path, sizeof(path), "%s/%s", e->shelf->data, file);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fread(text, 1, sizeof(text), f);
	err = ferror(f) ? -EIO : 0;
	fclose(f);
	return err ? err : sluice_zip_file(e->zip, name, e->start_ns, text, n);
}

static int finish_zip(struct export *e)
{
	char *manifest = make_manifest(e);
	uint8_t *signature = NULL;
	size_t size;
	int err = manifest ? sluice_sign(e->shelf->data, manifest, strlen(manifest), &signature,
					 &size)
			   : -ENOMEM;

	if (!err)
		err = sluice_zip_file(e->zip, "manifest.json", e->start_ns, manifest,
				      strlen(manifest));
	if (!err)
		err = sluice_zip_file(e->zip, "manifest.sig", e->start_ns, signature, size);
	if (!err)
		err = zip_certificate(e, "server.crt", "signer.crt");
	if (!err)
		err = zip_certificate(e, "ca.crt", "ca.crt");
	if (!err) {
		err = sluice_zip_close(e->zip, 1);
		e->zip = NULL;
	}
	free(signature);
	free(manifest);
	return err;
}

/* SHA-256 of what is in the file. */
static int hash_file(int fd, char hex[65], uint64_t *size)
{
	uint8_t buf[65536], digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int err = ctx && EVP_DigestInit(ctx, EVP_sha256()) == 1 ? 0 : -ENOMEM;
	ssize_t n = 1;

	*size = 0;
	while (!err && n > 0) {
		n = pread(fd, buf, sizeof(buf), (off_t)*size);
		if (n < 0)
			err = -errno;
		else if (n && EVP_DigestUpdate(ctx, buf, (size_t)n) != 1)
			err = -ENOMEM;
		else
			*size += (uint64_t)n;
	}
	if (!err && EVP_DigestFinal(ctx, digest, NULL) != 1)
		err = -ENOMEM;
	EVP_MD_CTX_free(ctx);
	if (!err)
		sluice_hex(digest, SHA256_DIGEST_LENGTH, hex);
	return err;
}

/* The file holds the text alone. */
static int replace_file(int fd, const void *text, size_t size)
{
	if (ftruncate(fd, 0) < 0)
		return -errno;
	return pwrite(fd, text, size, 0) == (ssize_t)size ? 0 : -EIO;
}

/* Of the MP4 that has just been made: it goes, its manifest or the signature takes its place. */
static int finish_manifest(struct export *e)
{
	uint8_t *signature = NULL;
	char *manifest, hex[65];
	uint64_t bytes;
	size_t size;
	int err = hash_file(e->fd, hex, &bytes);

	if (!err &&
	    json_array_append_new(e->files, json_pack("{s:s,s:I,s:s}", "name", "event.mp4", "size",
						      (json_int_t)bytes, "sha256", hex)))
		err = -ENOMEM;
	if (err)
		return err;
	manifest = make_manifest(e);
	if (!manifest)
		return -ENOMEM;
	if (e->format == SLUICE_EXPORT_MANIFEST) {
		err = replace_file(e->fd, manifest, strlen(manifest));
	} else {
		err = sluice_sign(e->shelf->data, manifest, strlen(manifest), &signature, &size);
		if (!err)
			err = replace_file(e->fd, signature, size);
	}
	free(signature);
	free(manifest);
	return err;
}

/* ---- */

static int write_all(struct export *e)
{
	int err = 0;

	if (e->format == SLUICE_EXPORT_ZIP)
		err = sluice_zip_open(e->fd, &e->zip);
	if (!err)
		err = add_frames(e);
	if (e->zip) {
		if (!err)
			err = add_media(e);
		return err ? err : finish_zip(e);
	}
	if (!err)
		err = sluice_mp4_close(e->mp4, 1);
	else
		sluice_mp4_close(e->mp4, 0);
	e->mp4 = NULL;
	return err || e->format == SLUICE_EXPORT_MP4 ? err : finish_manifest(e);
}

int sluice_export(const struct sluice_shelf *s, const struct sluice_whose *who, const char *id,
		  enum sluice_export_format format, int fd, int (*stopping)(void *ctx), void *ctx,
		  struct sluice_exported *out)
{
	struct export *e = calloc(1, sizeof(*e));
	int err;

	memset(out, 0, sizeof(*out));
	if (!e)
		return -ENOMEM;
	e->shelf = s;
	e->who = who;
	e->format = format;
	e->fd = fd;
	e->stopping = stopping;
	e->ctx = ctx;
	e->out = out;
	e->frames = json_array();
	e->files = json_array();
	err = e->frames && e->files ? find_event(e, id) : -ENOMEM;
	if (!err)
		err = write_all(e);
	sluice_zip_close(e->zip, 0);
	json_decref(e->frames);
	json_decref(e->files);
	free(e->summary);
	free(e);
	return err;
}
