// SPDX-License-Identifier: MIT
/*
 * camapp.c - an application that streams a camera, with the memory and the manners that v4l2-ctl
 * does not have, for the guest's tests.
 *
 *	camapp NODE [frames=N] [mem=mmap|user|dmabuf] [export=NODE] [to=FILE] [list=FILE]
 *		[repack=STRIDE] [fps=N] [then=WxH/FOURCC] [hold=N] [every-ms=N]
 * Streams N frames (default 10) with the format that is set. dmabuf: the buffers are those of the
 * other NODE, which must have the same format. then: STREAMOFF, other format, and N frames more
 * without closing the node. hold: keeps so many buffers dequeued and gives them back late.
 * every-ms: sleeps so long before each DQBUF. to: the pictures, planes one after the other,
 * without what lies before data_offset; repack: chroma lines filled up to that stride of luma.
 * list: a line "sequence bytes" for each. Single and multi-planar nodes. Exit 0 if all frames
 * came, 1 with a message if not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>

#define BUFFERS 4
#define PLANES	3

struct app {
	int fd, exporter;
	__u32 type, memory;
	__u32 planes, count;
	struct {
		void *at[PLANES];
		size_t size[PLANES];
		int fd[PLANES];
	} buffer[BUFFERS];
	FILE *to, *list;
	unsigned int hold, every_ms, repack;
	__u32 line[PLANES]; /* bytes per line, multi-planar */
};

static void die(const char *what)
{
	printf("camapp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void call(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg))
		die(what);
}

static __u32 queue_type(int fd)
{
	struct v4l2_capability cap = { 0 };

	call(fd, VIDIOC_QUERYCAP, &cap, "QUERYCAP");
	return cap.device_caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
							       : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

static int is_mplane(const struct app *a)
{
	return a->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

/* A buffer struct for one index, with room for planes. */
static void prepare(const struct app *a, struct v4l2_buffer *b, struct v4l2_plane *planes, __u32 i,
		    __u32 memory)
{
	memset(b, 0, sizeof(*b));
	memset(planes, 0, VIDEO_MAX_PLANES * sizeof(*planes));
	b->index = i;
	b->type = a->type;
	b->memory = memory;
	if (is_mplane(a)) {
		b->m.planes = planes;
		b->length = a->planes ? a->planes : VIDEO_MAX_PLANES;
	}
}

static void request(const struct app *a, int fd, __u32 count, __u32 memory)
{
	struct v4l2_requestbuffers rb = { .count = count, .type = a->type, .memory = memory };

	call(fd, VIDIOC_REQBUFS, &rb, "REQBUFS");
	if (count && rb.count < count)
		die("REQBUFS gave too few");
}

/* Sizes and places of the buffers of fd, which has MMAP ones. export: as file descriptors. */
static void map_buffers(struct app *a, int fd, int export)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	struct v4l2_buffer b;

	for (__u32 i = 0; i < BUFFERS; i++) {
		prepare(a, &b, planes, i, V4L2_MEMORY_MMAP);
		call(fd, VIDIOC_QUERYBUF, &b, "QUERYBUF");
		for (__u32 p = 0; p < a->planes; p++) {
			size_t size = is_mplane(a) ? planes[p].length : b.length;
			struct v4l2_exportbuffer e = { .type = a->type, .index = i, .plane = p };

			a->buffer[i].size[p] = size;
			if (export)
				call(fd, VIDIOC_EXPBUF, &e, "EXPBUF");
			a->buffer[i].fd[p] = export ? e.fd : -1;
			a->buffer[i].at[p] =
				mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				     is_mplane(a) ? planes[p].m.mem_offset : b.m.offset);
			if (a->buffer[i].at[p] == MAP_FAILED)
				die("mmap");
		}
	}
}

static void make_buffers(struct app *a)
{
	struct v4l2_format f = { .type = a->type };

	call(a->fd, VIDIOC_G_FMT, &f, "G_FMT");
	a->planes = is_mplane(a) ? f.fmt.pix_mp.num_planes : 1;
	if (a->planes > PLANES)
		die("too many planes");
	for (__u32 p = 0; is_mplane(a) && p < a->planes; p++)
		a->line[p] = f.fmt.pix_mp.plane_fmt[p].bytesperline;
	request(a, a->fd, BUFFERS, a->memory);
	if (a->memory == V4L2_MEMORY_MMAP)
		map_buffers(a, a->fd, 0);
	if (a->memory == V4L2_MEMORY_DMABUF) {
		request(a, a->exporter, BUFFERS, V4L2_MEMORY_MMAP);
		map_buffers(a, a->exporter, 1);
	}
	for (__u32 i = 0; a->memory == V4L2_MEMORY_USERPTR && i < BUFFERS; i++) {
		for (__u32 p = 0; p < a->planes; p++) {
			size_t size = is_mplane(a) ? f.fmt.pix_mp.plane_fmt[p].sizeimage
						   : f.fmt.pix.sizeimage;

			a->buffer[i].size[p] = size;
			if (posix_memalign(&a->buffer[i].at[p], 4096, size + 4096))
				die("memory");
			memset(a->buffer[i].at[p], 0, size);
		}
	}
}

static void queue(struct app *a, __u32 i)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	struct v4l2_buffer b;

	prepare(a, &b, planes, i, a->memory);
	for (__u32 p = 0; p < a->planes; p++) {
		planes[p].length = a->buffer[i].size[p];
		if (a->memory == V4L2_MEMORY_USERPTR)
			planes[p].m.userptr = (unsigned long)a->buffer[i].at[p];
		if (a->memory == V4L2_MEMORY_DMABUF)
			planes[p].m.fd = a->buffer[i].fd[p];
	}
	if (!is_mplane(a)) {
		b.length = a->buffer[i].size[0];
		if (a->memory == V4L2_MEMORY_USERPTR)
			b.m.userptr = (unsigned long)a->buffer[i].at[0];
		if (a->memory == V4L2_MEMORY_DMABUF)
			b.m.fd = a->buffer[i].fd[0];
	}
	call(a->fd, VIDIOC_QBUF, &b, "QBUF");
}

