/* SPDX-License-Identifier: MIT */
/* reason.h - names of enum sluice_reason, for JSON and for people. */
#ifndef SLUICE_LIB_REASON_H
#define SLUICE_LIB_REASON_H

#include <stdint.h>
#include <sluice/ring.h>

enum sluice_reason_class { SLUICE_DROPPED, SLUICE_PASSED, SLUICE_LOST };

/* "scene_change"; NULL if there is no such reason. */
const char *sluice_reason_name(unsigned int reason);

/* "ring full"; NULL if there is no such reason. */
const char *sluice_reason_text(unsigned int reason);

enum sluice_reason_class sluice_reason_class(unsigned int reason);

/* The reason of a name, or SLUICE_REASON_NONE. */
enum sluice_reason sluice_reason_find(const char *name);

/* Frames of one class in a ledger's counts[SLUICE_REASON_COUNT]. */
uint64_t sluice_reason_sum(const uint64_t *counts, enum sluice_reason_class class);

#endif
