// SPDX-License-Identifier: MIT
/* peers.c - see peers.h. The difference: grey levels against the frame before, more than 25. */
#include "peers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <turbojpeg.h>

#define DIFFERENCE 25

const char *const peer_name[PEER_KINDS] = { "difference", "MOG2", "KNN" };

struct peer {
	enum peer_kind kind;
	uint32_t w, h;
	tjhandle jpeg;
	uint8_t *picture, *before;
	bool seen;
	struct opencv_model *model;
};

struct peer *peer_open(enum peer_kind kind, uint32_t w, uint32_t h)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->kind = kind;
	p->w = w;
	p->h = h;
	p->jpeg = tjInitDecompress();
	p->picture = malloc((size_t)w * h * 3);
	p->before = malloc((size_t)w * h);
	if (!p->jpeg || !p->picture || !p->before)
		abort();
	if (kind != PEER_DIFFERENCE)
		p->model = opencv_open(kind == PEER_KNN, w, h);
	if (kind == PEER_DIFFERENCE || p->model)
		return p;
	peer_close(p);
	return NULL;
}

void peer_close(struct peer *p)
{
	if (!p)
		return;
	tjDestroy(p->jpeg);
	free(p->picture);
	free(p->before);
	if (p->model)
		opencv_close(p->model);
	free(p);
}

static uint32_t difference(struct peer *p, uint8_t *mask)
{
	size_t n = (size_t)p->w * p->h;
	uint32_t set = 0;

	for (size_t i = 0; i < n; i++) {
		mask[i] = p->seen && abs(p->picture[i] - p->before[i]) > DIFFERENCE;
		set += mask[i];
	}
	memcpy(p->before, p->picture, n);
	p->seen = true;
	return set;
}

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

uint32_t peer_frame(struct peer *p, const uint8_t *jpeg, uint32_t size, uint8_t *mask,
		    double *cpu_s)
{
	bool grey = p->kind == PEER_DIFFERENCE;
	uint32_t area;
	double before;

	if (tjDecompress2(p->jpeg, jpeg, size, p->picture, (int)p->w, 0, (int)p->h,
			  grey ? TJPF_GRAY : TJPF_BGR, 0))
		abort();
	before = cpu_now();
	area = grey ? difference(p, mask) : opencv_frame(p->model, p->picture, mask);
	*cpu_s += cpu_now() - before;
	return area;
}
