// SPDX-License-Identifier: MIT
/*
 * main.c - runs the groups of rows and writes bench.json. Started by tests/bench/run, which builds
 * it and passes what it needs in the environment:
 *
 *   BENCH_JSON    file to write (default: standard output, after the table)
 *   BENCH_COMMIT  commit of the tree
 *   BENCH_CLIPS   video files, most wanted first, separated by newlines
 *
 * A ratio is honest only if both sides see the machine in the same state: they alternate, a set of
 * frames each, and the least time of every single frame counts for both (see bench.h). A row that
 * misses its aim is marked and is no failure of the command.
 */
#include "bench.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROWS_MAX   64
#define TURNS_MIN  20
#define BUDGET_US  1000000.0
#define STRING_MAX 320

struct result {
	char name[STRING_MAX], what[STRING_MAX], against[STRING_MAX];
	char unit[32];
	double ours, other, aim; /* in that unit */
};

struct bench {
	struct result row[ROWS_MAX];
	struct {
		char name[STRING_MAX], reason[STRING_MAX];
	} left_out[ROWS_MAX];
	unsigned int rows, lefts;
};

static const struct group {
	const char *name;
	void (*run)(struct bench *b);
} groups[] = {
	{ "luma", bench_luma },		{ "jpeg_dc", bench_jpeg_dc }, { "gate", bench_gate },
	{ "opencv", bench_opencv },	{ "uplink", bench_uplink },   { "wire", bench_wire },
	{ "analysis", bench_analysis },
};

static volatile uint64_t sink;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

/* The whole set once; best keeps the least time of each frame. */
static void one_turn(bench_frame *side, void *context, unsigned int frames, double *best)
{
	for (unsigned int i = 0; i < frames; i++) {
		double start = now_us(), us;

		sink += side(context, i);
		us = now_us() - start;
		best[i] = us < best[i] ? us : best[i];
	}
}

static double mean(const double *v, unsigned int n)
{
	double sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += v[i];
	return sum / n;
}

void bench_pair(struct bench *b, const struct bench_row *row, bench_frame *ours, void *ours_context,
		bench_frame *other, void *other_context, unsigned int frames)
{
	double best_ours[BENCH_FRAMES_MAX], best_other[BENCH_FRAMES_MAX], start = now_us();

	if (b->rows == ROWS_MAX || !frames || frames > BENCH_FRAMES_MAX) {
		bench_left_out(b, row->name, "too many rows, or no frames, or too many");
		return;
	}
	for (unsigned int i = 0; i < frames; i++)
		best_ours[i] = best_other[i] = 1e18;
	for (unsigned int i = 0; i < TURNS_MIN || now_us() - start < BUDGET_US; i++) {
		one_turn(ours, ours_context, frames, best_ours);
		one_turn(other, other_context, frames, best_other);
	}
	bench_figures(b, row, "us/frame", mean(best_ours, frames), mean(best_other, frames));
}

void bench_figures(struct bench *b, const struct bench_row *row, const char *unit, double ours,
		   double other)
{
	struct result *r = &b->row[b->rows];

	if (b->rows == ROWS_MAX) {
		bench_left_out(b, row->name, "too many rows");
		return;
	}
	snprintf(r->name, sizeof(r->name), "%s", row->name);
	snprintf(r->what, sizeof(r->what), "%s", row->what);
	snprintf(r->against, sizeof(r->against), "%s", row->against);
	snprintf(r->unit, sizeof(r->unit), "%s", unit);
	r->ours = ours;
	r->other = other;
	r->aim = row->aim;
	b->rows++;
	printf("%-30s %10.2f %10.2f %-12s %6.3f ", r->name, ours, other, unit, ours / other);
	if (r->aim > 0)
		printf("<= %-5.2f %s", r->aim, ours / other <= r->aim ? "ok  " : "MISS");
	else
		printf("%13s", "");
	printf("  against %s\n", r->against);
	fflush(stdout);
}

void bench_left_out(struct bench *b, const char *name, const char *reason)
{
	printf("%-26s left out: %s\n", name, reason);
	if (b->lefts == ROWS_MAX)
		return;
	snprintf(b->left_out[b->lefts].name, STRING_MAX, "%s", name);
	snprintf(b->left_out[b->lefts++].reason, STRING_MAX, "%s", reason);
}

