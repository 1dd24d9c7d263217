/* SPDX-License-Identifier: MIT */
/*
 * service.h - what makes a service of the node: systemd is told (sd_notify), SIGHUP reads the
 * settings anew, and DATA/control answers `sluice-cloud status`. Loop 0's thread.
 */
#ifndef SLUICE_CLOUD_SERVICE_H
#define SLUICE_CLOUD_SERVICE_H

#include <time.h>

#include "cloud/conf.h"
#include "lib/notify.h"

#define SLUICE_CONTROL_MAX 65536 /* bytes of its answer */

struct sluice_server;
struct sluice_io_listener;
struct sluice_tls_ctx;

struct sluice_service {
	struct sluice_notify notify;
	const char *path; /* as --config said */
	const struct sluice_conf_said *said;
	size_t said_count;
	struct sluice_cloud_conf conf[2]; /* the present one, and the one before */
	unsigned int at;		  /* which of them is the present one */
	struct sluice_server *server;
	struct sluice_io_listener *control;
	struct sluice_tls_ctx *tls_before; /* a loop may still be on its way from it */
	struct timespec cert_time;
	time_t began;
	uint64_t pinged_ns;
	unsigned int reloads, refused;
};

/* Before anything is opened: the environment's part. conf[0] is filled by the caller. */
void sluice_service_begin(struct sluice_service *v);
/* The node listens: READY=1. Without its control socket it goes on; that is logged. */
void sluice_service_start(struct sluice_service *v, struct sluice_server *s);
/* SIGHUP: all of it, or, if anything is wrong, nothing. */
void sluice_service_reload(struct sluice_service *v);
/* Every quarter of a second: the watchdog is told that the loop turns. */
void sluice_service_tick(struct sluice_service *v);
void sluice_service_stopping(struct sluice_service *v);
/* Before the loops are closed. All are safe on one that was not started. */
void sluice_service_close(struct sluice_service *v);
/* The rest, when nothing runs any more. */
void sluice_service_free(struct sluice_service *v);

#endif
