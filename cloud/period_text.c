// SPDX-License-Identifier: MIT
/* period_text.c - see period_text.h. Every sentence is one function that gets both languages, so
 * that none can be forgotten. Times are UTC, and say so. */
#include "cloud/period_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_NS	 86400000000000ll
#define DISTINCT 64 /* classes that are told apart */

const char *const sluice_period_language[SLUICE_PERIOD_LANGUAGES] = { "en", "zh" };

/* ---- facts ---- */

/* Has its place by how many there are, or none. */
static void put_class(struct sluice_period_facts *f, const char *name, uint32_t count)
{
	struct sluice_period_class *c = f->by_class;
	uint32_t at = f->classes;

	while (at && c[at - 1].count < count)
		at--;
	if (at == SLUICE_PERIOD_CLASSES) {
		f->unnamed += count;
		return;
	}
	if (f->classes == SLUICE_PERIOD_CLASSES)
		f->unnamed += c[--f->classes].count;
	memmove(&c[at + 1], &c[at], (f->classes - at) * sizeof(*c));
	f->classes++;
	snprintf(c[at].name, sizeof(c[at].name), "%s", *name ? name : "unknown");
	c[at].count = count;
}

/* Which tube is the first of its class, and how many there are of it. */
static void count_classes(const struct sluice_period *p, struct sluice_period_facts *f)
{
	uint32_t first[DISTINCT], count[DISTINCT], n = 0;

	for (uint32_t i = 0; i < p->tube_count; i++) {
		const struct sluice_period_tube *t = &p->tubes[i];
		uint32_t k = 0;

		f->seen += t->seen;
		f->guessed += !t->seen;
		while (k < n && strcmp(p->tubes[first[k]].class, t->class) != 0)
			k++;
		if (k == DISTINCT) {
			f->unnamed++;
			continue;
		}
		if (k == n) {
			first[n] = i;
			count[n++] = 0;
		}
		count[k]++;
	}
	for (uint32_t k = 0; k < n; k++)
		put_class(f, p->tubes[first[k]].class, count[k]);
}

/* Is it a further part of an event that was counted? Parts follow closely. */
static bool is_part(const struct sluice_period *p, uint32_t i)
{
	for (uint32_t k = i; k-- > 0 && i - k <= 8;)
		if (!strcmp(p->events[k].event, p->events[i].event))
			return true;
	return false;
}

static uint32_t bucket_of(const struct sluice_period *p, int64_t at_ns)
{
	double share = (double)(at_ns - p->from_ns) / (double)(p->to_ns - p->from_ns);

	return share <= 0  ? 0
	       : share < 1 ? (uint32_t)(share * SLUICE_PERIOD_BUCKETS)
			   : SLUICE_PERIOD_BUCKETS - 1;
}

/* Parts of an event are one: it counts with what its first part is of concern for, and with what
 * only later ones are. */
static void count_concerns(const struct sluice_period *p, struct sluice_period_facts *f, uint32_t i)
{
	const struct sluice_period_event *e = &p->events[i];
	uint32_t known = 0, level = 0;
	bool part = false;

	for (uint32_t k = i; k-- > 0 && i - k <= 8;)
		if (!strcmp(p->events[k].event, e->event)) {
			known |= p->events[k].concerns;
			level = p->events[k].threat > level ? p->events[k].threat : level;
			part = true;
		}
	for (uint32_t k = 0; k < SLUICE_CONCERNS; k++)
		f->concern[k] += (e->concerns & ~known) >> k & 1;
	if (!part)
		f->at_level[e->threat]++;
	else if (e->threat > level) {
		f->at_level[level]--;
		f->at_level[e->threat]++;
	}
	if (e->threat > f->threat) {
		f->threat = e->threat;
		f->threat_ns = e->start_ns;
	}
}

