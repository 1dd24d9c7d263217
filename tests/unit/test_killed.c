// SPDX-License-Identifier: MIT
/*
 * test_killed.c - a whole node whose children are killed, by frames (plants.h) and from outside,
 * or say what is not theirs: nothing is lost with them, and nothing is told twice. This program is
 * its own child (argv[1]).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "cloud/index.h"
#include "cloud/quarantine.h"
#include "cloud/sandbox.h"
#include "tests/unit/check.h"
#include "tests/unit/plants.h"
#include "tests/unit/uplink.h"

#define MOTION	 8
#define LATER_NS 60000000000ull /* behind every frame */

static struct cloud cloud;
static char log_path[256];

static struct sluice_index *open_index(void)
{
	struct sluice_index *ix = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/index.db", cloud.data);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	return ix;
}

static unsigned int count_in_log(const char *what)
{
	char line[1024];
	unsigned int n = 0;
	FILE *f = fopen(log_path, "r");

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, what) != NULL;
	if (f)
		fclose(f);
	return n;
}

/* What it says goes to a file meanwhile. */
static void start(void)
{
	int saved = dup(STDERR_FILENO), fd;

	fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	cloud_start(&cloud);
	dup2(saved, STDERR_FILENO);
	close(fd);
	close(saved);
}

static void send_frames(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n < to; n++)
		uplink_frame(u, slot, epoch, n, MOTION, 2000 + n);
}

/* Summaries that come within the time, of each slot. */
static void take_summaries(struct uplink *u, unsigned int want, unsigned int got[3])
{
	char id[33];

	for (unsigned int n = 0; n < want && uplink_expect(u, SLUICE_MSG_SUMMARY, 20); n++) {
		CHECK(u->m.slot == 1 || u->m.slot == 2);
		got[u->m.slot % 3]++;
		CHECK(!sluice_wire_get_text(&u->f, SLUICE_TAG_ID, id, sizeof(id)));
		uplink_ack(u, id);
	}
}

static int check_note(void *ctx, const char *name, json_t *note)
{
	unsigned int *count = ctx;
	struct sluice_stored_frame f;
	uint8_t *bytes, sent[2000 + BAD];

	++*count;
	CHECK(!strcmp(json_string_value(json_object_get(note, "camera")), "door"));
	CHECK(!!strstr(json_string_value(json_object_get(note, "died_of")), "signal 11"));
	CHECK(!sluice_quarantine_frame(cloud.data, NULL, name, &f, &bytes));
	uplink_picture(sent, sizeof(sent), KILLER, BAD, 64, 48);
	CHECK(f.epoch == KILLER && f.sequence == BAD && f.jpeg_size == sizeof(sent));
	CHECK(bytes && !memcmp(bytes, sent, sizeof(sent)));
	free(bytes);
	return 0;
}

/* A frame that kills: two children die, it is put aside, and nothing else is missing. */
static void test_killer(void)
{
	unsigned int got[3] = { 0 }, notes = 0;
	struct uplink u;

	start();
	CHECK(!uplink_open(&u, &cloud, "box1"));
	uplink_camera(&u, 1, "door", KILLER);
	CHECK(uplink_expect(&u, SLUICE_MSG_OPENED, 5));
	uplink_camera(&u, 2, "yard", 50);
	CHECK(uplink_expect(&u, SLUICE_MSG_OPENED, 5));
	send_frames(&u, 2, 50, 0, 10);
	send_frames(&u, 1, KILLER, 0, 10);
	send_frames(&u, 2, 50, 10, 20);
	uplink_stats(&u, 1, KILLER, LATER_NS, 0);
	uplink_stats(&u, 2, 50, LATER_NS, 0);
	take_summaries(&u, 2, got);
	CHECK(got[1] == 1 && got[2] == 1);
	CHECK(count_in_log("a child died at frame 3 of camera box1/door") == 2);
	CHECK(count_in_log("is put aside") == 1);
	CHECK(!sluice_quarantine_each(cloud.data, check_note, &notes) && notes == 1);
	uplink_close(&u);
	/* what is open is analysed again: the frame is known, nobody dies */
	CHECK(cloud_stop(&cloud) == 0);
	start();
	CHECK(!uplink_open(&u, &cloud, "box1"));
	uplink_camera(&u, 1, "door", KILLER);
	CHECK(uplink_expect(&u, SLUICE_MSG_OPENED, 5));
	send_frames(&u, 1, KILLER, 10, 12);
	uplink_stats(&u, 1, KILLER, LATER_NS + 1, 0);
	got[1] = got[2] = 0;
	take_summaries(&u, 1, got);
	CHECK(got[1] == 1);
	CHECK(count_in_log("a child died") == 0);
	uplink_close(&u);
	CHECK(cloud_stop(&cloud) == 0);
}

/* ---- killed from outside ---- */

#define KILLS 6

struct hunt {
	atomic_int ended;
	unsigned int killed;
};

static pid_t find_child(pid_t master)
{
	char path[300], text[300];
	pid_t found = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && !found && (e = readdir(d))) {
		FILE *f;
		int pid, parent;

		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		f = e->d_name[0] > '0' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (f && fgets(text, sizeof(text), f) &&
		    sscanf(text, "%d (sluice-analyse) %*c %d", &pid, &parent) == 2 &&
		    parent == master)
			found = pid;
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return found;
}

