// SPDX-License-Identifier: MIT
/*
 * control.c - the socket where the gate is asked (lib/feed.h), in the loop of the frames: a request
 * holds between two of them, as it does under the module's lock. One asker at a time, the others
 * wait in the backlog; one that is silent for ASK_MS is let go. A request that is malformed gets
 * EINVAL, and nothing of one is in force unless all of it is.
 */
#include "tools/feed/feed.h"
#include "lib/crc32c.h"
#include "lib/feed.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK_MS 200

static char *control_path(const struct feed_door *d, char out[128])
{
	snprintf(out, 128, "%s%s", d->path, SLUICE_FEED_CONTROL);
	return out;
}

int feed_control_open(struct feed_door *d, struct feed_camera *c)
{
	char path[128];
	int fd = feed_door_listen(control_path(d, path));

	if (fd < 0)
		return fd;
	d->control = fd;
	d->camera = c;
	return 0;
}

/* In force from the next frame on; the reader looks at the version. */
static void put_in_force(struct feed_camera *c)
{
	c->settings.version++;
	sluice_path_settings(c->path, &c->settings);
	sluice_path_mirror(c->path, 0, 0);
	feed_shm_wake(c->shm);
}

static int set_all(struct feed_camera *c, const struct sluice_feed_request *r, char *text,
		   size_t size)
{
	struct sluice_settings s = c->settings;
	uint32_t i;
	int err;

	for (i = 0; i < SLUICE_FEED_SETTINGS; i++) {
		if (!(r->present & 1u << i))
			continue;
		err = sluice_settings_set(&s, i, r->setting[i]);
		if (err) {
			snprintf(text, size, "%s",
				 err == -ERANGE ? sluice_setting_infos[i].range
						: "no such setting");
			return err;
		}
	}
	c->settings = s;
	put_in_force(c);
	return 0;
}

static int set_map(struct feed_camera *c, const uint8_t *map, size_t size, char *text,
		   size_t text_size)
{
	size_t cells = (size_t)c->picture.grid_w * c->picture.grid_h;

	if (size && size != cells) {
		snprintf(text, text_size, "the map must have %zu cells", cells);
		return -EINVAL;
	}
	sluice_path_threshold_map(c->path, size ? map : NULL);
	c->map_crc = size ? sluice_crc32c(0, map, size) : 0;
	put_in_force(c);
	return 0;
}

static int answer_request(struct feed_camera *c, const uint8_t *data, size_t size, char *text,
			  size_t text_size)
{
	struct sluice_feed_request r;

	if (size < sizeof(r))
		return -EINVAL;
	memcpy(&r, data, sizeof(r));
	if (r.magic != SLUICE_FEED_REQUEST_MAGIC || r.version != SLUICE_FEED_VERSION ||
	    r.conditional > 1 || (size > sizeof(r) && r.op != SLUICE_FEED_MAP))
		return -EINVAL;
	if (r.conditional && r.if_version != c->settings.version) {
		snprintf(text, text_size, "the settings have version %u", c->settings.version);
		return -ESTALE;
	}
	switch (r.op) {
	case SLUICE_FEED_GET:
		return 0;
	case SLUICE_FEED_SET:
		return set_all(c, &r, text, text_size);
	case SLUICE_FEED_MAP:
		return set_map(c, data + sizeof(r), size - sizeof(r), text, text_size);
	case SLUICE_FEED_SNAPSHOT:
		sluice_path_snapshot(c->path);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static void send_answer(int fd, const struct feed_camera *c, int err, struct sluice_feed_answer *a)
{
	uint32_t i;

	a->magic = SLUICE_FEED_REQUEST_MAGIC;
	a->status = (uint32_t)-err;
	a->width = c->picture.width;
	a->height = c->picture.height;
	a->grid_w = c->picture.grid_w;
	a->grid_h = c->picture.grid_h;
	a->map_crc = c->map_crc;
	a->setting[SLUICE_SETTING_VERSION] = c->settings.version;
	for (i = 0; i <= SLUICE_SETTING_MAX; i++)
		if (sluice_setting_infos[i].name)
			memcpy(&a->setting[i],
			       (const uint8_t *)&c->settings + sluice_setting_infos[i].offset, 4);
	if (err && !a->text[0])
		snprintf(a->text, sizeof(a->text), "%s", strerror(-err));
	send(fd, a, sizeof(*a), MSG_NOSIGNAL);
}

void feed_control_serve(struct feed_door *d)
{
	static uint8_t data[sizeof(struct sluice_feed_request) + SLUICE_FEED_MAP_MAX + 1];
	struct sluice_feed_answer answer = { 0 };
	struct pollfd p;
	ssize_t n;

	if (d->asker < 0)
		d->asker = accept4(d->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (d->asker < 0)
		return;
	p = (struct pollfd){ d->asker, POLLIN, 0 };
	if (poll(&p, 1, ASK_MS) > 0) {
		n = recv(d->asker, data, sizeof(data), 0);
		if (n > 0)
			send_answer(d->asker, d->camera,
				    answer_request(d->camera, data, (size_t)n, answer.text,
						   sizeof(answer.text)),
				    &answer);
	}
	close(d->asker);
	d->asker = -1;
}

void feed_control_close(struct feed_door *d)
{
	char path[128];

	if (d->control >= 0) {
		close(d->control);
		unlink(control_path(d, path));
	}
	d->control = -1;
}
