// SPDX-License-Identifier: MIT
/*
 * test_sandbox.c - children that decode: what they may not do, what they die of, and that nothing
 * is lost with them. This program is its own child (argv[1]), with frames that kill planted in it:
 * in epoch KILLER + k sequence BAD does plants[k]; in epoch SORTER each does what a child may.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "cloud/box.h"
#include "cloud/index.h"
#include "cloud/quarantine.h"
#include "cloud/rekey.h"
#include "cloud/sandbox.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"
#include "tests/unit/uplink.h"

#define MOTION	 8
#define KILLER	 1000
#define SORTER	 900
#define BAD	 3
#define LATER_NS 60000000000ull /* behind every frame */

/* ---- what is planted ---- */

static void do_segv(void)
{
	static volatile uintptr_t nowhere; /* a constant would be found at build time */

	*(volatile int *)nowhere = 1;
}

static void do_abort(void)
{
	abort();
}

static void do_hang(void)
{
	for (volatile int i = 0;; i++)
		;
}

static void do_open(void)
{
	open("/etc/passwd", O_RDONLY);
}

static void do_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void do_exec(void)
{
	char *const none[] = { NULL };

	execve("/bin/true", none, none);
}

static void do_ptrace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void do_kill_master(void)
{
	kill(getppid(), SIGKILL);
}

static void do_fork(void)
{
	if (!fork())
		_exit(0);
}

/* Asks for more than a child may have; hardly touches it, so that a slow machine does not hang. */
static void do_bomb(void)
{
	for (int n = 0; n < 512; n++) {
		char *p = malloc(8 << 20);

		if (!p)
			abort();
		*(volatile char *)p = 1;
	}
	_exit(9);
}

static const struct {
	const char *name;
	void (*run)(void);
	const char *death; /* what the master says of it */
} plants[] = {
	{ "segv", do_segv, "signal 11" },	 { "abort", do_abort, "signal 6" },
	{ "hang", do_hang, "it hung" },		 { "open", do_open, "signal 31" },
	{ "socket", do_socket, "signal 31" },	 { "execve", do_exec, "signal 31" },
	{ "ptrace", do_ptrace, "signal 31" },	 { "fork", do_fork, "signal 31" },
	{ "kill", do_kill_master, "signal 31" }, { "bomb", do_bomb, "signal 6" },
};

#define PLANTS (sizeof(plants) / sizeof(plants[0]))

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* What work needs, and some C libraries ask the system about the first time: a sort of much. */
static void do_sort(void)
{
	static int much[2000];

	for (int i = 0; i < 2000; i++)
		much[i] = i * 7919 % 2000;
	qsort(much, 2000, sizeof(much[0]), by_value);
	for (int i = 0; i < 2000; i++)
		if (much[i] != i)
			abort();
}

void sluice_sandbox_plant(const struct sluice_stored_frame *f)
{
	if (f->epoch >= KILLER && f->epoch < KILLER + PLANTS && f->sequence == BAD)
		plants[f->epoch - KILLER].run();
	if (f->epoch == SORTER)
		do_sort();
}

/* ---- a child alone ---- */

struct told {
	int events, summaries;
	struct sluice_summary last;
	uint64_t first;
};

static void on_event(void *ctx, const char *id, const char *json)
{
	struct told *t = ctx;

	t->events++;
	CHECK(strlen(id) == 32 && strstr(json, id));
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	struct told *t = ctx;

	t->summaries++;
	CHECK(s->media_count == 2 && s->media[1].size == 100000 && s->media[1].data[3] == 21);
	CHECK(s->media[0].size == 5 && !memcmp(s->media[0].data, "bytes", 5));
	CHECK(strstr(s->json, "\"camera\":\"door\"") != NULL);
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	*size = 5;
	return (uint8_t *)strdup("bytes");
}

static const struct sluice_analysis_ops ops = { .event = on_event,
						.summary = on_summary,
						.fetch = on_fetch };
static const struct sluice_analysis_config config = { .camera = "door", .language = "en" };
static const struct sluice_sandbox_config limits = { 128 << 20, 5000 };
static const atomic_int never;

static int give(struct sluice_analyst *a, uint64_t epoch, uint64_t sequence)
{
	uint8_t jpeg[300], cells[1] = { 1 };
	const struct sluice_stored_frame f = { .epoch = epoch,
					       .sequence = sequence,
					       .reason = MOTION,
					       .width = 64,
					       .height = 48,
					       .grid_w = 8,
					       .grid_h = 1,
					       .cells = cells,
					       .jpeg = jpeg,
					       .jpeg_size = sizeof(jpeg) };

	memset(jpeg, (int)sequence, sizeof(jpeg));
	return sluice_analyst_frame(a, &f);
}

