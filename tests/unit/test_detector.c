// SPDX-License-Identifier: MIT
/*
 * test_detector.c - a detector in its process: one that works (tests/detector/squares.c), and
 * everything that one may do wrong (bad.c), each of which must end as a sentence, and harm nothing.
 * This program is its own child (argv[1]).
 */
#include <errno.h>
#include <libgen.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cloud/detector.h"
#include "tests/unit/check.h"

#define W 160
#define H 120

static char folder[4000];

static char *plugin(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", folder, name);
	return path;
}

/* A file with this text, in the directory of the test. */
static char *config(const char *text)
{
	static char path[4096];
	const char *tmp = getenv("TEST_TMP");
	FILE *f;

	snprintf(path, sizeof(path), "%s/detector.conf", tmp ? tmp : "/tmp");
	f = fopen(path, "w");
	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
	return path;
}

static struct sluice_detector_config conf_of(const char *name, const char *text)
{
	return (struct sluice_detector_config){ .plugin = plugin(name),
						.config = text[0] ? config(text) : "",
						.min_score = 0.3f,
						.deadline_ms = 5000,
						.memory = 512 << 20,
						.rest_ms = 1 };
}

/* ---- pictures ---- */

static uint8_t pixels[4][H][W][3];

static void paint(int n, int x, int y, int w, int h)
{
	for (int j = y; j < y + h; j++)
		memset(pixels[n][j][x], 255, (size_t)w * 3);
}

static void make_pictures(struct sluice_detector_image image[4])
{
	memset(pixels, 40, sizeof(pixels));
	paint(0, 20, 30, 24, 24);
	paint(0, 100, 50, 40, 10);
	paint(2, 150, 110, 10, 10);
	for (int i = 0; i < 4; i++)
		image[i] = (struct sluice_detector_image){ &pixels[i][0][0][0], W, H, 3 * W, 0 };
}

static bool is_at(const struct sluice_detector_thing *t, float x, float y, float w, float h,
		  const char *class)
{
	return t->x == x && t->y == y && t->w == w && t->h == h && t->score == 1 &&
	       !strcmp(t->class, class);
}

/* ---- states ---- */

static unsigned int state(void)
{
	return atomic_load(&sluice_detector_counts.state);
}

