// SPDX-License-Identifier: MIT
/*
 * ingest_chunks.c - what is stored goes on to the bus, in chunks of one lane of one camera. A bus
 * that is full for one kind of lane does not stop the other.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cloud/ingest_state.h"

void ingest_fill_lower(struct sluice_ingest *in, size_t bytes)
{
	pthread_mutex_lock(&in->lock);
	in->fill -= bytes;
	pthread_mutex_unlock(&in->lock);
}

static void raise_fill(struct sluice_ingest *in, size_t bytes)
{
	pthread_mutex_lock(&in->lock);
	in->fill += bytes;
	pthread_mutex_unlock(&in->lock);
}

/* The chunk that the item may join: the camera's newest, if it is of the same session (which gets
 * the credit back) and not full. */
static struct sluice_chunk *find_chunk(struct sluice_ingest *in, const struct sluice_item *item)
{
	struct sluice_chunk *c, *found = NULL;

	for (c = in->chunks; c; c = c->next)
		if (c->camera == item->camera && c->lane == item->lane)
			found = c;
	if (!found || found->items->session != item->session ||
	    found->bytes + ingest_item_bytes(item) > SLUICE_CHUNK_MAX)
		return NULL;
	return found;
}

void ingest_chunk_add(struct sluice_ingest *in, struct sluice_item *item)
{
	struct sluice_chunk *c = find_chunk(in, item);

	while (!c) {
		c = calloc(1, sizeof(*c));
		if (!c) {
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
			continue;
		}
		c->camera = item->camera;
		c->lane = item->lane;
		if (in->chunks)
			in->chunks_last->next = c;
		else
			in->chunks = c;
		in->chunks_last = c;
	}
	item->next = NULL;
	if (c->items)
		c->last->next = item;
	else
		c->items = item;
	c->last = item;
	c->bytes += ingest_item_bytes(item);
}

/* A frame of back-fill whose bytes have been left behind: it was released then. */
int ingest_item_is_mark(const struct sluice_item *item)
{
	return item->lane && item->kind == SLUICE_ITEM_FRAME;
}

/*
 * Back-fill comes faster than it can be analysed: its bytes stay on the disk, and only a mark goes
 * on, saying up to where it is stored. One that waits still grows instead of a second one.
 */
void ingest_mark_add(struct sluice_ingest *in, struct sluice_item *item)
{
	struct sluice_item *small;
	struct sluice_chunk *c;

	ingest_tell_released(in, item, item->charge, 1);
	ingest_fill_lower(in, ingest_item_bytes(item));
	item->cells_size = item->jpeg_size = 0;
	item->charge = 0;
	c = find_chunk(in, item);
	if (c && ingest_item_is_mark(c->last) && c->last->epoch == item->epoch &&
	    c->last->range_first == item->range_first) {
		c->last->sequence = item->sequence;
		c->last->range_last = item->range_last;
		free(item);
		return;
	}
	small = realloc(item, sizeof(*item));
	raise_fill(in, sizeof(*item));
	ingest_chunk_add(in, small ? small : item);
}

/* True if the bus has taken it. */
static bool publish_chunk(struct sluice_ingest *in, struct sluice_chunk *c)
{
	struct sluice_item first = *c->items; /* the bus owns the chunk afterwards */
	size_t bytes = c->bytes, charge = 0;
	const struct sluice_item *item;
	uint32_t items = 0;

	for (item = c->items; item; item = item->next) {
		charge += item->charge;
		items += !ingest_item_is_mark(item);
	}
	if (in->c.bus->ops->publish(in->c.bus, c))
		return false; /* full; the chunk is ours still */
	ingest_tell_released(in, &first, charge, items);
	ingest_fill_lower(in, bytes);
	return true;
}

void ingest_chunks_publish(struct sluice_ingest *in)
{
	struct sluice_chunk **at = &in->chunks, *c, *next;
	bool full[2] = { false, false };

	in->chunks_last = NULL;
	while ((c = *at)) {
		next = c->next;
		if (!full[!!c->lane] && publish_chunk(in, c)) {
			*at = next;
			continue;
		}
		full[!!c->lane] = true; /* the order of a lane stays */
		in->chunks_last = c;
		at = &c->next;
	}
	ingest_told_send(in);
}
