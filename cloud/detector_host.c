// SPDX-License-Identifier: MIT
/*
 * detector_host.c - the process of a detector: loads the plug-in, calls it, says what it found.
 *
 * What it may do is given up in two steps (cage.h): before the plug-in is loaded, and for good
 * after open() and one detect() of a grey picture, in which libraries do what they do once. Then
 * READY is said. Answers that no picture can have (not a number, a class that there is not, more
 * boxes than there is room for) are an error of the plug-in; boxes that reach beyond the picture
 * are cut off. The node checks all of that again, since this process is not to be believed.
 *
 * Whatever goes wrong with the channel ends the process.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "cloud/cage.h"
#include "cloud/child_channel.h"
#include "cloud/detector_box.h"

#define AREA 4

static struct host {
	const uint8_t *area;
	char *config;
	void *detector;
	const struct sluice_detector_table *table;
	struct sluice_detector_info info;
	struct sluice_detector_box box[SLUICE_DETECTOR_BATCH_MAX][SLUICE_DETECTOR_BOX_MAX];
	struct sluice_detector_box said[SLUICE_DETECTOR_BATCH_MAX * SLUICE_DETECTOR_BOX_MAX];
} host;

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* ---- the channel ---- */

static void say(uint32_t type, const void *data, size_t size, const void *more, size_t more_size)
{
	const struct sluice_detector_header h = { type, (uint32_t)(size + more_size) };

	child_write(&h, sizeof(h));
	child_write(data, size);
	child_write(more, more_size);
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	char why[SLUICE_DETECTOR_WHY] = { 0 };
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	say(SLUICE_DETECTOR_FAILED, why, sizeof(why), NULL, 0);
	_exit(1);
}

/* ---- asking the plug-in ---- */

/* 0; -EBADMSG: no picture can have it. */
static int clip(const struct sluice_detector_box *b, uint32_t w, uint32_t h,
		struct sluice_detector_box *out)
{
	float x1, y1;

	if (!isfinite(b->x) || !isfinite(b->y) || !isfinite(b->w) || !isfinite(b->h) ||
	    !isfinite(b->score) || b->score < 0 || b->score > 1 ||
	    b->class >= host.info.class_count)
		return -EBADMSG;
	*out = *b;
	x1 = fminf(b->x + b->w, w);
	y1 = fminf(b->y + b->h, h);
	out->x = fmaxf(b->x, 0);
	out->y = fmaxf(b->y, 0);
	out->w = x1 - out->x;
	out->h = y1 - out->y;
	return 0;
}

/* The boxes of one picture, without those outside of it, behind host.said[*n]. */
static int take_boxes(const struct sluice_detector_result *r, const struct sluice_detector_image *i,
		      uint32_t *boxes, uint32_t *n, char *why)
{
	*boxes = 0;
	if (r->count > SLUICE_DETECTOR_BOX_MAX) {
		snprintf(why, SLUICE_DETECTOR_WHY, "it told of %u boxes in room for %u", r->count,
			 SLUICE_DETECTOR_BOX_MAX);
		return -EBADMSG;
	}
	for (uint32_t k = 0; k < r->count; k++) {
		const struct sluice_detector_box *b = &r->box[k];
		struct sluice_detector_box *to = &host.said[*n];

		if (clip(b, i->width, i->height, to)) {
			snprintf(why, SLUICE_DETECTOR_WHY,
				 "it told of a box that cannot be: x %g, y %g, w %g, h %g, score "
				 "%g, class %u of %u",
				 b->x, b->y, b->w, b->h, b->score, b->class, host.info.class_count);
			return -EBADMSG;
		}
		if (to->w <= 0 || to->h <= 0)
			continue;
		(*n)++;
		(*boxes)++;
	}
	return 0;
}

/* One call; f and host.said are what it found. */
static int detect(const struct sluice_detector_image *image, uint32_t count, uint32_t left_ms,
		  struct sluice_detector_found *f, uint32_t *n, char *why)
{
	struct sluice_detector_result result[SLUICE_DETECTOR_BATCH_MAX];
	int err;

