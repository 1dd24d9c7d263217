// SPDX-License-Identifier: MIT
/*
 * segment_read.c - segments read back; every reader opens the file anew and believes nothing that
 * its CRCs, and the tag of what is sealed, do not vouch for.
 *
 * A sealed segment can be walked without its key: what a record is of, and whether it is whole,
 * does not depend on it. So the index can be made again, and a torn tail be cut, by somebody who
 * cannot see a picture.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "cloud/segment_state.h"
#include "lib/crc32c.h"
#include "lib/whole.h"

int sluice_segment_decode(const uint8_t buf[64], struct sluice_segment_info *info)
{
	struct sluice_segment_header h;
	uint32_t crc;

	memcpy(&h, buf, sizeof(h));
	crc = le32toh(h.header_crc);
	h.header_crc = 0;
	if (le64toh(h.magic) != SLUICE_SEGMENT_MAGIC || sluice_crc32c(0, &h, sizeof(h)) != crc)
		return -EBADMSG;
	if (le32toh(h.version) != SLUICE_SEGMENT_VERSION &&
	    le32toh(h.version) != SLUICE_SEGMENT_SEALED)
		return -EPROTONOSUPPORT;
	info->sealed = le32toh(h.version) == SLUICE_SEGMENT_SEALED;
	memcpy(info->camera, h.camera, sizeof(info->camera));
	info->created_ns = le64toh(h.created_ns);
	info->epoch = le64toh(h.epoch);
	info->sequence = le64toh(h.sequence);
	return 0;
}

/* Where the bytes come from: a depot's file, or (depot NULL) a file, or memory. */
struct reader {
	struct sluice_depot *depot;
	struct sluice_depot_file file;
	const uint8_t *memory;
	uint64_t size; /* of the file, or where the record must end */
	struct sluice_record_key key;
	uint8_t *buf;
	size_t room;
};

/* Bytes read, fewer only at the end of the file. */
static ssize_t read_all(struct reader *r, void *buf, size_t size, uint64_t offset)
{
	const int fd = r->file.fd;
	size_t got = 0;

	if (r->memory) {
		got = offset < r->size ? (size_t)(r->size - offset) : 0;
		got = got < size ? got : size;
		memcpy(buf, r->memory + offset, got);
		return (ssize_t)got;
	}
	if (r->depot)
		return r->depot->ops->read(r->depot, &r->file, buf, size, offset);
	return sluice_pread_whole(fd, buf, size, offset);
}

/* Checks a record's header; returns the length of its payload without padding, or -EBADMSG. */
static long check_record(const struct sluice_record *r, int sealed)
{
	uint32_t length = le32toh(r->length), cells = le32toh(r->cells_size);
	const size_t tag = sealed ? SLUICE_SEAL_TAG : 0;

	if (le32toh(r->magic) != SLUICE_RECORD_MAGIC ||
	    sluice_crc32c(0, r, offsetof(struct sluice_record, header_crc)) !=
		    le32toh(r->header_crc) ||
	    !sealed != !r->counter || length > SLUICE_RECORD_PAYLOAD_MAX || cells > length ||
	    pad8(cells) + tag > length)
		return -EBADMSG;
	return (long)length;
}

/* Behind the record's CRCs: what it holds. payload is NULL where it stays sealed. */
static void fill_frame(const struct sluice_record *r, const uint8_t *payload, size_t length,
		       struct sluice_segment_frame *f)
{
	size_t cells = le32toh(r->cells_size);

	*f = (struct sluice_segment_frame){
		.epoch = le64toh(r->epoch),
		.sequence = le64toh(r->sequence),
		.time_ns = le64toh(r->time_ns),
		.utc_ns = le64toh(r->utc_ns),
		.width = le16toh(r->width),
		.height = le16toh(r->height),
		.grid_w = le16toh(r->grid_w),
		.grid_h = le16toh(r->grid_h),
		.reason = le16toh(r->reason),
		.flags = le16toh(r->flags),
		.score = le32toh(r->score),
		.event = le32toh(r->event),
		.settings = le32toh(r->settings),
	};
	if (!payload)
		return;
	f->cells = cells ? payload : NULL;
	f->cells_size = (uint32_t)cells;
	f->jpeg = payload + pad8(cells);
	f->jpeg_size = (uint32_t)(length - pad8(cells));
}