/* Ready, or given up. */
static unsigned int settle(void)
{
	for (int i = 0;
	     i < 3000 && state() != SLUICE_DETECTOR_IDLE && state() != SLUICE_DETECTOR_OFF; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	return state();
}

static struct sluice_detector *open_ready(const struct sluice_detector_config *c)
{
	struct sluice_detector *d = NULL;

	CHECK(!sluice_detector_open(c, &d));
	CHECK(settle() == SLUICE_DETECTOR_IDLE);
	return d;
}

static struct sluice_detector_answer answer;

static void test_squares(void)
{
	struct sluice_detector_config c = conf_of("squares", "threshold = 180\n");
	struct sluice_detector_image image[4];
	struct sluice_detector_report r;
	struct sluice_detector *d;

	make_pictures(image);
	CHECK(!sluice_detector_try(&c, &r));
	CHECK(!strcmp(r.ready.name, "squares") && r.ready.class_count == 2 && r.ready.side == 320 &&
	      !strcmp(r.first_class, "square"));
	d = open_ready(&c);
	CHECK(sluice_detector_side(d) == 320);
	for (int i = 0; i < 3; i++) { /* two calls of two pictures, again and again */
		CHECK(!sluice_detector_ask(d, image, 4, true, &answer));
		CHECK(answer.looked == 4 && !strcmp(answer.name, "squares"));
		CHECK(answer.count[0] == 2 && !answer.count[1] && answer.count[2] == 1 &&
		      !answer.count[3]);
		CHECK(is_at(&answer.thing[0][0], 20, 30, 24, 24, "square"));
		CHECK(is_at(&answer.thing[0][1], 100, 50, 40, 10, "bar"));
		CHECK(is_at(&answer.thing[2][0], 150, 110, 10, 10, "square"));
	}
	/* a part of a picture: its own size, the rows of the whole */
	image[0].data = &pixels[0][20][90][0];
	image[0].width = 60;
	image[0].height = 60;
	CHECK(!sluice_detector_ask(d, image, 1, true, &answer));
	CHECK(answer.count[0] == 1 && is_at(&answer.thing[0][0], 10, 30, 40, 10, "bar"));
	image[0].width = SLUICE_DETECTOR_SIDE_MAX + 1;
	CHECK(sluice_detector_ask(d, image, 1, true, &answer) == -EAGAIN && !answer.looked);
	sluice_detector_close(d);
	CHECK(state() == SLUICE_DETECTOR_NONE);
	c = conf_of("squares", "");
	c.min_score = 1.01f;
	d = open_ready(&c);
	make_pictures(image);
	CHECK(!sluice_detector_ask(d, image, 1, true, &answer));
	CHECK(answer.looked == 1 && !answer.count[0]);
	sluice_detector_close(d);
}

/* ---- what cannot be loaded ---- */

static void test_loading(void)
{
	static const struct {
		const char *name, *text, *why;
	} cases[] = {
		{ "missing", "", "missing.so" },
		{ "bad_abi", "x", "it speaks ABI 2 of sluice/detector.h, this node speaks 1" },
		{ "bad_none", "x", "it does not speak ABI 1" },
		{ "bad_table", "x", "its table is 8 bytes and must be" },
		{ "bad_symbol", "x", "it is no detector: it does not export sluice_detector()" },
		{ "squares", "threshold = many", "say: threshold = 0..255" },
		{ "bad", "open_fails", "no model in " },
		{ "bad", "open_crashes", "signal 11" },
		{ "bad", "open_ends", "it ended with code 3" },
		{ "bad", "open_eats", "Cannot allocate memory" },
		{ "bad", "name", "its name must be" },
		{ "bad", "long_name", "" }, /* cut: a name */
		{ "bad", "class", "the name of its class 0 must be" },
		{ "bad", "batch", "its batch_max is 1000 and must be 1 to 16" },
		{ "bad", "side", "its side is 0 and must be 32" },
		{ "bad", "many_classes", "it has 2147483648 classes" },
		{ "bad", "no_classes", "it has 0 classes" },
		{ "bad", "null_classes", "it has 1 classes" },
		{ "bad", "error 0", "" },
		{ "bad", "open_tries", "" }, /* it tries, and cannot */
		{ "bad", "pool", "" },
	};
	struct sluice_detector_config c;
	struct sluice_detector_report r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err;

		c = conf_of(cases[i].name, cases[i].text);
		err = sluice_detector_try(&c, &r);
		if (!err != !cases[i].why[0] || !strstr(r.why, cases[i].why)) {
			fprintf(stderr, "%s '%s': %s\n", cases[i].name, cases[i].text, r.why);
			CHECK(!"it says what is wrong");
		}
		CHECK(!strpbrk(r.why, "\n\033"));
	}
	c = conf_of("squares", "");
	c.plugin = "squares.so";
	CHECK(sluice_detector_try(&c, &r) == -EINVAL && strstr(r.why, "absolute"));
	c = conf_of("squares", "");
	c.config = "/nowhere/at/all";
	CHECK(sluice_detector_try(&c, &r) == -ENOENT && strstr(r.why, c.config));
	c.config = "/";
	CHECK(sluice_detector_try(&c, &r) && strstr(r.why, "[detector] config"));
}

/* ---- what goes wrong at work ---- */

static const char *const deadly[] = { "crash",	"abort", "end",	   "scribble", "open",
				      "socket", "kill",	 "thread", "babble",   "pool_socket" };

/* Each of these ends its process, and nothing else. */
static void test_deaths(void)
{
	struct sluice_detector_image image[4];

	make_pictures(image);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		struct sluice_detector_config c = conf_of("bad", deadly[i]);
		uint64_t died = sluice_detector_counts.died, failed = sluice_detector_counts.failed;
		struct sluice_detector *d;
		int err;

		c.rest_ms = 100000; /* it is not started again before the test is over */
		d = open_ready(&c);
		err = sluice_detector_ask(d, image, 1, true, &answer);
		if (err != -EIO || answer.looked || state() != SLUICE_DETECTOR_RESTING ||
		    sluice_detector_counts.died != died + 1 ||
		    sluice_detector_counts.failed != failed + 1) {
			fprintf(stderr, "%s: %s, state %u\n", deadly[i], strerror(-err), state());
			CHECK(!"it ends, and is counted");
		}
		CHECK(!sluice_detector_side(d));
		CHECK(sluice_detector_ask(d, image, 1, true, &answer) == -EAGAIN);
		sluice_detector_close(d);
	}
}

