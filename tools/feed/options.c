// SPDX-License-Identifier: MIT
/* options.c - the command line of sluice-feed. */
#include "tools/feed/feed.h"
#include "lib/clip.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MIB_MAX (SLUICE_RING_ARENA_MAX >> 20)

static const char help[] =
	"usage: sluice-feed [OPTION]... --socket PATH CLIP\n"
	"       sluice-feed --gate-only [OPTION]... CLIP\n"
	"Runs a clip through the same gate and ring as the kernel module.\n"
	"\n"
	"  --gate-only         decide only; print what the gate makes of the clip\n"
	"  --json              one JSON object a frame, then {\"summary\":{...}}\n"
	"  --socket PATH       hand the ring to a reader (sluice-relay) at this Unix socket\n"
	"  --name CAM          name of the camera (default: clip)\n"
	"  --preset P          low, medium (default) or high sensitivity\n"
	"  --set NAME=VALUE    one setting; --set list names them\n"
	"  --format F          yuyv uyvy nv12 nv21 yu12 grey rgb24 bgr24 mjpeg (default: the "
	"clip's)\n"
	"  --size WxH          scale the pictures\n"
	"  --every N           take one frame in N\n"
	"  --seconds S         stop after so much of the clip\n"
	"  --loop N            play it N times\n"
	"  --arena MIB         size of the ring's data (default 32)\n"
	"  --fast              as fast as the reader takes it (default); waits when the ring is "
	"full\n"
	"  --realtime          at the clip's own pace; a full ring loses frames, as with a camera\n"
	"  --help              this text\n";

enum {
	OPT_GATE_ONLY = 256,
	OPT_JSON,
	OPT_SOCKET,
	OPT_NAME,
	OPT_PRESET,
	OPT_SET,
	OPT_FORMAT,
	OPT_SIZE,
	OPT_EVERY,
	OPT_SECONDS,
	OPT_LOOP,
	OPT_ARENA,
	OPT_FAST,
	OPT_REALTIME,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "gate-only", no_argument, NULL, OPT_GATE_ONLY },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "preset", required_argument, NULL, OPT_PRESET },
	{ "set", required_argument, NULL, OPT_SET },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "every", required_argument, NULL, OPT_EVERY },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "loop", required_argument, NULL, OPT_LOOP },
	{ "arena", required_argument, NULL, OPT_ARENA },
	{ "fast", no_argument, NULL, OPT_FAST },
	{ "realtime", no_argument, NULL, OPT_REALTIME },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "sluice-feed: %s%s%s (see --help)\n", what, value ? ": " : "",
		value ? value : "");
	return 2;
}

/* A whole decimal number in least..most. */
static bool parse_number(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || v < least || v > most)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool parse_size(const char *text, uint32_t *w, uint32_t *h)
{
	char width[8];
	const char *x = strchr(text, 'x');

	if (!x || (size_t)(x - text) >= sizeof(width))
		return false;
	memcpy(width, text, (size_t)(x - text));
	width[x - text] = 0;
	return parse_number(width, SLUICE_WIDTH_MIN, SLUICE_WIDTH_MAX, w) &&
	       parse_number(x + 1, SLUICE_WIDTH_MIN, SLUICE_WIDTH_MAX, h) && *w % 2 == 0 &&
	       *h % 2 == 0;
}

static int parse_preset(struct feed_options *o, const char *text)
{
	static const char *const names[] = { "low", "medium", "high" };
	uint32_t i;

	for (i = 0; i < 3; i++)
		if (!strcmp(text, names[i]))
			return sluice_settings_set(&o->settings, SLUICE_SETTING_PRESET, i);
	return wrong("--preset is low, medium or high, not", text);
}

static int parse_setting(struct feed_options *o, const char *text)
{
	const char *eq = strchr(text, '=');
	uint32_t i, value;

	for (i = 0; eq && i <= SLUICE_SETTING_MAX; i++) {
		const struct sluice_setting_info *info = &sluice_setting_infos[i];

		if (!info->name || strlen(info->name) != (size_t)(eq - text) ||
		    strncmp(info->name, text, (size_t)(eq - text)))
			continue;
		if (!parse_number(eq + 1, 0, ~0u, &value) ||
		    sluice_settings_set(&o->settings, i, value))
			return wrong("the limits are", info->range);
		return 0;
	}
	if (strcmp(text, "list"))
		return wrong("no such setting, or no '='", text);
	for (i = 0; i <= SLUICE_SETTING_MAX; i++)
		if (sluice_setting_infos[i].name)
			puts(sluice_setting_infos[i].range);
	return 1;
}

static bool name_valid(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	return n && !name[n] && n < SLUICE_CAMERA_NAME_SIZE;
}

static int parse_seconds(struct feed_options *o, const char *text)
{
	char *end;

	o->seconds = strtod(text, &end);
	if (end == text || *end || !isfinite(o->seconds) || o->seconds <= 0)
		return wrong("--seconds wants a positive number, not", text);
	return 0;
}

static int parse_one(struct feed_options *o, int opt, const char *arg)
{
	uint32_t mib;

	switch (opt) {
	case OPT_GATE_ONLY:
		o->gate_only = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_SOCKET:
		o->socket = arg;
		return 0;
	case OPT_NAME:
		o->name = arg;
		return name_valid(arg) ? 0
				       : wrong("a name is 1 to 31 of A-Z a-z 0-9 _ -, not", arg);
	case OPT_PRESET:
		return parse_preset(o, arg);
	case OPT_SET:
		return parse_setting(o, arg);
	case OPT_FORMAT:
		o->fourcc = sluice_clip_format_find(arg);
		return o->fourcc ? 0 : wrong("no such format", arg);
	case OPT_SIZE:
		return parse_size(arg, &o->width, &o->height)
			       ? 0
			       : wrong("--size wants WxH, both even, 16 to 4096, not", arg);
	case OPT_EVERY:
		return parse_number(arg, 1, 1000, &o->every) ? 0 : wrong("--every is 1..1000", arg);
	case OPT_SECONDS:
		return parse_seconds(o, arg);
	case OPT_LOOP:
		return parse_number(arg, 1, 1000000, &o->loop) ? 0
							       : wrong("--loop is 1..1000000", arg);
	case OPT_ARENA:
		if (!parse_number(arg, 1, ARENA_MIB_MAX, &mib))
			return wrong("--arena is 1..256 MiB", arg);
		o->arena_bytes = (uint64_t)mib << 20;
		return 0;
	case OPT_FAST:
	case OPT_REALTIME:
		o->realtime = opt == OPT_REALTIME;
		return 0;
	case OPT_HELP:
		fputs(help, stdout);
		return 1;
	default:
		return wrong("wrong use", NULL);
	}
}

int feed_options_parse(struct feed_options *o, int argc, char **argv)
{
	int opt, ret;

	memset(o, 0, sizeof(*o));
	o->name = "clip";
	o->every = 1;
	o->loop = 1;
	o->arena_bytes = 32u << 20;
	sluice_settings_default(&o->settings);
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		ret = parse_one(o, opt, optarg);
		if (ret)
			return ret;
	}
	if (optind + 1 != argc)
		return wrong("give one CLIP", NULL);
	o->clip = argv[optind];
	if (o->gate_only == !!o->socket)
		return wrong("give either --gate-only or --socket PATH", NULL);
	return 0;
}
