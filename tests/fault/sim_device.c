// SPDX-License-Identifier: MIT
#include "sim_device.h"
#include "sim.h"
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS	     1000
#define RING_DESCS   256
#define RING_BYTES   (256u << 10)
#define EPOCH_ONE_IN 900

struct sim_device sim_device;
struct sim_gate sim_gate[SIM_CAMERAS];
char sim_dir[128];
uint64_t sim_spool_bytes;

/* ---- gates ---- */

static void open_gate(int i)
{
	struct sim_gate *g = &sim_gate[i];

	ringmake_open(&g->make, sim_camera[i].name, RING_DESCS, RING_BYTES);
	g->make.time_ns = sim.now - sim.device.zero_ns;
	g->seen_tail = 0;
	g->first = sim_camera[i].frames;
	g->sequence = 0;
	ringmake_stream(&g->make, ++g->epoch, 640, 480);
}

void sim_gates_open(void)
{
	memset(sim_gate, 0, sizeof(sim_gate));
	for (int i = 0; i < SIM_CAMERAS; i++) {
		sim_camera[i].frames = 0;
		snprintf(sim_camera[i].name, sizeof(sim_camera[i].name), "cam%d", i);
		sim_gate[i].epoch = 100;
		sim_gate[i].next_ns = sim.now + SIM_S;
		open_gate(i);
	}
}

void sim_gates_close(void)
{
	for (int i = 0; i < SIM_CAMERAS; i++)
		ringmake_close(&sim_gate[i].make);
}

static void publish(int i)
{
	struct sim_gate *g = &sim_gate[i];
	struct sim_camera *c = &sim_camera[i];
	uint8_t picture[4096];
	uint32_t size = sim_frame_make(g->epoch, g->sequence, picture);

	g->make.time_ns = sim.now - sim.device.zero_ns - 40000000;
	if (c->frames == SIM_FRAMES)
		return;
	if (ringmake_frame(&g->make, g->sequence, picture, size)) {
		g->full++;
		return;
	}
	c->frame[c->frames++] = (struct sim_frame){ .epoch = g->epoch,
						    .sequence = g->sequence,
						    .time_ns = g->make.time_ns,
						    .event = g->make.event,
						    .reason = g->make.reason };
}

static void run_gate(int i)
{
	struct sim_gate *g = &sim_gate[i];

	if (g->burst) {
		g->burst--;
		g->make.reason = SLUICE_REASON_MOTION;
		g->next_ns = sim.now + 200 * SIM_MS;
	} else if (random_below(3)) {
		g->make.reason = random_below(2) ? SLUICE_REASON_KEEPALIVE : SLUICE_REASON_AUDIT;
		g->next_ns = sim.now + (1000 + random_below(9000)) * SIM_MS;
	} else {
		g->burst = 5 + random_below(60);
		g->make.event++;
		return;
	}
	if (!random_below(EPOCH_ONE_IN)) { /* the format has changed, say */
		g->make.event = 0;
		g->sequence = 0;
		ringmake_stream(&g->make, ++g->epoch, 640, 480);
	}
	publish(i);
	g->sequence += 1 + random_below(3);
}

void sim_gates_run(void)
{
	for (int i = 0; i < SIM_CAMERAS; i++) {
		bool any = false;

		while (sim_gate[i].next_ns <= sim.now) {
			run_gate(i);
			any = true;
		}
		if (any && sim_device.running && sim_gate[i].camera) {
			relay_spill_pump(&sim_device.spill);
			relay_uplink_pump(&sim_device.uplink);
		}
	}
}

void sim_gates_end(void)
{
	for (int i = 0; i < SIM_CAMERAS; i++) {
		sim_gate[i].next_ns = UINT64_MAX;
		ringmake_state(&sim_gate[i].make, SLUICE_STATE_ENDED);
	}
}

/* The memory is gone: what only it held is lost, and we know which. */
static void lose_ring(int i)
{
	struct sim_gate *g = &sim_gate[i];
	uint64_t tail = g->make.ring.ctrl->tail;

	for (uint64_t r = tail; r < g->make.ring.head; r++)
		sim_camera[i].frame[g->first + r].ring_lost = true;
	ringmake_close(&g->make);
	g->burst = 0;
	open_gate(i);
}

/* ---- the relay ---- */

static void on_told(void *arg, bool up, bool permanent, const char *why)
{
	sim_device.ups += up;
	sim_device.downs += !up;
	relay_spill_link(&sim_device.spill, up);
}

static void on_progress(void *arg)
{
	relay_lanes_hold(&sim_device.lanes);
}

