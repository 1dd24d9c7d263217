// SPDX-License-Identifier: MIT
/*
 * MQTT 3.1.1 by libmosquitto, on this thread alone: its socket and the outbox are polled together.
 *
 *	PREFIX/DEVICE/status		"online", or "offline" by the last will; retained
 *	PREFIX/DEVICE/CAMERA/motion	"ON" from an event's start to its end, else "OFF"; retained
 *	PREFIX/DEVICE/CAMERA/event	{"type":"start","event":...}, {"type":"end","id":...}
 *	PREFIX/DEVICE/CAMERA/summary	summary.json
 *	PREFIX/DEVICE/CAMERA/last	a short form of it; retained
 *	PREFIX/DEVICE/CAMERA/keyframe	its first key frame, JPEG; retained
 *
 * A summary is done when the broker has acknowledged all that was said about it (QoS 1); one is
 * under way at a time. A connection that fails is thrown away whole and made anew after a random
 * time of up to 1 s, 2 s ... 60 s; what was under way is then said again.
 */
#include "lib/log.h"
#include "relay/mqtt_topics.h"
#include "relay/sink.h"
#include "relay/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define KEEPALIVE_S 30
#define RETRY_MS    1000
#define RETRY_MAX   60000
#define CAMERAS_MAX 64
#define PICTURE_MAX (8u << 20)
#define SUMMARY_MAX (1u << 20)
#define ACK_MS	    30000 /* then the broker is believed dead */

struct mqtt {
	const struct relay_mqtt_conf *conf;
	struct relay_outbox *box;
	struct relay_sinks *sinks;
	struct mosquitto *m;
	char device[64];
	char *password;
	bool up, failed;
	unsigned int failures;
	char camera[CAMERAS_MAX][32]; /* that were met */
	bool told[CAMERAS_MAX];	      /* on this connection */
	unsigned int cameras;
	struct relay_notice notice; /* under way if `busy` */
	bool busy;
	int last_mid, waiting; /* publications without an answer */
	uint64_t acked_ns;
};

/* ---- publishing ---- */

static void publish(struct mqtt *q, const char *camera, const char *topic, const void *data,
		    size_t size, bool retain)
{
	char name[256];

	if (camera)
		snprintf(name, sizeof(name), "%s/%s/%s/%s", q->conf->prefix, q->device, camera,
			 topic);
	else
		snprintf(name, sizeof(name), "%s/%s/%s", q->conf->prefix, q->device, topic);
	if (!q->waiting)
		q->acked_ns = relay_sink_now();
	if (mosquitto_publish(q->m, &q->last_mid, name, (int)size, data, 1, retain))
		q->failed = true;
	else
		q->waiting++;
}

static void publish_text(struct mqtt *q, const char *camera, const char *topic, const char *text,
			 bool retain)
{
	publish(q, camera, topic, text, strlen(text), retain);
}

static void tell_camera(struct mqtt *q, unsigned int i)
{
	struct relay_mqtt_entity e[RELAY_MQTT_ENTITIES];

	q->told[i] = true;
	if (!q->conf->discovery[0] || relay_mqtt_discovery(q->conf, q->device, q->camera[i], e))
		return;
	for (int k = 0; k < RELAY_MQTT_ENTITIES; k++) {
		if (!q->waiting)
			q->acked_ns = relay_sink_now();
		if (mosquitto_publish(q->m, NULL, e[k].topic, (int)strlen(e[k].json), e[k].json, 1,
				      true))
			q->failed = true;
		else
			q->waiting++;
		free(e[k].json);
	}
}

/* Know the camera, and tell of it once on each connection. */
static void meet_camera(struct mqtt *q, const char *camera)
{
	unsigned int i;

	for (i = 0; i < q->cameras && strcmp(q->camera[i], camera); i++)
		;
	if (i == CAMERAS_MAX)
		return;
	if (i == q->cameras) {
		snprintf(q->camera[i], sizeof(q->camera[i]), "%s", camera);
		q->told[i] = false;
		q->cameras++;
	}
	if (q->up && !q->told[i])
		tell_camera(q, i);
}

