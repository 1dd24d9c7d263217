// SPDX-License-Identifier: MIT
/*
 * GET /metrics and GET /healthz, nothing else, to at most CLIENTS_MAX at once. There is no
 * password, so the address must be one that only this machine reaches: loopback, or a Unix socket,
 * whose permissions are those of its directory. The text is made anew for each request from the
 * counters as they stand; asking often costs the loop well under a millisecond each.
 */
#include "relay/metrics.h"
#include "lib/conn.h"
#include "lib/reason.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 8
#define IDLE_MS	    10000

struct client {
	struct relay_metrics *owner; /* NULL: free */
	struct sluice_conn *conn;
	struct sluice_http http;
	bool answered;
};

struct relay_metrics {
	struct relay_metrics_config conf;
	struct sluice_io_listener *listener;
	struct client client[CLIENTS_MAX];
	struct relay_metric extra[RELAY_METRICS_EXTRA];
	unsigned int extras;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of the socket, to remove it */
};

/* ---- the text ---- */

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(FILE *f, const char *name, const char *type, const char *help, uint64_t value)
{
	head(f, name, type, help);
	fprintf(f, "%s %" PRIu64 "\n", name, value);
}

/* A camera's name is [A-Za-z0-9_-]+, so it needs no escape. */
static void by_reason(FILE *f, const struct relay_metrics *m, const char *name,
		      enum sluice_reason_class class, const char *help)
{
	head(f, name, "counter", help);
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		const struct relay_camera *c = &m->conf.camera[i];

		for (unsigned int r = 1; c->name[0] && r < SLUICE_REASON_COUNT; r++)
			if (sluice_reason_name(r) && sluice_reason_class(r) == class)
				fprintf(f, "%s{camera=\"%s\",reason=\"%s\"} %" PRIu64 "\n", name,
					c->name, sluice_reason_name(r), c->now.count[r]);
	}
}

static uint64_t get_streaming(const struct relay_pulse *p, const struct relay_camera *c)
{
	return p->streaming;
}

static uint64_t get_waiting(const struct relay_pulse *p, const struct relay_camera *c)
{
	return p->waiting;
}

static uint64_t get_delivered(const struct relay_pulse *p, const struct relay_camera *c)
{
	return c->now.delivered;
}

static uint64_t get_seen(const struct relay_pulse *p, const struct relay_camera *c)
{
	return c->now.bytes_seen;
}

static uint64_t get_passed(const struct relay_pulse *p, const struct relay_camera *c)
{
	return c->now.bytes_passed;
}

static uint64_t get_sent(const struct relay_pulse *p, const struct relay_camera *c)
{
	return c->sent;
}

static uint64_t get_stored(const struct relay_pulse *p, const struct relay_camera *c)
{
	return c->stored;
}

static uint64_t get_paused(const struct relay_pulse *p, const struct relay_camera *c)
{
	return c->paused;
}

static uint64_t get_is_paused(const struct relay_pulse *p, const struct relay_camera *c)
{
	return relay_camera_paused(c);
}

static uint64_t get_rejected(const struct relay_pulse *p, const struct relay_camera *c)
{
	return c->rejected;
}

static const struct {
	const char *name, *type, *help;
	uint64_t (*get)(const struct relay_pulse *p, const struct relay_camera *c);
} per_camera[] = {
	{ "sluice_camera_streaming", "gauge", "1 while frames are expected of the camera.",
	  get_streaming },
	{ "sluice_frames_delivered_total", "counter", "Frames that the driver delivered.",
	  get_delivered },
	{ "sluice_bytes_seen_total", "counter", "Bytes of the delivered frames.", get_seen },
	{ "sluice_bytes_passed_total", "counter", "Bytes of the frames that the gate let through.",
	  get_passed },
	{ "sluice_frames_waiting", "gauge", "Frames in the ring that are not yet settled.",
	  get_waiting },
	{ "sluice_frames_sent_total", "counter",
	  "Frames sent; one that is sent again counts again.", get_sent },
	{ "sluice_frames_stored_total", "counter", "Frames that the cloud has stored.",
	  get_stored },
	{ "sluice_frames_paused_total", "counter",
	  "Frames that were dropped while the camera was paused.", get_paused },
	{ "sluice_camera_paused", "gauge", "1 while the camera is paused.", get_is_paused },
	{ "sluice_frames_rejected_total", "counter",
	  "Frames that the cloud refused or that cannot be sent.", get_rejected },
};

