// SPDX-License-Identifier: MIT
/* Summaries to disk: complete or not at all, never outside of their directory, told truly. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "certs.h"
#include "check.h"
#include "lib/log.h"
#include "lib/wire.h"
#include "relay/downlink.h"

#define ID  "00112233445566778899aabbccddeeff"
#define ID2 "ffeeddccbbaa99887766554433221100"
#define DAY "state/summaries/front/2026-03-04/"

static struct relay_downlink *dl;
static struct {
	bool answer;
	char id[33];
	int status;
} answer;
static int announced;
static uint8_t bytes[100000];

struct file {
	const char *name;
	const uint8_t *data;
	size_t size;
};

static void on_announce(void *arg, const char *path, const char *id, const char *camera)
{
	struct stat st;

	announced++;
	CHECK(sluice_wire_id_ok(id));
	CHECK(!strcmp(camera, "front"));
	CHECK(!stat(path, &st) && S_ISDIR(st.st_mode));
}

static void on_answer(void *arg, const char *id, int status)
{
	answer.answer = true;
	answer.status = status;
	snprintf(answer.id, sizeof(answer.id), "%s", id);
}

/* Path below the test's directory. */
static const char *below(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s", certs_path(name, ""));
	path[strlen(path) - 1] = 0;
	return path;
}

static bool exists(const char *name)
{
	struct stat st;

	return !lstat(below(name), &st);
}

/* Entries of the day's directory. */
static int entries(void)
{
	DIR *d = opendir(below(DAY));
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	return n;
}

static int send_summary(const char *id, const char *json, const struct file *files, uint32_t count)
{
	static uint8_t buf[8192];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	char made[300];

	memset(&answer, 0, sizeof(answer));
	if (!json) {
		snprintf(made, sizeof(made),
			 "{\"id\":\"%s\",\"camera\":\"front\",\"start\":\"2026-03-04T05:06:07."
			 "000Z\"}",
			 id);
		json = made;
	}
	sluice_wire_put_text(&w, SLUICE_TAG_ID, id);
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, json, strlen(json));
	for (uint32_t i = 0; i < count; i++) {
		uint8_t sha[32];

		SHA256(files[i].data, files[i].size, sha);
		sluice_wire_put_media(&w, i, files[i].size, sha, files[i].name);
	}
	CHECK(!w.err);
	return relay_downlink_summary(dl, "front", buf, (uint32_t)w.used);
}

static int send_part(const char *id, uint32_t index, uint64_t offset, const uint8_t *data,
		     size_t size)
{
	static uint8_t buf[sizeof(struct sluice_wire_part) + SLUICE_WIRE_PART_MAX];

	memset(&answer, 0, sizeof(answer));
	CHECK(!sluice_wire_part_put((void *)buf, id, index, offset));
	memcpy(buf + sizeof(struct sluice_wire_part), data, size);
	return relay_downlink_part(dl, buf, (uint32_t)(sizeof(struct sluice_wire_part) + size));
}

static void send_file(const char *id, uint32_t index, const struct file *f)
{
	for (size_t at = 0; at < f->size; at += SLUICE_WIRE_PART_MAX) {
		size_t n =
			f->size - at < SLUICE_WIRE_PART_MAX ? f->size - at : SLUICE_WIRE_PART_MAX;

		CHECK(!answer.answer);
		CHECK(!send_part(id, index, at, f->data + at, n));
	}
}

static bool same_file(const char *name, const uint8_t *data, size_t size)
{
	static uint8_t back[sizeof(bytes) + 1];
	int fd = open(below(name), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, back, sizeof(back));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)size && !memcmp(back, data, size);
}

static const struct file files[] = { { "key-1.jpg", bytes, 40000 },
				     { "empty.txt", bytes, 0 },
				     { "key-2.jpg", bytes + 7, 16384 } };

static void test_good(void)
{
	CHECK(!send_summary(ID, NULL, files, 3) && !answer.answer);
	CHECK(exists(DAY "." ID ".part") && !exists(DAY ID));
	send_file(ID, 0, &files[0]);
	CHECK(!answer.answer);
	send_file(ID, 2, &files[2]);
	CHECK(answer.answer && !answer.status && !strcmp(answer.id, ID) && announced == 1);
	CHECK(entries() == 1);
	CHECK(same_file(DAY ID "/key-1.jpg", bytes, 40000));
	CHECK(same_file(DAY ID "/key-2.jpg", bytes + 7, 16384));
	CHECK(same_file(DAY ID "/empty.txt", bytes, 0) && exists(DAY ID "/summary.json"));
	/* again: acknowledged at once, its parts are ignored, nothing is announced */
	CHECK(!send_summary(ID, NULL, files, 3) && answer.answer && !answer.status);
	CHECK(!send_part(ID, 0, 0, bytes, 10) && !answer.answer && announced == 1);
	/* without any file */
	CHECK(!send_summary(ID2, NULL, NULL, 0) && answer.answer && !answer.status);
	CHECK(announced == 2 && entries() == 2);
}

