// SPDX-License-Identifier: MIT
/*
 * Collects the summaries and the ledger of one directory and puts the page together.
 *
 * A directory whose name starts with a dot is one still being written (layout.h) and is left alone.
 * A summary that cannot be read or is of another version fails the whole report, with its name: a
 * report that silently shows less than there is would be worse than none.
 */
#include "tools/report/report.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char style[] =
	":root{--ink:#1c2126;--soft:#68727c;--line:#d9dfe4;--ground:#fff;--card:#f6f8f9;--mark:#"
	"0b7285;"
	"--warm:#d9480f;--lost:#c92a2a}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6eaed;--soft:#98a2ab;--line:#3a4249;"
	"--ground:#16191c;--card:#1f2428;--mark:#3bc9db;--warm:#ff922b;--lost:#ff6b6b}}\n"
	"body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);"
	"max-width:1080px;margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.6em;margin:0}h2{font-size:1.15em;margin:2em 0 "
	".6em}h3{font-size:1em;margin:0}\n"
	".soft{color:var(--soft)}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em "
	"1em;"
	"margin:.8em 0}dt{color:var(--soft)}dd{margin:0}\n"
	".card{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:1em;"
	"margin:1em 0}\n"
	".frames{display:flex;flex-wrap:wrap;gap:.8em;margin-top:.8em}figure{margin:0;flex:1 1 "
	"300px;"
	"max-width:500px}figure svg{width:100%;height:auto;display:block;border-radius:4px}"
	"video,.frames "
	"img{width:100%;height:auto;display:block;border-radius:4px}figcaption{color:var(--soft);"
	"font-size:.85em}\n"
	"table{border-collapse:collapse}td,th{padding:.15em .9em .15em 0;text-align:left;"
	"vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	".bar{background:var(--mark);height:.7em;display:inline-block;border-radius:2px}"
	".bar.lost{background:var(--lost)}.bar.drop{background:var(--line)}\n"
	".big{font-size:1.5em;font-weight:600}svg text{fill:var(--soft);font:11px "
	"system-ui,sans-serif}\n"
	"a{color:inherit}.scroll{overflow-x:auto}";

const char *json_text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

double json_number(const json_t *o, const char *key, double otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : otherwise;
}

