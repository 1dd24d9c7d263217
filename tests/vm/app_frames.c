// SPDX-License-Identifier: MIT
/*
 * app_frames CAMSIM-LOG V4L2-LOG STREAM
 *
 * Did the application get what the camera sent? CAMSIM-LOG is sluice-camsim's --log, STREAM what
 * v4l2-ctl --stream-to wrote, V4L2-LOG what it said with --verbose. Every frame of the application
 * must be, byte for byte (CRC-32), a frame of the camera, later than the one before it, whole, and
 * the driver's sequence numbers must have no gap. Frames that the camera sent before the first or
 * after the last one are not the application's affair.
 *
 * Exit 0: complete, 1: not (each fault is printed), 2: wrong use or a file that is not one of
 * these.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 1000000
#define FRAME_MAX  (64u << 20)
#define FAULTS_MAX 10 /* printed */

/* What the camera sent. */
struct sent {
	uint32_t crc;
	uint32_t size;
	bool whole;
};

static struct sent *camera;
static size_t camera_count;

static uint32_t crc32_of(const unsigned char *bytes, size_t size)
{
	static uint32_t table[256];
	uint32_t crc = ~0u;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
	}
	while (size--)
		crc = crc >> 8 ^ table[(crc ^ *bytes++) & 255];
	return ~crc;
}

static int read_camera(const char *path)
{
	char line[1024];
	FILE *f = fopen(path, "re");

	camera = calloc(FRAMES_MAX, sizeof(*camera));
	if (!f || !camera) {
		fprintf(stderr, "app_frames: cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (camera_count < FRAMES_MAX && fgets(line, sizeof(line), f)) {
		struct sent *s = &camera[camera_count];
		const char *bytes = strstr(line, "\"bytes\":");
		const char *crc = strstr(line, "\"crc32\":\"");
		const char *sent = strstr(line, "\"sent\":");
		char *end;

		/* the last line may be cut where the machine ended */
		if (!bytes || !crc || !sent || !strchr(line, '\n'))
			break;
		s->size = strtoul(bytes + 8, &end, 10);
		s->crc = strtoul(crc + 9, &end, 16);
		s->whole = strtoul(sent + 7, &end, 10) == s->size;
		camera_count++;
	}
	fclose(f);
	return 0;
}

/* Finds the frame among those the camera sent from @from on. Returns its index or -1. */
static ssize_t find_sent(size_t from, uint32_t crc, uint32_t size)
{
	for (size_t i = from; i < camera_count; i++) {
		if (camera[i].crc == crc && camera[i].size == size)
			return i;
	}
	return -1;
}

static int compare(FILE *log, FILE *stream)
{
	size_t frames = 0, next = 0, faults = 0, missed = 0;
	unsigned long sequence = 0;
	unsigned char *frame = malloc(FRAME_MAX);
	char line[1024];

	while (frame && fgets(line, sizeof(line), log)) {
		const char *seq = strstr(line, "dqbuf:") ? strstr(line, "seq:") : NULL;
		const char *used = seq ? strstr(seq, "bytesused:") : NULL;
		unsigned long s, size;
		ssize_t at;

		if (!used)
			continue;
		s = strtoul(seq + 4, NULL, 10);
		size = strtoul(used + 10, NULL, 10);
		if (size > FRAME_MAX || fread(frame, 1, size, stream) != size) {
			printf("frame %zu: the stream ends inside it\n", frames);
			faults++;
			break;
		}
		if (frames && s != sequence + 1) {
			missed += s - sequence - 1;
			if (faults++ < FAULTS_MAX)
				printf("frame %zu: sequence %lu after %lu\n", frames, s, sequence);
		}
		sequence = s;
		at = find_sent(next, crc32_of(frame, size), size);
		if (at < 0 || !camera[at].whole) {
			if (faults++ < FAULTS_MAX)
				printf("frame %zu (%lu bytes) is not what the camera sent\n",
				       frames, size);
		} else {
			next = at + 1;
		}
		frames++;
	}
	free(frame);
	if (fgetc(stream) != EOF) {
		printf("the stream has bytes behind its last frame\n");
		faults++;
	}
	printf("the application got %zu frames, %zu faults, %zu missing in between; the camera "
	       "sent %zu\n",
	       frames, faults, missed, camera_count);
	return !frames || faults ? 1 : 0;
}

int main(int argc, char **argv)
{
	FILE *log, *stream;
	int rc;

	if (argc != 4) {
		fprintf(stderr, "usage: app_frames CAMSIM-LOG V4L2-LOG STREAM\n");
		return 2;
	}
	if (read_camera(argv[1]))
		return 2;
	log = fopen(argv[2], "re");
	stream = fopen(argv[3], "rbe");
	if (!log || !stream) {
		fprintf(stderr, "app_frames: cannot read %s: %s\n", log ? argv[3] : argv[2],
			strerror(errno));
		return 2;
	}
	rc = compare(log, stream);
	fclose(stream);
	fclose(log);
	free(camera);
	return rc;
}
