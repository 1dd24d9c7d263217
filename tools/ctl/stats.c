// SPDX-License-Identifier: MIT
/* stats.c - the ledger: "nothing moved" and "we lost it" are never put together. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/reason.h"
#include "tools/ctl/fields.h"

static void print_class(const struct genl_camera *c, const char *title, unsigned int from,
			unsigned int to, const char *colour, const struct ctl *ctl)
{
	uint64_t sum = 0;

	for (unsigned int i = from; i < to; i++)
		sum += c->count[i];
	printf("  %s%-10s%s %12llu\n", ctl->colour && sum ? colour : "", title,
	       ctl->colour && sum ? "\033[0m" : "", (unsigned long long)sum);
	for (unsigned int i = from; i < to; i++)
		if (c->count[i] && sluice_reason_name(i))
			printf("    %-12s %10llu\n", sluice_reason_name(i),
			       (unsigned long long)c->count[i]);
}

struct sink {
	struct ctl *ctl;
	json_t *list;
	int cameras;
};

static void each(void *arg, const struct genl_camera *c)
{
	struct sink *s = arg;

	s->cameras++;
	if (s->list) {
		json_array_append_new(s->list, field_ledger_json(c));
		return;
	}
	printf("%s: %llu frames delivered, %llu undecided in the pre-roll\n", c->name,
	       (unsigned long long)c->delivered, (unsigned long long)c->pending);
	print_class(c, "dropped", SLUICE_REASON_QUIET, SLUICE_REASON_MOTION, "", s->ctl);
	print_class(c, "passed", SLUICE_REASON_MOTION, SLUICE_REASON_OVERRUN, "\033[32m", s->ctl);
	print_class(c, "lost", SLUICE_REASON_OVERRUN, SLUICE_REASON_COUNT, "\033[31m", s->ctl);
	if (c->bytes_seen)
		printf("  bytes      %12llu seen, %llu passed (%.1f %%)\n",
		       (unsigned long long)c->bytes_seen, (unsigned long long)c->bytes_passed,
		       100.0 * c->bytes_passed / c->bytes_seen);
}

static int once(struct ctl *ctl, struct genl *g, const char *camera)
{
	struct sink s = { .ctl = ctl };
	struct genl_camera c;
	int err;

	if (ctl->json)
		s.list = json_array();
	if (camera) {
		err = genl_camera(g, camera, &c);
		if (!err)
			each(&s, &c);
	} else {
		err = genl_dump(g, each, &s);
	}
	if (!err && ctl->json) {
		json_t *o = json_pack("{s:i,s:O}", "version", 1, "cameras", s.list);

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else if (!err && !s.cameras) {
		printf("no camera is attached; try: sluicectl attach /dev/video0\n");
	}
	json_decref(s.list);
	return err ? CTL_FAILED : CTL_OK;
}

int ctl_stats(struct ctl *ctl, int argc, char **argv)
{
	const char *camera = NULL;
	bool follow = false;
	struct genl *g;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--follow"))
			follow = true;
		else if (!camera && argv[i][0] != '-')
			camera = argv[i];
		else
			return ctl_error(ctl, CTL_USAGE,
					 "usage: sluicectl stats [CAMERA] [--follow]");
	}
	g = genl_open(ctl);
	if (!g)
		return CTL_FAILED;
	do {
		if (follow && ctl->colour && !ctl->json)
			printf("\033[H\033[2J");
		rc = once(ctl, g, camera);
		fflush(stdout);
		if (follow && !rc)
			sleep(1); /* the period of the display */
	} while (follow && !rc && !ctl_stopped);
	genl_close(g);
	return rc;
}
