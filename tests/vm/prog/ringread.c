// SPDX-License-Identifier: MIT
/*
 * ringread.c - a reader of a ring that believes nothing: every record is checked against the
 * contract (include/sluice/ring.h), for the guest's tests.
 *
 *	ringread NODE [frames=N] [seconds=N] [list=FILE] [dump=FILE] [arena=FILE] [hold] [observe]
 *		[attack] [until-end]
 * Ends after N frames (exit 0), when the ring says ENDED or GONE and is empty (exit 0 with
 * until-end, else 1), or after N seconds (exit 1 if frames were asked for; as a limit they are
 * multiplied by GUEST_SLOWER of the environment). list: a line for every
 * record; box is the rectangle of its motion cells, x0,y0,x1,y1, or none. dump: their pictures.
 * arena: at the end, all of it, also what waits there without a record. hold: never release a
 * record. observe: open read-only. attack: spoil every word that the reader may write, then try
 * maps that must be refused. The last lines tell the ledger of the control page; it must add up.
 * Exit 1: something is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sluice/ring.h>

struct reader {
	int fd;
	struct sluice_ring_ctrl *ctrl;
	const struct sluice_ring_desc *desc;
	const uint8_t *arena;
	uint32_t desc_count;
	uint64_t arena_bytes;
	uint64_t head, tail;
	uint64_t epoch, sequence;
	uint64_t frames, bytes, dropped, lost;
	uint32_t errors;
	FILE *list, *dump, *whole;
};

static void wrong(struct reader *r, const char *what, uint64_t a, uint64_t b)
{
	printf("wrong: %s (%" PRIu64 ", %" PRIu64 ")\n", what, a, b);
	r->errors++;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
	static uint32_t table[256];
	uint32_t c = ~0u;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		uint32_t v = i;

		for (int k = 0; k < 8; k++)
			v = v & 1 ? v >> 1 ^ 0xedb88320u : v >> 1;
		table[i] = v;
	}
	while (n--)
		c = table[(c ^ *p++) & 0xff] ^ c >> 8;
	return ~c;
}

static int map_ring(struct reader *r, int observe)
{
	int prot = observe ? PROT_READ : PROT_READ | PROT_WRITE;

	r->ctrl = mmap(NULL, 4096, prot, MAP_SHARED, r->fd, SLUICE_RING_MAP_CTRL);
	if (r->ctrl == MAP_FAILED)
		return -errno;
	if (r->ctrl->magic != SLUICE_RING_MAGIC || r->ctrl->version != SLUICE_RING_VERSION)
		return -EPROTO;
	r->desc_count = r->ctrl->desc_count;
	r->arena_bytes = r->ctrl->arena_bytes;
	r->desc = mmap(NULL, (size_t)r->desc_count * SLUICE_RING_DESC_SIZE, PROT_READ, MAP_SHARED,
		       r->fd, SLUICE_RING_MAP_DESC);
	r->arena = mmap(NULL, r->arena_bytes, PROT_READ, MAP_SHARED, r->fd, SLUICE_RING_MAP_ARENA);
	return r->desc == MAP_FAILED || r->arena == MAP_FAILED ? -errno : 0;
}

/* Maps that the module must refuse. */
static void try_maps(struct reader *r)
{
	const struct {
		const char *what;
		size_t len;
		int prot, flags;
		off_t at;
	} bad[] = {
		{ "two control pages", 8192, PROT_READ, MAP_SHARED, SLUICE_RING_MAP_CTRL },
		{ "second control page", 4096, PROT_READ, MAP_SHARED, SLUICE_RING_MAP_CTRL + 4096 },
		{ "writable records", 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		  SLUICE_RING_MAP_DESC },
		{ "records' end", r->desc_count * SLUICE_RING_DESC_SIZE + 4096, PROT_READ,
		  MAP_SHARED, SLUICE_RING_MAP_DESC },
		{ "arena's end", r->arena_bytes + 4096, PROT_READ, MAP_SHARED,
		  SLUICE_RING_MAP_ARENA },
		{ "behind the arena", 4096, PROT_READ, MAP_SHARED,
		  SLUICE_RING_MAP_ARENA + (off_t)r->arena_bytes },
		{ "private arena", 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		  SLUICE_RING_MAP_ARENA },
		{ "executable arena", 4096, PROT_READ | PROT_EXEC, MAP_SHARED,
		  SLUICE_RING_MAP_ARENA },
		{ "far away", 4096, PROT_READ, MAP_SHARED, 1ll << 40 },
	};
	uid_t uid = geteuid();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		void *p = mmap(NULL, bad[i].len, bad[i].prot, bad[i].flags, r->fd, bad[i].at);

		if (p != MAP_FAILED)
			wrong(r, bad[i].what, 0, 0);
	}
	if (!mprotect((void *)(uintptr_t)r->arena, 4096, PROT_READ | PROT_WRITE))
		wrong(r, "arena made writable", 0, 0);
	if (!mprotect((void *)(uintptr_t)r->desc, 4096, PROT_READ | PROT_WRITE))
		wrong(r, "records made writable", 0, 0);
	if (!madvise((void *)(uintptr_t)r->arena, 4096, MADV_REMOVE))
		wrong(r, "hole in the arena", 0, 0);
	/* Writable arena: with CAP_SYS_ADMIN yes, without no. */
	void *w =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, SLUICE_RING_MAP_ARENA);

	if (w == MAP_FAILED)
		wrong(r, "root gets no writable arena", (uint64_t)errno, 0);
	if (!seteuid(1000)) {
		w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
			 SLUICE_RING_MAP_ARENA);
		if (w != MAP_FAILED)
			wrong(r, "writable arena without CAP_SYS_ADMIN", 0, 0);
		if (seteuid(uid))
			wrong(r, "seteuid", (uint64_t)errno, 0);
	}
}

