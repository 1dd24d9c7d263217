// SPDX-License-Identifier: MIT
/* show.c - cameras, one line each, or everything of one. */
#include <stdio.h>

#include "tools/ctl/fields.h"

static json_t *camera_json(const struct genl_camera *c)
{
	char state[80], fourcc[5], node[24];
	json_t *o = field_ledger_json(c);

	snprintf(node, sizeof(node), "/dev/sluice%u", c->index);
	json_object_set_new(o, "index", json_integer(c->index));
	json_object_set_new(o, "ring", json_string(node));
	snprintf(node, sizeof(node), "/dev/video%u", c->video);
	json_object_set_new(o, "video", json_string(node));
	json_object_set_new(o, "card", json_string(c->card));
	json_object_set_new(o, "mode", json_string(field_mode(c->mode)));
	json_object_set_new(o, "state", json_string(field_state(c->state, state, sizeof(state))));
	json_object_set_new(o, "format",
			    c->format ? json_string(field_fourcc(c->format, fourcc)) : json_null());
	json_object_set_new(o, "width", json_integer(c->width));
	json_object_set_new(o, "height", json_integer(c->height));
	json_object_set_new(o, "grid", json_pack("[i,i]", c->grid_w, c->grid_h));
	json_object_set_new(o, "arena", json_integer(c->arena));
	json_object_set_new(o, "reader", json_boolean(c->reader));
	json_object_set_new(o, "settings", field_settings_json(c));
	return o;
}

static void add_json(void *arg, const struct genl_camera *c)
{
	json_array_append_new(arg, camera_json(c));
}

static void print_line(void *arg, const struct genl_camera *c)
{
	struct field_sums s;
	char state[80], fourcc[5], size[24], video[16];
	int *lines = arg;

	if (!(*lines)++)
		printf("%-12s %-13s %-8s %-10s %-15s %-20s %10s %10s %6s\n", "CAMERA", "RING",
		       "MODE", "VIDEO", "PICTURE", "STATE", "SEEN", "PASSED", "LOST");
	field_sums(c, &s);
	snprintf(size, sizeof(size), "%s %ux%u", field_fourcc(c->format, fourcc), c->width,
		 c->height);
	snprintf(video, sizeof(video), "video%u", c->video);
	printf("%-12s /dev/sluice%-2u %-8s %-10s %-15s %-20s %10llu %10llu %6llu\n", c->name,
	       c->index, field_mode(c->mode), video, c->format ? size : "-",
	       field_state(c->state, state, sizeof(state)), (unsigned long long)c->delivered,
	       (unsigned long long)s.passed, (unsigned long long)s.lost);
}

static int show_one(struct ctl *ctl, struct genl *g, const char *name)
{
	struct genl_camera c;
	char state[80], fourcc[5];

	if (genl_camera(g, name, &c))
		return CTL_FAILED;
	if (ctl->json) {
		json_t *o = camera_json(&c);

		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(o);
		return CTL_OK;
	}
	printf("%s: /dev/sluice%u, %s of /dev/video%u (%s)\n", c.name, c.index, field_mode(c.mode),
	       c.video, c.card);
	printf("  picture %s %ux%u, grid %ux%u, epoch %llu\n",
	       c.format ? field_fourcc(c.format, fourcc) : "none yet", c.width, c.height, c.grid_w,
	       c.grid_h, (unsigned long long)c.epoch);
	printf("  state %s, arena %llu MiB, %s\n", field_state(c.state, state, sizeof(state)),
	       (unsigned long long)c.arena >> 20,
	       c.reader ? "a reader holds the ring" : "no reader");
	field_settings_print(&c);
	return CTL_OK;
}

int ctl_show(struct ctl *ctl, int argc, char **argv)
{
	struct genl *g;
	int rc = CTL_OK, lines = 0;

	if (argc > 2)
		return ctl_error(ctl, CTL_USAGE, "one camera at most");
	g = genl_open(ctl);
	if (!g)
		return CTL_FAILED;
	if (argc == 2) {
		rc = show_one(ctl, g, argv[1]);
	} else if (ctl->json) {
		json_t *list = json_array(),
		       *o = json_pack("{s:i,s:o}", "version", 1, "cameras", list);

		rc = genl_dump(g, add_json, list) ? CTL_FAILED : CTL_OK;
		if (!rc) {
			json_dumpf(o, stdout, JSON_INDENT(2));
			putchar('\n');
		}
		json_decref(o);
	} else {
		rc = genl_dump(g, print_line, &lines) ? CTL_FAILED : CTL_OK;
		if (!rc && !lines)
			printf("no camera is attached; try: sluicectl attach /dev/video0\n");
	}
	genl_close(g);
	return rc;
}
