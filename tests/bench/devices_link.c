// SPDX-License-Identifier: MIT
/*
 * devices_link.c - devices on one event loop: connect, HELLO, OPEN, frames at a steady rate (each
 * device at a phase of its own) or as fast as credit allows, and how long each takes to be STORED.
 */
#include "tests/bench/devices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/auth.h"
#include "lib/conn.h"
#include "lib/crc32c.h"
#include "lib/wire.h"

#define CAMERA	  "cam"
#define AT_A_TIME 64   /* handshakes under way */
#define UNDER_WAY 1024 /* frames of a device that are not STORED; more are not sent */
#define MS	  1000000ull
#define BUCKETS	  200000 /* of the latencies: 0.1 ms each */

struct device {
	struct fleet *fleet;
	unsigned int number;
	struct sluice_tls_ctx *tls;
	struct sluice_conn *conn;
	struct sluice_wire_decoder decoder;
	struct sluice_io_timer timer;
	bool upgraded, welcomed, opened;
	uint32_t answer; /* bytes of the 101 that ended in CR LF CR LF: progress */
	uint64_t epoch, first_ns, messages, credit, spent;
	uint64_t next, stored; /* sequences: to send; the lowest that is not STORED */
	uint64_t sent_ns[UNDER_WAY];
};

struct fleet {
	const struct devices_options *o;
	const struct cloud_process *cloud;
	struct sluice_io *io;
	struct device *device;
	unsigned int begun, under_way;
	bool cameras, sending, flat_out, ending;
	uint64_t frames; /* that each is to send; 0: no end */
	struct footage *footage;
	uint32_t *latency[2]; /* of each device's first frame, of the others */
	struct fleet_result r;
};

static void fail(struct device *d, const char *what)
{
	struct fleet *f = d->fleet;

	if (f->ending)
		return;
	if (!f->r.errors++)
		snprintf(f->r.error, sizeof(f->r.error), "device %u: %.120s", d->number, what);
}

static void send_message(struct device *d, uint8_t type, uint32_t slot, uint64_t sequence,
			 const void *payload, size_t size)
{
	struct sluice_wire_message m = {
		.type = type, .slot = slot, .length = (uint32_t)size, .sequence = sequence
	};
	struct sluice_wire_header h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)payload, size } };

	sluice_wire_header_put(&h, &m, sluice_crc32c(0, payload, size));
	sluice_conn_send(d->conn, iov, size ? 2 : 1);
}

static void say_hello(struct device *d)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_clock clock;

	sluice_wire_clock_now(&clock);
	sluice_wire_put_text(&w, SLUICE_TAG_BOOT_ID, "00000000-0000-0000-0000-000000000000");
	sluice_wire_put_text(&w, SLUICE_TAG_BUILD, "bench");
	sluice_wire_put_clock(&w, &clock);
	send_message(d, SLUICE_MSG_HELLO, 0, d->messages++, buf, w.used);
}

static void open_camera(struct device *d)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	const struct fleet *f = d->fleet;
	uint64_t now = sluice_io_now(f->io), span = footage_span_ns(f->footage, f->o->frames);
	uint32_t width, height;

	/* no frame of a reel is of the future */
	d->first_ns = now > span ? now - span : now;
	footage_picture(f->footage, &width, &height);
	sluice_wire_put_text(&w, SLUICE_TAG_NAME, CAMERA);
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, d->epoch);
	sluice_wire_put_size(&w, width, height);
	sluice_wire_put_u64(&w, SLUICE_TAG_FIRST_NS, d->first_ns);
	send_message(d, SLUICE_MSG_OPEN, 1, d->messages++, buf, w.used);
}

/* ---- frames ---- */

static bool may_send(const struct device *d)
{
	const struct fleet *f = d->fleet;

	return f->sending && d->opened && d->conn && d->next - d->stored < UNDER_WAY &&
	       (!f->frames || d->next < f->frames) &&
	       d->spent + footage_size(f->footage, d->next) <= d->credit;
}

