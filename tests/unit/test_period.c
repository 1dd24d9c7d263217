// SPDX-License-Identifier: MIT
/*
 * test_period.c - what is said of a period: events in parts count once, nuisances are told apart,
 * both languages say the same numbers; hours and days are due once, those without an event never;
 * what is asked wrongly of a job is refused with what would be right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/jobs.h"
#include "cloud/period_text.h"
#include "tests/unit/check.h"

#define S    1000000000ll
#define HOUR (3600 * S)
#define T0   (1795960800 * S) /* 2026-11-29 14:00 UTC */

static void add_event(struct sluice_period *p, int number, int from_s, int to_s, const char *class,
		      int nuisance, int part_of)
{
	/* by number: the fifth is a part of the fourth; what is not known is nothing */
	static const char *const concerns[] = {
		"[]",
		"[]",
		"[{\"kind\":\"many\"}]",
		"[]",
		"[{\"kind\":\"zone\"},{\"kind\":\"zone\"}]",
		"[{\"kind\":\"zone\"},{\"kind\":\"left\"},{\"kind\":\"?\"}]"
	};
	static const int threat[] = { 0, 0, 0, 0, 1, 2 };
	char id[33], event[33], start[24], end[24];
	json_t *o;

	snprintf(id, sizeof(id), "%032d", number);
	snprintf(event, sizeof(event), "%032d", part_of ? part_of : number);
	snprintf(start, sizeof(start), "%lld", T0 + from_s * S);
	snprintf(end, sizeof(end), "%lld", T0 + to_s * S);
	o = json_pack(
		"{s:f,s:s,s:s,s:s,s:s,s:s,s:s,s:f,s:i,s:i,s:s,s:b,s:i,s:[{s:i,s:s,s:[[fiiii]]}]}",
		"confidence", number == 3 ? 0.9 : number * 0.125, "kind", "event", "id", id,
		"event", event, "epoch", "7", "start_ns", start, "end_ns", end, "start_s",
		(double)from_s, "width", 640, "height", 480, "title", "One", "nuisance", nuisance,
		"peak_objects", 2, "tracks", "id", 1, "class", class, "boxes", (double)from_s, 10,
		10, 20, 20);
	json_object_set_new(o, "threat_level", json_integer(threat[number]));
	json_object_set_new(o, "concerns", json_loads(concerns[number], 0, NULL));
	CHECK(o && !sluice_period_event(p, o));
	json_decref(o);
}

static void test_words(void)
{
	struct sluice_period *p = sluice_period_open("door", T0, T0 + HOUR);
	struct sluice_period_facts f;
	struct sluice_period_text en, zh;

	add_event(p, 1, 10, 30, "person-like", 0, 0);
	add_event(p, 2, 20, 60, "vehicle-like", 0, 0); /* overlaps the first: 50 s in all */
	add_event(p, 3, 65, 70, "unknown", 1, 0);
	add_event(p, 4, 1800, 2100, "person-like", 0, 0);
	add_event(p, 5, 2100, 2150, "person-like", 0, 4); /* a part */
	sluice_period_facts(p, &f);
	CHECK(f.events == 3 && f.nuisance == 1 && f.objects == 4 && f.peak == 2);
	CHECK(f.classes == 2 && f.by_class[0].count == 3 && f.by_class[1].count == 1);
	CHECK(!f.seen && f.guessed == 4 && !f.unnamed);
	CHECK(f.confidence == (1 + 2 + 4 + 5) * 0.125 / 4); /* of the nuisance nothing */
	CHECK(f.threat == 2 && f.threat_ns == T0 + 2100 * S);
	CHECK(f.at_level[0] == 2 && f.at_level[1] == 0 && f.at_level[2] == 1);
	CHECK(f.concern[SLUICE_CONCERN_ZONE] == 1 && f.concern[SLUICE_CONCERN_LEFT] == 1 &&
	      f.concern[SLUICE_CONCERN_MANY] == 1 && f.concern[SLUICE_CONCERN_RUN] == 0);
	CHECK(f.active_s == 400 && f.busiest == 0 && f.bucket[0] == 2 && f.bucket[30] == 1);
	p->lost = 12;
	p->seen = 1000;
	sluice_period_words(p, &f, 4, 0, SLUICE_PERIOD_EN, &en);
	sluice_period_words(p, &f, 4, 0, SLUICE_PERIOD_ZH, &zh);
	CHECK(!strcmp(en.title, "Camera door, 2026-11-29 14:00 to 15:00 UTC: 3 events"));
	CHECK(!strcmp(en.text, "3 events with 4 followed objects (3 person-like, 1 vehicle-like), "
			       "at most 2 at once, 6 min 40 s of activity in all. Busiest from "
			       "14:00:00 to 14:01:00, with 2 events."));
	CHECK(strstr(zh.title, "3 个事件") && strstr(zh.text, "似人 3") &&
	      strstr(zh.text, "6 分 40 秒"));
	CHECK(strstr(en.report, "12 frames were lost") && strstr(zh.report, "丢失 12 帧"));
	CHECK(strstr(en.report,
		     "Of concern: in a zone of concern 1, something left 1, many at once "
		     "1. 0 events of level 1, 1 of level 2; the first of the highest "
		     "began at 2026-11-29 14:35:00 (UTC).\n"));
	CHECK(strstr(zh.report,
		     "值得关注:进入关注区域 1、遗留物体 1、人或物众多 1。级别 1 有 0 "
		     "个事件,级别 2 有 1 个;最高级别的第一个始于 2026-11-29 14:35:00 (UTC)。\n"));
	CHECK(strstr(en.report, "Not counted: 1 ") && strstr(zh.report, "另有 1 次"));
	CHECK(strstr(en.report, "shows 4 objects") && strstr(zh.report, "有 4 个目标"));
	sluice_period_free(p);
	p = sluice_period_open("door", T0, T0 + HOUR);
	add_event(p, 1, 10, 30, "person-like", 0, 0);
	sluice_period_facts(p, &f);
	sluice_period_words(p, &f, 0, 0, SLUICE_PERIOD_EN, &en);
	sluice_period_words(p, &f, 0, 0, SLUICE_PERIOD_ZH, &zh);
	CHECK(strstr(en.report, "Nothing of concern was measured.") &&
	      strstr(zh.report, "没有测到值得关注的事。"));
	sluice_period_free(p);
	/* nothing but nuisance is said to be that */
	p = sluice_period_open("door", T0, T0 + HOUR);
	add_event(p, 1, 10, 30, "unknown", 1, 0);
	sluice_period_facts(p, &f);
	sluice_period_words(p, &f, 0, 0, SLUICE_PERIOD_EN, &en);
	CHECK(!strstr(en.report, "concern"));
	CHECK(strstr(en.title, "no events") && strstr(en.text, "Nothing came or went"));
	sluice_period_free(p);
}

