/* SPDX-License-Identifier: MIT */
/* summary.h - an event as the JSON of docs/api.md. */
#ifndef SLUICE_SUMMARY_H
#define SLUICE_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "cloud/events.h"
#include "cloud/keyframes.h"
#include "cloud/track_facts.h"

#define SLUICE_SUMMARY_VERSION 1

/* What the JSON needs beside the event. */
struct sluice_summary_facts {
	const char *camera;
	uint64_t epoch, first_utc_ns; /* UTC of second 0 */
	uint32_t w, h, scale;	      /* analysed picture; boxes are told in the camera's pixels */
	uint32_t width, height;	      /* the camera's picture */
	bool continued;
	const struct sluice_analysis_config *config; /* zones and lines */
	const struct sluice_scale *people;	     /* how tall they are here; may be NULL */
	uint64_t seen, passed;
	const char *const *lost_names; /* NULL-terminated */
	const uint64_t *lost;	       /* one for each name */
};

/* Seconds of a stream as UTC, to the microsecond; the only way, so that what is said of a summary
 * beside its JSON (a row of the index) is what a rebuild finds in it. */
static inline uint64_t sluice_summary_utc(uint64_t first_utc_ns, double t_s)
{
	return first_utc_ns + (uint64_t)(t_s * 1e6 + 0.5) * 1000;
}

/* Members of o: key, as RFC 3339 to the millisecond, and key_ns, in decimal. */
static inline void sluice_summary_time(json_t *o, const char *key, const char *key_ns, uint64_t ns)
{
	time_t s = ns / 1000000000;
	struct tm tm;
	char text[64];
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03uZ", (unsigned int)(ns / 1000000 % 1000));
	json_object_set_new(o, key, json_string(text));
	snprintf(text, sizeof(text), "%llu", (unsigned long long)ns);
	json_object_set_new(o, key_ns, json_string(text));
}

/* 32 hex digits of SHA-256 over camera, version, epoch, start and part. */
void sluice_summary_id(const char *camera, uint64_t epoch, double start_s, uint32_t part,
		       char id[33]);

/* A malloc'd JSON text, or NULL. files[i] is the file name of keyframe i. */
char *sluice_summary_json(const struct sluice_event_log *e, const char *id,
			  const struct sluice_summary_facts *f, const struct sluice_keyframe *keys,
			  const char (*files)[48], uint32_t key_count);

/* The JSON of an event's start, malloc'd, or NULL. box: where it was first seen, or NULL. */
char *sluice_summary_event_json(const struct sluice_event_log *e,
				const struct sluice_summary_facts *f, const struct sluice_box *box);

#endif
