// SPDX-License-Identifier: MIT
/* watch.c - the module's events, one a line, until interrupted. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/ctl/fields.h"

static const char *const names[] = {
	[SLUICE_EVENT_MOTION_START] = "motion_start",
	[SLUICE_EVENT_MOTION_END] = "motion_end",
	[SLUICE_EVENT_SCENE_CHANGE] = "scene_change",
	[SLUICE_EVENT_STALL] = "stall",
	[SLUICE_EVENT_RESUMED] = "resumed",
	[SLUICE_EVENT_GONE] = "gone",
	[SLUICE_EVENT_OVERRUN] = "overrun",
	[SLUICE_EVENT_SETTINGS] = "settings",
	[SLUICE_EVENT_ATTACHED] = "attached",
	[SLUICE_EVENT_DETACHED] = "detached",
	[SLUICE_EVENT_REFUSED] = "refused",
	[SLUICE_EVENT_COVERED] = "covered",
	[SLUICE_EVENT_DEFOCUSED] = "defocused",
	[SLUICE_EVENT_TURNED] = "turned",
	[SLUICE_EVENT_CLEAR] = "clear",
};

static bool print_event(void *arg, struct nlattr **a)
{
	struct ctl *ctl = arg;
	uint32_t event = a[SLUICE_ATTR_EVENT] ? nla_get_u32(a[SLUICE_ATTR_EVENT]) : 0;
	const char *name =
		event < sizeof(names) / sizeof(names[0]) && names[event] ? names[event] : "unknown";
	const char *camera = a[SLUICE_ATTR_NAME] ? nla_get_string(a[SLUICE_ATTR_NAME]) : "?";
	uint64_t ns = a[SLUICE_ATTR_TIME] ? nla_get_u64(a[SLUICE_ATTR_TIME]) : 0;
	char now[32], fourcc[5] = "";
	time_t t = time(NULL);
	struct tm tm;

	if (a[SLUICE_ATTR_FORMAT])
		field_fourcc(nla_get_u32(a[SLUICE_ATTR_FORMAT]), fourcc);
	gmtime_r(&t, &tm);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (ctl->json)
		printf("{\"time\":\"%s\",\"monotonic_ns\":\"%llu\",\"camera\":\"%s\",\"event\":\"%"
		       "s\"%s%s%s}\n",
		       now, (unsigned long long)ns, camera, name, *fourcc ? ",\"format\":\"" : "",
		       fourcc, *fourcc ? "\"" : "");
	else
		printf("%s %-12s %s%s%s\n", now, camera, name, *fourcc ? " " : "", fourcc);
	fflush(stdout);
	return true;
}

int ctl_watch(struct ctl *ctl, int argc, char **argv)
{
	struct genl *g;
	int err;

	if (argc != 1)
		return ctl_error(ctl, CTL_USAGE, "no arguments");
	g = genl_open(ctl);
	if (!g)
		return CTL_FAILED;
	err = genl_events(g, print_event, ctl);
	genl_close(g);
	return err ? CTL_FAILED : CTL_OK;
}