static void publish_keyframe(struct mqtt *q, const json_t *o)
{
	const char *file = json_string_value(
		json_object_get(json_array_get(json_object_get(o, "keyframes"), 0), "file"));
	char path[PATH_MAX];
	uint8_t *data;
	uint32_t size;

	if (!file || strchr(file, '/') || file[0] == '.')
		return;
	relay_outbox_path(q->box, &q->notice, file, path, sizeof(path));
	data = relay_file_read(AT_FDCWD, path, PICTURE_MAX, &size);
	if (data && size)
		publish(q, q->notice.camera, "keyframe", data, size, true);
	free(data);
}

/* All about one summary; the summary itself comes last. */
static void publish_summary(struct mqtt *q)
{
	const char *camera = q->notice.camera;
	char path[PATH_MAX], end[80], *text, *last;
	uint32_t size;
	json_t *o;

	relay_outbox_path(q->box, &q->notice, "summary.json", path, sizeof(path));
	text = (char *)relay_file_read(AT_FDCWD, path, SUMMARY_MAX, &size);
	o = text ? json_loadb(text, size, 0, NULL) : NULL;
	last = o ? relay_mqtt_last(o) : NULL;
	if (!last) {
		sluice_error("mqtt: summary %s cannot be read", q->notice.id);
		relay_outbox_done(q->box, &q->notice);
		q->busy = false;
	} else {
		const char *kind = json_string_value(json_object_get(o, "kind"));
		bool event = !kind || !strcmp(kind, "event"); /* else: of what was told before */

		meet_camera(q, camera);
		if (event) {
			publish_keyframe(q, o);
			publish_text(q, camera, "last", last, true);
		}
		if (event && !json_is_true(json_object_get(o, "continued"))) {
			snprintf(end, sizeof(end), "{\"type\":\"end\",\"id\":\"%s\"}",
				 q->notice.id);
			publish_text(q, camera, "motion", "OFF", true);
			publish_text(q, camera, "event", end, false);
		}
		publish(q, camera, "summary", text, size, false);
	}
	json_decref(o);
	free(last);
	free(text);
}

static void publish_news(struct mqtt *q)
{
	struct relay_mqtt_news n;
	char *line;

	while (relay_sinks_news(q->sinks, &n)) {
		meet_camera(q, n.camera);
		line = NULL;
		if (n.json && q->up &&
		    asprintf(&line, "{\"type\":\"start\",\"event\":%s}", n.json) > 0) {
			publish_text(q, n.camera, "motion", "ON", true);
			publish_text(q, n.camera, "event", line, false);
		}
		free(line);
		free(n.json);
	}
}

/* ---- what the library tells ---- */

static void on_connect(struct mosquitto *m, void *arg, int rc)
{
	struct mqtt *q = arg;

	if (rc) {
		sluice_warning("mqtt: the broker %s refuses us: %s", q->conf->host,
			       mosquitto_connack_string(rc));
		q->failed = true;
		return;
	}
	sluice_info("mqtt: linked to %s:%d", q->conf->host, q->conf->port);
	q->up = true;
	q->failures = 0;
	publish_text(q, NULL, "status", "online", true);
	for (unsigned int i = 0; i < q->cameras; i++)
		tell_camera(q, i);
}

static void on_publish(struct mosquitto *m, void *arg, int mid)
{
	struct mqtt *q = arg;

	if (q->waiting)
		q->waiting--;
	q->acked_ns = relay_sink_now();
	if (q->busy && mid == q->last_mid) {
		relay_outbox_done(q->box, &q->notice);
		q->busy = false;
	}
}

/* ---- one connection ---- */

static int set_security(struct mqtt *q)
{
	const struct relay_mqtt_conf *c = q->conf;
	int err = 0;

	if (c->user)
		err = mosquitto_username_pw_set(q->m, c->user, q->password);
	if (!err && c->tls)
		err = mosquitto_tls_set(q->m, c->ca, c->ca ? NULL : "/etc/ssl/certs",
					c->certificate, c->key, NULL);
	if (!err && c->tls)
		err = mosquitto_tls_opts_set(q->m, 1, "tlsv1.2", NULL);
	return err;
}

static int open_link(struct mqtt *q)
{
	char id[96], status[256];
	int err;

	snprintf(id, sizeof(id), "sluice-%s", q->device);
	snprintf(status, sizeof(status), "%s/%s/status", q->conf->prefix, q->device);
	q->up = q->failed = false;
	q->waiting = 0;
	memset(q->told, 0, sizeof(q->told));
	q->m = mosquitto_new(id, true, q);
	if (!q->m)
		return MOSQ_ERR_NOMEM;
	mosquitto_connect_callback_set(q->m, on_connect);
	mosquitto_publish_callback_set(q->m, on_publish);
	err = set_security(q);
	if (!err)
		err = mosquitto_will_set(q->m, status, 7, "offline", 1, true);
	return err ? err : mosquitto_connect(q->m, q->conf->host, q->conf->port, KEEPALIVE_S);
}

