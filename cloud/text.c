// SPDX-License-Identifier: MIT
/*
 * text.c - see text.h. Every sentence is one place that has both languages, so that none can be
 * forgotten. Counts, sides, times and guessed classes are put into fixed sentences.
 */
#include "cloud/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const sluice_text_language[SLUICE_TEXT_LANGUAGES] = { "en", "zh" };

struct writer {
	char *out;
	size_t size;
	bool zh;
};

/* One of the two, behind what is there; what has no room is left out whole. */
__attribute__((format(printf, 2, 0), format(printf, 3, 0))) static void add_list(struct writer *w,
										 const char *en,
										 const char *zh,
										 va_list ap)
{
	int n = vsnprintf(w->out, w->size, w->zh ? zh : en, ap);

	if (n < 0 || (size_t)n >= w->size) {
		w->out[0] = 0;
		return;
	}
	w->out += n;
	w->size -= (size_t)n;
}

__attribute__((format(printf, 2, 4), format(printf, 3, 4))) static void add(struct writer *w,
									    const char *en,
									    const char *zh, ...)
{
	va_list ap;

	va_start(ap, zh);
	add_list(w, en, zh, ap);
	va_end(ap);
}

/* ---- words ---- */

const char *sluice_text_noun(const char *class, enum sluice_text_language language)
{
	static const char *const nouns[][3] = {
		{ "person-like", "person-like object", "似人目标" },
		{ "vehicle-like", "vehicle-like object", "似车目标" },
		{ "animal-like", "animal-like object", "似动物目标" },
		{ "small", "small object", "小目标" },
	};

	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (!strcmp(class, nouns[i][0]))
			return nouns[i][1 + language];
	if (strcmp(class, "unknown") != 0)
		return class; /* a detector's own word */
	return language == SLUICE_TEXT_ZH ? "目标" : "object";
}

static const char *side_of(const struct writer *w, enum sluice_side side)
{
	static const char *const zh[] = { "画面内", "左侧", "右侧", "上方", "下方" };

	return w->zh ? zh[side] : sluice_side_name(side);
}

static enum sluice_text_language language_of(const struct writer *w)
{
	return w->zh ? SLUICE_TEXT_ZH : SLUICE_TEXT_EN;
}

static void add_way(struct writer *w, const struct sluice_track_facts *f)
{
	const char *enter = side_of(w, f->enter), *leave = side_of(w, f->leave);

	if (f->enter == SLUICE_SIDE_INSIDE && f->leave == SLUICE_SIDE_INSIDE)
		add(w, "moves inside the picture", "在画面内活动");
	else if (f->enter == SLUICE_SIDE_INSIDE)
		add(w, "appears and leaves at the %s", "出现后从%s离开", leave);
	else if (f->leave == SLUICE_SIDE_INSIDE)
		add(w, "enters from the %s", "从%s进入", enter);
	else if (f->enter == f->leave)
		add(w, "enters from the %s and leaves there again", "从%s进入后由同侧离开", enter);
	else
		add(w, "crosses from the %s to the %s", "从%s进入,由%s离开", enter, leave);
}

/* ---- an event ---- */

/* The longest told track, or NULL. */
static const struct sluice_track *leading(const struct sluice_event_log *e)
{
	const struct sluice_track *best = NULL;

	for (uint32_t i = 0; i < e->track_count; i++) {
		const struct sluice_track *t = &e->tracks[i];

		if (!best || t->hits > best->hits)
			best = t;
	}
	return best;
}

static struct writer title_of(struct sluice_text *out, bool zh)
{
	return (struct writer){ out->title, sizeof(out->title), zh };
}

static struct writer body_of(struct sluice_text *out, bool zh)
{
	return (struct writer){ out->body, sizeof(out->body), zh };
}

