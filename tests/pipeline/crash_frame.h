/* SPDX-License-Identifier: MIT */
/* crash_frame.h - the frames of the crash test: what a device sends follows from camera, epoch and
 * sequence alone, so whoever finds one stored can say whether it is the one. */
#ifndef SLUICE_TEST_CRASH_FRAME_H
#define SLUICE_TEST_CRASH_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define CRASH_CAMERAS 3
#define CRASH_EPOCH   1000 /* frames; then the camera begins another epoch */
#define CRASH_EVENT   40   /* frames of motion; then it is quiet for 20 s */
#define CRASH_STEP_NS 200000000ull

static inline uint64_t crash_time_ns(uint64_t sequence)
{
	return 1000000000u + sequence * CRASH_STEP_NS + sequence / CRASH_EVENT * 20000000000ull;
}

/* A baseline JPEG of 64 x 48 pixels, padded to 2..12 kB by comments; malloc'd, the caller's. */
uint8_t *crash_picture(unsigned int camera, uint64_t epoch, uint64_t sequence, size_t *size);

#endif
