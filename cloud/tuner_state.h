/* SPDX-License-Identifier: MIT */
/* tuner_state.h - what the files of the tuner share; nobody else includes it. */
#ifndef SLUICE_TUNER_STATE_H
#define SLUICE_TUNER_STATE_H

#include "cloud/tuner.h"

#define TUNER_DAY_NS 86400000000000ull

/* A camera, as it stands. */
struct tuner_standing {
	const struct sluice_camera *camera;
	json_t *doc;	   /* owned; an empty one if there is none */
	int64_t version;   /* of it; 0: there is none */
	json_t *report;	   /* owned; NULL: there is none */
	json_t *people;	   /* owned; what people want */
	uint32_t settings; /* version in force */
};

/* What was counted of it. */
struct tuner_sum {
	uint32_t settings;
	uint32_t first_day, last_day;
	struct sluice_tally total;
};

static inline uint64_t tuner_ns(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static inline const char *tuner_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* 0 or -ENOMEM: then there is nothing to let go. */
int tuner_read(const struct sluice_tuner *t, const struct sluice_camera *c,
	       struct tuner_standing *s);
void tuner_let_go(struct tuner_standing *s);

enum sluice_retune_mode tuner_mode_of(const struct sluice_tuner *t, const struct tuner_standing *s);
/* Why nothing is proposed or applied; NULL: it may be. */
const char *tuner_left_alone(const struct sluice_tuner *t, const struct tuner_standing *s);
/* What the gate is set to, as far as it is of concern here. -EINVAL: no such grid. */
int tuner_present(const struct tuner_standing *s, const struct sluice_tiles *g,
		  struct sluice_tuning *now);

/* Under the settings in force, from a day on; of the days that are looked at. 0 or -errno. */
int tuner_count(const struct sluice_tuner *t, const struct tuner_standing *s, uint32_t from_day,
		struct tuner_sum *sum);
int tuner_count_present(const struct sluice_tuner *t, const struct tuner_standing *s,
			uint64_t now_ns, struct tuner_sum *sum);
/* A new reference; NULL: out of memory. */
json_t *tuner_counts_json(const struct tuner_sum *s);

#endif