/* Nothing was followed: why does it say so? */
static void tell_without(const struct sluice_text_facts *f, bool zh, struct sluice_text *out)
{
	struct writer title = title_of(out, zh), body = body_of(out, zh);
	double length = f->e->end_s - f->e->part_start_s;

	if (f->e->camera_moved) {
		out->confidence = 0.7f;
		add(&title, "Camera %s was moved", "摄像头 %s 被移动", f->camera);
		add(&body,
		    "The picture is the same place, shifted: the camera was pushed or turned.",
		    "画面仍是原处但已偏移:摄像头被推动或转动。");
	} else if (f->e->nuisance) {
		out->confidence = 0.2f;
		if (f->e->nuisance == SLUICE_NUISANCE_LIGHT)
			add(&title, "Light changed on %s", "摄像头 %s:光线变化", f->camera);
		else
			add(&title, "Something flickered on %s", "摄像头 %s:画面闪动", f->camera);
		add(&body, "The gate saw motion for %.1f s, but nothing came or went.",
		    "闸门在 %.1f 秒内看到变化,但没有人或物来去。", length);
	} else if (f->e->scene_change) {
		out->confidence = 0.5f;
		add(&title, "Whole picture changed on %s", "摄像头 %s:整个画面改变", f->camera);
		add(&body,
		    "Most of the picture changed at once: light, exposure or the camera itself. "
		    "No single object was followed.",
		    "大部分画面同时改变:光线、曝光或摄像头本身。没有跟踪到单个目标。");
	} else {
		out->confidence = 0.3f;
		add(&title, "Something moved on %s", "摄像头 %s:有物移动", f->camera);
		add(&body, "The gate saw motion for %.1f s. No single object could be followed.",
		    "闸门在 %.1f 秒内看到变化。未能跟踪到单个目标。", length);
	}
}

static void tell_track(const struct sluice_text_facts *f, const struct sluice_track *t, bool zh,
		       struct sluice_text *out)
{
	struct writer title = title_of(out, zh), body = body_of(out, zh);
	const struct sluice_event_log *e = f->e;
	struct sluice_track_facts facts;
	const char *noun;

	sluice_track_facts(t, f->w, f->h, NULL, f->scale, &facts);
	noun = sluice_text_noun(facts.class, language_of(&title));
	out->confidence = fminf(0.95f, 0.5f + 0.03f * t->hits + (t->moved ? 0.1f : 0));
	if (e->track_count == 1) {
		add(&title, "One %s on %s", "一个%s,摄像头 %s", noun, f->camera);
		add(&body, "One %s ", "一个%s", noun);
		add_way(&body, &facts);
		add(&body, ". It was in view for %.1f s.", "。它在画面中 %.1f 秒。",
		    t->seen_s - t->start_s);
		return;
	}
	add(&title, "%u moving objects on %s", "%u 个移动目标,摄像头 %s", e->track_count,
	    f->camera);
	add(&body, "Longest in view: one %s ", "停留最久的是一个%s:", noun);
	add_way(&body, &facts);
	add(&body, ". %u objects were followed in %.0f s, at most %u at once.",
	    "。%2$.0f 秒内跟踪到 %1$u 个目标,同时最多 %3$u 个。", e->track_count,
	    (double)(e->end_s - e->part_start_s), e->peak);
}

/* What it does not know belongs to what it says. */
static void add_unknowns(struct writer *w, const struct sluice_text_facts *f, bool followed)
{
	const struct sluice_event_log *e = f->e;
	struct sluice_track_facts facts;
	uint32_t unknown = 0, inside = 0, guessed = 0;

	for (uint32_t i = 0; followed && i < e->track_count; i++) {
		sluice_track_facts(&e->tracks[i], f->w, f->h, NULL, f->scale, &facts);
		guessed += !facts.by;
		unknown += !strcmp(facts.class, "unknown");
		inside += facts.enter == SLUICE_SIDE_INSIDE;
	}
	if (!followed)
		add(w, " What caused it is not known.", "原因未知。");
	if (followed && !guessed)
		add(w,
		    " What it was is what a detector saw; who it was, and what for, is not known.",
		    "类别由检测模型识别;是谁、为何均未知。");
	else if (followed && guessed < e->track_count)
		add(w,
		    " What %u of them were is guessed from shape, size and speed, the others a "
		    "detector saw; who it was, and what for, is not known.",
		    "其中 %u 个的类别由形状、大小与速度推测,其余由检测模型识别;是谁、为何均未知。",
		    guessed);
	else if (followed)
		add(w,
		    " What it was is guessed from shape, size and speed; who it was, and what for, "
		    "is not known.",
		    "类别由形状、大小与速度推测;是谁、为何均未知。");
	if (unknown)
		add(w, " %u of them could not be classed at all.", "其中 %u 个无法归类。", unknown);
	if (inside)
		add(w, " Where %u of them came from was not seen.", "其中 %u 个从何而来未见。",
		    inside);
	if (f->lost)
		add(w, " %llu frames were lost; what happened in them is not known.",
		    "丢失 %llu 帧,其间的事未知。", (unsigned long long)f->lost);
}

