// SPDX-License-Identifier: MIT
/*
 * usage: crash_check [--config FILE] DATA DEVICE LOG...
 *
 * Is everything that devices were told to be STORED (crash_device.c) in the store at DATA, byte for
 * byte? The index is the one that FILE (cloud.conf) names. Prints counts; exit status 1 if a frame
 * is missing or wrong. Nobody else uses DATA.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/conf.h"
#include "cloud/index.h"
#include "cloud/indexconf.h"
#include "cloud/mediaconf.h"
#include "cloud/segment.h"
#include "tests/pipeline/crash_frame.h"

#define STREAMS_MAX 4096

/* What was STORED of one epoch. */
struct stream {
	unsigned int camera;
	unsigned long long epoch, last;
};

static struct stream stream[STREAMS_MAX];
static size_t count;
static unsigned long stored, missing, wrong;

static int read_log(const char *path)
{
	struct stream s;
	FILE *f = fopen(path, "r");
	size_t i;

	if (!f)
		return -1;
	while (fscanf(f, "cam%u %llu %llu\n", &s.camera, &s.epoch, &s.last) == 3) {
		for (i = 0; i < count; i++)
			if (stream[i].camera == s.camera && stream[i].epoch == s.epoch)
				break;
		if (i == STREAMS_MAX)
			return -1;
		if (i == count)
			stream[count++] = s;
		else if (s.last > stream[i].last)
			stream[i].last = s.last;
	}
	return fclose(f);
}

static void check_frame(struct sluice_index *ix, struct sluice_depot *depot,
			const struct sluice_camera *c, const struct stream *s, uint64_t sequence)
{
	struct sluice_segment_frame f;
	struct sluice_index_frame row;
	char path[192];
	uint8_t *buf = NULL, *expect;
	size_t size;

	stored++;
	if (ix->ops->frame_find(ix, c->id, s->epoch, sequence, &row, path)) {
		missing++;
		return;
	}
	if (sluice_segment_read_in(depot, path, NULL, row.offset, row.length, &f, &buf)) {
		missing++;
		return;
	}
	expect = crash_picture(s->camera, s->epoch, sequence, &size);
	wrong += f.jpeg_size != size || memcmp(f.jpeg, expect, size) != 0 || f.epoch != s->epoch ||
		 f.sequence != sequence || f.time_ns != crash_time_ns(sequence);
	free(expect);
	free(buf);
}

/* path NULL: what the environment says. */
static int use_config(const char *path, const char *data, struct sluice_media **media)
{
	struct sluice_cloud_conf conf;
	char why[SLUICE_PG_WHY] = "";
	int err = sluice_cloud_conf_read(&conf, path, NULL, 0, why, sizeof(why));

	if (!err)
		err = sluice_indexconf_use(&conf, why);
	if (!err)
		err = sluice_mediaconf_open(&conf, data, NULL, media, why);
	if (err)
		fprintf(stderr, "crash_check: %s: %s\n", path ? path : "settings", why);
	sluice_cloud_conf_free(&conf);
	return err;
}

int main(int argc, char **argv)
{
	const char *config = NULL;
	struct sluice_depot local, *depot;
	struct sluice_media *media;
	struct sluice_index *ix;
	char name[16];
	struct sluice_camera c;
	uint64_t sequence;
	size_t i;

	if (argc > 2 && !strcmp(argv[1], "--config")) {
		config = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 4)
		return 2;
	for (i = 3; i < (size_t)argc; i++)
		if (read_log(argv[i]))
			return 2;
	if (use_config(config, argv[1], &media) || sluice_index_open(argv[1], &ix))
		return 2;
	depot = sluice_media_depot(media, argv[1], &local);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "cam%u", stream[i].camera);
		if (sluice_camera_init(&c, "default", argv[2], name))
			return 2;
		for (sequence = 0; sequence <= stream[i].last; sequence++)
			check_frame(ix, depot, &c, &stream[i], sequence);
	}
	sluice_index_close(ix);
	sluice_media_close(media);
	printf("%lu frames in %zu epochs were STORED; missing %lu, wrong %lu\n", stored, count,
	       missing, wrong);
	return missing || wrong;
}
