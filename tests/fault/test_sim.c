// SPDX-License-Identifier: MIT
/*
 * usage: test_sim [SEED [COUNT [MINUTES]]]
 *
 * Hours of outages in seconds: the relay's own drain, spool, lanes and uplink in a simulated world
 * (sim.h), against a cloud that cuts, delays, dies, forgets what was not durable and lies. TLS is
 * left out: the link speaks as it does inside of it; what TLS adds is for the real programs
 * (tests/pipeline/t_fault_*). At the end every frame that the gate let through is looked for in the
 * cloud's index, and what is not there in the device's ledger:
 *
 *	lost without a reason	missing, and neither rejected, evicted, damaged nor in a ring whose
 *				memory was lost: 0
 *	freed before STORED	left the ring while it was neither durable at the cloud nor in the
 *				spool: 0
 *	order			rules of the protocol that the device broke: 0
 *	complete		all that can be sent is sent, and the spool is empty, in finite time
 *
 * The seed is printed; it repeats the run exactly.
 */
#include "sim_device.h"
#include "sim.h"
#include "check.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STEP_NS	     (250 * SIM_MS)
#define TURNS_MAX    20000
#define FINISH_HOURS 6

static uint64_t restart_ns, calm_ns, minutes = 60;
static uint64_t kills, powers, disk_troubles, clock_steps;
static uint64_t
	powered_spool; /* frames evicted or damaged as the ledger told before it was reset */

/* ---- time ---- */

/* Both processes, until nothing moves at this moment. */
static void settle(void)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		sim.device.worked = sim.cloud.worked = false;
		if (sim_device.running) {
			sluice_io_turn(sim_device.io, -1);
			sim_device_watch();
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

static void run_to(uint64_t end)
{
	while (sim.now < end) {
		uint64_t next = sim_next();

		for (int i = 0; i < SIM_CAMERAS; i++)
			if (sim_gate[i].next_ns < next)
				next = sim_gate[i].next_ns;
		sim.now = next < end ? (next > sim.now ? next : sim.now + 1) : end;
		sim_gates_run();
		settle();
	}
}

/* ---- weather ---- */

static void calm(void)
{
	sim.weather = (struct sim_weather){ .delay_ns = random_below(80) * SIM_MS };
	sim.disk = SIM_DISK_GOOD;
	sim.disk_latency_ms = 10;
	sim_cloud.store_ms = 200;
	sim_cloud.late_ms = 0;
	sim_cloud.twice = sim_cloud.no_done = false;
}

static void break_link(void)
{
	switch (random_below(6)) {
	case 0:
		sim_net_cut();
		break;
	case 1:
		sim_net_dark();
		break;
	case 2:
		sim_net_half_close((int)random_below(2));
		break;
	case 3:
		sim_net_corrupt((int)random_below(2));
		break;
	case 4:
		sim_cloud_crash();
		break;
	default:
		sim_net_cut();
		sim.weather.refuse = random_below(2);
		sim.weather.lost = true;
	}
}

static void end_device(void)
{
	bool power = !random_below(3);

	if (!sim_device.running)
		return;
	if (power)
		powers++;
	else
		kills++;
	sim_device_kill(power);
	restart_ns = sim.now + random_below(random_below(4) ? 5000 : 60000) * SIM_MS;
}

static void spoil(void)
{
	switch (random_below(10)) {
	case 0:
	case 1:
	case 2:
	case 3:
		break_link();
		break;
	case 4:
		sim.weather.rate = 2000 + random_below(40000);
		break;
	case 5:
		sim.disk = 1 + random_below(3);
		disk_troubles++;
		break;
	case 6:
		sim.disk_latency_ms = 2000;
		sim_cloud.store_ms = 3000;
		sim_cloud.late_ms = random_below(20000);
		break;
	case 7:
		sim_cloud.twice = true;
		sim_cloud.no_done = random_below(2);
		sim_cloud_lie();
		break;
	case 8:
		clock_steps++;
		sim.wall_step_ns = random_below(3)
					   ? (random_below(2) ? 3600 : -3600) * (int64_t)SIM_S
					   : -1790000000ll * (int64_t)SIM_S;
		break;
	default:
		end_device();
	}
}

static void change_weather(void)
{
	if (sim.now >= calm_ns) {
		calm();
		if (random_below(2))
			sim.weather.lost = sim.weather.refuse = false;
		calm_ns = sim.now + (20 + random_below(random_below(4) ? 60 : 900)) * SIM_S;
	}
	if (!random_below(60))
		spoil();
	if (!sim_device.running && sim.now >= restart_ns) {
		int err = sim_device_start();

		if (err) { /* its disk cannot be written or read: it says so, and is started again
			    */
			CHECK(sim.disk != SIM_DISK_GOOD);
			restart_ns = sim.now + 5 * SIM_S;
		}
	}
}

/* ---- the comparison ---- */

static void empty_dir(const char *path, bool keep)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char name[600];

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (remove(name))
			empty_dir(name, false);
	}
	if (d)
		closedir(d);
	if (!keep)
		rmdir(path);
}

