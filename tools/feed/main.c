// SPDX-License-Identifier: MIT
/*
 * main.c - sluice-feed: a clip through the gate, into a ring that a reader takes at a socket.
 *
 * Pace. --realtime hands each frame over when its time has come, and a full ring loses it, as with
 * a camera. --fast lets the frames' time run ahead of the clock: it begins so far in the past that
 * the clip ends about now, and waits while the ring is full of records that a reader could release.
 *
 * End. The stream is ended, the reader told, and then waited for until it has released every record
 * or gone. The first SIGINT or SIGTERM ends the clip there; without a reader, or at the second
 * one, the feed leaves at once.
 */
#include "tools/feed/feed.h"
#include "lib/clip.h"
#include "lib/feed.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEC_NS	  1000000000ull
#define MS_NS	  1000000ull
#define WAIT_MS	  2   /* while the ring is full */
#define END_MS	  20  /* while the reader finishes */
#define SLEEP_MS  100 /* at most, between looks at the door */
#define MARGIN_NS SEC_NS

static volatile sig_atomic_t stops;

static void on_signal(int sig)
{
	stops++;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SEC_NS + (uint64_t)t.tv_nsec;
}

struct feed {
	struct feed_options options;
	struct sluice_clip *clip;
	struct sluice_clip_info info;
	struct feed_shm shm;
	struct feed_door door;
	struct feed_verdicts verdicts;
	struct feed_camera camera;
	uint64_t base_ns; /* monotonic time of the first frame */
};

/* So early that a clip of known length, played fast, ends about now. */
static uint64_t choose_base(const struct feed *f)
{
	uint64_t now = now_ns();
	uint64_t length = f->info.duration_ns;

	if (f->options.seconds && length > (uint64_t)(f->options.seconds * 1e9))
		length = (uint64_t)(f->options.seconds * 1e9);
	length *= f->options.loop;
	if (f->options.realtime || now < length + MARGIN_NS)
		return now;
	return now - length;
}

/* Wait until the frame may be handed over. */
static void keep_pace(struct feed *f, uint64_t due_ns, size_t bytes)
{
	uint64_t now;

	if (!f->options.socket) {
		while (f->options.realtime && !stops && (now = now_ns()) < due_ns) {
			uint64_t left = due_ns - now;
			struct timespec t = { (time_t)(left / SEC_NS), (long)(left % SEC_NS) };

			nanosleep(&t, NULL);
		}
		return;
	}
	feed_door_poll(&f->door, &f->shm, 0);
	if (!f->options.realtime) {
		while (!stops && !feed_shm_has_room(&f->shm, bytes))
			feed_door_poll(&f->door, &f->shm, WAIT_MS);
		return;
	}
	while (!stops && (now = now_ns()) < due_ns) {
		uint64_t left_ms = (due_ns - now + MS_NS - 1) / MS_NS;

		feed_door_poll(&f->door, &f->shm, left_ms < SLEEP_MS ? (int)left_ms : SLEEP_MS);
	}
}

/* One pass over the clip. Returns what sluice_clip_next() ended with. */
static int play_once(struct feed *f, uint64_t *base_ns)
{
	size_t cells = ((size_t)f->camera.picture.grid_w * f->camera.picture.grid_h + 7) / 8;
	struct sluice_clip_frame frame;
	uint64_t last = 0;
	int ret = 0;

	while (!stops && (ret = sluice_clip_next(f->clip, &frame)) > 0) {
		if (f->options.seconds && (double)frame.time_ns / 1e9 >= f->options.seconds)
			break;
		last = frame.time_ns;
		if (frame.index % f->options.every)
			continue;
		keep_pace(f, *base_ns + frame.time_ns, frame.len + 8 + cells);
		if (stops)
			break;
		feed_camera_frame(&f->camera, frame.data, frame.len, *base_ns + frame.time_ns);
	}
	*base_ns += last + (f->info.interval_ns ? f->info.interval_ns : SEC_NS / 25);
	return ret < 0 ? ret : 0;
}

