/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * gate_state.h - what gate.c, gate_light.c, gate_cell.c and gate_blob.c share; private to them.
 *
 * Units. "Q8": 1 grey level = 256, u16. "Q7": 1 grey level = 128; a difference of two Q8 values
 * fits s16 in Q7, which keeps the loops over cells narrow. Planes named "padded" have a border: a
 * row of w cells takes w + 1 bytes, and a row lies above and below, so that the eight neighbours
 * of any cell can be read.
 */
#ifndef SLUICE_GATE_STATE_H
#define SLUICE_GATE_STATE_H

#include "gate.h"
#include "luma.h"

#define GATE_RAD	 3 /* cells: local light looks at 7x7 */
#define GATE_RING	 8 /* rows kept between the two stages: at least 2 * GATE_RAD + 2 */
#define GATE_LAG	 (GATE_RAD + 1) /* rows from one stage to the next */
#define GATE_CLASSES	 4		/* of equal population, for global light */
#define GATE_BINS	 1024		/* of half a grey level, -256 .. +256 grey */
#define GATE_BINS_SHIFT	 7
#define GATE_TRIALS	 512	   /* cells on which curves of light are compared */
#define GATE_EXPLAINED	 (3 * 128) /* Q7 */
#define GATE_STEADY_MS	 500	   /* a picture unchanged for this long is steady */
#define GATE_LIGHT_SLEW	 8	   /* grey a second by which light may then change */
#define GATE_LIGHT_FREE	 (2 * 128) /* Q7: less than this it may change at any time */
#define GATE_CLASS_MS	 250	   /* the classes are found again this often */
#define GATE_WEIGHT_MS	 2000 /* the local weights are found again this often, a few rows a frame */
#define GATE_TAU_BG	 6400
#define GATE_TAU_DEV	 3200
#define GATE_TAU_DEV_FG	 6400
#define GATE_TAU_LEAK	 30000
#define GATE_TAU_CAND	 400
#define GATE_DT_LEARN	 500 /* ms: longest step of learning */
#define GATE_ILL	 3   /* sixteenths of a global light change that the threshold takes */
#define GATE_ILL_LOCAL	 2   /* the same, local: a quarter, as a shift */
#define GATE_CLIP	 (96 * 128) /* Q7 */
#define GATE_ROWCLIP	 (12 * 128) /* Q7 */
#define GATE_DEV_MIN	 128	    /* Q8: start value, and what warm-up adds */
#define GATE_DEV_MAX	 (16 * 256) /* Q8: most that warm-up leaves */
#define GATE_HOLD	 8	    /* ticks of 100 ms: longer unchanged is still */
#define GATE_ABSORB	 50	    /* ticks: background takes it over */
#define GATE_SETTLE_PCT	 8	    /* still cells: more is a scene that settled */
#define GATE_NUIS_ADD	 32
#define GATE_NUIS_MIN	 64
#define GATE_LOW	 8  /* q of a low cell, 1/16 T */
#define GATE_HIGH	 16 /* q of a high cell */
#define GATE_AGE_MS	 8  /* unit of age */
#define GATE_TRACES	 16
#define GATE_JUMP	 20 /* half cells: farthest jump of a thing between two frames */
#define GATE_WARM_FRAMES 5
#define GATE_SCENE_MS	 150

/* A horizontal stretch of low and high cells, x0 <= x < x1, and sums of its blob in the root. */
struct gate_run {
	u16 y, x0, x1;
	u16 root;  /* union-find: index of a run that is not later than this one */
	u16 high;  /* holds an active high cell */
	u16 trace; /* of a root that qualifies: index + 1 of its trace, 0 if there was no room */
	u32 mass;  /* of active cells, 1/16 T */
	u32 confirmed; /* mass of cells old enough */
	u32 settled;   /* ... and seen in three frames: at low frame rates two may be chance */
	u32 preceded;  /* mass of cells that had a predecessor in the frame before */
};

/*
 * Where a qualified blob was, to know it again when it jumps more than its own length: then no cell
 * of it has a predecessor.
 */
struct gate_trace {
	s16 x0, x1, y0, y1; /* box, exclusive */
	s16 dx, dy;	    /* half cells it moved since the frame before */
	u16 age;	    /* GATE_AGE_MS since it was seen first */
	u16 steps;	    /* frames in which it was known again */
	u32 mass;
};

struct gate_traces {
	u32 count;
	struct gate_trace at[GATE_TRACES];
};

/* The low and high cells of one row, and what learning makes of them. */
struct gate_spot {
	u16 x, e;
	u16 bg, dev, cand;
	u8 cage, onset, high, reserved;
};

struct gate_spots {
	u32 count;
	struct gate_spot *spot; /* w of them */
};

struct sluice_gate {
	struct sluice_gate_config config;
	u32 w, h, n;
	u32 pitch;  /* bytes from row to row of a padded plane: w + 1 */
	u32 padded; /* bytes of a padded plane */

