/* SPDX-License-Identifier: MIT */
/* genl.h - the "sluice" family as the subcommands use it: one socket, one request at a time. */
#ifndef SLUICE_CTL_GENL_H
#define SLUICE_CTL_GENL_H

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <sluice/control.h>

#include "tools/ctl/ctl.h"

struct genl;

/* A camera as GET tells it; strings are copies. */
struct genl_camera {
	uint32_t index, mode, state, video, format, width, height, grid_w, grid_h;
	uint64_t epoch, arena;
	char name[SLUICE_CAMERA_NAME_SIZE], card[64];
	bool reader;
	bool has_setting[SLUICE_SETTING_MAX + 1];
	uint32_t setting[SLUICE_SETTING_MAX + 1];
	uint64_t delivered, pending, bytes_seen, bytes_passed;
	uint64_t count[SLUICE_REASON_COUNT];
	/* by enum sluice_latency_attr; empty from a module that has none */
	struct sluice_latency_histogram latency[SLUICE_LATENCY_MAX + 1];
};

/*
 * Open the socket and find the family. Prints the reason and returns NULL when the module is not
 * there (then it says how to insert it).
 */
struct genl *genl_open(struct ctl *ctl);
void genl_close(struct genl *g); /* NULL-safe */

/* A new request, to which attributes are added; NULL when out of memory. */
struct nl_msg *genl_request(struct genl *g, uint8_t cmd, int flags);

/* Add the CAMERA or NAME attribute from what the user typed. Returns 0 or a negative errno. */
int genl_put_camera(struct nl_msg *m, const char *text);

/*
 * Send m (taken over in any case) and give every camera in the answer to each(). Prints the
 * kernel's own text when it refuses. Returns 0 or a negative errno.
 */
int genl_send(struct genl *g, struct nl_msg *m,
	      void (*each)(void *arg, const struct genl_camera *c), void *arg);

/*
 * The same for a dump of all cameras. One that cameras came or went under is asked for again;
 * each() is called once the list is whole.
 */
int genl_dump(struct genl *g, void (*each)(void *arg, const struct genl_camera *c), void *arg);

/* For genl_send: arg is a struct genl_camera, which becomes a copy of the one in the answer. */
void genl_copy_camera(void *arg, const struct genl_camera *c);

/* One camera by name or index. Prints why not. */
int genl_camera(struct genl *g, const char *text, struct genl_camera *out);

/*
 * Join the event group and give each event to each() until it returns false or ctl_stopped.
 * attr[] is indexed by enum sluice_attr. Returns 0 or a negative errno.
 */
int genl_events(struct genl *g, bool (*each)(void *arg, struct nlattr **attr), void *arg);

#endif
