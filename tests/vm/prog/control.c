// SPDX-License-Identifier: MIT
/*
 * control.c - the netlink family by hand, for the guest's tests (people use sluicectl).
 *
 *	control attach NODE tap|capture [name=S] [arena=N] [ro] [grid=WxH privacy=all]
 *		[SETTING-NUMBER=V]...
 *	control get|detach|snapshot CAMERA|NAME
 *	control dump
 *	control set CAMERA [if=VERSION] SETTING-NUMBER=V...
 *	control mask CAMERA [if=VERSION] privacy=all|left|right|none|short [thresholds=N]
 *	control events SECONDS
 *	control raw CMD [ATTR-NUMBER=U32]...
 *
 * "as=UID" as the first word: give up root first. events prints what happens, for so long times
 * GUEST_SLOWER of the environment. Answers are lines of NAME=VALUE. A refusal prints
 * "refused ERRNO TEXT" and ends with exit code 1.
 */
#include "nl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sluice/control.h>

static struct nl nl;
static uint32_t grid_w, grid_h;

static uint64_t value_of(const struct nlattr *a)
{
	uint64_t v = 0;

	memcpy(&v, nl_data(a), nl_len(a) < 8 ? nl_len(a) : 8);
	return v;
}

static void print_ledger(const struct nlattr *a, size_t len)
{
	static const char *const name[] = { "",	       "",	     "delivered",
					    "pending", "bytes_seen", "bytes_passed" };
	uint64_t count[SLUICE_REASON_COUNT] = { 0 }, passed = 0, dropped = 0, lost = 0;

	nl_for(a, len)
	{
		if (nl_type(a) == SLUICE_LEDGER_COUNTS)
			memcpy(count, nl_data(a), sizeof(count));
		else if (nl_type(a) > SLUICE_LEDGER_PAD && nl_type(a) < SLUICE_LEDGER_COUNTS)
			printf("%s=%" PRIu64 "\n", name[nl_type(a)], value_of(a));
	}
	for (unsigned int i = 0; i < SLUICE_REASON_COUNT; i++) {
		if (count[i])
			printf("count%u=%" PRIu64 "\n", i, count[i]);
		if (sluice_reason_passes(i))
			passed += count[i];
		else if (i >= SLUICE_REASON_OVERRUN)
			lost += count[i];
		else
			dropped += count[i];
	}
	printf("passed=%" PRIu64 "\ndropped=%" PRIu64 "\nlost=%" PRIu64 "\n", passed, dropped,
	       lost);
}

static void print_settings(const struct nlattr *a, size_t len)
{
	nl_for(a, len) printf("setting%u=%" PRIu64 "\n", nl_type(a), value_of(a));
}

static void print_camera(const struct genlmsghdr *g, const struct nlattr *a, size_t len, void *arg)
{
	static const char *const name[SLUICE_ATTR_MAX + 1] = {
		[SLUICE_ATTR_CAMERA] = "camera", [SLUICE_ATTR_MODE] = "mode",
		[SLUICE_ATTR_ARENA] = "arena",	 [SLUICE_ATTR_STATE] = "state",
		[SLUICE_ATTR_VIDEO] = "video",	 [SLUICE_ATTR_WIDTH] = "width",
		[SLUICE_ATTR_HEIGHT] = "height", [SLUICE_ATTR_EPOCH] = "epoch",
		[SLUICE_ATTR_GRID_W] = "grid_w", [SLUICE_ATTR_GRID_H] = "grid_h",
		[SLUICE_ATTR_READER] = "reader", [SLUICE_ATTR_EVENT] = "event",
		[SLUICE_ATTR_TIME] = "time",
	};

	(void)g;
	(void)arg;
	nl_for(a, len)
	{
		unsigned int type = nl_type(a);

		if (type == SLUICE_ATTR_GRID_W)
			grid_w = (uint32_t)value_of(a);
		if (type == SLUICE_ATTR_GRID_H)
			grid_h = (uint32_t)value_of(a);
		if (type == SLUICE_ATTR_NAME || type == SLUICE_ATTR_CARD)
			printf("%s=%s\n", type == SLUICE_ATTR_NAME ? "name" : "card",
			       (const char *)nl_data(a));
		else if (type == SLUICE_ATTR_FORMAT)
			printf("format=%.4s\n", (const char *)nl_data(a));
		else if (type == SLUICE_ATTR_SETTINGS)
			print_settings(nl_data(a), nl_len(a));
		else if (type == SLUICE_ATTR_LEDGER)
			print_ledger(nl_data(a), nl_len(a));
		else if (type <= SLUICE_ATTR_MAX && name[type])
			printf("%s=%" PRIu64 "\n", name[type], value_of(a));
	}
	fflush(stdout);
}