static void send_frame(struct device *d)
{
	struct fleet *f = d->fleet;
	uint64_t now = sluice_io_now(f->io);
	uint32_t size = footage_size(f->footage, d->next);

	d->sent_ns[d->next % UNDER_WAY] = now;
	send_message(d, SLUICE_MSG_FRAME, 1, d->next,
		     footage_frame(f->footage, d->epoch, d->next, d->first_ns, now), size);
	d->next++;
	d->spent += size;
	f->r.sent++;
	f->r.sent_bytes += size;
}

static void send_flat_out(struct device *d)
{
	while (may_send(d) && sluice_conn_room(d->conn))
		send_frame(d);
}

static void on_turn(void *arg)
{
	struct device *d = arg;
	struct fleet *f = d->fleet;

	if (!f->sending || !d->conn)
		return;
	if (may_send(d))
		send_frame(d);
	else
		fail(d, "no credit, or too many frames are not stored");
	sluice_io_timer_set(f->io, &d->timer, d->timer.at_ns + 10000 * MS / f->o->rate, on_turn, d);
}

static void take_ack(struct device *d, const struct sluice_wire_fields *fields)
{
	struct fleet *f = d->fleet;
	uint64_t up_to = 0, now = sluice_io_now(f->io);

	sluice_wire_get_u64(fields, SLUICE_TAG_CUMULATIVE, &up_to);
	for (; d->stored <= up_to && d->stored < d->next; d->stored++) {
		uint64_t at = (now - d->sent_ns[d->stored % UNDER_WAY]) / (MS / 10);

		f->latency[d->stored > 0][at < BUCKETS ? at : BUCKETS - 1]++;
		f->r.stored++;
	}
	if (f->flat_out)
		send_flat_out(d);
}

static void take_message(struct device *d, const struct sluice_wire_message *m)
{
	struct fleet *f = d->fleet;
	struct sluice_wire_fields fields;
	uint32_t code = 0;

	if (m->type == SLUICE_MSG_PING) {
		send_message(d, SLUICE_MSG_PONG, 0, d->messages++, m->payload, m->length);
		return;
	}
	if (m->type == SLUICE_MSG_PONG || m->type == SLUICE_MSG_PART ||
	    sluice_wire_fields_get(&fields, m->payload, m->length, 1ull << SLUICE_TAG_MEDIA))
		return;
	sluice_wire_get_u64(&fields, SLUICE_TAG_CREDIT, &d->credit);
	switch (m->type) {
	case SLUICE_MSG_WELCOME:
		d->welcomed = true;
		f->r.welcomed++;
		f->under_way--;
		if (f->cameras)
			open_camera(d);
		break;
	case SLUICE_MSG_OPENED:
		d->opened = true;
		f->r.opened++;
		break;
	case SLUICE_MSG_ACK:
		take_ack(d, &fields);
		break;
	case SLUICE_MSG_CREDIT:
		if (f->flat_out)
			send_flat_out(d);
		break;
	case SLUICE_MSG_REJECT:
		fail(d, "REJECT");
		break;
	case SLUICE_MSG_GOAWAY:
		sluice_wire_get_u32(&fields, SLUICE_TAG_CODE, &code);
		fail(d, code == SLUICE_CODE_STORAGE ? "GOAWAY storage" : "GOAWAY");
		break;
	}
}

/* ---- the connection ---- */

static void on_open(void *arg)
{
	static const char request[] =
		"GET " SLUICE_WIRE_PATH " HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: Upgrade\r\nUpgrade: " SLUICE_WIRE_UPGRADE "\r\n\r\n";
	struct device *d = arg;
	struct iovec iov = { (void *)request, sizeof(request) - 1 };

	sluice_conn_send(d->conn, &iov, 1);
}

/* Skips the head of the answer; how many bytes. */
static size_t skip_answer(struct device *d, const uint8_t *data, size_t size)
{
	static const char end[] = "\r\n\r\n";
	size_t i = 0;

	while (i < size && d->answer < 4) {
		d->answer = data[i] == (uint8_t)end[d->answer] ? d->answer + 1 : data[i] == '\r';
		i++;
	}
	if (d->answer == 4 && !d->upgraded) {
		d->upgraded = true;
		say_hello(d);
	}
	return i;
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct device *d = arg;
	struct sluice_wire_message m;
	size_t used = d->upgraded ? 0 : skip_answer(d, data, size);

	for (data += used, size -= used; size; data += used, size -= used) {
		int r = sluice_wire_feed(&d->decoder, data, size, &used, &m);

		if (r < 0) {
			fail(d, "a malformed message");
			return;
		}
		if (r)
			take_message(d, &m);
	}
}

