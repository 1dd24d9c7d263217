// SPDX-License-Identifier: MIT
/*
 * app_frames CAMSIM-LOG V4L2-LOG STREAM
 *
 * Did the application get what the camera sent? CAMSIM-LOG is sluice-camsim's --log, STREAM what
 * v4l2-ctl --stream-to wrote, V4L2-LOG what it said with --verbose. The camera's n-th frame of a
 * stream has the driver's sequence number n. So every frame of the application must be, byte for
 * byte (CRC-32), the camera's frame of that number, whole; and between the smallest and the largest
 * number each must be there exactly once. Frames that the camera sent before the first or after the
 * last one are not the application's affair.
 *
 * The order is not asked for: uvcvideo copies the last bytes of a frame in an unbound workqueue,
 * and on a busy machine a frame can so be overtaken by the next one. Such frames are counted.
 *
 * Exit 0: complete, 1: not (each fault is printed), 2: wrong use or a file that is not one of
 * these.
 */
#include <errno.h>
#include <stdarg.h>
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
	bool seen; /* by the application */
};

static struct sent *camera; /* of its last stream, by number in it */
static size_t camera_count;
static size_t faults;

static void tell_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell_fault(const char *format, ...)
{
	va_list args;

	if (faults++ >= FAULTS_MAX)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

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
	unsigned long stream = 0;
	char line[1024];
	FILE *f = fopen(path, "re");

	camera = calloc(FRAMES_MAX, sizeof(*camera));
	if (!f || !camera) {
		fprintf(stderr, "app_frames: cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (camera_count < FRAMES_MAX && fgets(line, sizeof(line), f)) {
		const char *number = strstr(line, "\"stream\":");
		const char *bytes = strstr(line, "\"bytes\":");
		const char *crc = strstr(line, "\"crc32\":\"");
		const char *sent = strstr(line, "\"sent\":");
		struct sent *s;

		/* the last line may be cut where the machine ended */
		if (!number || !bytes || !crc || !sent || !strchr(line, '\n'))
			break;
		if (strtoul(number + 9, NULL, 10) != stream) {
			stream = strtoul(number + 9, NULL, 10);
			memset(camera, 0, camera_count * sizeof(*camera));
			camera_count = 0;
		}
		s = &camera[camera_count++];
		s->size = strtoul(bytes + 8, NULL, 10);
		s->crc = strtoul(crc + 9, NULL, 16);
		s->whole = strtoul(sent + 7, NULL, 10) == s->size;
	}
	fclose(f);
	return 0;
}

static void compare_frame(unsigned long sequence, const unsigned char *frame, size_t size)
{
	struct sent *s;

	if (sequence >= camera_count) {
		tell_fault("sequence %lu: the camera sent %zu frames only\n", sequence,
			   camera_count);
		return;
	}
	s = &camera[sequence];
	if (s->seen)
		tell_fault("sequence %lu came twice\n", sequence);
	s->seen = true;
	if (!s->whole || s->size != size || s->crc != crc32_of(frame, size))
		tell_fault("sequence %lu (%zu bytes) is not what the camera sent\n", sequence,
			   size);
}

static int compare(FILE *log, FILE *stream)
{
	size_t frames = 0, missing = 0, overtaken = 0;
	unsigned long first = 0, last = 0;
	unsigned char *frame = malloc(FRAME_MAX);
	char line[1024];

	while (frame && fgets(line, sizeof(line), log)) {
		const char *seq = strstr(line, "dqbuf:") ? strstr(line, "seq:") : NULL;
		const char *used = seq ? strstr(seq, "bytesused:") : NULL;
		unsigned long s, size;

		if (!used)
			continue;
		s = strtoul(seq + 4, NULL, 10);
		size = strtoul(used + 10, NULL, 10);
		if (size > FRAME_MAX || fread(frame, 1, size, stream) != size) {
			tell_fault("frame %zu: the stream ends inside it\n", frames);
			break;
		}
		compare_frame(s, frame, size);
		if (!frames || s < first)
			first = s;
		if (!frames || s > last)
			last = s;
		else
			overtaken++;
		frames++;
	}
	free(frame);
	if (fgetc(stream) != EOF)
		tell_fault("the stream has bytes behind its last frame\n");
	for (unsigned long s = first; frames && s <= last && s < camera_count; s++) {
		if (camera[s].seen)
			continue;
		missing++;
		tell_fault("sequence %lu never came\n", s);
	}
	printf("the application got %zu frames, %zu missing in between, %zu out of order; the "
	       "camera "
	       "sent %zu\n",
	       frames, missing, overtaken, camera_count);
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
