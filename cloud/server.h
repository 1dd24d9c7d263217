/* SPDX-License-Identifier: MIT */
/*
 * server.h - one running cloud node: what its event loops, its writer and its workers share. What
 * is of one loop is in struct sluice_loop; a device is reached by roster.h, from any thread.
 */
#ifndef SLUICE_SERVER_H
#define SLUICE_SERVER_H

#include "cloud/bus.h"
#include "cloud/ca.h"
#include "cloud/conf.h"
#include "cloud/counters.h"
#include "cloud/crew.h"
#include "cloud/exporter.h"
#include "cloud/exports.h"
#include "cloud/ingest.h"
#include "cloud/jobs.h"
#include "cloud/listen.h"
#include "cloud/retain.h"
#include "cloud/loop.h"
#include "cloud/media.h"
#include "cloud/nodes.h"
#include "cloud/quarantine.h"
#include "cloud/roster.h"
#include "cloud/sandbox.h"
#include "cloud/tuner.h"
#include "cloud/worker.h"
#include "lib/conn.h"

#define SLUICE_WORKERS_MAX 64		/* of live lanes, and as many of back-fill */
#define SLUICE_SERVER_WHY  400		/* bytes of a sentence of open_bus() */
#define SLUICE_FRAME_MAX   (4u << 20)	/* payload of a FRAME; said in WELCOME */
#define SLUICE_UNDER_WAY   (1u << 30)	/* bytes that all devices together may have under way */
#define SLUICE_FILL_GRANT  (64u << 20)	/* bytes waiting; above it no new credit */
#define SLUICE_FILL_PAUSE  (192u << 20) /* above it nothing is read from a sending device */
#define SLUICE_BUS_MAX	   (32u << 20)
#define SLUICE_HIGH_WATER  (128u << 10) /* of a connection's output: an ACK waits behind it */

struct client;
struct sluice_api;
struct sluice_badges;
struct sluice_fleet;
struct sluice_session;

struct sluice_cloud_conf;
struct sluice_service;
struct sluice_vision;

struct sluice_server_config {
	const struct sluice_cloud_conf *conf; /* what the node was told */
	struct sluice_service *service;	      /* NULL: it is none. Borrowed */
	const char *data;		      /* directory made by `sluice-cloud init` */
	const char *listen;		      /* "ADDR:PORT", "[ADDR]:PORT"; port 0: any */
	const char *port_file;		      /* written once listening; may be NULL */
	uint32_t device_life_s;		      /* of devices' certificates; 0: SLUICE_DEVICE_DAYS */
	int digests;			      /* make digests of events too */
	/* of [bus] where it is one of several processes (busconf.h); NULL: there is none */
	int (*open_bus)(const struct sluice_cloud_conf *conf, const char *name,
			struct sluice_cameras *cameras, struct sluice_bus **out, char *why);
	const struct sluice_keyring *keys;  /* master keys, borrowed; NULL: nothing is sealed */
	struct sluice_retain_config retain; /* data is filled in; all zero: nothing ever goes */
};

struct sluice_server {
	struct sluice_server_config c;
	struct sluice_loop loops[SLUICE_LOOPS_MAX];
	unsigned int loop_count;
	pthread_mutex_t loops_lock;
	pthread_cond_t loops_changed;
	struct sluice_listener listener[SLUICE_LISTENERS]; /* by kind */
	struct sluice_prefixes proxies;
	struct sluice_door *door;
	unsigned int connections_max;
	struct sluice_counters counters;
	struct sluice_tls_ctx *tls;
	struct sluice_ca *ca;
	struct sluice_media *media;
	struct sluice_cameras *cameras;
	struct sluice_roster *roster;
	struct sluice_bus *bus;
	struct sluice_nodes *nodes; /* NULL: there is nobody else */
	atomic_uint leaving;	    /* links that are to go elsewhere */
	struct sluice_ingest *ingest;
	struct sluice_retain *retain;
	struct sluice_exporter *exporter;
	struct sluice_exports *exports;
	struct sluice_jobs *jobs;
	struct sluice_vision *vision; /* NULL: [vision] is off */
	struct sluice_crew *crew;
	unsigned int workers; /* of live lanes */
	struct sluice_sandbox_config sandbox;
	struct sluice_detector *detector; /* NULL: there is none */
	struct sluice_quarantine *quarantine;
	struct sluice_api *api; /* api_state.h */
	struct sluice_settings *settings;
	struct sluice_fleet *fleet;
	struct sluice_retune_config retune;
	struct sluice_badges *badges; /* NULL: auth.db is a file */
	struct sluice_io_timer late;  /* of loop 0 */
	unsigned long long acked_seen;
	atomic_ullong moved_ns; /* when the workers were last seen to do what there is to do */
	uint16_t port;
	atomic_int stopping;
	atomic_int started;    /* all that the role needs */
	atomic_ullong on_duty; /* token of the first partition's lease, if the crew has it */
	int lock, own_lock;    /* own_lock: of this process, where several are on the same data */
	char node[64];
};

