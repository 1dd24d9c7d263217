/* SPDX-License-Identifier: MIT */
/* api_state.h - what the routes share over all loops; each part can be called from any thread. */
#ifndef SLUICE_API_STATE_H
#define SLUICE_API_STATE_H

#include "cloud/audit.h"
#include "cloud/desk.h"
#include "cloud/shelf.h"
#include "cloud/slow.h"
#include "cloud/stream.h"
#include "cloud/throttle.h"

#define SLUICE_PASSWORDS_MAX 32	 /* that wait: some seconds of work */
#define SLUICE_READS_MAX     256 /* files that are waited for */

struct sluice_api {
	struct sluice_desk *desk;   /* NULL: the data bases are files of this machine */
	struct sluice_slow *slow;   /* passwords */
	struct sluice_slow *reader; /* files */
	struct sluice_shelf shelf;  /* the reader's thread's own */
	struct sluice_stream *stream;
	struct sluice_throttle *throttle;
	struct sluice_auditor *auditor;
	struct sluice_auth_lives lives;
};

struct sluice_cloud_conf;

/* data: the node's directory, borrowed; so is media. Prints what is wrong; -errno. */
int sluice_api_open(const char *data, const struct sluice_cloud_conf *conf,
		    struct sluice_media *media, struct sluice_api **out);
/* While the loops are still there: nothing is begun any more, what waits is finished. NULL-safe. */
void sluice_api_stop(struct sluice_api *a);
/* When no loop runs any more. NULL-safe. */
void sluice_api_close(struct sluice_api *a);

#endif
