/* SPDX-License-Identifier: MIT */
/* whole.h - bytes to and from a file to the last one, whatever the kernel does in between. */
#ifndef SLUICE_WHOLE_H
#define SLUICE_WHOLE_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* All of it, where the file stands. 0, or -errno: then some of it may be there. */
static inline int sluice_write_whole(int fd, const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* From offset on. How much there was, less than size only at the end of the file; -errno. */
static inline ssize_t sluice_pread_whole(int fd, void *buf, size_t size, uint64_t offset)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = pread(fd, (uint8_t *)buf + got, size - got, (off_t)(offset + got));

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

#endif
