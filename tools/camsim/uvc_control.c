// SPDX-License-Identifier: MIT
/*
 * Endpoint 0: standard requests, probe and commit, and the few controls that a webcam has.
 *
 * The host proposes a format in a probe, reads back what the camera made of it, and commits. The
 * driver trusts that answer: its payload size decides how large the URBs are. A bulk camera has no
 * other sign of a start than the commit, and of a stop than the clearing of the endpoint's halt; an
 * isochronous one starts and stops with the alternate setting. What the camera does not know, it
 * stalls, and tells the reason when asked (uvcvideo asks after every stall).
 */
#include "tools/camsim/uvc_control.h"

#include <errno.h>
#include <string.h>

enum { ERROR_NONE = 0, ERROR_RANGE = 4, ERROR_CONTROL = 6, ERROR_REQUEST = 7 };
enum { SET_CUR = 0x01, GET_CUR = 0x81, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF };
enum { VS_PROBE = 1, VS_COMMIT = 2, VC_ERROR_CODE = 2 };
enum { STREAM_ERROR_CODE = 6 };

#define REQUEST(type, request) ((type) << 8 | (request))

struct control_kind {
	uint8_t entity, selector, size;
	int32_t min, max, res, def;
};

static const struct control_kind kinds[UVC_CONTROLS] = {
	{ ENTITY_TERMINAL, 2, 1, 1, 8, 9, 8 },	    /* exposure: manual or aperture priority */
	{ ENTITY_TERMINAL, 4, 4, 1, 5000, 1, 157 }, /* exposure time, 100 us */
	{ ENTITY_PROCESSING, 2, 2, -64, 64, 1, 0 }, /* brightness */
	{ ENTITY_PROCESSING, 3, 2, 0, 64, 1, 32 },  /* contrast */
	{ ENTITY_PROCESSING, 7, 2, 0, 128, 1, 64 }, /* saturation */
	{ ENTITY_PROCESSING, 5, 1, 0, 2, 1, 1 },    /* power line: off, 50 Hz, 60 Hz */
};

static void put_le(uint8_t *p, uint32_t v, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		p[i] = v >> 8 * i;
}