/* Words of a detector are kept, its rarest left out if there are too many, and it is said who
 * says so. */
static void test_seen(void)
{
	struct sluice_period *p = sluice_period_open("door", T0, T0 + HOUR);
	struct sluice_period_facts f;
	struct sluice_period_text en, zh;
	char name[16];

	add_event(p, 1, 10, 30, "small", 0, 0);
	add_event(p, 2, 40, 60, "forklift truck", 0, 0);
	add_event(p, 3, 70, 90, "forklift truck", 0, 0);
	p->tubes[1].seen = p->tubes[2].seen = 1;
	sluice_period_facts(p, &f);
	CHECK(f.classes == 2 && f.seen == 2 && f.guessed == 1);
	CHECK(!strcmp(f.by_class[0].name, "forklift truck") && f.by_class[0].count == 2);
	sluice_period_words(p, &f, 0, 0, SLUICE_PERIOD_EN, &en);
	sluice_period_words(p, &f, 0, 0, SLUICE_PERIOD_ZH, &zh);
	CHECK(strstr(en.text, "(2 forklift truck, 1 small)"));
	CHECK(strstr(zh.text, "(forklift truck 2、小物体 1)"));
	CHECK(strstr(en.report,
		     "What 2 objects are was seen by a detector, what 1 are is guessed"));
	CHECK(strstr(zh.report, "2 个目标的类别由检测模型识别,1 个由"));
	p->tubes[0].seen = 1;
	sluice_period_facts(p, &f);
	sluice_period_words(p, &f, 0, 0, SLUICE_PERIOD_EN, &en);
	CHECK(strstr(en.report, "Classes are what a detector saw;") &&
	      !strstr(en.report, "no model"));
	for (int i = 0; i < 70; i++) {
		add_event(p, 1, 100 + i, 101 + i, "small", 0, 0);
		snprintf(name, sizeof(name), "thing%d", i);
		memcpy(p->tubes[p->tube_count - 1].class, name, sizeof(name));
	}
	sluice_period_facts(p, &f);
	CHECK(f.classes == SLUICE_PERIOD_CLASSES &&
	      f.unnamed == 73 - 3 - (SLUICE_PERIOD_CLASSES - 2));
	CHECK(!strcmp(f.by_class[0].name, "forklift truck"));
	sluice_period_words(p, &f, 0, 0, SLUICE_PERIOD_EN, &en);
	CHECK(strstr(en.text, ", 60 others)"));
	sluice_period_free(p);
}

/* ---- what is due ---- */

static struct sluice_camera camera[2];

