// SPDX-License-Identifier: MIT
/*
 * The command line: play a roll, make one, or tell a running camera something.
 */
#include "tools/camsim/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/camsim/vhci.h"

enum {
	OPT_HELP = 'h',
	OPT_FAULTS = 'F',
	OPT_SERIAL = 256,
	OPT_PRODUCT,
	OPT_ISO,
	OPT_SUPER,
	OPT_PAYLOAD,
	OPT_LOOP,
	OPT_RATE,
	OPT_START_ON_STREAM,
	OPT_RESUME,
	OPT_PAUSED,
	OPT_AT_END,
	OPT_LOG,
	OPT_CONTROL,
	OPT_TELL,
	OPT_VHCI,
	OPT_MAKE_ROLL,
	OPT_FORMAT,
	OPT_SIZE,
	OPT_FPS,
	OPT_MAX_SECONDS,
	OPT_LOOP_PAUSE,
};

static const struct option longs[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "faults", required_argument, NULL, OPT_FAULTS },
	{ "serial", required_argument, NULL, OPT_SERIAL },
	{ "product", required_argument, NULL, OPT_PRODUCT },
	{ "iso", no_argument, NULL, OPT_ISO },
	{ "super", no_argument, NULL, OPT_SUPER },
	{ "payload", required_argument, NULL, OPT_PAYLOAD },
	{ "loop", required_argument, NULL, OPT_LOOP },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "start-on-stream", no_argument, NULL, OPT_START_ON_STREAM },
	{ "resume", no_argument, NULL, OPT_RESUME },
	{ "paused", no_argument, NULL, OPT_PAUSED },
	{ "at-end", required_argument, NULL, OPT_AT_END },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "tell", required_argument, NULL, OPT_TELL },
	{ "vhci", required_argument, NULL, OPT_VHCI },
	{ "make-roll", required_argument, NULL, OPT_MAKE_ROLL },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "fps", required_argument, NULL, OPT_FPS },
	{ "max-seconds", required_argument, NULL, OPT_MAX_SECONDS },
	{ "loop-pause", required_argument, NULL, OPT_LOOP_PAUSE },
	{ 0 },
};

static const char help[] =
	"usage: sluice-camsim [OPTION...] ROLL...\n"
	"       sluice-camsim --make-roll OUT.roll [OPTION...] CLIP\n"
	"       sluice-camsim --tell PATH COMMAND\n"
	"Plugs a simulated USB camera into this machine (vhci_hcd, as root) that plays rolls "
	"through\n"
	"the ordinary uvcvideo driver. Each ROLL (or file of concatenated JPEGs) is a mode of the\n"
	"camera, the first one its default.\n"
	"\n"
	"playing:\n"
	"  --rate clip|max|FPS    the clip's own times (default), as fast as it goes, or fixed\n"
	"  --loop N|forever       play the roll N times (1)\n"
	"  --at-end silent|exit|loop  stay plugged without frames (default), unplug, or play "
	"again\n"
	"  --start-on-stream      each stream begins with the first frame (default)\n"
	"  --resume               each stream goes on where the last one stopped\n"
	"  --paused               wait for 'next' or 'resume'\n"
	"  --serial TEXT          serial number; give each camera its own (CAMSIM1)\n"
	"  --product TEXT         name (Sluice simulated camera)\n"
	"  --iso, --super         isochronous; SuperSpeed (default: bulk, high speed)\n"
	"  --payload BYTES        largest payload (16384; --super 32768)\n"
	"  --log FILE             one JSON line per frame sent\n"
	"  --control PATH         datagram socket for --tell\n"
	"  --vhci DIR             the controller (" VHCI_DIR ")\n"
	"  -F, --faults NAME:FRAME[:VALUE],...  what goes wrong with which frame, counted from "
	"0:\n";

static const char help_rest[] =
	"\n"
	"making a roll, from anything that libavformat reads:\n"
	"  --format mjpeg|yuyv    (mjpeg); an MJPEG clip of that size is passed on unchanged\n"
	"  --size WxH             (the clip's)\n"
	"  --fps N                (the clip's own times)\n"
	"  --max-seconds S        (all)\n"
	"  --loop-pause MS        pause before the roll is played again (0)\n"
	"\n"
	"commands for --tell: detach attach pause resume next status 'fault SPEC'\n"
	"exit codes: 0 done, 1 failed, 2 usage\n";

static int bad(const char *what, const char *value)
{
	fprintf(stderr, "sluice-camsim: %s: '%s'; see --help\n", what, value);
	return -EINVAL;
}

static bool parse_double(const char *text, double min, double max, double *v)
{
	char *end;

	errno = 0;
	*v = strtod(text, &end);
	return !errno && end != text && !*end && isfinite(*v) && *v >= min && *v <= max;
}

static int parse_size(struct options *o, const char *text)
{
	char tail;

	if (sscanf(text, "%5ux%5u%c", &o->width, &o->height, &tail) != 2 || !o->width ||
	    !o->height || o->width > ROLL_SIDE_MAX || o->height > ROLL_SIDE_MAX)
		return bad("--size is WIDTHxHEIGHT", text);
	if (o->width & 1 || o->height & 1)
		return bad("--size needs even numbers", text);
	return 0;
}

