// SPDX-License-Identifier: MIT
/*
 * conf.c - the table of cloud.conf's keys, and how it is filled.
 *
 * All four sources are put into one lib/conf, weakest first, and then read by the table: so a
 * variable or an option obeys the same types and bounds as the file, and a wrong one is told by its
 * own name. A variable SLUICE_CLOUD_* that names no key is an error, as an unknown key in the file.
 */
#include "cloud/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/log.h"

#define PREFIX "SLUICE_CLOUD_"

extern char **environ;

enum type {
	TEXT, /* const char * */
	BOOL, /* bool */
	INT,  /* unsigned int */
	SIZE, /* uint64_t, bytes */
	MS,   /* uint64_t, milliseconds */
	WORD, /* unsigned int: which of words */
};

struct key {
	const char *section, *key;
	enum type type;
	size_t at;
	const char *fallback;
	uint64_t min, max;
	const char *words; /* of WORD: "one two three" */
	bool reload;	   /* taken over by SIGHUP */
};

#define K   1024ull
#define DAY 86400000ull

/* section, key, member of that section, type, default; then, as it needs: */
#define KEY(s, k, m, t, f, ...)                                            \
	{                                                                  \
		.section = #s, .key = #k, .type = t, .fallback = f,        \
		.at = offsetof(struct sluice_cloud_conf, s.m), __VA_ARGS__ \
	}
#define BOUNDS(least, most) .min = least, .max = most
#define WORDS(list)	    .words = list
#define RELOAD		    .reload = true