static void add_summary(struct sluice_index *ix, int number, int c, int64_t at_ns, int nuisance)
{
	struct sluice_index_summary s = { .start_utc_ns = (uint64_t)at_ns,
					  .end_utc_ns = (uint64_t)(at_ns + 5 * S),
					  .json = nuisance
							  ? "{\"kind\":\"event\",\"nuisance\":true}"
							  : "{\"kind\":\"event\"}" };

	snprintf(s.id, sizeof(s.id), "%032d", number);
	memcpy(s.camera, camera[c].id, 16);
	CHECK(!ix->ops->summary_add(ix, &s));
}

static int sum_spans(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	uint64_t *seconds = ctx;

	CHECK(!strcmp(c->name, "first") && !strcmp(j->kind, "period") && !strcmp(j->by, "node"));
	CHECK(strstr(j->settings, "\"language\":\"zh\"") != NULL);
	*seconds += (j->to_ns - j->from_ns) / S;
	return 0;
}

static uint64_t spans(struct sluice_index *ix)
{
	const struct sluice_index_job_filter f = { .limit = 100 };
	uint64_t seconds = 0;

	CHECK(!ix->ops->jobs(ix, NULL, &f, sum_spans, &seconds));
	return seconds;
}

static void test_due(const char *path)
{
	struct sluice_jobs_periods p = {
		.hour = true, .wait_ns = 600 * S, .seconds = 60, .language = "zh"
	};
	struct sluice_index *ix;

	CHECK(!sluice_index_sqlite_open(path, &ix));
	for (int i = 0; i < 2; i++) {
		CHECK(!sluice_camera_init(&camera[i], "default", "box", i ? "second" : "first"));
		CHECK(!ix->ops->camera_add(ix, &camera[i]));
	}
	add_summary(ix, 1, 0, T0 + 60 * S, 0);
	add_summary(ix, 2, 0, T0 - HOUR, 0);
	add_summary(ix, 3, 1, T0 + 90 * S, 1);
	/* the hour is not over, or not long enough */
	CHECK(sluice_jobs_due(ix, &p, T0 + HOUR - S) == 1 && spans(ix) == 3600);
	CHECK(sluice_jobs_due(ix, &p, T0 + HOUR + 599 * S) == 0);
	CHECK(sluice_jobs_due(ix, &p, T0 + HOUR + 600 * S) == 1 && spans(ix) == 7200);
	CHECK(sluice_jobs_due(ix, &p, T0 + HOUR + 601 * S) == 0);
	/* the zone's day, of 25 hours where the clock is set back: 2026-10-25 in Berlin */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	p = (struct sluice_jobs_periods){ .day = true, .seconds = 60, .language = "zh" };
	add_summary(ix, 4, 0, T0 - 35 * 24 * HOUR, 0);
	CHECK(sluice_jobs_due(ix, &p, T0 - 34 * 24 * HOUR) == 1);
	CHECK(spans(ix) == 7200 + 25 * 3600);
	CHECK(sluice_jobs_due(ix, &p, T0 - 34 * 24 * HOUR + 5 * S) == 0);
	sluice_index_close(ix);
}

static void test_ask(void)
{
	static const struct {
		const char *kind, *settings, *why;
		int64_t from, to;
	} wrong[] = {
		{ "perod", "{}", "kind must be", 1, 2 },
		{ NULL, "{}", "kind must be", 1, 2 },
		{ "period", "{}", "from must lie before to", 2, 2 },
		{ "period", "{}", "from must lie before to", 0, 33 * 24 * HOUR },
		{ "period", "{\"seconds\":4}", "from 5 to 600", 1, 2 },
		{ "period", "{\"seconds\":\"60\"}", "from 5 to 600", 1, 2 },
		{ "period", "{\"language\":\"de\"}", "en or zh", 1, 2 },
		{ "period", "{\"second\":60}", "no setting 'second'", 1, 2 },
		{ "period", "[]", "must be an object", 1, 2 },
	};
	struct sluice_index_job j;
	char *text, why[200];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *settings = json_loads(wrong[i].settings, 0, NULL);

		CHECK(sluice_job_ask(&j, wrong[i].kind, settings, (uint64_t)wrong[i].from,
				     (uint64_t)wrong[i].to, &text, why, sizeof(why)) == -EINVAL);
		CHECK(strstr(why, wrong[i].why) != NULL);
		json_decref(settings);
	}
	CHECK(!sluice_job_ask(&j, "period", NULL, 1, 2, &text, why, sizeof(why)));
	CHECK(strlen(j.id) == 32 && !strcmp(j.settings, "{}"));
	free(text);
}

int main(void)
{
	char path[] = "/tmp/test_period.XXXXXX", file[64];
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	test_words();
	test_seen();
	test_due(path);
	test_ask();
	for (int i = 0; i < 3; i++) {
		static const char *const ends[3] = { "", "-wal", "-shm" };

		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return check_result();
}
