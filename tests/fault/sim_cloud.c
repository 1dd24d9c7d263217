// SPDX-License-Identifier: MIT
/*
 * The rules that the device must keep are checked here, on every message: order within a slot,
 * ranges, epochs, credit, the bytes of each frame. A rule that is broken on a connection whose
 * bytes were changed on the way is no fault of the device.
 */
#include "sim_cloud.h"
#include "sim.h"
#include "check.h"
#include "lib/crc32c.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITING 4096
#define ACKS	256

struct sim_cloud sim_cloud;
struct sim_camera sim_camera[SIM_CAMERAS];

struct slot {
	struct sim_camera *camera; /* NULL: not open */
	uint64_t epoch, first, last;
	int64_t seen, acked; /* sequences on this link */
	bool closing;
};

struct due_ack {
	uint64_t due, epoch;
	int64_t sequence;
	uint32_t slot;
};

struct sim_link {
	struct sluice_conn *conn;
	int fd;
	struct sluice_http http;
	struct sluice_wire_decoder decoder;
	bool upgraded, greeted, ending;
	uint64_t received, released, granted;
	struct slot slot[2 * SLUICE_WIRE_SLOTS + 1];
	struct sim_frame *waiting[WAITING];
	uint32_t waiting_slot[WAITING];
	unsigned int waiting_count;
	struct due_ack ack[ACKS];
	unsigned int acks;
	struct sluice_io_timer store, tell;
};

/* ---- frames ---- */

struct sim_frame *sim_frame_find(struct sim_camera *c, uint64_t epoch, uint64_t sequence)
{
	unsigned int low = 0, high = c->frames;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct sim_frame *f = &c->frame[mid];

		if (f->epoch < epoch || (f->epoch == epoch && f->sequence < sequence))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == c->frames || c->frame[low].epoch != epoch || c->frame[low].sequence != sequence)
		return NULL;
	return &c->frame[low];
}

uint32_t sim_frame_make(uint64_t epoch, uint64_t sequence, uint8_t *out)
{
	uint32_t size = 200 + (uint32_t)((epoch * 7919 + sequence * 104729) % 2500);

	for (uint32_t i = 0; i < size; i++)
		out[i] = (uint8_t)(epoch + sequence * 3 + i * 7 + (i >> 8));
	return size;
}

/* ---- saying ---- */

__attribute__((format(printf, 2, 3))) static void blame(struct sim_link *l, const char *format, ...)
{
	va_list ap;

	if (sim_net_spoiled(l->fd))
		return;
	sim_cloud.wrong++;
	va_start(ap, format);
	vsnprintf(sim_cloud.what, sizeof(sim_cloud.what), format, ap);
	va_end(ap);
	fprintf(stderr, "the device: %s (at %llu ms, seed %llu)\n", sim_cloud.what,
		(unsigned long long)(sim.now / SIM_MS), (unsigned long long)check_seed);
}

/* For looking into a run: SLUICE_TRACE=1. */
static void trace(const char *who, const struct sluice_wire_message *m, const uint8_t *payload)
{
	struct sluice_wire_fields f;
	uint64_t epoch = 0, first = 0, last = 0, stored = 0;

	if (!getenv("SLUICE_TRACE") || m->type == SLUICE_MSG_PING || m->type == SLUICE_MSG_PONG)
		return;
	if (m->type != SLUICE_MSG_FRAME && !sluice_wire_fields_get(&f, payload, m->length, 0)) {
		sluice_wire_get_u64(&f, SLUICE_TAG_EPOCH, &epoch);
		sluice_wire_get_range(&f, &first, &last);
		sluice_wire_get_u64(&f, SLUICE_TAG_CUMULATIVE, &stored);
		sluice_wire_get_u64(&f, SLUICE_TAG_RESUME, &stored);
	}
	fprintf(stderr,
		"%llu ms %s: %s slot %u sequence %llu epoch %llu range %llu..%lld at %llu\n",
		(unsigned long long)(sim.now / SIM_MS), who, sluice_wire_type_name(m->type),
		m->slot, (unsigned long long)m->sequence, (unsigned long long)epoch,
		(unsigned long long)first, (long long)last, (unsigned long long)stored);
}