static int parse_rate(struct options *o, const char *text)
{
	double v;

	if (!strcmp(text, "clip")) {
		o->rate = PLAY_CLIP;
	} else if (!strcmp(text, "max")) {
		o->rate = PLAY_MAX;
	} else if (parse_double(text, 0.01, 1000, &v)) {
		o->rate = PLAY_FIXED;
		o->rate_ns = 1e9 / v;
	} else {
		return bad("--rate is clip, max or frames per second", text);
	}
	return 0;
}

static int parse_at_end(struct options *o, const char *text)
{
	if (!strcmp(text, "silent"))
		o->at_end = AT_END_SILENT;
	else if (!strcmp(text, "exit"))
		o->at_end = AT_END_EXIT;
	else if (!strcmp(text, "loop"))
		o->at_end = AT_END_LOOP;
	else
		return bad("--at-end is silent, exit or loop", text);
	return 0;
}

static int parse_making(struct options *o, int c, const char *text)
{
	double v;

	switch (c) {
	case OPT_MAKE_ROLL:
		o->make_roll = text;
		return 0;
	case OPT_FORMAT:
		if (strcmp(text, "mjpeg") && strcmp(text, "yuyv"))
			return bad("--format is mjpeg or yuyv", text);
		o->format = *text == 'm' ? ROLL_MJPEG : ROLL_YUYV;
		return 0;
	case OPT_SIZE:
		return parse_size(o, text);
	case OPT_FPS:
		if (!parse_double(text, 0.01, 1000, &v))
			return bad("--fps is 0.01 to 1000", text);
		o->fps_milli = v * 1000 + 0.5;
		return 0;
	case OPT_MAX_SECONDS:
		if (!parse_double(text, 0.001, 86400, &v))
			return bad("--max-seconds is 0.001 to 86400", text);
		o->max_ns = v * 1e9;
		return 0;
	case OPT_LOOP_PAUSE:
		if (!parse_double(text, 0, 86400000, &v))
			return bad("--loop-pause is 0 to 86400000 ms", text);
		o->loop_pause_ns = v * 1e6;
		return 0;
	default:
		return -EINVAL; /* getopt has said why */
	}
}

static int parse_text(struct options *o, int c, const char *text)
{
	const char **to = c == OPT_SERIAL ? &o->serial : &o->product;

	if (!*text || strlen(text) >= PROFILE_STRING_MAX)
		return bad("text of 1 to 63 characters", text);
	for (const char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
			return bad("plain ASCII only", text);
	*to = text;
	return 0;
}

static int parse_option(struct options *o, int c, const char *text)
{
	char why[160];
	double v;

	switch (c) {
	case OPT_SERIAL:
	case OPT_PRODUCT:
		return parse_text(o, c, text);
	case OPT_ISO:
		o->iso = true;
		return 0;
	case OPT_SUPER:
		o->super = true;
		return 0;
	case OPT_PAYLOAD:
		if (!parse_double(text, 64, 64 << 20, &v))
			return bad("--payload is 64 to 67108864", text);
		o->payload_max = v;
		return 0;
	case OPT_LOOP:
		v = 0;
		if (strcmp(text, "forever") && !parse_double(text, 1, 1e9, &v))
			return bad("--loop is a number or forever", text);
		o->passes = v;
		return 0;
	case OPT_RATE:
		return parse_rate(o, text);
	case OPT_START_ON_STREAM:
	case OPT_RESUME:
		o->resume = c == OPT_RESUME;
		return 0;
	case OPT_PAUSED:
		o->paused = true;
		return 0;
	case OPT_AT_END:
		return parse_at_end(o, text);
	case OPT_LOG:
		o->log = text;
		return 0;
	case OPT_CONTROL:
		o->control = text;
		return 0;
	case OPT_TELL:
		o->tell = text;
		return 0;
	case OPT_VHCI:
		o->vhci_dir = text;
		return 0;
	case OPT_FAULTS:
		if (fault_parse(&o->faults, text, why, sizeof(why)))
			return bad(why, text);
		return 0;
	default:
		return parse_making(o, c, text);
	}
}

static int check_options(struct options *o)
{
	if (o->tell || o->make_roll) {
		if (o->roll_count != 1)
			return bad(o->tell ? "--tell needs one COMMAND"
					   : "--make-roll needs one CLIP",
				   o->tell ? o->tell : o->make_roll);
		return 0;
	}
	if (!o->roll_count) {
		fputs("sluice-camsim: no ROLL; see --help\n", stderr);
		return -EINVAL;
	}
	if (o->iso && o->super)
		return bad("not together", "--iso --super");
	if (o->iso && o->payload_max)
		return bad("not together", "--iso --payload");
	if (o->at_end == AT_END_LOOP)
		o->passes = 0;
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int c, r;

	*o = (struct options){ .passes = 1, .serial = "CAMSIM1", .vhci_dir = VHCI_DIR };
	o->product = "Sluice simulated camera";
	while ((c = getopt_long(argc, argv, "hF:", longs, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			fault_print_help(stdout);
			fputs(help_rest, stdout);
			return 1;
		}
		r = parse_option(o, c, optarg);
		if (r)
			return r;
	}
	for (; optind < argc; optind++) {
		if (o->roll_count == PROFILE_MODES_MAX)
			return bad("too many rolls", argv[optind]);
		o->rolls[o->roll_count++] = argv[optind];
	}
	return check_options(o);
}