/* Everything that this side can write becomes nonsense. */
static void spoil(struct reader *r)
{
	memset(r->ctrl, 0xa5, sizeof(*r->ctrl));
	r->ctrl->tail = ~0ull;
}

static void check_record(struct reader *r, const struct sluice_ring_desc *d, uint64_t i)
{
	uint32_t cells = ((uint32_t)d->grid_w * d->grid_h + 7) / 8;

	if (d->epoch < r->epoch)
		wrong(r, "epoch went back", d->epoch, r->epoch);
	if (d->epoch == r->epoch && r->frames && d->sequence <= r->sequence)
		wrong(r, "sequence not rising", d->sequence, r->sequence);
	if (!sluice_reason_passes(d->reason))
		wrong(r, "reason does not pass", d->reason, i);
	if (d->offset % SLUICE_RING_PAGE || d->offset > r->arena_bytes ||
	    d->size > r->arena_bytes - d->offset)
		wrong(r, "picture outside the arena", d->offset, d->size);
	else if (d->cells_size != cells || d->cells < d->offset + d->size ||
		 d->cells > r->arena_bytes || cells > r->arena_bytes - d->cells)
		wrong(r, "bitmap outside the arena", d->cells, d->cells_size);
	if (!d->size || !d->width || !d->height || !d->format)
		wrong(r, "empty picture", d->size, d->format);
	if (!(d->flags & SLUICE_FRAME_KEY))
		wrong(r, "not a key frame", d->flags, i);
}

/* The rectangle of the record's motion cells, as text. */
static const char *cells_box(const struct reader *r, const struct sluice_ring_desc *d,
			     char text[static 64])
{
	const uint8_t *bits = r->arena + d->cells;
	uint32_t x0 = d->grid_w, y0 = d->grid_h, x1 = 0, y1 = 0;

	for (uint32_t y = 0; y < d->grid_h; y++) {
		for (uint32_t x = 0; x < d->grid_w; x++) {
			uint32_t i = y * d->grid_w + x;

			if (!(bits[i / 8] >> (i % 8) & 1))
				continue;
			x0 = x < x0 ? x : x0;
			y0 = y < y0 ? y : y0;
			x1 = x > x1 ? x : x1;
			y1 = y > y1 ? y : y1;
		}
	}
	if (x0 > x1 || y0 > y1)
		return "none";
	snprintf(text, 64, "%u,%u,%u,%u", x0, y0, x1, y1);
	return text;
}

static void take_record(struct reader *r)
{
	char box[64];
	struct sluice_ring_desc d = r->desc[r->tail & (r->desc_count - 1)];
	uint32_t before = r->errors;

	check_record(r, &d, r->tail);
	r->epoch = d.epoch;
	r->sequence = d.sequence;
	r->frames++;
	r->bytes += d.size;
	r->dropped += d.dropped;
	r->lost += d.lost;
	if (r->errors != before)
		return;
	if (r->list)
		fprintf(r->list,
			"%llu %llu %u reason=%u size=%u score=%u event=%u flags=%u box=%s "
			"crc=%08x\n",
			d.epoch, d.sequence, d.driver_sequence, d.reason, d.size, d.score, d.event,
			d.flags, cells_box(r, &d, box), crc32_of(r->arena + d.offset, d.size));
	if (r->dump && fwrite(r->arena + d.offset, d.size, 1, r->dump) != 1)
		wrong(r, "dump", (uint64_t)errno, 0);
}

