// SPDX-License-Identifier: MIT
/*
 * bad.c - a detector that does what none may. Its configuration is "WHAT", done in open() or in
 * detect(); "WHAT N": only in the N-th detect(), counted from 0, which is the grey picture. Built
 * with BAD_ABI it is of another ABI, with BAD_TABLE its table is too short, with BAD_SYMBOL it is
 * no detector.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sluice/detector.h>

static char what[32];
static unsigned int when = UINT32_MAX, calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int wanted, worked;
static char *kept[512];

static int is(const char *word)
{
	return !strcmp(what, word);
}

/* ---- in open() ---- */

/* A thread that works when it is told to, as pools do. */
static void *pool(void *arg)
{
	pthread_mutex_lock(&lock);
	for (;;) {
		while (!wanted)
			pthread_cond_wait(&changed, &lock);
		wanted = 0;
		if (is("pool_socket"))
			socket(AF_INET, SOCK_STREAM, 0);
		worked++;
		pthread_cond_broadcast(&changed);
	}
	return NULL;
}

static void use_pool(void)
{
	int before;

	pthread_mutex_lock(&lock);
	before = worked;
	wanted = 1;
	pthread_cond_broadcast(&changed);
	while (worked == before)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

/* Says what it could do that it should not be able to. */
static int try_all(char *why, size_t why_size)
{
	int fd, status = 0;
	char path[64];
	pid_t pid;

	snprintf(path, sizeof(path), "/tmp/sluice-bad-%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd >= 0) {
		unlink(path);
		snprintf(why, why_size, "it could make a file");
		return -EPERM;
	}
	if (open("/dev/null", O_RDWR) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0 ||
	    socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 || !kill(getppid(), 0)) {
		snprintf(why, why_size, "it could write, have a socket, or signal its master");
		return -EPERM;
	}
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid > 0) {
		waitpid(pid, &status, 0);
		snprintf(why, why_size, "it could fork");
		return -EPERM;
	}
	execl("/bin/true", "true", (char *)NULL); /* it would end with code 0 */
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0) != MAP_FAILED) {
		snprintf(why, why_size, "it could have memory that is writable and executable");
		return -EPERM;
	}
	return 0;
}

static int bad_open(const char *config, const char *folder, void **detector, char *why,
		    size_t why_size)
{
	pthread_t thread;

	sscanf(config, "%31s %u", what, &when);
	*detector = what;
	if (is("open_fails")) {
		snprintf(why, why_size, "no model in %s\n\033[31m", folder);
		return -ENOENT;
	}
	if (is("open_crashes"))
		raise(SIGSEGV);
	if (is("open_ends"))
		_exit(3);
	if (is("open_tries"))
		return try_all(why, why_size);
	if (is("open_eats"))
		for (int i = 0; i < 512; i++) {
			char *p = malloc(8 << 20);

			if (!p)
				return -ENOMEM;
			kept[i] = p;
		}
	if (!strncmp(what, "pool", 4) && pthread_create(&thread, NULL, pool, NULL)) {
		snprintf(why, why_size, "no thread");
		return -EAGAIN;
	}
	return 0;
}

static void bad_info(void *detector, struct sluice_detector_info *info)
{
	static const char *classes[] = { "thing" };

	snprintf(info->name, sizeof(info->name), "%s", is("name") ? "<script>" : "bad");
	if (is("long_name"))
		memset(info->name, 'a', sizeof(info->name));
	if (is("class"))
		classes[0] = "a\"b";
	info->batch_max = is("batch") ? 1000 : 1;
	info->side = is("side") ? 0 : 64;
	info->class_count = is("many_classes") ? 1u << 31 : is("no_classes") ? 0 : 1;
	info->classes = is("null_classes") ? NULL : classes;
}

/* ---- in detect() ---- */

static void rest_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void *nothing(void *arg)
{
	return arg;
}

static void misbehave(const struct sluice_detector_image *image)
{
	static volatile uintptr_t nowhere;
	pthread_t thread;

	if (is("crash"))
		*(volatile int *)nowhere = 1;
	else if (is("abort"))
		abort();
	else if (is("end"))
		_exit(0);
	else if (is("hang"))
		for (volatile int i = 0;; i++)
			;
	else if (is("slow"))
		rest_ms(150);
	else if (is("slower")) /* than the longest deadline that there can be */
		rest_ms(2000);
	else if (is("scribble"))
		*(volatile uint8_t *)(uintptr_t)image->data = 1;
	else if (is("open"))
		open("/etc/passwd", O_RDONLY);
	else if (is("socket"))
		socket(AF_INET, SOCK_STREAM, 0);
	else if (is("kill"))
		kill(getppid(), SIGKILL);
	else if (is("thread"))
		pthread_create(&thread, NULL, nothing, NULL);
	else if (is("babble"))
		for (int i = 0; i < 100; i++)
			if (write(3, "12345678", 8) < 0)
				return;
}

static void answer(const struct sluice_detector_image *image, struct sluice_detector_result *r)
{
	float w = image->width, h = image->height;

	r->count = 1;
	r->box[0] = (struct sluice_detector_box){ w / 4, h / 4, w / 2, h / 2, 0.75f, 0 };
	if (is("nan"))
		r->box[0].x = NAN;
	else if (is("nan_score"))
		r->box[0].score = NAN;
	else if (is("score"))
		r->box[0].score = 1.5f;
	else if (is("infinite"))
		r->box[0].w = INFINITY;
	else if (is("class_id"))
		r->box[0].class = 1;
	else if (is("huge"))
		r->count = UINT32_MAX;
	else if (is("one_more"))
		r->count = r->capacity + 1;
	else if (is("beyond"))
		r->box[0] = (struct sluice_detector_box){ -10, -5, w + 100, 1e6f, 0.75f, 0 };
	else if (is("outside"))
		r->box[0] = (struct sluice_detector_box){ w + 1, 0, 10, 10, 0.75f, 0 };
	else if (is("empty"))
		r->box[0].w = -3;
	else if (is("elsewhere"))
		r->box = NULL; /* its own business: the node has its own */
}

static int bad_detect(void *detector, const struct sluice_detector_image *image, uint32_t count,
		      struct sluice_detector_result *result, uint32_t left_ms, char *why,
		      size_t why_size)
{
	unsigned int n = calls++;

	if (!strncmp(what, "pool", 4))
		use_pool();
	if (n && (when == UINT32_MAX || n == when)) {
		misbehave(image);
		if (is("error")) {
			snprintf(why, why_size, "the model is tired");
			return -EIO;
		}
		if (is("mute"))
			return -EINVAL;
		answer(image, result);
	} else if (n) {
		result->count = 1;
		result->box[0] = (struct sluice_detector_box){ 1, 2, 3, 4, 0.5f, 0 };
	}
	return 0;
}

static void bad_close(void *detector)
{
}

#ifndef BAD_ABI
#define BAD_ABI SLUICE_DETECTOR_ABI
#endif
#ifndef BAD_TABLE
#define BAD_TABLE sizeof(struct sluice_detector_table)
#endif
#ifdef BAD_SYMBOL
#define sluice_detector sluice_defector
const struct sluice_detector_table *sluice_defector(uint32_t abi);
#endif

const struct sluice_detector_table *sluice_detector(uint32_t abi)
{
	static const struct sluice_detector_table table = {
		BAD_ABI, BAD_TABLE, bad_open, bad_info, bad_detect, bad_close,
	};

	return BAD_ABI ? &table : NULL;
}
