// SPDX-License-Identifier: MIT
/*
 * test_concerns.c - what is of concern, what is not, how much, and with which picture; and that the
 * words of an event stand alone in either language and say what is not known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/concerns.h"
#include "cloud/text.h"
#include "tests/unit/check.h"

#define W	 320
#define H	 240
#define TRACKS	 4
#define BOXES	 700
#define NOON_NS	 1764504000000000000ull /* 2025-11-30 12:00 UTC */
#define HOUR_NS	 3600000000000ull
#define FIRST_NO 1000 /* of the pictures, five a second */

static struct sluice_event_log log_;
static struct sluice_box path[TRACKS][BOXES];
static struct sluice_analysis_config conf;
static struct sluice_concerns found;

/* An event of 140 s without anything in it. */
static void begin(void)
{
	memset(&log_, 0, sizeof(log_));
	memset(&conf, 0, sizeof(conf));
	log_.end_s = 140;
	log_.peak = 1;
	for (uint32_t i = 0; i < 700; i++)
		log_.moments[log_.moment_count++] =
			(struct sluice_moment){ .sequence = FIRST_NO + i, .t_s = i / 5.0 };
	conf.zone_count = 1;
	conf.zones[0] = (struct sluice_zone){
		.name = "door",
		.count = 4,
		.point = { { 4000, 5000 }, { 6000, 5000 }, { 6000, 10000 }, { 4000, 10000 } }
	};
	conf.line_count = 1;
	conf.lines[0] =
		(struct sluice_line){ .name = "step", .a = { 5000, 0 }, .b = { 5000, 10000 } };
}

/* The foot from x on, dx further with each of count boxes, five a second. */
static struct sluice_track *add_track(float x, float dx, float w, float h, uint32_t count)
{
	struct sluice_track *t = &log_.tracks[log_.track_count];
	struct sluice_box *p = path[log_.track_count];

	*t = (struct sluice_track){ .id = ++log_.track_count, .confirmed = true, .moved = true };
	for (uint32_t i = 0; i < count; i++)
		p[i] = (struct sluice_box){ i / 5.0, x + dx * (float)i - w / 2, 200 - h, w, h };
	t->path = p;
	t->path_count = t->hits = count;
	t->last = p[count - 1];
	t->seen_s = t->last.t_s;
	t->best.t_s = 2;
	return t;
}

static uint32_t find(uint64_t utc_ns)
{
	sluice_concerns_find(&log_, W, H, &conf, NULL, utc_ns, &found);
	return found.count;
}

static int has(enum sluice_concern_kind kind, uint32_t level)
{
	for (uint32_t i = 0; i < found.count; i++)
		if (found.list[i].kind == kind && found.list[i].level == level)
			return 1;
	return 0;
}

static void test_zone(void)
{
	begin();
	add_track(10, 6, 20, 60, 50);
	CHECK(!find(NOON_NS) && found.level == 0); /* nobody has said that the door matters */
	conf.zones[0].concern = 1;
	conf.zones[0].dwell_ms = 1500;
	CHECK(find(NOON_NS) == 1 && has(SLUICE_CONCERN_ZONE, 1) && found.level == 1);
	/* enters at pixel 128 with the 20th box: 4.0 s, which is picture 1020 */
	CHECK(found.list[0].track == 1 && found.list[0].t_s > 3.7 && found.list[0].t_s < 4.3);
	CHECK(found.list[0].sequence == FIRST_NO + (uint64_t)(found.list[0].t_s * 5 + 0.5));
	conf.zones[0].dwell_ms = 3000; /* it was there for two seconds */
	CHECK(!find(NOON_NS));
	conf.zones[0].dwell_ms = 0;
	log_.nuisance = SLUICE_NUISANCE_LIGHT;
	CHECK(!find(NOON_NS) && !found.level);
	begin();
	conf.zones[0].concern = 1;
	add_track(10, 6, 6, 8, 50); /* small: a bird, a leaf */
	CHECK(!find(NOON_NS));
}

static void test_line(void)
{
	begin();
	add_track(10, 6, 20, 60, 50); /* from its right to its left: backward */
	conf.lines[0].concern = SLUICE_LINE_FORWARD;
	CHECK(!find(NOON_NS));
	conf.lines[0].concern = SLUICE_LINE_BACKWARD;
	CHECK(find(NOON_NS) == 1 && has(SLUICE_CONCERN_LINE, 1) && !found.list[0].forward);
	CHECK(found.list[0].t_s > 4.8 && found.list[0].t_s < 5.4);
	conf.lines[0].concern = SLUICE_LINE_BOTH;
	CHECK(find(NOON_NS) == 1);
}

