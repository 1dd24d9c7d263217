// SPDX-License-Identifier: MIT
/*
 * Mapping and reading a ring. Pairs of barriers as <sluice/ring.h> and kmod/ring.c name them: head
 * is loaded with acquire, tail stored with release; wake_mark, full barrier, head again; the state
 * words under their sequence count.
 *
 * The arena and the records are mapped read-only. A feed's memfd must be sealed against shrinking:
 * otherwise the feed could make this process fault by taking pages away.
 */
#include "relay/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SNAPSHOT_TRIES 1000
#define STATE_WORDS    64 /* 64-bit words from `changed` to the reader's words */
#define PIXELS_MAX     16384

_Static_assert(offsetof(struct sluice_ring_ctrl, tail) -
			       offsetof(struct sluice_ring_ctrl, changed) ==
		       STATE_WORDS * 8,
	       "state words");

static int check_memfd(int fd, uint64_t bytes, char *why, size_t why_size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (fstat(fd, &st) || (uint64_t)st.st_size != bytes ||
	    bytes < SLUICE_RING_MAP_ARENA + SLUICE_RING_PAGE) {
		snprintf(why, why_size, "the ring's memory has another size than announced");
		return -EPROTO;
	}
	if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
		snprintf(why, why_size, "the ring's memory is not sealed against shrinking");
		return -EPROTO;
	}
	return 0;
}

static bool name_ok(const char *name)
{
	size_t n = strnlen(name, SLUICE_CAMERA_NAME_SIZE);

	if (!n || n == SLUICE_CAMERA_NAME_SIZE)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
	       n;
}

/* Constant words of the control page, taken once: they are not looked at again. */
static int read_constants(struct relay_ring *r, uint64_t memfd_bytes, char *why, size_t why_size)
{
	struct sluice_ring_ctrl c;

	memcpy(&c, r->ctrl, offsetof(struct sluice_ring_ctrl, head));
	if (c.magic != SLUICE_RING_MAGIC) {
		snprintf(why, why_size, "not a ring of Sluice");
		return -EPROTO;
	}
	if (c.version != SLUICE_RING_VERSION) {
		snprintf(why, why_size,
			 "ring version %u, this relay knows %u; install module and relay of one "
			 "version",
			 c.version, SLUICE_RING_VERSION);
		return -EPROTONOSUPPORT;
	}
	r->desc_count = c.desc_count;
	r->arena_bytes = c.arena_bytes;
	memcpy(r->name, c.name, sizeof(r->name));
	if (!c.desc_count || c.desc_count > SLUICE_RING_DESC_MAX ||
	    (c.desc_count & (c.desc_count - 1)) || !c.arena_bytes ||
	    c.arena_bytes > SLUICE_RING_ARENA_MAX || c.arena_bytes % SLUICE_RING_PAGE ||
	    (memfd_bytes && memfd_bytes - SLUICE_RING_MAP_ARENA < c.arena_bytes) ||
	    !name_ok(c.name)) {
		snprintf(why, why_size, "the ring's control page makes no sense");
		return -EPROTO;
	}
	return 0;
}

static void *map(int fd, size_t size, int prot, uint64_t offset)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, (off_t)offset);

	return p == MAP_FAILED ? NULL : p;
}

int relay_ring_map(struct relay_ring *r, int fd, uint64_t memfd_bytes, char *why, size_t why_size)
{
	int err;

	memset(r, 0, sizeof(*r));
	err = memfd_bytes ? check_memfd(fd, memfd_bytes, why, why_size) : 0;
	if (err)
		return err;
	r->ctrl = map(fd, sizeof(*r->ctrl), PROT_READ | PROT_WRITE, SLUICE_RING_MAP_CTRL);
	if (!r->ctrl)
		goto fail;
	err = read_constants(r, memfd_bytes, why, why_size);
	if (err) {
		relay_ring_unmap(r);
		return err;
	}
	r->desc = map(fd, r->desc_count * sizeof(*r->desc), PROT_READ, SLUICE_RING_MAP_DESC);
	r->arena = map(fd, r->arena_bytes, PROT_READ, SLUICE_RING_MAP_ARENA);
	if (r->desc && r->arena)
		return 0;
fail:
	err = -errno;
	snprintf(why, why_size, "cannot map the ring: %s", strerror(-err));
	relay_ring_unmap(r);
	return err;
}

