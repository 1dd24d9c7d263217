// SPDX-License-Identifier: MIT
/*
 * The file is read whole, cut into entries in place, and the entries remember their line and
 * whether anybody asked for them. Nothing is interpreted before a getter names its type, so an
 * error can always tell line, key and what was expected.
 */
#include "lib/conf.h"
#include "lib/near.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  (1u << 20)
#define ENTRY_MAX 4096u
#define KNOWN_MAX 256u /* keys remembered for hints; more are read just as well */

struct entry {
	const char *section, *key, *value;
	uint32_t line;
	bool asked;
	char *own; /* of sluice_conf_set(): where it comes from, then the three texts; or NULL */
};

/* A key that a getter asked for. */
struct known {
	char section[32], key[32];
};

struct sluice_conf {
	char *name;
	char *text;
	size_t size;
	struct entry *entry;
	size_t count;
	struct known *known; /* KNOWN_MAX of them, or NULL */
	size_t known_count;
	char error[256];
};

__attribute__((format(printf, 3, 0))) static void set_error_at(struct sluice_conf *c,
							       const char *where,
							       const char *format, va_list ap)
{
	int n;

	if (c->error[0])
		return;
	n = snprintf(c->error, sizeof(c->error), "%s: ", where);
	if (n < 0 || (size_t)n >= sizeof(c->error))
		return;
	vsnprintf(c->error + n, sizeof(c->error) - (size_t)n, format, ap);
}

__attribute__((format(printf, 3, 4))) static void set_error(struct sluice_conf *c, uint32_t line,
							    const char *format, ...)
{
	char where[192];
	va_list ap;

	snprintf(where, sizeof(where), "%s:%u", c->name, line);
	va_start(ap, format);
	set_error_at(c, where, format, ap);
	va_end(ap);
}

/* The same about a value. */
__attribute__((format(printf, 3, 4))) static void blame(struct sluice_conf *c,
							const struct entry *e, const char *format,
							...)
{
	char where[192];
	va_list ap;

	if (e->own)
		snprintf(where, sizeof(where), "%s", e->own);
	else
		snprintf(where, sizeof(where), "%s:%u", c->name, e->line);
	va_start(ap, format);
	set_error_at(c, where, format, ap);
	va_end(ap);
}

static char *trim(char *s)
{
	char *end;

	while (*s == ' ' || *s == '\t')
		s++;
	end = s + strlen(s);
	while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		*--end = 0;
	return s;
}

static bool name_ok(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_-.: ", *s))
			return false;
	return true;
}

/* Removes quotes in place. */
static int unquote(char *s)
{
	char *out = s, *p = s;

	if (*p != '"')
		return 0;
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*out++ = *p;
	}
	if (*p != '"' || p[1])
		return -EINVAL;
	*out = 0;
	return 0;
}

static struct entry *new_entry(struct sluice_conf *c)
{
	struct entry *e;

	if (c->count % 64 == 0) {
		e = realloc(c->entry, (c->count + 64) * sizeof(*e));
		if (!e)
			return NULL;
		c->entry = e;
	}
	e = &c->entry[c->count++];
	memset(e, 0, sizeof(*e));
	return e;
}

static int add_entry(struct sluice_conf *c, const char *section, char *line, uint32_t number)
{
	char *eq = strchr(line, '=');
	struct entry *e;
	char *key, *value;

	if (!eq) {
		set_error(c, number, "expected 'key = value' or '[section]'");
		return -EINVAL;
	}
	*eq = 0;
	key = trim(line);
	value = trim(eq + 1);
	if (!name_ok(key)) {
		set_error(c, number, "'%s' is not a key", key);
		return -EINVAL;
	}
	if (unquote(value)) {
		set_error(c, number, "quotes of '%s' do not match", key);
		return -EINVAL;
	}
	if (c->count == ENTRY_MAX) {
		set_error(c, number, "more than %u keys", ENTRY_MAX);
		return -EINVAL;
	}
	e = new_entry(c);
	if (!e)
		return -ENOMEM;
	*e = (struct entry){ .section = section, .key = key, .value = value, .line = number };
	return 0;
}

