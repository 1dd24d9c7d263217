// SPDX-License-Identifier: MIT
/* cmd_quarantine.c - sluice-cloud quarantine: what killed children, and what becomes of it. Works
 * while the node runs; it learns of a frame that was dropped at its next start. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sluice/wire.h>

#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "cloud/quarantine.h"
#include "cloud/sandbox.h"
#include "lib/log.h"

#define MEMORY	    (512ull << 20)
#define DEADLINE_MS 60000

struct what {
	const struct sluice_cmd_words *words;
	const char *data, *name;
};

/* ---- list ---- */

struct list {
	json_t *all; /* NULL: as text */
	unsigned int count;
};

static const char *text_of(json_t *note, const char *key)
{
	const char *text = json_string_value(json_object_get(note, key));

	return text ? text : "?";
}

static int list_one(void *ctx, const char *name, json_t *note)
{
	struct list *l = ctx;
	json_t *entry;

	l->count++;
	if (!l->all) {
		printf("%s  %s/%s  %lld bytes  %s\n", name, text_of(note, "device"),
		       text_of(note, "camera"),
		       (long long)json_integer_value(json_object_get(note, "size")),
		       text_of(note, "died_of"));
		return 0;
	}
	entry = json_copy(note);
	json_object_set_new(entry, "name", json_string(name));
	return json_array_append_new(l->all, entry) ? -ENOMEM : 0;
}

static int list(const struct what *w)
{
	struct list l = { .all = w->words->json ? json_array() : NULL };
	int err = sluice_quarantine_each(w->data, list_one, &l);

	if (!err && l.all) {
		json_dumpf(l.all, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!err && !l.count) {
		fputs("nothing is in quarantine\n", stderr);
	}
	json_decref(l.all);
	return err;
}

/* ---- one of them ---- */

static int export_bytes(const struct what *w)
{
	struct sluice_stored_frame f;
	uint8_t *bytes;
	FILE *out;
	int err = sluice_quarantine_frame(w->data, &w->words->ring, w->name, &f, &bytes);

	if (err)
		return err;
	out = w->words->out ? fopen(w->words->out, "we") : stdout;
	if (!out) {
		err = -errno;
	} else {
		if (fwrite(bytes, 1, f.jpeg_size, out) != f.jpeg_size)
			err = -EIO;
		if (fflush(out))
			err = -errno;
		if (w->words->out && fclose(out))
			err = -errno;
	}
	free(bytes);
	return err;
}

static void on_event(void *ctx, const char *id, const char *json)
{
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	*size = 0;
	return NULL;
}

/* A fresh child gets it, and nothing else. */
static int retry(const struct what *w)
{
	static const struct sluice_sandbox_config conf = { MEMORY, DEADLINE_MS };
	static const struct sluice_analysis_ops ops = { .event = on_event,
							.summary = on_summary,
							.fetch = on_fetch };
	static const struct sluice_analysis_config config = { .camera = "retry",
							      .join_ms = SLUICE_WIRE_JOIN_MS,
							      .event_max_ms = 300000,
							      .keyframes_max = 12,
							      .language = "en" };
	static const atomic_int stopping;
	struct sluice_sandbox *b = sluice_sandbox_open(&conf, "the retry", 0, &stopping);
	struct sluice_analyst *a = b ? sluice_analyst_open(b, &config, &ops, NULL) : NULL;
	struct sluice_stored_frame f;
	uint8_t *bytes = NULL;
	int err = a ? sluice_quarantine_frame(w->data, &w->words->ring, w->name, &f, &bytes)
		    : -ENOMEM;

	if (!err)
		err = sluice_analyst_epoch(a, f.epoch, 0, 0);
	if (!err)
		err = sluice_analyst_frame(a, &f);
	if (!err)
		err = sluice_analyst_flush(a);
	if (err == -EPIPE)
		sluice_error("it still ends a child: %s; it stays in quarantine",
			     sluice_sandbox_death(b));
	else if (!err)
		err = sluice_quarantine_drop(w->data, w->name);
	if (!err)
		puts("the child lived; the frame is no longer in quarantine");
	sluice_analyst_close(a);
	sluice_sandbox_close(b);
	free(bytes);
	return err;
}

static int drop(const struct what *w)
{
	return sluice_quarantine_drop(w->data, w->name);
}

static const struct {
	const char *word;
	int named;
	int (*run)(const struct what *w);
} actions[] = {
	{ "list", 0, list },
	{ "export", 1, export_bytes },
	{ "retry", 1, retry },
	{ "drop", 1, drop },
};

int sluice_cmd_quarantine(int argc, char **argv)
{
	struct sluice_cmd_words words;
	struct what w = { .words = &words };
	int err = sluice_cmd_words(argc, argv, "djok", 1, 2, &words), others = argc - optind;
	size_t i = 0;

	if (err)
		return err - 1;
	w.data = words.data;
	while (i < 4 && strcmp(argv[optind], actions[i].word) != 0)
		i++;
	if (i == 4)
		err = sluice_cmd_usage(argv[0], "list, export, retry or drop, not '%s'",
				       argv[optind]);
	else if (others != 1 + actions[i].named)
		err = actions[i].named
			      ? sluice_cmd_usage(argv[0],
						 "%s which? see: sluice-cloud quarantine list",
						 actions[i].word)
			      : sluice_cmd_usage(argv[0], "too many words");
	if (err) {
		sluice_cmd_words_free(&words);
		return err;
	}
	w.name = actions[i].named ? argv[optind + 1] : NULL;
	err = actions[i].run(&w);
	if (err && err != -EPIPE)
		sluice_error("%s: %s", w.name ? w.name : w.data,
			     err == -EINVAL    ? "no such name"
			     : err == -EBADMSG ? "the note and the bytes do not belong together"
			     : err == -ENOKEY  ? "sealed by a key that is not here (--key-file, "
						 "--key-command)"
					       : strerror(-err));
	sluice_cmd_words_free(&words);
	return err ? 1 : 0;
}