static void pump(struct mqtt *q)
{
	publish_news(q);
	if (!q->busy && relay_outbox_take(q->box, &q->notice)) {
		q->busy = true;
		publish_summary(q);
	}
}

/* Until it breaks or the relay ends. */
static int serve(struct mqtt *q)
{
	int err = 0;

	while (!err && !q->failed && !relay_outbox_ending(q->box)) {
		struct pollfd p[2] = { { .fd = mosquitto_socket(q->m), .events = POLLIN },
				       { .fd = relay_outbox_fd(q->box), .events = POLLIN } };

		if (mosquitto_want_write(q->m))
			p[0].events |= POLLOUT;
		poll(p, 2, 1000);
		relay_outbox_quiet(q->box);
		if (p[0].revents & (POLLIN | POLLERR | POLLHUP))
			err = mosquitto_loop_read(q->m, 10);
		if (!err && (p[0].revents & POLLOUT))
			err = mosquitto_loop_write(q->m, 10);
		if (!err)
			err = mosquitto_loop_misc(q->m);
		if (!err && q->up)
			pump(q);
		if (q->waiting && relay_sink_now() - q->acked_ns > ACK_MS * 1000000ull)
			q->failed = true;
	}
	return err;
}

static void close_link(struct mqtt *q)
{
	if (q->up && relay_outbox_ending(q->box)) {
		publish_text(q, NULL, "status", "offline", true);
		mosquitto_disconnect(q->m);
	}
	mosquitto_destroy(q->m);
	q->m = NULL;
	q->up = false;
}

static void rest(struct mqtt *q)
{
	uint64_t cap = RETRY_MS, until, now;
	uint32_t r = 0;

	for (unsigned int i = 0; i < q->failures && cap < RETRY_MAX; i++)
		cap *= 2;
	if (cap > RETRY_MAX)
		cap = RETRY_MAX;
	if (q->failures < 30)
		q->failures++;
	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = 1u << 31;
	until = relay_sink_now() + (1 + (cap * r >> 32)) * 1000000;
	while (!relay_outbox_ending(q->box) && (now = relay_sink_now()) < until)
		relay_outbox_wait(q->box, (int)((until - now) / 1000000) + 1);
}

void relay_sink_mqtt(const struct relay_sinks_config *c, struct relay_outbox *box,
		     struct relay_sinks *sinks)
{
	static struct sluice_log_limit limit = { .burst = 3, .interval_ms = 60000 };
	struct mqtt *q = calloc(1, sizeof(*q));
	int err = 0;

	if (q && c->mqtt.password_file)
		q->password = relay_sink_secret(c->mqtt.password_file, &err);
	if (!q || err) {
		sluice_error("mqtt: %s: %s; nothing is sent",
			     err ? c->mqtt.password_file : "no memory", strerror(-err));
		free(q);
		return;
	}
	q->conf = &c->mqtt;
	q->box = box;
	q->sinks = sinks;
	if (c->mqtt.device)
		snprintf(q->device, sizeof(q->device), "%s", c->mqtt.device);
	else if (gethostname(q->device, sizeof(q->device) - 1) || !q->device[0])
		snprintf(q->device, sizeof(q->device), "device");
	mosquitto_lib_init();
	while (!relay_outbox_ending(box)) {
		err = open_link(q);
		if (!err)
			err = serve(q);
		if (!relay_outbox_ending(box))
			sluice_log_limited(&limit, SLUICE_LOG_WARNING,
					   "mqtt: %s:%d: %s; trying again", c->mqtt.host,
					   c->mqtt.port,
					   err == MOSQ_ERR_ERRNO ? strerror(errno)
					   : err		 ? mosquitto_strerror(err)
								 : "no answer");
		close_link(q);
		if (q->busy)
			relay_outbox_again(box, &q->notice);
		q->busy = false;
		rest(q);
	}
	mosquitto_lib_cleanup();
	free(q->password);
	free(q);
}
