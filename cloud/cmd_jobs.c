// SPDX-License-Identifier: MIT
/*
 * cmd_jobs.c - sluice-cloud jobs: what is queued and done of long work, and new jobs. It reads and
 * writes rows of the index alone, so it works while a node runs (which sees them within a second)
 * and while none does; `run` does them here, if no node is there to do so.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "cloud/detector.h"
#include "cloud/jobs.h"
#include "lib/log.h"

#define LISTED	    100
#define MEMORY	    (512ull << 20)
#define DEADLINE_MS 60000
#define LOOK_MS	    100

/* Settings by the name that the job has them under, their option, and how they are meant. */
static const struct {
	const char *name;
	enum { TEXT, WHOLE, NUMBER, YES_NO } as;
} words[] = {
	{ "seconds", WHOLE },	   { "language", TEXT }, { "model", TEXT },
	{ "sensitivity", NUMBER }, { "scale", WHOLE },	 { "join_s", WHOLE },
	{ "event_max_s", WHOLE },  { "against", TEXT },	 { "detector", YES_NO },
};

#define SETTINGS (sizeof(words) / sizeof(words[0]))
#define SETTING	 1000 /* what getopt calls the first */

struct what {
	struct sluice_cmd_words store;
	const char *camera, *kind, *from, *to, *span;
	const char *setting[SETTINGS]; /* as in the line; NULL: absent */
	const char *id;		       /* the word behind the action */
	struct sluice_index *index;
};

static struct sluice_whose whose(const struct what *w)
{
	return (struct sluice_whose){ w->store.tenant, NULL };
}

/* ---- list and show ---- */

static int add_row(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	return json_array_append_new(ctx, sluice_job_json(c, j)) ? -ENOMEM : 0;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void print_row(const json_t *o)
{
	const char *error = text_of(o, "error");
	const char *summary = text_of(json_object_get(o, "result"), "summary");

	printf("%s  %-9s %3.0f %%  %s  %s/%s  %.16sZ to %.16sZ%s%s\n", text_of(o, "id"),
	       text_of(o, "state"), json_number_value(json_object_get(o, "progress")) * 100,
	       text_of(o, "kind"), text_of(o, "device"), text_of(o, "camera"), text_of(o, "from"),
	       text_of(o, "to"),
	       *error	  ? "  "
	       : *summary ? "  summary "
			  : "",
	       *error ? error : summary);
}

/* id NULL: all. */
static int print_jobs(const struct what *w, const char *id)
{
	const struct sluice_index_job_filter f = { .id = id, .camera = w->camera, .limit = LISTED };
	const struct sluice_whose who = whose(w);
	json_t *list = json_array(), *o;
	int err = w->index->ops->jobs(w->index, &who, &f, add_row, list);
	size_t i;

	if (!err && id && !json_array_size(list))
		err = -ENOENT;
	if (!err && w->store.json) {
		json_dumpf(id ? json_array_get(list, 0) : list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!err) {
		json_array_foreach (list, i, o)
			print_row(o);
		if (!json_array_size(list))
			fputs("there is no job\n", stderr);
	}
	json_decref(list);
	return err;
}

static int list(struct what *w)
{
	return print_jobs(w, NULL);
}

static int show(struct what *w)
{
	return print_jobs(w, w->id);
}

/* ---- start ---- */

struct search {
	const char *name;
	struct sluice_camera found;
	unsigned int count;
};

static int see_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns,
		      uint32_t width, uint32_t height, const void *ledger, size_t ledger_size)
{
	struct search *s = ctx;

	(void)seen_utc_ns;
	(void)width;
	(void)height;
	(void)ledger;
	(void)ledger_size;
	if (!strcmp(c->name, s->name) || !strcmp(c->hex, s->name)) {
		s->found = *c;
		s->count++;
	}
	return 0;
}

static int find_camera(const struct what *w, struct sluice_camera *out)
{
	const struct sluice_whose who = whose(w);
	struct search s = { .name = w->camera };
	int err = w->index->ops->cameras(w->index, &who, see_camera, &s);

	if (!err && s.count != 1) {
		sluice_error(s.count ? "%u cameras are called %s; give the id of one, as in "
				       "GET /v1/cameras"
				     : "%u cameras are called %s; only those that have sent "
				       "something are known",
			     s.count, w->camera);
		err = -EINVAL;
	}
	*out = s.found;
	return err;
}

/* Nanoseconds, or UTC as "2026-11-29", with "T14:00" or "T14:00:00" and perhaps a Z behind. */
static int read_time(const char *text, uint64_t *ns)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };

	if (text && *text && strspn(text, "0123456789") == strlen(text)) {
		errno = 0;
		*ns = strtoull(text, NULL, 10);
		return errno ? -EINVAL : 0;
	}
	for (size_t i = 0; text && i < 3; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, formats[i], &tm);

		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		*ns = (uint64_t)timegm(&tm) * 1000000000ull;
		return timegm(&tm) < 0 ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* --to, or what --span says behind --from. */
