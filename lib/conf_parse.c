// SPDX-License-Identifier: MIT
/* conf_parse.c - the file is read whole and cut into entries in place. */
#include "lib/conf_state.h"

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

__attribute__((format(printf, 3, 4))) static void set_error(struct sluice_conf *c, uint32_t line,
							    const char *format, ...)
{
	char where[192];
	va_list ap;

	snprintf(where, sizeof(where), "%s:%u", c->name, line);
	va_start(ap, format);
	conf_error_at(c, where, format, ap);
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

static int add_entry(struct sluice_conf *c, const char *section, char *line, uint32_t number)
{
	char *eq = strchr(line, '=');
	struct conf_entry *e;
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
	e = conf_add(c);
	if (!e)
		return -ENOMEM;
	*e = (struct conf_entry){ .section = section, .key = key, .value = value, .line = number };
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