static void on_settled(void *arg, int err)
{
	sim_device.settled++;
	sim_device.settle_errors += err != 0;
	relay_spill_settled(&sim_device.spill, err);
	relay_spill_pump(&sim_device.spill);
	relay_uplink_pump(&sim_device.uplink);
}

static void on_spool_ready(void *arg)
{
	relay_uplink_pump(&sim_device.uplink);
}

static void on_answer(void *arg, const char *id, int status)
{
}

static void on_tick(void *arg)
{
	struct sim_device *d = arg;

	sluice_io_timer_in(d->io, &d->tick, TICK_MS, on_tick, d);
	on_progress(NULL);
	for (int i = 0; i < (int)SLUICE_WIRE_SLOTS; i++)
		relay_camera_look(&d->camera[i]);
	relay_spill_pump(&d->spill);
	relay_uplink_pump(&d->uplink);
}

static struct relay_camera *place_for(struct sim_device *d, const char *name)
{
	struct relay_camera *free_one = NULL;

	for (int i = (int)SLUICE_WIRE_SLOTS - 1; i >= 0; i--) {
		if (!strcmp(d->camera[i].name, name))
			return &d->camera[i];
		if (!d->camera[i].name[0])
			free_one = &d->camera[i];
	}
	return free_one;
}

static int attach(struct sim_device *d, int i)
{
	struct sim_gate *g = &sim_gate[i];
	struct relay_camera *c = place_for(d, sim_camera[i].name);
	struct relay_ring ring;
	char why[160];
	int err = relay_ring_map(&ring, g->make.fd, g->make.size, why, sizeof(why));

	if (!err)
		err = relay_camera_attach(c, &ring);
	if (err)
		return err;
	g->camera = c;
	relay_spill_attached(&d->spill, c);
	relay_uplink_camera_changed(&d->uplink, c);
	return 0;
}

static int open_parts(struct sim_device *d)
{
	struct sluice_io_config config = { .backend = &sim_backend, .backend_arg = &sim.device };
	struct relay_spool_config spool = { .bytes_max = sim_spool_bytes,
					    .boot = d->boot,
					    .settled = on_settled,
					    .ready = on_spool_ready };
	struct relay_downlink_config down = { .state = sim_dir, .answer = on_answer };
	char why[160], dir[160];
	int err;

	d->io = sluice_io_open(&config, &err, why, sizeof(why));
	if (!d->io)
		return err;
	d->downlink = relay_downlink_open(&down, &err);
	if (!d->downlink)
		return err;
	d->encoder = relay_encoder_open(80, SLUICE_WIRE_PAYLOAD_MAX);
	d->spill_encoder = relay_encoder_open(80, SLUICE_WIRE_PAYLOAD_MAX);
	if (!d->encoder || !d->spill_encoder)
		return -ENOMEM;
	snprintf(dir, sizeof(dir), "%s/spool", sim_dir);
	spool.io = d->io;
	spool.dir = dir;
	d->spool = relay_spool_open(&spool, &err);
	return d->spool ? 0 : err;
}

static void start_parts(struct sim_device *d)
{
	struct relay_uplink_config up = { .io = d->io,
					  .host = "127.0.0.1",
					  .port = sim_cloud.port,
					  .camera = d->camera,
					  .lanes = &d->lanes,
					  .maker.encoder = d->encoder,
					  .downlink = d->downlink,
					  .told = on_told,
					  .progress = on_progress };

	for (uint32_t i = 0; i < SLUICE_WIRE_SLOTS; i++)
		d->camera[i].slot = i + 1;
	d->lanes = (struct relay_lanes){ .spool = d->spool, .camera = d->camera };
	d->spill = (struct relay_spill){ .io = d->io,
					 .camera = d->camera,
					 .spool = d->spool,
					 .maker.encoder = d->spill_encoder,
					 .after_ms = RELAY_SPILL_AFTER_MS,
					 .down_ns = sluice_io_now(d->io) };
	relay_lanes_hold(&d->lanes);
	relay_uplink_start(&d->uplink, &up);
	sluice_io_timer_in(d->io, &d->tick, TICK_MS, on_tick, d);
}

static void close_parts(struct sim_device *d)
{
	for (int i = 0; i < SIM_CAMERAS; i++)
		sim_gate[i].camera = NULL;
	if (d->io)
		sluice_io_timer_cancel(d->io, &d->tick);
	relay_spool_stop(d->spool);
	for (uint32_t i = 0; i < SLUICE_WIRE_SLOTS; i++)
		relay_camera_detach(&d->camera[i]);
	relay_uplink_free(&d->uplink);
	/* time stands still here: what is under way ends at once */
	for (unsigned int i = 0; i < sim.device.count; i++)
		sim.device.cancelled[i] = true;
	sim.device.dead = true;
	sluice_io_close(d->io);
	relay_spool_close(d->spool);
	relay_encoder_close(d->spill_encoder);
	relay_encoder_close(d->encoder);
	relay_downlink_close(d->downlink);
	d->io = NULL;
	d->spool = NULL;
	d->encoder = d->spill_encoder = NULL;
	d->downlink = NULL;
	memset(&d->uplink, 0, sizeof(d->uplink));
	memset(d->camera, 0, sizeof(d->camera));
	memset(&d->tick, 0, sizeof(d->tick));
	sim.device.until = UINT64_MAX;
	d->running = false;
}

