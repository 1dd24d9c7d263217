/* SPDX-License-Identifier: MIT */
/*
 * service.h - the relay as a service: what systemd, an operator and a monitoring system deal with.
 * Joins notify, health, metrics, renew, seccomp and the reading anew of the settings, so that
 * main.c has one thing to start, tell and stop.
 */
#ifndef RELAY_SERVICE_H
#define RELAY_SERVICE_H

#include "relay/conf.h"
#include "relay/metrics.h"
#include "lib/notify.h"

#define RELAY_SERVICE_HOOKS 16

/* A part that changes something at a reload. now: the new settings; its strings stay until the next
 * reload's hooks have returned. */
struct relay_reload_hook {
	void (*fn)(void *arg, const struct relay_conf *now);
	void *arg;
};

struct relay_service_config {
	struct sluice_io *io;
	struct relay_conf *conf; /* in force; a reload changes what can be changed */
	int argc;
	char **argv; /* for the reload */
	const struct relay_camera *camera;
	struct relay_uplink *uplink;
	/* certificate and key from their files, for the next link: 0 and *tls, or -errno (told) */
	int (*reopen_tls)(void *arg, struct sluice_tls_ctx **tls);
	/* --renew: it is over */
	void (*renew_ended)(void *arg, int err);
	void *arg;
};

struct relay_service {
	struct relay_service_config conf;
	struct sluice_notify notify;
	struct relay_health health;
	struct relay_renew renew;
	struct relay_metrics *metrics;
	struct relay_conf *loaded; /* of the last reload: holds strings */
	struct relay_reload_hook hook[RELAY_SERVICE_HOOKS];
	unsigned int hooks;
	void (*spool)(void *arg, uint64_t *waiting, uint64_t *settled); /* NULL: none */
	void *spool_arg;
	uint64_t pinged_ns, reloads;
	int64_t cert_time; /* ns of the certificate's file */
	bool started;
};

/* First thing in main: takes what systemd said. */
void relay_service_begin(struct relay_service *s);

/* After begin(). 0, -ENOSPC. */
int relay_service_hook(struct relay_service *s, void (*fn)(void *arg, const struct relay_conf *now),
		       void *arg);

/* Everything else has been started: metrics, renewal, the filter, READY. 0, or -errno (told). */
int relay_service_start(struct relay_service *s, const struct relay_service_config *c,
			struct sluice_tls_ctx *tls);

/* A counter of another part, after start(). 0 or -ENOSPC. */
int relay_service_metric(struct relay_service *s, const struct relay_metric *m);

/* Where there is a spool: fn tells how many frames are in it and how many of it were settled
 * (stored, rejected, evicted) since the start. */
void relay_service_spool(struct relay_service *s,
			 void (*fn)(void *arg, uint64_t *waiting, uint64_t *settled), void *arg);

/* Once a second, from the loop, after its work: the watchdog is told that we live. */
void relay_service_tick(struct relay_service *s);

/* The link came up, or why it did not. */
void relay_service_told(struct relay_service *s, bool up, const char *why);

/* SIGHUP. */
void relay_service_reload(struct relay_service *s);

/* The end has begun. */
void relay_service_stopping(struct relay_service *s);
/* Before the io is closed, and after. Both safe on one that was never started. */
void relay_service_close(struct relay_service *s);
void relay_service_free(struct relay_service *s);

#endif