static int play(struct feed *f)
{
	uint64_t base_ns = choose_base(f);
	uint32_t i;
	int ret = 0;

	for (i = 0; i < f->options.loop && !ret && !stops; i++) {
		ret = i ? sluice_clip_rewind(f->clip) : 0;
		if (!ret)
			ret = play_once(f, &base_ns);
	}
	feed_camera_end(&f->camera);
	return ret;
}

/*
 * Until every record is released, or the reader that was there has gone. Without a reader: until
 * one comes. A stop before that leaves at once where there is no reader, a further stop in any
 * case.
 */
static void wait_for_reader(struct feed *f)
{
	int stops_before = stops;
	bool had = false;

	while (!feed_shm_released(&f->shm)) {
		bool here = f->door.reader >= 0;

		if (stops > stops_before || (!here && (had || stops)))
			return;
		had |= here;
		feed_door_poll(&f->door, &f->shm, END_MS);
	}
}

static int feed_open(struct feed *f)
{
	struct sluice_clip_options o = { f->options.fourcc, f->options.width, f->options.height };
	char why[256];
	int ret;

	f->clip = sluice_clip_open(f->options.clip, &o, why, sizeof(why));
	if (!f->clip) {
		fprintf(stderr, "sluice-feed: %s\n", why);
		return -1;
	}
	sluice_clip_info(f->clip, &f->info);
	if (f->options.socket) {
		ret = feed_shm_open(&f->shm, f->options.name, f->options.arena_bytes, now_ns());
		if (ret) {
			fprintf(stderr, "sluice-feed: no memory for the ring: %s\n",
				strerror(-ret));
			return -1;
		}
		ret = feed_door_open(&f->door, f->options.socket);
		if (ret) {
			fprintf(stderr, "sluice-feed: cannot listen on %s: %s%s\n",
				f->options.socket, strerror(-ret),
				ret == -EADDRINUSE ? "; another feed may be running there" : "");
			return -1;
		}
		f->camera.shm = &f->shm;
	}
	f->verdicts.lines = f->options.gate_only && f->options.json;
	f->camera.verdicts = &f->verdicts;
	ret = feed_camera_open(&f->camera, &f->options, f->info.fourcc, f->info.width,
			       f->info.height);
	if (ret) {
		fprintf(stderr, "sluice-feed: %s: pictures of %ux%u %s: %s\n", f->options.clip,
			f->info.width, f->info.height, f->info.codec,
			ret == -ENOMEM ? "out of memory"
				       : "outside what the gate knows (16 to 4096 pixels a side)");
		return -1;
	}
	ret = f->options.socket ? feed_control_open(&f->door, &f->camera) : 0;
	if (ret)
		fprintf(stderr, "sluice-feed: cannot listen on %s" SLUICE_FEED_CONTROL ": %s\n",
			f->options.socket, strerror(-ret));
	return ret;
}

static void feed_close(struct feed *f)
{
	feed_door_close(&f->door);
	feed_camera_close(&f->camera);
	feed_shm_close(&f->shm);
	sluice_clip_close(f->clip);
	feed_verdicts_free(&f->verdicts);
}

int main(int argc, char **argv)
{
	static struct feed f = { .shm = { -1, -1 }, .door = { NULL, -1, -1, -1, -1, NULL } };
	struct sigaction sa = { .sa_handler = on_signal };
	int ret;

	ret = feed_options_parse(&f.options, argc, argv);
	if (ret)
		return ret == 1 ? 0 : 2;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);

	ret = feed_open(&f);
	if (!ret) {
		ret = play(&f);
		if (ret)
			fprintf(stderr, "sluice-feed: %s\n", sluice_clip_why(f.clip));
		if (f.options.socket)
			wait_for_reader(&f);
		feed_verdicts_summary(&f.verdicts, &f.options, &f.camera.picture, &f.camera.ledger,
				      sluice_path_epoch(f.camera.path),
				      sluice_clip_damaged(f.clip));
	}
	feed_close(&f);
	return ret ? 1 : 0;
}