/* What the ledger says was lost of a camera's frames in the spool. */
static uint64_t given_up(int camera)
{
	const struct relay_spool_counts *c =
		sim_device.spool ? relay_spool_counts(sim_device.spool, sim_camera[camera].name)
				 : NULL;
	uint64_t sum = c ? c->damaged : 0;

	for (int i = 0; c && i < SLUICE_REASON_COUNT; i++)
		sum += c->evicted[i];
	return sum;
}

int sim_device_start(void)
{
	struct sim_device *d = &sim_device;
	int err;

	sim.device.dead = false;
	sim.at_work = true;
	sim.device.count = 0;
	sim.device.until = UINT64_MAX;
	d->starts++;
	snprintf(d->boot, sizeof(d->boot), "00000000-0000-4000-8000-%012u", d->boots + 1);
	err = open_parts(d);
	if (!err) {
		start_parts(d);
		d->running = true;
	}
	for (int i = 0; i < SIM_CAMERAS; i++)
		sim_gate[i].given_up = given_up(i);
	for (int i = 0; i < SIM_CAMERAS && !err; i++)
		err = attach(d, i);
	sim.at_work = false;
	if (err)
		close_parts(d);
	return err;
}

void sim_device_stop(void)
{
	struct sim_device *d = &sim_device;

	sim_device_watch();
	relay_uplink_stop(&d->uplink);
	for (int i = 0; i < 100 && !relay_uplink_stopped(&d->uplink); i++) {
		sluice_io_turn(d->io, -1);
		sluice_io_turn(sim_cloud.io, -1);
		sim.now += 100 * SIM_MS;
	}
	close_parts(d);
}

void sim_device_kill(bool power)
{
	struct sim_device *d = &sim_device;

	sim_device_watch();
	for (unsigned int i = 0; i < sim.device.count; i++) {
		if (!power || random_below(2))
			sim_disk_half(sim.device.request[i]);
		sim.device.cancelled[i] = true;
	}
	sim.device.dead = true;

	if (power)
		sim_net_dark();
	close_parts(d);
	if (!power)
		return;
	sim_disk_power();
	d->boots++;
	sim.device.zero_ns = sim.now - (20 + random_below(60)) * SIM_S;
	for (int i = 0; i < SIM_CAMERAS; i++)
		lose_ring(i);
}

/* A full spool may give up frames in the turn in which they became its own, and forget their run
 * with them: as many may be nowhere as the ledger says. In the end sim_compare() counts all of
 * them. */
void sim_device_watch(void)
{
	for (int i = 0; i < SIM_CAMERAS; i++) {
		struct sim_gate *g = &sim_gate[i];
		uint64_t tail = g->make.ring.ctrl->tail, lost = given_up(i), gone;

		gone = lost > g->given_up ? lost - g->given_up : 0;
		g->given_up = lost;

		if (tail < g->seen_tail || tail > g->make.ring.head) {
			sim_device.freed_early++;
			return;
		}
		for (; g->seen_tail < tail; g->seen_tail++) {
			const struct sim_frame *f = &sim_camera[i].frame[g->first + g->seen_tail];

			if (f->durable || f->rejected ||
			    (sim_device.spool &&
			     relay_spool_has(sim_device.spool, sim_camera[i].name, f->epoch,
					     f->sequence)))
				continue;
			if (gone) {
				gone--;
				continue;
			}
			sim_device.freed_early++;
			fprintf(stderr,
				"%s: frame %llu of epoch %llu is freed and stored nowhere (seed "
				"%llu)\n",
				sim_camera[i].name, (unsigned long long)f->sequence,
				(unsigned long long)f->epoch, (unsigned long long)check_seed);
		}
	}
}

bool sim_device_finished(void)
{
	if (!sim_device.running || relay_spool_left(sim_device.spool) ||
	    relay_spool_pending(sim_device.spool))
		return false;
	for (int i = 0; i < SIM_CAMERAS; i++)
		if (!sim_gate[i].camera || !relay_camera_finished(sim_gate[i].camera))
			return false;
	return true;
}