void sluice_period_facts(const struct sluice_period *p, struct sluice_period_facts *f)
{
	int64_t until = p->from_ns;
	uint32_t told = 0;

	memset(f, 0, sizeof(*f));
	for (uint32_t i = 0; i < p->event_count; i++) {
		const struct sluice_period_event *e = &p->events[i];
		int64_t from = e->start_ns > until ? e->start_ns : until;
		bool part = is_part(p, i);

		if (e->nuisance) {
			f->nuisance += !part;
			continue;
		}
		if (!part)
			f->bucket[bucket_of(p, e->start_ns)]++;
		f->events += !part;
		f->objects += e->tracks;
		f->confidence += ((double)e->confidence - f->confidence) / ++told;
		f->peak = e->peak > f->peak ? e->peak : f->peak;
		count_concerns(p, f, i);
		if (e->end_ns > from)
			f->active_s += (double)(e->end_ns - from) * 1e-9;
		until = e->end_ns > until ? e->end_ns : until;
		f->first_ns = f->first_ns ? f->first_ns : e->start_ns;
		f->last_ns = e->end_ns > f->last_ns ? e->end_ns : f->last_ns;
	}
	count_classes(p, f);
	for (uint32_t i = 0; i < SLUICE_PERIOD_BUCKETS; i++)
		if (f->bucket[i] > f->bucket[f->busiest])
			f->busiest = i;
}

/* ---- words ---- */

struct writer {
	char *out;
	size_t size, used;
	bool zh;
};

static void add(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct writer *w, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(w->out + w->used, w->size - w->used, format, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < w->size - w->used)
		w->used += (size_t)n;
	else
		w->out[w->used] = 0; /* a sentence that has no room is left out whole */
}

static void clock_of(int64_t ns, const char *format, char text[32])
{
	time_t at = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, 32, format, &tm);
}

/* "2026-11-29 14:00" to "15:00"; the day is said again where it is another one. */
static void add_span(struct writer *w, int64_t from_ns, int64_t to_ns)
{
	char from[32], to[32];

	clock_of(from_ns, "%Y-%m-%d %H:%M", from);
	clock_of(to_ns, from_ns / DAY_NS == to_ns / DAY_NS ? "%H:%M" : "%Y-%m-%d %H:%M", to);
	add(w, w->zh ? "%s 至 %s (UTC)" : "%s to %s UTC", from, to);
}

static void add_seconds(struct writer *w, double s)
{
	unsigned int n = (unsigned int)(s + 0.5);

	if (n >= 3600)
		add(w, w->zh ? "%u 小时 %u 分" : "%u h %u min", n / 3600, n / 60 % 60);
	else if (n >= 60)
		add(w, w->zh ? "%u 分 %u 秒" : "%u min %u s", n / 60, n % 60);
	else
		add(w, w->zh ? "%u 秒" : "%u s", n);
}

static void add_events(struct writer *w, uint32_t n)
{
	if (w->zh)
		add(w, n ? "%u 个事件" : "没有事件", n);
	else if (n)
		add(w, n == 1 ? "%u event" : "%u events", n);
	else
		add(w, "no events");
}

static void write_title(struct writer *w, const struct sluice_period *p,
			const struct sluice_period_facts *f)
{
	add(w, w->zh ? "摄像头 %s," : "Camera %s, ", p->camera);
	add_span(w, p->from_ns, p->to_ns);
	add(w, "%s", w->zh ? ":" : ": ");
	add_events(w, f->events);
}

/* A detector's own words stay as they are. */
static const char *noun_of(const char *class, bool zh)
{
	static const char *const guessed[][2] = { { "person-like", "似人" },
						  { "vehicle-like", "似车" },
						  { "animal-like", "似动物" },
						  { "small", "小物体" },
						  { "unknown", "未知" } };

	for (size_t i = 0; zh && i < sizeof(guessed) / sizeof(guessed[0]); i++)
		if (!strcmp(class, guessed[i][0]))
			return guessed[i][1];
	return class;
}

