/* SPDX-License-Identifier: MIT */
/* canvas.h - the small grey picture of every stored frame, full or a region of an earlier one. */
#ifndef SLUICE_CANVAS_H
#define SLUICE_CANVAS_H

#include "cloud/analysis.h"
#include "cloud/decode.h"

struct sluice_canvas;

/* Returns NULL when out of memory. */
/* scale: of the pictures, 1, 2, 4 or 8; 0: by their size. */
struct sluice_canvas *sluice_canvas_open(uint32_t scale);
void sluice_canvas_close(struct sluice_canvas *c); /* NULL-safe */

/*
 * The frame's picture, valid until the next call. ops->fetch is asked for a region's base where it
 * is not the full frame that was given last. 0; -EBADMSG: it is no whole picture, or it cannot be
 * put together; -ENOMEM.
 */
int sluice_canvas_frame(struct sluice_canvas *c, const struct sluice_stored_frame *f,
			const struct sluice_analysis_ops *ops, void *ctx, struct sluice_gray *out);

#endif