static void test_batches(void)
{
	struct sluice_sandbox *b = sluice_sandbox_open(&limits, "a test", 0, &never);
	struct told t[2] = { { 0 } };
	struct sluice_analyst *a[2];

	for (int i = 0; i < 2; i++) {
		a[i] = sluice_analyst_open(b, &config, &ops, &t[i]);
		CHECK(!sluice_analyst_epoch(a[i], 7 + (uint64_t)i, 0, 0));
	}
	for (uint64_t n = 0; n < 100; n++)
		for (int i = 0; i < 2; i++)
			CHECK(!give(a[i], 7 + (uint64_t)i, n)); /* each ends the other's batch */
	CHECK(!sluice_analyst_sync(a[0]));
	CHECK(t[0].events == 1 && t[0].summaries == 0);
	CHECK(!sluice_analyst_flush(a[0]) && !sluice_analyst_flush(a[1]));
	CHECK(t[0].summaries == 1 && t[1].summaries == 1);
	CHECK(!sluice_analyst_reset(a[0]) && !sluice_analyst_epoch(a[0], 9, 0, 0));
	CHECK(!give(a[0], 9, 0) && !sluice_analyst_flush(a[0]));
	CHECK(t[0].summaries == 2);
	CHECK(!sluice_analyst_epoch(a[0], SORTER, 0, 0) && !give(a[0], SORTER, 0));
	CHECK(!sluice_analyst_flush(a[0]) && t[0].summaries == 3);
	sluice_analyst_close(a[0]);
	sluice_analyst_close(a[1]);
	sluice_sandbox_close(b);
}

/* Each plant ends the child as it should, at that frame, and the next child works. */
static void test_plants(void)
{
	struct sluice_sandbox *b = sluice_sandbox_open(&limits, "a test", 0, &never);

	for (size_t i = 0; i < PLANTS; i++) {
		struct told t = { 0 };
		struct sluice_analyst *a = sluice_analyst_open(b, &config, &ops, &t);
		const struct sluice_stored_frame *f;
		int err = sluice_analyst_epoch(a, KILLER + i, 0, 0);

		for (uint64_t n = 0; n < 6 && !err; n++)
			err = give(a, KILLER + i, n);
		if (!err)
			err = sluice_analyst_sync(a);
		CHECK(err == -EPIPE && sluice_analyst_lost(a) && sluice_analyst_died(a));
		if (!strstr(sluice_sandbox_death(b), plants[i].death)) {
			fprintf(stderr, "%s: %s\n", plants[i].name, sluice_sandbox_death(b));
			CHECK(!"it died of what was planted");
		}
		f = sluice_analyst_suspect(a);
		CHECK(f && f->sequence == BAD && f->jpeg_size == 300 && f->jpeg[299] == BAD);
		CHECK(f && f->cells && f->cells[0] == 1);
		CHECK(!sluice_analyst_reset(a) && !sluice_analyst_epoch(a, 5, 0, 0));
		CHECK(!give(a, 5, 1) && !sluice_analyst_flush(a) && t.summaries == 1);
		sluice_analyst_close(a);
	}
	sluice_sandbox_close(b);
}

/* ---- what the master believes ---- */

static uint8_t message[4096] __attribute__((aligned(8)));

static int parse_summary(const char *id, const char *json, const char *file, uint64_t epoch,
			 uint64_t file_size)
{
	const struct sluice_box_speaker who = { .subject = 4, .camera = "door", .epoch = 8 };
	struct sluice_box_summary *b = (void *)message;
	struct sluice_box_header h = { SLUICE_BOX_SUMMARY, 4, 0 };
	struct sluice_box_reply r;

	memset(message, 0, sizeof(message));
	snprintf(b->id, sizeof(b->id), "%s", id);
	b->epoch = epoch;
	b->end_utc_ns = 5;
	b->json_size = (uint32_t)strlen(json);
	b->media_count = 1;
	snprintf(b->media[0].name, sizeof(b->media[0].name), "%s", file);
	b->media[0].size = file_size;
	memcpy(b + 1, json, b->json_size + 1);
	h.size = sizeof(*b) + b->json_size + 1 + 3;
	return sluice_box_parse(&h, message, &who, &r);
}

#define ID   "00112233445566778899aabbccddeeff"
#define JSON "{\"id\":\"" ID "\",\"camera\":\"door\"}"

static void test_parser(void)
{
	CHECK(!parse_summary(ID, JSON, "key-1.jpg", 8, 3));
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 8, 4) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 8, 2) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 8, UINT64_MAX) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 9, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "../key", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, ".key", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "summary.json", 8, 3) == -EBADMSG);
	CHECK(parse_summary("00", JSON, "a", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, "{\"id\":\"" ID "\",\"camera\":\"yard\"}", "a", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, "{\"camera\":\"door\"}", "a", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON "x", "a", 8, 3) == -EBADMSG);
}

