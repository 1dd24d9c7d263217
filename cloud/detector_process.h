/* SPDX-License-Identifier: MIT */
/*
 * detector_process.h - the life of a detector's process, and the channel to it. One thread uses it;
 * the area may be written by whoever that thread has agreed with.
 */
#ifndef SLUICE_DETECTOR_PROCESS_H
#define SLUICE_DETECTOR_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cloud/detector.h"

/* The longest message: all class names. */
#define SLUICE_DETECTOR_REPLY_MAX                                       \
	(sizeof(struct sluice_detector_ready) +                         \
	 SLUICE_DETECTOR_CLASS_MAX * (size_t)SLUICE_DETECTOR_NAME_MAX + \
	 SLUICE_DETECTOR_PICTURES * SLUICE_DETECTOR_BOX_MAX * sizeof(struct sluice_detector_box))

struct sluice_detector_process {
	struct sluice_detector_config c;
	char *text; /* of its configuration, with the 0 */
	size_t text_size;
	char folder[4096];
	const atomic_int *stopping;
	uint8_t *area; /* one for all of its lives; it can only be read there */
	int area_fd;
	pid_t pid; /* 0: none */
	int fd;
	struct sluice_detector_ready ready;
	char (*classes)[SLUICE_DETECTOR_NAME_MAX];
	char death[SLUICE_DETECTOR_WHY + 96];
	_Alignas(8) uint8_t reply[SLUICE_DETECTOR_REPLY_MAX];
};

/* Reads the configuration and makes the area; no process yet. stopping: looked at while waiting. 0,
 * or -errno with death saying why. */
int detector_process_init(struct sluice_detector_process *p, const struct sluice_detector_config *c,
			  const atomic_int *stopping);
/* Safe on one that is all zero. */
void detector_process_exit(struct sluice_detector_process *p);

/*
 * The calls below: 0; -ECANCELED: stopping; or it is dead now and death says of what: -EPIPE,
 * -ETIMEDOUT (it hung), -EBADMSG (it said what it may not say).
 */

/* Starts it and waits until it is ready. -ENOEXEC: it said itself why it cannot be. */
int detector_process_start(struct sluice_detector_process *p);

/* found is told of each FOUND, checked. Other than 0 in *err: what detect() said, why in death. */
int detector_process_look(struct sluice_detector_process *p, const struct sluice_detector_look *l,
			  uint64_t hang_ms, int *err,
			  void (*found)(void *ctx, const struct sluice_detector_found *f,
					const struct sluice_detector_box *box),
			  void *ctx);

/* why NULL: it has closed the channel, or will. Ends it for good. */
void detector_process_bury(struct sluice_detector_process *p, const char *why);

uint64_t detector_now_ms(void);

#endif
