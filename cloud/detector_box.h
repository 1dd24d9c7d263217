/* SPDX-License-Identifier: MIT */
/*
 * detector_box.h - what the node and the process of a detector say to each other.
 *
 * Both are the same binary, so structs travel as they are; pointers never do. A stream socket: a
 * header, then size bytes. Pictures lie in shared memory that only the node can write to.
 *
 *	node			process
 *	CONFIG			READY, or FAILED and its end
 *	LOOK			FOUND ..., DONE
 *
 * The process may have been taken over by what it has loaded: the node looks at all that it says
 * before any of it is used.
 */
#ifndef SLUICE_DETECTOR_BOX_H
#define SLUICE_DETECTOR_BOX_H

#include <stdint.h>

#include <sluice/detector.h>

#define SLUICE_DETECTOR_AREA	 (16u << 20) /* bytes */
#define SLUICE_DETECTOR_PICTURES 16u	     /* of one LOOK */
#define SLUICE_DETECTOR_WHY	 256u

enum sluice_detector_message {
	SLUICE_DETECTOR_CONFIG = 1, /* the text and its 0 */
	SLUICE_DETECTOR_LOOK,

	SLUICE_DETECTOR_READY = 64,
	SLUICE_DETECTOR_FAILED, /* char[SLUICE_DETECTOR_WHY] */
	SLUICE_DETECTOR_FOUND,
	SLUICE_DETECTOR_DONE,
};

struct sluice_detector_header {
	uint32_t type, size;
};

struct sluice_detector_look {
	uint32_t count, left_ms;
	struct {
		uint32_t offset, w, h, stride; /* of the area */
	} picture[SLUICE_DETECTOR_PICTURES];
};

struct sluice_detector_ready {
	char name[SLUICE_DETECTOR_NAME_MAX];
	uint32_t batch_max, side, class_count, load_ms;
	/* then class_count names of SLUICE_DETECTOR_NAME_MAX bytes each */
};

/* Of the pictures first .. first + count - 1. */
struct sluice_detector_found {
	uint32_t first, count;
	uint32_t boxes[SLUICE_DETECTOR_PICTURES]; /* of each */
	/* then struct sluice_detector_box, all of the first one, then all of the next, ... */
};

struct sluice_detector_done {
	int32_t err; /* of detect() */
	uint32_t zero;
	char why[SLUICE_DETECTOR_WHY];
};

/* Is this a name that may stand in a summary? class: with spaces and capitals too. */
int sluice_detector_name_ok(const char *name, int class);

#define SLUICE_DETECTOR_WORD "detector-host"
/* The process' end: what sluice-cloud does when it finds itself started as one. */
int sluice_detector_host(int argc, char **argv);

#endif
