// SPDX-License-Identifier: MIT
/*
 * down -> connect -> upgrade -> greet -> up -> closing -> down, for ever.
 *
 * Failing is normal here: whatever ends the link, the cameras go back to what is not STORED, and
 * the next try comes after a random time of up to 0.5 s, 1 s, 2 s ... 60 s; of up to 3 s while
 * nobody answers at all, so that a link that returns is used at once. A link that held for ten
 * seconds makes the next series begin anew. What a person must repair (certificates, names,
 * versions) is said once in clear words and tried again all the same: it may be repaired meanwhile.
 */
#include "relay/uplink.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS   60000
#define REACH_MAX_MS   3000
#define STEADY_NS      10000000000ull
#define HANDSHAKE_MS   15000
#define HIGH_WATER_MAX (1u << 20)
#define UNSENT_MAX     (64u << 10) /* what is live waits behind that and our own queue */

static struct sluice_log_limit try_limit = { .burst = 8, .interval_ms = 60000 };

/* ---- ending a link ---- */

void relay_uplink_break(struct relay_uplink *u, bool permanent, const char *format, ...)
{
	va_list ap;

	if (u->text[0])
		return;
	va_start(ap, format);
	vsnprintf(u->text, sizeof(u->text), format, ap);
	va_end(ap);
	u->permanent = permanent;
	u->state = RELAY_LINK_CLOSING;
	if (u->conn)
		sluice_conn_abort(u->conn, u->text);
}

static void tell(struct relay_uplink *u, bool up, bool permanent, const char *why)
{
	if (u->conf.told)
		u->conf.told(u->conf.arg, up, permanent, why);
}

static void connect_now(void *arg);

static uint32_t random_below(uint32_t n)
{
	uint32_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != sizeof(v))
		return n / 2;
	return n ? v % n : 0;
}

/* at_once: another address of the same cloud waits. */
static void retry_later(struct relay_uplink *u, bool at_once)
{
	uint64_t cap = u->conf.retry_first_ms, wait;
	uint64_t max = u->unreachable && u->conf.reach_max_ms < u->conf.retry_max_ms
			       ? u->conf.reach_max_ms
			       : u->conf.retry_max_ms;

	if (at_once) {
		u->hold_ms = 0;
		sluice_io_timer_in(u->conf.io, &u->retry, 1, connect_now, u);
		return;
	}
	for (unsigned int i = 0; i < u->failures && cap < max; i++)
		cap *= 2;
	if (cap > max)
		cap = max;
	if (u->failures < 30)
		u->failures++;
	wait = 1 + random_below((uint32_t)cap);
	if (u->hold_ms)
		wait += u->hold_ms;
	u->hold_ms = 0;
	sluice_debug("next try in %" PRIu64 " ms", wait);
	sluice_io_timer_in(u->conf.io, &u->retry, wait, connect_now, u);
}

/* Words for a connection that failed, with what to do about it. */
static const char *explain(const struct relay_uplink *u, enum sluice_conn_end end, bool *permanent)
{
	*permanent = true;
	switch (end) {
	case SLUICE_CONN_RESOLVE:
	case SLUICE_CONN_CONNECT:
		*permanent = false;
		return "cloud not reachable";
	case SLUICE_CONN_PROXY:
		*permanent = false;
		return "no way through the proxy";
	case SLUICE_CONN_TLS:
		break;
	default:
		*permanent = false;
		return "link lost";
	}
	switch (sluice_conn_fault(u->conn)) {
	case SLUICE_TLS_EXPIRED:
		return "the cloud's certificate is not valid now; renew it there, or check the "
		       "clocks";
	case SLUICE_TLS_UNTRUSTED:
		return "the cloud's certificate is not of our certificate authority; is the "
		       "address "
		       "right? else enrol again";
	case SLUICE_TLS_NAME:
		return "the cloud's certificate is for another host name; use the name that it was "
		       "made for";
	case SLUICE_TLS_OWN_EXPIRED:
		return "our certificate has expired; enrol this device again (sluicectl enrol)";
	case SLUICE_TLS_REFUSED:
		return "the cloud does not accept our certificate; enrol this device (sluicectl "
		       "enrol)";
	case SLUICE_TLS_VERSION:
		if (u->links) { /* it does speak it: bytes were changed on the way */
			*permanent = false;
			return "link damaged";
		}
		return "no TLS 1.3 there; is it the cloud's address and port?";
	default:
		*permanent = false;
		return "TLS failed";
	}
}

static void set_cameras_link(struct relay_uplink *u, bool up)
{
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++)
		if (u->conf.camera[i].attached)
			relay_camera_link(&u->conf.camera[i], up);
	relay_lanes_link(u->conf.lanes, up);
	u->payload_of = NULL;
}

/* True: go on with another address. */
static bool next_cloud(struct relay_uplink *u, const char *why)
{
	uint64_t up_ms = 0;

	if (u->up_since_ns)
		up_ms = 1 + (sluice_io_now(u->conf.io) - u->up_since_ns) / 1000000;
	if (!u->conf.clouds || !relay_clouds_failed(u->conf.clouds, up_ms, u->hold_ms))
		return false;
	sluice_log_limited(&try_limit, SLUICE_LOG_WARNING, "%s port %s: %s; trying another",
			   u->conf.host, u->conf.port, why);
	return true;
}