static void add_classes(struct writer *w, const struct sluice_period_facts *f)
{
	for (uint32_t i = 0; i < f->classes; i++) {
		const struct sluice_period_class *c = &f->by_class[i];

		if (w->zh)
			add(w, "%s%s %u", i ? "、" : "(", noun_of(c->name, true), c->count);
		else
			add(w, "%s%u %s", i ? ", " : " (", c->count, c->name);
	}
	if (f->unnamed)
		add(w, w->zh ? "、其他 %u" : ", %u others", f->unnamed);
	if (f->classes)
		add(w, "%s", w->zh ? ")" : ")");
}

static void add_busiest(struct writer *w, const struct sluice_period *p,
			const struct sluice_period_facts *f)
{
	int64_t span = p->to_ns - p->from_ns;
	int64_t from = p->from_ns + span * f->busiest / SLUICE_PERIOD_BUCKETS;
	int64_t to = p->from_ns + span * (f->busiest + 1) / SLUICE_PERIOD_BUCKETS;
	const char *format = span > 2 * 3600000000000ll ? "%H:%M" : "%H:%M:%S";
	char a[32], b[32];

	clock_of(from, format, a);
	clock_of(to, format, b);
	if (w->zh)
		add(w, "%s 至 %s 最忙:", a, b);
	else
		add(w, " Busiest from %s to %s, with ", a, b);
	add_events(w, f->bucket[f->busiest]);
	add(w, "%s", w->zh ? "。" : ".");
}

static void write_text(struct writer *w, const struct sluice_period *p,
		       const struct sluice_period_facts *f)
{
	if (!f->events) {
		add(w,
		    w->zh ? "没有人或物来去;%u 次触发只是光线或杂动。"
			  : "Nothing came or went; the gate opened %u times for light or shimmer.",
		    f->nuisance);
		return;
	}
	if (w->zh) {
		add(w, "共 %u 个事件,跟踪到 %u 个目标", f->events, f->objects);
		add_classes(w, f);
		add(w, ",同时最多 %u 个,活动合计 ", f->peak);
		add_seconds(w, f->active_s);
		add(w, "。");
	} else {
		add(w,
		    f->events == 1 ? "%u event with %u followed object%s"
				   : "%u events with %u followed object%s",
		    f->events, f->objects, f->objects == 1 ? "" : "s");
		add_classes(w, f);
		add(w, ", at most %u at once, ", f->peak);
		add_seconds(w, f->active_s);
		add(w, " of activity in all.");
	}
	if (f->bucket[f->busiest] > 1)
		add_busiest(w, p, f);
}

static void add_ends(struct writer *w, const struct sluice_period_facts *f)
{
	char a[32], b[32];

	clock_of(f->first_ns, "%Y-%m-%d %H:%M:%S", a);
	clock_of(f->last_ns, "%Y-%m-%d %H:%M:%S", b);
	add(w,
	    w->zh ? "第一个事件始于 %s,最后一个止于 %s (UTC)。\n"
		  : "The first event began at %s, the last one ended at %s (UTC).\n",
	    a, b);
}

/* Of what kinds they were, how many, and since when the gravest. */
static void add_concerns(struct writer *w, const struct sluice_period_facts *f)
{
	static const char *const words[SLUICE_CONCERNS][2] = {
		{ "in a zone of concern", "进入关注区域" },
		{ "over a line of concern", "越过关注线" },
		{ "at night", "夜间出现" },
		{ "stood for a minute", "久留" },
		{ "something left", "遗留物体" },
		{ "something taken away", "物体被取走" },
		{ "camera moved", "摄像头被移动" },
		{ "running", "奔跑" },
		{ "many at once", "人或物众多" },
	};
	bool first = true;
	char at[32];

	for (uint32_t i = 0; i < SLUICE_CONCERNS; i++) {
		if (!f->concern[i])
			continue;
		add(w, "%s%s %u",
		    first   ? w->zh ? "值得关注:" : "Of concern: "
		    : w->zh ? "、"
			    : ", ",
		    words[i][w->zh], f->concern[i]);
		first = false;
	}
	if (first) {
		add(w, "%s",
		    w->zh ? "没有测到值得关注的事。\n" : "Nothing of concern was measured.\n");
		return;
	}
	if (!f->threat) {
		add(w, "%s", w->zh ? "。\n" : ".\n");
		return;
	}
	clock_of(f->threat_ns, "%Y-%m-%d %H:%M:%S", at);
	add(w,
	    w->zh ? "。级别 1 有 %u 个事件,级别 2 有 %u 个;最高级别的第一个始于 %s (UTC)。\n"
		  : ". %u events of level 1, %u of level 2; the first of the highest began at %s "
		    "(UTC).\n",
	    f->at_level[1], f->at_level[2], at);
}