	/* Clocks. */
	u32 frames;	/* since warm-up began, saturating */
	u32 warm_ms;	/* of warm-up */
	u32 dither;	/* 0..32767: rounding offset of this frame's learning, equidistributed */
	u32 tick_ms;	/* rest of the 100 ms tick */
	u32 ticks;	/* whole ticks in this frame, at most 5 */
	u32 env_ms;	/* rest of 400 ms */
	u32 nuis_ms;	/* rest of 800 ms */
	u32 age_ms;	/* rest of GATE_AGE_MS */
	u32 age_step;	/* of this frame, in GATE_AGE_MS */
	u32 class_ms;	/* since the classes were found */
	u32 weight_due; /* rows * ms owed to the local weights */
	u32 weight_row; /* next row of local weights */
	u32 scene_ms;	/* high cells above the scene limit for this long */
	u32 scene_run;	/* ... and for so many frames */
	bool warm;	/* warm-up is over */
	bool mapped;	/* map is not all 16 */
	bool aged;	/* age holds something */
	bool nuisance;	/* nuis holds something */
	bool lit;	/* light holds something */
	bool held;	/* light_was holds something */

	/* Steps of learning for this frame's dt, in 1/65536 (cand) or 1/32768 of Q7 differences. */
	u32 a_bg, a_dev, a_dev_fg, a_leak, a_cand;

	/* Global light of this frame, by background level: Q7. */
	s16 *light;		      /* 256 */
	s16 *light_was;		      /* 256: of the frame before */
	u16 *sample;		      /* GATE_TRIALS cells as they were at the last class_ms */
	u32 steady_ms;		      /* since the sample changed or light began */
	u16 *class_base;	      /* 256: bin 0 of the class of a background level, in hist */
	u32 class_mean[GATE_CLASSES]; /* Q8 */
	u32 class_cells[GATE_CLASSES];

	u32 high;  /* high cells of this frame */
	u32 low;   /* low and high cells of this frame */
	u32 still; /* those that have not changed for GATE_HOLD */
	u32 runs, runs_max;
	struct gate_traces *trace; /* 2: of this frame and the one before, by turns */
	u32 turn;

	/* Planes of n cells. */
	u16 *bg;     /* Q8 background */
	s16 *dev;    /* Q8 mean absolute deviation */
	u16 *cand;   /* Q7 value that may become background */
	s16 *weight; /* Q14: B of the cell / sum of B around it, B = background + 4 grey */
	u8 *cage;    /* ticks for which cand has held */
	u8 *map;     /* threshold factor, 1/16 */
	/* Padded planes; the pointer is cell 0,0. */
	u8 *q;	  /* e in 1/16 T if low or high, else 0; after the blobs: age + 1 */
	u8 *age;  /* cells of qualified blobs: age + 1 in GATE_AGE_MS, else 0 */
	u8 *nuis; /* onsets, decaying */
	u8 *env;  /* quarter grey: largest e of late */

	/* Scratch. */
	u16 *row_low;	 /* h: low and high cells in each row */
	u16 *hist;	 /* GATE_CLASSES * GATE_BINS */
	s16 *ring_d;	 /* GATE_RING rows: change after global light, Q7 */
	s16 *ring_d1;	 /* ... after row bands */
	s16 *ring_t;	 /* ... clipped, in 1/8 grey, for the local sums */
	s16 *ring_shade; /* GATE_LAG rows: global light of each cell, Q7 */
	s16 *col;	 /* w + 2 * GATE_RAD: sums of ring_t over 7 rows; the pointer is column 0 */
	s16 *box;	 /* w: sums of col over 7 columns */
	u16 *e, *t;	 /* w: unexplained change and threshold, Q7 */
	u8 *hit;	 /* w, and 8 of slack: 1 where 2e >= t */
	struct gate_spots spots[2];
	struct gate_run *run;
};

static inline u32 gate_abs(s32 v)
{
	return v < 0 ? -v : v;
}

/* Largest of a cell of a padded plane and its eight neighbours. */
static inline u8 gate_max9(const u8 *p, u32 pitch)
{
	const u8 *a = p - pitch - 1, *b = p - 1, *c = p + pitch - 1;
	u8 m = max(max(a[0], a[1]), a[2]);

	m = max(m, max(max(b[0], b[1]), b[2]));
	return max(m, max(max(c[0], c[1]), c[2]));
}

/* gate_light.c */
void gate_light_class(struct sluice_gate *g); /* find classes of background luma */
void gate_light_measure(struct sluice_gate *g, const u16 *cell);      /* fill light[] */
void gate_light_hold(struct sluice_gate *g, const u16 *cell, u32 dt); /* no jump without cause */
void gate_light_sample(struct sluice_gate *g, const u16 *cell);	      /* keep what is compared */
void gate_light_weigh(struct sluice_gate *g, u32 y);		      /* local weights of a row */

/* gate_cell.c: fills q, row_low, high, low; learns. */
void gate_cell_scan(struct sluice_gate *g, const u16 *cell);

/* gate_blob.c: needs q, row_low; fills r and bits. */
void gate_blob_judge(struct sluice_gate *g, struct sluice_gate_result *r, u8 *bits);

#endif
