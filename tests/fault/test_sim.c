// SPDX-License-Identifier: MIT
/*
 * usage: test_sim [SEED [COUNT [MINUTES]]]
 *
 * Hours of outages in seconds: the relay's own drain, spool, lanes and uplink in a simulated world
 * (sim.h), against a cloud that cuts, delays, dies, forgets what was not durable and lies. TLS is
 * left out: the link speaks as it does inside of it; what TLS adds is for the real programs
 * (tests/pipeline/t_fault). At the end every frame that the gate let through is looked for in the
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

#include <string.h>
#include <unistd.h>

#define STEP_NS (250 * SIM_MS)

static uint64_t restart_ns, calm_ns, minutes = 60;
static uint64_t kills, powers, disk_troubles, clock_steps;

/* ---- weather ---- */

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
		sim_calm();
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

static void run_seed(uint64_t seed)
{
	uint64_t frames = 0, end;
	int before = check_failures;

	random_seed(seed);
	sim_spool_bytes = random_below(3) ? 64u << 20 : 1u << 20;
	sim_open();
	restart_ns = calm_ns = 0;
	sim_cloud.reject = random_below(2) ? 0 : 300;
	sim_calm();
	kills = powers = disk_troubles = clock_steps = 0;
	CHECK(!sim_device_start());
	end = sim.now + minutes * 60 * SIM_S;
	while (sim.now < end) {
		sim_run_to(sim.now + STEP_NS * (1 + random_below(8)));
		change_weather();
	}
	sim_finish();
	for (int i = 0; i < SIM_CAMERAS; i++) {
		if (sim_device.running)
			sim_compare(i);
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
	sim_close_world();
}

int main(int argc, char **argv)
{
	/* Without arguments the same ones each time: a change is judged by what it does to them. */
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int count = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20;

	if (argc > 3)
		minutes = strtoull(argv[3], NULL, 10);
	snprintf(sim_dir, sizeof(sim_dir), "%s/test_sim.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(sim_dir))
		return 1;
	for (int i = 0; i < count && check_failures < 5; i++)
		run_seed(seed + (uint64_t)i);
	sim_empty_dir(sim_dir, false);
	return check_result();
}
