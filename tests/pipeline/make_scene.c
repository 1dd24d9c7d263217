// SPDX-License-Identifier: MIT
/*
 * usage: make_scene OUT.y4m [--size WxH] [--fps N] [--seconds S] [--seed N] [START-END]...
 *
 * A textured, noisy, still scene as YUV4MPEG; during each START-END (seconds) a person-sized
 * textured box walks from one side of the picture to the other. The same seed gives the same bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 32

static uint64_t state = 1;

static uint32_t random_word(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)(z ^ z >> 31);
}

/* Near enough to a normal deviation of 3. */
static int noise(void)
{
	uint32_t r = random_word();

	return (int)((r & 7) + (r >> 8 & 7) - (r >> 16 & 7) - (r >> 24 & 7)) * 3 / 4 / 2;
}

static uint8_t clamp_luma(int v)
{
	return (uint8_t)(v < 16 ? 16 : v > 235 ? 235 : v);
}

struct scene {
	int width, height, fps;
	double seconds;
	double start[EVENTS_MAX], end[EVENTS_MAX];
	int events;
	uint8_t *still, *frame;
};

static void paint_still(struct scene *s)
{
	int x, y;

	for (y = 0; y < s->height; y++)
		for (x = 0; x < s->width; x++)
			s->still[y * s->width + x] =
				clamp_luma(90 + 50 * y / s->height + 20 * ((x / 40 + y / 30) % 2) +
					   (int)(random_word() % 12));
}

static void paint_walker(struct scene *s, double share)
{
	int w = s->width / 12;
	int h = s->height / 3;
	int left = (int)(share * (s->width + w)) - w;
	int top = s->height / 2;
	int x, y;

	for (y = top; y < top + h && y < s->height; y++)
		for (x = left < 0 ? 0 : left; x < left + w && x < s->width; x++)
			s->frame[y * s->width + x] =
				(uint8_t)(((x - left) / 6 + (y - top) / 8) % 2 ? 40 : 200);
}

static void paint_frame(struct scene *s, double t)
{
	int n = s->width * s->height;
	int i;

	memcpy(s->frame, s->still, (size_t)n);
	for (i = 0; i < s->events; i++)
		if (t >= s->start[i] && t <= s->end[i])
			paint_walker(s, (t - s->start[i]) / (s->end[i] - s->start[i]));
	for (i = 0; i < n; i++)
		s->frame[i] = clamp_luma(s->frame[i] + noise());
}

static int write_scene(struct scene *s, const char *path)
{
	size_t luma = (size_t)s->width * (size_t)s->height;
	uint8_t *chroma = malloc(luma / 2);
	FILE *f = fopen(path, "wb");
	int frames = (int)(s->seconds * s->fps);
	int i;

	s->still = malloc(luma);
	s->frame = malloc(luma);
	if (!f || !chroma || !s->still || !s->frame)
		return 1;
	memset(chroma, 128, luma / 2);
	paint_still(s);
	fprintf(f, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n", s->width, s->height, s->fps);
	for (i = 0; i < frames; i++) {
		paint_frame(s, (double)i / s->fps);
		fputs("FRAME\n", f);
		fwrite(s->frame, 1, luma, f);
		fwrite(chroma, 1, luma / 2, f);
	}
	free(chroma);
	free(s->still);
	free(s->frame);
	return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct scene s = { .width = 320, .height = 240, .fps = 10, .seconds = 20 };
	int i;

	for (i = 2; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--size") && sscanf(value, "%dx%d", &s.width, &s.height) == 2)
			i++;
		else if (!strcmp(argv[i], "--fps") && sscanf(value, "%d", &s.fps) == 1)
			i++;
		else if (!strcmp(argv[i], "--seconds") && sscanf(value, "%lf", &s.seconds) == 1)
			i++;
		else if (!strcmp(argv[i], "--seed"))
			state = strtoull(argv[++i < argc ? i : i - 1], NULL, 0) * 2 + 1;
		else if (s.events < EVENTS_MAX &&
			 sscanf(argv[i], "%lf-%lf", &s.start[s.events], &s.end[s.events]) == 2)
			s.events++;
		else
			argc = 0;
	}
	if (argc < 2 || s.width < 16 || s.height < 16 || s.width % 2 || s.height % 2 || s.fps < 1) {
		fputs("usage: make_scene OUT.y4m [--size WxH] [--fps N] [--seconds S] [--seed N] "
		      "[START-END]...\n",
		      stderr);
		return 2;
	}
	return write_scene(&s, argv[1]);
}
