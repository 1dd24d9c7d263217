// SPDX-License-Identifier: MIT
/*
 * dqbuf.c - an application that streams a camera with mmap buffers and looks at the clock.
 *
 *	dqbuf NODE FRAMES [skip=N]
 *
 * For every frame: wait with poll() until the driver has finished a buffer; measure the DQBUF; then
 * measure the copy of the same bytes into memory that was not touched for a while. It is made with
 * the instruction that the kernel's own memcpy consists of on CPUs with ERMS, which an emulator
 *runs at a speed of its own; and once more with the C library's memcpy. The first N frames (default
 *10) do not count. Prints, in ns, medians and means, and all as histograms: "dqbuf FROM COUNT",
 *buckets of powers of two. Exit 1 if the camera does not stream.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 8
#define COLD	(32u << 20)

static struct {
	const void *data;
	size_t size;
} buffer[BUFFERS];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int up(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print(const char *name, uint64_t *ns, size_t n)
{
	unsigned int bucket[64] = { 0 };
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += ns[i];
		bucket[63 - __builtin_clzll(ns[i] | 1)]++;
	}
	qsort(ns, n, sizeof(*ns), up);
	printf("%s_median=%llu\n%s_mean=%llu\n", name, (unsigned long long)ns[n / 2], name,
	       (unsigned long long)(sum / n));
	for (int i = 0; i < 64; i++) {
		if (bucket[i])
			printf("%s %llu %u\n", name, 1ull << i, bucket[i]);
	}
}

/* As arch/x86/lib/memcpy_64.S does it. */
static void kernel_copy(void *to, const void *from, size_t n)
{
#ifdef __x86_64__
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
#else
	memcpy(to, from, n);
#endif
}

static int start(int fd)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_requestbuffers r = { .count = BUFFERS,
					 .type = (unsigned int)type,
					 .memory = V4L2_MEMORY_MMAP };

	if (ioctl(fd, VIDIOC_REQBUFS, &r) || r.count > BUFFERS)
		return -1;
	for (unsigned int i = 0; i < r.count; i++) {
		struct v4l2_buffer b = { .index = i,
					 .type = (unsigned int)type,
					 .memory = V4L2_MEMORY_MMAP };

		if (ioctl(fd, VIDIOC_QUERYBUF, &b))
			return -1;
		buffer[i].size = b.length;
		buffer[i].data = mmap(NULL, b.length, PROT_READ, MAP_SHARED, fd, b.m.offset);
		if (buffer[i].data == MAP_FAILED || ioctl(fd, VIDIOC_QBUF, &b))
			return -1;
	}
	return ioctl(fd, VIDIOC_STREAMON, &type);
}

/* One frame; returns its bytes, or a negative errno. */
static long one_frame(int fd, uint8_t *cold, uint64_t *dequeue, uint64_t *copy, uint64_t *libc)
{
	struct v4l2_buffer b = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static size_t at;
	size_t size;
	uint64_t t;

	if (poll(&p, 1, 10000) != 1)
		return -ETIMEDOUT;
	t = now();
	if (ioctl(fd, VIDIOC_DQBUF, &b))
		return -errno;
	*dequeue = now() - t;
	size = b.bytesused < buffer[b.index].size ? b.bytesused : buffer[b.index].size;
	if (at + size > COLD)
		at = 0;
	t = now();
	kernel_copy(cold + at, buffer[b.index].data, size);
	*copy = now() - t;
	at += (size + 4095) & ~(size_t)4095;
	if (at + size > COLD)
		at = 0;
	t = now();
	memcpy(cold + at, buffer[b.index].data, size);
	*libc = now() - t;
	at += (size + 4095) & ~(size_t)4095;
	return ioctl(fd, VIDIOC_QBUF, &b) ? -errno : (long)size;
}

int main(int argc, char **argv)
{
	long frames = argc > 2 ? strtol(argv[2], NULL, 10) : 0, skip = 10, bytes = 0, n = 0;
	uint64_t *dequeue = calloc((size_t)frames + 1, sizeof(*dequeue));
	uint64_t *copy = calloc((size_t)frames + 1, sizeof(*copy));
	uint64_t *libc = calloc((size_t)frames + 1, sizeof(*libc));
	uint8_t *cold = malloc(COLD);
	int fd;

	if (frames <= 0 || !dequeue || !copy || !libc || !cold) {
		fprintf(stderr, "usage: dqbuf NODE FRAMES [skip=N]\n");
		return 2;
	}
	if (argc > 3 && !strncmp(argv[3], "skip=", 5))
		skip = strtol(argv[3] + 5, NULL, 10);
	memset(cold, 1, COLD);
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || start(fd)) {
		printf("%s does not stream: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (long i = -skip; i < frames; i++) {
		long size = one_frame(fd, cold, &dequeue[n], &copy[n], &libc[n]);

		if (size < 0) {
			printf("frame %ld: %s\n", i, strerror((int)-size));
			return 1;
		}
		if (i < 0)
			continue;
		bytes += size;
		n++;
	}
	printf("frames=%ld\nbytes=%ld\n", n, bytes / n);
	print("dqbuf", dequeue, (size_t)n);
	print("copy", copy, (size_t)n);
	print("libc_copy", libc, (size_t)n);
	return 0;
}