static void test_night(void)
{
	begin();
	add_track(10, 6, 20, 60, 50);
	conf.zones[0].concern = 1;
	conf.night_from = 22 * 60;
	conf.night_to = 6 * 60;
	CHECK(find(NOON_NS) == 1 && found.level == 1);
	CHECK(find(NOON_NS + 11 * HOUR_NS) == 2 && found.level == 2);
	CHECK(has(SLUICE_CONCERN_ZONE, 2) && has(SLUICE_CONCERN_NIGHT, 1) && found.list[0].night);
	conf.zones[0].concern = 0;
	CHECK(find(NOON_NS + 11 * HOUR_NS) == 1 && found.level == 1);
	/* bounds: from is of it, to is not; a night that does not cross midnight */
	CHECK(sluice_concern_night(NOON_NS + 10 * HOUR_NS, 22 * 60, 6 * 60));
	CHECK(!sluice_concern_night(NOON_NS + 10 * HOUR_NS - 1, 22 * 60, 6 * 60));
	CHECK(!sluice_concern_night(NOON_NS + 18 * HOUR_NS, 22 * 60, 6 * 60));
	CHECK(sluice_concern_night(NOON_NS, 12 * 60, 13 * 60));
	CHECK(!sluice_concern_night(NOON_NS + HOUR_NS, 12 * 60, 13 * 60));
	CHECK(!sluice_concern_night(NOON_NS, 5, 5));
}

static void test_person(void)
{
	begin();
	add_track(160, 0, 20, 60, 350); /* stands for 70 s */
	CHECK(find(NOON_NS) == 1 && has(SLUICE_CONCERN_LOITER, 1) && found.list[0].value > 69);
	begin();
	add_track(160, 0, 20, 60, 250);
	CHECK(!find(NOON_NS)); /* for 50 s */
	begin();
	add_track(160, 0, 60, 30, 350)->moved = true; /* no person */
	CHECK(!find(NOON_NS));
	begin();
	add_track(10, 10, 12, 25, 25); /* two of its heights a second */
	CHECK(find(NOON_NS) == 1 && has(SLUICE_CONCERN_RUN, 0) && found.level == 0);
	begin();
	add_track(10, 7, 12, 25, 25); /* 1.4 */
	CHECK(!find(NOON_NS));
}

static void test_event(void)
{
	begin();
	log_.objects[log_.object_count++] =
		(struct sluice_object){ SLUICE_OBJECT_LEFT, { 7, 1, 1, 9, 9 } };
	log_.objects[log_.object_count++] =
		(struct sluice_object){ SLUICE_OBJECT_REMOVED, { 3, 1, 1, 9, 9 } };
	log_.peak = 9;
	log_.moments[300].objects = 9;
	CHECK(find(NOON_NS) == 3 && found.level == 1);
	CHECK(found.list[0].kind == SLUICE_CONCERN_REMOVED &&
	      found.list[0].sequence == FIRST_NO + 15);
	CHECK(found.list[1].kind == SLUICE_CONCERN_LEFT && !found.list[1].track);
	CHECK(found.list[2].kind == SLUICE_CONCERN_MANY &&
	      found.list[2].sequence == FIRST_NO + 300);
	begin();
	log_.camera_moved = true;
	CHECK(find(NOON_NS) == 1 && has(SLUICE_CONCERN_CAMERA, 1));
}

/* More than are told: the highest stay, and the others are counted. */
static void test_many(void)
{
	begin();
	conf.zones[0].concern = 1;
	conf.lines[0].concern = SLUICE_LINE_BOTH;
	conf.night_from = 0;
	conf.night_to = 1439;
	for (uint32_t i = 0; i < TRACKS; i++)
		add_track(10, 6, 20, 60, 50);
	for (uint32_t i = 0; i < 4; i++)
		log_.objects[log_.object_count++] =
			(struct sluice_object){ SLUICE_OBJECT_LEFT, { 7, 1, 1, 9, 9 } };
	CHECK(find(NOON_NS) == SLUICE_CONCERNS_MAX && found.untold == 4 && found.level == 2);
	for (uint32_t i = 1; i < found.count; i++)
		CHECK(found.list[i].level <= found.list[i - 1].level);
	CHECK(has(SLUICE_CONCERN_ZONE, 2) && has(SLUICE_CONCERN_LINE, 2));
}

