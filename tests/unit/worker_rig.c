// SPDX-License-Identifier: MIT
/*
 * worker_rig.c - see worker_rig.h. While a worker lives the rig's own thread only waits and
 * allocates nothing, so that what nth_fault.c counts is the worker's.
 */
#include "worker_rig.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include <sluice/ring.h>

#include "cloud/crew.h"
#include "cloud/parked.h"
#include "cloud/store.h"
#include "tests/unit/check.h"
#include "tests/unit/jpeg_make.h"
#include "tests/unit/keys.h"
#include "tests/unit/nth_fault.h"
#include "tests/unit/store_rig.h"

#define W	 160
#define H	 120
#define START_NS 1700000000000000000ull
#define STEP_NS	 200000000ull
#define HALF	 (WORKER_RIG_FRAMES / 2)
#define WAIT_S	 60 /* a worker that has not done by then hangs */

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "worker_rig: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The pauses between two tries are cut short, in a child too. */
int nanosleep(const struct timespec *t, struct timespec *left)
{
	struct timespec some = *t;

	(void)left;
	if (some.tv_sec || some.tv_nsec > 2000000)
		some = (struct timespec){ .tv_nsec = 2000000 };
	return clock_nanosleep(CLOCK_MONOTONIC, 0, &some, NULL) ? -1 : 0;
}

/* ---- what the devices saw ---- */

static void draw(struct worker_rig *rig, unsigned int n)
{
	const struct jpeg_shape shape = {
		.width = W, .height = H, .components = 1, .h = 1, .v = 1, .quality = 80
	};
	static uint8_t px[H][W];
	unsigned int left = 6 * n, x, y;

	for (y = 0; y < H; y++)
		for (x = 0; x < W; x++)
			px[y][x] = (uint8_t)(x > left && x < left + 24 && y > 40 && y < 100
						     ? 210
						     : 60 + x / 4 + (x * 7 + y * 13) % 5);
	rig->frame[n].jpeg = jpeg_from_pixels(&shape, px[0], &rig->frame[n].size);
}

void worker_rig_begin(struct worker_rig *rig)
{
	static const char *const name[WORKER_RIG_CAMERAS] = { "door", "yard" };

	memset(rig, 0, sizeof(*rig));
	rig->limits = (struct sluice_sandbox_config){ 512ull << 20, 30000 };
	rig->cameras = sluice_cameras_open();
	for (int i = 0; i < WORKER_RIG_CAMERAS; i++)
		must(rig->cameras && !sluice_cameras_get(rig->cameras, "t", "box1", name[i],
							 &rig->camera[i]),
		     "cameras");
	for (unsigned int n = 0; n < WORKER_RIG_FRAMES; n++)
		draw(rig, n);
}

void worker_rig_end(struct worker_rig *rig)
{
	for (int n = 0; n < WORKER_RIG_FRAMES; n++)
		free(rig->frame[n].jpeg);
	sluice_cameras_close(rig->cameras);
}

/* ---- as the session would put it ---- */

static struct sluice_item *make_item(struct worker_rig *rig, unsigned int camera,
				     enum sluice_item_kind kind, uint64_t n)
{
	size_t size = kind == SLUICE_ITEM_FRAME	  ? rig->frame[n].size
		      : kind == SLUICE_ITEM_STATS ? 36 * sizeof(uint64_t)
						  : 0;
	struct sluice_item *item = calloc(1, sizeof(*item) + size);

	must(item != NULL, "item");
	item->kind = kind;
	item->camera = rig->camera[camera];
	item->epoch = WORKER_RIG_EPOCH;
	item->sequence = n;
	item->range_last = INT64_MAX;
	item->time_ns = n * STEP_NS;
	item->utc_ns = START_NS + n * STEP_NS;
	item->reason = SLUICE_REASON_MOTION;
	item->width = W;
	item->height = H;
	if (kind == SLUICE_ITEM_FRAME) {
		item->jpeg_size = (uint32_t)size;
		memcpy(item->data, rig->frame[n].jpeg, size);
	}
	if (kind == SLUICE_ITEM_STATS) {
		uint64_t seen = htole64(WORKER_RIG_FRAMES);

		item->time_ns = n * STEP_NS + 40000000000ull; /* the gate has long been closed */
		item->ledger_size = size;
		memcpy(item->data, &seen, sizeof(seen));
	}
	return item;
}

static void add(struct sluice_chunk *c, struct sluice_item *item)
{
	if (c->last)
		c->last->next = item;
	else
		c->items = item;
	c->last = item;
	c->bytes += sizeof(*item) + item->cells_size + item->jpeg_size + item->ledger_size;
}