static const struct key keys[] = {
	KEY(server, data, data, TEXT, ""),
	KEY(server, listen, listen, TEXT, ""),
	KEY(server, port_file, port_file, TEXT, ""),
	KEY(server, drain, drain_ms, MS, "20s", BOUNDS(0, 600000), RELOAD),
	KEY(server, loops, loops, INT, "0", BOUNDS(0, 64)),
	KEY(server, role, role, WORD, "all", WORDS("all ingest worker api")),
	KEY(server, node, node, TEXT, ""),
	KEY(bus, backend, backend, WORD, "local", WORDS("local nats")),
	KEY(bus, urls, urls, TEXT, ""),
	KEY(bus, ca, ca, TEXT, ""),
	KEY(bus, certificate, certificate, TEXT, ""),
	KEY(bus, key, key, TEXT, ""),
	KEY(bus, partitions, partitions, INT, "16", BOUNDS(1, 64)),
	KEY(bus, lease, lease_ms, MS, "4s", BOUNDS(1000, 600000)),
	KEY(limits, connections, connections, INT, "10000", BOUNDS(1, 1000000)),
	KEY(limits, connections_per_address, connections_per_address, INT, "1000",
	    BOUNDS(1, 1000000)),
	KEY(limits, connections_per_device, connections_per_device, INT, "4", BOUNDS(2, 1000),
	    RELOAD),
	KEY(limits, rate, rate, INT, "100", BOUNDS(1, 1000000)),
	KEY(limits, burst, burst, INT, "400", BOUNDS(1, 1000000)),
	KEY(limits, half_open, half_open, INT, "512", BOUNDS(1, 1000000)),
	KEY(limits, handshake, handshake_ms, MS, "10s", BOUNDS(100, 600000), RELOAD),
	KEY(limits, request, request_ms, MS, "10s", BOUNDS(100, 600000)),
	KEY(limits, idle, idle_ms, MS, "60s", BOUNDS(1000, 3600000)),
	KEY(limits, credit, credit, SIZE, "8M", BOUNDS(64 * K, K *K *K), RELOAD),
	KEY(limits, frames, frames, INT, "600", BOUNDS(1, 1000000)),
	KEY(limits, bytes, bytes, SIZE, "64M", BOUNDS(64 * K, K *K *K)),
	KEY(limits, control, control, INT, "200", BOUNDS(20, 1000000)),
	KEY(limits, cameras, cameras, INT, "16", BOUNDS(1, 16), RELOAD),
	KEY(proxy, listen, listen, TEXT, ""),
	KEY(proxy, terminated, terminated, TEXT, ""),
	KEY(proxy, from, from, TEXT, ""),
	KEY(proxy, certificate, certificate, TEXT, ""),
	KEY(auth, device_life, device_life_ms, MS, "90d", BOUNDS(10000, 825 * DAY)),
	KEY(auth, session_idle, session_idle_ms, MS, "8h", BOUNDS(60000, 30 * DAY)),
	KEY(auth, session_life, session_life_ms, MS, "7d", BOUNDS(60000, 365 * DAY)),
	KEY(auth, tries, tries, INT, "4", BOUNDS(1, 1000)),
	KEY(auth, lockout, lockout_ms, MS, "15m", BOUNDS(1000, DAY)),
	KEY(auth, scrypt_cost, scrypt_cost, INT, "15", BOUNDS(14, 17)),
	KEY(auth, totp, totp, WORD, "optional", WORDS("optional admin operator all"), RELOAD),
	KEY(retention, events, events_ms, MS, "10d", BOUNDS(0, 3650 * DAY)),
	KEY(retention, summaries, summaries_ms, MS, "30d", BOUNDS(0, 3650 * DAY)),
	KEY(retention, max_size, max_size, SIZE, "0", BOUNDS(0, 1ull << 50)),
	KEY(retention, keep_free, keep_free, SIZE, "0", BOUNDS(0, 1ull << 50)),
	KEY(index, backend, backend, WORD, "sqlite", WORDS("sqlite postgresql")),
	KEY(index, host, host, TEXT, "localhost"),
	KEY(index, port, port, INT, "5432", BOUNDS(1, 65535)),
	KEY(index, database, database, TEXT, "sluice"),
	KEY(index, schema, schema, TEXT, "sluice"),
	KEY(index, user, user, TEXT, "sluice"),
	KEY(index, password_file, password_file, TEXT, ""),
	KEY(index, sslmode, sslmode, TEXT, ""),
	KEY(index, ca, ca, TEXT, ""),
	KEY(index, certificate, certificate, TEXT, ""),
	KEY(index, key, key, TEXT, ""),
	KEY(index, timeout, timeout_ms, MS, "30s", BOUNDS(1000, 600000)),
	KEY(media, backend, backend, WORD, "directory", WORDS("directory s3")),
	KEY(media, endpoint, endpoint, TEXT, ""),
	KEY(media, region, region, TEXT, "us-east-1"),
	KEY(media, bucket, bucket, TEXT, ""),
	KEY(media, prefix, prefix, TEXT, "media"),
	KEY(media, key_id_file, key_id_file, TEXT, ""),
	KEY(media, secret_file, secret_file, TEXT, ""),
	KEY(media, ca, ca, TEXT, ""),
	KEY(media, timeout, timeout_ms, MS, "30s", BOUNDS(1000, 600000)),
	KEY(media, segments, segments, WORD, "directory", WORDS("directory bucket")),
	KEY(media, group, group_ms, MS, "2s", BOUNDS(50, 10000)),
	KEY(media, group_size, group_size, SIZE, "1M", BOUNDS(16 * K, 8 * K * K)),
	KEY(encryption, key_file, key_file, TEXT, ""),
	KEY(encryption, key_command, key_command, TEXT, ""),
	KEY(encryption, old_key_file, old_key_file, TEXT, ""),
	KEY(encryption, old_key_command, old_key_command, TEXT, ""),
	KEY(digests, enabled, enabled, BOOL, "no"),
	KEY(digests, h264, h264, TEXT, ""),
	KEY(periods, hour, hour, BOOL, "no"),
	KEY(periods, day, day, BOOL, "no"),
	KEY(periods, wait, wait_ms, MS, "10m", BOUNDS(0, DAY)),
	KEY(periods, seconds, seconds, INT, "60", BOUNDS(5, 600)),
	KEY(periods, language, language, WORD, "en", WORDS("en zh")),
	KEY(retune, mode, mode, WORD, "propose", WORDS("off propose apply")),
	KEY(retune, least, least, INT, "50", BOUNDS(7, 100)),
	KEY(retune, most, most, INT, "300", BOUNDS(100, 1500)),
	KEY(jobs, at_once, at_once, INT, "1", BOUNDS(1, 16)),
	KEY(vision, enabled, enabled, BOOL, "no"),
	KEY(vision, url, url, TEXT, ""),
	KEY(vision, model, model, TEXT, ""),
	KEY(vision, key_file, key_file, TEXT, ""),
	KEY(vision, ca, ca, TEXT, ""),
	KEY(vision, plain_http, plain_http, BOOL, "no"),
	KEY(vision, cameras, cameras, TEXT, ""),
	KEY(vision, language, language, WORD, "en", WORDS("en zh")),
	KEY(vision, format, format, WORD, "json_schema", WORDS("json_schema json_object none")),
	KEY(vision, timeout, timeout_ms, MS, "60s", BOUNDS(1000, 600000)),
	KEY(vision, answer_tokens, answer_tokens, INT, "600", BOUNDS(100, 8000)),
	KEY(vision, pictures, pictures, INT, "3", BOUNDS(1, 4)),
	KEY(vision, side, side, INT, "512", BOUNDS(64, 512)),
	KEY(vision, threat, threat, INT, "0", BOUNDS(0, 2)),
	KEY(vision, calls_per_hour, calls_per_hour, INT, "30", BOUNDS(1, 100000)),
	KEY(vision, calls_per_day, calls_per_day, INT, "200", BOUNDS(1, 1000000)),
	KEY(vision, money_per_day, money_per_day, TEXT, ""),
	KEY(vision, price_in, price_in, TEXT, "0"),
	KEY(vision, price_out, price_out, TEXT, "0"),
	KEY(sandbox, enabled, enabled, BOOL, "yes"),
	KEY(sandbox, children, children, INT, "0", BOUNDS(0, 64)),
	KEY(sandbox, memory, memory, SIZE, "3G", BOUNDS(64 * K * K, 64 * K * K * K)),
	KEY(sandbox, deadline, deadline_ms, MS, "60s", BOUNDS(1000, 3600000)),
	KEY(detector, plugin, plugin, TEXT, ""),
	KEY(detector, config, config, TEXT, ""),
	KEY(detector, min_score, min_score, INT, "40", BOUNDS(0, 100)),
	KEY(detector, deadline, deadline_ms, MS, "1s", BOUNDS(100, 1500)),
	KEY(detector, memory, memory, SIZE, "2G", BOUNDS(64 * K * K, 64 * K * K * K)),
	KEY(log, level, level, WORD, "info", WORDS("error warning info debug"), RELOAD),
	KEY(log, format, format, WORD, "text", WORDS("text json")),
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))
_Static_assert(KEYS <= SLUICE_CLOUD_CONF_KEYS, "origin[] is too small");

