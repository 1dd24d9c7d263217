// SPDX-License-Identifier: MIT
/*
 * Descriptors against the bytes that a stock uvcvideo driver is known to accept, and endpoint 0:
 * probe and commit are clamped, controls keep their range, streams start and stop.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/check.h"
#include "tools/camsim/uvc_control.h"
#include "tools/camsim/vhci.h"

static const char known_device[] = "12010002ef0201406b1d0201000101020301";
static const char known_bulk[] =
	"090237010201008032"
	"080b00020e030002"
	"09040000000e010002"
	"0d240110013400006cdc020101"
	"1224020101020000000000000000030a0000"
	"0c240502010000020b040000"
	"092403030101000200"
	"09040100010e020000"
	"0f240102d900810003000000010000"
	"0b24060102010100000000"
	"26240701000005d0020000ca0800005e1a00201c001516050003151605002a2c0a0040420f00"
	"26240702008002e0010000ee020000ca08006009001516050003151605002a2c0a0040420f00"
	"06240d010104"
	"1b240402025955593200001000800000aa00389b71100100000000"
	"26240501008002e0010000ee020000ca08006009001516050003151605002a2c0a0040420f00"
	"26240502004001f0000080bb0000803202005802001516050003151605002a2c0a0040420f00"
	"06240d010104"
	"07058102000200";

static struct profile make_profile(void)
{
	struct profile p = {
		.payload_max = PAYLOAD_BULK, .maker = "Sluice", .product = "Camera", .serial = "S1"
	};

	CHECK(!profile_add(&p, ROLL_MJPEG, 1280, 720, 333333, 0));
	CHECK(!profile_add(&p, ROLL_YUYV, 640, 480, 333333, 0));
	CHECK(!profile_add(&p, ROLL_MJPEG, 640, 480, 333333, 0));
	CHECK(!profile_add(&p, ROLL_YUYV, 320, 240, 333333, 0));
	CHECK(profile_add(&p, ROLL_MJPEG, 640, 480, 333333, 0) == -EEXIST);
	return p;
}

static bool same_hex(const uint8_t *bytes, int size, const char *hex)
{
	char text[2 * DESCRIPTORS_MAX + 1] = "";

	for (int i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	if (!strcmp(text, hex))
		return true;
	printf("  have %s\n  want %s\n", text, hex);
	return false;
}

static void test_known_bytes(void)
{
	struct profile p = make_profile();
	uint8_t d[DESCRIPTORS_MAX];

	CHECK(same_hex(d, descriptor_get(&p, 1, 0, d), known_device));
	CHECK(same_hex(d, descriptor_get(&p, 2, 0, d), known_bulk));
	CHECK(same_hex(d, descriptor_get(&p, 3, 0, d), "04030904"));
	CHECK(same_hex(d, descriptor_get(&p, 3, 3, d), "060353003100"));
	CHECK(descriptor_get(&p, 3, 4, d) == -ENOENT);
	CHECK(descriptor_get(&p, 6, 0, d) == -ENOENT);
	CHECK(descriptor_get(&p, 15, 0, d) == -ENOENT);
}

/* Lengths chain to the total, and the class headers' totals fit. */
static void check_chain(const uint8_t *d, int size)
{
	int at = 0, endpoints = 0;

	CHECK(size > 9 && (d[2] | d[3] << 8) == size);
	for (; at < size && d[at] >= 2; at += d[at])
		endpoints += d[at + 1] == 5;
	CHECK(at == size && endpoints > 0);
}

static void test_other_kinds(void)
{
	struct profile p = make_profile();
	uint8_t d[DESCRIPTORS_MAX];
	int n;

	p.iso = true;
	n = descriptor_get(&p, 2, 0, d);
	CHECK(n == 352);
	check_chain(d, n);
	CHECK(same_hex(d + n - 7, 7, "07058105001401"));
	CHECK(same_hex(d + n - 16 - 7, 7, "07058105000c01"));
	CHECK(same_hex(d + n - 32 - 7, 7, "07058105000401"));
	CHECK(same_hex(d + n - 48, 0, ""));
	p.iso = false;
	p.super = true;
	n = descriptor_get(&p, 2, 0, d);
	CHECK(n == 317);
	check_chain(d, n);
	CHECK(same_hex(d + n - 13, 13, "07058102000400063000000000"));
	n = descriptor_get(&p, 15, 0, d);
	CHECK(n == 22 && d[2] == 22);
	descriptor_get(&p, 1, 0, d);
	CHECK(d[3] == 3 && d[7] == 9);
}