static uint32_t get_le(const uint8_t *p, uint32_t size)
{
	uint32_t v = 0;

	for (uint32_t i = 0; i < size; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

struct uvc_probe uvc_control_clamp(const struct profile *profile, struct uvc_probe wish)
{
	const struct profile_mode *mode;
	uint32_t best = UINT32_MAX;
	struct uvc_probe p = wish;

	if (!p.format_index || p.format_index > profile_formats(profile))
		p.format_index = 1;
	if (!p.frame_index || p.frame_index > profile_frames(profile, p.format_index))
		p.frame_index = 1;
	mode = profile_find(profile, p.format_index, p.frame_index);
	if (!wish.interval)
		wish.interval = mode->interval_default;
	for (uint32_t i = 0; i < mode->interval_count; i++) {
		uint32_t had = mode->intervals[i];
		uint32_t off = had > wish.interval ? had - wish.interval : wish.interval - had;

		if (off < best) {
			best = off;
			p.interval = had;
		}
	}
	return p;
}

static int write_probe(const struct profile *profile, const struct uvc_probe *p, uint8_t *in)
{
	const struct profile_mode *mode = profile_find(profile, p->format_index, p->frame_index);

	memset(in, 0, UVC_PROBE_SIZE);
	put_le(in, p->hint, 2);
	in[2] = p->format_index;
	in[3] = p->frame_index;
	put_le(in + 4, p->interval, 4);
	put_le(in + 16, 32, 2); /* delay, ms */
	put_le(in + 18, mode->frame_size_max, 4);
	put_le(in + 22, profile->payload_max, 4);
	put_le(in + 26, 48000000, 4);
	in[30] = 3; /* frame ID and end of frame are used */
	in[31] = in[32] = in[33] = 1;
	return UVC_PROBE_SIZE;
}

static struct uvc_probe read_probe(const uint8_t *out)
{
	return (struct uvc_probe){ get_le(out, 2), out[2], out[3], get_le(out + 4, 4) };
}

static int stall(struct uvc_control *c, uint8_t error)
{
	c->error = error;
	return -EPIPE;
}

static int request_stream(struct uvc_control *c, const uint8_t *setup, const uint8_t *out,
			  uint32_t out_size, uint8_t *in, uint32_t *events)
{
	uint8_t selector = setup[3];
	struct uvc_probe *current = selector == VS_PROBE ? &c->probe : &c->commit;
	struct uvc_probe p = *current;
	const struct profile_mode *mode = profile_find(c->profile, p.format_index, p.frame_index);

	if (selector == STREAM_ERROR_CODE && setup[1] == GET_CUR) {
		in[0] = 0;
		return 1;
	}
	if (selector != VS_PROBE && selector != VS_COMMIT)
		return stall(c, ERROR_CONTROL);
	switch (setup[1]) {
	case SET_CUR:
		if (out_size < 26) /* UVC 1.0's length is the shortest */
			return stall(c, ERROR_RANGE);
		*current = uvc_control_clamp(c->profile, read_probe(out));
		*events |= UVC_EVENT_PROBED;
		if (selector == VS_COMMIT && !c->profile->iso) {
			c->committed = true;
			*events |= UVC_EVENT_START;
		}
		return 0;
	case GET_MIN:
		p.interval = mode->intervals[0];
		return write_probe(c->profile, &p, in);
	case GET_MAX:
		p.interval = mode->intervals[mode->interval_count - 1];
		return write_probe(c->profile, &p, in);
	case GET_DEF:
		p = uvc_control_clamp(c->profile, (struct uvc_probe){ 0 });
		return write_probe(c->profile, &p, in);
	case GET_CUR:
		return write_probe(c->profile, &p, in);
	case GET_LEN:
		put_le(in, UVC_PROBE_SIZE, 2);
		return 2;
	case GET_INFO:
		in[0] = 3;
		return 1;
	default:
		return stall(c, ERROR_REQUEST);
	}
}

static int set_value(struct uvc_control *c, int i, const uint8_t *out, uint32_t out_size)
{
	const struct control_kind *kind = &kinds[i];
	int32_t v;

	if (out_size != kind->size)
		return stall(c, ERROR_RANGE);
	v = get_le(out, kind->size);
	if (kind->size == 2)
		v = (int16_t)v;
	if (v < kind->min || v > kind->max)
		return stall(c, ERROR_RANGE);
	if (kind->entity == ENTITY_TERMINAL && kind->selector == 2 && !(v & kind->res))
		return stall(c, ERROR_RANGE);
	c->values[i] = v;
	return 0;
}

static int request_value(struct uvc_control *c, const uint8_t *setup, const uint8_t *out,
			 uint32_t out_size, uint8_t *in)
{
	const struct control_kind *kind = NULL;
	int32_t v;
	int i;

	for (i = 0; i < UVC_CONTROLS && !kind; i++)
		if (kinds[i].entity == setup[5] && kinds[i].selector == setup[3])
			kind = &kinds[i];
	i--;
	if (!kind)
		return stall(c, ERROR_CONTROL);
	switch (setup[1]) {
	case SET_CUR:
		return set_value(c, i, out, out_size);
	case GET_INFO:
		in[0] = 3;
		return 1;
	case GET_LEN:
		put_le(in, kind->size, 2);
		return 2;
	case GET_CUR:
		v = c->values[i];
		break;
	case GET_MIN:
		v = kind->min;
		break;
	case GET_MAX:
		v = kind->max;
		break;
	case GET_RES:
		v = kind->res;
		break;
	case GET_DEF:
		v = kind->def;
		break;
	default:
		return stall(c, ERROR_REQUEST);
	}
	put_le(in, v, kind->size);
	return kind->size;
}

static int request_class(struct uvc_control *c, const uint8_t *setup, const uint8_t *out,
			 uint32_t out_size, uint8_t *in, uint32_t *events)
{
	int r;

	if (setup[4] == INTERFACE_CONTROL && !setup[5] && setup[3] == VC_ERROR_CODE &&
	    setup[1] == GET_CUR) {
		in[0] = c->error;
		return 1;
	}
	if (setup[4] == INTERFACE_STREAMING)
		r = request_stream(c, setup, out, out_size, in, events);
	else
		r = request_value(c, setup, out, out_size, in);
	if (r >= 0)
		c->error = ERROR_NONE;
	return r;
}

static int set_alternate(struct uvc_control *c, const uint8_t *setup, uint32_t *events)
{
	uint8_t max = setup[4] == INTERFACE_STREAMING && c->profile->iso ? ALTERNATES_ISO : 0;

	if (setup[4] > INTERFACE_STREAMING || setup[2] > max)
		return stall(c, ERROR_REQUEST);
	if (setup[4] != INTERFACE_STREAMING)
		return 0;
	if (setup[2])
		*events |= UVC_EVENT_START;
	else if (c->alternate || c->committed)
		*events |= UVC_EVENT_STOP;
	c->alternate = setup[2];
	c->committed = false;
	return 0;
}

static int request_standard(struct uvc_control *c, const uint8_t *setup, uint8_t *in,
			    uint32_t *events)
{
	switch (REQUEST(setup[0], setup[1])) {
	case REQUEST(0x80, 6): /* GET_DESCRIPTOR */ {
		int n = descriptor_get(c->profile, setup[3], setup[2], in);

		return n < 0 ? -EPIPE : n;
	}
	case REQUEST(0x80, 8): /* GET_CONFIGURATION */
		in[0] = c->configuration;
		return 1;
	case REQUEST(0x00, 9): /* SET_CONFIGURATION */
		if (setup[2] > 1)
			return -EPIPE;
		c->configuration = setup[2];
		if (c->alternate || c->committed)
			*events |= UVC_EVENT_STOP;
		c->alternate = 0;
		c->committed = false;
		return 0;
	case REQUEST(0x80, 0): /* GET_STATUS of the device, an interface, an endpoint */
	case REQUEST(0x81, 0):
	case REQUEST(0x82, 0):
		put_le(in, 0, 2);
		return 2;
	case REQUEST(0x01, 11): /* SET_INTERFACE */
		return set_alternate(c, setup, events);
	case REQUEST(0x81, 10): /* GET_INTERFACE */
		in[0] = setup[4] == INTERFACE_STREAMING ? c->alternate : 0;
		return 1;
	case REQUEST(0x02, 1): /* CLEAR_FEATURE of an endpoint */
		if (setup[4] == (0x80 | ENDPOINT_VIDEO) && c->committed) {
			c->committed = false;
			*events |= UVC_EVENT_STOP;
		}
		return 0;
	case REQUEST(0x00, 1): /* features of the device and its functions: suspend, U1, U2 */
	case REQUEST(0x00, 3):
	case REQUEST(0x01, 1):
	case REQUEST(0x01, 3):
	case REQUEST(0x02, 3):
	case REQUEST(0x00, 0x30): /* SET_SEL */
	case REQUEST(0x00, 0x31): /* SET_ISOCH_DELAY */
		return 0;
	default:
		return -EPIPE;
	}
}

bool uvc_control_is_set(const uint8_t setup[8], bool commit)
{
	return setup[0] == 0x21 && setup[1] == SET_CUR && setup[4] == INTERFACE_STREAMING &&
	       setup[3] == (commit ? VS_COMMIT : VS_PROBE);
}

int uvc_control_request(struct uvc_control *c, const uint8_t setup[8], const uint8_t *out,
			uint32_t out_size, uint8_t *in, uint32_t *events)
{
	uint32_t asked = get_le(setup + 6, 2);
	bool is_in = setup[0] & 0x80;
	int r;

	*events = 0;
	if (is_in != (setup[1] >= 0x80) && (setup[0] & 0x7f) == 0x21)
		return stall(c, ERROR_REQUEST);
	if ((setup[0] & 0x7f) == 0x21)
		r = request_class(c, setup, out, out_size, in, events);
	else
		r = request_standard(c, setup, in, events);
	if (r >= 0 && is_in && (uint32_t)r > asked)
		r = asked;
	return r;
}

void uvc_control_init(struct uvc_control *c, const struct profile *profile)
{
	*c = (struct uvc_control){ .profile = profile };
	c->probe = uvc_control_clamp(profile, (struct uvc_probe){ 0 });
	c->commit = c->probe;
	for (int i = 0; i < UVC_CONTROLS; i++)
		c->values[i] = kinds[i].def;
}