static void on_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct relay_uplink *u = arg;
	bool was_up = u->up_since_ns != 0, permanent = u->permanent, another;
	char text[sizeof(u->text) + 512];

	if (u->text[0]) {
		snprintf(text, sizeof(text), "%s", u->text);
	} else {
		const char *words = explain(u, end, &permanent);

		snprintf(text, sizeof(text), "%s: %s", words, why);
	}
	if (was_up && sluice_io_now(u->conf.io) - u->up_since_ns > STEADY_NS)
		u->failures = 0;
	u->unreachable = u->state == RELAY_LINK_CONNECT && !permanent;
	another = !u->stopping && next_cloud(u, text);
	u->conn = NULL;
	u->state = RELAY_LINK_DOWN;
	u->up_since_ns = 0;
	sluice_wire_decoder_exit(&u->decoder);
	sluice_io_timer_cancel(u->conf.io, &u->ping);
	sluice_io_timer_cancel(u->conf.io, &u->budget);
	set_cameras_link(u, false);
	relay_downlink_link_lost(u->conf.downlink);
	u->text[0] = 0;
	u->permanent = false;
	if (!u->stopping) {
		retry_later(u, another);
		if (!another)
			tell(u, false, permanent, text);
	} else if (u->conf.progress) {
		u->conf.progress(u->conf.arg);
	}
}

/* ---- beginning one ---- */

static void on_ping(void *arg)
{
	struct relay_uplink *u = arg;

	if (u->state != RELAY_LINK_UP)
		return;
	relay_send_message(u, SLUICE_MSG_PING, 0, NULL, 0);
	sluice_io_timer_in(u->conf.io, &u->ping, u->conf.heartbeat_ms, on_ping, u);
}

static void on_open(void *arg)
{
	struct relay_uplink *u = arg;
	char head[1024];
	struct sluice_http_writer w = { .buf = head, .size = sizeof(head) };
	struct iovec iov = { .iov_base = head };
	bool v6 = strchr(u->conf.host, ':');
	long n;

	sluice_http_write_request(&w, "GET", SLUICE_WIRE_PATH);
	sluice_http_write_field(&w, "Host", "%s%s%s:%s", v6 ? "[" : "", u->conf.host, v6 ? "]" : "",
				u->conf.port);
	sluice_http_write_field(&w, "Connection", "Upgrade");
	sluice_http_write_field(&w, "Upgrade", "%s", SLUICE_WIRE_UPGRADE);
	n = sluice_http_write_end(&w);
	if (n < 0) {
		relay_uplink_break(u, true, "the cloud's host name is too long");
		return;
	}
	iov.iov_len = (size_t)n;
	sluice_http_begin_response(&u->http, 0);
	u->state = RELAY_LINK_UPGRADE;
	sluice_conn_send(u->conn, &iov, 1);
}

static void refuse_upgrade(struct relay_uplink *u)
{
	int status = u->http.status;

	switch (status) {
	case 401:
	case 403:
		relay_uplink_break(
			u, true,
			"the cloud does not know this device (%d); enrol it (sluicectl enrol)",
			status);
		break;
	case 426:
		relay_uplink_break(
			u, true,
			"the cloud does not speak %s (426); update relay or cloud so that they "
			"match",
			SLUICE_WIRE_UPGRADE);
		break;
	case 404:
	case 405:
	case 200:
		relay_uplink_break(u, true,
				   "no Sluice cloud there (HTTP status %d); check the address",
				   status);
		break;
	default:
		relay_uplink_break(u, false, "the cloud refused the link (HTTP status %d %s)",
				   status, sluice_http_reason(status));
	}
}

/* Returns the bytes taken. */
static size_t take_response(struct relay_uplink *u, const uint8_t *data, size_t size)
{
	size_t used;
	int step = sluice_http_feed(&u->http, data, size, &used);

	if (step < 0) {
		relay_uplink_break(u, true, "no Sluice cloud there: %s; check the address",
				   u->http.why);
	} else if (step == SLUICE_HTTP_STARTED) {
		if (u->http.status != 101 || !u->http.upgrade ||
		    !sluice_http_token(sluice_http_field(&u->http, "upgrade"),
				       SLUICE_WIRE_UPGRADE)) {
			refuse_upgrade(u);
		} else if (u->conf.probe) {
			u->state = RELAY_LINK_CLOSING;
			tell(u, true, false, "the cloud answers");
		} else {
			u->state = RELAY_LINK_GREET;
			sluice_wire_decoder_init(&u->decoder, 0);
			sluice_conn_idle(u->conn, u->conf.stale_ms);
			relay_send_hello(u);
		}
	}
	return used;
}

/* ---- messages ---- */