static int parse_line(struct sluice_conf *c, const char **section, char *line, uint32_t number)
{
	size_t n;

	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (*line != '[')
		return add_entry(c, *section, line, number);
	n = strlen(line);
	if (n < 3 || line[n - 1] != ']') {
		set_error(c, number, "a section is written [name]");
		return -EINVAL;
	}
	line[n - 1] = 0;
	*section = trim(line + 1);
	if (!name_ok(*section)) {
		set_error(c, number, "'%s' is not a section name", *section);
		return -EINVAL;
	}
	return 0;
}

static int parse_text(struct sluice_conf *c)
{
	const char *section = "";
	uint32_t number = 0;
	char *next;

	for (char *line = c->text; line; line = next) {
		char *end = strchr(line, '\n');
		int err;

		number++;
		next = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		err = parse_line(c, &section, line, number);
		if (err)
			return err;
	}
	return 0;
}

struct sluice_conf *sluice_conf_parse(const char *name, const char *text, size_t size, int *err,
				      char *why, size_t why_size)
{
	struct sluice_conf *c = calloc(1, sizeof(*c));

	*err = -ENOMEM;
	snprintf(why, why_size, "%s: out of memory", name);
	if (!c)
		return NULL;
	c->name = strdup(name);
	c->text = malloc(size + 1);
	if (!c->name || !c->text)
		goto fail;
	memcpy(c->text, text, size);
	c->text[size] = 0;
	if (strlen(c->text) != size) {
		*err = -EINVAL;
		snprintf(why, why_size, "%s: not a text file", name);
		goto fail;
	}
	*err = parse_text(c);
	if (*err) {
		if (c->error[0])
			snprintf(why, why_size, "%s", c->error);
		goto fail;
	}
	why[0] = 0;
	return c;
fail:
	sluice_conf_close(c);
	return NULL;
}

struct sluice_conf *sluice_conf_open(const char *path, int *err, char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct sluice_conf *c = NULL;
	struct stat st;
	char *text = NULL;
	size_t have = 0;

	if (fd < 0 || fstat(fd, &st)) {
		*err = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		*err = S_ISREG(st.st_mode) ? -EFBIG : -EINVAL;
		goto out;
	}
	text = malloc((size_t)st.st_size + 1);
	*err = text ? 0 : -ENOMEM;
	while (!*err && have < (size_t)st.st_size) {
		ssize_t n = read(fd, text + have, (size_t)st.st_size - have);

		if (n < 0 && errno != EINTR)
			*err = -errno;
		else if (n == 0)
			break;
		else if (n > 0)
			have += (size_t)n;
	}
out:
	if (fd >= 0)
		close(fd);
	if (*err)
		snprintf(why, why_size, "cannot read %s: %s", path, strerror(-*err));
	else
		c = sluice_conf_parse(path, text, have, err, why, why_size);
	free(text);
	return c;
}

void sluice_conf_close(struct sluice_conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		free(c->entry[i].own);
	free(c->entry);
	free(c->known);
	free(c->text);
	free(c->name);
	free(c);
}

/* Without memory there are no hints. */
static void remember(struct sluice_conf *c, const char *section, const char *key)
{
	struct known *k;

	if (!c->known)
		c->known = calloc(KNOWN_MAX, sizeof(*c->known));
	if (!c->known || c->known_count == KNOWN_MAX || strlen(section) >= sizeof(k->section) ||
	    strlen(key) >= sizeof(k->key))
		return;
	for (size_t i = 0; i < c->known_count; i++)
		if (!strcmp(c->known[i].section, section) && !strcmp(c->known[i].key, key))
			return;
	k = &c->known[c->known_count++];
	snprintf(k->section, sizeof(k->section), "%s", section);
	snprintf(k->key, sizeof(k->key), "%s", key);
}

