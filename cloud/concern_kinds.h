/* SPDX-License-Identifier: MIT */
/* concern_kinds.h - what an event may be of concern for (concerns.h), by name in its summary. */
#ifndef SLUICE_CONCERN_KINDS_H
#define SLUICE_CONCERN_KINDS_H

enum sluice_concern_kind {
	SLUICE_CONCERN_ZONE,	/* something was in a zone that is of concern */
	SLUICE_CONCERN_LINE,	/* something crossed a line in a direction that is of concern */
	SLUICE_CONCERN_NIGHT,	/* a person or vehicle, in the hours that are named as night */
	SLUICE_CONCERN_LOITER,	/* a person stood for a minute */
	SLUICE_CONCERN_LEFT,	/* something was left */
	SLUICE_CONCERN_REMOVED, /* something was taken away */
	SLUICE_CONCERN_CAMERA,	/* the camera was moved */
	SLUICE_CONCERN_RUN,	/* a person was as fast as who runs */
	SLUICE_CONCERN_MANY,	/* many at once */
	SLUICE_CONCERNS
};

static inline const char *sluice_concern_name(enum sluice_concern_kind kind)
{
	static const char *const names[SLUICE_CONCERNS] = {
		"zone",	   "line",	   "night",   "loitering", "left",
		"removed", "camera_moved", "running", "many",
	};

	return names[kind];
}

#endif