static void quiet(const struct genlmsghdr *g, const struct nlattr *a, size_t len, void *arg)
{
	(void)g;
	(void)arg;
	nl_for(a, len)
	{
		if (nl_type(a) == SLUICE_ATTR_GRID_W)
			grid_w = (uint32_t)value_of(a);
		if (nl_type(a) == SLUICE_ATTR_GRID_H)
			grid_h = (uint32_t)value_of(a);
	}
}

static void put_camera(struct nlmsghdr *h, const char *which)
{
	char *end;
	unsigned long n = strtoul(which, &end, 10);

	if (*which && !*end)
		nl_put_u32(h, SLUICE_ATTR_CAMERA, (uint32_t)n);
	else
		nl_put(h, SLUICE_ATTR_NAME, which, strlen(which) + 1);
}

/* Words NUMBER=VALUE become a nest of settings. */
static void put_settings(struct nlmsghdr *h, char **words)
{
	struct nlattr *nest = NULL;

	for (; *words; words++) {
		unsigned int id, value;

		if (sscanf(*words, "%u=%u", &id, &value) != 2)
			continue;
		if (!nest)
			nest = nl_nest(h, SLUICE_ATTR_SETTINGS);
		nl_put_u32(h, (uint16_t)id, value);
	}
	if (nest)
		nl_nest_end(h, nest);
}

static const char *word_value(char **words, const char *name)
{
	size_t n = strlen(name);

	for (; *words; words++) {
		if (!strncmp(*words, name, n) && (*words)[n] == '=')
			return *words + n + 1;
	}
	return NULL;
}

static void put_version(struct nlmsghdr *h, char **words)
{
	const char *v = word_value(words, "if");

	if (v)
		nl_put_u32(h, SLUICE_ATTR_IF_VERSION, (uint32_t)strtoul(v, NULL, 10));
}

/* The columns left or right of the middle. */
static void cover_half(uint8_t *bits, bool left)
{
	memset(bits, 0, ((size_t)grid_w * grid_h + 7) / 8);
	for (uint32_t i = 0; i < grid_w * grid_h; i++)
		if ((i % grid_w < grid_w / 2) == left)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
}

static void put_masks(struct nlmsghdr *h, char **words)
{
	const char *privacy = word_value(words, "privacy");
	const char *thresholds = word_value(words, "thresholds");
	size_t cells = (size_t)grid_w * grid_h;
	static uint8_t bytes[65000];

	if (privacy) {
		memset(bytes, 255, sizeof(bytes));
		if (!strcmp(privacy, "left") || !strcmp(privacy, "right"))
			cover_half(bytes, privacy[0] == 'l');
		nl_put(h, SLUICE_ATTR_PRIVACY, bytes,
		       !strcmp(privacy, "none")	   ? 0
		       : !strcmp(privacy, "short") ? 3
						   : (cells + 7) / 8);
	}
	if (thresholds) {
		memset(bytes, (int)strtoul(thresholds, NULL, 10), sizeof(bytes));
		nl_put(h, SLUICE_ATTR_THRESHOLDS, bytes, cells);
	}
}

static int finish(struct nlmsghdr *h)
{
	int rc = nl_run(&nl, h, print_camera, NULL);

	if (!rc)
		return 0;
	printf("refused %s %s\n", strerrorname_np(-rc), nl.error);
	return 1;
}

static int attach(char **words)
{
	const char *mode = words[1] ? words[1] : "", *v;
	int ro = 0, fd;
	struct nlmsghdr *h;

	for (char **w = words; *w; w++)
		ro |= !strcmp(*w, "ro");
	fd = open(words[0], (ro ? O_RDONLY : O_RDWR) | O_NONBLOCK);
	if (fd < 0) {
		printf("refused open %s\n", strerror(errno));
		return 1;
	}
	h = nl_begin(&nl, SLUICE_CMD_ATTACH, 0);
	nl_put_u32(h, SLUICE_ATTR_FD, (uint32_t)fd);
	nl_put_u32(h, SLUICE_ATTR_MODE,
		   !strcmp(mode, "tap") ? SLUICE_MODE_TAP : SLUICE_MODE_CAPTURE);
	v = word_value(words, "name");
	if (v)
		nl_put(h, SLUICE_ATTR_NAME, v, strlen(v) + 1);
	v = word_value(words, "arena");
	if (v) {
		uint64_t bytes = strtoull(v, NULL, 10);

		nl_put(h, SLUICE_ATTR_ARENA, &bytes, sizeof(bytes));
	}
	v = word_value(words, "grid");
	if (v && sscanf(v, "%ux%u", &grid_w, &grid_h) == 2)
		put_masks(h, words);
	put_settings(h, words + 2);
	return finish(h);
}

