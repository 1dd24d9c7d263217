// SPDX-License-Identifier: MIT
/*
 * attach.c - hands an open camera to the module. In capture mode the camera is configured here, by
 * ordinary V4L2 calls with the caller's own permissions; the module streams what it is given. Masks
 * go with the request, so that not one frame is seen without them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/videodev2.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/ctl/fields.h"
#include "tools/ctl/mask.h"

#define MASKS_MAX 32

struct wish {
	const char *device, *name;
	char *mask[2 * MASKS_MAX]; /* option and polygon in turns */
	int masks;		   /* words of them */
	uint32_t mode, format, width, height;
	int64_t fps, arena_mib;
};

/* *type: of its buffers. */
static int open_camera(const struct ctl *ctl, const struct wish *w, uint32_t *type)
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
		*type = cap.device_caps & V4L2_CAP_VIDEO_CAPTURE
				? V4L2_BUF_TYPE_VIDEO_CAPTURE
				: V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
		return fd;
	}
	close(fd);
	return -1;
}

/* Width, height and fourcc lie at the same places in the formats of both types. */
_Static_assert(offsetof(struct v4l2_pix_format, pixelformat) ==
		       offsetof(struct v4l2_pix_format_mplane, pixelformat),
	       "fourcc");

static int configure(const struct ctl *ctl, int fd, uint32_t type, const struct wish *w)
{
	struct v4l2_format f = { .type = type };
	struct v4l2_streamparm p = { .type = type };
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
	if (type == V4L2_BUF_TYPE_VIDEO_CAPTURE)
		f.fmt.pix.bytesperline = 0;
	for (int i = 0; type != V4L2_BUF_TYPE_VIDEO_CAPTURE && i < VIDEO_MAX_PLANES; i++)
		f.fmt.pix_mp.plane_fmt[i].bytesperline = 0;
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

/* The masks on the grid that the module will have for the camera's present format. */
static int put_masks(struct ctl *ctl, struct nl_msg *m, int fd, uint32_t type, struct wish *w)
{
	struct v4l2_format f = { .type = type };
	struct genl_camera c = { 0 };
	uint32_t block;
	bool jpeg;

	if (!w->masks)
		return CTL_OK;
	if (ioctl(fd, VIDIOC_G_FMT, &f) < 0)
		return ctl_error(ctl, CTL_FAILED, "%s does not tell its format: %s", w->device,
				 strerror(errno));
	jpeg = f.fmt.pix.pixelformat == V4L2_PIX_FMT_MJPEG ||
	       f.fmt.pix.pixelformat == V4L2_PIX_FMT_JPEG;
	c.width = f.fmt.pix.width;
	c.height = f.fmt.pix.height;
	block = jpeg || c.width >= 480 ? 8 : c.width >= 240 ? 4 : 2;
	c.grid_w = (c.width + block - 1) / block;
	c.grid_h = (c.height + block - 1) / block;
	if (!c.grid_w || !c.grid_h || c.width > 4096 || c.height > 4096)
		return ctl_error(ctl, CTL_FAILED, "%s has no size that masks fit on: %ux%u",
				 w->device, c.width, c.height);
	return ctl_mask_put(ctl, m, &c, w->masks, w->mask);
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
		{ "mode", 1, NULL, 'm' },    { "name", 1, NULL, 'n' },
		{ "format", 1, NULL, 'f' },  { "size", 1, NULL, 's' },
		{ "fps", 1, NULL, 'r' },     { "arena", 1, NULL, 'a' },
		{ "privacy", 1, NULL, 'p' }, { "ignore", 1, NULL, 'i' },
		{ "zone", 1, NULL, 'z' },    { 0 },
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "m:n:f:s:r:a:p:i:z:", options, NULL)) != -1) {
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
		case 'p':
		case 'i':
		case 'z':
			if (w->masks == 2 * MASKS_MAX)
				return ctl_error(ctl, CTL_USAGE, "more than %d polygons",
						 MASKS_MAX);
			w->mask[w->masks++] = c == 'p'	 ? "--privacy"
					      : c == 'i' ? "--ignore"
							 : "--zone";
			w->mask[w->masks++] = optarg;
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
	uint32_t type;
	struct nl_msg *m;
	struct genl *g;

	if (rc)
		return rc;
	g = genl_open(ctl);
	if (!g)
		return CTL_FAILED;
	fd = open_camera(ctl, &w, &type);
	if (fd < 0 || (w.mode == SLUICE_MODE_CAPTURE && configure(ctl, fd, type, &w))) {
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
		rc = put_masks(ctl, m, fd, type, &w);
		if (!rc) {
			rc = genl_send(g, m, told, ctl) ? CTL_FAILED : CTL_OK;
			m = NULL;
		}
	}
	nlmsg_free(m);
	close(fd);
	genl_close(g);
	return rc;
}
