// SPDX-License-Identifier: MIT
/*
 * One line, one write(2). What comes from a peer may be in a line, so control characters never
 * reach the terminal: in text they become '?', in JSON they are escaped. If stderr is gone or full
 * the line is lost: logging never stops the program.
 *
 * The same line again and again tells nothing new: after REPEATS of them within REPEAT_NS the rest
 * is withheld, and the next other line (or the same one later) is preceded by their number.
 */
#include "lib/log.h"
#include "lib/log_ring.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REPEATS	  3
#define REPEAT_NS 30000000000ull

static struct {
	pthread_mutex_t lock;
	char text[SLUICE_LOG_LINE];
	enum sluice_log_level level;
	uint64_t since_ns;
	uint32_t count, withheld;
} last = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
	const char *program;
	enum sluice_log_level max;
	bool json, journal;
} conf = { "sluice", SLUICE_LOG_INFO, false, false };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* Is standard error the stream that systemd opened for us? (systemd.exec(5), JOURNAL_STREAM) */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char name[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return !strcmp(name, stream);
}

void sluice_log_level(enum sluice_log_level max)
{
	conf.max = max;
}

void sluice_log_setup(const char *program, enum sluice_log_level max, bool json)
{
	conf.program = program;
	conf.max = max;
	conf.json = json;
	conf.journal = is_journal();
}

bool sluice_log_on(enum sluice_log_level level)
{
	return level <= conf.max;
}

/* Returns bytes written to out, never more than size - 8. */
static size_t escape_json(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p && n + 16 < size; p++) {
		if (*p == '"' || *p == '\\') {
			out[n++] = '\\';
			out[n++] = (char)*p;
		} else if (*p < 0x20 || *p == 0x7f) {
			n += (size_t)snprintf(out + n, size - n, "\\u%04x", *p);
		} else {
			out[n++] = (char)*p;
		}
	}
	return n;
}

static size_t format_json(char *line, size_t size, enum sluice_log_level level, const char *text)
{
	struct timespec ts;
	struct tm tm;
	char date[32];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	n = (size_t)snprintf(line, size,
			     "{\"time\":\"%s.%03ldZ\",\"program\":\"%s\",\"level\":\"%s\","
			     "\"text\":\"",
			     date, ts.tv_nsec / 1000000, conf.program, level_names[level]);
	n += escape_json(line + n, size - n - 4, text);
	line[n++] = '"';
	line[n++] = '}';
	line[n++] = '\n';
	return n;
}

static size_t format_text(char *line, size_t size, enum sluice_log_level level, const char *text)
{
	static const int priority[] = { 3, 4, 6, 7 };
	int n = conf.journal ? snprintf(line, size - 1, "<%d>%s", priority[level], text)
			     : snprintf(line, size - 1, "%s: %s%s%s", conf.program,
					level == SLUICE_LOG_INFO ? "" : level_names[level],
					level == SLUICE_LOG_INFO ? "" : ": ", text);
	size_t len = n < 0 ? 0 : (size_t)n < size - 1 ? (size_t)n : size - 2;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	return len;
}

static void write_line(enum sluice_log_level level, const char *text)
{
	char line[SLUICE_LOG_LINE];
	size_t n = conf.json ? format_json(line, sizeof(line), level, text)
			     : format_text(line, sizeof(line), level, text);
	ssize_t written = write(STDERR_FILENO, line, n);
	struct timespec ts;

	(void)written;
	clock_gettime(CLOCK_REALTIME, &ts);
	sluice_log_ring_put(level, (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec, text);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* False: one too many of the same. */
static bool is_news(enum sluice_log_level level, const char *text)
{
	uint64_t now = now_ns();
	char note[64];
	uint32_t withheld;
	bool same, news;

	pthread_mutex_lock(&last.lock);
	same = level == last.level && !strncmp(text, last.text, sizeof(last.text) - 1) &&
	       now - last.since_ns < REPEAT_NS;
	withheld = same ? 0 : last.withheld;
	if (!same) {
		snprintf(last.text, sizeof(last.text), "%s", text);
		last.level = level;
		last.since_ns = now;
		last.count = last.withheld = 0;
	}
	news = last.count < REPEATS;
	if (news)
		last.count++;
	else
		last.withheld++;
	pthread_mutex_unlock(&last.lock);
	if (withheld) {
		snprintf(note, sizeof(note), "(the line before came %u more times)", withheld);
		write_line(SLUICE_LOG_INFO, note);
	}
	return news;
}

__attribute__((format(printf, 2, 0))) static void log_va(enum sluice_log_level level,
							 const char *format, va_list ap)
{
	char text[SLUICE_LOG_LINE];

	vsnprintf(text, sizeof(text), format, ap);
	if (level == SLUICE_LOG_DEBUG || is_news(level, text))
		write_line(level, text);
}

void sluice_log(enum sluice_log_level level, const char *format, ...)
{
	va_list ap;

	if (!sluice_log_on(level))
		return;
	va_start(ap, format);
	log_va(level, format, ap);
	va_end(ap);
}

void sluice_log_limited(struct sluice_log_limit *limit, enum sluice_log_level level,
			const char *format, ...)
{
	uint64_t now;
	va_list ap;

	if (!sluice_log_on(level))
		return;
	now = now_ns();
	if (!limit->window_ns || now - limit->window_ns >= limit->interval_ms * 1000000ull) {
		if (limit->withheld)
			sluice_log(level, "(%u more lines like the next were withheld)",
				   limit->withheld);
		limit->window_ns = now;
		limit->used = 0;
		limit->withheld = 0;
	}
	if (limit->used >= limit->burst) {
		limit->withheld++;
		return;
	}
	limit->used++;
	va_start(ap, format);
	log_va(level, format, ap);
	va_end(ap);
}