static void *hunt(void *arg)
{
	struct hunt *h = arg;

	while (!atomic_load(&h->ended) && h->killed < KILLS) {
		pid_t pid = find_child(cloud.pid);

		if (pid && !kill(pid, SIGKILL))
			h->killed++;
		usleep(20000 + 1000 * random_below(100));
	}
	return NULL;
}

#define EVENTS 4

static int collect_id(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	unsigned int *count = ctx;
	unsigned int first, last;

	CHECK(sscanf(strstr(s->json, "\"first\""), "\"first\":%u,\"last\":%u", &first, &last) == 2);
	CHECK(first % 40 == 0 && last == first + 39);
	++*count;
	return 0;
}

static int count_note(void *ctx, const char *name, json_t *note)
{
	++*(unsigned int *)ctx;
	return 0;
}

/* Children are killed at random all the while: each event is told once, with its own id. */
static void test_hunted(void)
{
	struct hunt h = { 0 };
	unsigned int got[3] = { 0 }, count = 0, notes = 0;
	struct sluice_index *ix;
	struct uplink u;
	pthread_t thread;

	start();
	CHECK(!pthread_create(&thread, NULL, hunt, &h));
	CHECK(!uplink_open(&u, &cloud, "box1"));
	uplink_camera(&u, 1, "gate", 60);
	CHECK(uplink_expect(&u, SLUICE_MSG_OPENED, 5));
	for (uint64_t i = 0; i < EVENTS; i++) {
		send_frames(&u, 1, 60, 40 * i, 40 * i + 40);
		uplink_stats(&u, 1, 60, LATER_NS + i, 0);
		take_summaries(&u, 1, got);
	}
	atomic_store(&h.ended, 1);
	pthread_join(thread, NULL);
	CHECK(got[1] == EVENTS);
	CHECK(h.killed > 0);
	uplink_close(&u);
	CHECK(cloud_stop(&cloud) == 0);
	ix = open_index();
	if (ix)
		CHECK(!ix->ops->summaries_all(ix, collect_id, &count));
	CHECK(count == EVENTS);
	sluice_index_close(ix);
	CHECK(!sluice_quarantine_each(cloud.data, count_note, &notes) && !notes);
}

/* ---- ids that are another camera's ---- */

static int check_owner(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	CHECK(!strcmp(c->device, "box1") && !strcmp(c->tenant, "default"));
	CHECK(strstr(s->json, "\"last\":9") != NULL);
	++*(unsigned int *)ctx;
	return 0;
}

/* One event of a camera called door, told from frame 0 to the last before `to`. */
static void tell_event(struct uplink *u, const char *device, uint64_t to)
{
	CHECK(!uplink_open(u, &cloud, device));
	uplink_camera(u, 1, "door", 70);
	CHECK(uplink_expect(u, SLUICE_MSG_OPENED, 5));
	send_frames(u, 1, 70, 0, to);
	uplink_stats(u, 1, 70, LATER_NS, 0);
}

/*
 * The double makes its ids of the camera's name: another device's door, in the same epoch, comes
 * with the id that box1's has, as a child may that somebody has taken over. What is there stays.
 */
static void test_forged(void)
{
	unsigned int got[3] = { 0 }, count = 0;
	struct sluice_index *ix;
	struct uplink u;

	cloud_enrol(&cloud, "box2");
	start();
	tell_event(&u, "box1", 10);
	take_summaries(&u, 1, got);
	CHECK(got[1] == 1);
	uplink_close(&u);
	tell_event(&u, "box2", 20);
	uplink_end(&u, 1, 70, 2);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 20));
	uplink_close(&u);
	CHECK(cloud_stop(&cloud) == 0);
	CHECK(count_in_log("its id is that of another camera's") == 1);
	ix = open_index();
	if (ix)
		CHECK(!ix->ops->summaries_all(ix, check_owner, &count));
	CHECK(count == 1);
	sluice_index_close(ix);
}

static void run_cloud(void (*test)(void))
{
	memset(&cloud, 0, sizeof(cloud));
	cloud_init(&cloud);
	cloud.set[0].section = cloud.set[1].section = "sandbox";
	cloud.set[0].key = "enabled";
	cloud.set[0].value = "yes";
	cloud.set[1].key = "children";
	cloud.set[1].value = "1"; /* both cameras have the same */
	cloud.set[2].section = "log";
	cloud.set[2].key = "level";
	cloud.set[2].value = "warning";
	snprintf(log_path, sizeof(log_path), "%s/cloud.log", cloud.dir);
	test();
	cloud_exit(&cloud);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], SLUICE_SANDBOX_WORD))
		return sluice_sandbox_child(argc - 1, argv + 1);
	random_seed(seed_of(argc, argv));
	setenv("VERBOSE", "1", 1); /* the deaths are counted in its log */
	run_cloud(test_killer);
	run_cloud(test_hunted);
	run_cloud(test_forged);
	return check_result();
}