static const struct key *find_key(const char *section, const char *key)
{
	for (size_t i = 0; i < KEYS; i++)
		if (!strcmp(keys[i].section, section) && !strcmp(keys[i].key, key))
			return &keys[i];
	return NULL;
}

/* ---- the sources ---- */

static void variable_of(const struct key *k, char *name, size_t size)
{
	snprintf(name, size, PREFIX "%s_%s", k->section, k->key);
	for (; *name; name++)
		*name = (char)toupper((unsigned char)*name);
}

/* "NAME=value": the key it stands for, NULL: none. */
static const struct key *key_of_variable(const char *entry)
{
	char name[80];

	for (size_t i = 0; i < KEYS; i++) {
		size_t n;

		variable_of(&keys[i], name, sizeof(name));
		n = strlen(name);
		if (!strncmp(entry, name, n) && entry[n] == '=')
			return &keys[i];
	}
	return NULL;
}

static int put(struct sluice_cloud_conf *c, const char *where, const struct key *k,
	       const char *value, enum sluice_conf_origin origin)
{
	c->origin[k - keys] = (uint8_t)origin;
	return sluice_conf_set(c->file, where, k->section, k->key, value);
}

static int put_defaults(struct sluice_cloud_conf *c)
{
	int err = 0;

	for (size_t i = 0; i < KEYS && !err; i++) {
		if (sluice_conf_has(c->file, keys[i].section, keys[i].key))
			c->origin[i] = SLUICE_CONF_FILE;
		else
			err = put(c, "default", &keys[i], keys[i].fallback, SLUICE_CONF_DEFAULT);
	}
	return err;
}

static int put_environment(struct sluice_cloud_conf *c, char *why, size_t why_size)
{
	int err = 0;

	for (char **e = environ; *e && !err; e++) {
		const struct key *k;
		char name[80];

		if (strncmp(*e, PREFIX, strlen(PREFIX)))
			continue;
		k = key_of_variable(*e);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*e, "="), *e);
		if (!k) {
			snprintf(why, why_size,
				 "the variable %s names no key of cloud.conf; see cloud.conf(5)",
				 name);
			return -EINVAL;
		}
		err = put(c, name, k, strchr(*e, '=') + 1, SLUICE_CONF_ENVIRONMENT);
	}
	return err;
}

static int put_options(struct sluice_cloud_conf *c, const struct sluice_conf_said *said,
		       size_t count, char *why, size_t why_size)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		const struct key *k = find_key(said[i].section, said[i].key);

		if (!k) {
			snprintf(why, why_size,
				 "%s: there is no key '%s' in [%s]; see cloud.conf(5)",
				 said[i].option, said[i].key, said[i].section);
			return -EINVAL;
		}
		err = put(c, said[i].option, k, said[i].value, SLUICE_CONF_OPTION);
	}
	return err;
}

/* ---- the values ---- */