void relay_uplink_welcomed(struct relay_uplink *u, const char *node, uint64_t session)
{
	u->state = RELAY_LINK_UP;
	u->up_since_ns = sluice_io_now(u->conf.io);
	u->links++;
	u->resumed += sluice_conn_resumed(u->conn);
	if (u->conf.clouds)
		relay_clouds_good(u->conf.clouds);
	u->credit_used = 0;
	sluice_info("linked to %s (%s%ssession %" PRIu64 "%s)", sluice_conn_address(u->conn),
		    node[0] ? node : "", node[0] ? ", " : "", session,
		    sluice_conn_resumed(u->conn) ? ", resumed" : "");
	set_cameras_link(u, true);
	sluice_io_timer_in(u->conf.io, &u->ping, u->conf.heartbeat_ms, on_ping, u);
	tell(u, true, false, "linked");
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct relay_uplink *u = arg;
	struct sluice_wire_message m;
	size_t used;

	while (size && u->state == RELAY_LINK_UPGRADE) {
		used = take_response(u, data, size);
		data += used;
		size -= used;
	}
	while (size && (u->state == RELAY_LINK_GREET || u->state == RELAY_LINK_UP)) {
		int r = sluice_wire_feed(&u->decoder, data, size, &used, &m);

		data += used;
		size -= used;
		if (r < 0)
			relay_uplink_break(u, r == -EPROTONOSUPPORT,
					   "the cloud broke the protocol: %s",
					   sluice_wire_strerror(r));
		else if (r > 0 && relay_take_message(u, &m))
			relay_uplink_break(
				u, false, "the cloud broke the protocol: malformed or misplaced %s",
				sluice_wire_type_name(m.type));
	}
	relay_uplink_pump(u);
	if (u->conf.progress)
		u->conf.progress(u->conf.arg);
}

static void on_drain(void *arg)
{
	relay_uplink_pump(arg);
}

static void connect_now(void *arg)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, on_drain, on_close };
	struct relay_uplink *u = arg;
	struct sluice_conn_config c = { .io = u->conf.io,
					.tls = u->conf.tls,
					.ops = &ops,
					.high_water_max = HIGH_WATER_MAX,
					.unsent_max = UNSENT_MAX,
					.handshake_ms = HANDSHAKE_MS,
					.idle_ms = HANDSHAKE_MS };

	if (u->conf.clouds) {
		u->conf.host = relay_clouds_place(u->conf.clouds)->host;
		u->conf.port = relay_clouds_place(u->conf.clouds)->port;
		c.proxy = relay_clouds_via(u->conf.clouds);
	}
	u->tries++;
	u->state = RELAY_LINK_CONNECT;
	u->text[0] = 0;
	u->conn = sluice_conn_connect(&c, u->conf.host, u->conf.port, u);
	if (!u->conn) {
		u->state = RELAY_LINK_DOWN;
		retry_later(u, false);
		tell(u, false, false, "out of memory");
	}
}

void relay_uplink_start(struct relay_uplink *u, const struct relay_uplink_config *c)
{
	memset(u, 0, sizeof(*u));
	u->conf = *c;
	if (!u->conf.retry_first_ms)
		u->conf.retry_first_ms = RETRY_FIRST_MS;
	if (!u->conf.retry_max_ms)
		u->conf.retry_max_ms = RETRY_MAX_MS;
	if (!u->conf.reach_max_ms)
		u->conf.reach_max_ms = REACH_MAX_MS;
	if (!u->conf.heartbeat_ms)
		u->conf.heartbeat_ms = SLUICE_WIRE_HEARTBEAT_MS;
	if (!u->conf.stale_ms)
		u->conf.stale_ms = SLUICE_WIRE_STALE_MS;
	if (!u->conf.weight[0] || !u->conf.weight[1]) {
		u->conf.weight[0] = 4;
		u->conf.weight[1] = 1;
	}
	connect_now(u);
}

/* ---- for main ---- */

void relay_uplink_camera_changed(struct relay_uplink *u, struct relay_camera *c)
{
	if (u->payload_of == c)
		u->payload_of = NULL;
	if (c->attached)
		relay_camera_link(c, u->state == RELAY_LINK_UP);
}

void relay_uplink_stop(struct relay_uplink *u)
{
	if (u->stopping)
		return;
	u->stopping = true;
	sluice_io_timer_cancel(u->conf.io, &u->retry);
	if (u->state == RELAY_LINK_UP)
		relay_send_bye(u, "the relay stops");
	u->state = RELAY_LINK_CLOSING;
	if (u->conn)
		sluice_conn_shutdown(u->conn);
}

bool relay_uplink_stopped(const struct relay_uplink *u)
{
	return u->stopping && !u->conn;
}

void relay_uplink_free(struct relay_uplink *u)
{
	if (!u->conf.io)
		return;
	u->stopping = true;
	if (u->conn) /* it may be opening yet, and would go on with what is freed next */
		sluice_conn_abort(u->conn, NULL);
	sluice_io_timer_cancel(u->conf.io, &u->retry);
	sluice_io_timer_cancel(u->conf.io, &u->ping);
	sluice_io_timer_cancel(u->conf.io, &u->budget);
	sluice_wire_decoder_exit(&u->decoder);
}
