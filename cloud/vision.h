/* SPDX-License-Identifier: MIT */
/*
 * vision.h - a thread of lowest priority that asks a vision endpoint about events, after their
 * summaries are stored and told. Off unless [vision] enabled says otherwise.
 */
#ifndef SLUICE_VISION_H
#define SLUICE_VISION_H

#include "cloud/vision_budget.h"
#include "cloud/worker.h"

#define SLUICE_VISION_WAITING_MAX 64 /* events; of more, the newest is not asked about */

struct sluice_cloud_conf;
struct sluice_vision;

/* What [vision] says. Texts are the conf's, but for the key. */
struct sluice_vision_settings {
	const char *url, *ca, *model, *cameras;
	char key[256]; /* "": none is sent */
	unsigned int timeout_ms, language, format, tokens, pictures, side, threat;
	struct sluice_vision_limits limits;
};

struct sluice_vision_config {
	struct sluice_vision_settings settings; /* copied; its texts are borrowed */
	const char *data;			/* the rest: borrowed */
	struct sluice_media *media;
	const struct sluice_sandbox_config *sandbox; /* NULL: pictures are made in this process */
	const struct sluice_worker_ops *ops;	     /* summary() is called in the thread */
	int shared;				     /* other processes put summaries too */
	void *ctx;
};

/* 0; 1: it is off; -errno with a sentence in why. */
int sluice_vision_settings_read(const struct sluice_cloud_conf *c, struct sluice_vision_settings *s,
				char *why, size_t why_size);

/* Is this camera among those of [vision] cameras: "*", "TENANT/" and a star, a name, an id? */
bool sluice_vision_wants(const char *cameras, const struct sluice_camera *c);

/* Opens an index of its own and starts the thread. c is copied. */
int sluice_vision_open(const struct sluice_vision_config *c, struct sluice_vision **out);

/* A summary was told: perhaps it is to be asked about. From any thread, and it does not wait.
 * NULL-safe. */
void sluice_vision_offer(struct sluice_vision *v, const struct sluice_camera *c, const char *id);

/* Breaks off the present call; what waits is not asked about any more. NULL-safe. */
void sluice_vision_close(struct sluice_vision *v);

#endif
