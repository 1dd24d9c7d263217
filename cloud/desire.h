/* SPDX-License-Identifier: MIT */
/* desire.h - between a session and the fleet: what is wanted goes down, what is in force comes up.
 * In the thread of the session's loop, but for changed(). */
#ifndef SLUICE_DESIRE_H
#define SLUICE_DESIRE_H

#include "cloud/fleet.h"
#include "cloud/session.h"

/* HELLO: features and allows, words with blanks between. */
void sluice_desire_hello(struct sluice_session *ss, const char *build, const char *features,
			 const char *allows);
/* Its link has ended. */
void sluice_desire_gone(struct sluice_session *ss);
/* SETTINGS of a camera. -EINVAL: malformed. */
int sluice_desire_report(struct sluice_session *ss, uint32_t slot, const uint8_t *json,
			 uint32_t size);
/* CONFIG_RESULT, malformed ones too. */
void sluice_desire_result(struct sluice_session *ss, uint32_t slot, const uint8_t *json,
			  uint32_t size);
/* Ask what is to be asked of its cameras. Often: what is due is looked at. */
void sluice_desire_watch(struct sluice_session *ss);

/* Any thread: what is wanted of that device's cameras may be something else now. */
void sluice_desire_changed(struct sluice_server *s, const char *tenant, const char *device);

#endif