static void test_broken(void)
{
	const char *id = "aa112233445566778899aabbccddeeff";
	struct file wrong = { "key-1.jpg", bytes + 1, 40000 };

	/* a byte that is not what was announced */
	CHECK(!send_summary(id, NULL, files, 1));
	send_file(id, 0, &wrong);
	CHECK(answer.answer && answer.status == -EILSEQ && entries() == 2);
	/* out of order, too long, of another file */
	CHECK(!send_summary(id, NULL, files, 1));
	CHECK(send_part(id, 0, 5, bytes, 10) == -EPROTO);
	CHECK(send_part(id, 1, 0, bytes, 10) == -EPROTO);
	CHECK(send_part(id, 9, 0, bytes, 10) == -EPROTO);
	CHECK(!send_part(id, 0, 0, bytes, 16384) && !send_part(id, 0, 16384, bytes + 16384, 16384));
	CHECK(send_part(id, 0, 32768, bytes, 16384) == -EPROTO);
	/* the link breaks in the middle: parts that come late are ignored */
	relay_downlink_link_lost(dl);
	CHECK(entries() == 3);
	CHECK(!send_part(id, 0, 0, bytes, 10) && !answer.answer);
	/* rubbish of a crash is in the way */
	CHECK(!close(open(below(DAY ".aa112233445566778899aabbccddeeff.part/other.jpg"),
			  O_CREAT | O_WRONLY, 0644)));
	CHECK(!send_summary(id, NULL, files, 1));
	/* begun anew by the cloud */
	CHECK(!send_part(id, 0, 0, bytes, 100));
	CHECK(!send_summary(id, NULL, files, 1));
	CHECK(entries() == 3);
	send_file(id, 0, &files[0]);
	CHECK(answer.answer && !answer.status && entries() == 3 &&
	      !exists(DAY "aa112233445566778899aabbccddeeff/other.jpg"));
}

/* The places that HELLO would offer now. */
static unsigned int offers(struct sluice_wire_partial *out)
{
	uint8_t buf[2048];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_field f;
	unsigned int n = 0;
	uint32_t at = 0;

	relay_downlink_offer(dl, &w);
	while (sluice_wire_field_next(buf, (uint32_t)w.used, &at, &f) > 0)
		CHECK(!sluice_wire_partial_get(&f, &out[n++]));
	return n;
}

static void open_downlink(const struct relay_retention *r)
{
	struct relay_downlink_config c = { .state = below("state"),
					   .retention = r,
					   .answer = on_answer,
					   .announce = on_announce };
	static char state[400];
	int err;

	snprintf(state, sizeof(state), "%s", c.state);
	c.state = state;
	dl = relay_downlink_open(&c, &err);
	CHECK(dl && !err);
}

static void damage(const char *name, off_t at)
{
	int fd = open(below(name), O_WRONLY);

	CHECK(pwrite(fd, "!", 1, at) == 1);
	close(fd);
}

/* A link that breaks, a relay that dies: what is durable is gone on with, nothing else is. */
static void test_resume(void)
{
	const char *id = "cc112233445566778899aabbccddeeff";
	struct sluice_wire_partial p[SLUICE_WIRE_PARTIALS];
	int before = entries();

	CHECK(!offers(p));
	CHECK(!send_summary(id, NULL, files, 3));
	send_file(id, 0, &files[0]);
	CHECK(!send_part(id, 2, 0, files[2].data, 100));
	relay_downlink_link_lost(dl);
	CHECK(offers(p) == 1 && !strcmp(p[0].id, id) && p[0].index == 2 && p[0].offset == 100);
	/* a place that was not offered breaks the protocol, the right one does not */
	CHECK(!send_summary(id, NULL, files, 3));
	CHECK(send_part(id, 2, 50, files[2].data + 50, 10) == -EPROTO);
	relay_downlink_link_lost(dl);
	relay_downlink_close(dl);
	open_downlink(NULL); /* another run of the relay */
	CHECK(offers(p) == 1 && p[0].index == 2 && p[0].offset == 100);
	CHECK(!send_summary(id, NULL, files, 3));
	CHECK(!send_part(id, 2, 100, files[2].data + 100, 16284));
	CHECK(answer.answer && !answer.status && !offers(p) && entries() == before + 1);
	CHECK(same_file(DAY "cc112233445566778899aabbccddeeff/key-1.jpg", bytes, 40000));
	CHECK(same_file(DAY "cc112233445566778899aabbccddeeff/key-2.jpg", bytes + 7, 16384));
	CHECK(!exists(DAY "cc112233445566778899aabbccddeeff/.progress") &&
	      !exists(DAY "cc112233445566778899aabbccddeeff/.summary"));
}