void sluice_text_event(const struct sluice_text_facts *f, enum sluice_text_language language,
		       struct sluice_text *out)
{
	const struct sluice_track *t = leading(f->e);
	bool zh = language == SLUICE_TEXT_ZH, followed;
	struct writer scene = { out->scene, sizeof(out->scene), zh };

	memset(out, 0, sizeof(*out));
	followed = t && !f->e->camera_moved && !f->e->nuisance;
	add(&scene, "Camera %s, %.1f s of motion between second %.1f and %.1f.",
	    "摄像头 %1$s,第 %3$.1f 至 %4$.1f 秒之间有 %2$.1f 秒的活动。", f->camera,
	    f->e->end_s - f->e->part_start_s, f->e->part_start_s, f->e->end_s);
	if (followed)
		tell_track(f, t, zh, out);
	else
		tell_without(f, zh, out);
	add_unknowns(&scene, f, followed);
}

/* ---- concerns ---- */

static void add_evidence(struct writer *w, const struct sluice_concern *k)
{
	if (k->track)
		add(w, " (track %u, frame %llu)", "(轨迹 %u,第 %llu 帧)", k->track,
		    (unsigned long long)k->sequence);
	else
		add(w, " (frame %llu)", "(第 %llu 帧)", (unsigned long long)k->sequence);
}

static void add_night(struct writer *w, const struct sluice_concern *k)
{
	if (k->night)
		add(w, " between %02u:%02u and %02u:%02u", ",时在 %02u:%02u 至 %02u:%02u 之间",
		    k->night_from / 60, k->night_from % 60, k->night_to / 60, k->night_to % 60);
}

static void add_thing(struct writer *w, const struct sluice_concern *k)
{
	const char *noun = sluice_text_noun(k->class, language_of(w));

	switch (k->kind) {
	case SLUICE_CONCERN_ZONE:
		add(w, "One %s was in zone %s for %.0f s", "一个%s在区域 %s 内 %.0f 秒", noun,
		    k->place, k->value);
		break;
	case SLUICE_CONCERN_LINE:
		if (k->forward)
			add(w, "One %s crossed line %s forward", "一个%s正向越过线 %s", noun,
			    k->place);
		else
			add(w, "One %s crossed line %s backward", "一个%s反向越过线 %s", noun,
			    k->place);
		break;
	case SLUICE_CONCERN_NIGHT:
		add(w, "One %s was in view", "一个%s出现在画面中", noun);
		break;
	case SLUICE_CONCERN_LOITER:
		add(w, "One %s stood in its place for %.0f s", "一个%s在原处停留 %.0f 秒", noun,
		    k->value);
		break;
	case SLUICE_CONCERN_RUN:
		add(w, "One %s moved %.1f of its own heights a second, as who runs does",
		    "一个%s每秒移动自身高度的 %.1f 倍,像在奔跑", noun, k->value);
		break;
	case SLUICE_CONCERN_LEFT:
		add(w, "Something was left behind", "有物体被留下");
		break;
	case SLUICE_CONCERN_REMOVED:
		add(w, "Something was taken away", "有物体被取走");
		break;
	case SLUICE_CONCERN_CAMERA:
		add(w, "The camera was pushed or turned", "摄像头被推动或转动");
		break;
	default:
		add(w, "%.0f objects were in view at once", "画面中同时有 %.0f 个目标", k->value);
	}
}

void sluice_concern_text(const struct sluice_concern *k, enum sluice_text_language language,
			 char *out, size_t size)
{
	struct writer w = { out, size, language == SLUICE_TEXT_ZH };

	out[0] = 0;
	add_thing(&w, k);
	add_night(&w, k);
	add_evidence(&w, k);
	add(&w, ".", "。");
}
