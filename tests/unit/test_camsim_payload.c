// SPDX-License-Identifier: MIT
/*
 * Payloads at every size near a border, put together again by the rules of the driver; the fault
 * script; and what each fault does to the bytes of a frame.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "tools/camsim/payload.h"

#define FRAME_MAX 310000

static uint8_t frame[FRAME_MAX], got[FRAME_MAX + 65536];
static const struct fault_set none;

struct outcome {
	size_t size, urbs, payloads, headers_with_eof;
	bool eof_last; /* of the last payload alone */
};

/*
 * The driver's side: a header at the start of a payload; a payload ends with a short URB or at its
 * agreed size. Stops when the camera says that the frame is done.
 */
static struct outcome receive(struct payload *p, size_t max, size_t room)
{
	struct outcome o = { 0 };
	size_t in_payload = 0;

	while (p->busy && o.urbs < 100000) {
		struct iovec iov[2];
		int n = payload_next(p, max, room, iov);
		size_t length = 0;

		o.urbs++;
		CHECK(n >= 0);
		for (int i = 0; i < n; i++) {
			const uint8_t *bytes = iov[i].iov_base;

			if (!in_payload && !length) {
				CHECK(iov[i].iov_len == 2);
				o.eof_last = bytes[1] & 2;
				o.headers_with_eof += o.eof_last;
			} else {
				memcpy(got + o.size, bytes, iov[i].iov_len);
				o.size += iov[i].iov_len;
			}
			length += iov[i].iov_len;
		}
		CHECK(length <= room);
		in_payload += length;
		CHECK(in_payload <= max);
		if (length < room || in_payload >= max) {
			in_payload = 0;
			o.payloads++;
		}
	}
	CHECK(!in_payload); /* or the next frame's header would be taken for data */
	return o;
}

static void check_frame(size_t size, size_t max, size_t room)
{
	struct payload p;
	struct outcome o;
	size_t data = max - 2, want = size ? (size + data - 1) / data : 1;

	payload_begin(&p, frame, size, 1, &none);
	o = receive(&p, max, room);
	CHECK(o.size == size && !memcmp(got, frame, size));
	CHECK(o.payloads == want && o.headers_with_eof == 1 && o.eof_last);
	CHECK(max > room || o.urbs == want);
}

static void test_borders(void)
{
	static const size_t maxes[] = { 16384, 512, 64, 100000, 32768 };
	static const size_t rooms[] = { 16384, 512, 1024, 16384, 16384 };

	for (int i = 0; i < 5; i++)
		for (int k = 1; k <= 3; k++)
			for (int off = -4; off <= 4; off++) {
				check_frame(k * (maxes[i] - 2) + off, maxes[i], rooms[i]);
				check_frame(k * rooms[i] + off, maxes[i], rooms[i]);
				check_frame(k * rooms[i] - 2 + off, maxes[i], rooms[i]);
			}
	check_frame(0, 16384, 16384);
	check_frame(1, 16384, 16384);
	check_frame(1, 3, 3);
}

static void test_no_room(void)
{
	struct payload p;
	struct iovec iov[2];

	payload_begin(&p, frame, 10, 0, &none);
	CHECK(payload_next(&p, 16384, 2, iov) == -EMSGSIZE);
	CHECK(payload_next(&p, 16384, 0, iov) == -EMSGSIZE);
	CHECK(p.busy && payload_next(&p, 16384, 64, iov) == 2 && !p.busy);
}

static struct fault_set only(enum fault_kind kind, uint32_t value)
{
	struct fault_set set = { .mask = 1u << kind };

	set.value[kind] = value;
	set.times[kind] = 1;
	return set;
}

/* First and last header of a frame of three payloads. */
static void headers(const struct fault_set *set, uint8_t fid, uint8_t h[4])
{
	struct payload p;
	struct iovec iov[2];

	payload_begin(&p, frame, 3 * 62, fid, set);
	payload_next(&p, 64, 64, iov);
	memcpy(h, iov[0].iov_base, 2);
	payload_next(&p, 64, 64, iov);
	payload_next(&p, 64, 64, iov);
	memcpy(h + 2, iov[0].iov_base, 2);
	CHECK(!p.busy);
}

static void test_header_faults(void)
{
	struct fault_set set;
	uint8_t h[4];

	headers(&none, 1, h);
	CHECK(!memcmp(h, "\x02\x81\x02\x83", 4));
	headers(&none, 0, h);
	CHECK(!memcmp(h, "\x02\x80\x02\x82", 4));
	set = only(FAULT_ERR, 0);
	headers(&set, 0, h);
	CHECK(!memcmp(h, "\x02\xc0\x02\xc2", 4));
	set = only(FAULT_HLEN, 255);
	headers(&set, 0, h);
	CHECK(!memcmp(h, "\xff\x80\xff\x82", 4));
	set = only(FAULT_NOEOF, 0);
	headers(&set, 1, h);
	CHECK(!memcmp(h, "\x02\x81\x02\x81", 4));
}

static struct fault_bytes bytes;