/* The lines of a chroma plane, each filled up with zeros to what the contiguous format would have.
 */
static void write_lines(struct app *a, const char *from, size_t bytes, __u32 p)
{
	static const char zero[4096];
	size_t out = a->planes == 3 ? a->repack / 2 : a->repack, line = a->line[p];

	if (!line || line > out || out - line > sizeof(zero))
		die("repack");
	for (; bytes >= line; bytes -= line, from += line)
		if (fwrite(from, line, 1, a->to) != 1 ||
		    (out > line && fwrite(zero, out - line, 1, a->to) != 1))
			die("write");
}

static void keep(struct app *a, const struct v4l2_buffer *b, const struct v4l2_plane *planes)
{
	size_t sum = 0;

	for (__u32 p = 0; p < a->planes; p++) {
		size_t used = is_mplane(a) ? planes[p].bytesused : b->bytesused;
		size_t skip = is_mplane(a) ? planes[p].data_offset : 0;

		if (used > a->buffer[b->index].size[p])
			used = a->buffer[b->index].size[p]; /* some drivers lie */
		if (skip > used)
			skip = used;
		if (a->to && a->repack && p)
			write_lines(a, (char *)a->buffer[b->index].at[p] + skip, used - skip, p);
		else if (a->to && used > skip &&
			 fwrite((char *)a->buffer[b->index].at[p] + skip, used - skip, 1, a->to) !=
				 1)
			die("write");
		sum += used - skip;
	}
	if (a->list)
		fprintf(a->list, "%u %zu\n", b->sequence, sum);
}

static void stream(struct app *a, unsigned int frames)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	unsigned int held[BUFFERS], holding = 0;
	int type = (int)a->type;
	struct v4l2_buffer b;

	make_buffers(a);
	for (__u32 i = 0; i < BUFFERS; i++)
		queue(a, i);
	call(a->fd, VIDIOC_STREAMON, &type, "STREAMON");
	for (unsigned int n = 0; n < frames; n++) {
		if (a->every_ms)
			usleep(a->every_ms * 1000);
		prepare(a, &b, planes, 0, a->memory);
		call(a->fd, VIDIOC_DQBUF, &b, "DQBUF");
		if (b.index >= BUFFERS)
			die("index");
		keep(a, &b, planes);
		held[holding++] = b.index;
		if (holding <= a->hold)
			continue;
		queue(a, held[0]);
		memmove(held, held + 1, --holding * sizeof(*held));
	}
	call(a->fd, VIDIOC_STREAMOFF, &type, "STREAMOFF");
	for (__u32 i = 0; i < BUFFERS; i++) {
		for (__u32 p = 0; p < a->planes; p++) {
			if (a->memory == V4L2_MEMORY_USERPTR)
				free(a->buffer[i].at[p]);
			else
				munmap(a->buffer[i].at[p], a->buffer[i].size[p]);
			if (a->memory == V4L2_MEMORY_DMABUF)
				close(a->buffer[i].fd[p]);
		}
	}
	request(a, a->fd, 0, a->memory);
	if (a->memory == V4L2_MEMORY_DMABUF)
		request(a, a->exporter, 0, V4L2_MEMORY_MMAP);
}

