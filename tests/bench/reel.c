// SPDX-License-Identifier: MIT
/*
 * usage: reel OUT
 *
 * The event of one generated movie of the accuracy suite (a crowd: eight people cross before a
 * drawn place) as the FRAMEs that sluice-relay sends of it with `region = on` and default settings
 * else: through gate, ring, encoder and region mode. On stdout, in JSON: frames, those that are
 * regions, bytes of all. The same program writes the same bytes wherever doubles are IEEE's.
 */
#include "tests/bench/reel.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "relay/payload.h"
#include "tests/accuracy/movie.h"
#include "tools/feed/feed.h"

#define MOVIE	"crowd"
#define SEED	1
#define YU12	0x32315559u
#define ARENA	(128ull << 20)
#define QUALITY 80 /* these are the relay's defaults */
#define KEY_MS	10000
#define STEP_NS 200000000ull /* of the gate, between two frames of an event */

struct recorder {
	struct feed_shm shm;
	struct feed_camera camera;
	struct feed_verdicts verdicts;
	struct relay_ring ring;
	struct relay_payload_maker maker;
	struct relay_region region;
	u64 at;
	FILE *out;
	struct reel_head head;
	u32 event;   /* that is recorded; 0: none has begun */
	u64 base;    /* of the ring: the newest full frame, and its number in the reel */
	u32 base_at; /* ... */
	u64 first_ns, bytes;
	u32 regions;
};

static const struct movie_script *find_script(void)
{
	for (u32 i = 0; i < movie_script_count; i++)
		if (!strcmp(movie_scripts[i].name, MOVIE))
			return &movie_scripts[i];
	return NULL;
}

static int put_payload(struct recorder *r, const struct sluice_ring_desc *d,
		       const struct relay_payload *p, bool region)
{
	struct reel_frame f = { .time_ns = d->time_ns - r->first_ns,
				.base = r->base_at,
				.size = (u32)p->size };
	bool bad = r->head.count == REEL_FRAMES_MAX || fwrite(&f, sizeof(f), 1, r->out) != 1;

	for (unsigned int i = 0; i < p->count && !bad; i++)
		bad = fwrite(p->iov[i].iov_base, p->iov[i].iov_len, 1, r->out) != 1;
	r->head.count++;
	r->head.span_ns = f.time_ns + STEP_NS;
	r->bytes += p->size;
	r->regions += region;
	return bad ? -1 : 0;
}

static int take_record(struct recorder *r, const struct sluice_ring_desc *d)
{
	struct relay_payload p;
	u64 full = r->region.full;

	if (relay_payload_make(&p, &r->maker, &r->ring, d, &r->region, 0))
		return -1;
	if (!d->event || (r->event && d->event != r->event))
		return 0;
	if (!r->event) {
		r->event = d->event;
		r->first_ns = d->time_ns;
	}
	if (r->region.full > full) {
		r->base = d->sequence;
		r->base_at = r->head.count;
	}
	/* a region completes the newest full frame, so there is one base at a time */
	if (r->region.full == full && r->region.base != r->base)
		return -1;
	return put_payload(r, d, &p, r->region.full == full);
}

static int take_records(struct recorder *r)
{
	struct sluice_ring_desc d;

	for (; r->at < relay_ring_head(&r->ring); r->at++)
		if (relay_ring_record(&r->ring, r->at, &d) || take_record(r, &d))
			return -1;
	relay_ring_release(&r->ring, r->at);
	return 0;
}

static int open_recorder(struct recorder *r, const char *path)
{
	struct feed_options o = { .fourcc = YU12 };
	char why[160];

	sluice_settings_default(&o.settings);
	r->camera.shm = &r->shm;
	r->camera.verdicts = &r->verdicts;
	r->maker.encoder = relay_encoder_open(QUALITY, SLUICE_WIRE_PAYLOAD_MAX);
	r->maker.region = (struct relay_region_config){ .on = true, .key_ms = KEY_MS };
	r->head = (struct reel_head){ .magic = REEL_MAGIC, .width = MOVIE_W, .height = MOVIE_H };
	r->out = fopen(path, "wb");
	if (!r->out || !r->maker.encoder || feed_shm_open(&r->shm, "reel", ARENA, 1) ||
	    feed_camera_open(&r->camera, &o, YU12, MOVIE_W, MOVIE_H))
		return -1;
	if (fwrite(&r->head, sizeof(r->head), 1, r->out) != 1)
		return -1;
	return relay_ring_map(&r->ring, r->shm.memfd, r->shm.size, why, sizeof(why));
}

static int record(struct recorder *r, struct movie *m)
{
	static u8 yuv[MOVIE_BYTES];

	for (u32 i = 0; i < movie_frames(m); i++) {
		movie_paint(m, i, yuv, NULL, NULL);
		feed_camera_frame(&r->camera, yuv, sizeof(yuv),
				  1000000000ull + (u64)(movie_time(m, i) * 1e9 + 0.5));
		if (take_records(r))
			return -1;
	}
	feed_camera_end(&r->camera);
	return take_records(r);
}

/* The head again, now that its numbers are known. */
static int finish(struct recorder *r)
{
	bool bad = !r->head.count || fseek(r->out, 0, SEEK_SET) ||
		   fwrite(&r->head, sizeof(r->head), 1, r->out) != 1;

	return fclose(r->out) || bad ? -1 : 0;
}

int main(int argc, char **argv)
{
	static struct recorder r;
	struct ground ground[GROUNDS_MAX];
	const struct movie_script *script = find_script();
	struct movie *m;
	u32 grounds;

	if (argc != 2 || argv[1][0] == '-') {
		fputs("usage: reel OUT\n", stderr);
		return 2;
	}
	grounds = grounds_load(ground, GROUNDS_REPORT, "");
	m = script ? movie_open(script, &ground[grounds - 1], SEED) : NULL;
	if (!m || open_recorder(&r, argv[1]) || record(&r, m) || finish(&r)) {
		fprintf(stderr, "reel: the movie '" MOVIE "' cannot be recorded in %s\n", argv[1]);
		return 1;
	}
	printf("{\"frames\": %u, \"regions\": %u, \"bytes\": %llu, \"picture\": \"%ux%u\"}\n",
	       r.head.count, r.regions, (unsigned long long)r.bytes, r.head.width, r.head.height);
	movie_close(m);
	grounds_free(ground, grounds);
	relay_ring_unmap(&r.ring);
	feed_camera_close(&r.camera);
	feed_shm_close(&r.shm);
	feed_verdicts_free(&r.verdicts);
	relay_region_exit(&r.region);
	relay_encoder_close(r.maker.encoder);
	return 0;
}