static unsigned int find_word(const char *words, const char *word)
{
	unsigned int at = 0;
	size_t n;

	for (; *words; words += n, words += strspn(words, " "), at++) {
		n = strcspn(words, " ");
		if (strlen(word) == n && !strncmp(words, word, n))
			return at;
	}
	return UINT32_MAX;
}

/* 0, or -EINVAL with why for a word that is none; other mistakes lib/conf remembers. */
static int take_value(struct sluice_cloud_conf *c, const struct key *k, char *why, size_t why_size)
{
	struct sluice_conf *f = c->file;
	void *at = (char *)c + k->at;
	const char *text;

	switch (k->type) {
	case TEXT:
		*(const char **)at = sluice_conf_text(f, k->section, k->key, "");
		break;
	case BOOL:
		*(bool *)at = sluice_conf_bool(f, k->section, k->key, false);
		break;
	case INT:
		*(unsigned int *)at = (unsigned int)sluice_conf_int(
			f, k->section, k->key, 0, (int64_t)k->min, (int64_t)k->max);
		break;
	case SIZE:
		*(uint64_t *)at = sluice_conf_size(f, k->section, k->key, 0, k->min, k->max);
		break;
	case MS:
		*(uint64_t *)at = sluice_conf_ms(f, k->section, k->key, 0, k->min, k->max);
		break;
	case WORD:
		text = sluice_conf_text(f, k->section, k->key, "");
		*(unsigned int *)at = find_word(k->words, text);
		if (*(unsigned int *)at == UINT32_MAX) {
			snprintf(why, why_size, "'%s' in [%s] must be one of: %s; not '%.40s'",
				 k->key, k->section, k->words, text);
			return -EINVAL;
		}
	}
	return 0;
}

static int take_values(struct sluice_cloud_conf *c, char *why, size_t why_size)
{
	int err = 0;

	for (size_t i = 0; i < KEYS && !err; i++)
		err = take_value(c, &keys[i], why, why_size);
	if (!err && sluice_conf_finish(c->file)) {
		snprintf(why, why_size, "%s", sluice_conf_error(c->file));
		err = -EINVAL;
	}
	return err;
}

static int open_file(struct sluice_cloud_conf *c, const char *path, char *why, size_t why_size)
{
	int err;

	c->path = path;
	c->file = path ? sluice_conf_open(path, &err, why, why_size)
		       : sluice_conf_parse("settings", "", 0, &err, why, why_size);
	return c->file ? 0 : err;
}

int sluice_cloud_conf_read(struct sluice_cloud_conf *c, const char *path,
			   const struct sluice_conf_said *said, size_t count, char *why,
			   size_t why_size)
{
	bool data = false;
	int err;

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < count; i++)
		data |= !strcmp(said[i].section, "server") && !strcmp(said[i].key, "data");
	if (!path && !data && !access(SLUICE_CLOUD_CONF_FILE, F_OK))
		path = SLUICE_CLOUD_CONF_FILE;
	err = open_file(c, path, why, why_size);
	if (err)
		return err;
	snprintf(why, why_size, "out of memory");
	err = put_defaults(c);
	if (!err)
		err = put_environment(c, why, why_size);
	if (!err)
		err = put_options(c, said, count, why, why_size);
	if (!err)
		err = take_values(c, why, why_size);
	if (err)
		sluice_cloud_conf_free(c);
	return err;
}

void sluice_cloud_conf_free(struct sluice_cloud_conf *c)
{
	if (!c)
		return;
	sluice_conf_close(c->file);
	memset(c, 0, sizeof(*c));
}

/* ---- for people ---- */

int sluice_cloud_conf_each(const struct sluice_cloud_conf *c,
			   int (*fn)(void *ctx, const struct sluice_conf_row *row), void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < KEYS && !err; i++) {
		const struct sluice_conf_row row = {
			keys[i].section, keys[i].key,
			sluice_conf_text(c->file, keys[i].section, keys[i].key, ""),
			(enum sluice_conf_origin)c->origin[i], keys[i].reload
		};

		err = fn(ctx, &row);
	}
	return err;
}

unsigned int sluice_cloud_conf_fixed(const struct sluice_cloud_conf *old,
				     const struct sluice_cloud_conf *now, char *text, size_t size)
{
	unsigned int count = 0;
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < KEYS; i++) {
		const struct key *k = &keys[i];
		const char *a = sluice_conf_text(old->file, k->section, k->key, "");
		const char *b = sluice_conf_text(now->file, k->section, k->key, "");

		if (k->reload || !strcmp(a, b))
			continue;
		if (n < size)
			n += (size_t)snprintf(text + n, size - n, "%s[%s] %s", count ? ", " : "",
					      k->section, k->key);
		count++;
	}
	return count;
}