static void on_drain(void *arg)
{
	struct device *d = arg;

	if (d->fleet->flat_out)
		send_flat_out(d);
}

static void on_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct device *d = arg;

	fail(d, why);
	if (!d->welcomed)
		d->fleet->under_way--;
	d->conn = NULL;
}

static void connect_device(struct device *d)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, on_drain, on_close };
	struct fleet *f = d->fleet;
	const struct sluice_conn_config conf = {
		.io = f->io, .tls = d->tls, .ops = &ops, .handshake_ms = 60000
	};

	f->under_way++;
	d->conn = sluice_conn_connect(&conf, "localhost", f->cloud->port, d);
	if (!d->conn) {
		f->under_way--;
		fail(d, "out of memory");
	}
}

/* ---- the fleet ---- */

/* The next device from *number on whose camera's partition has not got its share yet. */
static unsigned int pick_number(const struct fleet *f, unsigned int *taken, unsigned int *number)
{
	const struct devices_options *o = f->o;
	struct sluice_camera camera;
	char name[32];
	unsigned int p;

	for (; o->partitions && *number < DEVICES_MAX; ++*number) {
		snprintf(name, sizeof(name), "dev-%u", *number);
		if (sluice_camera_init(&camera, SLUICE_TENANT, name, CAMERA))
			break;
		p = (camera.id[0] | (unsigned int)camera.id[1] << 8) % o->partitions;
		if (taken[p] < o->devices / o->partitions) {
			taken[p]++;
			break;
		}
	}
	return (*number)++;
}

static int open_device(struct fleet *f, struct device *d, unsigned int n)
{
	char cert[256], key[256], ca[256], why[256];
	const struct sluice_tls_config c = { .cert = cert, .key = key, .ca = ca };
	int err;

	cloud_process_file(f->cloud, n, "crt", cert);
	cloud_process_file(f->cloud, n, "key", key);
	snprintf(ca, sizeof(ca), "%s/ca.crt", f->cloud->data);
	d->fleet = f;
	d->number = n;
	d->epoch = f->o->epoch << 32 | n; /* of no other device, as in earnest */
	sluice_wire_decoder_init(&d->decoder, 0);
	d->tls = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	if (!d->tls)
		fprintf(stderr, "devices: %s\n", why);
	return d->tls ? 0 : err;
}

struct fleet *fleet_open(const struct cloud_process *c, const struct devices_options *o)
{
	struct fleet *f = calloc(1, sizeof(*f));
	unsigned int taken[PARTITIONS_MAX] = { 0 }, number = 0, n;
	char why[256];
	int err = -1;

	if (!f)
		return NULL;
	f->o = o;
	f->cloud = c;
	f->latency[0] = calloc(2 * BUCKETS, sizeof(*f->latency[0]));
	f->latency[1] = f->latency[0] + BUCKETS;
	f->device = calloc(o->devices, sizeof(*f->device));
	f->io = sluice_io_open(&(struct sluice_io_config){ .entries = 4096, .buffers = 256 }, &err,
			       why, sizeof(why));
	f->footage = footage_open(o);
	if (f->io && f->latency[0] && f->device && f->footage) {
		for (n = 0, err = 0; n < o->devices && !err; n++)
			err = open_device(f, &f->device[n], pick_number(f, taken, &number));
		if (!err)
			return f;
	}
	fleet_close(f);
	return NULL;
}

static void run_until(struct fleet *f, uint64_t until_ns)
{
	while (sluice_io_now(f->io) < until_ns)
		if (sluice_io_turn(f->io, 20))
			break;
}

