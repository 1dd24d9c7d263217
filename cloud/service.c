// SPDX-License-Identifier: MIT
/*
 * service.c - see service.h.
 *
 * SIGHUP: file and environment are read once more under the options of the start. Is anything wrong
 * with them, or with the server's certificate, the old ones stay in force, whole. What cannot be
 * changed at run time is named. Other threads read the settings through one pointer; the ones
 * before stay until the next reload, so that whoever has just looked may go on reading.
 */
#include "cloud/service.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cloud/server.h"
#include "lib/log.h"

void sluice_service_begin(struct sluice_service *v)
{
	memset(v, 0, sizeof(*v));
	sluice_notify_open(&v->notify);
	v->began = time(NULL);
}

/* ---- the certificate ---- */

static struct timespec cert_time(const struct sluice_service *v)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/server.crt", v->server->c.data);
	return stat(path, &st) ? (struct timespec){ 0 } : st.st_mtim;
}

static void take_tls(void *arg)
{
	struct sluice_loop *l = arg;

	l->tls = l->server->tls;
}

/* Is it another file than before: the next connections show it. The old one keeps the sessions that
 * may be resumed, so it stays where nothing is new. -errno with why. */
static int reload_tls(struct sluice_service *v, char *why, size_t size)
{
	char cert[4096], key[4096], ca[4096];
	const struct sluice_tls_config tls = { .server = true, .cert = cert, .key = key, .ca = ca };
	struct sluice_server *s = v->server;
	struct timespec now = cert_time(v);
	struct sluice_tls_ctx *fresh;
	int err;

	if (!memcmp(&now, &v->cert_time, sizeof(now)))
		return 0;
	snprintf(cert, sizeof(cert), "%s/server.crt", s->c.data);
	snprintf(key, sizeof(key), "%s/server.key", s->c.data);
	snprintf(ca, sizeof(ca), "%s/ca.crt", s->c.data);
	fresh = sluice_tls_ctx_open(&tls, &err, why, size);
	if (!fresh)
		return err;
	sluice_tls_ctx_close(v->tls_before);
	v->tls_before = s->tls;
	s->tls = fresh;
	v->cert_time = now;
	sluice_loops_each(s, take_tls);
	sluice_info("new connections are shown the new certificate");
	return 0;
}

/* ---- SIGHUP ---- */

static int read_anew(struct sluice_service *v, struct sluice_cloud_conf *now, char *why,
		     size_t size)
{
	int err = sluice_cloud_conf_read(now, v->path, v->said, v->said_count, why, size);

	if (err)
		return err;
	err = reload_tls(v, why, size);
	if (err)
		sluice_cloud_conf_free(now);
	return err;
}

void sluice_service_reload(struct sluice_service *v)
{
	struct sluice_cloud_conf now, *old = &v->conf[v->at], *next = &v->conf[!v->at];
	char why[512] = "";

	sluice_notify_reloading(&v->notify);
	if (read_anew(v, &now, why, sizeof(why))) {
		v->refused++;
		sluice_error("the new settings are refused, the old ones stay in force: %s", why);
		sluice_notify(&v->notify, "READY=1\nSTATUS=the new settings are refused");
		v->notify.status[0] = 0;
		return;
	}
	if (sluice_cloud_conf_fixed(old, &now, why, sizeof(why)))
		sluice_warning("restart the node for what has changed in: %s", why);
	sluice_cloud_conf_free(next);
	*next = now;
	v->at = !v->at;
	__atomic_store_n(&v->server->c.conf, next, __ATOMIC_RELEASE);
	sluice_log_level((enum sluice_log_level)next->log.level);
	v->reloads++;
	sluice_info("the settings were read anew");
	sluice_notify(&v->notify, "READY=1");
}

/* ---- the control socket ---- */

static unsigned int count_clients(const struct sluice_server *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->loop_count; i++)
		n += atomic_load(&s->loops[i].client_count);
	return n;
}

