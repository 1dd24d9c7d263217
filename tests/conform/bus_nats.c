// SPDX-License-Identifier: MIT
/*
 * bus_nats.c - the bus on a broker that runs: usage: bus_nats URL DIR PARTITIONS TTL-MS, where DIR
 * holds ca.crt and the keys of worker, ingest and provision. Provisions it twice (the second time
 * changes nothing), and with another life of leases, checks what each may do, freezes and kills a
 * process that holds a lease (itself, with one word more), and runs the cases of every bus.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cloud/bus_nats.h"
#include "lib/log.h"
#include "tests/conform/bus.h"
#include "tests/unit/check.h"

static struct sluice_nats_config config;
static char ca[256], cert[256], key[256];
static struct sluice_bus *bus[2];

static void be(const char *dir, const char *who)
{
	snprintf(ca, sizeof(ca), "%s/ca.crt", dir);
	snprintf(cert, sizeof(cert), "%s/%s.crt", dir, who);
	snprintf(key, sizeof(key), "%s/%s.key", dir, who);
	config.ca = ca;
	config.cert = cert;
	config.key = key;
	config.name = who;
}

static struct sluice_bus *rig_open(struct conform_bus *rig, int which)
{
	char why[256] = "";

	if (sluice_bus_nats_open(&config, &bus[which], why, sizeof(why))) {
		fprintf(stderr, "cannot open: %s\n", why);
		exit(1);
	}
	return bus[which];
}

static void rig_close(struct conform_bus *rig, int which)
{
	sluice_bus_close(bus[which]);
	bus[which] = NULL;
}

#define SHORT_MS 1000 /* of a lease, as it is provisioned at first */

struct count {
	unsigned int made, other, changed;
};

static void on_object(void *ctx, const char *object, const char *done)
{
	struct count *c = ctx;

	c->made += !strcmp(done, "made");
	c->other += strcmp(done, "made") != 0;
	c->changed += !strcmp(done, "changed");
}

static struct sluice_nats_plan make_plan(unsigned int ttl_ms)
{
	return (struct sluice_nats_plan){ .partitions = config.partitions,
					  .replicas = 1,
					  .ttl_ms = ttl_ms,
					  .max_bytes = 8 << 20,
					  .max_age_s = 3600,
					  .ack_wait_ms = 2000 };
}

static void provision(const char *dir)
{
	struct sluice_nats_plan plan = make_plan(SHORT_MS);
	struct count first = { 0 }, second = { 0 };
	unsigned int objects = 2 * plan.partitions + 3;
	char why[256] = "";

	be(dir, "provision");
	CHECK(!sluice_bus_nats_provision(&config, &plan, on_object, &first, why, sizeof(why)));
	if (why[0])
		fprintf(stderr, "provision: %s\n", why);
	CHECK(first.made == objects && !first.other);
	CHECK(!sluice_bus_nats_provision(&config, &plan, on_object, &second, why, sizeof(why)));
	CHECK(!second.made && second.other == objects && !second.changed);
	/* a worker may not provision */
	be(dir, "worker");
	plan.max_bytes *= 2;
	CHECK(sluice_bus_nats_provision(&config, &plan, on_object, &second, why, sizeof(why)) < 0);
}

/* What the bucket says of a lease's life counts, and not what a worker was told: it would not renew
 * its lease before another one could have it. Provisioned again with another life it has that. */
static void life_of_lease(struct conform_bus *rig, const char *dir)
{
	struct sluice_nats_plan plan = make_plan(config.ttl_ms);
	struct sluice_bus *one, *two;
	struct sluice_lease l, other;
	struct count again = { 0 };
	char why[256] = "";

	be(dir, "worker");
	config.ttl_ms = 60000;
	one = rig_open(rig, 0);
	two = rig_open(rig, 1);
	CHECK(!one->ops->claim(one, 0, &l));
	nanosleep(&(struct timespec){ .tv_sec = 2 * SHORT_MS / 1000 }, NULL);
	CHECK(!one->ops->held(one, &l) && two->ops->claim(two, 0, &other) == -EBUSY);
	rig_close(rig, 1);
	rig_close(rig, 0);
	config.ttl_ms = plan.ttl_ms;
	be(dir, "provision");
	CHECK(!sluice_bus_nats_provision(&config, &plan, on_object, &again, why, sizeof(why)));
	CHECK(!again.made && again.changed == 1);
}

/* An ingest node publishes and can do nothing else; what it publishes a worker gets. */
static void ingest_alone(struct conform_bus *rig, const char *dir)
{
	const struct sluice_camera *camera;
	struct sluice_chunk *c = calloc(1, sizeof(*c));
	struct sluice_bus *in, *out;
	struct sluice_lease l;
	char why[256];

	CHECK(!sluice_cameras_get(rig->cameras, "t", "d", "c", &camera));
	be(dir, "ingest");
	CHECK(sluice_bus_nats_open(&config, &in, why, sizeof(why)) < 0); /* no right to leases */
	config.publish_only = true;
	in = rig_open(rig, 0);
	CHECK(in->shared && in->ops->members(in) == 1);
	CHECK(in->ops->claim(in, 0, &l) == -EPERM);
	c->camera = camera;
	c->items = c->last = calloc(1, sizeof(*c->items));
	c->items->sequence = 42;
	c->bytes = sizeof(*c->items);
	CHECK(!in->ops->publish(in, c));
	config.publish_only = false;
	be(dir, "worker");
	out = rig_open(rig, 1);
	CHECK(!out->ops->claim(out, sluice_bus_partition(out, camera, 0), &l));
	c = out->ops->next(out, &l, 10000);
	CHECK(c && c->items->sequence == 42);
	if (c)
		CHECK(!out->ops->ack(out, &l, c));
	rig_close(rig, 1);
	rig_close(rig, 0);
}