/* Five failures in a row switch it off: deaths with a start each, wrong answers with one. */
static void test_failures(void)
{
	static const char *const wrong[] = { "crash",	 "nan",	 "nan_score", "score", "infinite",
					     "class_id", "huge", "one_more",  "error", "mute" };
	struct sluice_detector_image image[4];

	make_pictures(image);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct sluice_detector_config c = conf_of("bad", wrong[i]);
		uint64_t started = sluice_detector_counts.started;
		struct sluice_detector *d = NULL;
		int failed = 0;

		CHECK(!sluice_detector_open(&c, &d));
		while (settle() == SLUICE_DETECTOR_IDLE && failed < 9) {
			int err = sluice_detector_ask(d, image, 1, true, &answer);

			failed += err == -EIO;
			CHECK(err == -EIO || err == -EAGAIN);
		}
		started = sluice_detector_counts.started - started;
		if (state() != SLUICE_DETECTOR_OFF || failed != 5 || started != (i ? 1 : 5)) {
			fprintf(stderr, "%s: state %u, %d failed, %llu started\n", wrong[i],
				state(), failed, (unsigned long long)started);
			CHECK(!"it is switched off after five");
		}
		CHECK(!sluice_detector_side(d));
		CHECK(sluice_detector_ask(d, image, 1, true, &answer) == -EAGAIN);
		sluice_detector_close(d);
	}
}

/* Boxes that reach beyond the picture are cut, those outside and empty ones passed over. */
static void test_boxes(void)
{
	static const struct {
		const char *what;
		uint32_t count;
		float x, y, w, h;
	} cases[] = { { "beyond", 1, 0, 0, W, H },
		      { "outside", 0, 0, 0, 0, 0 },
		      { "empty", 0, 0, 0, 0, 0 },
		      { "elsewhere", 1, W / 4, H / 4, W / 2, H / 2 },
		      { "pool", 1, W / 4, H / 4, W / 2, H / 2 } };
	struct sluice_detector_image image[4];

	make_pictures(image);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_detector_config c = conf_of("bad", cases[i].what);
		struct sluice_detector *d = open_ready(&c);
		const struct sluice_detector_thing *t = &answer.thing[0][0];

		CHECK(!sluice_detector_ask(d, image, 2, false, &answer));
		CHECK(answer.looked == 2 && answer.count[0] == cases[i].count);
		if (cases[i].count)
			CHECK(t->x == cases[i].x && t->y == cases[i].y && t->w == cases[i].w &&
			      t->h == cases[i].h && t->score == 0.75f &&
			      !strcmp(t->class, "thing"));
		sluice_detector_close(d);
	}
}

/* One that fails now and then goes on; the failures in a row count. */
static void test_recovery(void)
{
	struct sluice_detector_config c = conf_of("bad", "crash 2");
	struct sluice_detector *d = open_ready(&c);
	struct sluice_detector_image image[4];
	int good = 0, bad = 0;

	make_pictures(image);
	while (bad < 6 && settle() == SLUICE_DETECTOR_IDLE) {
		int err = sluice_detector_ask(d, image, 1, true, &answer);

		good += !err;
		bad += err == -EIO;
	}
	CHECK(good == 6 && bad == 6);
	CHECK(settle() == SLUICE_DETECTOR_IDLE);
	sluice_detector_close(d);
}