/* The header with both CRCs zero is what the tag covers beside the payload. */
static int open_payload(const struct sluice_record *r, const uint8_t key[32], uint8_t *payload,
			size_t size)
{
	struct sluice_record aad = *r;

	aad.payload_crc = aad.header_crc = 0;
	return sluice_seal_open(key, le32toh(r->counter), &aad, sizeof(aad), payload, size);
}

long sluice_record_decode(uint8_t *buf, size_t size, const struct sluice_record_key *k,
			  struct sluice_segment_frame *f)
{
	struct sluice_record r;
	uint8_t *payload = buf + sizeof(r);
	size_t whole, i, left;
	long length;
	int err;

	if (size < sizeof(r))
		return 0;
	memcpy(&r, buf, sizeof(r));
	length = check_record(&r, k->sealed);
	if (length < 0)
		return length;
	whole = sizeof(r) + pad8((size_t)length);
	if (size < whole)
		return 0;
	if (sluice_crc32c(0, payload, (size_t)length) != le32toh(r.payload_crc))
		return -EBADMSG;
	for (i = sizeof(r) + (size_t)length; i < whole; i++)
		if (buf[i])
			return -EBADMSG;
	left = (size_t)length - (k->sealed ? SLUICE_SEAL_TAG : 0);
	err = k->sealed && k->known ? open_payload(&r, k->key, payload, (size_t)length) : 0;
	if (err)
		return err;
	fill_frame(&r, k->sealed && !k->known ? NULL : payload, left, f);
	return (long)whole;
}

/*
 * Reads the record at offset into r->buf, which grows as needed. Returns as sluice_record_decode(),
 * 0 meaning that the file ends within it, or the errno of read.
 */
static long load_record(struct reader *r, uint64_t offset, struct sluice_segment_frame *f)
{
	struct sluice_record head;
	size_t whole;
	ssize_t got = read_all(r, &head, sizeof(head), offset);
	long length;

	if (got < (ssize_t)sizeof(head))
		return got < 0 ? got : 0;
	length = check_record(&head, r->key.sealed);
	if (length < 0)
		return length;
	whole = sizeof(head) + pad8((size_t)length);
	if (offset + whole > r->size)
		return 0;
	if (whole > r->room) {
		uint8_t *bigger = realloc(r->buf, whole);

		if (!bigger)
			return -ENOMEM;
		r->buf = bigger;
		r->room = whole;
	}
	got = read_all(r, r->buf, whole, offset);
	if (got < 0)
		return got;
	return sluice_record_decode(r->buf, (size_t)got, &r->key, f);
}

/*
 * Header and, of a sealed segment, its key. keys NULL: what is sealed stays so. 0, or -EBADMSG,
 * -EPROTONOSUPPORT, -ENOKEY, or the errno of read.
 */
static int read_header(struct reader *r, const struct sluice_keyring *keys,
		       struct sluice_segment_info *info)
{
	struct {
		uint8_t header[sizeof(struct sluice_segment_header)];
		struct sluice_lock lock[2];
	} h = { 0 };
	ssize_t n = read_all(r, &h, sizeof(h), 0);
	int err;

	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(h.header))
		return -EBADMSG;
	err = sluice_segment_decode(h.header, info);
	if (err)
		return err;
	r->key.sealed = info->sealed;
	if (info->sealed && n < (ssize_t)sizeof(h))
		return -EBADMSG;
	if (!info->sealed || !keys)
		return 0;
	err = sluice_seal_unwrap(keys, h.header, sizeof(h.header), h.lock, r->key.key);
	r->key.known = !err;
	return err;
}

static int begin_reader(struct reader *r, struct sluice_depot *d, const char *path)
{
	r->depot = d;
	r->file = (struct sluice_depot_file){ path, -1 };
	if (d)
		return d->ops->open(d, path, &r->file);
	r->file.fd = open(path, O_RDONLY | O_CLOEXEC);
	return r->file.fd < 0 ? -errno : 0;
}