static int change(uint8_t cmd, char **words)
{
	struct nlmsghdr *h = nl_begin(&nl, SLUICE_CMD_GET, 0);

	if (cmd == SLUICE_CMD_MASK) {
		put_camera(h, words[0]);
		nl_run(&nl, h, quiet, NULL);
	}
	h = nl_begin(&nl, cmd, 0);
	put_camera(h, words[0]);
	put_version(h, words);
	if (cmd == SLUICE_CMD_MASK)
		put_masks(h, words);
	else if (cmd == SLUICE_CMD_SET)
		put_settings(h, words + 1);
	return finish(h);
}

static int raw(char **words)
{
	struct nlmsghdr *h = nl_begin(&nl, (uint8_t)strtoul(words[0], NULL, 10), 0);

	while (*++words) {
		unsigned int id, value;

		if (sscanf(*words, "%u=%u", &id, &value) == 2)
			nl_put_u32(h, (uint16_t)id, value);
	}
	return finish(h);
}

static int listen_events(const char *seconds)
{
	struct pollfd p = { .fd = nl.fd, .events = POLLIN };
	const char *slower = getenv("GUEST_SLOWER");
	time_t end =
		time(NULL) + strtol(seconds, NULL, 10) * (slower ? strtol(slower, NULL, 10) : 1);
	static char in[65536];

	if (setsockopt(nl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl.group, sizeof(nl.group))) {
		printf("refused %s\n", strerrorname_np(errno));
		return 1;
	}
	printf("listening\n");
	fflush(stdout);
	while (time(NULL) < end) {
		ssize_t got;

		if (poll(&p, 1, 200) <= 0)
			continue;
		got = recv(nl.fd, in, sizeof(in), 0);
		for (struct nlmsghdr *m = (struct nlmsghdr *)in;
		     got > 0 && NLMSG_OK(m, (size_t)got); m = NLMSG_NEXT(m, got))
			print_camera(NLMSG_DATA(m),
				     (struct nlattr *)((char *)NLMSG_DATA(m) + GENL_HDRLEN),
				     m->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, NULL);
	}
	return 0;
}

int main(int argc, char **argv)
{
	char **words = argv + 1;
	int rc;

	if (argc > 1 && !strncmp(*words, "as=", 3)) {
		if (setuid((uid_t)strtoul(*words + 3, NULL, 10)))
			return 2;
		words++;
	}
	if (!words[0] || (!words[1] && strcmp(words[0], "dump"))) {
		fprintf(stderr, "usage: control attach|get|detach|snapshot|set|mask|events|raw "
				"WHAT ... | dump\n");
		return 2;
	}
	rc = nl_open(&nl, SLUICE_GENL_NAME, SLUICE_GENL_GROUP);
	if (rc) {
		printf("refused %s no family: is the module loaded?\n", strerrorname_np(-rc));
		return 1;
	}
	if (!strcmp(words[0], "attach"))
		return attach(words + 1);
	if (!strcmp(words[0], "dump"))
		return finish(nl_begin(&nl, SLUICE_CMD_GET, NLM_F_DUMP));
	if (!strcmp(words[0], "get"))
		return change(SLUICE_CMD_GET, words + 1);
	if (!strcmp(words[0], "detach"))
		return change(SLUICE_CMD_DETACH, words + 1);
	if (!strcmp(words[0], "snapshot"))
		return change(SLUICE_CMD_SNAPSHOT, words + 1);
	if (!strcmp(words[0], "set"))
		return change(SLUICE_CMD_SET, words + 1);
	if (!strcmp(words[0], "mask"))
		return change(SLUICE_CMD_MASK, words + 1);
	if (!strcmp(words[0], "events"))
		return listen_events(words[1]);
	if (!strcmp(words[0], "raw"))
		return raw(words + 1);
	fprintf(stderr, "control: no command '%s'\n", words[0]);
	return 2;
}