/* Who asks waits for the deadline and no longer; the next one is answered when it is done. */
static void test_slow(void)
{
	struct sluice_detector_config c = conf_of("bad", "slow 1");
	struct sluice_detector_image image[4];
	struct sluice_detector *d;
	uint64_t late = sluice_detector_counts.late, started = sluice_detector_counts.started;
	int err;

	c.deadline_ms = 100;
	d = open_ready(&c);
	make_pictures(image);
	CHECK(sluice_detector_ask(d, image, 1, true, &answer) == -ETIMEDOUT && !answer.looked);
	do /* it is at the first one yet */
		err = sluice_detector_ask(d, image, 1, true, &answer);
	while (err == -ETIMEDOUT && state() == SLUICE_DETECTOR_IDLE);
	CHECK(!err && answer.looked == 1 && answer.thing[0][0].score == 0.5f);
	CHECK(sluice_detector_counts.late > late);
	CHECK(sluice_detector_counts.started == started + 1);
	sluice_detector_close(d);
	/* two calls, the second is too late: what is there counts */
	c = conf_of("bad", "slow 2");
	c.deadline_ms = 100;
	d = open_ready(&c);
	err = sluice_detector_ask(d, image, 2, true, &answer);
	CHECK(err == -ETIMEDOUT || (!err && answer.looked == 1)); /* a slow machine: none */
	sluice_detector_close(d);
	/* always: it is switched off */
	c = conf_of("bad", "slow");
	c.deadline_ms = 100;
	d = open_ready(&c);
	for (int i = 0; i < 400 && state() == SLUICE_DETECTOR_IDLE; i++) {
		err = sluice_detector_ask(d, image, 1, true, &answer);
		CHECK(err == -ETIMEDOUT || settle() == SLUICE_DETECTOR_OFF);
	}
	CHECK(settle() == SLUICE_DETECTOR_OFF);
	sluice_detector_close(d);
}

static void test_hang(void)
{
	struct sluice_detector_config c = conf_of("bad", "hang 1");
	struct sluice_detector_image image[4];
	struct sluice_detector *d;
	uint64_t hung = sluice_detector_counts.hung;
	int err;

	c.deadline_ms = 50;
	d = open_ready(&c);
	make_pictures(image);
	CHECK(sluice_detector_ask(d, image, 1, true, &answer) == -ETIMEDOUT);
	do { /* it is ended, started again, and hangs again */
		settle();
		err = sluice_detector_ask(d, image, 1, true, &answer);
	} while (sluice_detector_counts.hung == hung && err != -EIO);
	CHECK(sluice_detector_counts.hung > hung);
	sluice_detector_close(d); /* while it hangs */
}

/* ---- several who ask ---- */

struct asker {
	struct sluice_detector *d;
	pthread_t thread;
	bool live;
	int good;
};

static void *ask_often(void *arg)
{
	struct asker *a = arg;
	struct sluice_detector_answer *own = calloc(1, sizeof(*own));
	struct sluice_detector_image image[4];

	for (int i = 0; i < 4; i++)
		image[i] = (struct sluice_detector_image){ &pixels[i][0][0][0], W, H, 3 * W, 0 };
	for (int i = 0; i < 30; i++) {
		int at = i % 2 * 2;

		a->good += !sluice_detector_ask(a->d, image + at, 2, a->live, own) &&
			   own->count[0] == (at ? 1 : 2) && !own->count[1];
	}
	free(own);
	return NULL;
}

static void test_many(void)
{
	struct sluice_detector_config c = conf_of("squares", "");
	struct sluice_detector_image image[4];
	struct asker a[4];

	c.deadline_ms = 30000;
	make_pictures(image);
	a[0].d = open_ready(&c);
	for (int i = 0; i < 4; i++) {
		a[i] = (struct asker){ .d = a[0].d, .live = i < 2 };
		CHECK(!pthread_create(&a[i].thread, NULL, ask_often, &a[i]));
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(a[i].thread, NULL);
		CHECK(a[i].good == 30);
	}
	sluice_detector_close(a[0].d);
}

int main(int argc, char **argv)
{
	char own[4000];
	ssize_t n;

	if (argc > 1 && !strcmp(argv[1], SLUICE_DETECTOR_WORD))
		return sluice_detector_host(argc - 1, argv + 1);
	n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	own[n < 0 ? 0 : n] = 0;
	snprintf(folder, sizeof(folder) - 20, "%s", dirname(dirname(own)));
	memcpy(folder + strlen(folder), "/plugins", 9);
	test_squares();
	test_loading();
	test_boxes();
	test_recovery();
	test_slow();
	test_hang();
	test_many();
	test_deaths();
	test_failures();
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* all are buried */
	return check_result();
}
