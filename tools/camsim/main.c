// SPDX-License-Identifier: MIT
/*
 * sluice-camsim: start, wait, stop.
 *
 * Waits on the USB/IP socket, the command socket and signals, with the camera's next deadline. Ends
 * on SIGINT or SIGTERM, when the roll is over (--at-end exit, a second later, so that the driver
 * has handed out the last frame), and when it is unplugged with nothing that could plug it in
 * again.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tools/camsim/camera.h"
#include "tools/camsim/make_roll.h"
#include "tools/camsim/options.h"
#include "tools/camsim/remote.h"

#define LINGER_NS 1000000000ull

static uint64_t read_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int load_rolls(struct camera *c, const struct options *o)
{
	char why[128];

	for (uint32_t i = 0; i < o->roll_count; i++) {
		struct roll *roll = &c->rolls[i];
		uint64_t interval = o->rate == PLAY_FIXED ? o->rate_ns : 0;
		int r = roll_open(roll, o->rolls[i], why, sizeof(why));

		if (r) {
			fprintf(stderr, "sluice-camsim: cannot play %s: %s\n", o->rolls[i], why);
			return r;
		}
		if (!interval)
			interval = roll->interval_ns;
		r = profile_add(&c->profile, roll->format, roll->width, roll->height,
				interval / 100, roll->size_max);
		if (r) {
			fprintf(stderr, "sluice-camsim: %s: a second roll of %s %ux%u\n",
				o->rolls[i], roll_format_name(roll->format), roll->width,
				roll->height);
			roll_close(roll);
			return r;
		}
	}
	return 0;
}

static int set_up(struct camera *c, const struct options *o)
{
	struct profile *p = &c->profile;

	c->fd = -1;
	c->port = -1;
	p->iso = o->iso;
	p->super = o->super;
	p->payload_max = o->iso ? PAYLOAD_ISO : o->super ? PAYLOAD_SUPER : PAYLOAD_BULK;
	if (o->payload_max)
		p->payload_max = o->payload_max;
	snprintf(p->maker, sizeof(p->maker), "Sluice");
	snprintf(p->product, sizeof(p->product), "%s", o->product);
	snprintf(p->serial, sizeof(p->serial), "%s", o->serial);
	c->faults = o->faults;
	c->vhci_dir = o->vhci_dir;
	c->resume = o->resume;
	c->rate = o->rate;
	c->rate_ns = o->rate_ns;
	c->play.passes = o->passes;
	c->play.paused = o->paused;
	if (o->log) {
		c->log = fopen(o->log, "we");
		if (!c->log) {
			int r = -errno;

			fprintf(stderr, "sluice-camsim: cannot write %s: %s\n", o->log,
				strerror(-r));
			return r;
		}
		setvbuf(c->log, NULL, _IOLBF, 0); /* a script may read along */
	}
	return load_rolls(c, o);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int wait_ms(uint64_t deadline, uint64_t now)
{
	if (deadline == PLAY_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	deadline = (deadline - now + 999999) / 1000000;
	return deadline > 60000 ? 60000 : deadline;
}

/* Until something ends it. */
static void run_camera(struct camera *c, const struct options *o, int signals, int control)
{
	uint64_t linger = PLAY_NEVER;

	while (c->fd >= 0 || c->replug_ns || control >= 0) {
		struct pollfd p[3] = { { signals, POLLIN, 0 },
				       { control, POLLIN, 0 },
				       { c->fd, POLLIN, 0 } };
		uint64_t deadline = camera_deadline_ns(c), now = read_clock();

		if (o->at_end != AT_END_EXIT || !c->ended)
			linger = PLAY_NEVER;
		else if (linger == PLAY_NEVER)
			linger = now + LINGER_NS;
		if (linger < deadline)
			deadline = linger;
		if (poll(p, 3, wait_ms(deadline, now)) < 0 && errno != EINTR)
			break;
		now = read_clock();
		if (p[0].revents) {
			camera_detach(c, "signal");
			break;
		}
		if (p[2].revents)
			camera_readable(c, now);
		if (p[1].revents)
			remote_readable(control, c, now);
		camera_tick(c, now);
		if (now >= linger) {
			camera_detach(c, "end of the roll");
			break;
		}
	}
}

static int play_rolls(struct camera *c, const struct options *o)
{
	int signals = open_signals(), control = -1, r;
	char why[256];

	if (signals < 0)
		return -errno;
	if (o->control) {
		control = remote_open(o->control);
		if (control < 0) {
			fprintf(stderr, "sluice-camsim: cannot listen at %s: %s\n", o->control,
				strerror(-control));
			close(signals);
			return control;
		}
	}
	r = camera_attach(c, why, sizeof(why));
	if (r)
		fprintf(stderr, "sluice-camsim: %s\n", why);
	else
		run_camera(c, o, signals, control);
	if (control >= 0) {
		close(control);
		unlink(o->control);
	}
	close(signals);
	return r;
}

int main(int argc, char **argv)
{
	struct camera *camera;
	struct options o;
	int r = options_parse(&o, argc, argv);

	if (r)
		return r < 0 ? 2 : 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (o.tell)
		return remote_tell(o.tell, o.rolls[0]);
	if (o.make_roll)
		return make_roll(&o);
	camera = calloc(1, sizeof(*camera));
	if (!camera) {
		fputs("sluice-camsim: out of memory\n", stderr);
		return 1;
	}
	r = set_up(camera, &o);
	if (!r)
		r = play_rolls(camera, &o);
	camera_free(camera);
	if (camera->log)
		fclose(camera->log);
	free(camera);
	return r ? 1 : 0;
}
