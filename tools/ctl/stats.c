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

static const char *const latencies[SLUICE_LATENCY_MAX + 1] = {
	[SLUICE_LATENCY_COMMIT] = "commit",
	[SLUICE_LATENCY_HANDLED] = "handled",
	[SLUICE_LATENCY_WORK] = "work",
	[SLUICE_LATENCY_TAP] = "tap",
};

static const char *const latency_texts[SLUICE_LATENCY_MAX + 1] = {
	[SLUICE_LATENCY_COMMIT] = "camera done to record visible",
	[SLUICE_LATENCY_HANDLED] = "camera done to verdict or pre-roll",
	[SLUICE_LATENCY_WORK] = "looking at a frame, and copying it",
	[SLUICE_LATENCY_TAP] = "what the tapped program waited",
};

static uint64_t latency_frames(const struct sluice_latency_histogram *h)
{
	uint64_t n = 0;

	for (int i = 0; i < SLUICE_LATENCY_BUCKETS; i++)
		n += h->bucket[i];
	return n;
}

/* {"commit":{"frames":n,"sum_ns":n,"buckets":[[from_ns,n],...]},...} */
static json_t *latency_json(const struct genl_camera *c)
{
	json_t *o = json_object();

	for (int k = SLUICE_LATENCY_COMMIT; k <= SLUICE_LATENCY_MAX; k++) {
		const struct sluice_latency_histogram *h = &c->latency[k];
		json_t *list = json_array();

		for (int i = 0; i < SLUICE_LATENCY_BUCKETS; i++)
			if (h->bucket[i])
				json_array_append_new(
					list, json_pack("[I,I]", (json_int_t)(i ? 1ull << i : 0),
							(json_int_t)h->bucket[i]));
		json_object_set_new(o, latencies[k],
				    json_pack("{s:I,s:I,s:o}", "frames",
					      (json_int_t)latency_frames(h), "sum_ns",
					      (json_int_t)h->sum_ns, "buckets", list));
	}
	return o;
}

static const char *duration(uint64_t ns, char *out, size_t size)
{
	if (ns < 10000)
		snprintf(out, size, "%llu ns", (unsigned long long)ns);
	else if (ns < 10000000)
		snprintf(out, size, "%llu us", (unsigned long long)ns / 1000);
	else
		snprintf(out, size, "%llu ms", (unsigned long long)ns / 1000000);
	return out;
}

static void print_latency(const struct genl_camera *c)
{
	char from[24], mean[24];

	for (int k = SLUICE_LATENCY_COMMIT; k <= SLUICE_LATENCY_MAX; k++) {
		const struct sluice_latency_histogram *h = &c->latency[k];
		uint64_t n = latency_frames(h), most = 1;

		if (!n)
			continue;
		printf("  %s: %s; %llu frames, mean %s\n", latencies[k], latency_texts[k],
		       (unsigned long long)n, duration(h->sum_ns / n, mean, sizeof(mean)));
		for (int i = 0; i < SLUICE_LATENCY_BUCKETS; i++)
			most = h->bucket[i] > most ? h->bucket[i] : most;
		for (int i = 0; i < SLUICE_LATENCY_BUCKETS; i++)
			if (h->bucket[i])
				printf("    from %9s %10llu %.*s\n",
				       duration(i ? 1ull << i : 0, from, sizeof(from)),
				       (unsigned long long)h->bucket[i],
				       (int)(40 * h->bucket[i] / most),
				       "########################################");
	}
}

struct sink {
	struct ctl *ctl;
	bool latency;
	json_t *list;
	int cameras;
};

static void each(void *arg, const struct genl_camera *c)
{
	struct sink *s = arg;

	s->cameras++;
	if (s->list) {
		json_t *o = field_ledger_json(c);

		if (s->latency)
			json_object_set_new(o, "latency", latency_json(c));
		json_array_append_new(s->list, o);
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
	if (s->latency)
		print_latency(c);
}

static int once(struct ctl *ctl, struct genl *g, const char *camera, bool latency)
{
	struct sink s = { .ctl = ctl, .latency = latency };
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
	bool follow = false, latency = false;
	struct genl *g;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--follow"))
			follow = true;
		else if (!strcmp(argv[i], "--latency"))
			latency = true;
		else if (!camera && argv[i][0] != '-')
			camera = argv[i];
		else
			return ctl_error(ctl, CTL_USAGE,
					 "usage: sluicectl stats [CAMERA] [--latency] [--follow]");
	}
	g = genl_open(ctl);
	if (!g)
		return CTL_FAILED;
	do {
		if (follow && ctl->colour && !ctl->json)
			printf("\033[H\033[2J");
		rc = once(ctl, g, camera, latency);
		fflush(stdout);
		if (follow && !rc)
			sleep(1); /* the period of the display */
	} while (follow && !rc && !ctl_stopped);
	genl_close(g);
	return rc;
}