void relay_ring_unmap(struct relay_ring *r)
{
	if (r->arena)
		munmap((void *)r->arena, r->arena_bytes);
	if (r->desc)
		munmap((void *)r->desc, r->desc_count * sizeof(*r->desc));
	if (r->ctrl)
		munmap(r->ctrl, sizeof(*r->ctrl));
	memset(r, 0, sizeof(*r));
}

uint64_t relay_ring_head(const struct relay_ring *r)
{
	return __atomic_load_n(&r->ctrl->head, __ATOMIC_ACQUIRE);
}

uint64_t relay_ring_tail(const struct relay_ring *r)
{
	uint64_t tail = __atomic_load_n(&r->ctrl->tail, __ATOMIC_RELAXED);
	uint64_t head = relay_ring_head(r);

	/* the gate writes it anew for each reader, so anything else is a broken gate */
	return head - tail <= r->desc_count ? tail : head;
}

void relay_ring_release(struct relay_ring *r, uint64_t tail)
{
	__atomic_store_n(&r->ctrl->tail, tail, __ATOMIC_RELEASE);
}

uint64_t relay_ring_arm(struct relay_ring *r)
{
	uint64_t head = relay_ring_head(r), before;

	do {
		before = head;
		__atomic_store_n(&r->ctrl->wake_mark, before, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with the one after head */
		head = relay_ring_head(r);
	} while (head != before);
	return head;
}

static bool inside(const struct relay_ring *r, uint64_t offset, uint64_t size)
{
	return offset <= r->arena_bytes && size <= r->arena_bytes - offset;
}

int relay_ring_record(const struct relay_ring *r, uint64_t index, struct sluice_ring_desc *d)
{
	memcpy(d, &r->desc[index & (r->desc_count - 1)], sizeof(*d));
	if (!inside(r, d->offset, d->size) || !inside(r, d->cells, d->cells_size) ||
	    !sluice_reason_passes(d->reason) || !d->width || !d->height || d->width > PIXELS_MAX ||
	    d->height > PIXELS_MAX)
		return -EBADMSG;
	/* a bitmap of another size is left out rather than misread */
	if (d->cells_size != ((uint32_t)d->grid_w * d->grid_h + 7u) / 8u)
		d->cells_size = 0;
	return 0;
}

static void unpack_state(struct relay_snapshot *s, const struct sluice_ring_ctrl *c)
{
	s->state = c->state;
	s->epoch = c->epoch;
	s->epoch_first_ns = c->epoch_first_ns;
	s->now_ns = c->now_ns;
	s->format = c->format;
	s->settings = c->settings;
	s->width = c->width;
	s->height = c->height;
	s->delivered = c->delivered;
	s->pending = c->pending;
	s->bytes_seen = c->bytes_seen;
	s->bytes_passed = c->bytes_passed;
	memcpy(s->count, c->count, sizeof(s->count));
}

int relay_ring_snapshot(const struct relay_ring *r, struct relay_snapshot *s)
{
	const size_t first = offsetof(struct sluice_ring_ctrl, changed) / 8;
	const uint64_t *from = (const uint64_t *)(const void *)&r->ctrl->changed;
	union {
		struct sluice_ring_ctrl ctrl;
		uint64_t word[sizeof(struct sluice_ring_ctrl) / 8];
	} copy;

	for (int i = 0; i < SNAPSHOT_TRIES; i++) {
		uint32_t before = __atomic_load_n(&r->ctrl->changed, __ATOMIC_ACQUIRE);

		if (before & 1)
			continue;
		for (int w = 0; w < STATE_WORDS; w++)
			copy.word[first + w] = __atomic_load_n(from + w, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE); /* the words before the count again */
		if (__atomic_load_n(&r->ctrl->changed, __ATOMIC_RELAXED) != before)
			continue;
		unpack_state(s, &copy.ctrl);
		return 0;
	}
	return -EAGAIN;
}