/* What was left on the disk is not what it was: told, thrown away, whole at the next try. */
static void test_resume_damaged(void)
{
	static const char *const file[] = { "key-1.jpg", "key-2.jpg", ".summary" };
	const char *id = "dd112233445566778899aabbccddeeff";
	struct sluice_wire_partial p[SLUICE_WIRE_PARTIALS];
	int before = entries();
	char path[200];

	for (int i = 0; i < 3; i++) {
		CHECK(!send_summary(id, NULL, files, 3));
		send_file(id, 0, &files[0]);
		CHECK(!send_part(id, 2, 0, files[2].data, 100));
		relay_downlink_link_lost(dl);
		snprintf(path, sizeof(path), DAY ".%s.part/%s", id, file[i]);
		damage(path, 20);
		CHECK(offers(p) == 1);
		CHECK(!send_summary(id, NULL, files, 3) && !answer.answer);
		CHECK(!send_part(id, 2, 100, files[2].data + 100, 16284));
		CHECK(answer.answer && answer.status == -EILSEQ);
		CHECK(entries() == before && !offers(p));
	}
	/* .progress that is not ours counts as none */
	CHECK(!send_summary(id, NULL, files, 3));
	send_file(id, 0, &files[0]);
	relay_downlink_link_lost(dl);
	snprintf(path, sizeof(path), DAY ".%s.part/.progress", id);
	damage(path, 5);
	relay_downlink_close(dl);
	open_downlink(NULL);
	CHECK(!offers(p) && entries() == before);
}

/* Less is free than shall be: told with its errno, nothing is left behind; later there is room. */
static void test_floor(void)
{
	struct relay_retention r = { .free_bytes = 1ull << 60 };
	const char *id = "ff112233445566778899aabbccddeef0";
	int before = entries();

	relay_downlink_close(dl);
	open_downlink(&r);
	CHECK(!send_summary(id, NULL, files, 1) && answer.answer && answer.status == -ENOSPC);
	CHECK(!send_part(id, 0, 0, bytes, 100));
	CHECK(before > 0 && !entries()); /* all that could go has gone to make room */
	relay_downlink_close(dl);
	open_downlink(NULL);
	CHECK(!send_summary(id, NULL, files, 1) && !answer.answer);
	send_file(id, 0, &files[0]);
	CHECK(answer.answer && !answer.status);
}

/* Retention: the oldest go, what stands still in part goes, the newest stay. */
static void test_retention(void)
{
	struct relay_retention r = { .keep_ms = 86400000, .partial_ms = 3600000 };
	struct relay_store store = { .fd = open(below("state/summaries"), O_RDONLY) };
	struct timespec old[2] = { { .tv_sec = time(NULL) - 90000 },
				   { .tv_sec = time(NULL) - 90000 } };
	int before = entries();
	const char *id = "ee112233445566778899aabbccddeeff";

	CHECK(!relay_retention_sweep(&r, &store, NULL) && entries() == before);
	CHECK(!utimensat(AT_FDCWD, below(DAY ID "/summary.json"), old, 0));
	CHECK(relay_retention_sweep(&r, &store, NULL) == 1 && !exists(DAY ID) && exists(DAY ID2));
	CHECK(!send_summary(id, NULL, files, 1) && !send_part(id, 0, 0, bytes, 100));
	relay_downlink_link_lost(dl);
	CHECK(!relay_retention_sweep(&r, &store, NULL) && entries() == before);
	CHECK(!utimensat(AT_FDCWD, below(DAY ".ee112233445566778899aabbccddeeff.part"), old, 0));
	CHECK(!relay_retention_sweep(&r, &store, NULL) && entries() == before - 1);
	/* too much of it: all but what fits, the oldest first */
	CHECK(!utimensat(AT_FDCWD, below(DAY ID2 "/summary.json"),
			 (struct timespec[2]){ { .tv_sec = time(NULL) - 10 },
					       { .tv_sec = time(NULL) - 10 } },
			 0));
	r.size_bytes = 100000;
	CHECK(relay_retention_sweep(&r, &store, NULL) && !exists(DAY ID2) && entries() > 0);
	r.size_bytes = 1;
	relay_retention_sweep(&r, &store, NULL);
	CHECK(entries() == 3); /* those that are still coming */
	close(store.fd);
}

