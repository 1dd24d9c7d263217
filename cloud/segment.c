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
 * Sealed: a record is encrypted into a buffer of the segment's and written from there. Its counter
 * is used up even if the record is taken back, or two texts would share a nonce.
 *
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
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "cloud/segment_state.h"
#include "lib/crc32c.h"

struct sluice_segment {
	int fd; /* -1: in memory */
	uint8_t *memory;
	size_t memory_room;
	uint64_t size;
	int dead;
	int named; /* the directory entry is durable */
	char *path;
	/* of a sealed one */
	int sealed;
	uint8_t key[32];
	uint32_t counter; /* of the last record that was sealed, kept or not */
	uint8_t *buf;
	size_t room;
};

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

static void encode_header(const struct sluice_segment_info *info, uint32_t version,
			  struct sluice_segment_header *h)
{
	memset(h, 0, sizeof(*h));
	h->magic = htole64(SLUICE_SEGMENT_MAGIC);
	h->version = htole32(version);
	memcpy(h->camera, info->camera, sizeof(h->camera));
	h->created_ns = htole64(info->created_ns);
	h->epoch = htole64(info->epoch);
	h->sequence = htole64(info->sequence);
	h->header_crc = htole32(sluice_crc32c(0, h, sizeof(*h)));
}

/*
 * Locked while it may grow, so that the recovery of another process on the same directory leaves it
 * alone (recover.c). One that came between making and locking has taken the empty file away.
 */
static int hold_file(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (fstat(fd, &st))
		return -errno;
	return st.st_nlink ? 0 : -EAGAIN;
}

/* Writes all of it at offset, or fails. */
static int write_file(int fd, struct iovec *iov, int count, uint64_t offset)
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

static int write_memory(struct sluice_segment *s, const struct iovec *iov, int count)
{
	size_t size = s->size, room = s->memory_room ? s->memory_room : 65536;
	uint8_t *bigger;
	int i;

	for (i = 0; i < count; i++)
		size += iov[i].iov_len;
	while (room < size)
		room *= 2;
	if (room > s->memory_room) {
		bigger = realloc(s->memory, room);
		if (!bigger)
			return -ENOMEM;
		s->memory = bigger;
		s->memory_room = room;
	}
	for (size = s->size, i = 0; i < count; size += iov[i++].iov_len)
		if (iov[i].iov_len)
			memcpy(s->memory + size, iov[i].iov_base, iov[i].iov_len);
	return 0;
}

/* Behind what is there. */
static int write_all(struct sluice_segment *s, struct iovec *iov, int count)
{
	return s->fd < 0 ? write_memory(s, iov, count) : write_file(s->fd, iov, count, s->size);
}

/* path NULL: in memory. */
static int begin(const char *path, const struct sluice_segment_info *info,
		 const struct sluice_keyring *keys, struct sluice_segment **out)
{
	struct sluice_segment_header h;
	struct sluice_lock lock[2] = { 0 };
	struct iovec iov[] = { { &h, sizeof(h) }, { lock, sizeof(lock) } };
	struct sluice_segment *s;
	int err = 0;

	*out = NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->sealed = keys && keys->count;
	encode_header(info, s->sealed ? SLUICE_SEGMENT_SEALED : SLUICE_SEGMENT_VERSION, &h);
	if (s->sealed)
		err = sluice_seal_new(keys, &h, sizeof(h), s->key, &lock[0]);
	if (err)
		goto err_free;
	if (path) {
		s->path = strdup(path);
		s->fd = s->path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
		if (s->fd < 0) {
			err = s->path ? -errno : -ENOMEM;
			goto err_free;
		}
	}
	if (path)
		err = hold_file(s->fd);
	if (!err)
		err = write_all(s, iov, s->sealed ? 2 : 1);
	if (err) {
		if (path)
			unlink(path);
		goto err_free;
	}
	s->size = segment_begin(s->sealed);
	*out = s;
	return 0;

err_free:
	sluice_segment_close(s);
	return err;
}