static void say(struct sim_link *l, uint8_t type, uint32_t slot, const void *payload, size_t size)
{
	struct sluice_wire_message m = { .type = type, .slot = slot, .length = (uint32_t)size };
	struct sluice_wire_header h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)payload, size } };

	trace("cloud", &m, payload);
	if (l->ending)
		return;
	sluice_wire_header_put(&h, &m, sluice_crc32c(0, payload, size));
	sluice_conn_send(l->conn, iov, size ? 2 : 1);
}

static void say_stored(struct sim_link *l, uint32_t slot, uint64_t epoch, uint64_t sequence)
{
	uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_u32(&w, SLUICE_TAG_STAGE, SLUICE_STAGE_STORED);
	sluice_wire_put_u64(&w, SLUICE_TAG_CUMULATIVE, sequence);
	say(l, SLUICE_MSG_ACK, slot, buf, w.used);
}

static void end_link(struct sim_link *l)
{
	if (l->ending)
		return;
	l->ending = true;
	sluice_conn_abort(l->conn, "ended");
}

static void on_tell(void *arg)
{
	struct sim_link *l = arg;
	unsigned int keep = 0;
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < l->acks; i++) {
		const struct due_ack *a = &l->ack[i];

		if (a->due <= sim.now) {
			say_stored(l, a->slot, a->epoch, (uint64_t)a->sequence);
			if (sim_cloud.twice)
				say_stored(l, a->slot, a->epoch,
					   (uint64_t)(random_below(2) ? a->sequence
								      : a->sequence / 2));
			continue;
		}
		if (a->due < next)
			next = a->due;
		l->ack[keep++] = *a;
	}
	l->acks = keep;
	if (next != UINT64_MAX)
		sluice_io_timer_set(sim_cloud.io, &l->tell, next, on_tell, l);
}

static void tell_later(struct sim_link *l, uint32_t slot)
{
	struct slot *s = &l->slot[slot];

	if (l->acks == ACKS)
		l->acks--; /* cumulative: the next says more */
	l->ack[l->acks++] =
		(struct due_ack){ sim.now + random_below(1 + sim_cloud.late_ms) * SIM_MS, s->epoch,
				  s->acked, slot };
	sluice_io_timer_in(sim_cloud.io, &l->tell, 0, on_tell, l);
}

static void say_done(struct sim_link *l, uint32_t slot)
{
	struct slot *s = &l->slot[slot];
	uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, s->epoch);
	if (slot > SLUICE_WIRE_SLOTS)
		sluice_wire_put_range(&w, s->first, s->last);
	say(l, SLUICE_MSG_DONE, slot, buf, w.used);
	s->closing = false;
	s->camera = NULL;
}

static void give_credit(struct sim_link *l)
{
	uint8_t buf[32];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	l->released = l->received;
	l->granted = l->released + sim_cloud.window;
	sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, l->granted);
	say(l, SLUICE_MSG_CREDIT, 0, buf, w.used);
}

/* Group commit: what came so far is durable now. */
static void on_store(void *arg)
{
	struct sim_link *l = arg;
	bool any[2 * SLUICE_WIRE_SLOTS + 1] = { false };

	for (unsigned int i = 0; i < l->waiting_count; i++) {
		struct sim_frame *f = l->waiting[i];
		struct slot *s = &l->slot[l->waiting_slot[i]];

		if (f->durable)
			sim_cloud.duplicates++; /* the index has it: once */
		f->durable = true;
		f->waiting = false;
		if (s->epoch == f->epoch && (int64_t)f->sequence > s->acked)
			s->acked = (int64_t)f->sequence;
		any[l->waiting_slot[i]] = true;
	}
	l->waiting_count = 0;
	for (uint32_t i = 1; i <= 2 * SLUICE_WIRE_SLOTS; i++)
		if (any[i])
			tell_later(l, i);
	on_tell(l); /* STORED comes before DONE, unless it is late */
	for (uint32_t i = 1; i <= 2 * SLUICE_WIRE_SLOTS; i++)
		if (l->slot[i].closing && !sim_cloud.no_done)
			say_done(l, i);
	give_credit(l);
}

