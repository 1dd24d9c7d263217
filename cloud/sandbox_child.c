// SPDX-License-Identifier: MIT
/*
 * sandbox_child.c - the child's end: reads what it is given, runs the analysis, says what comes
 * out.
 *
 * What the libraries do once (read the time zone, seed a hash, look for the processor's features)
 * is done before the rights are given up. Whatever goes wrong with the channel ends the child, and
 * so does want of memory, before anything is said of which a part is missing: the master starts
 * another one. The child ends with its master, too.
 */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "cloud/box.h"
#include "cloud/cage.h"
#include "cloud/child_channel.h"
#include "cloud/decode.h"
#include "cloud/period_make.h"
#include "cloud/sandbox.h"
#include "cloud/starved.h"

#define AREA	 4
#define PROGRESS 5

struct subject {
	uint32_t number;
	char language[16];
	struct sluice_analysis_ops ops;
	struct sluice_analysis *analysis;
};

static struct child {
	const uint8_t *area;
	struct sluice_box_progress *progress;
	struct subject *subject[SLUICE_BOX_SUBJECTS];
	uint32_t bad;
} child;

/* Something is missing of what this child knows, or of what it was about to say: a new one is to
 * make it again. */
static void end_if_starved(void)
{
	if (sluice_starved)
		_exit(SLUICE_SANDBOX_STARVED);
}

/* ---- the channel ---- */

static void say(uint32_t type, uint32_t subject, const void *data, size_t size, const void *more,
		size_t more_size)
{
	const struct sluice_box_header h = { type, subject, size + more_size };

	end_if_starved();
	child_write(&h, sizeof(h));
	child_write(data, size);
	child_write(more, more_size);
}

/* ---- what the analysis tells and asks ---- */

static void on_event(void *ctx, const char *id, const char *json)
{
	struct subject *s = ctx;
	struct sluice_box_event e = { 0 };

	memcpy(e.id, id, 33);
	say(SLUICE_BOX_EVENT, s->number, &e, sizeof(e), json, strlen(json) + 1);
}

static void on_summary(void *ctx, const struct sluice_summary *sum)
{
	struct subject *s = ctx;
	struct sluice_box_summary b = { .epoch = sum->epoch,
					.start_utc_ns = sum->start_utc_ns,
					.end_utc_ns = sum->end_utc_ns,
					.json_size = (uint32_t)strlen(sum->json),
					.media_count = (uint32_t)sum->media_count };
	struct sluice_box_header h = { SLUICE_BOX_SUMMARY, s->number, sizeof(b) };
	size_t i;

	if (sum->media_count > SLUICE_BOX_MEDIA)
		abort();
	end_if_starved();
	memcpy(b.id, sum->id, sizeof(sum->id));
	h.size += b.json_size + 1;
	for (i = 0; i < sum->media_count; i++) {
		memcpy(b.media[i].name, sum->media[i].name, sizeof(b.media[i].name));
		b.media[i].size = sum->media[i].size;
		h.size += sum->media[i].size;
	}
	child_write(&h, sizeof(h));
	child_write(&b, sizeof(b));
	child_write(sum->json, b.json_size + 1);
	for (i = 0; i < sum->media_count; i++)
		child_write(sum->media[i].data, sum->media[i].size);
}

static void on_digest(void *ctx, struct sluice_digest_plan *plan)
{
	struct subject *s = ctx;
	uint8_t *flat;
	size_t size;
	int err = sluice_box_plan_pack(plan, &flat, &size);

	sluice_starved += err == -ENOMEM;
	end_if_starved();
	if (!err) {
		say(SLUICE_BOX_PLAN, s->number, flat, size, NULL, 0);
		free(flat);
	}
	sluice_digest_plan_free(plan);
}

static void on_tally(void *ctx, const struct sluice_tally *t)
{
	struct subject *s = ctx;

	say(SLUICE_BOX_TALLY, s->number, t, sizeof(*t), NULL, 0);
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct subject *s = ctx;
	const struct sluice_box_fetch f = { epoch, sequence };
	struct sluice_box_fetched found;
	struct sluice_box_header h;
	uint8_t *jpeg;
	size_t left;

	*size = 0;
	say(SLUICE_BOX_FETCH, s->number, &f, sizeof(f), NULL, 0);
	child_read(&h, sizeof(h));
	if (h.type != SLUICE_BOX_FETCHED || h.size < sizeof(found))
		_exit(1);
	child_read(&found, sizeof(found));
	left = h.size - sizeof(found);
	if (!found.found)
		return NULL;
	jpeg = malloc(left + 1);
	sluice_starved += !jpeg;
	end_if_starved();
	child_read(jpeg, left);
	*size = left;
	return jpeg;
}

