// SPDX-License-Identifier: MIT
/*
 * export_zip.c - files in a ZIP, as they are: JPEGs do not get smaller. The format is APPNOTE.TXT
 * 6.3 (PKWARE), method 0, without ZIP64: what would need it is -EFBIG, far above the bounds of
 * export.h. Each file is a header, its name and its bytes; the directory of all of them, kept in
 * memory until then, is the end. Times are UTC, to the second in the field that unzip, 7-Zip and
 * Python's tools read ("UT"), so the same files give the same bytes everywhere.
 *
 * This is written here and not taken from libarchive since that ends the process where it finds no
 * memory, and the process is the server.
 */
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "cloud/export.h"
#include "lib/whole.h"

#define LOCAL_SIG     0x04034b50u
#define CENTRAL_SIG   0x02014b50u
#define END_SIG	      0x06054b50u
#define VERSION	      20		  /* 2.0: needed to read it */
#define MADE_BY	      (3u << 8 | VERSION) /* Unix: the mode below is one */
#define MODE	      (0100644u << 16)
#define TIME_FIELD    0x5455u
#define FILES_MAX     0xfffeu
#define DIRECTORY_MIN 65536u

/* What both headers of a file say of it. Little-endian, as all of these. */
struct about {
	uint16_t version, flags, method, time, date;
	uint32_t crc, stored, size;
	uint16_t name_size, extra_size;
} __attribute__((packed));

struct local_header {
	uint32_t sig;
	struct about about;
} __attribute__((packed));

struct central_header {
	uint32_t sig;
	uint16_t made_by;
	struct about about;
	uint16_t comment_size, disk, internal;
	uint32_t external, offset;
} __attribute__((packed));

struct time_field {
	uint16_t id, size;
	uint8_t flags; /* 1: the time of modification */
	uint32_t mtime;
} __attribute__((packed));

struct end_header {
	uint32_t sig;
	uint16_t disk, first_disk, here, files;
	uint32_t size, offset;
	uint16_t comment_size;
} __attribute__((packed));

_Static_assert(sizeof(struct local_header) == 30, "local file header");
_Static_assert(sizeof(struct central_header) == 46, "central directory header");
_Static_assert(sizeof(struct end_header) == 22, "end of central directory record");

struct sluice_zip {
	int fd;
	uint64_t at; /* bytes written */
	unsigned int files;
	uint8_t *directory;
	size_t used, room;
};

static int write_bytes(struct sluice_zip *z, const void *data, size_t size)
{
	int err = sluice_write_whole(z->fd, data, size);

	z->at += err ? 0 : size;
	return err;
}

/* So much more goes into the directory. */
static int make_room(struct sluice_zip *z, size_t size)
{
	size_t room = z->room ? z->room : DIRECTORY_MIN;
	uint8_t *more;

	while (room - z->used < size)
		room *= 2;
	if (room == z->room)
		return 0;
	more = realloc(z->directory, room);
	if (!more)
		return -ENOMEM;
	z->directory = more;
	z->room = room;
	return 0;
}

static void put(struct sluice_zip *z, const void *data, size_t size)
{
	memcpy(z->directory + z->used, data, size);
	z->used += size;
}

static void set_time(struct about *a, time_t utc)
{
	struct tm tm = { .tm_year = 80, .tm_mday = 1 };

	gmtime_r(&utc, &tm);
	if (tm.tm_year < 80 || tm.tm_year > 207) /* 1980 to 2107 is what can be said */
		tm = (struct tm){ .tm_year = tm.tm_year < 80 ? 80 : 207, .tm_mday = 1 };
	a->time = htole16((uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 |
				     (tm.tm_sec > 59 ? 59 : tm.tm_sec) / 2));
	a->date = htole16((uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday));
}

int sluice_zip_open(int fd, struct sluice_zip **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->fd = fd;
	return 0;
}

int sluice_zip_file(struct sluice_zip *z, const char *name, uint64_t utc_ns, const void *data,
		    size_t size)
{
	uint64_t utc = utc_ns / 1000000000;
	struct time_field t = { htole16(TIME_FIELD), htole16(sizeof(t) - 4), 1,
				htole32((uint32_t)utc) };
	struct local_header l = { .sig = htole32(LOCAL_SIG) };
	struct central_header c = { .sig = htole32(CENTRAL_SIG),
				    .made_by = htole16(MADE_BY),
				    .external = htole32(MODE),
				    .offset = htole32((uint32_t)z->at) };
	size_t length = strlen(name), extra = utc > INT32_MAX ? 0 : sizeof(t);
	int err;

	if (length > UINT16_MAX || size > UINT32_MAX || z->files == FILES_MAX ||
	    z->at + sizeof(l) + length + extra + size > UINT32_MAX)
		return -EFBIG;
	err = make_room(z, sizeof(c) + length + extra);
	if (err)
		return err;
	l.about.version = htole16(VERSION);
	set_time(&l.about, (time_t)utc);
	l.about.crc = htole32((uint32_t)crc32_z(0, data, size));
	l.about.stored = l.about.size = htole32((uint32_t)size);
	l.about.name_size = htole16((uint16_t)length);
	l.about.extra_size = htole16((uint16_t)extra);
	c.about = l.about;
	put(z, &c, sizeof(c));
	put(z, name, length);
	put(z, &t, extra);
	z->files++;
	err = write_bytes(z, &l, sizeof(l));
	if (!err)
		err = write_bytes(z, name, length);
	if (!err)
		err = write_bytes(z, &t, extra);
	return err ? err : write_bytes(z, data, size);
}

int sluice_zip_close(struct sluice_zip *z, int finish)
{
	struct end_header e = { .sig = htole32(END_SIG) };
	int err = 0;

	if (!z)
		return 0;
	if (finish && z->at + z->used > UINT32_MAX)
		err = -EFBIG;
	if (finish && !err) {
		e.here = e.files = htole16((uint16_t)z->files);
		e.size = htole32((uint32_t)z->used);
		e.offset = htole32((uint32_t)z->at);
		err = write_bytes(z, z->directory, z->used);
		if (!err)
			err = write_bytes(z, &e, sizeof(e));
	}
	free(z->directory);
	free(z);
	return err;
}
