// SPDX-License-Identifier: MIT
/*
 * attach.c - hands an open camera to the module. In capture mode the camera is configured here, by
 * ordinary V4L2 calls with the caller's own permissions; the module streams what it is given.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/ctl/fields.h"

struct wish {
	const char *device, *name;
	uint32_t mode, format, width, height;
	int64_t fps, arena_mib;
};

static int open_camera(const struct ctl *ctl, const struct wish *w)
{
	struct v4l2_capability cap = { 0 };
	int fd = open(w->device, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		const char *what = errno == EACCES ? "; add the user to group video"
				   : errno == ENOENT
					   ? "; 'v4l2-ctl --list-devices' lists the cameras"
				   : errno == EBUSY ? "; another program has it for itself"
						    : "";

		ctl_error(ctl, 0, "cannot open %s: %s%s", w->device, strerror(errno), what);
		return -1;
	}
	if (ioctl(fd, VIDIOC_QUERYCAP, &cap) < 0) {
		ctl_error(ctl, 0,
			  "%s is not a V4L2 device; 'v4l2-ctl --list-devices' lists the cameras",
			  w->device);
	} else if (!(cap.device_caps & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE))) {
		ctl_error(ctl, 0,
			  "%s does not capture video (%s); a camera often has a second node for "
			  "metadata",
			  w->device, cap.card);
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

static int configure(const struct ctl *ctl, int fd, const struct wish *w)
{
	struct v4l2_format f = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_streamparm p = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	char got[5], want[5];

	if (ioctl(fd, VIDIOC_G_FMT, &f) < 0)
		return ctl_error(ctl, -1, "%s does not tell its format: %s", w->device,
				 strerror(errno));
	if (w->format)
		f.fmt.pix.pixelformat = w->format;
	if (w->width) {
		f.fmt.pix.width = w->width;
		f.fmt.pix.height = w->height;
	}
	f.fmt.pix.bytesperline = 0;
	if ((w->format || w->width) && ioctl(fd, VIDIOC_S_FMT, &f) < 0)
		return ctl_error(ctl, -1, "%s refuses the format: %s%s", w->device, strerror(errno),
				 errno == EBUSY
					 ? "; another program streams it: attach with --mode tap"
					 : "");
	if (w->format && f.fmt.pix.pixelformat != w->format)
		return ctl_error(ctl, -1, "%s has no format %s, it offers %s", w->device,
				 field_fourcc(w->format, want),
				 field_fourcc(f.fmt.pix.pixelformat, got));
	if (w->width && (f.fmt.pix.width != w->width || f.fmt.pix.height != w->height))
		return ctl_error(ctl, -1, "%s has no size %ux%u, the nearest is %ux%u", w->device,
				 w->width, w->height, f.fmt.pix.width, f.fmt.pix.height);
	if (w->fps) {
		p.parm.capture.timeperframe.numerator = 1;
		p.parm.capture.timeperframe.denominator = w->fps;
		if (ioctl(fd, VIDIOC_S_PARM, &p) < 0)
			return ctl_error(ctl, -1, "%s refuses %lld frames/s: %s", w->device,
					 (long long)w->fps, strerror(errno));
	}
	return 0;
}

static bool parse_format(const char *text, uint32_t *out)
{
	static const struct {
		const char *name;
		uint32_t fourcc;
	} known[] = {
		{ "yuyv", V4L2_PIX_FMT_YUYV },	 { "uyvy", V4L2_PIX_FMT_UYVY },
		{ "nv12", V4L2_PIX_FMT_NV12 },	 { "nv21", V4L2_PIX_FMT_NV21 },
		{ "yu12", V4L2_PIX_FMT_YUV420 }, { "grey", V4L2_PIX_FMT_GREY },
		{ "rgb3", V4L2_PIX_FMT_RGB24 },	 { "bgr3", V4L2_PIX_FMT_BGR24 },
		{ "mjpeg", V4L2_PIX_FMT_MJPEG },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(text, known[i].name)) {
			*out = known[i].fourcc;
			return true;
		}
	return false;
}

static bool parse_size(const char *text, struct wish *w)
{
	char *x;
	unsigned long a = strtoul(text, &x, 10), b;

	if (*x != 'x')
		return false;
	b = strtoul(x + 1, &x, 10);
	if (*x || a < 16 || b < 16 || a > 4096 || b > 4096)
		return false;
	w->width = a;
	w->height = b;
	return true;
}

static int parse_options(struct ctl *ctl, int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {
		{ "mode", 1, NULL, 'm' },
		{ "name", 1, NULL, 'n' },
		{ "format", 1, NULL, 'f' },
		{ "size", 1, NULL, 's' },
		{ "fps", 1, NULL, 'r' },
		{ "arena", 1, NULL, 'a' },
		{ 0 },
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "m:n:f:s:r:a:", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			w->mode = !strcmp(optarg, "tap")       ? SLUICE_MODE_TAP
				  : !strcmp(optarg, "capture") ? SLUICE_MODE_CAPTURE
							       : 0;
			if (!w->mode)
				return ctl_error(ctl, CTL_USAGE, "--mode is tap or capture");
			break;
		case 'n':
			w->name = optarg;
			break;
		case 'f':
			if (!parse_format(optarg, &w->format))
				return ctl_error(
					ctl, CTL_USAGE,
					"unsupported format '%s': yuyv uyvy nv12 nv21 yu12 "
					"grey rgb3 bgr3 mjpeg",
					optarg);
			break;
		case 's':
			if (!parse_size(optarg, w))
				return ctl_error(ctl, CTL_USAGE,
						 "--size is WIDTHxHEIGHT, 16 to 4096 each");
			break;
		case 'r':
			if (!ctl_number(optarg, 1, 240, &w->fps))
				return ctl_error(ctl, CTL_USAGE, "--fps is 1 to 240");
			break;
		case 'a':
			if (!ctl_number(optarg, 1, SLUICE_RING_ARENA_MAX >> 20, &w->arena_mib))
				return ctl_error(ctl, CTL_USAGE, "--arena is 1 to %u MiB",
						 SLUICE_RING_ARENA_MAX >> 20);
			break;
		default:
			return CTL_USAGE;
		}
	}
	if (optind >= argc)
		return ctl_error(ctl, CTL_USAGE,
				 "which camera? for example: sluicectl attach /dev/video0");
	w->device = argv[optind++];
	if (w->mode == SLUICE_MODE_TAP && (w->format || w->width || w->fps))
		return ctl_error(ctl, CTL_USAGE,
				 "a tapped camera keeps the application's format: "
				 "no --format, --size, --fps");
	return CTL_OK;
}

static void told(void *arg, const struct genl_camera *c)
{
	struct ctl *ctl = arg;

	if (ctl->json)
		printf("{\"name\":\"%s\",\"index\":%u,\"ring\":\"/dev/sluice%u\"}\n", c->name,
		       c->index, c->index);
	else
		printf("%s is attached: /dev/sluice%u\n", c->name, c->index);
}

int ctl_attach(struct ctl *ctl, int argc, char **argv)
{
	struct wish w = { .mode = SLUICE_MODE_CAPTURE };
	int rc = parse_options(ctl, argc, argv, &w), fd, err;
	struct nl_msg *m;
	struct genl *g;

	if (rc)
		return rc;
	g = genl_open(ctl);
	if (!g)
		return CTL_FAILED;
	fd = open_camera(ctl, &w);
	if (fd < 0 || (w.mode == SLUICE_MODE_CAPTURE && configure(ctl, fd, &w))) {
		if (fd >= 0)
			close(fd);
		genl_close(g);
		return CTL_FAILED;
	}
	m = genl_request(g, SLUICE_CMD_ATTACH, NLM_F_ACK);
	err = !m || nla_put_s32(m, SLUICE_ATTR_FD, fd) ||
	      nla_put_u32(m, SLUICE_ATTR_MODE, w.mode) ||
	      (w.name && nla_put_string(m, SLUICE_ATTR_NAME, w.name)) ||
	      (w.arena_mib && nla_put_u64(m, SLUICE_ATTR_ARENA, (uint64_t)w.arena_mib << 20));
	rc = CTL_FAILED;
	if (err)
		ctl_error(ctl, 0, "out of memory");
	else if (field_put_all(ctl, m, argc - optind, argv + optind))
		rc = CTL_USAGE;
	else {
		rc = genl_send(g, m, told, ctl) ? CTL_FAILED : CTL_OK;
		m = NULL;
	}
	nlmsg_free(m);
	close(fd);
	genl_close(g);
	return rc;
}