static void end_reader(struct reader *r)
{
	OPENSSL_cleanse(&r->key, sizeof(r->key));
	if (r->memory)
		free((uint8_t *)r->memory);
	else if (r->depot)
		r->depot->ops->shut(r->depot, &r->file);
	else
		close(r->file.fd);
}

/* What is put whole is loaded. Sets r->size. */
static int begin_scan(struct reader *r, struct sluice_depot *d, const char *path)
{
	struct stat st;
	uint8_t *bytes;
	size_t size;
	int err;

	if (d && d->whole) {
		err = d->ops->load(d, path, &bytes, &size);
		if (err)
			return err;
		r->memory = bytes;
		r->size = size;
		return 0;
	}
	err = begin_reader(r, d, path);
	if (err)
		return err;
	if (fstat(r->file.fd, &st) < 0) {
		err = -errno;
		end_reader(r);
		return err;
	}
	r->size = (uint64_t)st.st_size;
	return 0;
}

int sluice_segment_scan_in(struct sluice_depot *d, const char *path,
			   const struct sluice_keyring *keys, struct sluice_segment_info *info,
			   sluice_segment_fn fn, void *ctx, uint64_t *good_end, uint64_t *size)
{
	struct sluice_segment_frame f;
	struct reader r = { 0 };
	int err;
	long n;

	*good_end = *size = 0;
	err = begin_scan(&r, d, path);
	if (err)
		return err;
	*size = r.size;
	err = read_header(&r, keys, info);
	if (err)
		goto out;
	*good_end = segment_begin(info->sealed);
	while (*good_end < *size) {
		n = load_record(&r, *good_end, &f);
		if (n == 0 || n == -EBADMSG)
			break; /* the bad tail */
		err = n < 0 ? (int)n : fn ? fn(ctx, &f, *good_end, (uint32_t)n) : 0;
		if (err)
			break;
		*good_end += (uint64_t)n;
	}
out:
	free(r.buf);
	end_reader(&r);
	return err;
}

int sluice_segment_scan(const char *path, const struct sluice_keyring *keys,
			struct sluice_segment_info *info, sluice_segment_fn fn, void *ctx,
			uint64_t *good_end, uint64_t *size)
{
	return sluice_segment_scan_in(NULL, path, keys, info, fn, ctx, good_end, size);
}

int sluice_segment_truncate(const char *path, uint64_t good_end)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)good_end) < 0 || fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int read_once(struct sluice_depot *d, const char *path, const struct sluice_keyring *keys,
		     uint64_t offset, uint32_t length, struct sluice_segment_frame *f,
		     uint8_t **buf)
{
	static const struct sluice_keyring none;
	struct reader r = { .size = offset + length };
	struct sluice_segment_info info;
	long n;

	*buf = NULL;
	n = begin_reader(&r, d, path);
	if (n)
		return (int)n;
	n = read_header(&r, keys ? keys : &none, &info);
	if (!n)
		n = load_record(&r, offset, f);
	end_reader(&r);
	if (n > 0) {
		*buf = r.buf;
		return 0;
	}
	free(r.buf);
	return n == 0 ? -EBADMSG : (int)n;
}

int sluice_segment_read_in(struct sluice_depot *d, const char *path,
			   const struct sluice_keyring *keys, uint64_t offset, uint32_t length,
			   struct sluice_segment_frame *f, uint8_t **buf)
{
	int err = read_once(d, path, keys, offset, length, f, buf);

	/* a part of an object comes without a hash: it may be the way that has changed it */
	if (err == -EBADMSG && d && d->ops->doubt(d, path))
		err = read_once(d, path, keys, offset, length, f, buf);
	return err;
}

int sluice_segment_read(const char *path, const struct sluice_keyring *keys, uint64_t offset,
			uint32_t length, struct sluice_segment_frame *f, uint8_t **buf)
{
	return sluice_segment_read_in(NULL, path, keys, offset, length, f, buf);
}
