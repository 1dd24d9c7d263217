// SPDX-License-Identifier: MIT
/* orphans.c - see orphans.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/orphans.h"

int sluice_orphans_add(void *ctx, const char *path)
{
	struct sluice_orphans *o = ctx;

	if (o->count == o->room) {
		size_t room = o->room ? 2 * o->room : 64;
		void *more = realloc(o->path, room * sizeof(*o->path));

		if (!more)
			return -ENOMEM;
		o->path = more;
		o->room = room;
	}
	snprintf(o->path[o->count++], sizeof(*o->path), "%s", path);
	return 0;
}

void sluice_orphans_free(struct sluice_orphans *o)
{
	free(o->path);
	memset(o, 0, sizeof(*o));
}

uint64_t sluice_orphan_time(const char *path)
{
	const char *name = strrchr(path, '/');
	unsigned long long created, epoch, sequence;
	char end[5];

	return name && sscanf(name, "/%llu-%llu-%llu%4s", &created, &epoch, &sequence, end) == 4
		       ? created
		       : 0;
}

int sluice_orphans_remove(const struct sluice_orphans *o, struct sluice_depot *d,
			  uint64_t before_ns, size_t *removed)
{
	*removed = 0;
	for (size_t i = 0; i < o->count; i++) {
		uint64_t at = sluice_orphan_time(o->path[i]);
		int err;

		if (!at || at >= before_ns)
			continue;
		err = d->ops->remove(d, o->path[i]);
		if (err)
			return err;
		++*removed;
	}
	return 0;
}