/* Two of each camera, in turns, so that each ends the other's batch. */
#define CHUNKS (2 * WORKER_RIG_CAMERAS)

static struct sluice_chunk *make_chunk(struct worker_rig *rig, unsigned int i)
{
	unsigned int camera = i % WORKER_RIG_CAMERAS, half = i / WORKER_RIG_CAMERAS, n;
	struct sluice_chunk *c = calloc(1, sizeof(*c));

	must(c != NULL, "chunk");
	c->camera = rig->camera[camera];
	if (!half)
		add(c, make_item(rig, camera, SLUICE_ITEM_OPEN, 0));
	for (n = half * HALF; n < (half + 1) * HALF; n++)
		add(c, make_item(rig, camera, SLUICE_ITEM_FRAME, n));
	if (half) {
		add(c, make_item(rig, camera, SLUICE_ITEM_STATS, n));
		add(c, make_item(rig, camera, SLUICE_ITEM_CLOSE, n));
	}
	return c;
}

void worker_rig_make(struct worker_rig *rig)
{
	struct store_rig dir;

	store_rig_begin(&dir, 3);
	memcpy(rig->data, dir.data, sizeof(rig->data));
	rig->ring = dir.ring;
	rig->filled = 0;
}

/* All frames, none of them analysed. */
static void fill(struct worker_rig *rig)
{
	struct sluice_store *s = NULL;
	uint64_t resume;
	int err;

	if (rig->filled)
		return;
	rig->filled = 1;
	err = sluice_store_open(rig->data, &rig->ring, &s);
	if (!err)
		err = sluice_store_begin(s);
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS && !err; i++)
		for (unsigned int n = 0; n < WORKER_RIG_FRAMES && !err; n++) {
			struct sluice_item *item = make_item(rig, i, SLUICE_ITEM_FRAME, n);

			if (!n)
				err = sluice_store_epoch(s, item, &resume);
			if (!err)
				err = sluice_store_frame(s, item);
			free(item);
		}
	if (!err)
		err = sluice_store_sync(s);
	if (!err)
		err = sluice_store_commit(s);
	errno = -err;
	must(!err, "store");
	sluice_store_close(s);
}

void worker_rig_remove(struct worker_rig *rig)
{
	store_rig_remove(rig->data);
}

/* ---- a life ---- */

struct listener {
	struct worker_rig *rig;
	struct worker_life *life;
};

static unsigned int number_of(const struct listener *l, const struct sluice_camera *c)
{
	return c == l->rig->camera[0] ? 0 : 1;
}

static void on_event(void *ctx, const struct sluice_camera *c, const char *json)
{
	struct listener *l = ctx;

	CHECK(c && strstr(json, "\"start_ns\""));
	__atomic_add_fetch(&l->life->told[number_of(l, c)].events, 1, __ATOMIC_RELEASE);
}

static void on_summary(void *ctx, const struct sluice_camera *c, const char *id)
{
	struct listener *l = ctx;

	CHECK(strlen(id) == 32);
	l->life->told[number_of(l, c)].summaries++;
}

static void on_done(void *ctx, const struct sluice_camera *c, const struct sluice_done *d)
{
	struct listener *l = ctx;
	unsigned int i = number_of(l, c);

	CHECK(d->epoch == WORKER_RIG_EPOCH);
	l->life->told[i].done++;
	l->life->told[i].early += !l->life->told[i].summaries;
}

static const struct sluice_worker_ops ops = { on_event, on_summary, on_done, NULL };

/* Until it has read again what was stored before. */
static void wait_behind(void)
{
	while (atomic_load(&sluice_workers_behind))
		usleep(500);
}

/* A crew holds both partitions by and by. */
static void wait_held(struct sluice_crew *crew)
{
	for (int i = 0; i < WAIT_S * 2000 && sluice_crew_held(crew) < 2; i++)
		usleep(500);
	CHECK(sluice_crew_held(crew) == 2);
}

static void wait_for(struct sluice_bus *bus, unsigned int chunks)
{
	struct timespec ts;
	time_t until;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	for (until = ts.tv_sec + WAIT_S; ts.tv_sec < until;) {
		if (atomic_load(&bus->acked) + atomic_load(&bus->aside) == chunks)
			return;
		usleep(500);
		clock_gettime(CLOCK_MONOTONIC, &ts);
	}
	CHECK(!"the worker has done all of it");
}