static struct entry *find_entry(struct sluice_conf *c, const char *section, const char *key)
{
	struct entry *found = NULL;

	if (!c)
		return NULL;
	remember(c, section, key);
	for (size_t i = 0; i < c->count; i++) {
		struct entry *e = &c->entry[i];

		if (strcmp(e->section, section) || strcmp(e->key, key))
			continue;
		e->asked = true;
		if (found)
			blame(c, e, "'%s' was already given in line %u", key, found->line);
		else
			found = e;
	}
	return found;
}

const char *sluice_conf_text(struct sluice_conf *c, const char *section, const char *key,
			     const char *fallback)
{
	struct entry *e = find_entry(c, section, key);

	return e ? e->value : fallback;
}

/* A decimal number and its unit, which is left in *unit. */
static bool read_number(const char *s, int64_t *value, const char **unit)
{
	char *end;

	errno = 0;
	*value = strtoll(s, &end, 10);
	if (end == s || errno || isspace((unsigned char)*s))
		return false;
	while (*end == ' ')
		end++;
	*unit = end;
	return true;
}

int64_t sluice_conf_int(struct sluice_conf *c, const char *section, const char *key,
			int64_t fallback, int64_t min, int64_t max)
{
	struct entry *e = find_entry(c, section, key);
	const char *unit;
	int64_t v;

	if (!e)
		return fallback;
	if (read_number(e->value, &v, &unit) && !*unit && v >= min && v <= max)
		return v;
	blame(c, e, "'%s' must be a number from %lld to %lld, not '%s'", key, (long long)min,
	      (long long)max, e->value);
	return fallback;
}

bool sluice_conf_bool(struct sluice_conf *c, const char *section, const char *key, bool fallback)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
	struct entry *e = find_entry(c, section, key);

	if (!e)
		return fallback;
	for (unsigned int i = 0; i < 8; i++)
		if (!strcmp(e->value, words[i]))
			return i & 1;
	blame(c, e, "'%s' must be yes or no, not '%s'", key, e->value);
	return fallback;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static uint64_t get_unit(struct sluice_conf *c, const char *section, const char *key,
			 uint64_t fallback, uint64_t min, uint64_t max, const struct unit *units,
			 const char *what)
{
	struct entry *e = find_entry(c, section, key);
	const char *unit;
	int64_t v;

	if (!e)
		return fallback;
	if (!read_number(e->value, &v, &unit) || v < 0)
		goto bad;
	for (; units->name; units++) {
		uint64_t scaled;

		if (strcmp(unit, units->name))
			continue;
		if (__builtin_mul_overflow((uint64_t)v, units->factor, &scaled) || scaled < min ||
		    scaled > max)
			goto bad;
		return scaled;
	}
bad:
	blame(c, e, "'%s' must be %s (%llu to %llu), not '%s'", key, what, (unsigned long long)min,
	      (unsigned long long)max, e->value);
	return fallback;
}

uint64_t sluice_conf_size(struct sluice_conf *c, const char *section, const char *key,
			  uint64_t fallback, uint64_t min, uint64_t max)
{
	static const struct unit units[] = { { "", 1 },		  { "K", 1ull << 10 },
					     { "M", 1ull << 20 }, { "G", 1ull << 30 },
					     { "T", 1ull << 40 }, { NULL, 0 } };

	return get_unit(c, section, key, fallback, min, max, units, "bytes, with K, M, G or T");
}

