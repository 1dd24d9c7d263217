// SPDX-License-Identifier: MIT
/*
 * segment.c - append-only files of stored frames.
 *
 * One writer thread appends records and syncs them in groups; only after the sync is a frame told
 * to be STORED. Readers open the file anew and verify both CRCs of what they read.
 *
 * write fails (disk full): the file is cut back to the record before, the caller keeps the frame.
 * The cut fails too, or fdatasync fails: what the disk holds is unknown, the segment is dead and
 * the writer begins another; frames in it that were not acknowledged come again from the device.
 * Crash: the tail may hold half a record. The scan ends at the first record whose CRCs do not
 * match, and the file is cut there (ingest.c, unless the index knows records behind it: then the
 * damage is rot, not a crash, and nothing is cut).
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cloud/segment.h"
#include "lib/crc32c.h"

struct sluice_segment {
	int fd;
	uint64_t size;
	int dead;
	int named; /* the directory entry is durable */
	char *path;
};

static size_t pad8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static int sync_parent(const char *path)
{
	char *copy = strdup(path);
	int fd, err = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	free(copy);
	return err;
}

static void encode_header(const struct sluice_segment_info *info, struct sluice_segment_header *h)
{
	memset(h, 0, sizeof(*h));
	h->magic = htole64(SLUICE_SEGMENT_MAGIC);
	h->version = htole32(SLUICE_SEGMENT_VERSION);
	memcpy(h->camera, info->camera, sizeof(h->camera));
	h->created_ns = htole64(info->created_ns);
	h->epoch = htole64(info->epoch);
	h->sequence = htole64(info->sequence);
	h->header_crc = htole32(sluice_crc32c(0, h, sizeof(*h)));
}

int sluice_segment_decode(const uint8_t buf[64], struct sluice_segment_info *info)
{
	struct sluice_segment_header h;
	uint32_t crc;

	memcpy(&h, buf, sizeof(h));
	crc = le32toh(h.header_crc);
	h.header_crc = 0;
	if (le64toh(h.magic) != SLUICE_SEGMENT_MAGIC || sluice_crc32c(0, &h, sizeof(h)) != crc)
		return -EBADMSG;
	if (le32toh(h.version) != SLUICE_SEGMENT_VERSION)
		return -EPROTONOSUPPORT;
	memcpy(info->camera, h.camera, sizeof(info->camera));
	info->created_ns = le64toh(h.created_ns);
	info->epoch = le64toh(h.epoch);
	info->sequence = le64toh(h.sequence);
	return 0;
}