static void change_format(const struct app *a, const char *text)
{
	struct v4l2_format f = { .type = a->type };
	unsigned int w, h;
	char code[5];

	if (sscanf(text, "%ux%u/%4s", &w, &h, code) != 3)
		die("then=WxH/FOURCC");
	call(a->fd, VIDIOC_G_FMT, &f, "G_FMT");
	f.fmt.pix.width = w; /* the same place in both kinds */
	f.fmt.pix.height = h;
	if (is_mplane(a)) {
		f.fmt.pix_mp.pixelformat = v4l2_fourcc(code[0], code[1], code[2], code[3]);
		memset(f.fmt.pix_mp.plane_fmt, 0, sizeof(f.fmt.pix_mp.plane_fmt));
	} else {
		f.fmt.pix.pixelformat = v4l2_fourcc(code[0], code[1], code[2], code[3]);
		f.fmt.pix.bytesperline = 0;
		f.fmt.pix.sizeimage = 0;
	}
	call(a->fd, VIDIOC_S_FMT, &f, "S_FMT");
}

static void set_rate(const struct app *a, unsigned int fps)
{
	struct v4l2_streamparm parm = { .type = a->type };

	parm.parm.capture.timeperframe.numerator = 1;
	parm.parm.capture.timeperframe.denominator = fps;
	if (fps)
		call(a->fd, VIDIOC_S_PARM, &parm, "S_PARM");
}

static const char *option(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(arg, name, n) ? arg + n : NULL;
}

int main(int argc, char **argv)
{
	struct app a = { .memory = V4L2_MEMORY_MMAP, .exporter = -1 };
	const char *then = NULL, *v;
	unsigned int frames = 10, fps = 0;

	if (argc < 2) {
		fprintf(stderr,
			"usage: camapp NODE [frames=N] [mem=mmap|user|dmabuf] [export=NODE] "
			"[to=FILE] [list=FILE] [repack=STRIDE] [fps=N] [then=WxH/FOURCC] [hold=N] "
			"[every-ms=N]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if ((v = option(argv[i], "frames=")))
			frames = (unsigned int)strtoul(v, NULL, 10);
		else if ((v = option(argv[i], "mem=")))
			a.memory = !strcmp(v, "user")	  ? V4L2_MEMORY_USERPTR
				   : !strcmp(v, "dmabuf") ? V4L2_MEMORY_DMABUF
							  : V4L2_MEMORY_MMAP;
		else if ((v = option(argv[i], "export=")))
			a.exporter = open(v, O_RDWR);
		else if ((v = option(argv[i], "to=")))
			a.to = fopen(v, "w");
		else if ((v = option(argv[i], "list=")) && (a.list = fopen(v, "w")))
			setvbuf(a.list, NULL, _IOLBF, 0);
		else if ((v = option(argv[i], "then=")))
			then = v;
		else if ((v = option(argv[i], "fps=")))
			fps = (unsigned int)strtoul(v, NULL, 10);
		else if ((v = option(argv[i], "repack=")))
			a.repack = (unsigned int)strtoul(v, NULL, 10);
		else if ((v = option(argv[i], "hold=")))
			a.hold = (unsigned int)strtoul(v, NULL, 10) % BUFFERS;
		else if ((v = option(argv[i], "every-ms=")))
			a.every_ms = (unsigned int)strtoul(v, NULL, 10);
	}
	a.fd = open(argv[1], O_RDWR);
	if (a.fd < 0)
		die(argv[1]);
	a.type = queue_type(a.fd);
	set_rate(&a, fps);
	if (frames)
		stream(&a, frames);
	if (then) {
		change_format(&a, then);
		stream(&a, frames);
	}
	if ((a.to && fclose(a.to)) || (a.list && fclose(a.list)))
		die("write");
	return 0;
}