/* What the role makes of the process. */
static inline bool sluice_server_ingests(const struct sluice_server *s)
{
	return s->c.conf->server.role <= SLUICE_PART_INGEST;
}

static inline bool sluice_server_works(const struct sluice_server *s)
{
	return s->c.conf->server.role == SLUICE_PART_ALL ||
	       s->c.conf->server.role == SLUICE_PART_WORKER;
}

static inline bool sluice_server_serves(const struct sluice_server *s)
{
	return s->c.conf->server.role == SLUICE_PART_ALL ||
	       s->c.conf->server.role == SLUICE_PART_API;
}

/* Is the device connected, and has it the camera open? Wherever that is. */
static inline int sluice_server_has_device(const struct sluice_server *s, const char *tenant,
					   const char *device)
{
	return sluice_roster_find(s->roster, tenant, device) ||
	       sluice_nodes_device(s->nodes, tenant, device, NULL);
}

static inline int sluice_server_has_camera(const struct sluice_server *s,
					   const struct sluice_camera *c)
{
	return sluice_roster_has_camera(s->roster, c) || sluice_nodes_camera(s->nodes, c);
}

/* Opens everything and listens; prints what is wrong. -errno. */
int sluice_server_open(struct sluice_server *s, const struct sluice_server_config *c);
/* Until a signal or an error. */
int sluice_server_run(struct sluice_server *s);
/* run() returns once the devices have been told, after [server] drain at the latest; asked a second
 * time: now. Loop 0's thread. */
void sluice_server_stop(struct sluice_server *s);
/* Safe on a half-open server. */
void sluice_server_close(struct sluice_server *s);

/* Every now and then, loop 0: do the workers get on? */
void sluice_server_watch(struct sluice_server *s);
/* Bit by bit why the node should get no more devices; 0: ready. */
enum { SLUICE_NOT_STORING = 1, SLUICE_NOT_WORKING = 2, SLUICE_NOT_STAYING = 4 };
unsigned int sluice_server_unready(struct sluice_server *s, uint64_t now_ns);

/* Bytes that wait for the writer, the bus and the workers. */
size_t sluice_server_fill(struct sluice_server *s);

/* http.c: a connection that is counted in the loop's client_count. It takes the fd and the place.
 */
void sluice_http_accept(struct sluice_loop *l, const struct sluice_arrival *a);
/* Ends all of the loop's: politely, or at once. */
void sluice_http_end_all(void *loop);
void sluice_http_cut_all(void *loop);

/* session.c and uplink.c */
struct sluice_session_request {
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX], serial[64];
	char address[64]; /* where from, for people */
};

/* The connection speaks the uplink protocol from now on. NULL and *err: -ENOMEM, -EUSERS (the
 * device has too many links). */
struct sluice_session *sluice_session_open(struct sluice_loop *l, struct sluice_conn *conn,
					   const struct sluice_session_request *r, int *err);
void sluice_session_data(struct sluice_session *ss, const uint8_t *data, size_t size);
void sluice_session_drain(struct sluice_session *ss);
/* The connection is gone. NULL-safe. */
void sluice_session_close(struct sluice_session *ss, const char *why);
/* GOAWAY, then an orderly end. */
void sluice_session_goaway(struct sluice_session *ss, uint32_t code, const char *text,
			   uint32_t retry_ms);
/* Every now and then: grants credit again, lets revoked devices go. */
void sluice_session_watch(struct sluice_loop *l, int check_deny);

/* tell.c: callbacks of the writer's and workers' threads; ctx is the server. */
void sluice_server_tell(void *ctx, struct sluice_told *told, size_t count);
extern const struct sluice_worker_ops sluice_server_worker_ops;
void sluice_server_tell_job(void *ctx, const struct sluice_camera *c, const char *json);
/* What is said on the bus, by this process or another: to the device and to people who watch. */
void sluice_server_hear(void *ctx, const struct sluice_news *news);

#endif