static int read_times(const struct what *w, uint64_t *from, uint64_t *to)
{
	uint64_t length = !w->span ? 0 : !strcmp(w->span, "day") ? 86400 : 3600;

	if (read_time(w->from, from)) {
		sluice_error("--from TIME is missing or wrong: UTC as 2026-11-29T14:00");
		return -EINVAL;
	}
	*to = *from + length * 1000000000ull;
	if ((!w->to && !length) || (w->to && read_time(w->to, to))) {
		sluice_error("--to TIME is missing or wrong (UTC as 2026-11-29T15:00); or give "
			     "--span hour, or day");
		return -EINVAL;
	}
	return 0;
}

/* A number that is none becomes a text, which the job's own check refuses with what is right. */
static json_t *setting_value(const char *text, int as)
{
	char *end = NULL;
	double number = *text ? strtod(text, &end) : 0;

	if (as == YES_NO && (!strcmp(text, "yes") || !strcmp(text, "no")))
		return json_boolean(!strcmp(text, "yes"));
	if (as == TEXT || as == YES_NO || !end || *end)
		return json_string(text);
	if (as == WHOLE && number > -1e9 && number < 1e9 && number == (double)(long)number)
		return json_integer((json_int_t)number);
	return json_real(number);
}

static json_t *settings_of(const struct what *w)
{
	json_t *o = json_object();

	for (size_t i = 0; i < SETTINGS; i++)
		if (w->setting[i])
			json_object_set_new(o, words[i].name,
					    setting_value(w->setting[i], words[i].as));
	if (w->span && (!w->kind || !strcmp(w->kind, "period")))
		json_object_set_new(o, "span", json_string(w->span));
	return o;
}

static int start(struct what *w)
{
	struct sluice_camera camera;
	struct sluice_index_job j;
	json_t *settings;
	char *text = NULL, why[200];
	uint64_t from, to;
	int err = w->camera ? find_camera(w, &camera) : -EINVAL;

	if (!w->camera)
		sluice_error("--camera NAME is missing");
	if (!err)
		err = read_times(w, &from, &to);
	if (err)
		return -EINVAL;
	settings = settings_of(w);
	err = sluice_job_ask(&j, w->kind ? w->kind : "period", settings, from, to, &text, why,
			     sizeof(why));
	json_decref(settings);
	if (err) {
		sluice_error("%s", why);
		return -EINVAL;
	}
	memcpy(j.camera, camera.id, sizeof(j.camera));
	snprintf(j.by, sizeof(j.by), "local");
	err = w->index->ops->job_add(w->index, &j);
	free(text);
	if (!err && w->store.json)
		err = print_jobs(w, j.id);
	else if (!err)
		puts(j.id);
	return err;
}

static int cancel(struct what *w)
{
	const struct sluice_whose who = whose(w);
	int err = w->index->ops->job_cancel(w->index, &who, w->id, sluice_utc_now());

	if (err == -EALREADY) {
		sluice_error("job %s has ended already", w->id);
		return -EINVAL;
	}
	return err;
}

/* ---- run ---- */

static void on_summary(void *ctx, const struct sluice_camera *c, const char *id)
{
	(void)ctx;
	(void)c;
	sluice_info("summary %s is stored; the device gets it when it is connected", id);
}

static int see_any(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	(void)c;
	(void)j;
	++*(unsigned int *)ctx;
	return 0;
}

/* Until nothing is queued or runs, or it is interrupted. */
static int wait_all(struct what *w)
{
	const struct sluice_index_job_filter f = {
		.states = 1u << SLUICE_JOB_QUEUED | 1u << SLUICE_JOB_RUNNING, .limit = 1
	};
	unsigned int left;
	int err;

	do {
		left = 0;
		err = w->index->ops->jobs(w->index, NULL, &f, see_any, &left);
		if (left)
			nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000 }, NULL);
	} while (!err && left && !sluice_cmd_interrupted(NULL));
	return err ? err : left ? -EINTR : 0;
}