/* Writes all of it at offset, or fails. */
static int write_all(int fd, struct iovec *iov, int count, uint64_t offset)
{
	while (count) {
		ssize_t n = pwritev(fd, iov, count, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		offset += (uint64_t)n;
		while (count && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* Bytes read, fewer only at the end of the file. */
static ssize_t read_all(int fd, void *buf, size_t size, uint64_t offset)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = pread(fd, (char *)buf + got, size - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int sluice_segment_create(const char *path, const struct sluice_segment_info *info,
			  struct sluice_segment **out)
{
	struct sluice_segment_header h;
	struct iovec iov = { &h, sizeof(h) };
	struct sluice_segment *s;
	int err;

	*out = NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->path = strdup(path);
	s->fd = s->path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (s->fd < 0) {
		err = s->path ? -errno : -ENOMEM;
		goto err_free;
	}
	encode_header(info, &h);
	err = write_all(s->fd, &iov, 1, 0);
	if (err)
		goto err_unlink;
	s->size = sizeof(h);
	*out = s;
	return 0;

err_unlink:
	unlink(path);
	close(s->fd);
err_free:
	free(s->path);
	free(s);
	return err;
}

static void encode_record(const struct sluice_segment_frame *f, struct sluice_record *r)
{
	static const uint8_t zeros[8];
	size_t cells = pad8(f->cells_size);
	uint32_t crc;

	memset(r, 0, sizeof(*r));
	crc = sluice_crc32c(0, f->cells, f->cells_size);
	crc = sluice_crc32c(crc, zeros, cells - f->cells_size);
	crc = sluice_crc32c(crc, f->jpeg, f->jpeg_size);
	r->magic = htole32(SLUICE_RECORD_MAGIC);
	r->length = htole32((uint32_t)(cells + f->jpeg_size));
	r->cells_size = htole32(f->cells_size);
	r->payload_crc = htole32(crc);
	r->epoch = htole64(f->epoch);
	r->sequence = htole64(f->sequence);
	r->time_ns = htole64(f->time_ns);
	r->utc_ns = htole64(f->utc_ns);
	r->width = htole16(f->width);
	r->height = htole16(f->height);
	r->grid_w = htole16(f->grid_w);
	r->grid_h = htole16(f->grid_h);
	r->reason = htole16(f->reason);
	r->flags = htole16(f->flags);
	r->score = htole32(f->score);
	r->event = htole32(f->event);
	r->settings = htole32(f->settings);
	r->header_crc = htole32(sluice_crc32c(0, r, offsetof(struct sluice_record, header_crc)));
}

int sluice_segment_append(struct sluice_segment *s, const struct sluice_segment_frame *f,
			  uint64_t *offset, uint32_t *length)
{
	static uint8_t zeros[8];
	size_t cells = pad8(f->cells_size);
	size_t whole = sizeof(struct sluice_record) + cells + pad8(f->jpeg_size);
	struct sluice_record r;
	struct iovec iov[] = {
		{ &r, sizeof(r) },
		{ (void *)f->cells, f->cells_size },
		{ zeros, cells - f->cells_size },
		{ (void *)f->jpeg, f->jpeg_size },
		{ zeros, pad8(f->jpeg_size) - f->jpeg_size },
	};
	int err;

	if (s->dead)
		return -EIO;
	if (f->cells_size > SLUICE_RECORD_PAYLOAD_MAX || f->jpeg_size > SLUICE_RECORD_PAYLOAD_MAX ||
	    cells + f->jpeg_size > SLUICE_RECORD_PAYLOAD_MAX)
		return -EINVAL;
	encode_record(f, &r);
	err = write_all(s->fd, iov, 5, s->size);
	if (err) {
		if (ftruncate(s->fd, (off_t)s->size) < 0)
			s->dead = 1;
		return err;
	}
	*offset = s->size;
	*length = (uint32_t)whole;
	s->size += whole;
	return 0;
}

int sluice_segment_sync(struct sluice_segment *s)
{
	int err = 0;

	if (s->dead)
		return -EIO;
	if (fdatasync(s->fd) < 0)
		err = -errno;
	else if (!s->named)
		err = sync_parent(s->path);
	return sluice_segment_synced(s, err);
}

int sluice_segment_fd(const struct sluice_segment *s)
{
	return s->dead ? -1 : s->fd;
}

int sluice_segment_synced(struct sluice_segment *s, int err)
{
	if (err)
		s->dead = 1;
	else
		s->named = 1;
	return err;
}

void sluice_segment_rewind(struct sluice_segment *s, uint64_t size)
{
	if (s->dead || size >= s->size)
		return;
	if (ftruncate(s->fd, (off_t)size) < 0)
		s->dead = 1;
	s->size = size;
}

uint64_t sluice_segment_size(const struct sluice_segment *s)
{
	return s->size;
}

void sluice_segment_close(struct sluice_segment *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s->path);
	free(s);
}

/* Checks a record's header; returns the length of its payload without padding, or -EBADMSG. */
static long check_record(const struct sluice_record *r)
{
	uint32_t length = le32toh(r->length), cells = le32toh(r->cells_size);

	if (le32toh(r->magic) != SLUICE_RECORD_MAGIC ||
	    sluice_crc32c(0, r, offsetof(struct sluice_record, header_crc)) !=
		    le32toh(r->header_crc) ||
	    r->reserved || length > SLUICE_RECORD_PAYLOAD_MAX || cells > length ||
	    pad8(cells) > length)
		return -EBADMSG;
	return (long)length;
}

long sluice_record_decode(const uint8_t *buf, size_t size, struct sluice_segment_frame *f)
{
	struct sluice_record r;
	const uint8_t *payload = buf + sizeof(r);
	size_t cells, whole, i;
	long length;

	if (size < sizeof(r))
		return 0;
	memcpy(&r, buf, sizeof(r));
	length = check_record(&r);
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
	cells = le32toh(r.cells_size);
	*f = (struct sluice_segment_frame){
		.epoch = le64toh(r.epoch),
		.sequence = le64toh(r.sequence),
		.time_ns = le64toh(r.time_ns),
		.utc_ns = le64toh(r.utc_ns),
		.width = le16toh(r.width),
		.height = le16toh(r.height),
		.grid_w = le16toh(r.grid_w),
		.grid_h = le16toh(r.grid_h),
		.reason = le16toh(r.reason),
		.flags = le16toh(r.flags),
		.score = le32toh(r.score),
		.event = le32toh(r.event),
		.settings = le32toh(r.settings),
		.cells = cells ? payload : NULL,
		.cells_size = (uint32_t)cells,
		.jpeg = payload + pad8(cells),
		.jpeg_size = (uint32_t)((size_t)length - pad8(cells)),
	};
	return (long)whole;
}

/*
 * Reads the record at offset of a file of size bytes into *buf, which grows as needed. Returns as
 * sluice_record_decode(), 0 meaning that the file ends within it, or the errno of read.
 */
static long load_record(int fd, uint64_t offset, uint64_t size, uint8_t **buf, size_t *room,
			struct sluice_segment_frame *f)
{
	struct sluice_record r;
	size_t whole;
	ssize_t got = read_all(fd, &r, sizeof(r), offset);
	long length;

	if (got < (ssize_t)sizeof(r))
		return got < 0 ? got : 0;
	length = check_record(&r);
	if (length < 0)
		return length;
	whole = sizeof(r) + pad8((size_t)length);
	if (offset + whole > size)
		return 0;
	if (whole > *room) {
		uint8_t *bigger = realloc(*buf, whole);

		if (!bigger)
			return -ENOMEM;
		*buf = bigger;
		*room = whole;
	}
	got = read_all(fd, *buf, whole, offset);
	if (got < 0)
		return got;
	return sluice_record_decode(*buf, (size_t)got, f);
}

int sluice_segment_scan(const char *path, struct sluice_segment_info *info, sluice_segment_fn fn,
			void *ctx, uint64_t *good_end, uint64_t *size)
{
	uint8_t header[sizeof(struct sluice_segment_header)];
	struct sluice_segment_frame f;
	uint8_t *buf = NULL;
	size_t room = 0;
	struct stat st;
	long n;
	int fd, err = 0;

	*good_end = *size = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto out;
	}
	*size = (uint64_t)st.st_size;
	n = read_all(fd, header, sizeof(header), 0);
	if (n < (long)sizeof(header))
		err = n < 0 ? (int)n : -EBADMSG;
	else
		err = sluice_segment_decode(header, info);
	if (err)
		goto out;
	*good_end = sizeof(header);
	while (*good_end < *size) {
		n = load_record(fd, *good_end, *size, &buf, &room, &f);
		if (n == 0 || n == -EBADMSG)
			break; /* the bad tail */
		err = n < 0 ? (int)n : fn ? fn(ctx, &f, *good_end, (uint32_t)n) : 0;
		if (err)
			break;
		*good_end += (uint64_t)n;
	}
out:
	free(buf);
	close(fd);
	return err;
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

int sluice_segment_read(const char *path, uint64_t offset, uint32_t length,
			struct sluice_segment_frame *f, uint8_t **buf)
{
	size_t room = 0;
	long n;
	int fd;

	*buf = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = load_record(fd, offset, offset + length, buf, &room, f);
	close(fd);
	if (n > 0)
		return 0;
	free(*buf);
	*buf = NULL;
	return n == 0 ? -EBADMSG : (int)n;
}