	memset(result, 0, sizeof(result));
	for (uint32_t i = 0; i < count; i++) {
		result[i].box = host.box[i];
		result[i].capacity = SLUICE_DETECTOR_BOX_MAX;
	}
	*n = 0;
	memset(why, 0, SLUICE_DETECTOR_WHY);
	err = host.table->detect(host.detector, image, count, result, left_ms, why,
				 SLUICE_DETECTOR_WHY - 1);
	if (err) {
		err = err < 0 ? err : -EIO;
		if (!why[0])
			snprintf(why, SLUICE_DETECTOR_WHY, "%s", strerror(-err));
	}
	for (uint32_t i = 0; i < count && !err; i++) {
		result[i].box = host.box[i];
		err = take_boxes(&result[i], &image[i], &f->boxes[i], n, why);
	}
	return err;
}

/* In as many calls as it takes, until the time is up. */
static void look(size_t size)
{
	struct sluice_detector_image image[SLUICE_DETECTOR_PICTURES];
	struct sluice_detector_look l;
	struct sluice_detector_done done = { 0 };
	uint64_t until;

	if (size != sizeof(l))
		_exit(1);
	child_read(&l, sizeof(l));
	until = now_ms() + l.left_ms;
	for (uint32_t i = 0; i < l.count; i++)
		image[i] = (struct sluice_detector_image){ host.area + l.picture[i].offset,
							   l.picture[i].w, l.picture[i].h,
							   l.picture[i].stride, 0 };
	for (uint32_t at = 0; at < l.count && !done.err;) {
		struct sluice_detector_found f = { .first = at };
		uint32_t n;
		uint64_t now = now_ms();

		if (now >= until)
			break;
		f.count = l.count - at < host.info.batch_max ? l.count - at : host.info.batch_max;
		done.err = detect(image + at, f.count, (uint32_t)(until - now), &f, &n, done.why);
		if (!done.err)
			say(SLUICE_DETECTOR_FOUND, &f, sizeof(f), host.said,
			    n * sizeof(host.said[0]));
		at += f.count;
	}
	say(SLUICE_DETECTOR_DONE, &done, sizeof(done), NULL, 0);
}

/* ---- start ---- */

static void read_config(void)
{
	struct sluice_detector_header h;

	child_read(&h, sizeof(h));
	if (h.type != SLUICE_DETECTOR_CONFIG || !h.size || h.size > SLUICE_DETECTOR_CONFIG_MAX)
		_exit(1);
	host.config = calloc(h.size, 1);
	if (!host.config)
		_exit(1);
	child_read(host.config, h.size);
}

static void load(const char *plugin)
{
	const struct sluice_detector_table *(*function)(uint32_t abi);
	void *object = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
	const struct sluice_detector_table *t;

	if (!object)
		fail("%s", dlerror());
	function = (const struct sluice_detector_table *(*)(uint32_t))dlsym(object,
									    SLUICE_DETECTOR_SYMBOL);
	if (!function)
		fail("it is no detector: it does not export %s()", SLUICE_DETECTOR_SYMBOL);
	t = function(SLUICE_DETECTOR_ABI);
	if (!t)
		fail("it does not speak ABI %u of sluice/detector.h, which this node speaks",
		     SLUICE_DETECTOR_ABI);
	if (t->abi != SLUICE_DETECTOR_ABI)
		fail("it speaks ABI %u of sluice/detector.h, this node speaks %u", t->abi,
		     SLUICE_DETECTOR_ABI);
	if (t->struct_size < sizeof(*t) || !t->open || !t->info || !t->detect || !t->close)
		fail("its table is %u bytes and must be %zu, with open, info, detect and close",
		     t->struct_size, sizeof(*t));
	host.table = t;
}

