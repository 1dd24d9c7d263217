// SPDX-License-Identifier: MIT
/*
 * usage: test_every [what [first [last]]]
 *
 * One short session of the relay in the simulated world (sim.h): live frames, an outage that fills
 * the spool, the link again, back-fill beside live frames. It is repeated with one fault, at every
 * place where there is one:
 *
 *	io	the N-th answer of disk or network is an error or is short
 *	memory	the N-th allocation of our own code fails
 *	kill	the relay is killed before the N-th answer, the ring is kept: every commit point,
 *since between two answers nothing becomes durable
 *	power	the same, and the machine with it: the ring and what was not synced are gone
 *
 * until there is no N-th. A relay that does not start says so and is started again. The end is that
 * of test_sim: every frame at the cloud or in the ledger, none freed early, no rule broken.
 */
#include "sim_device.h"
#include "sim.h"
#include "check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum what { IO, MEMORY, KILL, POWER, WHATS };

static const char *const names[] = { "io", "memory", "kill", "power" };

static void start_again(void)
{
	for (int i = 0; i < 3 && !sim_device.running; i++)
		if (sim_device_start() == 0)
			return;
	CHECK(sim_device.running);
}

static void live_on(uint64_t ms, bool power)
{
	uint64_t end = sim.now + ms * SIM_MS;

	while (sim.now < end) {
		sim_run_to(end);
		if (!sim.died)
			continue;
		sim.died = false;
		sim.die_at = 0;
		sim.faulted = true;
		sim_device_kill(power);
		sim.now += 700 * SIM_MS;
		start_again();
	}
}

/* True if the fault came. */
static bool run(enum what what, uint64_t n)
{
	int before = check_failures;
	bool came;

	random_seed(7);
	sim_spool_bytes = 1u << 20;
	sim_open();
	sim_calm();
	sim.weather.delay_ns = 5 * SIM_MS;
	if (what == IO)
		sim.fault_at = n;
	else if (what == MEMORY)
		sim.fail_allocation = n;
	else
		sim.die_at = n;
	if (sim_device_start()) {
		CHECK(sim.faulted);
		start_again();
	}
	live_on(3000, what == POWER);
	sim_net_cut();
	sim.weather.lost = true;
	live_on(7000, what == POWER);
	sim.weather.lost = false;
	live_on(9000, what == POWER);
	came = sim.faulted;
	sim.die_at = 0;
	sim_finish();
	for (int i = 0; i < SIM_CAMERAS && sim_device.running; i++)
		sim_compare(i);
	CHECK(!sim_device.freed_early && !sim_cloud.wrong);
	if (check_failures > before)
		fprintf(stderr, "that was: %s %llu (%s)\n", names[what], (unsigned long long)n,
			sim.fault_what);
	sim_close_world();
	return came;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t last = argc > 3 ? strtoull(argv[3], NULL, 10) : 100000, n;

	snprintf(sim_dir, sizeof(sim_dir), "%s/test_every.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(sim_dir))
		return 1;
	for (enum what w = IO; w < WHATS && check_failures < 20; w++) {
		if (argc > 1 && strcmp(argv[1], names[w]))
			continue;
		for (n = first; n <= last && check_failures < 20 && run(w, n); n++)
			;
		printf("%s: %llu places\n", names[w], (unsigned long long)(n - first));
		fflush(stdout);
		CHECK(n > first + 20 || argc > 2);
	}
	sim_empty_dir(sim_dir, false);
	return check_result();
}