/* ---- a process that dies ---- */

#define LONG_MS 600000 /* of a lease: nothing in here waits for its end */
#define PACE_MS 200
#define TRIES	1000
#define TRY_MS	20

static int claim(struct sluice_bus *b, unsigned int partition, struct sluice_lease *l)
{
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && err == -EAGAIN; i++) {
		err = b->ops->claim(b, partition, l);
		if (err == -EAGAIN)
			nanosleep(&(struct timespec){ .tv_nsec = TRY_MS * 1000000L }, NULL);
	}
	return err;
}

/* Says its token, and waits to be killed. */
static int hold(const char *dir)
{
	struct sluice_lease l = { 0 };
	char why[256] = "";
	struct sluice_bus *b;

	be(dir, "worker");
	if (sluice_bus_nats_open(&config, &b, why, sizeof(why)) || claim(b, 0, &l)) {
		fprintf(stderr, "cannot hold a partition: %s\n", why);
		return 1;
	}
	printf("%llu\n", (unsigned long long)l.token);
	fflush(stdout);
	for (;;)
		pause();
}

static pid_t start_holder(char **argv, unsigned long long *token)
{
	char *const args[] = { argv[0], argv[1], argv[2], argv[3], argv[4], "hold", NULL };
	int said[2];
	pid_t pid;
	FILE *f;

	if (pipe(said))
		exit(1);
	pid = fork();
	if (!pid) {
		dup2(said[1], STDOUT_FILENO);
		execv("/proc/self/exe", args);
		_exit(127);
	}
	close(said[1]);
	f = fdopen(said[0], "r");
	CHECK(pid > 0 && f && fscanf(f, "%llu", token) == 1);
	if (f)
		fclose(f);
	return pid;
}

static void set_life(const char *dir, unsigned int ttl_ms)
{
	struct sluice_nats_plan plan = make_plan(ttl_ms);
	struct count count = { 0 };
	char why[256] = "";

	be(dir, "provision");
	CHECK(!sluice_bus_nats_provision(&config, &plan, on_object, &count, why, sizeof(why)));
	CHECK(count.changed == 1);
	be(dir, "worker");
}

/* The partition of a process that is frozen is not to be had before its lease ends; that of one
 * that is killed is, by one of those who want it, and under a later token. */
static void holder_dies(struct conform_bus *rig, char **argv)
{
	struct sluice_lease l = { 0 }, other = { 0 };
	unsigned long long token = 0;
	struct sluice_bus *one, *two;
	int err = -EBUSY, i;
	pid_t pid;

	set_life(argv[2], LONG_MS);
	pid = start_holder(argv, &token);
	one = rig_open(rig, 0);
	two = rig_open(rig, 1);
	for (i = 0; i < TRIES && one->ops->members(one) < 3; i++)
		nanosleep(&(struct timespec){ .tv_nsec = TRY_MS * 1000000L }, NULL);
	CHECK(one->ops->members(one) == 3 && one->ops->claim(one, 0, &l) == -EBUSY);
	kill(pid, SIGSTOP);
	/* longer than a dead one would keep it */
	nanosleep(&(struct timespec){ .tv_sec = 10 * PACE_MS / 1000 }, NULL);
	CHECK(one->ops->claim(one, 0, &l) == -EBUSY);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	for (i = 0; i < TRIES && err; i++) {
		err = one->ops->claim(one, 0, &l);
		if (err)
			nanosleep(&(struct timespec){ .tv_nsec = TRY_MS * 1000000L }, NULL);
	}
	CHECK(!err && l.token > token && l.doubt_ms == LONG_MS);
	CHECK(!one->ops->held(one, &l) && one->ops->members(one) == 2);
	CHECK(two->ops->claim(two, 0, &other) == -EBUSY && one->taken == 1 && !two->taken);
	one->ops->release(one, &l);
	CHECK(!claim(two, 0, &other) && other.token > l.token && !other.doubt_ms);
	rig_close(rig, 1);
	rig_close(rig, 0);
	set_life(argv[2], config.ttl_ms);
}

int main(int argc, char **argv)
{
	struct conform_bus rig = {
		.name = "nats", .open = rig_open, .close = rig_close, .again_ms = 2000
	};

	if (argc != 5 && argc != 6)
		return 2;
	sluice_log_setup("bus_nats", SLUICE_LOG_WARNING, false);
	rig.cameras = config.cameras = sluice_cameras_open();
	config.urls = argv[1];
	config.partitions = rig.partitions = (unsigned int)strtoul(argv[3], NULL, 10);
	config.ttl_ms = (unsigned int)strtoul(argv[4], NULL, 10);
	sluice_nats_pace_ms = PACE_MS;
	if (argc == 6)
		return hold(argv[2]);
	provision(argv[2]);
	life_of_lease(&rig, argv[2]);
	ingest_alone(&rig, argv[2]);
	holder_dies(&rig, argv);
	conform_bus(&rig);
	sluice_cameras_close(rig.cameras);
	return check_result();
}