static json_t *load_json(const char *path, char *why, size_t why_size, int *err)
{
	json_error_t e;
	struct stat st;
	json_t *j;

	*err = 0;
	if (stat(path, &st)) {
		*err = -errno;
		snprintf(why, why_size, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > REPORT_JSON_MAX) {
		*err = -EINVAL;
		snprintf(why, why_size, "%s is no file, or too large to be one of ours", path);
		return NULL;
	}
	j = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
	if (!j) {
		*err = -EINVAL;
		snprintf(why, why_size, "%s, line %d: %s", path, e.line, e.text);
	} else if (!json_is_object(j) || json_number(j, "version", 0) != 1) {
		*err = -EINVAL;
		snprintf(why, why_size, "%s: not version 1", path);
		json_decref(j);
		j = NULL;
	}
	return j;
}

/* Takes over j. */
static int append(struct report_event **list, size_t *count, const char *dir, json_t *j)
{
	struct report_event *grown = realloc(*list, (*count + 1) * sizeof(*grown));
	struct report_event *e = grown ? &grown[*count] : NULL;

	if (grown)
		*list = grown;
	if (!e || !(e->dir = strdup(dir))) {
		json_decref(j);
		return -ENOMEM;
	}
	e->json = j;
	e->start_s = json_number(j, "start_s", 0);
	e->end_s = json_number(j, "end_s", e->start_s);
	++*count;
	return 0;
}

static int add_event(struct report *r, const char *dir, char *why, size_t why_size)
{
	const char *kind;
	char path[4096];
	json_t *j;
	int err;

	if (snprintf(path, sizeof(path), "%s/%s/summary.json", r->dir, dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	j = load_json(path, why, why_size, &err);
	if (!j)
		return err;
	kind = json_text(j, "kind");
	if (kind && !strcmp(kind, "digest"))
		return append(&r->digests, &r->digest_count, dir, j);
	if (kind && !strcmp(kind, "vision"))
		return append(&r->visions, &r->vision_count, dir, j);
	if (kind && !strcmp(kind, "period"))
		return append(&r->periods, &r->period_count, dir, j);
	if (r->event_count < REPORT_EVENTS_MAX)
		return append(&r->events, &r->event_count, dir, j);
	r->left_out++;
	json_decref(j);
	return 0;
}

/* CAMERA, DATE and ID are three levels of directories; depth says how many are left. */
static int walk(struct report *r, const char *dir, int depth, char *why, size_t why_size)
{
	char path[4096];
	struct dirent **names;
	int n, err = 0;

	if (depth == 0)
		return add_event(r, dir, why, why_size);
	if (snprintf(path, sizeof(path), "%s/%s", r->dir, dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && !err) {
			if (snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name) >=
			    (int)sizeof(path))
				err = -ENAMETOOLONG;
			else
				err = walk(r, path, depth - 1, why, why_size);
		}
		free(names[i]);
	}
	free(names);
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct report_event *x = a, *y = b;

	return (x->start_s > y->start_s) - (x->start_s < y->start_s);
}

static void write_page(struct report *r, FILE *f)
{
	fprintf(f, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "img-src data: 'self' file:; media-src data: 'self' file:; style-src "
		   "'unsafe-inline'\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	html_text(f, r->title);
	fprintf(f, "</title>\n<style>\n%s\n</style>\n</head>\n<body>\n<h1>", style);
	html_text(f, r->title);
	fprintf(f, "</h1>\n<dl>\n");
	for (size_t i = 0; i < r->fact_count; i++) {
		fprintf(f, "<dt>");
		html_text(f, r->facts[i].name);
		fprintf(f, "</dt><dd>");
		html_text(f, r->facts[i].value);
		fprintf(f, "</dd>\n");
	}
	fprintf(f, "</dl>\n");
	for (size_t i = 0; i < r->period_count; i++)
		report_period(r, f, &r->periods[i]);
	report_timeline(r, f);
	report_ledger(r, f);
	fprintf(f, "<h2>%zu %s came back</h2>\n", r->event_count + r->left_out,
		r->event_count + r->left_out == 1 ? "summary" : "summaries");
	for (size_t i = 0; i < r->event_count; i++)
		report_event_card(r, f, &r->events[i]);
	if (r->left_out)
		fprintf(f, "<p>%zu more are not shown.</p>\n", r->left_out);
	fprintf(f, "</body>\n</html>\n");
}

int report_save(struct report *r, char *why, size_t why_size)
{
	char part[4096], path[4096];
	int err = 0;
	FILE *f;

	if (snprintf(part, sizeof(part), "%s/.report.html.part", r->dir) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s/report.html", r->dir);
	f = fopen(part, "we");
	if (!f) {
		err = -errno;
		snprintf(why, why_size, "cannot write %s: %s", part, strerror(errno));
		return err;
	}
	write_page(r, f);
	if (ferror(f))
		err = -EIO;
	if (fclose(f) && !err)
		err = -errno;
	if (!err && rename(part, path))
		err = -errno;
	if (err) {
		snprintf(why, why_size, "cannot write %s: %s", path, strerror(-err));
		unlink(part);
	}
	return err;
}

int report_load(struct report *r, char *why, size_t why_size)
{
	char path[4096];
	int err;

	*why = 0;
	if (snprintf(path, sizeof(path), "%s/ledger.json", r->dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r->ledger = load_json(path, why, why_size, &err);
	if (err == -ENOENT)
		err = 0;
	if (!err)
		err = walk(r, "summaries", 3, why, why_size);
	if (!err && r->event_count)
		qsort(r->events, r->event_count, sizeof(*r->events), by_start);
	if (err && !*why)
		snprintf(why, why_size, "%s: %s", r->dir, strerror(-err));
	if (err)
		report_free(r);
	return err;
}

static void free_list(struct report_event *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_decref(list[i].json);
		free(list[i].dir);
	}
	free(list);
}

void report_free(struct report *r)
{
	free_list(r->events, r->event_count);
	free_list(r->digests, r->digest_count);
	free_list(r->visions, r->vision_count);
	free_list(r->periods, r->period_count);
	json_decref(r->ledger);
	r->events = r->digests = r->visions = r->periods = NULL;
	r->ledger = NULL;
	r->event_count = r->digest_count = r->vision_count = r->period_count = 0;
}

int report_write(struct report *r, char *why, size_t why_size)
{
	int err = report_load(r, why, why_size);

	if (err)
		return err;
	err = report_save(r, why, why_size);
	report_free(r);
	return err;
}