static void test_largest(void)
{
	struct profile p = { .iso = true };
	uint8_t d[DESCRIPTORS_MAX];

	for (uint32_t i = 0; i < PROFILE_MODES_MAX; i++)
		CHECK(!profile_add(&p, i & 1 ? ROLL_MJPEG : ROLL_YUYV, 8192, 8192 - 2 * i, 400000,
				   0));
	CHECK(profile_add(&p, ROLL_YUYV, 16, 16, 400000, 0) == -ENOSPC);
	check_chain(d, descriptor_get(&p, 2, 0, d));
}

static void test_own_rate(void)
{
	struct profile p = { 0 };

	CHECK(!profile_add(&p, ROLL_MJPEG, 768, 432, 800000, 999999));
	CHECK(p.modes[0].interval_default == 800000 && p.modes[0].interval_count == 4);
	CHECK(p.modes[0].intervals[0] == 333333 && p.modes[0].intervals[2] == 800000);
	CHECK(p.modes[0].frame_size_max == 999999); /* a JPEG may be larger than raw */
	CHECK(!profile_add(&p, ROLL_MJPEG, 640, 360, 333667, 0));
	CHECK(p.modes[1].interval_count == 3 && p.modes[1].intervals[0] == 333667);
}

static struct uvc_control control;
static uint8_t in[DESCRIPTORS_MAX];
static uint32_t events;

static int request(uint8_t type, uint8_t code, uint16_t value, uint16_t index, const uint8_t *out,
		   uint16_t length)
{
	uint8_t setup[8] = { type,	   code,       value & 0xff,  value >> 8,
			     index & 0xff, index >> 8, length & 0xff, length >> 8 };

	memset(in, 0xee, sizeof(in));
	return uvc_control_request(&control, setup, out, type & 0x80 ? 0 : length, in, &events);
}

static void test_probe(void)
{
	static const struct profile_mode *mode;
	struct profile p = make_profile();
	uint8_t set[34] = { 1, 0, 2, 2, 0x40, 0x42, 0x0f }; /* YUYV 320x240, 10 fps */

	uvc_control_init(&control, &p);
	CHECK(request(0xa1, 0x87, 0x100, 1, NULL, 34) == 34);
	CHECK(in[2] == 1 && in[3] == 1 && in[4] == 0x15 && in[5] == 0x16 && in[6] == 0x05);
	CHECK(request(0x21, 0x01, 0x100, 1, set, 34) == 0 && events == UVC_EVENT_PROBED);
	CHECK(request(0xa1, 0x81, 0x100, 1, NULL, 34) == 34);
	CHECK(in[0] == 1 && in[2] == 2 && in[3] == 2 && !memcmp(in + 4, set + 4, 4));
	CHECK((in[18] | in[19] << 8 | in[20] << 16) == 320 * 240 * 2);
	CHECK((in[22] | in[23] << 8 | in[24] << 16) == 16384 && in[30] == 3);
	set[2] = 3; /* no such format, no such frame, no such interval */
	set[3] = 9;
	set[4] = 0;
	set[6] = 0x0d;
	CHECK(request(0x21, 0x01, 0x100, 1, set, 34) == 0);
	CHECK(request(0xa1, 0x81, 0x100, 1, NULL, 34) == 34);
	mode = profile_find(&p, in[2], in[3]);
	CHECK(mode == &p.modes[0]);
	CHECK((in[4] | in[5] << 8 | in[6] << 16) == 1000000); /* the nearest to 852480 */
	CHECK(request(0xa1, 0x82, 0x100, 1, NULL, 34) == 34 && in[4] == 0x15);
	CHECK(request(0xa1, 0x83, 0x100, 1, NULL, 34) == 34 && in[4] == 0x40);
	CHECK(request(0xa1, 0x85, 0x100, 1, NULL, 2) == 2 && in[0] == 34);
	CHECK(request(0x21, 0x01, 0x100, 1, set, 25) == -EPIPE); /* too short */
	CHECK(request(0x21, 0x01, 0x100, 1, set, 26) == 0);	 /* UVC 1.0 */
	CHECK(request(0xa1, 0x81, 0x100, 1, NULL, 7) == 7);	 /* cut to what was asked for */
	CHECK(request(0xa1, 0x81, 0x300, 1, NULL, 34) == -EPIPE);
}

static void test_clamp_every(void)
{
	struct profile p = make_profile();

	for (int format = 0; format < 256; format++)
		for (int frame = 0; frame < 256; frame += 5) {
			struct uvc_probe wish = { 0, format, frame, format * 77777u };
			struct uvc_probe got = uvc_control_clamp(&p, wish);
			const struct profile_mode *mode =
				profile_find(&p, got.format_index, got.frame_index);
			bool listed = false;

			for (uint32_t i = 0; mode && i < mode->interval_count; i++)
				listed |= mode->intervals[i] == got.interval;
			CHECK(listed);
		}
}