static void check_info(void)
{
	const struct sluice_detector_info *i = &host.info;

	if (!sluice_detector_name_ok(i->name, 0))
		fail("its name must be 1 to 31 of a-z, 0-9, '.', '_', '-'");
	if (!i->batch_max || i->batch_max > SLUICE_DETECTOR_BATCH_MAX)
		fail("its batch_max is %u and must be 1 to %u", i->batch_max,
		     SLUICE_DETECTOR_BATCH_MAX);
	if (i->side < 32 || i->side > SLUICE_DETECTOR_SIDE_MAX)
		fail("its side is %u and must be 32 to %u", i->side, SLUICE_DETECTOR_SIDE_MAX);
	if (!i->class_count || i->class_count > SLUICE_DETECTOR_CLASS_MAX || !i->classes)
		fail("it has %u classes and must have 1 to %u", i->class_count,
		     SLUICE_DETECTOR_CLASS_MAX);
	for (uint32_t k = 0; k < i->class_count; k++)
		if (!i->classes[k] || !sluice_detector_name_ok(i->classes[k], 1))
			fail("the name of its class %u must be 1 to 31 letters, digits, spaces, "
			     "'.', '_', '-'",
			     k);
}

static void open_detector(const char *folder)
{
	char why[SLUICE_DETECTOR_WHY] = { 0 };
	int err = host.table->open(host.config, folder, &host.detector, why, sizeof(why) - 1);

	if (err)
		fail("%s", why[0] ? why : strerror(err < 0 ? -err : err));
	host.table->info(host.detector, &host.info);
	host.info.name[sizeof(host.info.name) - 1] = 0;
	check_info();
}

/* What it does the first time needs what is given up now. */
static void warm_up(void)
{
	uint32_t side = host.info.side, n;
	struct sluice_detector_found f = { 0 };
	struct sluice_detector_image image = { NULL, side, side, 3 * side, 0 };
	char why[SLUICE_DETECTOR_WHY];
	uint8_t *grey = malloc((size_t)side * side * 3);

	if (!grey)
		fail("no memory for a picture: raise [detector] memory");
	memset(grey, 114, (size_t)side * side * 3);
	image.data = grey;
	if (detect(&image, 1, 10000, &f, &n, why))
		fail("it could not look at a first, grey picture: %s", why);
	free(grey);
}

static void say_ready(uint64_t begun_ms)
{
	struct sluice_detector_ready r = { .batch_max = host.info.batch_max,
					   .side = host.info.side,
					   .class_count = host.info.class_count,
					   .load_ms = (uint32_t)(now_ms() - begun_ms) };
	char(*names)[SLUICE_DETECTOR_NAME_MAX] = calloc(r.class_count, sizeof(*names));

	if (!names)
		fail("no memory for its classes: raise [detector] memory");
	memcpy(r.name, host.info.name, sizeof(r.name));
	for (uint32_t i = 0; i < r.class_count; i++)
		snprintf(names[i], sizeof(names[i]), "%s", host.info.classes[i]);
	say(SLUICE_DETECTOR_READY, &r, sizeof(r), names, r.class_count * sizeof(*names));
	free(names);
}

static void serve(void)
{
	struct sluice_detector_header h;

	for (;;) {
		child_read(&h, sizeof(h));
		if (h.type != SLUICE_DETECTOR_LOOK)
			_exit(1);
		look(h.size);
	}
}

/* argv: word, master's pid, memory, plug-in, folder of its configuration. */
int sluice_detector_host(int argc, char **argv)
{
	struct sluice_cage cage = { .nice = 1 };
	char own[4096], why[160];
	uint64_t begun = now_ms();

	if (argc != 5 || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    getppid() != (pid_t)strtol(argv[1], NULL, 10))
		return 1; /* started by hand, or the master is gone already */
	prctl(PR_SET_NAME, "sluice-detector");
	host.area = mmap(NULL, SLUICE_DETECTOR_AREA, PROT_READ, MAP_SHARED, AREA, 0);
	if (host.area == MAP_FAILED)
		return 1;
	close(AREA);
	tzset();
	read_config();
	snprintf(own, sizeof(own), "%s", argv[3]);
	cage.memory = strtoull(argv[2], NULL, 10);
	if (sluice_cage_load(&cage,
			     (const char *const[]){ "/usr", "/lib", "/lib64", "/etc/ld.so.cache",
						    "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
						    "/proc/stat", "/sys/devices/system",
						    dirname(own), argv[4], NULL },
			     why, sizeof(why)))
		fail("%s", why);
	load(argv[3]);
	open_detector(argv[4]);
	warm_up();
	if (sluice_cage_shut(why, sizeof(why)))
		fail("%s", why);
	say_ready(begun);
	serve();
	return 0;
}