static int parse_look(uint32_t count, uint32_t w, uint32_t h, size_t bytes, int digest)
{
	const struct sluice_box_speaker who = { .subject = 4, .camera = "door", .digest = digest };
	struct sluice_box_look *l = (void *)message;
	struct sluice_box_header h0 = { SLUICE_BOX_LOOK, 4, sizeof(*l) + bytes };
	struct sluice_box_reply r;
	int err;

	memset(message, 0, sizeof(message));
	l->count = count;
	for (uint32_t i = 0; i < count && i < SLUICE_DETECTOR_PICTURES; i++) {
		l->picture[i].w = w;
		l->picture[i].h = h;
	}
	err = sluice_box_parse(&h0, message, &who, &r);
	if (!err)
		CHECK(r.look_count == count &&
		      (!count || (r.look[count - 1].width == w &&
				  r.look[count - 1].data + (size_t)w * h * 3 ==
					  message + sizeof(*l) + bytes)));
	return err;
}

/* Pictures for the detector: as many bytes as they say, and of sizes that there are. */
static void test_looks(void)
{
	CHECK(!parse_look(0, 0, 0, 0, 0));
	CHECK(!parse_look(2, 8, 4, 192, 0));
	CHECK(!parse_look(SLUICE_DETECTOR_PICTURES, 2, 2, 192, 0));
	CHECK(parse_look(SLUICE_DETECTOR_PICTURES + 1, 2, 2, 204, 0) == -EBADMSG);
	CHECK(parse_look(2, 8, 4, 191, 0) == -EBADMSG);
	CHECK(parse_look(2, 8, 4, 193, 0) == -EBADMSG);
	CHECK(parse_look(1, 0, 4, 0, 0) == -EBADMSG);
	CHECK(parse_look(1, SLUICE_DETECTOR_SIDE_MAX + 1, 1, 300, 0) == -EBADMSG);
	CHECK(parse_look(1, UINT32_MAX, UINT32_MAX, 3, 0) == -EBADMSG);
	CHECK(parse_look(1, 8, 4, 96, 1) == -EBADMSG); /* who makes a digest does not ask */
}

/* ---- a whole node ---- */

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

/* ---- sealed ---- */

static int take_name(void *ctx, const char *name, json_t *note)
{
	snprintf(ctx, SLUICE_QUARANTINE_NAME, "%s", name);
	return 0;
}

/* 1: the file holds these bytes as they are. */
static int holds(const char *path, const uint8_t *bytes, size_t size)
{
	static uint8_t all[8192];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(all, 1, sizeof(all), f) : 0;

	CHECK(n > 0);
	if (f)
		fclose(f);
	return memmem(all, n, bytes, size) != NULL;
}

/* What is in quarantine of a sealed store is sealed, found again, and goes with a new master key.
 */
static void test_sealed_quarantine(void)
{
	char data[] = "/tmp/test_sandbox.XXXXXX", name[SLUICE_QUARANTINE_NAME], path[256];
	struct sluice_keyring ring[3];
	struct sluice_quarantine *q;
	struct sluice_rekeyed done;
	struct sluice_camera camera;
	uint8_t jpeg[500], *bytes;
	struct sluice_stored_frame f = { .epoch = 5, .sequence = 6 }, back;

	CHECK(!sluice_camera_init(&camera, "t", "d", "c") && mkdtemp(data));
	make_ring(&ring[0], 3, 0);
	make_ring(&ring[1], 7, 0);
	make_ring(&ring[2], 7, 3);
	uplink_picture(jpeg, sizeof(jpeg), 5, 6, 64, 48);
	f.jpeg = jpeg;
	f.jpeg_size = sizeof(jpeg);
	CHECK(!sluice_quarantine_open(data, &ring[0], &q));
	CHECK(!sluice_quarantine_add(q, &camera, &f, "it hung"));
	sluice_quarantine_close(q);
	CHECK(!sluice_quarantine_each(data, take_name, name));
	snprintf(path, sizeof(path), "%s/quarantine/%s.bin", data, name);
	CHECK(!holds(path, jpeg + 300, 100));
	CHECK(sluice_quarantine_frame(data, NULL, name, &back, &bytes) == -ENOKEY && !bytes);
	CHECK(sluice_quarantine_frame(data, &ring[1], name, &back, &bytes) == -ENOKEY);
	CHECK(!sluice_rekey(data, &ring[2], &done) && done.files == 1 && done.changed == 1);
	CHECK(sluice_quarantine_frame(data, &ring[0], name, &back, &bytes) == -ENOKEY);
	CHECK(!sluice_quarantine_frame(data, &ring[1], name, &back, &bytes));
	CHECK(back.jpeg_size == sizeof(jpeg) && !memcmp(back.jpeg, jpeg, sizeof(jpeg)));
	free(bytes);
	CHECK(!sluice_quarantine_drop(data, name));
	snprintf(path, sizeof(path), "%s/quarantine", data);
	CHECK(!rmdir(path) && !rmdir(data));
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
	test_parser();
	test_looks();
	test_sealed_quarantine();
	test_batches();
	test_plants();
	run_cloud(test_killer);
	run_cloud(test_hunted);
	run_cloud(test_forged);
	return check_result();
}
