// SPDX-License-Identifier: MIT
/* summaries_show.c - one summary: as text, or in the desktop's file manager. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tools/ctl/summaries.h"

extern char **environ;

static double number_of(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void print_tracks(const json_t *o)
{
	const json_t *t;
	size_t i;

	json_array_foreach (json_object_get(o, "tracks"), i, t) {
		printf("  track %-3lld %8.2f to %8.2f s  ",
		       (long long)json_integer_value(json_object_get(t, "id")),
		       number_of(t, "start_s"), number_of(t, "end_s"));
		summary_put(summary_text(t, "class"));
		printf(", enters ");
		summary_put(summary_text(t, "enter"));
		printf(", leaves ");
		summary_put(summary_text(t, "leave"));
		putchar('\n');
	}
}

/* What a vision model said: a stranger's words. */
static void print_vision(const json_t *o)
{
	const json_t *v = json_object_get(o, "vision"), *k;
	size_t i;

	if (!json_is_object(v))
		return;
	printf("a vision model (");
	summary_put(summary_text(v, "model"));
	printf(") says, threat level %lld, confidence %.2f; check it against the pictures:\n  ",
	       (long long)json_integer_value(json_object_get(v, "threat_level")),
	       number_of(v, "confidence"));
	summary_put(summary_text(v, "title"));
	printf("\n  ");
	summary_put(summary_text(v, "text"));
	putchar('\n');
	json_array_foreach (json_object_get(v, "concerns"), i, k) {
		const char *s = json_string_value(k);

		printf("  - ");
		summary_put(s ? s : "");
		putchar('\n');
	}
}

static void print_concerns(const json_t *o)
{
	const json_t *k;
	size_t i;

	if (!json_is_array(json_object_get(o, "concerns")))
		return;
	printf("threat level %lld (heuristic)\n",
	       (long long)json_integer_value(json_object_get(o, "threat_level")));
	json_array_foreach (json_object_get(o, "concerns"), i, k) {
		printf("  level %lld %8.2f s  ",
		       (long long)json_integer_value(json_object_get(k, "level")),
		       number_of(k, "t_s"));
		summary_put(summary_text(k, "text"));
		putchar('\n');
	}
}

static void print_keyframes(const struct summary_entry *e, const json_t *o)
{
	const json_t *k;
	size_t i;

	json_array_foreach (json_object_get(o, "keyframes"), i, k) {
		printf("  %8.2f s  %s/", number_of(k, "t_s"), e->path);
		summary_put(summary_text(k, "file"));
		printf("  ");
		summary_put(summary_text(k, "why"));
		putchar('\n');
	}
}

int summary_show(const struct ctl *ctl, const struct summary_entry *e)
{
	json_t *o = summary_load(e);

	if (!o)
		return ctl_error(ctl, CTL_FAILED, "%s is gone", e->path);
	if (ctl->json) {
		json_object_set_new(o, "path", json_string(e->path));
		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(o);
		return CTL_OK;
	}
	printf("%s", ctl->colour ? "\033[1m" : "");
	summary_put(summary_text(o, "title"));
	printf("%s\n%s to %s, camera ", ctl->colour ? "\033[0m" : "", e->start,
	       summary_text(o, "end"));
	summary_put(e->camera);
	printf(", id %s\n", e->id);
	summary_put(summary_text(o, "text"));
	printf("\nconfidence %.2f, at most %lld at once\n", number_of(o, "confidence"),
	       (long long)json_integer_value(json_object_get(o, "peak_objects")));
	print_concerns(o);
	print_vision(o);
	print_tracks(o);
	print_keyframes(e, o);
	json_decref(o);
	return CTL_OK;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

int summary_open(const struct ctl *ctl, const struct summary_entry *e)
{
	char *const argv[] = { "xdg-open", (char *)e->path, NULL };
	bool screen = is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
	int status = 0;
	pid_t pid;

	if (!screen || posix_spawnp(&pid, "xdg-open", NULL, NULL, argv, environ)) {
		printf("%s\n", e->path);
		return CTL_OK;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return CTL_OK;
	return ctl_error(ctl, CTL_FAILED, "xdg-open cannot show %s", e->path);
}
