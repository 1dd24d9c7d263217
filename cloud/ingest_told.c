// SPDX-License-Identifier: MIT
/* ingest_told.c - what a group has to say to the sessions, gathered until it is durable. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/ingest_state.h"

struct sluice_told *ingest_told_add(struct sluice_ingest *in, enum sluice_told_kind kind,
				    const struct sluice_item *item)
{
	struct sluice_told *t;

	while (in->told_count == in->told_room) {
		size_t room = in->told_room ? 2 * in->told_room : 64;

		t = realloc(in->told, room * sizeof(*t));
		if (t) {
			in->told = t;
			in->told_room = room;
			break;
		}
		/* an acknowledgement that is not told is a frame that the device never frees */
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	t = &in->told[in->told_count++];
	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->session = item->session;
	t->slot = item->slot;
	t->epoch = item->epoch;
	return t;
}

void ingest_told_send(struct sluice_ingest *in)
{
	if (!in->told_count)
		return;
	in->c.tell(in->c.ctx, in->told, in->told_count);
	in->told = NULL;
	in->told_count = in->told_room = 0;
}

/* Walks back over what this group has told: few sessions, so it ends soon. */
void ingest_tell_stored(struct sluice_ingest *in, const struct sluice_item *item)
{
	size_t i;

	for (i = in->told_count; i > 0; i--) {
		struct sluice_told *t = &in->told[i - 1];

		if (t->session != item->session || t->slot != item->slot)
			continue;
		if (t->kind != SLUICE_TOLD_STORED || t->epoch != item->epoch)
			break;
		if (item->sequence > t->value)
			t->value = item->sequence;
		return;
	}
	ingest_told_add(in, SLUICE_TOLD_STORED, item)->value = item->sequence;
}

void ingest_tell_released(struct sluice_ingest *in, const struct sluice_item *item, size_t bytes,
			  uint32_t items)
{
	struct sluice_told *t;
	size_t i;

	for (i = in->told_count; i > 0; i--)
		if (in->told[i - 1].kind == SLUICE_TOLD_RELEASED &&
		    in->told[i - 1].session == item->session)
			break;
	t = i ? &in->told[i - 1] : ingest_told_add(in, SLUICE_TOLD_RELEASED, item);
	t->bytes += bytes;
	t->items += items;
}

void ingest_tell_failed(struct sluice_ingest *in, const struct sluice_item *item, int err)
{
	size_t i;

	for (i = in->told_count; i > 0; i--)
		if (in->told[i - 1].kind == SLUICE_TOLD_FAILED &&
		    in->told[i - 1].session == item->session)
			return;
	ingest_told_add(in, SLUICE_TOLD_FAILED, item)->err = err;
}