static int clip_named(char *clip, size_t size)
{
	const char *list = getenv("BENCH_CLIPS");

	while (list && *list) {
		size_t n = strcspn(list, "\n");

		if (n && n < size) {
			memcpy(clip, list, n);
			clip[n] = 0;
			if (!access(clip, R_OK))
				return 0;
		}
		list += n + !!list[n];
	}
	return -ENOENT;
}

uint8_t *bench_clip(struct bench *b, const char *name, unsigned int width, unsigned int height,
		    unsigned int count, const char **source)
{
	static char clip[4096], command[4400];
	size_t size = (size_t)width * height * 3 * count, got = 0;
	uint8_t *frames = malloc(size);
	FILE *f;

	if (clip_named(clip, sizeof(clip))) {
		bench_left_out(b, name, "no clip: install opencv-doc, or set CLIP=file");
		free(frames);
		return NULL;
	}
	/* the runner has exported the name: no quoting in the shell's own words */
	setenv("BENCH_CLIP", clip, 1);
	snprintf(command, sizeof(command),
		 "ffmpeg -v error -nostdin -i \"$BENCH_CLIP\" -vf scale=%u:%u:flags=lanczos "
		 "-frames:v %u -f rawvideo -pix_fmt rgb24 -",
		 width, height, count);
	f = popen(command, "r");
	if (f && frames)
		got = fread(frames, 1, size, f);
	if (!f || pclose(f) || got != size) {
		bench_left_out(b, name, "ffmpeg could not cut frames from the clip");
		free(frames);
		return NULL;
	}
	*source = strrchr(clip, '/') ? strrchr(clip, '/') + 1 : clip;
	return frames;
}

static void machine_name(char *to, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(to, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (!strncmp(line, "model name", 10) && colon) {
			snprintf(to, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
			break;
		}
	}
	if (f)
		fclose(f);
}

static void print_string(FILE *f, const char *key, const char *s, const char *end)
{
	fprintf(f, "\"%s\": \"", key);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		if ((unsigned char)*s >= 0x20)
			fputc(*s, f);
	}
	fprintf(f, "\"%s", end);
}

static int print_json(const struct bench *b, FILE *f)
{
	const char *commit = getenv("BENCH_COMMIT");
	char machine[256];

	machine_name(machine, sizeof(machine));
	fprintf(f, "{");
	print_string(f, "machine", machine, ", ");
	print_string(f, "commit", commit ? commit : "unknown", ",\n\"rows\": [");
	for (unsigned int i = 0; i < b->rows; i++) {
		const struct result *r = &b->row[i];

		fprintf(f, "%s\n{", i ? "," : "");
		print_string(f, "name", r->name, ", ");
		print_string(f, "what", r->what, ",\n ");
		fprintf(f, "\"ours\": %.4f, \"other\": %.4f, ", r->ours, r->other);
		print_string(f, "unit", r->unit, ", ");
		print_string(f, "against", r->against, ",\n ");
		fprintf(f, "\"ratio\": %.4f, ", r->ours / r->other);
		if (r->aim > 0)
			fprintf(f, "\"aim\": %.3f, \"ok\": %s}", r->aim,
				r->ours / r->other <= r->aim ? "true" : "false");
		else
			fprintf(f, "\"aim\": null, \"ok\": true}");
	}
	fprintf(f, "\n],\n\"left_out\": [");
	for (unsigned int i = 0; i < b->lefts; i++) {
		fprintf(f, "%s\n{", i ? "," : "");
		print_string(f, "name", b->left_out[i].name, ", ");
		print_string(f, "reason", b->left_out[i].reason, "}");
	}
	fprintf(f, "\n]}\n");
	return ferror(f) ? -EIO : 0;
}

int main(int argc, char **argv)
{
	static struct bench b;
	const char *path = getenv("BENCH_JSON");
	FILE *f = stdout;
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0); /* children must not say again what waits */
	printf("%-30s %10s %10s %-12s %6s\n", "row", "ours", "other", "", "ratio");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (argc < 2 || !strcmp(argv[1], groups[i].name))
			groups[i].run(&b);
	}
	if (path)
		f = fopen(path, "w");
	if (!f) {
		fprintf(stderr, "bench: cannot write %s: %s\n", path, strerror(errno));
		return 1;
	}
	err = print_json(&b, f);
	if (f != stdout && fclose(f))
		err = -EIO;
	if (err)
		fprintf(stderr, "bench: cannot write %s\n", path ? path : "the result");
	return err ? 1 : 0;
}