/* The ledger words under their seqlock. */
static void check_ledger(struct reader *r)
{
	uint64_t delivered = 0, pending = 0, sum = 0;
	uint32_t before, after;

	for (int tries = 0; tries < 100000; tries++) {
		before = __atomic_load_n(&r->ctrl->changed, __ATOMIC_ACQUIRE);
		delivered = r->ctrl->delivered;
		pending = r->ctrl->pending;
		sum = 0;
		for (int i = 0; i < SLUICE_REASON_COUNT; i++)
			sum += __atomic_load_n(&r->ctrl->count[i], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&r->ctrl->changed, __ATOMIC_RELAXED);
		if (before == after && !(before & 1))
			break;
	}
	printf("delivered=%" PRIu64 "\npending=%" PRIu64 "\ncounted=%" PRIu64 "\n", delivered,
	       pending, sum);
	if (delivered != pending + sum)
		wrong(r, "the ledger does not add up", delivered, pending + sum);
	for (int i = 0; i < SLUICE_REASON_COUNT; i++) {
		if (r->ctrl->count[i])
			printf("count%d=%" PRIu64 "\n", i, (uint64_t)r->ctrl->count[i]);
	}
}

struct options {
	uint64_t frames;
	double seconds;
	int hold, observe, attack, until_end;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Returns 1 when the reader has what it wants, 0 when time or the camera ran out. */
static int run(struct reader *r, const struct options *o)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	double end = now() + o->seconds;

	r->tail = r->ctrl->tail;
	while (now() < end) {
		r->head = __atomic_load_n(&r->ctrl->head, __ATOMIC_ACQUIRE);
		while (r->tail < r->head && (!o->frames || r->frames < o->frames)) {
			take_record(r);
			r->tail++;
			if (!o->hold && !o->observe)
				__atomic_store_n(&r->ctrl->tail, r->tail, __ATOMIC_RELEASE);
		}
		if (o->frames && r->frames >= o->frames)
			return 1;
		if (r->ctrl->state & (SLUICE_STATE_ENDED | SLUICE_STATE_GONE) &&
		    r->head == __atomic_load_n(&r->ctrl->head, __ATOMIC_ACQUIRE))
			return o->until_end;
		if (!o->observe)
			__atomic_store_n(&r->ctrl->wake_mark, r->head, __ATOMIC_SEQ_CST);
		if (poll(&p, 1, 200) > 0 && !(p.revents & (POLLIN | POLLHUP)))
			wrong(r, "poll", (uint64_t)p.revents, 0);
	}
	return !o->frames && !o->until_end;
}

/* A line goes out before its record is released: a reader that is killed has told what it took. */
static FILE *open_list(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f)
		setvbuf(f, NULL, _IOLBF, 0);
	return f;
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 60 };
	struct reader r = { 0 };
	int rc, done;

	if (argc < 2) {
		fprintf(stderr, "usage: ringread NODE [frames=N] [seconds=N] [list=FILE] "
				"[dump=FILE] [arena=FILE] [hold] [observe] [attack] "
				"[until-end]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (!strncmp(argv[i], "frames=", 7))
			o.frames = strtoull(argv[i] + 7, NULL, 10);
		else if (!strncmp(argv[i], "seconds=", 8))
			o.seconds = (double)strtoul(argv[i] + 8, NULL, 10);
		else if (!strncmp(argv[i], "list=", 5))
			r.list = open_list(argv[i] + 5);
		else if (!strncmp(argv[i], "dump=", 5))
			r.dump = fopen(argv[i] + 5, "w");
		else if (!strncmp(argv[i], "arena=", 6))
			r.whole = fopen(argv[i] + 6, "w");
		o.hold |= !strcmp(argv[i], "hold");
		o.observe |= !strcmp(argv[i], "observe");
		o.attack |= !strcmp(argv[i], "attack");
		o.until_end |= !strcmp(argv[i], "until-end");
	}
	if (getenv("GUEST_SLOWER") && (o.frames || o.until_end))
		o.seconds *= (double)strtoul(getenv("GUEST_SLOWER"), NULL, 10);
	r.fd = open(argv[1], o.observe ? O_RDONLY : O_RDWR);
	if (r.fd < 0) {
		printf("refused %s\n", strerrorname_np(errno));
		return 1;
	}
	rc = map_ring(&r, o.observe);
	if (rc) {
		printf("refused map %s\n", strerrorname_np(-rc));
		return 1;
	}
	if (o.attack) {
		try_maps(&r);
		spoil(&r);
		usleep(500000);
		printf("attack over, wrong=%u\n", r.errors);
		return r.errors != 0;
	}
	done = run(&r, &o);
	check_ledger(&r);
	printf("frames=%" PRIu64 "\nbytes=%" PRIu64 "\ntold_dropped=%" PRIu64 "\ntold_lost=%" PRIu64
	       "\nwrong=%u\nunread=%" PRIu64 "\n",
	       r.frames, r.bytes, r.dropped, r.lost, r.errors,
	       (uint64_t)(r.ctrl->head - r.ctrl->tail));
	if (r.whole && (fwrite(r.arena, r.arena_bytes, 1, r.whole) != 1 || fclose(r.whole)))
		wrong(&r, "arena", (uint64_t)errno, 0);
	if (r.list && fclose(r.list))
		return 1;
	if (r.dump && fclose(r.dump))
		return 1;
	return r.errors || !done;
}
