/* SPDX-License-Identifier: GPL-2.0 */
/* stage.h - where tapped frames wait for the gate, so that the application does not. */
#ifndef SLUICE_STAGE_H
#define SLUICE_STAGE_H

#include "camera.h"

#define SLUICE_STAGE_FRAMES 2

struct sluice_stage;

/*
 * A stage with a thread of its own that hands frames to the camera's flow. bytes: what a frame has,
 * most likely; its memory is made now. Returns NULL if there is no memory or thread. May sleep.
 */
struct sluice_stage *sluice_stage_create(struct sluice_camera *cam, size_t bytes);

/* Wait for the frames that are on it, end the thread, free. NULL is fine. Nobody begins any more.
 */
void sluice_stage_free(struct sluice_stage *s);

/*
 * Get the next place, waiting for one; then copy one frame, of that format, to it, with the queue's
 * lock held, as it was not before; then let the flow have it. Nobody else does in between. A frame
 * that finds no memory is LATE. f->data NULL: LATE or ERRORFLAG, in order behind the others.
 */
void sluice_stage_begin(struct sluice_stage *s);
void sluice_stage_copy(struct sluice_stage *s, const struct sluice_format *format,
		       const struct sluice_frame *f);
void sluice_stage_end(struct sluice_stage *s);

/* Wait until the flow has had all frames given so far. */
void sluice_stage_flush(struct sluice_stage *s);

#endif