/* ---- words ---- */

/* No Latin letter but of a name, and an end that Chinese has. */
static void check_zh(const char *text)
{
	char plain[1024], *at;
	size_t n;

	snprintf(plain, sizeof(plain), "%s", text);
	while ((at = strstr(plain, "door")) || (at = strstr(plain, "step")))
		memset(at, '.', 4);
	n = strcspn(plain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (plain[n] || !strstr(text, "。")) {
		fprintf(stderr, "not Chinese alone: %s\n", text);
		CHECK(0);
	}
}

static void check_en(const char *text)
{
	for (const char *p = text; *p; p++)
		CHECK((unsigned char)*p < 128);
	CHECK(*text && text[strlen(text) - 1] == '.');
}

static void test_concern_words(void)
{
	struct sluice_concern k = { .track = 3,
				    .sequence = 1042,
				    .class = "person-like",
				    .place = "door",
				    .value = 75,
				    .night_from = 1320,
				    .night_to = 365 };
	char text[400];

	for (int kind = 0; kind < SLUICE_CONCERNS; kind++)
		for (int night = 0; night < 2; night++) {
			k.kind = (enum sluice_concern_kind)kind;
			k.night = night;
			sluice_concern_text(&k, SLUICE_TEXT_EN, text, sizeof(text));
			check_en(text);
			CHECK(strstr(text, "(track 3, frame 1042)"));
			CHECK(!strstr(text, "22:00 and 06:05") == !night);
			sluice_concern_text(&k, SLUICE_TEXT_ZH, text, sizeof(text));
			check_zh(text);
			CHECK(strstr(text, "1042"));
		}
	k.kind = SLUICE_CONCERN_ZONE;
	k.night = false;
	sluice_concern_text(&k, SLUICE_TEXT_EN, text, sizeof(text));
	CHECK(!strcmp(text, "One person-like object was in zone door for 75 s (track 3, frame "
			    "1042)."));
}

static void both(const struct sluice_text_facts *f, struct sluice_text text[2])
{
	sluice_text_event(f, SLUICE_TEXT_EN, &text[0]);
	sluice_text_event(f, SLUICE_TEXT_ZH, &text[1]);
	check_en(text[0].body);
	check_en(text[0].scene);
	check_zh(text[1].body);
	check_zh(text[1].scene);
	CHECK(text[0].title[0] && text[1].title[0] && strstr(text[1].title, "door"));
	CHECK(text[0].confidence == text[1].confidence);
}

static void test_words(void)
{
	struct sluice_text_facts f = { &log_, "door", W, H, NULL, 0 };
	struct sluice_text text[2];

	begin();
	both(&f, text);
	CHECK(strstr(text[0].scene, "not known") && strstr(text[1].scene, "未知"));
	log_.scene_change = true;
	both(&f, text);
	log_.camera_moved = true;
	both(&f, text);
	log_.camera_moved = log_.scene_change = false;
	for (int n = SLUICE_NUISANCE_LIGHT; n <= SLUICE_NUISANCE_NO_TRACK; n++) {
		log_.nuisance = (enum sluice_nuisance)n;
		both(&f, text);
	}
	log_.nuisance = SLUICE_NUISANCE_NONE;
	add_track(10, 6, 20, 60, 50);
	f.lost = 7;
	both(&f, text);
	CHECK(!strcmp(text[0].body, "One person-like object crosses from the left to the right. It "
				    "was in view for 9.8 s."));
	CHECK(strstr(text[1].body, "从左侧进入,由右侧离开") && strstr(text[1].body, "9.8 秒"));
	CHECK(strstr(text[0].scene, "7 frames were lost") && strstr(text[1].scene, "丢失 7 帧"));
	CHECK(strstr(text[0].scene, "who it was, and what for, is not known"));
	add_track(160, 3, 30, 30, 20);
	log_.peak = 2;
	both(&f, text);
	CHECK(strstr(text[0].body, "2 objects were followed in 140 s, at most 2 at once."));
	CHECK(strstr(text[1].body, "140 秒内跟踪到 2 个目标,同时最多 2 个"));
	CHECK(strstr(text[0].scene, "1 of them could not be classed"));
	CHECK(strstr(text[0].scene, "Where 1 of them came from was not seen"));
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	test_zone();
	test_line();
	test_night();
	test_person();
	test_event();
	test_many();
	test_concern_words();
	test_words();
	return check_result();
}