static void compare(int camera)
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
	CHECK(missing <= told);
	CHECK(c->frames > 0 && durable > 0);
}

static void finish(void)
{
	uint64_t limit;

	calm();
	sim.wall_step_ns = 0;
	if (!sim_device.running)
		CHECK(!sim_device_start());
	sim_gates_end();
	run_to(sim.now + 30 * SIM_S);
	sim_net_cut(); /* what a lying cloud has withheld is asked for again */
	limit = sim.now + FINISH_HOURS * 3600 * SIM_S;
	while (!sim_device_finished() && sim.now < limit)
		run_to(sim.now + SIM_S);
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

static void open_world(void)
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
	restart_ns = calm_ns = 0;
}

static void close_world(void)
{
	if (sim_device.running)
		sim_device_stop();
	sim_cloud_close();
	settle();
	sluice_io_close(sim_cloud.io);
	sim_gates_close();
	empty_dir(sim_dir, true);
}

static void run_seed(uint64_t seed)
{
	uint64_t frames = 0, end;
	int before = check_failures;

	random_seed(seed);
	sim_spool_bytes = random_below(3) ? 64u << 20 : 1u << 20;
	open_world();
	sim_cloud.reject = random_below(2) ? 0 : 300;
	calm();
	kills = powers = disk_troubles = clock_steps = powered_spool = 0;
	CHECK(!sim_device_start());
	end = sim.now + minutes * 60 * SIM_S;
	while (sim.now < end) {
		run_to(sim.now + STEP_NS * (1 + random_below(8)));
		change_weather();
	}
	finish();
	for (int i = 0; i < SIM_CAMERAS; i++) {
		if (sim_device.running)
			compare(i);
		frames += sim_camera[i].frames;
	}
	CHECK(!sim_device.freed_early);
	CHECK(!sim_cloud.wrong);
	printf("seed %llu: %llu min, %llu frames, %llu links, %llu cuts, %llu kills, %llu power "
	       "failures, %llu disk troubles, %llu clock steps, %llu lies, %llu sent again%s\n",
	       (unsigned long long)seed, (unsigned long long)minutes, (unsigned long long)frames,
	       (unsigned long long)sim_cloud.links, (unsigned long long)sim.cuts,
	       (unsigned long long)kills, (unsigned long long)powers,
	       (unsigned long long)disk_troubles, (unsigned long long)clock_steps,
	       (unsigned long long)sim_cloud.lies, (unsigned long long)sim_cloud.duplicates,
	       check_failures > before ? ": FAILED" : "");
	fflush(stdout);
	close_world();
}

int main(int argc, char **argv)
{
	uint64_t seed = seed_of(argc, argv);
	int count = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20;

	if (argc > 3)
		minutes = strtoull(argv[3], NULL, 10);
	sluice_log_setup("test_sim", getenv("SLUICE_VERBOSE") ? SLUICE_LOG_DEBUG : SLUICE_LOG_ERROR,
			 false);
	snprintf(sim_dir, sizeof(sim_dir), "%s/test_sim.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(sim_dir))
		return 1;
	for (int i = 0; i < count && check_failures < 5; i++)
		run_seed(seed + (uint64_t)i);
	empty_dir(sim_dir, false);
	return check_result();
}