static void test_start_stop(void)
{
	struct profile p = make_profile();
	uint8_t set[34] = { 1, 0, 1, 1, 0x15, 0x16, 0x05 };

	uvc_control_init(&control, &p);
	CHECK(!request(0x01, 11, 0, 1, NULL, 0) && !events); /* alternate setting 0 at attach */
	CHECK(!request(0x02, 1, 0, 0x81, NULL, 0) && !events);
	CHECK(!request(0x21, 0x01, 0x200, 1, set, 34) && events & UVC_EVENT_START);
	CHECK(!request(0x02, 1, 0, 0x81, NULL, 0) && events == UVC_EVENT_STOP);
	CHECK(request(0x01, 11, 1, 1, NULL, 0) == -EPIPE); /* bulk has no other setting */

	p.iso = true;
	uvc_control_init(&control, &p);
	CHECK(!request(0x21, 0x01, 0x200, 1, set, 34) && !(events & UVC_EVENT_START));
	CHECK(!request(0x01, 11, 3, 1, NULL, 0) && events == UVC_EVENT_START);
	CHECK(request(0x81, 10, 0, 1, NULL, 1) == 1 && in[0] == 3);
	CHECK(!request(0x01, 11, 0, 1, NULL, 0) && events == UVC_EVENT_STOP);
	CHECK(request(0x01, 11, 4, 1, NULL, 0) == -EPIPE);
}

static void test_controls(void)
{
	struct profile p = make_profile();
	const uint8_t low[2] = { 0xc0, 0xff }, lower[2] = { 0xbf, 0xff }, two[1] = { 2 };

	uvc_control_init(&control, &p);
	CHECK(!request(0x21, 0x01, 0x200, 0x200, low, 2)); /* brightness -64 */
	CHECK(request(0xa1, 0x81, 0x200, 0x200, NULL, 2) == 2 && in[0] == 0xc0 && in[1] == 0xff);
	CHECK(request(0x21, 0x01, 0x200, 0x200, lower, 2) == -EPIPE);
	CHECK(request(0xa1, 0x81, 0x200, 0, NULL, 1) == 1 && in[0] == 4); /* out of range */
	CHECK(request(0x21, 0x01, 0x200, 0x100, two, 1) == -EPIPE);	  /* not a mode it has */
	CHECK(request(0xa1, 0x84, 0x200, 0x100, NULL, 1) == 1 && in[0] == 9);
	CHECK(request(0xa1, 0x86, 0x400, 0x100, NULL, 1) == 1 && in[0] == 3);
	CHECK(request(0xa1, 0x81, 0x900, 0x200, NULL, 2) == -EPIPE); /* unknown selector */
	CHECK(request(0xa1, 0x81, 0x200, 0x700, NULL, 2) == -EPIPE); /* unknown entity */
	CHECK(request(0x80, 0, 0, 0, NULL, 2) == 2 && !in[0] && !in[1]);
	CHECK(request(0x80, 6, 0x200, 0, NULL, 9) == 9 && in[2] == 0x37 && in[3] == 1);
	CHECK(request(0xc0, 0x55, 0, 0, NULL, 4) == -EPIPE); /* vendor request */
}

static void test_ports(void)
{
	static const char status[] = "hub port sta spd dev      sockfd local_busid\n"
				     "hs  0000 006 003 00010002 000003 1-1\n"
				     "hs  0001 004 000 00000000 000000 0-0\n"
				     "ss  0015 005 000 00000000 000000 0-0\n"
				     "ss  0016 004 000 00000000 000000 0-0\n";
	char why[256];
	int fd, port;

	CHECK(vhci_find_port(status, false) == 1);
	CHECK(vhci_find_port(status, true) == 16);
	CHECK(vhci_find_port("hub port sta\nhs 0000 006 003\n", false) == -ENOSPC);
	CHECK(vhci_find_port("", true) == -ENOSPC);
	CHECK(vhci_attach("/nonexistent", false, &fd, &port, why, sizeof(why)) == -ENODEV);
	CHECK(!!strstr(why, "modprobe vhci_hcd"));
}

int main(void)
{
	test_known_bytes();
	test_other_kinds();
	test_largest();
	test_own_rate();
	test_probe();
	test_clamp_every();
	test_start_stop();
	test_controls();
	test_ports();
	return check_result();
}
