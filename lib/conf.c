// SPDX-License-Identifier: MIT
/*
 * Entries (conf_parse.c makes them) remember their line and whether anybody asked for them. Nothing
 * is interpreted before a getter names its type, so an error can always tell line, key and what was
 * expected.
 */
#include "lib/conf_state.h"
#include "lib/near.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conf_error_at(struct sluice_conf *c, const char *where, const char *format, va_list ap)
{
	int n;

	if (c->error[0])
		return;
	n = snprintf(c->error, sizeof(c->error), "%s: ", where);
	if (n < 0 || (size_t)n >= sizeof(c->error))
		return;
	vsnprintf(c->error + n, sizeof(c->error) - (size_t)n, format, ap);
}

/* What is wrong with a value. */
__attribute__((format(printf, 3, 4))) static void blame(struct sluice_conf *c,
							const struct conf_entry *e,
							const char *format, ...)
{
	char where[192];
	va_list ap;

	if (e->own)
		snprintf(where, sizeof(where), "%s", e->own);
	else
		snprintf(where, sizeof(where), "%s:%u", c->name, e->line);
	va_start(ap, format);
	conf_error_at(c, where, format, ap);
	va_end(ap);
}

struct conf_entry *conf_add(struct sluice_conf *c)
{
	struct conf_entry *e;

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
	struct conf_known *k;

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

static struct conf_entry *find_entry(struct sluice_conf *c, const char *section, const char *key)
{
	struct conf_entry *found = NULL;

	if (!c)
		return NULL;
	remember(c, section, key);
	for (size_t i = 0; i < c->count; i++) {
		struct conf_entry *e = &c->entry[i];

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
	struct conf_entry *e = find_entry(c, section, key);

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
	struct conf_entry *e = find_entry(c, section, key);
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
	struct conf_entry *e = find_entry(c, section, key);

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
	struct conf_entry *e = find_entry(c, section, key);
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
		struct conf_entry *e = &c->entry[*at];

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
	struct conf_entry *e;
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
	e = conf_add(c);
	if (!e) {
		free(own);
		return -ENOMEM;
	}
	*e = (struct conf_entry){
		.section = text[1], .key = text[2], .value = text[3], .own = own
	};
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
static const struct conf_known *find_meant(const struct sluice_conf *c, const struct conf_entry *e)
{
	const struct conf_known *best = NULL;
	unsigned int least = 99;

	for (size_t i = 0; i < c->known_count; i++) {
		const struct conf_known *k = &c->known[i];
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

static void blame_unknown(struct sluice_conf *c, const struct conf_entry *e)
{
	const struct conf_known *k = find_meant(c, e);
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