/* A question to the detector, and its answer in *seen. */
static void ask(const struct subject *s, const struct sluice_detector_image *image, uint32_t count,
		struct sluice_box_seen *seen)
{
	struct sluice_box_look l = { .count = count };
	struct sluice_box_header h = { SLUICE_BOX_LOOK, s->number, sizeof(l) };

	for (uint32_t i = 0; i < count; i++) {
		l.picture[i].w = image[i].width;
		l.picture[i].h = image[i].height;
		h.size += (size_t)image[i].width * image[i].height * 3;
	}
	end_if_starved();
	child_write(&h, sizeof(h));
	child_write(&l, sizeof(l));
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t y = 0; y < image[i].height; y++)
			child_write(image[i].data + (size_t)y * image[i].stride,
				    (size_t)image[i].width * 3);
	child_read(&h, sizeof(h));
	if (h.type != SLUICE_BOX_SEEN || h.size != sizeof(*seen))
		_exit(1);
	child_read(seen, sizeof(*seen));
}

static struct sluice_box_seen seen; /* too large for the stack */

static uint32_t on_look_side(void *ctx)
{
	ask(ctx, NULL, 0, &seen);
	return seen.side;
}

static int on_look(void *ctx, const struct sluice_detector_image *image, uint32_t count,
		   struct sluice_detector_answer *a)
{
	size_t left = SLUICE_DETECTOR_AREA;
	uint32_t n = 0;

	for (; n < count && n < SLUICE_DETECTOR_PICTURES; n++) {
		size_t size = (size_t)image[n].width * image[n].height * 3;

		if (size > left)
			break;
		left -= size;
	}
	ask(ctx, image, n, &seen);
	if (!seen.err)
		*a = seen.answer;
	return seen.err;
}

/* ---- what it is given ---- */

static void open_subject(uint32_t number, size_t size)
{
	struct sluice_box_open open;
	struct subject *s = calloc(1, sizeof(*s));

	sluice_starved += !s;
	end_if_starved();
	if (size != sizeof(open) || number >= SLUICE_BOX_SUBJECTS || child.subject[number] || !s)
		_exit(1);
	child_read(&open, sizeof(open));
	s->number = number;
	memcpy(s->language, open.language, sizeof(s->language) - 1);
	open.config.language = s->language;
	s->ops = (struct sluice_analysis_ops){ .event = on_event,
					       .summary = on_summary,
					       .digest = open.digests ? on_digest : NULL,
					       .tally = open.tallies ? on_tally : NULL,
					       .fetch = on_fetch,
					       .look_side = open.looks ? on_look_side : NULL,
					       .look = open.looks ? on_look : NULL };
	s->analysis = sluice_analysis_open(&open.config, &s->ops, s);
	sluice_starved += !s->analysis;
	end_if_starved();
	child.subject[number] = s;
}

static void close_subject(uint32_t number)
{
	struct subject *s = number < SLUICE_BOX_SUBJECTS ? child.subject[number] : NULL;

	if (!s)
		_exit(1);
	sluice_analysis_close(s->analysis);
	free(s);
	child.subject[number] = NULL;
}

static void run_step(struct subject *s, const struct sluice_box_step *step)
{
	struct sluice_stored_frame f;
	const uint8_t *behind = (const uint8_t *)(step + 1);

	switch (step->kind) {
	case SLUICE_STEP_EPOCH:
		sluice_analysis_epoch(s->analysis, step->epoch.epoch, step->epoch.first_ns,
				      step->epoch.first_utc_ns);
		break;
	case SLUICE_STEP_FRAME:
		f = step->frame.f;
		f.cells = step->frame.cells_size ? behind : NULL;
		f.jpeg = behind + step->frame.cells_size;
		if (sluice_sandbox_plant)
			sluice_sandbox_plant(&f);
		child.bad += sluice_analysis_frame(s->analysis, &f) != 0;
		break;
	case SLUICE_STEP_CLOCK:
		sluice_analysis_clock(s->analysis, step->clock.now_ns, (int)step->clock.gate_open,
				      step->clock.delivered, step->clock.counts);
		break;
	case SLUICE_STEP_ZONES:
		sluice_analysis_zones(s->analysis, (const void *)behind);
		break;
	case SLUICE_STEP_FLUSH:
		sluice_analysis_flush(s->analysis);
		break;
	}
	end_if_starved();
}

static void run_batch(uint32_t number, size_t size)
{
	struct subject *s = number < SLUICE_BOX_SUBJECTS ? child.subject[number] : NULL;
	struct sluice_box_done done = { 0 };
	struct sluice_box_run run;
	size_t at = 0;

	if (size != sizeof(run) || !s)
		_exit(1);
	child_read(&run, sizeof(run));
	child.bad = 0;
	for (uint32_t i = 0; i < run.steps; i++) {
		const struct sluice_box_step *step = (const void *)(child.area + at);

		atomic_store(&child.progress->at, i);
		run_step(s, step);
		at += step->size;
	}
	done.bad = child.bad;
	say(SLUICE_BOX_DONE, number, &done, sizeof(done), NULL, 0);
}

