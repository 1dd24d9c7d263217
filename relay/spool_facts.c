// SPDX-License-Identifier: MIT
/* Sums over the cameras; which frames, by camera and reason, says ledger.json. */
#include "relay/spool_facts.h"

enum fact { STORED, REJECTED, EVICTED, DAMAGED };

static uint64_t sum(const struct relay_spool *s, enum fact fact)
{
	uint64_t n = fact == DAMAGED ? relay_spool_damaged(s) : 0;

	for (unsigned int i = 0; i < RELAY_SPOOL_CAMERAS; i++) {
		const char *name = relay_spool_camera(s, i);
		const struct relay_spool_counts *c = name[0] ? relay_spool_counts(s, name) : NULL;

		if (!c)
			continue;
		n += fact == STORED ? c->stored : fact == REJECTED ? c->rejected : 0;
		n += fact == DAMAGED ? c->damaged : 0;
		for (unsigned int r = 0; fact == EVICTED && r < SLUICE_REASON_COUNT; r++)
			n += c->evicted[r];
	}
	return n;
}

static uint64_t value_bytes(void *arg)
{
	return relay_spool_bytes(arg);
}

static uint64_t value_frames(void *arg)
{
	return relay_spool_left(arg);
}

static uint64_t value_state(void *arg)
{
	return relay_spool_state(arg);
}

static uint64_t value_stored(void *arg)
{
	return sum(arg, STORED);
}

static uint64_t value_rejected(void *arg)
{
	return sum(arg, REJECTED);
}

static uint64_t value_evicted(void *arg)
{
	return sum(arg, EVICTED);
}

static uint64_t value_damaged(void *arg)
{
	return sum(arg, DAMAGED);
}

/* For the health: do the frames on the disk become fewer? */
static void tell_progress(void *arg, uint64_t *waiting, uint64_t *settled)
{
	*waiting = relay_spool_left(arg);
	*settled = sum(arg, STORED) + sum(arg, REJECTED) + sum(arg, EVICTED) + sum(arg, DAMAGED);
}

void relay_spool_facts(struct relay_service *service, struct relay_spool *s)
{
	const struct relay_metric metrics[] = {
		{ "sluice_spool_bytes", "Bytes of the spool on the disk.", false, value_bytes, s },
		{ "sluice_spool_frames", "Frames that wait in the spool.", false, value_frames, s },
		{ "sluice_spool_state",
		  "State of the spool: 0 ok, 1 evicting, 2 no space, 3 read-only, 4 failed.", false,
		  value_state, s },
		{ "sluice_spool_stored_total", "Frames of the spool that the cloud has on disk.",
		  true, value_stored, s },
		{ "sluice_spool_rejected_total",
		  "Frames of the spool that the cloud refused or that cannot be sent.", true,
		  value_rejected, s },
		{ "sluice_spool_evicted_total", "Frames given up to make room in the spool.", true,
		  value_evicted, s },
		{ "sluice_spool_damaged_total", "Frames of the spool that the disk has lost.", true,
		  value_damaged, s },
	};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		relay_service_metric(service, &metrics[i]);
	relay_service_spool(service, tell_progress, s);
}