int fleet_connect(struct fleet *f, bool cameras, unsigned int seconds)
{
	uint64_t until = sluice_io_now(f->io) + seconds * 1000 * MS;

	f->cameras = cameras;
	while (sluice_io_now(f->io) < until) {
		while (f->begun < f->o->devices && f->under_way < AT_A_TIME)
			connect_device(&f->device[f->begun++]);
		if (f->begun == f->o->devices && !f->under_way &&
		    (!cameras || f->r.opened + f->r.errors >= f->r.welcomed))
			break;
		if (sluice_io_turn(f->io, 20))
			break;
	}
	return f->r.welcomed == f->o->devices && (!cameras || f->r.opened == f->r.welcomed) &&
			       !f->r.errors
		       ? 0
		       : -1;
}

void fleet_send(struct fleet *f, unsigned int seconds, bool flat_out)
{
	uint64_t now = sluice_io_now(f->io), until = now + seconds * 1000 * MS, late;
	uint64_t each = 10000 * MS / f->o->rate;
	unsigned int n;

	f->sending = true;
	f->flat_out = flat_out;
	for (n = 0; n < f->o->devices; n++) {
		struct device *d = &f->device[n];

		if (flat_out)
			send_flat_out(d);
		else
			sluice_io_timer_set(f->io, &d->timer, now + each * n / f->o->devices,
					    on_turn, d);
	}
	run_until(f, until);
	f->sending = false;
	late = sluice_io_now(f->io) + 10000 * MS;
	while (f->r.stored < f->r.sent && sluice_io_now(f->io) < late)
		if (sluice_io_turn(f->io, 20))
			break;
	if (f->r.stored < f->r.sent)
		fail(&f->device[0], "frames that were not STORED within 10 s");
	f->flat_out = false;
}

void fleet_feed(struct fleet *f, unsigned int frames, unsigned int seconds)
{
	uint64_t all = (uint64_t)frames * f->o->devices;
	uint64_t until = sluice_io_now(f->io) + seconds * 1000 * MS;
	unsigned int n;

	f->sending = f->flat_out = true;
	f->frames = frames;
	for (n = 0; n < f->o->devices; n++)
		send_flat_out(&f->device[n]);
	while (f->r.stored < all && !f->r.errors && sluice_io_now(f->io) < until)
		if (sluice_io_turn(f->io, 20))
			break;
	f->sending = f->flat_out = false;
	if (f->r.stored < all)
		fail(&f->device[0], "frames that were not STORED in time");
}

void fleet_rest(struct fleet *f, unsigned int seconds)
{
	run_until(f, sluice_io_now(f->io) + seconds * 1000 * MS);
}

/* which: bit 0 the first frames, bit 1 the others. */
static double quantile(const struct fleet *f, int which, double q)
{
	uint64_t all = 0, sum = 0;
	unsigned int i, turn;

	for (turn = 0; turn < 2; turn++) {
		uint64_t want = (uint64_t)ceil(q * (double)all);

		for (i = 0; i < BUCKETS; i++) {
			uint32_t n = (which & 1 ? f->latency[0][i] : 0) +
				     (which & 2 ? f->latency[1][i] : 0);

			all += turn ? 0 : n;
			sum += turn ? n : 0;
			if (turn && sum && sum >= want)
				return (i + 1) / 10.0;
		}
	}
	return 0;
}

void fleet_result(struct fleet *f, struct fleet_result *r)
{
	*r = f->r;
	r->p50_ms = quantile(f, 3, 0.5);
	r->p99_ms = quantile(f, 3, 0.99);
	r->max_ms = quantile(f, 3, 1);
	r->p99_first_ms = quantile(f, 1, 0.99);
	r->p99_later_ms = quantile(f, 2, 0.99);
}

void fleet_close(struct fleet *f)
{
	unsigned int n;

	if (!f)
		return;
	f->ending = true;
	for (n = 0; f->device && n < f->o->devices; n++) {
		struct device *d = &f->device[n];

		if (f->io)
			sluice_io_timer_cancel(f->io, &d->timer);
		if (d->conn)
			sluice_conn_abort(d->conn, NULL);
	}
	sluice_io_close(f->io);
	for (n = 0; f->device && n < f->o->devices; n++) {
		sluice_wire_decoder_exit(&f->device[n].decoder);
		sluice_tls_ctx_close(f->device[n].tls);
	}
	free(f->device);
	free(f->latency[0]);
	footage_close(f->footage);
	free(f);
}
