/* SPDX-License-Identifier: MIT */
/* reason.h - names of verdicts, as they stand in JSON and on screens. */
#ifndef SLUICE_REASON_H
#define SLUICE_REASON_H

#include <sluice/ring.h>

/* Lower-case name of an enum sluice_reason ("quiet", "scene_change"), or NULL if the number has
 * none. */
const char *sluice_reason_name(unsigned int reason);

#endif