static void store_soon(struct sim_link *l)
{
	if (!l->store.set)
		sluice_io_timer_in(sim_cloud.io, &l->store, sim_cloud.store_ms, on_store, l);
}

/* ---- hearing ---- */

static bool must_reject(const struct sim_frame *f)
{
	return sim_cloud.reject && (f->sequence * 2654435761u >> 7) % sim_cloud.reject == 0;
}

static void reject(struct sim_link *l, uint32_t slot, struct sim_frame *f)
{
	uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	f->rejected = true;
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, f->epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_SEQUENCE, f->sequence);
	sluice_wire_put_u32(&w, SLUICE_TAG_CODE, SLUICE_CODE_BAD_FRAME);
	say(l, SLUICE_MSG_REJECT, slot, buf, w.used);
}

static void take_frame(struct sim_link *l, const struct sluice_wire_message *m)
{
	static uint8_t expected[4096];
	struct slot *s = &l->slot[m->slot <= 2 * SLUICE_WIRE_SLOTS ? m->slot : 0];
	struct sluice_wire_frame_info info;
	struct sim_frame *f;

	sim_cloud.frames++;
	l->received += m->length;
	if (l->received > l->granted)
		blame(l, "more bytes than credit");
	if (!s->camera || s->closing || sluice_wire_frame_get(m->payload, m->length, &info) ||
	    info.epoch != s->epoch) {
		blame(l, "FRAME malformed or out of place in slot %u", m->slot);
		return;
	}
	if ((int64_t)m->sequence <= s->seen)
		blame(l, "slot %u: FRAME %llu after %lld", m->slot, (unsigned long long)m->sequence,
		      (long long)s->seen);
	if (m->sequence < s->first || m->sequence > s->last)
		blame(l, "slot %u: FRAME %llu out of its range", m->slot,
		      (unsigned long long)m->sequence);
	s->seen = (int64_t)m->sequence;
	f = sim_frame_find(s->camera, s->epoch, m->sequence);
	if (!f || info.picture_size != sim_frame_make(s->epoch, m->sequence, expected) ||
	    memcmp(expected, info.picture, info.picture_size) || f->time_ns != info.time_ns) {
		blame(l, "slot %u: FRAME %llu is none that was published", m->slot,
		      (unsigned long long)m->sequence);
		return;
	}
	if (must_reject(f)) {
		reject(l, m->slot, f);
	} else if (l->waiting_count < WAITING) {
		f->waiting = true;
		l->waiting[l->waiting_count] = f;
		l->waiting_slot[l->waiting_count++] = m->slot;
	}
	store_soon(l);
}

static void take_hello(struct sim_link *l)
{
	uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	if (l->greeted)
		blame(l, "a second HELLO");
	l->greeted = true;
	l->granted = sim_cloud.window;
	sluice_wire_put_u64(&w, SLUICE_TAG_SESSION, sim_cloud.links);
	sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, l->granted);
	sluice_wire_put_u32(&w, SLUICE_TAG_PAYLOAD_MAX, SLUICE_WIRE_PAYLOAD_MAX);
	sluice_wire_put_u32(&w, SLUICE_TAG_HEARTBEAT_MS, SLUICE_WIRE_HEARTBEAT_MS);
	say(l, SLUICE_MSG_WELCOME, 0, buf, w.used);
}

static void say_opened(struct sim_link *l, uint32_t slot)
{
	struct slot *s = &l->slot[slot];
	uint8_t buf[64];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	uint64_t resume = 0;

	for (unsigned int i = 0; i < s->camera->frames; i++) {
		const struct sim_frame *f = &s->camera->frame[i];

		if (f->epoch == s->epoch && f->durable && f->sequence >= s->first &&
		    f->sequence <= s->last)
			resume = f->sequence + 1;
	}
	if (resume && (int64_t)resume - 1 > s->acked)
		s->acked = (int64_t)resume - 1;
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, s->epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_RESUME, resume);
	say(l, SLUICE_MSG_OPENED, slot, buf, w.used);
}

