// SPDX-License-Identifier: MIT
/*
 * A summary on its way to the disk, with the n-th call that changes the disk (a) being the last one
 * of the process, (b) failing, for every n: a directory with a summary's name is complete, always;
 * what is complete is in the outbox; the next run goes on and ends with the same bytes. The calls
 * are counted by the linker's --wrap.
 */
#include "certs.h"
#include "check.h"
#include "lib/log.h"
#include "relay/downlink.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID  "00112233445566778899aabbccddeeff"
#define DAY "/summaries/front/2026-03-04/"

static char state[300];
static uint8_t bytes[600000];
static const uint32_t sizes[] = { 300000, 0, 40000 };
static int acked, status;

/* ---- the calls ---- */

static unsigned int calls, at_call; /* 0: none */
static bool dies;

static bool strikes(void)
{
	if (!at_call || ++calls != at_call)
		return false;
	if (dies)
		_exit(9);
	errno = EIO;
	return true;
}

#define WRAP(type, name, params, args)     \
	type __real_##name params;         \
	type __wrap_##name params;         \
	type __wrap_##name params          \
	{                                  \
		if (strikes())             \
			return -1;         \
		return __real_##name args; \
	}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode))
WRAP(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(int, renameat, (int a, const char *old, int b, const char *new), (a, old, b, new))

/* ---- the way of one summary ---- */

static void on_answer(void *arg, const char *id, int s)
{
	acked++;
	status = s;
}

static struct relay_downlink *open_downlink(struct relay_sinks *sinks)
{
	struct relay_downlink_config c = { .state = state, .sinks = sinks, .answer = on_answer };
	int err;

	return relay_downlink_open(&c, &err);
}

static void send_summary(struct relay_downlink *dl)
{
	static const char *const names[] = { "key-1.jpg", "empty", "key-2.jpg" };
	static const char json[] = "{\"id\":\"" ID "\",\"camera\":\"front\",\"start\":"
				   "\"2026-03-04T05:06:07Z\"}";
	uint8_t buf[2048], sha[32];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_ID, ID);
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, json, strlen(json));
	for (uint32_t i = 0; i < 3; i++) {
		SHA256(bytes + i, sizes[i], sha);
		sluice_wire_put_media(&w, i, sizes[i], sha, names[i]);
	}
	CHECK(!relay_downlink_summary(dl, "front", buf, (uint32_t)w.used));
}

static void send_parts(struct relay_downlink *dl, uint32_t index, uint64_t offset)
{
	static uint8_t buf[sizeof(struct sluice_wire_part) + SLUICE_WIRE_PART_MAX];

	for (; index < 3; index++, offset = 0)
		while (offset < sizes[index]) {
			size_t n = sizes[index] - offset;

			if (n > SLUICE_WIRE_PART_MAX)
				n = SLUICE_WIRE_PART_MAX;
			CHECK(!sluice_wire_part_put((void *)buf, ID, index, offset));
			memcpy(buf + sizeof(struct sluice_wire_part), bytes + index + offset, n);
			CHECK(!relay_downlink_part(
				dl, buf, (uint32_t)(sizeof(struct sluice_wire_part) + n)));
			offset += n;
		}
}

static bool same_file(const char *name, uint32_t index)
{
	static uint8_t back[sizeof(bytes)];
	char path[600];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s" DAY ID "/%s", state, name);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, back, sizeof(back));
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)sizes[index] && !memcmp(back, bytes + index, sizes[index]);
}

static bool there(const char *name)
{
	char path[600];

	snprintf(path, sizeof(path), "%s%s", state, name);
	return !access(path, F_OK);
}

static void check_complete(void)
{
	CHECK(same_file("key-1.jpg", 0) && same_file("empty", 1) && same_file("key-2.jpg", 2));
	CHECK(there(DAY ID "/summary.json") && !there(DAY ID "/.summary") &&
	      !there(DAY ID "/.progress"));
}

/* The first run, with the call that strikes. */
static void run_struck(unsigned int n)
{
	struct relay_sinks_config c = {
		.state = state,
		.mqtt = { .host = "127.0.0.1", .port = 1, .prefix = "x", .discovery = "" }
	};
	struct relay_sinks *sinks;
	struct relay_downlink *dl;
	char why[100];
	int err;

	/* what fails here on purpose is told in the log */
	if (!getenv("TEST_VERBOSE") && !freopen("/dev/null", "w", stderr))
		_exit(7);
	sinks = relay_sinks_open(&c, &err, why, sizeof(why));
	dl = open_downlink(sinks);
	CHECK(sinks && dl);
	calls = 0;
	acked = 0;
	at_call = n;
	send_summary(dl);
	send_parts(dl, 0, 0);
	at_call = calls < n ? 0 : at_call;
	if (there(DAY ID)) {
		check_complete();
		CHECK(there("/outbox/mqtt/" ID));
	}
	CHECK(acked == 1 && (!status || n));
	relay_downlink_close(dl);
	relay_sinks_close(sinks);
	_exit(check_result() ? 1 : at_call ? 0 : 8); /* 8: there is no n-th call */
}

/* The next run: nothing is wrong any more. */
static void run_again(bool survived)
{
	struct sluice_wire_partial p = { .index = 0 };
	uint8_t buf[2048];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_field f;
	struct relay_downlink *dl;
	uint32_t at = 0;

	if (there(DAY ID)) {
		check_complete();
		CHECK(there("/outbox/mqtt/" ID));
	}
	dl = open_downlink(NULL);
	CHECK(dl);
	relay_downlink_offer(dl, &w);
	if (sluice_wire_field_next(buf, (uint32_t)w.used, &at, &f) > 0)
		CHECK(!sluice_wire_partial_get(&f, &p) && !strcmp(p.id, ID));
	acked = 0;
	send_summary(dl);
	if (!acked)
		send_parts(dl, p.index, p.offset);
	if (acked == 1 && status == -EILSEQ && !survived) { /* it may begin anew, once */
		acked = 0;
		send_summary(dl);
		send_parts(dl, 0, 0);
	}
	CHECK(acked == 1 && !status);
	check_complete();
	relay_downlink_close(dl);
}

int main(int argc, char **argv)
{
	unsigned int resumed = 0, n;
	int rc = 0;
	pid_t pid;

	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_below(256);
	sluice_log_setup("test_landing", SLUICE_LOG_ERROR, false);
	certs_dir();
	for (int mode = 0; mode < 2; mode++) {
		for (n = 1; rc >= 0 && n < 2000; n++) {
			int st;

			snprintf(state, sizeof(state), "%s", certs_path(mode ? "f" : "d", "x"));
			state[strlen(state) - 1] = 0;
			snprintf(state + strlen(state), 16, "%u", n);
			dies = !mode;
			pid = fork();
			if (!pid)
				run_struck(n);
			CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st));
			rc = WEXITSTATUS(st);
			CHECK(rc == 0 || rc == 8 || (rc == 9 && dies));
			if (rc == 8 || (rc != 9 && rc))
				break;
			resumed += !there(DAY ID);
			run_again(mode);
			if (check_failures)
				fprintf(stdout, "mode %d, call %u\n", mode, n);
		}
		printf("%s: %u calls\n", mode ? "failing" : "dying", n - 1);
		CHECK(n > 20 && n < 2000);
	}
	CHECK(resumed > 20);
	certs_remove();
	return check_result();
}