/* What it does not know belongs to what it says. */
static void add_doubts(struct writer *w, const struct sluice_period *p,
		       const struct sluice_period_facts *f)
{
	if (f->nuisance)
		add(w,
		    w->zh ? "另有 %u 次触发是光线或杂动,未计入。\n"
			  : "Not counted: %u times that the gate opened for light or shimmer.\n",
		    f->nuisance);
	if (p->lost)
		add(w,
		    w->zh ? "丢失 %llu 帧,其间的事可能未见。\n"
			  : "%llu frames were lost; what happened in them may be missing.\n",
		    (unsigned long long)p->lost);
	if (p->events_untold)
		add(w,
		    w->zh ? "还有 %u 个事件因数量过多未列入。\n"
			  : "%u more events are left out: there are too many.\n",
		    p->events_untold);
	if (p->tubes_untold)
		add(w,
		    w->zh ? "还有 %u 个目标未列入(数量过多或画面尺寸不同)。\n"
			  : "%u more objects are left out: too many, or of another picture size.\n",
		    p->tubes_untold);
	if (f->seen && f->guessed)
		add(w,
		    w->zh ? "%u 个目标的类别由检测模型识别,%u "
			    "个由形状、大小与速度推测;关注事项均为推测。"
			    "\n"
			  : "What %u objects are was seen by a detector, what %u are is guessed "
			    "from "
			    "shape, size and speed, as concerns are.\n",
		    f->seen, f->guessed);
	else if (f->seen)
		add(w, "%s",
		    w->zh ? "类别由检测模型识别;关注事项由形状、大小与速度推测。\n"
			  : "Classes are what a detector saw; concerns are guessed from shape, "
			    "size "
			    "and speed.\n");
	else if (f->objects)
		add(w, "%s",
		    w->zh ? "类别与关注事项由形状、大小与速度推测,未经识别模型。\n"
			  : "Classes and concerns are guessed from shape, size and speed; no model "
			    "looked.\n");
}

static void write_report(struct writer *w, const struct sluice_period *p,
			 const struct sluice_period_facts *f, uint32_t shown, uint32_t left)
{
	write_text(w, p, f);
	add(w, "\n");
	if (f->events) {
		add_concerns(w, f);
		add_ends(w, f);
	}
	if (shown)
		add(w,
		    w->zh ? "浓缩视频中有 %u 个目标,每个都标有当时的时间;%u 个未放入。\n"
			  : "The synopsis shows %u objects, each with its own time; %u are not in "
			    "it.\n",
		    shown, left);
	if (p->seen)
		add(w,
		    w->zh ? "摄像头共 %llu 帧,其中 %llu 帧传出。\n"
			  : "The camera delivered %llu frames, of which %llu were passed on.\n",
		    (unsigned long long)p->seen, (unsigned long long)p->passed);
	add_doubts(w, p, f);
}

void sluice_period_words(const struct sluice_period *p, const struct sluice_period_facts *f,
			 uint32_t shown, uint32_t left, enum sluice_period_language language,
			 struct sluice_period_text *out)
{
	struct writer w = { out->title, sizeof(out->title), 0, language == SLUICE_PERIOD_ZH };

	memset(out, 0, sizeof(*out));
	write_title(&w, p, f);
	w = (struct writer){ out->text, sizeof(out->text), 0, w.zh };
	write_text(&w, p, f);
	w = (struct writer){ out->report, sizeof(out->report), 0, w.zh };
	write_report(&w, p, f, shown, left);
}
