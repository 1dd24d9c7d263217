/* SPDX-License-Identifier: MIT */
/*
 * tuner.h - what is proposed for the gates of cameras, what of it is in force, and how it goes
 *back: between what was counted (index), what speaks for it (retune.h) and what is wanted (fleet).
 *
 * A camera has a document of kind SLUICE_FLEET_RETUNE, from its first proposal on:
 *
 *	{"version","mode":WORD,
 *	 "proposal":{"at_ns","tuning","why","raised","lowered","preset":BOOL,"counts"},
 *	 "applied":{"at_ns","by","tuning","why","preset","settings","misses":[samples,missed],
 *		    "from":{"tuning","preset"}},
 *	 "held_ns","history":[{"at_ns","by","what","why","tuning"}]}
 *
 * All but "version" may be absent. "applied" is the lowest layer of what is wanted of the camera:
 * whatever people want goes over it. "preset": the preset is wanted too. "settings": the version of
 * the device's settings before. "from": what goes back; absent once it has gone back.
 */
#ifndef SLUICE_TUNER_H
#define SLUICE_TUNER_H

#include <jansson.h>

#include "cloud/fleet.h"
#include "cloud/index.h"
#include "cloud/retune.h"

enum sluice_retune_mode {
	SLUICE_RETUNE_OFF,     /* nothing is counted or proposed of the camera */
	SLUICE_RETUNE_PROPOSE, /* people decide */
	SLUICE_RETUNE_APPLY,   /* what is proposed is wanted at once */
};

struct sluice_retune_config {
	enum sluice_retune_mode mode; /* of cameras that have none of their own */
	uint64_t every_ns;	      /* between two proposals of a camera: a day */
	uint32_t days;		      /* that are looked at: 7 */
	struct sluice_retune_limits limits;
};

/* Borrowed; of one thread, as its index. */
struct sluice_tuner {
	struct sluice_fleet *fleet;
	struct sluice_index *index;
	const struct sluice_retune_config *c;
};

/* "off", "propose", "apply"; -1: none of them. */
int sluice_retune_mode_of(const char *word);
const char *sluice_retune_mode_name(enum sluice_retune_mode mode);

/* Is it counted what the gate of that camera does? Its own mode says so, else that of the
 * configuration; what cannot be known for want of memory is counted. fleet NULL: nobody has one of
 * his own. */
bool sluice_tuner_counts(const struct sluice_tuner *t, const struct sluice_camera *camera);

/*
 * Has more been missed since a change was applied? Then it goes back. Else, unless something was
 * proposed or applied within every_ns (asked: nevertheless), what was counted is looked at, and
 * what it speaks for is proposed; in mode apply it is applied. 1: something else is wanted of the
 * camera now; 0; -errno. Somebody else who changes the document meanwhile wins.
 */
int sluice_tuner_look(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      uint64_t now_ns, int asked);

/* What is proposed is wanted from now on; by: who says so. -ENOENT: nothing is proposed; -EPERM: it
 * is left alone, see sluice_tuner_left(); -ESTALE: if_version (NULL: any) is not that which is
 * there. */
int sluice_tuner_apply(const struct sluice_tuner *t, const struct sluice_camera *camera,
		       const char *by, const int64_t *if_version, uint64_t now_ns);
/* What was applied last goes back; rises are held for two weeks. -ENOENT: there is nothing to go
 * back to. */
int sluice_tuner_back(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      const char *by, const int64_t *if_version, uint64_t now_ns);
/* mode NULL: that of the configuration. */
int sluice_tuner_mode(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      const char *mode, const int64_t *if_version);

/* Why nothing is proposed or applied, for people, static; NULL: it may be. */
const char *sluice_tuner_left(const struct sluice_tuner *t, const struct sluice_camera *camera);

/* How it stands, for people (docs/api.md). A new reference; NULL: out of memory. */
json_t *sluice_tuner_json(const struct sluice_tuner *t, const struct sluice_camera *camera);

#endif
