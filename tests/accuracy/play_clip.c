// SPDX-License-Identifier: MIT
/* play_clip.c - a clip file through the whole chain, in its own size and times. */
#include "play.h"

#include <stdio.h>

#include "lib/clip.h"

#define YU12 0x32315559u

struct clip_source {
	struct sluice_clip *clip;
	struct sluice_clip_frame frame;
};

static bool next_frame(void *ctx, const u8 **yuv, double *t_s)
{
	struct clip_source *c = ctx;

	if (sluice_clip_next(c->clip, &c->frame) <= 0)
		return false;
	*yuv = c->frame.data;
	*t_s = c->frame.time_ns * 1e-9;
	return true;
}

int play_clip(struct play *p, const char *path)
{
	struct sluice_clip_options o = { .fourcc = YU12 };
	struct sluice_clip_info i;
	struct clip_source c = { 0 };
	char why[512];
	int err;

	c.clip = sluice_clip_open(path, &o, why, sizeof(why));
	if (!c.clip) {
		fprintf(stderr, "%s\n", why);
		return -1;
	}
	sluice_clip_info(c.clip, &i);
	err = play_run(
		p,
		&(struct play_source){
			.width = i.width, .height = i.height, .next = next_frame, .ctx = &c },
		NULL);
	sluice_clip_close(c.clip);
	return err;
}