static void take_open(struct sim_link *l, uint32_t number, const struct sluice_wire_fields *f)
{
	struct slot *s = &l->slot[number], was;
	char name[32] = "";
	uint32_t width, height, lane = 0;
	uint64_t first_ns;
	int range;

	if (s->closing)
		on_store(l); /* what was there is answered first */
	was = *s;
	*s = (struct slot){ .seen = -1, .acked = -1, .last = UINT64_MAX };
	range = sluice_wire_get_range(f, &s->first, &s->last);
	sluice_wire_get_u32(f, SLUICE_TAG_LANE, &lane);
	if (sluice_wire_get_text(f, SLUICE_TAG_NAME, name, sizeof(name)) ||
	    sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &s->epoch) ||
	    sluice_wire_get_size(f, &width, &height) || !width || !height ||
	    sluice_wire_get_u64(f, SLUICE_TAG_FIRST_NS, &first_ns) || !first_ns ||
	    lane != (number > SLUICE_WIRE_SLOTS) || (lane && range)) {
		blame(l, "OPEN of slot %u misses a field", number);
		return;
	}
	for (int i = 0; i < SIM_CAMERAS; i++)
		if (!strcmp(sim_camera[i].name, name))
			s->camera = &sim_camera[i];
	if (!s->camera) {
		blame(l, "OPEN of an unknown camera %s in slot %u", name, number);
		return;
	}
	for (uint32_t i = 1; i <= 2 * SLUICE_WIRE_SLOTS; i++)
		if (i != number && l->slot[i].camera == s->camera &&
		    (i > SLUICE_WIRE_SLOTS) == (number > SLUICE_WIRE_SLOTS))
			blame(l, "the camera is open in another slot");
	if (was.camera == s->camera && was.epoch == s->epoch && was.first == s->first) {
		s->seen = was.seen; /* a longer range of the same run */
		s->acked = was.acked;
	} else if (was.camera && !was.closing) {
		blame(l,
		      "slot %u: OPEN of epoch %llu, %llu..%llu without CLOSE of epoch %llu, "
		      "%llu..%llu",
		      number, (unsigned long long)s->epoch, (unsigned long long)s->first,
		      (unsigned long long)s->last, (unsigned long long)was.epoch,
		      (unsigned long long)was.first, (unsigned long long)was.last);
	}
	say_opened(l, number);
}

static void take_close(struct sim_link *l, uint32_t number, const struct sluice_wire_fields *f,
		       bool close)
{
	struct slot *s = &l->slot[number];
	struct sluice_wire_ledger ledger;
	uint64_t epoch = 0, now_ns;

	if (sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &epoch) || !s->camera || s->closing ||
	    epoch != s->epoch || sluice_wire_get_u64(f, SLUICE_TAG_NOW_NS, &now_ns) ||
	    (number <= SLUICE_WIRE_SLOTS && sluice_wire_get_ledger(f, &ledger)) ||
	    (number > SLUICE_WIRE_SLOTS && !close))
		blame(l, "%s of slot %u malformed or out of place", close ? "CLOSE" : "STATS",
		      number);
	s->closing = s->camera && close;
	store_soon(l);
}

static void take_control(struct sim_link *l, const struct sluice_wire_message *m)
{
	struct sluice_wire_fields f;

	if (sluice_wire_fields_get(&f, m->payload, m->length, 0) ||
	    m->slot > 2 * SLUICE_WIRE_SLOTS) {
		blame(l, "malformed fields");
		return;
	}
	if (m->type == SLUICE_MSG_HELLO)
		take_hello(l);
	else if (m->type == SLUICE_MSG_OPEN)
		take_open(l, m->slot, &f);
	else if (m->type == SLUICE_MSG_STATS || m->type == SLUICE_MSG_CLOSE)
		take_close(l, m->slot, &f, m->type == SLUICE_MSG_CLOSE);
	else if (m->type != SLUICE_MSG_BYE)
		blame(l, "unexpected %s", sluice_wire_type_name(m->type));
}

