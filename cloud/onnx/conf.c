// SPDX-License-Identifier: MIT
/* conf.c - lines of "key = value"; what begins with # is passed over. See conf.h. */
#include "cloud/onnx/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cuts blanks at both ends. */
static char *trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = 0;
	return s;
}

static int take_text(char *to, size_t size, const char *value)
{
	if (!value[0] || strlen(value) >= size)
		return -EINVAL;
	memcpy(to, value, strlen(value) + 1);
	return 0;
}

/* The place of value among words (NULL-terminated), or -EINVAL. */
static int take_word(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return -EINVAL;
}

static int take_number(const char *value, double min, double max, double *out)
{
	char *end;

	*out = strtod(value, &end);
	return end == value || *end || !(*out >= min && *out <= max) ? -EINVAL : 0;
}

static int take_size(struct onnx_conf *c, const char *value)
{
	char rest;

	if (sscanf(value, "%ux%u%c", &c->width, &c->height, &rest) != 2)
		return -EINVAL;
	return c->width < 32 || c->height < 32 || c->width > SLUICE_DETECTOR_SIDE_MAX ||
			       c->height > SLUICE_DETECTOR_SIDE_MAX
		       ? -EINVAL
		       : 0;
}

static int take_three(float out[3], const char *value, float least)
{
	char rest;

	if (sscanf(value, "%f , %f , %f %c", &out[0], &out[1], &out[2], &rest) != 3)
		return -EINVAL;
	for (int i = 0; i < 3; i++)
		if (!(out[i] >= least && out[i] <= 1e6f))
			return -EINVAL;
	return 0;
}

static int take_outputs(struct onnx_conf *c, const char *value)
{
	char rest;
	int n = sscanf(value, "%63[^ ,] , %63[^ ,] , %63[^ ,] %c", c->output[0], c->output[1],
		       c->output[2], &rest);

	return n == 1 || n == 3 ? 0 : -EINVAL;
}

/* A class a line. */
static int read_classes(struct onnx_conf *c, const char *value, const char *folder)
{
	char path[8192], line[256];
	FILE *f;
	int err = 0;

	snprintf(path, sizeof(path), "%s%s%s", value[0] == '/' ? "" : folder,
		 value[0] == '/' ? "" : "/", value);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	c->class_count = 0;
	while (!err && fgets(line, sizeof(line), f)) {
		char *name = trim(line);

		if (!name[0])
			continue;
		err = c->class_count == SLUICE_DETECTOR_CLASS_MAX
			      ? -E2BIG
			      : take_text(c->classes[c->class_count], sizeof(c->classes[0]), name);
		c->class_count += !err;
	}
	fclose(f);
	return err ? err : c->class_count ? 0 : -EINVAL;
}

static int take(struct onnx_conf *c, const char *key, const char *value, const char *folder)
{
	static const char *const layouts[] = { "yolo", "ssd", NULL };
	static const char *const orders[] = { "rgb", "bgr", NULL };
	static const char *const corners[] = { "yxyx", "xyxy", NULL };
	static const char *const units[] = { "shares", "pixels", NULL };
	double n = 0;
	int err;

	if (!strcmp(key, "name"))
		return take_text(c->name, sizeof(c->name), value);
	if (!strcmp(key, "model"))
		return take_text(c->model, sizeof(c->model), value);
	if (!strcmp(key, "classes"))
		return read_classes(c, value, folder);
	if (!strcmp(key, "size"))
		return take_size(c, value);
	if (!strcmp(key, "mean"))
		return take_three(c->mean, value, -1e6f);
	if (!strcmp(key, "std"))
		return take_three(c->std, value, 1e-6f);
	if (!strcmp(key, "outputs"))
		return take_outputs(c, value);
	if (!strcmp(key, "layout")) {
		err = take_word(value, layouts);
		c->layout = err > 0 ? ONNX_SSD : ONNX_YOLO;
	} else if (!strcmp(key, "order")) {
		err = take_word(value, orders);
		c->bgr = err > 0;
	} else if (!strcmp(key, "corners")) {
		err = take_word(value, corners);
		c->xyxy = err > 0;
	} else if (!strcmp(key, "units")) {
		err = take_word(value, units);
		c->pixels = err > 0;
	} else if (!strcmp(key, "first_class")) {
		err = take_number(value, 0, 1, &n);
		c->first_class = (int)n;
	} else if (!strcmp(key, "overlap")) {
		err = take_number(value, 0, 100, &n);
		c->overlap = (float)n / 100;
	} else if (!strcmp(key, "least")) {
		err = take_number(value, 0, 100, &n);
		c->least = (float)n / 100;
	} else if (!strcmp(key, "threads")) {
		err = take_number(value, 1, 64, &n);
		c->threads = (int)n;
	} else {
		return -ENOKEY;
	}
	return err < 0 ? err : 0;
}

/* One line, which is written to. */
static int take_line(struct onnx_conf *c, char *line, int number, const char *folder, char *why,
		     size_t why_size)
{
	char *key = trim(line), *value = strchr(key, '=');
	int err = -EINVAL;

	if (!key[0] || key[0] == '#')
		return 0;
	if (value) {
		*value++ = 0;
		key = trim(key);
		value = trim(value);
		err = take(c, key, value, folder);
	}
	if (!value)
		snprintf(why, why_size, "line %d of its configuration is not 'key = value'",
			 number);
	else if (err == -ENOKEY)
		snprintf(why, why_size,
			 "line %d of its configuration: there is no key '%.32s'; docs/detector.md "
			 "lists them",
			 number, key);
	else if (err)
		snprintf(why, why_size, "line %d of its configuration, %.32s = %.80s: %s", number,
			 key, value,
			 err == -EINVAL ? "is not what docs/detector.md says" : strerror(-err));
	return err;
}

int onnx_conf_read(struct onnx_conf *c, const char *text, const char *folder, char *why,
		   size_t why_size)
{
	char *copy = strdup(text), *next = copy, *line;
	int err = copy ? 0 : -ENOMEM, number = 0;

	memset(c, 0, sizeof(*c));
	memcpy(c->name, "onnx", 5);
	for (int i = 0; i < 3; i++)
		c->std[i] = 255;
	c->overlap = 0.45f;
	c->least = 0.1f;
	c->threads = 1;
	while (!err && (line = strsep(&next, "\n")))
		err = take_line(c, line, ++number, folder, why, why_size);
	free(copy);
	if (!err && (!c->model[0] || !c->class_count)) {
		snprintf(why, why_size, "its configuration must name %s",
			 c->model[0] ? "classes = FILE, with a class in each line"
				     : "model = FILE.onnx");
		err = -EINVAL;
	}
	return err;
}