uint64_t sluice_conf_ms(struct sluice_conf *c, const char *section, const char *key,
			uint64_t fallback, uint64_t min, uint64_t max)
{
	static const struct unit units[] = { { "", 1000 },   { "ms", 1 },      { "s", 1000 },
					     { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
					     { NULL, 0 } };

	return get_unit(c, section, key, fallback, min, max, units,
			"a time with ms, s, m, h or d, in milliseconds");
}

const char *sluice_conf_next(struct sluice_conf *c, const char *section, const char *key,
			     size_t *at)
{
	if (c)
		remember(c, section, key);
	for (; c && *at < c->count; (*at)++) {
		struct entry *e = &c->entry[*at];

		if (strcmp(e->section, section) || strcmp(e->key, key))
			continue;
		e->asked = true;
		(*at)++;
		return e->value;
	}
	return NULL;
}

bool sluice_conf_has(const struct sluice_conf *c, const char *section, const char *key)
{
	for (size_t i = 0; c && i < c->count; i++)
		if (!strcmp(c->entry[i].section, section) && !strcmp(c->entry[i].key, key))
			return true;
	return false;
}

int sluice_conf_set(struct sluice_conf *c, const char *where, const char *section, const char *key,
		    const char *value)
{
	const char *text[4] = { where, section, key, value };
	size_t size = 0, at = 0, left = 0;
	struct entry *e;
	char *own;

	for (int i = 0; i < 4; i++)
		size += strlen(text[i]) + 1;
	own = malloc(size);
	if (!own)
		return -ENOMEM;
	for (int i = 0; i < 4; i++) {
		size_t n = strlen(text[i]) + 1;

		memcpy(own + at, text[i], n);
		text[i] = own + at;
		at += n;
	}
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->entry[i].section, section) || strcmp(c->entry[i].key, key))
			c->entry[left++] = c->entry[i];
		else
			free(c->entry[i].own);
	}
	c->count = left;
	e = new_entry(c);
	if (!e) {
		free(own);
		return -ENOMEM;
	}
	*e = (struct entry){ .section = text[1], .key = text[2], .value = text[3], .own = own };
	return 0;
}

const char *sluice_conf_section(struct sluice_conf *c, size_t index)
{
	for (size_t i = 0; c && i < c->count; i++) {
		bool first = *c->entry[i].section != 0;

		for (size_t j = 0; first && j < i; j++)
			first = strcmp(c->entry[i].section, c->entry[j].section) != 0;
		if (first && !index--)
			return c->entry[i].section;
	}
	return NULL;
}

/* The key that was most likely meant: one like it in its section, or the same in another one. */
static const struct known *find_meant(const struct sluice_conf *c, const struct entry *e)
{
	const struct known *best = NULL;
	unsigned int least = 99;

	for (size_t i = 0; i < c->known_count; i++) {
		const struct known *k = &c->known[i];
		unsigned int far = sluice_near_distance(e->key, k->key);

		if (far && !sluice_near(e->key, k->key))
			continue;
		if (strcmp(k->section, e->section)) {
			if (far && !sluice_near(e->section, k->section))
				continue;
			far += sluice_near(e->section, k->section) ? 1 : 2;
		}
		if (far >= least)
			continue;
		least = far;
		best = k;
	}
	return best;
}

static void blame_unknown(struct sluice_conf *c, const struct entry *e)
{
	const struct known *k = find_meant(c, e);
	char where[64] = "before the first section", hint[96] = "";

	if (*e->section)
		snprintf(where, sizeof(where), "in [%.50s]", e->section);
	if (k && !strcmp(k->section, e->section))
		snprintf(hint, sizeof(hint), "; did you mean '%s'?", k->key);
	else if (k)
		snprintf(hint, sizeof(hint), "; did you mean '%s' in [%s]?", k->key, k->section);
	blame(c, e, "unknown key '%.64s' %s%s", e->key, where, hint);
}

int sluice_conf_finish(struct sluice_conf *c)
{
	if (!c)
		return 0;
	for (size_t i = 0; i < c->count; i++)
		if (!c->entry[i].asked)
			blame_unknown(c, &c->entry[i]);
	return c->error[0] ? -EINVAL : 0;
}

const char *sluice_conf_error(const struct sluice_conf *c)
{
	return c ? c->error : "";
}
