/* SPDX-License-Identifier: MIT */
/* child_channel.h - the channel to the node as a child has it (child.h). Whatever goes wrong with
 * it ends the child: the node is gone, or has had enough. */
#ifndef SLUICE_CHILD_CHANNEL_H
#define SLUICE_CHILD_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define CHILD_CHANNEL 3 /* descriptor */

static inline void child_read(void *data, size_t size)
{
	uint8_t *p = data;

	while (size) {
		ssize_t n = read(CHILD_CHANNEL, p, size);

		if (n <= 0)
			_exit(0);
		p += n;
		size -= (size_t)n;
	}
}

static inline void child_write(const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size) {
		ssize_t n = write(CHILD_CHANNEL, p, size);

		if (n <= 0)
			_exit(0);
		p += n;
		size -= (size_t)n;
	}
}

#endif