static void take_request(struct sim_link *l, const uint8_t **data, size_t *size)
{
	static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: sluice/1\r\n"
				     "Connection: Upgrade\r\n\r\n";
	struct iovec iov = { (void *)answer, sizeof(answer) - 1 };
	size_t used;
	int step = sluice_http_feed(&l->http, *data, *size, &used);

	*data += used;
	*size -= used;
	if (step < 0) {
		blame(l, "bad request: %s", l->http.why);
		end_link(l);
	}
	if (step != SLUICE_HTTP_STARTED)
		return;
	if (strcmp(l->http.target, SLUICE_WIRE_PATH) || !l->http.upgrade)
		blame(l, "not the uplink's request");
	sluice_conn_send(l->conn, &iov, 1);
	l->upgraded = true;
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct sim_link *l = arg;
	struct sluice_wire_message m;
	size_t used;

	while (size && !l->upgraded && !l->ending)
		take_request(l, &data, &size);
	while (size && !l->ending) {
		int r = sluice_wire_feed(&l->decoder, data, size, &used, &m);

		data += used;
		size -= used;
		if (r < 0) {
			blame(l, "%s", sluice_wire_strerror(r));
			end_link(l);
		}
		if (r <= 0)
			continue;
		trace("device", &m, m.payload);
		if (m.type == SLUICE_MSG_FRAME)
			take_frame(l, &m);
		else if (m.type == SLUICE_MSG_PING)
			say(l, SLUICE_MSG_PONG, 0, m.payload, m.length);
		else if (m.type != SLUICE_MSG_PONG)
			take_control(l, &m);
	}
}

static void on_open(void *arg)
{
}

static void on_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct sim_link *l = arg;

	sluice_io_timer_cancel(sim_cloud.io, &l->store);
	sluice_io_timer_cancel(sim_cloud.io, &l->tell);
	sluice_wire_decoder_exit(&l->decoder);
	for (unsigned int i = 0; i < l->waiting_count; i++)
		l->waiting[i]->waiting = false;
	if (sim_cloud.link == l)
		sim_cloud.link = NULL;
	free(l);
}

static void on_accept(void *arg, int fd)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, NULL, on_close };
	struct sluice_conn_config c = { .io = sim_cloud.io, .ops = &ops, .idle_ms = 25000 };
	struct sim_link *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	if (sim_cloud.link)
		end_link(sim_cloud.link); /* the old one has not yet noticed */
	sim_cloud.links++;
	sluice_http_begin_request(&l->http, 0);
	sluice_wire_decoder_init(&l->decoder, SLUICE_WIRE_PAYLOAD_MAX);
	l->fd = fd;
	l->conn = sluice_conn_adopt(&c, fd, l);
	sim_cloud.link = l;
}

/* ---- for the script ---- */

void sim_cloud_crash(void)
{
	if (sim_cloud.link)
		end_link(sim_cloud.link);
}

void sim_cloud_lie(void)
{
	struct sim_link *l = sim_cloud.link;

	if (!l || !l->greeted)
		return;
	for (uint32_t i = 1; i <= 2 * SLUICE_WIRE_SLOTS; i++)
		if (l->slot[i].camera) {
			say_stored(l, i, l->slot[i].epoch, 1000000000 + random_below(1000));
			sim_cloud.lies++;
		}
}

void sim_cloud_open(struct sluice_io *io)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int err;

	memset(&sim_cloud, 0, sizeof(sim_cloud));
	sim_cloud.io = io;
	sim_cloud.store_ms = 200;
	sim_cloud.window = 256u << 10;
	sim_cloud.listener = sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, NULL, &err);
	if (!sim_cloud.listener)
		exit(1);
	snprintf(sim_cloud.port, sizeof(sim_cloud.port), "%u",
		 sluice_io_listener_port(sim_cloud.listener));
}

void sim_cloud_close(void)
{
	sim_cloud_crash();
	sluice_io_unlisten(sim_cloud.listener);
}