/* Until those that there was no room for are done too. */
static void wait_parked(void)
{
	for (int i = 0; i < 2000 * WAIT_S; i++) {
		if (!sluice_parked_count())
			return;
		usleep(500);
	}
	CHECK(!"there was room in the end");
}

/* Until the digester has come to the end of each epoch. */
static void wait_done(struct worker_life *life)
{
	for (int i = 0; i < 2000 * WAIT_S; i++) {
		int done = 0;

		for (int c = 0; c < WORKER_RIG_CAMERAS; c++)
			done += __atomic_load_n(&life->told[c].done, __ATOMIC_ACQUIRE) > 0;
		if (done == WORKER_RIG_CAMERAS)
			return;
		usleep(500);
	}
	CHECK(!"the digests are made");
}

/* ---- a bus whose lease was had from one who counted as dead ---- */

static struct worker_rig *stolen_from;
static const struct sluice_bus_ops *real_ops;
static struct sluice_bus_ops stolen_ops;

static int stolen_claim(struct sluice_bus *b, unsigned int partition, struct sluice_lease *l)
{
	int err = real_ops->claim(b, partition, l);

	l->doubt_ms = 1;
	return err;
}

/* The start is over: what is stored from now on only the one before is given. */
static struct sluice_chunk *stolen_next(struct sluice_bus *b, const struct sluice_lease *l,
					int timeout_ms)
{
	struct sluice_chunk *c = real_ops->next(b, l, timeout_ms < 20 ? timeout_ms : 20);

	if (!l->partition)
		fill(stolen_from);
	return c;
}

static void steal(struct worker_rig *rig, struct sluice_bus *b)
{
	stolen_from = rig;
	real_ops = b->ops;
	stolen_ops = *b->ops;
	stolen_ops.claim = stolen_claim;
	stolen_ops.next = stolen_next;
	b->ops = &stolen_ops;
}

/* Until an event of each camera has begun. */
static void wait_events(struct worker_life *life)
{
	for (int i = 0; i < 2000 * WAIT_S; i++) {
		int begun = 0;

		for (int c = 0; c < WORKER_RIG_CAMERAS; c++)
			begun += __atomic_load_n(&life->told[c].events, __ATOMIC_ACQUIRE) > 0;
		if (begun == WORKER_RIG_CAMERAS)
			return;
		usleep(500);
	}
	CHECK(!"what is stored was read again");
}

/* fd 2 from and to what is said; returns what fd 2 was. */
static int listen_to(int said)
{
	int was = dup(STDERR_FILENO);

	must(was >= 0 && dup2(said, STDERR_FILENO) >= 0, "log");
	return was;
}

static void hear(int said, int was, char *log, size_t size)
{
	ssize_t n;

	dup2(was, STDERR_FILENO);
	close(was);
	n = pread(said, log, size - 1, 0);
	log[n > 0 ? n : 0] = 0;
	close(said);
}

void worker_rig_live(struct worker_rig *rig, struct worker_life *life, int sent,
		     void (*before)(void *ctx), void (*after)(void *ctx), void *ctx)
{
	uint64_t died = atomic_load(&sluice_sandbox_counts.died);
	uint64_t later = atomic_load(&sluice_parked_frames);
	struct listener l = { rig, life };
	struct sluice_worker_config c = { .data = rig->data,
					  .cameras = rig->cameras,
					  .sandbox = rig->sandboxed ? &rig->limits : NULL,
					  .digests = rig->digests,
					  .ops = &ops,
					  .ctx = &l };
	struct sluice_chunk *chunk[CHUNKS];
	struct sluice_worker *w = NULL;
	struct sluice_crew *crew = NULL;
	long was_live = nth_fault.live;
	char media[128];
	int said = memfd_create("log", MFD_CLOEXEC), was, i;

	memset(life, 0, sizeof(*life));
	snprintf(media, sizeof(media), "%s/media", rig->data);
	must(said >= 0 && !sluice_media_dir_open(media, &rig->ring, &c.media) &&
		     !sluice_quarantine_open(rig->data, &rig->ring, &c.quarantine) &&
		     !sluice_bus_local_open(1, 64 << 20, &c.bus),
	     "node");
	for (i = 0; i < CHUNKS && sent; i++)
		chunk[i] = make_chunk(rig, (unsigned int)i);
	if (!rig->live)
		fill(rig);
	if (rig->stolen)
		steal(rig, c.bus);
	was = listen_to(said);
	sluice_info("a life begins"); /* a line said in the last one is news again */
	if (before && !rig->live)
		before(ctx);
	c.bus->shared = rig->crew;
	life->err = rig->crew ? sluice_crew_open(&c, NULL, &crew) : sluice_worker_open(&c, &w);
	if (rig->live) {
		if (crew)
			wait_held(crew);
		wait_behind();
		if (rig->stolen)
			wait_events(life);
		else
			fill(rig);
		if (before)
			before(ctx);
	}
	for (i = 0; i < CHUNKS && sent && !life->err; i++)
		CHECK(!c.bus->ops->publish(c.bus, chunk[i]));
	if (sent && !life->err)
		wait_for(c.bus, CHUNKS);
	wait_behind();
	if (sent && !life->err)
		wait_parked();
	if (sent && !life->err && rig->digests)
		wait_done(life);
	c.bus->ops->stop(c.bus);
	sluice_worker_close(w);
	sluice_crew_close(crew);
	if (after)
		after(ctx);
	hear(said, was, life->log, sizeof(life->log));
	for (i = 0; i < CHUNKS && sent && life->err; i++)
		sluice_chunk_free(chunk[i]);
	life->aside = atomic_load(&c.bus->aside);
	life->later = atomic_load(&sluice_parked_frames) - later;
	life->deaths = atomic_load(&sluice_sandbox_counts.died) - died;
	life->quarantined = sluice_quarantine_count(c.quarantine);
	sluice_bus_close(c.bus);
	sluice_quarantine_close(c.quarantine);
	sluice_media_close(c.media);
	ERR_clear_error();
	life->left = nth_fault.live - was_live;
}