static int run(struct what *w)
{
	static const struct sluice_worker_ops ops = { .summary = on_summary };
	static const struct sluice_sandbox_config sandbox = { MEMORY, DEADLINE_MS };
	struct sluice_jobs_config c = {
		.data = w->store.data, .sandbox = &sandbox, .at_once = 1, .ops = &ops
	};
	struct sluice_jobs *jobs = NULL;
	const struct sluice_detector_config d = sluice_detector_of(&w->store.conf);
	/* two that do jobs would do each other's again */
	int lock = sluice_cmd_lock(w->store.data, "the node there does its jobs itself");
	int err = lock < 0 ? -EINVAL : 0;

	if (err)
		return err;
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	sluice_cmd_catch_interrupt();
	c.cameras = sluice_cameras_open();
	c.media = sluice_cmd_media(&w->store);
	if (!c.media)
		err = -EINVAL;
	else if (!c.cameras)
		err = -ENOMEM;
	if (!err && w->store.conf_is_its && d.plugin && *d.plugin)
		sluice_detector_open(&d, &c.detector); /* it tells why not */
	if (!err)
		err = sluice_jobs_open(&c, &jobs);
	if (!err)
		err = wait_all(w);
	sluice_jobs_close(jobs);
	sluice_detector_close(c.detector);
	sluice_media_close(c.media);
	sluice_cameras_close(c.cameras);
	close(lock);
	if (!err && sluice_jobs_counts.failed) {
		sluice_error("%llu jobs failed; see: sluice-cloud jobs list",
			     (unsigned long long)sluice_jobs_counts.failed);
		err = -EINVAL;
	}
	return err;
}

static const struct {
	const char *word;
	int named;
	int (*act)(struct what *w);
} actions[] = {
	{ "list", 0, list },	 { "show", 1, show }, { "start", 0, start },
	{ "cancel", 1, cancel }, { "run", 0, run },
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const struct option options[] = {
	{ "data", required_argument, NULL, 'd' },
	{ "tenant", required_argument, NULL, 't' },
	{ "camera", required_argument, NULL, 'c' },
	{ "kind", required_argument, NULL, 'K' },
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 'T' },
	{ "span", required_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, SETTING },
	{ "language", required_argument, NULL, SETTING + 1 },
	{ "model", required_argument, NULL, SETTING + 2 },
	{ "sensitivity", required_argument, NULL, SETTING + 3 },
	{ "scale", required_argument, NULL, SETTING + 4 },
	{ "join", required_argument, NULL, SETTING + 5 },
	{ "longest", required_argument, NULL, SETTING + 6 },
	{ "against", required_argument, NULL, SETTING + 7 },
	{ "detector", required_argument, NULL, SETTING + 8 },
	{ "json", no_argument, NULL, 'j' },
	{ "config", required_argument, NULL, 'F' },
	{ "key-file", required_argument, NULL, 'k' },
	{ "key-command", required_argument, NULL, 'C' },
	{ "old-key-file", required_argument, NULL, 'o' },
	{ "old-key-command", required_argument, NULL, 'O' },
	{ 0 },
};

static const char **text_at(struct what *w, struct sluice_keyconf *keys, int o)
{
	if (o >= SETTING)
		return &w->setting[o - SETTING];
	switch (o) {
	case 'd':
		return &w->store.data;
	case 't':
		return &w->store.tenant;
	case 'F':
		return &w->store.config;
	case 'c':
		return &w->camera;
	case 'K':
		return &w->kind;
	case 'f':
		return &w->from;
	case 'T':
		return &w->to;
	case 's':
		return &w->span;
	case 'k':
		return &keys->file;
	case 'C':
		return &keys->command;
	case 'o':
		return &keys->old_file;
	default:
		return &keys->old_command;
	}
}

static int read_words(struct what *w, int argc, char **argv, size_t *action)
{
	struct sluice_keyconf keys = { 0 };
	size_t i = 0;
	int o;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == '?')
			return 2;
		if (o == 'j')
			w->store.json = 1;
		else
			*text_at(w, &keys, o) = optarg;
	}
	if (optind == argc)
		return sluice_cmd_usage(argv[0], "list, show, start, cancel or run?");
	while (i < ACTIONS && strcmp(argv[optind], actions[i].word) != 0)
		i++;
	if (i == ACTIONS)
		return sluice_cmd_usage(argv[0], "list, show, start, cancel or run, not '%s'",
					argv[optind]);
	if (argc - optind != 1 + actions[i].named)
		return actions[i].named && argc - optind == 1
			       ? sluice_cmd_usage(argv[0], "%s which? see: sluice-cloud jobs list",
						  actions[i].word)
			       : sluice_cmd_usage(argv[0], "too many words");
	w->id = actions[i].named ? argv[optind + 1] : NULL;
	*action = i;
	return sluice_cmd_words_rest(&w->store, &keys, argv[0]);
}

int sluice_cmd_jobs(int argc, char **argv)
{
	struct what w = { .store = { .tenant = SLUICE_TENANT } };
	size_t action = 0;
	int code = read_words(&w, argc, argv, &action), err;

	if (!code) {
		w.index = sluice_cmd_index(w.store.data);
		code = !w.index;
	}
	if (!code) {
		err = actions[action].act(&w);
		if (err && err != -EINVAL)
			sluice_error("%s: %s", w.id ? w.id : w.store.data,
				     err == -ENOENT ? "there is no such job" : strerror(-err));
		code = err != 0;
	}
	sluice_index_close(w.index);
	sluice_cmd_words_free(&w.store);
	return code;
}
