// SPDX-License-Identifier: MIT
/* Health follows counters that move, second by second, on a clock of the test's own. */
#include <string.h>
#include "check.h"
#include "relay/health.h"

#define S ((uint64_t)1000000000)

static struct relay_health h;
static struct relay_pulse pulse[SLUICE_WIRE_SLOTS];
static uint64_t now;
static char text[512];

static bool good(void)
{
	return relay_health_good(&h, now, text, sizeof(text));
}

/* n seconds; each adds so much to camera i's counters. */
static void pass(unsigned int n, unsigned int i, uint64_t delivered, uint64_t settled)
{
	while (n--) {
		now += S;
		pulse[i].delivered += delivered;
		pulse[i].settled += settled;
		relay_health_look(&h, now, pulse, SLUICE_WIRE_SLOTS);
	}
}

static void begin(void)
{
	memset(&h, 0, sizeof(h));
	memset(pulse, 0, sizeof(pulse));
	now = 1000 * S;
	snprintf(pulse[2].name, sizeof(pulse[2].name), "door");
}

int main(void)
{
	begin();
	CHECK(!good() && strstr(text, "the loop stands still"));
	pulse[2].name[0] = 0;
	pass(1, 2, 0, 0);
	CHECK(!good() && strstr(text, "no camera"));

	/* idle is well, for ever */
	begin();
	pass(1000, 2, 0, 0);
	CHECK(good() && strstr(text, "1 cameras, 1 of them idle"));

	/* streaming: well while frames come, and 30 s longer */
	pulse[2].streaming = true;
	pass(100, 2, 5, 0);
	CHECK(good());
	pass(30, 2, 0, 0);
	CHECK(good());
	pass(1, 2, 0, 0);
	CHECK(!good() && strstr(text, "door: no frame for 31 s"));
	pass(1, 2, 1, 0);
	CHECK(good());
	pass(40, 2, 0, 0);
	CHECK(!good());
	pulse[2].streaming = false; /* the application has closed it: idle */
	pass(1, 2, 0, 0);
	CHECK(good());

	/* something waits: it must be stored, however well everything else looks */
	begin();
	pulse[2].streaming = true;
	pulse[2].waiting = 7;
	pass(60, 2, 25, 0);
	CHECK(good());
	pass(2, 2, 25, 0);
	CHECK(!good() && strstr(text, "door: 7 frames wait, none was stored for 61 s"));
	snprintf(h.trouble, sizeof(h.trouble), "cloud not reachable");
	CHECK(!good() && strstr(text, "; cloud not reachable"));
	pass(1, 2, 25, 1);
	CHECK(good() && strstr(text, "cloud not reachable"));
	pass(100, 2, 25, 1);
	CHECK(good());
	/* a link that is down while nothing waits is no fault */
	pulse[2].waiting = 0;
	pass(1000, 2, 25, 0);
	CHECK(good());

	/* frames on the disk must become fewer too, whatever the ring looks like */
	for (int i = 0; i < 61; i++) {
		pass(1, 2, 25, 0);
		relay_health_spool(&h, now, 9, 4);
	}
	CHECK(good());
	pass(1, 2, 25, 0);
	relay_health_spool(&h, now, 9, 4);
	CHECK(!good() && strstr(text, "the spool: 9 frames wait, none was stored for 61 s"));
	relay_health_spool(&h, now, 8, 5);
	CHECK(good());
	relay_health_spool(&h, now, 0, 13);
	pass(100, 2, 25, 0);
	CHECK(good());

	/* another camera in the same place does not inherit its silence */
	begin();
	pulse[2].streaming = true;
	pass(40, 2, 0, 0);
	CHECK(!good());
	snprintf(pulse[2].name, sizeof(pulse[2].name), "gate");
	pass(1, 2, 0, 0);
	CHECK(good());

	/* two troubles are both told; one bad camera is enough */
	begin();
	pass(1, 2, 0, 0);
	snprintf(pulse[5].name, sizeof(pulse[5].name), "yard");
	pulse[5].streaming = true;
	pulse[5].waiting = 1;
	pass(70, 2, 0, 0);
	CHECK(!good() && strstr(text, "yard: no frame") && strstr(text, "yard: 1 frames wait"));
	CHECK(!strstr(text, "door"));

	/* nobody looks any more */
	now += 6 * S;
	CHECK(!good() && strstr(text, "the loop stands still"));
	/* a text that has no room is cut, not written beyond */
	CHECK(!relay_health_good(&h, now, text, 10) && strlen(text) == 9);
	return check_result();
}