int sluice_segment_create(const char *path, const struct sluice_segment_info *info,
			  const struct sluice_keyring *keys, struct sluice_segment **out)
{
	return begin(path, info, keys, out);
}

int sluice_segment_begin(const struct sluice_segment_info *info, const struct sluice_keyring *keys,
			 struct sluice_segment **out)
{
	return begin(NULL, info, keys, out);
}

const uint8_t *sluice_segment_bytes(const struct sluice_segment *s)
{
	return s->memory;
}

/* All but the CRCs. */
static void encode_record(const struct sluice_segment_frame *f, uint32_t length,
			  struct sluice_record *r)
{
	memset(r, 0, sizeof(*r));
	r->magic = htole32(SLUICE_RECORD_MAGIC);
	r->length = htole32(length);
	r->cells_size = htole32(f->cells_size);
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
}

/* Cells and JPEG become one piece of ciphertext with its tag, in s->buf. iov: room for five. */
static int seal_payload(struct sluice_segment *s, const struct sluice_segment_frame *f,
			struct sluice_record *r, struct iovec *iov)
{
	static const uint8_t zeros[8];
	const size_t cells = pad8(f->cells_size), size = cells + f->jpeg_size + SLUICE_SEAL_TAG;
	const struct sluice_seal_part part[] = { { f->cells, f->cells_size },
						 { zeros, cells - f->cells_size },
						 { f->jpeg, f->jpeg_size } };
	int err;

	if (size > s->room) {
		uint8_t *bigger = realloc(s->buf, size);

		if (!bigger)
			return -ENOMEM;
		s->buf = bigger;
		s->room = size;
	}
	if (s->counter == UINT32_MAX)
		return -EOVERFLOW; /* never: a segment is full long before */
	r->counter = htole32(++s->counter);
	err = sluice_seal_bytes(s->key, s->counter, r, sizeof(*r), part, 3, s->buf);
	iov[1] = (struct iovec){ s->buf, size };
	iov[2].iov_len = iov[3].iov_len = 0;
	return err;
}

int sluice_segment_append(struct sluice_segment *s, const struct sluice_segment_frame *f,
			  uint64_t *offset, uint32_t *length)
{
	static uint8_t zeros[8];
	const size_t cells = pad8(f->cells_size);
	const size_t payload = cells + f->jpeg_size + (s->sealed ? SLUICE_SEAL_TAG : 0);
	struct sluice_record r;
	struct iovec iov[] = {
		{ &r, sizeof(r) },
		{ (void *)f->cells, f->cells_size },
		{ zeros, cells - f->cells_size },
		{ (void *)f->jpeg, f->jpeg_size },
		{ zeros, pad8(payload) - payload },
	};
	uint32_t crc = 0;
	int i, err = 0;

	if (s->dead)
		return -EIO;
	if (f->cells_size > SLUICE_RECORD_PAYLOAD_MAX || f->jpeg_size > SLUICE_RECORD_PAYLOAD_MAX ||
	    payload > SLUICE_RECORD_PAYLOAD_MAX)
		return -EINVAL;
	encode_record(f, (uint32_t)payload, &r);
	if (s->sealed)
		err = seal_payload(s, f, &r, iov);
	if (err)
		return err;
	for (i = 1; i < 4; i++)
		crc = sluice_crc32c(crc, iov[i].iov_base, iov[i].iov_len);
	r.payload_crc = htole32(crc);
	r.header_crc = htole32(sluice_crc32c(0, &r, offsetof(struct sluice_record, header_crc)));
	err = write_all(s, iov, 5);
	if (err) {
		if (s->fd >= 0 && ftruncate(s->fd, (off_t)s->size) < 0)
			s->dead = 1;
		return err;
	}
	*offset = s->size;
	*length = (uint32_t)(sizeof(r) + pad8(payload));
	s->size += *length;
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
	if (s->fd >= 0 && ftruncate(s->fd, (off_t)size) < 0)
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
	if (s->fd >= 0)
		close(s->fd);
	OPENSSL_cleanse(s->key, sizeof(s->key));
	free(s->buf);
	free(s->memory);
	free(s->path);
	free(s);
}
