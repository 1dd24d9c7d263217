// SPDX-License-Identifier: MIT
/* test_bus.c - the bus within one process does what every bus must (tests/conform/bus.c), and frees
 * what nobody took. */
#include <errno.h>

#include "tests/conform/bus.h"
#include "tests/unit/check.h"

#define MAX 3000000 /* bytes of a partition */

static struct sluice_bus *bus;

static struct sluice_bus *rig_open(struct conform_bus *rig, int which)
{
	if (!which && sluice_bus_local_open(rig->partitions, MAX, &bus))
		exit(1);
	return bus;
}

static void rig_close(struct conform_bus *rig, int which)
{
	if (which)
		return;
	sluice_bus_close(bus);
	bus = NULL;
}

/* Larger than the bound: taken, because it is empty; given out is not done. */
static void test_bound(void)
{
	struct sluice_camera camera = { .id = { 0 } };
	struct sluice_chunk *c[2];
	struct sluice_lease l;

	for (int i = 0; i < 2; i++) {
		c[i] = calloc(1, sizeof(*c[i]));
		if (!c[i])
			exit(1);
		c[i]->camera = &camera;
		c[i]->bytes = i ? 60 : 500;
	}
	CHECK(sluice_bus_local_open(0, 100, &bus) == -EINVAL);
	CHECK(!sluice_bus_local_open(2, 100, &bus));
	CHECK(!bus->ops->claim(bus, 0, &l));
	CHECK(!bus->ops->publish(bus, c[0]));
	CHECK(bus->ops->publish(bus, c[1]) == -EAGAIN);
	CHECK(bus->ops->next(bus, &l, 1000) == c[0]);
	CHECK(bus->ops->publish(bus, c[1]) == -EAGAIN);
	CHECK(!bus->ops->ack(bus, &l, c[0]));
	CHECK(!bus->ops->publish(bus, c[1]));
	sluice_bus_close(bus); /* with the second one in it */
}

int main(void)
{
	struct conform_bus rig = {
		.name = "local", .open = rig_open, .close = rig_close, .partitions = 2
	};

	rig.cameras = sluice_cameras_open();
	if (!rig.cameras)
		return 1;
	test_bound();
	conform_bus(&rig);
	sluice_cameras_close(rig.cameras);
	return check_result();
}