static void render_cameras(FILE *f, const struct relay_metrics *m)
{
	for (size_t n = 0; n < sizeof(per_camera) / sizeof(per_camera[0]); n++) {
		head(f, per_camera[n].name, per_camera[n].type, per_camera[n].help);
		for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
			const struct relay_camera *c = &m->conf.camera[i];
			struct relay_pulse p;

			if (!c->name[0])
				continue;
			relay_pulse_take(&p, c);
			fprintf(f, "%s{camera=\"%s\"} %" PRIu64 "\n", per_camera[n].name, c->name,
				per_camera[n].get(&p, c));
		}
	}
	by_reason(f, m, "sluice_frames_passed_total", SLUICE_PASSED,
		  "Frames that the gate let through, by reason.");
	by_reason(f, m, "sluice_frames_dropped_total", SLUICE_DROPPED,
		  "Frames that the gate decided against, by reason.");
	by_reason(f, m, "sluice_frames_lost_total", SLUICE_LOST,
		  "Frames lost by a fault, by reason.");
}

static void render_link(FILE *f, const struct relay_metrics *m)
{
	const struct relay_uplink *u = m->conf.uplink;
	const struct relay_renew *r = m->conf.renew;

	single(f, "sluice_link_up", "gauge", "1 while the cloud has welcomed us.",
	       u->state == RELAY_LINK_UP);
	single(f, "sluice_link_tries_total", "counter", "Connections begun.", u->tries);
	single(f, "sluice_links_total", "counter", "Connections that the cloud welcomed.",
	       u->links);
	single(f, "sluice_link_resumed_total", "counter",
	       "Links whose TLS handshake resumed an earlier session.", u->resumed);
	single(f, "sluice_link_bytes_total", "counter",
	       "Bytes given to the connection, before encryption.", u->bytes_sent);
	head(f, "sluice_certificate_end_seconds", "gauge",
	     "When the device's certificate ends, in Unix time.");
	fprintf(f, "sluice_certificate_end_seconds %" PRId64 "\n", r->end);
	single(f, "sluice_certificate_renewals_total", "counter", "Certificates renewed.",
	       r->renewals);
	single(f, "sluice_certificate_renewals_failed_total", "counter", "Renewals that failed.",
	       r->failed);
	single(f, "sluice_reloads_total", "counter", "Settings read anew.",
	       m->conf.reloads ? m->conf.reloads(m->conf.arg) : 0);
}

char *relay_metrics_render(const struct relay_metrics *m)
{
	char why[512], *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	single(f, "sluice_healthy", "gauge", "1 if the counters that should move do.",
	       relay_health_good(m->conf.health, sluice_io_now(m->conf.io), why, sizeof(why)));
	render_cameras(f, m);
	render_link(f, m);
	for (unsigned int i = 0; i < m->extras; i++)
		single(f, m->extra[i].name, m->extra[i].counter ? "counter" : "gauge",
		       m->extra[i].help, m->extra[i].value(m->extra[i].arg));
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

int relay_metrics_add(struct relay_metrics *m, const struct relay_metric *metric)
{
	if (m->extras == RELAY_METRICS_EXTRA)
		return -ENOSPC;
	m->extra[m->extras++] = *metric;
	return 0;
}

/* ---- HTTP ---- */

static void answer(struct client *c, int status, const char *type, const char *body)
{
	char line[512];
	struct sluice_http_writer w = { .buf = line, .size = sizeof(line) };
	struct iovec iov[2] = { { line, 0 }, { (void *)body, strlen(body) } };
	long n;

	sluice_http_write_status(&w, status);
	sluice_http_write_field(&w, "Content-Length", "%zu", iov[1].iov_len);
	sluice_http_write_field(&w, "Content-Type", "%s", type);
	sluice_http_write_field(&w, "Cache-Control", "no-store");
	if (status == 405)
		sluice_http_write_field(&w, "Allow", "GET, HEAD");
	sluice_http_write_field(&w, "Connection", "close");
	n = sluice_http_write_end(&w);
	iov[0].iov_len = n > 0 ? (size_t)n : 0;
	c->answered = true;
	sluice_conn_send(c->conn, iov, c->http.method == SLUICE_HTTP_HEAD ? 1 : 2);
	sluice_conn_shutdown(c->conn);
}

static void answer_metrics(struct client *c)
{
	char *text = relay_metrics_render(c->owner);

	answer(c, text ? 200 : 503,
	       text ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8",
	       text ? text : "out of memory\n");
	free(text);
}

static void answer_health(struct client *c)
{
	const struct relay_metrics *m = c->owner;
	char text[2048];
	bool good =
		relay_health_good(m->conf.health, sluice_io_now(m->conf.io), text, sizeof(text));

	answer(c, good ? 200 : 503, "text/plain; charset=utf-8", text);
}

static void route(struct client *c)
{
	const char *plain = "text/plain; charset=utf-8";

	if (c->http.method != SLUICE_HTTP_GET && c->http.method != SLUICE_HTTP_HEAD)
		answer(c, 405, plain, "only GET and HEAD\n");
	else if (!strcmp(c->http.target, "/metrics"))
		answer_metrics(c);
	else if (!strcmp(c->http.target, "/healthz"))
		answer_health(c);
	else
		answer(c, 404, plain, "there are /metrics and /healthz\n");
}

static void on_open(void *arg)
{
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct client *c = arg;
	size_t used;
	int step;

	while (!c->answered) {
		step = sluice_http_feed(&c->http, data, size, &used);
		data += used;
		size -= used;
		if (step < 0)
			answer(c, c->http.status, "text/plain; charset=utf-8", c->http.why);
		else if (step == SLUICE_HTTP_DONE)
			route(c);
		else if (step == SLUICE_HTTP_MORE)
			return;
	}
}

static void on_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct client *c = arg;

	c->owner = NULL;
	c->conn = NULL;
}