static json_t *status_json(const struct sluice_service *v)
{
	struct sluice_server *s = v->server;
	const struct sluice_sandbox_counts *c = &sluice_sandbox_counts;
	unsigned int unready = sluice_server_unready(s, sluice_io_now(s->loops[0].io));
	json_t *o = json_pack("{s:b,s:i,s:i,s:I,s:i,s:i,s:I,s:b,s:b,s:b}", "running", 1, "pid",
			      (int)getpid(), "port", s->port, "up_s",
			      (json_int_t)(time(NULL) - v->began), "loops", (int)s->loop_count,
			      "connections", (int)count_clients(s), "waiting_bytes",
			      (json_int_t)sluice_server_fill(s), "storing",
			      !(unready & SLUICE_NOT_STORING), "analysing",
			      !(unready & SLUICE_NOT_WORKING), "stopping",
			      !!(unready & SLUICE_NOT_STAYING));

	json_object_set_new(o, "catching_up", json_integer(sluice_workers_behind));
	json_object_set_new(o, "reloads", json_integer(v->reloads));
	json_object_set_new(o, "reloads_refused", json_integer(v->refused));
	json_object_set_new(o, "sandbox",
			    json_pack("{s:b,s:i,s:I,s:I,s:I,s:I,s:I}", "enabled",
				      s->sandbox.memory != 0, "workers", (int)s->workers, "started",
				      (json_int_t)c->started, "died", (json_int_t)c->died, "hung",
				      (json_int_t)c->hung, "refused", (json_int_t)c->refused,
				      "quarantined",
				      (json_int_t)sluice_quarantine_count(s->quarantine)));
	return o;
}

/* Whoever may enter the data directory may know; the answer fits the socket's buffer. */
static void on_control(void *arg, int fd)
{
	json_t *o = status_json(arg);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text && strlen(text) < SLUICE_CONTROL_MAX)
		(void)!send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
	free(text);
	json_decref(o);
	close(fd);
}

/* Beside others on the same data it has the node's name. */
static int name_control(const struct sluice_service *v, char *path, size_t size)
{
	const struct sluice_server *s = v->server;

	return snprintf(path, size, "%s/control%s%s", s->c.data, s->c.open_bus ? "." : "",
			s->c.open_bus ? s->node : "");
}

static int open_control(struct sluice_service *v)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int err, n = name_control(v, a.sun_path, sizeof(a.sun_path));

	if (n < 0 || (size_t)n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	unlink(a.sun_path); /* of a node that was killed: the data are locked by us */
	v->control = sluice_io_listen(v->server->loops[0].io, (struct sockaddr *)&a, sizeof(a),
				      on_control, v, &err);
	return v->control ? 0 : err;
}

/* ---- life ---- */

void sluice_service_start(struct sluice_service *v, struct sluice_server *s)
{
	int err;

	v->server = s;
	v->cert_time = cert_time(v);
	err = open_control(v);
	if (err)
		sluice_warning("no %s/control, so `sluice-cloud status` sees the files alone: %s",
			       s->c.data, strerror(-err));
	sluice_notify(&v->notify, "READY=1");
}

void sluice_service_tick(struct sluice_service *v)
{
	uint64_t now = sluice_io_now(v->server->loops[0].io);
	char text[160];

	snprintf(text, sizeof(text), "%u connections%s", count_clients(v->server),
		 sluice_ingest_error(v->server->ingest) ? "; cannot store" : "");
	sluice_notify_status(&v->notify, text);
	if (!v->notify.watchdog_ms ||
	    now - v->pinged_ns + 250000000ull < v->notify.watchdog_ms * 1000000ull)
		return;
	v->pinged_ns = now;
	sluice_notify(&v->notify, "WATCHDOG=1");
}

void sluice_service_stopping(struct sluice_service *v)
{
	sluice_notify(&v->notify, "STOPPING=1\nSTATUS=the devices are asked to come back later");
}

void sluice_service_close(struct sluice_service *v)
{
	char path[4096];

	if (v->control) {
		sluice_io_unlisten(v->control);
		name_control(v, path, sizeof(path));
		unlink(path);
	}
	v->control = NULL;
}

void sluice_service_free(struct sluice_service *v)
{
	sluice_tls_ctx_close(v->tls_before);
	v->tls_before = NULL;
	sluice_notify_close(&v->notify);
	sluice_cloud_conf_free(&v->conf[0]);
	sluice_cloud_conf_free(&v->conf[1]);
}
