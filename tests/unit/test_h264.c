// SPDX-License-Identifier: MIT
/*
 * test_h264.c - whatever the program does that should make an MP4, there is an answer and nothing
 * else: it fails, gives no MP4, hangs, writes without end, or wants files and the network.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>

#include "cloud/h264.h"
#include "tests/unit/check.h"

static char dir[200];

/* A program of that text. */
static const char *script(const char *text)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/program", dir);
	unlink(path);
	f = fopen(path, "w");
	if (!f || fprintf(f, "#!/bin/sh\n%s\n", text) < 0 || fclose(f) || chmod(path, 0755))
		exit(1);
	return path;
}

static int make(const char *text, const atomic_int *stopping, size_t *made)
{
	static const uint8_t webm[] = "not really a video";
	uint8_t *mp4;
	int err = sluice_h264_make(script(text), webm, sizeof(webm), stopping, &mp4, made);

	CHECK(!err == (mp4 != NULL));
	free(mp4);
	return err;
}

static void *stop_soon(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	atomic_store((atomic_int *)arg, 1);
	return NULL;
}

static void test_answers(void)
{
	atomic_int stopping = 0;
	pthread_t thread;
	size_t made;

	/* sixteen bytes are enough to look like one */
	CHECK(!make("printf '\\0\\0\\0\\030ftypisom........' >&4", NULL, &made) && made == 20);
	CHECK(make("exit 3", NULL, &made) == -EIO);
	CHECK(make("kill -SEGV $$", NULL, &made) == -EIO);
	CHECK(make(":", NULL, &made) == -EIO);			    /* nothing */
	CHECK(make("exec cat <&3 >&4", NULL, &made) == -EIO);	    /* the WebM is none */
	CHECK(make("exec cat /dev/zero >&4", NULL, &made) == -EIO); /* above its limit */
	CHECK(!pthread_create(&thread, NULL, stop_soon, &stopping));
	CHECK(make("exec sleep 1000", &stopping, &made) == -ECANCELED);
	pthread_join(thread, NULL);
	CHECK(sluice_h264_make("/nowhere/ffmpeg", (const uint8_t *)"x", 1, NULL, &(uint8_t *){ 0 },
			       &made) == -EIO);
}

/* What it must not do: each script answers well if it could. */
static void test_shut_in(void)
{
	static const char *const wishes[] = {
		"echo x >%s/written",	  "mkdir %s/made", "rm %s/program",
		"mv %s/program %s/moved", "chmod 777 %s",  "(exit 0)",
	};
	static const char network[] =
		"exec perl -e 'use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0) or exit 1; "
		"open(my $f, \">&=4\"); print $f \"\\0\\0\\0\\030ftypisom........\"'";
	char text[1024], wish[600];
	size_t made;

	CHECK(make(network, NULL, &made) == -EIO);
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		snprintf(wish, sizeof(wish), wishes[i], dir, dir);
		snprintf(text, sizeof(text), "%s && printf '\\0\\0\\0\\030ftypisom........' >&4",
			 wish);
		CHECK(make(text, NULL, &made) == -EIO);
	}
}

static void test_summary(void)
{
	const struct sluice_summary_media media[] = { { "digest.webm", (const uint8_t *)"w", 1 },
						      { "heat.png", (const uint8_t *)"p", 1 } };
	struct sluice_summary sum = {
		.id = "1", .json = "{\"digest\":\"digest.webm\"}", .media = media, .media_count = 2
	};
	struct sluice_h264_summary s;
	json_t *o;

	CHECK(!sluice_h264_add(script("printf '\\0\\0\\0\\030ftypisom........' >&4"), &sum, NULL,
			       &s));
	CHECK(s.sum.media_count == 3 && !strcmp(s.sum.media[2].name, "digest.mp4") &&
	      s.sum.media[2].size == 20 && !strcmp(s.sum.media[0].name, "digest.webm"));
	o = json_loads(s.sum.json, 0, NULL);
	CHECK(o && !strcmp(json_string_value(json_object_get(o, "h264")), "digest.mp4") &&
	      json_object_get(o, "digest"));
	json_decref(o);
	sluice_h264_free(&s);
	sum.media++;
	sum.media_count--;
	CHECK(sluice_h264_add(script("exit 1"), &sum, NULL, &s) == -ENOENT); /* no video in it */
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], SLUICE_H264_WORD))
		return sluice_h264_child(argc - 1, argv + 1);
	snprintf(dir, sizeof(dir), "%s/h264.XXXXXX",
		 getenv("TEST_TMP") ? getenv("TEST_TMP") : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	test_answers();
	test_shut_in();
	test_summary();
	unlink(script(""));
	rmdir(dir);
	return check_result();
}
