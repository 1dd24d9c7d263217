// SPDX-License-Identifier: MIT
/*
 * The world's course: time passes to the next thing that is due; and its end, when every frame that
 * was published is looked for, first at the cloud, then in the ledger.
 */
#include "sim_device.h"
#include "sim.h"
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include "lib/log.h"

#define TURNS_MAX    20000
#define FINISH_HOURS 6

void __wrap_sluice_log(enum sluice_log_level level, const char *format, ...);
void __wrap_sluice_log_limited(struct sluice_log_limit *limit, enum sluice_log_level level,
			       const char *format, ...);

/* The relay's words are for looking into a run: SLUICE_VERBOSE=1. */
void __wrap_sluice_log(enum sluice_log_level level, const char *format, ...)
{
	va_list ap;

	if (!getenv("SLUICE_VERBOSE"))
		return;
	va_start(ap, format);
	fprintf(stderr, "%llu ms: ", (unsigned long long)(sim.now / SIM_MS));
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

void __wrap_sluice_log_limited(struct sluice_log_limit *limit, enum sluice_log_level level,
			       const char *format, ...)
{
}

/* ---- time ---- */

/* Both processes, until nothing moves at this moment. */
void sim_settle(void)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		sim.device.worked = sim.cloud.worked = false;
		if (sim_device.running) {
			sim.at_work = true;
			sluice_io_turn(sim_device.io, -1);
			sim.at_work = false;
			sim_device_watch();
			if (sim.died)
				return;
		}
		sluice_io_turn(sim_cloud.io, -1);
		if (!sim.device.worked && !sim.cloud.worked &&
		    (!sim_device.running || sim.device.until > sim.now) &&
		    sim.cloud.until > sim.now)
			return;
	}
	fprintf(stderr, "the world does not come to rest (seed %llu)\n",
		(unsigned long long)check_seed);
	exit(1);
}

void sim_run_to(uint64_t end)
{
	while (sim.now < end && !sim.died) {
		uint64_t next = sim_next();

		for (int i = 0; i < SIM_CAMERAS; i++)
			if (sim_gate[i].next_ns < next)
				next = sim_gate[i].next_ns;
		sim.now = next < end ? (next > sim.now ? next : sim.now + 1) : end;
		sim_gates_run();
		sim_settle();
	}
}

void sim_calm(void)
{
	sim.weather = (struct sim_weather){ .delay_ns = random_below(80) * SIM_MS };
	sim.disk = SIM_DISK_GOOD;
	sim.disk_latency_ms = 10;
	sim_cloud.store_ms = 200;
	sim_cloud.late_ms = 0;
	sim_cloud.twice = sim_cloud.no_done = false;
}

/* ---- the comparison ---- */

void sim_empty_dir(const char *path, bool keep)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char name[600];

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (remove(name))
			sim_empty_dir(name, false);
	}
	if (d)
		closedir(d);
	if (!keep)
		rmdir(path);
}

void sim_compare(int camera)
{
	const struct sim_camera *c = &sim_camera[camera];
	const struct relay_spool_counts *p = relay_spool_counts(sim_device.spool, c->name);
	uint64_t durable = 0, rejected = 0, ring = 0, missing = 0, told = 0;
	const struct sim_frame *some = NULL;

	for (unsigned int i = 0; i < c->frames; i++) {
		const struct sim_frame *f = &c->frame[i];

		if (f->durable)
			durable++;
		else if (f->rejected)
			rejected++;
		else if (f->ring_lost)
			ring++;
		else
			missing++;
		if (!f->durable && !f->rejected && !f->ring_lost)
			some = f;
	}
	for (int i = 0; p && i < SLUICE_REASON_COUNT; i++)
		told += p->evicted[i];
	if (p)
		told += p->damaged;
	if (getenv("SLUICE_VERBOSE") || missing > told)
		fprintf(stderr,
			"seed %llu %s: %u published, %llu stored, %llu rejected, %llu in a ring "
			"that "
			"was lost, %llu missing; ledger: %llu given up or damaged\n",
			(unsigned long long)check_seed, c->name, c->frames,
			(unsigned long long)durable, (unsigned long long)rejected,
			(unsigned long long)ring, (unsigned long long)missing,
			(unsigned long long)told);
	if (missing > told)
		fprintf(stderr, "one of them: epoch %llu sequence %llu reason %u\n",
			(unsigned long long)some->epoch, (unsigned long long)some->sequence,
			some->reason);
	if (getenv("SLUICE_TRACE") && missing)
		for (unsigned int i = 0; i < c->frames; i++)
			if (!c->frame[i].durable && !c->frame[i].rejected && !c->frame[i].ring_lost)
				fprintf(stderr, "MISS %s %llu %llu\n", c->name,
					(unsigned long long)c->frame[i].epoch,
					(unsigned long long)c->frame[i].sequence);
	CHECK(missing <= told);
	CHECK(c->frames > 0 && durable > 0);
}

void sim_finish(void)
{
	uint64_t limit;

	sim_calm();
	sim.wall_step_ns = 0;
	if (!sim_device.running)
		CHECK(!sim_device_start());
	sim_gates_end();
	sim_run_to(sim.now + 30 * SIM_S);
	sim_net_cut(); /* what a lying cloud has withheld is asked for again */
	limit = sim.now + FINISH_HOURS * 3600 * SIM_S;
	while (!sim_device_finished() && sim.now < limit)
		sim_run_to(sim.now + SIM_S);
	if (!sim_device_finished())
		fprintf(stderr, "not finished: %llu in the spool (%s), tails %llu/%llu %llu/%llu\n",
			(unsigned long long)relay_spool_left(sim_device.spool),
			relay_spool_state_name(relay_spool_state(sim_device.spool)),
			(unsigned long long)sim_gate[0].make.ring.ctrl->tail,
			(unsigned long long)sim_gate[0].make.ring.head,
			(unsigned long long)sim_gate[1].make.ring.ctrl->tail,
			(unsigned long long)sim_gate[1].make.ring.head);
	CHECK(sim_device_finished());
}

void sim_open(void)
{
	struct sluice_io_config config = { .backend = &sim_backend, .backend_arg = &sim.cloud };
	struct sluice_io *io;
	char why[160];
	int err;

	sim_reset();
	memset(&sim_device, 0, sizeof(sim_device));
	io = sluice_io_open(&config, &err, why, sizeof(why));
	if (!io)
		exit(1);
	sim_cloud_open(io);
	sim_gates_open();
}

void sim_close_world(void)
{
	if (sim_device.running)
		sim_device_stop();
	sim_cloud_close();
	sim_settle();
	sluice_io_close(sim_cloud.io);
	sim_gates_close();
	sim_empty_dir(sim_dir, true);
}