static void on_accept(void *arg, int fd)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, NULL, on_close };
	struct relay_metrics *m = arg;
	struct sluice_conn_config conf = { .io = m->conf.io,
					   .ops = &ops,
					   .high_water = 1u << 20, /* a whole text */
					   .idle_ms = IDLE_MS };
	struct client *c = NULL;

	for (int i = 0; i < CLIENTS_MAX && !c; i++)
		if (!m->client[i].owner)
			c = &m->client[i];
	if (!c) {
		close(fd);
		return;
	}
	c->answered = false;
	sluice_http_begin_request(&c->http, 0);
	c->conn = sluice_conn_adopt(&conf, fd, c);
	if (c->conn)
		c->owner = m;
}

/* ---- the address ---- */

static int read_port(const char *s, uint16_t *port)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || n > 65535)
		return -EINVAL;
	*port = htons((uint16_t)n);
	return 0;
}

static int parse_address(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_un *un = (void *)out;
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;
	const char *colon = strrchr(text, ':');
	char host[32];

	memset(out, 0, sizeof(*out));
	if (!strncmp(text, "unix:/", 6)) {
		if (strlen(text + 5) >= sizeof(un->sun_path))
			return -ENAMETOOLONG;
		un->sun_family = AF_UNIX;
		snprintf(un->sun_path, sizeof(un->sun_path), "%s", text + 5);
		*len = sizeof(*un);
		return 0;
	}
	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (!strcmp(host, "[::1]")) {
		v6->sin6_family = AF_INET6;
		v6->sin6_addr = in6addr_loopback;
		*len = sizeof(*v6);
		return read_port(colon + 1, &v6->sin6_port);
	}
	v4->sin_family = AF_INET;
	*len = sizeof(*v4);
	if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &v4->sin_addr) !=
		    1 ||
	    ntohl(v4->sin_addr.s_addr) >> 24 != 127)
		return -EINVAL;
	return read_port(colon + 1, &v4->sin_port);
}

int relay_metrics_address(const char *address)
{
	struct sockaddr_storage a;
	socklen_t len;

	return parse_address(address, &a, &len);
}

struct relay_metrics *relay_metrics_open(const struct relay_metrics_config *c, int *err)
{
	struct relay_metrics *m = calloc(1, sizeof(*m));
	struct sockaddr_storage a;
	socklen_t len;

	*err = -ENOMEM;
	if (!m)
		return NULL;
	m->conf = *c;
	*err = 0;
	if (!c->address)
		return m;
	*err = parse_address(c->address, &a, &len);
	if (!*err && a.ss_family == AF_UNIX) {
		memcpy(m->path, ((struct sockaddr_un *)&a)->sun_path, sizeof(m->path));
		unlink(m->path); /* of a relay that was killed */
	}
	if (!*err)
		m->listener =
			sluice_io_listen(c->io, (struct sockaddr *)&a, len, on_accept, m, err);
	if (m->listener)
		return m;
	free(m);
	return NULL;
}

void relay_metrics_close(struct relay_metrics *m)
{
	if (!m)
		return;
	if (m->listener)
		sluice_io_unlisten(m->listener);
	m->listener = NULL;
	if (m->path[0])
		unlink(m->path);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (m->client[i].owner)
			sluice_conn_abort(m->client[i].conn, "the relay ends");
}

void relay_metrics_free(struct relay_metrics *m)
{
	free(m);
}