static void apply(enum fault_kind kind, uint32_t value, enum roll_format format,
		  const uint8_t *data, size_t size)
{
	struct fault_set set = only(kind, value);

	CHECK(!fault_apply(&set, format, 20000, 5, data, size, &bytes));
}

static void test_byte_faults(void)
{
	static const uint8_t jpeg[] = { 0xff, 0xd8, 0xff, 0xe0, 0,    4, 1,    2,    0xff, 0xc0,
					0,    11,   8,	  0x01, 0x68, 2, 0x80, 1,    1,	   0x11,
					0,    0xff, 0xda, 0,	2,    5, 7,    0xff, 0xd9 };
	uint32_t w, h, same = 0;
	uint8_t first[1000];

	CHECK(!fault_apply(&none, ROLL_YUYV, 20000, 5, frame, 1000, &bytes));
	CHECK(bytes.data == frame && bytes.size == 1000); /* not copied */
	apply(FAULT_TRUNC, 50, ROLL_YUYV, frame, 1000);
	CHECK(bytes.size == 500 && !memcmp(bytes.data, frame, 500));
	apply(FAULT_PAD, 512, ROLL_MJPEG, frame, 1000);
	CHECK(bytes.size == 1512 && !memcmp(bytes.data, frame, 1000));
	CHECK(!bytes.data[1000] && !bytes.data[1511]);
	apply(FAULT_OVER, 1000, ROLL_MJPEG, frame, 1000);
	CHECK(bytes.size == 21000 && !memcmp(bytes.data, frame, 1000) && !bytes.data[20999]);
	apply(FAULT_EMPTY, 0, ROLL_MJPEG, frame, 1000);
	CHECK(bytes.size == 0);
	apply(FAULT_SIZE, 0, ROLL_YUYV, frame, 1000);
	CHECK(bytes.size == 250);
	apply(FAULT_SIZE, 0, ROLL_MJPEG, jpeg, sizeof(jpeg));
	CHECK(bytes.size == sizeof(jpeg));
	CHECK(!roll_jpeg_size(bytes.data, bytes.size, &w, &h) && w == 320 && h == 180);
	apply(FAULT_SIZE, 0, ROLL_MJPEG, jpeg, 12); /* cut off: nothing to halve, no overrun */
	CHECK(bytes.size == 12 && !memcmp(bytes.data, jpeg, 12));
	apply(FAULT_RANDOM, 10, ROLL_MJPEG, frame, 1000);
	CHECK(!memcmp(bytes.data, frame, 495) && !memcmp(bytes.data + 505, frame + 505, 495));
	CHECK(memcmp(bytes.data + 495, frame + 495, 10));
	apply(FAULT_RANDOM, 0, ROLL_MJPEG, frame, 1000);
	for (int i = 0; i < 1000; i++)
		same += bytes.data[i] == frame[i];
	CHECK(same < 30);
	memcpy(first, bytes.data, 1000);
	apply(FAULT_RANDOM, 0, ROLL_MJPEG, frame, 1000);
	CHECK(!memcmp(first, bytes.data, 1000)); /* the same script, the same bytes */
}

static void test_script(void)
{
	static const char *const wrong[] = { "",	   "trunc",
					     "trunc:",	   "trunc:1:",
					     "trunc:x",	   "foo:1",
					     "trunc:1,",   ",trunc:1",
					     "hlen:1:256", "trunc:-1",
					     "trunc:1 ",   "trunc:1:2:3",
					     "err:1:1",	   "trunc:99999999999999999999",
					     "trun:1" };
	struct fault_list list = { 0 };
	struct fault_set set;
	char text[128], why[160];
	uint32_t v;

	CHECK(!fault_parse(&list, "trunc:5:30,err:5,detach:9:2000,urbstatus:7,urbstatus:7:32", why,
			   sizeof(why)));
	CHECK(list.count == 5);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK(fault_parse(&list, wrong[i], why, sizeof(why)) == -EINVAL);
		CHECK(list.count == 5 && *why);
	}
	fault_collect(&list, 4, &set);
	CHECK(!set.mask);
	fault_collect(&list, 5, &set);
	CHECK(set.mask == (1u << FAULT_TRUNC | 1u << FAULT_ERR) && set.value[FAULT_TRUNC] == 30);
	fault_describe(&set, text, sizeof(text));
	CHECK(!strcmp(text, "trunc+err"));
	fault_collect(&list, 5, &set);
	CHECK(!set.mask); /* once */
	fault_collect(&list, 7, &set);
	CHECK(set.times[FAULT_URBSTATUS] == 2);
	fault_collect(&list, 9, &set);
	CHECK(!set.mask); /* not a fault of the bytes */
	CHECK(!fault_take(&list, FAULT_DETACH, 8, &v));
	CHECK(fault_take(&list, FAULT_DETACH, 9, &v) && v == 2000);
	CHECK(!fault_take(&list, FAULT_DETACH, 9, &v));
}

int main(void)
{
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (i * 2654435761u) >> 13;
	test_borders();
	test_no_room();
	test_header_faults();
	test_byte_faults();
	test_script();
	free(bytes.scratch);
	return check_result();
}