/* ---- what is there afterwards ---- */

struct look {
	struct worker_rig *rig;
	const struct sluice_camera *camera;
	struct sluice_shelf shelf;
	struct worker_left *left;
};

static void check_key(struct look *l, const char *place, json_t *key)
{
	const char *sequence = json_string_value(json_object_get(key, "sequence"));
	const char *file = json_string_value(json_object_get(key, "file"));
	unsigned long n = sequence ? strtoul(sequence, NULL, 10) : WORKER_RIG_FRAMES;
	uint8_t *data = NULL;
	size_t size = 0;

	CHECK(file && n < WORKER_RIG_FRAMES);
	if (!file || n >= WORKER_RIG_FRAMES)
		return;
	CHECK(!l->shelf.media->ops->get(l->shelf.media, l->camera, place, file, 1 << 20, &data,
					&size));
	CHECK(data && size == l->rig->frame[n].size && !memcmp(data, l->rig->frame[n].jpeg, size));
	free(data);
}

static int look_at_summary(void *ctx, const struct sluice_camera *c,
			   const struct sluice_index_summary *s)
{
	char place[SLUICE_MEDIA_PLACE];
	struct look *l = ctx;
	json_t *o, *key;
	size_t i;

	if (strcmp(c->hex, l->camera->hex) != 0)
		return 0;
	o = json_loads(s->json, 0, NULL);
	if (!strcmp(json_string_value(json_object_get(o, "kind")) ?: "", "digest")) {
		json_decref(o);
		l->left->digests++;
		free(l->left->digest);
		l->left->digest = strdup(s->json);
		CHECK(s->media_count == 4);
		return 0;
	}
	l->left->summaries++;
	free(l->left->json);
	l->left->json = strdup(s->json);
	CHECK(json_array_size(json_object_get(o, "keyframes")) == s->media_count);
	json_array_foreach (json_object_get(o, "keyframes"), i, key)
		check_key(l, sluice_media_place(place, s->id, s->token), key);
	json_decref(o);
	return 0;
}

static int look_at_epoch(void *ctx, const struct sluice_camera *c,
			 const struct sluice_index_epoch *e)
{
	struct look *l = ctx;

	CHECK(e->epoch == WORKER_RIG_EPOCH);
	l->left->open += !strcmp(c->hex, l->camera->hex);
	return 0;
}

void worker_rig_look(struct worker_rig *rig, unsigned int camera, struct worker_left *left)
{
	struct look l = { .rig = rig, .camera = rig->camera[camera], .left = left };
	struct store_rig dir = { .ring = rig->ring };

	memset(left, 0, sizeof(*left));
	must(!store_rig_shelf(&dir, rig->data, &l.shelf), "index and media");
	CHECK(!l.shelf.index->ops->summaries_all(l.shelf.index, look_at_summary, &l));
	CHECK(!l.shelf.index->ops->epochs_open(l.shelf.index, look_at_epoch, &l));
	store_rig_close(&l.shelf);
}