static void make_digest(size_t size)
{
	struct subject s = { 0 };
	struct sluice_digest_options o = {
		.seconds = SLUICE_DIGEST_SECONDS, .boxes = true, .fetch = on_fetch, .ctx = &s
	};
	struct sluice_digest_plan *plan = NULL;
	struct sluice_box_done done;
	struct sluice_digest *g = NULL;
	uint8_t *flat = size <= SLUICE_BOX_PLAN_MAX ? malloc(size) : NULL;

	if (!flat)
		_exit(1);
	child_read(flat, size);
	done = (struct sluice_box_done){ .err = sluice_box_plan_unpack(flat, size, &plan) };
	free(flat);
	if (!done.err)
		done.err = sluice_digest_make(plan, &o, &g);
	if (!done.err)
		on_summary(&s, &g->summary);
	sluice_digest_free(g);
	sluice_digest_plan_free(plan);
	say(SLUICE_BOX_DONE, 0, &done, sizeof(done), NULL, 0);
}

static void on_progress(void *ctx, int per_mille)
{
	const struct sluice_box_passed p = { .per_mille = (uint32_t)per_mille };

	say(SLUICE_BOX_PROGRESS, 0, &p, sizeof(p), NULL, 0);
}

static void make_period(size_t size)
{
	struct subject s = { 0 };
	const struct sluice_period_options o = { .fetch = on_fetch,
						 .progress = on_progress,
						 .ctx = &s };
	struct sluice_period_made *made = NULL;
	struct sluice_period *p = NULL;
	struct sluice_box_done done;
	uint8_t *flat = size <= SLUICE_PERIOD_PACKED_MAX ? malloc(size) : NULL;

	if (!flat)
		_exit(1);
	child_read(flat, size);
	done = (struct sluice_box_done){ .err = sluice_period_unpack(flat, size, &p) };
	free(flat);
	if (!done.err)
		done.err = sluice_period_make(p, &o, &made);
	if (!done.err)
		on_summary(&s, &made->summary);
	sluice_period_made_free(made);
	sluice_period_free(p);
	say(SLUICE_BOX_DONE, 0, &done, sizeof(done), NULL, 0);
}

static void serve(void)
{
	struct sluice_box_header h;

	for (;;) {
		child_read(&h, sizeof(h));
		if (h.type == SLUICE_BOX_OPEN)
			open_subject(h.subject, h.size);
		else if (h.type == SLUICE_BOX_CLOSE)
			close_subject(h.subject);
		else if (h.type == SLUICE_BOX_RUN)
			run_batch(h.subject, h.size);
		else if (h.type == SLUICE_BOX_DIGEST)
			make_digest(h.size);
		else if (h.type == SLUICE_BOX_PERIOD)
			make_period(h.size);
		else
			_exit(1);
	}
}

/* ---- start ---- */

static int by_byte(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* What is done once by whoever comes first, and needs files, or asks the system something. */
static void warm_up(void)
{
	uint8_t much[4096] = { 1 };
	static const uint8_t nothing[32];
	struct sluice_decoder *d = sluice_decoder_open();
	struct sluice_gray g;

	tzset();
	/* a sort of more than 1 KiB asks how much memory there is (glibc before 2.37), once */
	qsort(much, sizeof(much), 1, by_byte);
	json_object_seed(0);
	if (d)
		sluice_decode_gray(d, nothing, sizeof(nothing), 8, 8, &g);
	sluice_decoder_close(d);
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD,
		16 << 20); /* pictures come again and again: not from the system */
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

int sluice_sandbox_child(int argc, char **argv)
{
	struct sluice_cage cage;
	char why[160];

	if (argc != 4 || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    getppid() != (pid_t)strtol(argv[1], NULL, 10))
		return 1; /* started by hand, or the master is gone already */
	prctl(PR_SET_NAME, "sluice-analyse");
	cage = (struct sluice_cage){ .memory = strtoull(argv[2], NULL, 10),
				     .nice = (int)strtol(argv[3], NULL, 10) };
	child.area = mmap(NULL, SLUICE_BOX_AREA, PROT_READ, MAP_SHARED, AREA, 0);
	child.progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, PROGRESS, 0);
	if (child.area == MAP_FAILED || child.progress == MAP_FAILED)
		return 1;
	close(AREA);
	close(PROGRESS);
	sluice_starved_watch_json();
	warm_up();
	if (sluice_cage_enter(&cage, why, sizeof(why)))
		return 3;
	say(SLUICE_BOX_READY, 0, NULL, 0, NULL, 0);
	serve();
	return 0;
}