/* More at the same time than there is room for: the oldest is given up, the others are not. */
static void test_many(void)
{
	int before = entries();
	char id[3][33];

	for (int i = 0; i < 3; i++) {
		snprintf(id[i], sizeof(id[i]), "%032d", i + 1);
		CHECK(!send_summary(id[i], NULL, files + 2, 1) && !answer.answer);
	}
	CHECK(!send_part(id[0], 0, 0, bytes + 7, 16384) && !answer.answer);
	relay_downlink_link_lost(dl);
	CHECK(entries() == before + 3);
}

static void test_refused(void)
{
	static const char *const json[] = {
		"{}",
		"[]",
		"not json",
		"{\"id\":\"" ID2 "\",\"camera\":\"front\",\"start\":\"2026-03-04T05\"}",
		"{\"id\":\"" ID "\",\"camera\":\"front\",\"start\":\"2026-03-04\"}",
		"{\"id\":\"" ID "\",\"camera\":\"front\",\"start\":\"../../../..T\"}",
		"{\"id\":\"" ID "\",\"camera\":\"front\",\"start\":7}",
		"{\"id\":\"" ID "\",\"camera\":\"front\"}",
	};
	static const char *const names[] = { "../x", "/etc/x", ".hidden", "summary.json", "a/b" };
	struct file twice[2] = { files[0], files[0] };
	int before = entries();
	uint8_t buf[512], sha[32] = { 0 };
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	static const char good[] = "{\"id\":\"" ID "\",\"camera\":\"../up\","
				   "\"start\":\"2026-03-04T05:06:07.000Z\"}";

	for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++)
		CHECK(send_summary(ID, json[i], NULL, 0) == -EPROTO);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct file f = { names[i], bytes, 10 };

		CHECK(send_summary(ID, NULL, &f, 1) == -EPROTO);
	}
	CHECK(send_summary(ID, NULL, twice, 2) == -EPROTO);
	CHECK(send_summary("00112233445566778899AABBCCDDEEFF", NULL, NULL, 0) == -EPROTO);
	sluice_wire_put_text(&w, SLUICE_TAG_ID, ID);
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, good, strlen(good));
	/* the slot's name is ours; without one the cloud's is looked at as strictly */
	CHECK(relay_downlink_summary(dl, NULL, buf, (uint32_t)w.used) == -EPROTO);
	sluice_wire_put_media(&w, 0, 1ull << 40, sha, "huge");
	CHECK(relay_downlink_summary(dl, "front", buf, (uint32_t)w.used) == -EPROTO);
	CHECK(entries() == before && !exists("x") && !exists("up"));
}

/* The directory cannot be written: told to the cloud, with the reason. */
static void test_no_room(void)
{
	const char *id = "bb112233445566778899aabbccddeeff";

	/* a file where the directory should be works for root too */
	CHECK(!close(open(below("state/summaries/side"), O_CREAT | O_WRONLY, 0644)));
	{
		uint8_t buf[512];
		struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
		char json[200];

		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"start\":\"2026-03-04T05:06:07Z\"}",
			 id);
		sluice_wire_put_text(&w, SLUICE_TAG_ID, id);
		sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, json, strlen(json));
		memset(&answer, 0, sizeof(answer));
		CHECK(!relay_downlink_summary(dl, "side", buf, (uint32_t)w.used));
		CHECK(answer.answer && answer.status == -ENOTDIR);
	}
}

int main(int argc, char **argv)
{
	struct relay_downlink_config c = { .answer = on_answer };
	struct relay_downlink *none;
	int err;

	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_below(256);
	sluice_log_setup("test_downlink", SLUICE_LOG_ERROR, false);
	certs_dir();
	open_downlink(NULL);
	test_good();
	test_broken();
	test_resume();
	test_resume_damaged();
	test_many();
	test_refused();
	test_no_room();
	test_retention();
	CHECK(!send_summary(ID, NULL, files, 3));
	send_file(ID, 0, &files[0]);
	send_file(ID, 2, &files[2]);
	test_floor();
	relay_downlink_close(dl);
	c.state = below("state/summaries/side");
	none = relay_downlink_open(&c, &err);
	CHECK(!none && err == -ENOTDIR);
	relay_downlink_close(NULL);
	certs_remove();
	return check_result();
}
