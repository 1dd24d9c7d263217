// SPDX-License-Identifier: MIT
/* Messages and fields: round trips in pieces of any size, and everything that must be refused. */
#include <errno.h>
#include <string.h>
#include "check.h"
#include "lib/crc32c.h"
#include "lib/wire.h"

static void test_crc(void)
{
	static uint8_t bytes[10000];

	CHECK(sluice_crc32c(0, "123456789", 9) == 0xe3069283u);
	CHECK(sluice_crc32c_table(0, "123456789", 9) == 0xe3069283u);
	CHECK(sluice_crc32c(0, "", 0) == 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_below(256);
	for (size_t from = 0; from < 9; from++)
		for (size_t size = 0; size < 60; size++)
			CHECK(sluice_crc32c(0, bytes + from, size) ==
			      sluice_crc32c_table(0, bytes + from, size));
	for (size_t size = 3050; size < sizeof(bytes) - 8; size += 1 + random_below(40))
		CHECK(sluice_crc32c(7, bytes + size % 8, size) ==
		      sluice_crc32c_table(7, bytes + size % 8, size));
	for (size_t cut = 0; cut < sizeof(bytes); cut += 13)
		CHECK(sluice_crc32c(sluice_crc32c(0, bytes, cut), bytes + cut,
				    sizeof(bytes) - cut) == sluice_crc32c(0, bytes, sizeof(bytes)));
}

#define MESSAGES 40

struct sent {
	struct sluice_wire_message m;
	uint8_t payload[3000];
};

static struct sent sent[MESSAGES];
static uint8_t stream[MESSAGES * 3100];

static size_t make_stream(void)
{
	size_t n = 0;

	for (int i = 0; i < MESSAGES; i++) {
		struct sluice_wire_header h;
		uint32_t length = random_below(4) ? random_below(3000) : random_below(3) * 8;

		for (uint32_t j = 0; j < length; j++)
			sent[i].payload[j] = (uint8_t)random_below(256);
		sent[i].m = (struct sluice_wire_message){
			.type = random_below(2) ? SLUICE_MSG_FRAME : SLUICE_MSG_STATS,
			.slot = random_below(SLUICE_WIRE_SLOTS_ALL + 1),
			.length = length,
			.sequence = ((uint64_t)random_below(~0u) << 32) + random_below(~0u),
		};
		sluice_wire_header_put(&h, &sent[i].m, sluice_crc32c(0, sent[i].payload, length));
		memcpy(stream + n, &h, sizeof(h));
		memcpy(stream + n + sizeof(h), sent[i].payload, length);
		n += sizeof(h) + length;
	}
	return n;
}

/* All messages come out whole and in order, however the stream is cut. */
static void test_pieces(void)
{
	for (uint32_t most = 1; most < 20000; most = most * 3 + 1) {
		struct sluice_wire_decoder d;
		size_t size = make_stream(), at = 0;
		int got = 0;

		sluice_wire_decoder_init(&d, 4096);
		while (at < size) {
			size_t n = 1 + random_below(most), used;
			const uint8_t *p = stream + at;
			int r;

			if (n > size - at)
				n = size - at;
			at += n;
			do {
				struct sluice_wire_message m;

				r = sluice_wire_feed(&d, p, n, &used, &m);
				CHECK(r == 0 || r == 1);
				CHECK(used <= n);
				p += used;
				n -= used;
				if (r != 1 || got == MESSAGES)
					continue;
				CHECK(m.type == sent[got].m.type && m.slot == sent[got].m.slot &&
				      m.length == sent[got].m.length &&
				      m.sequence == sent[got].m.sequence);
				CHECK(!memcmp(m.payload, sent[got].payload, m.length));
				got++;
			} while (r == 1);
			CHECK(n == 0);
		}
		CHECK(got == MESSAGES);
		sluice_wire_decoder_exit(&d);
	}
}

static int feed_all(const uint8_t *bytes, size_t size, uint32_t frame_max)
{
	struct sluice_wire_decoder d;
	struct sluice_wire_message m;
	size_t used, at = 0;
	int r;

	sluice_wire_decoder_init(&d, frame_max);
	do {
		r = sluice_wire_feed(&d, bytes + at, size - at, &used, &m);
		at += used;
	} while (r == 1 && at < size);
	sluice_wire_decoder_exit(&d);
	return r;
}

/* No single bit may be wrong. */
static void test_damage(void)
{
	struct sluice_wire_message m = { .type = SLUICE_MSG_STATS, .slot = 3, .length = 24 };
	uint8_t bytes[sizeof(struct sluice_wire_header) + 24], copy[sizeof(bytes)];
	struct sluice_wire_header h;

	memset(bytes, 0x5a, sizeof(bytes));
	sluice_wire_header_put(&h, &m, sluice_crc32c(0, bytes + sizeof(h), 24));
	memcpy(bytes, &h, sizeof(h));
	CHECK(feed_all(bytes, sizeof(bytes), 0) == 1);
	for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
		int r;

		memcpy(copy, bytes, sizeof(copy));
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		r = feed_all(copy, sizeof(copy), 0);
		CHECK(r == (bit < 8 ? -EPROTONOSUPPORT : bit < 256 ? -EBADMSG : -EILSEQ));
	}
}

static int head_error(struct sluice_wire_message m, uint32_t frame_max, uint32_t reserved)
{
	struct sluice_wire_header h;
	uint32_t crc;

	sluice_wire_header_put(&h, &m, 0);
	h.reserved = reserved;
	h.header_crc = sluice_crc32c(0, &h, 28);
	return sluice_wire_header_get(&h, frame_max, &m, &crc);
}

static void test_limits(void)
{
	struct sluice_wire_message frame = { .type = SLUICE_MSG_FRAME, .slot = 1 };
	struct sluice_wire_message stats = { .type = SLUICE_MSG_STATS, .slot = 1 };

	frame.length = 5000;
	CHECK(head_error(frame, 5000, 0) == 0);
	CHECK(head_error(frame, 4999, 0) == -EMSGSIZE);
	stats.length = SLUICE_WIRE_CONTROL_MAX;
	CHECK(head_error(stats, 0, 0) == 0);
	stats.length++;
	CHECK(head_error(stats, SLUICE_WIRE_PAYLOAD_MAX, 0) == -EMSGSIZE);
	stats.length = 0;
	CHECK(head_error(stats, 0, 1) == -EBADMSG);
	stats.slot = SLUICE_WIRE_SLOTS_ALL + 1;
	CHECK(head_error(stats, 0, 0) == -EBADMSG);
	stats.slot = 0;
	stats.flags = SLUICE_WIRE_CRITICAL;
	CHECK(head_error(stats, 0, 0) == 0);
	stats.flags = 1;
	CHECK(head_error(stats, 0, 0) == -EBADMSG);
	CHECK(!sluice_wire_type_known(0) && !sluice_wire_type_known(255));
	CHECK(sluice_wire_type_known(SLUICE_MSG_DONE));
	CHECK(sluice_wire_error_code(-EMSGSIZE) == SLUICE_CODE_TOO_BIG);
}

static void test_fields(void)
{
	uint8_t buf[2048], digest[32] = { 1, 2, 3 };
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_clock c, c2;
	struct sluice_wire_ledger l = { .delivered = 7 }, l2;
	struct sluice_wire_fields f;
	struct sluice_wire_field field;
	struct sluice_wire_media_info media;
	char text[8];
	uint32_t u, width, height, at = 0;
	uint64_t q;
	int media_count = 0;

	l.count[31] = 99;
	sluice_wire_clock_now(&c);
	CHECK(c.uncertainty > 0 && c.uncertainty < 1000000000u);
	sluice_wire_put_text(&w, SLUICE_TAG_NAME, "porch");
	sluice_wire_put_u32(&w, SLUICE_TAG_CODE, 5);
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, 1ull << 40);
	sluice_wire_put_bytes(&w, 500, "later", 5);
	sluice_wire_put_clock(&w, &c);
	sluice_wire_put_size(&w, 640, 480);
	sluice_wire_put_ledger(&w, &l);
	sluice_wire_put_media(&w, 0, 10, digest, "key-0.jpg");
	sluice_wire_put_media(&w, 1, 11, digest, "key-1.jpg");
	CHECK(!w.err && w.used % 8 == 0);
	CHECK(sluice_wire_fields_get(&f, buf, (uint32_t)w.used, 0) == -EBADMSG);
	CHECK(!sluice_wire_fields_get(&f, buf, (uint32_t)w.used, 1ull << SLUICE_TAG_MEDIA));
	CHECK(!sluice_wire_get_text(&f, SLUICE_TAG_NAME, text, sizeof(text)));
	CHECK(!strcmp(text, "porch"));
	CHECK(sluice_wire_get_text(&f, SLUICE_TAG_NAME, text, 5) == -EBADMSG);
	CHECK(!sluice_wire_get_u32(&f, SLUICE_TAG_CODE, &u) && u == 5);
	CHECK(sluice_wire_get_u64(&f, SLUICE_TAG_CODE, &q) == -EBADMSG);
	CHECK(sluice_wire_get_u32(&f, SLUICE_TAG_STAGE, &u) == -ENOENT);
	CHECK(!sluice_wire_get_u64(&f, SLUICE_TAG_EPOCH, &q) && q == 1ull << 40);
	CHECK(!sluice_wire_get_clock(&f, &c2) && !memcmp(&c, &c2, sizeof(c)));
	CHECK(!sluice_wire_get_size(&f, &width, &height) && width == 640 && height == 480);
	CHECK(!sluice_wire_get_ledger(&f, &l2) && !memcmp(&l, &l2, sizeof(l)));
	while (sluice_wire_field_next(buf, (uint32_t)w.used, &at, &field) == 1) {
		if (field.tag != SLUICE_TAG_MEDIA)
			continue;
		CHECK(!sluice_wire_media_get(&field, &media));
		CHECK(media.index == (uint32_t)media_count && media.name[4] == '0' + media_count);
		media_count++;
	}
	CHECK(media_count == 2 && at == w.used);
}

/* Every cut of a good payload, every byte set that must be zero. */
static void test_bad_fields(void)
{
	uint8_t buf[64], small[16];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_writer s = { .buf = small, .size = sizeof(small) };
	struct sluice_wire_fields f;

	sluice_wire_put_text(&w, SLUICE_TAG_NAME, "cam");
	sluice_wire_put_u32(&w, SLUICE_TAG_CODE, 5);
	for (uint32_t n = 0; n <= w.used; n++)
		CHECK(sluice_wire_fields_get(&f, buf, n, 0) == (n % 16 ? -EBADMSG : 0));
	for (int i = 11; i < 16; i++) {
		buf[i] = 1;
		CHECK(sluice_wire_fields_get(&f, buf, 32, 0) == -EBADMSG);
		buf[i] = 0;
	}
	buf[2] = 1;
	CHECK(sluice_wire_fields_get(&f, buf, 32, 0) == -EBADMSG);
	buf[2] = 0;
	buf[7] = 0xff;
	CHECK(sluice_wire_fields_get(&f, buf, 32, 0) == -EBADMSG);
	sluice_wire_put_u64(&s, SLUICE_TAG_EPOCH, 1);
	CHECK(!s.err);
	sluice_wire_put_u32(&s, SLUICE_TAG_CODE, 1);
	CHECK(s.err == -ENOBUFS && s.used == 16);
	w.used = 0;
	sluice_wire_put_bytes(&w, SLUICE_TAG_NAME, "a\0b", 3);
	sluice_wire_fields_get(&f, buf, (uint32_t)w.used, 0);
	CHECK(sluice_wire_get_text(&f, SLUICE_TAG_NAME, (char *)small, 16) == -EBADMSG);
}

static void test_media_names(void)
{
	static const char *const bad[] = {
		"",	".",
		"..",	".hidden",
		"a/b",	"../x",
		"a b",	"a\nb",
		"\xff", "12345678901234567890123456789012345678901234567.jpg"
	};
	static const char *const good[] = { "key-1.jpg", "digest.mp4", "a", "A_b.c-d" };
	uint8_t buf[256], digest[32] = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) + sizeof(good) / sizeof(good[0]); i++) {
		size_t bads = sizeof(bad) / sizeof(bad[0]);
		struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
		struct sluice_wire_media_info m;
		struct sluice_wire_field field;
		uint32_t at = 0;

		sluice_wire_put_media(&w, 0, 1, digest, i < bads ? bad[i] : good[i - bads]);
		CHECK(sluice_wire_field_next(buf, (uint32_t)w.used, &at, &field) == 1);
		CHECK(sluice_wire_media_get(&field, &m) == (i < bads ? -EBADMSG : 0));
	}
}

static int frame_error(const struct sluice_wire_frame_info *in, uint32_t pictures, int dirty)
{
	uint8_t buf[256] = { 0 };
	struct sluice_wire_frame_info out;
	uint32_t padded = sluice_wire_cells_padded(in->cells_size);
	int err;

	sluice_wire_frame_put((struct sluice_wire_frame *)buf, in);
	if (dirty)
		buf[sizeof(struct sluice_wire_frame) + in->cells_size] = 1;
	err = sluice_wire_frame_get(
		buf, (uint32_t)sizeof(struct sluice_wire_frame) + padded + pictures, &out);
	if (err)
		return err;
	CHECK(out.epoch == in->epoch && out.time_ns == in->time_ns && out.score == in->score &&
	      out.settings == in->settings && out.grid_h == in->grid_h);
	CHECK(out.picture_size == pictures);
	CHECK(out.picture == buf + sizeof(struct sluice_wire_frame) + padded);
	return 0;
}

static void test_frames(void)
{
	struct sluice_wire_frame_info f = { .epoch = 1,
					    .time_ns = 2,
					    .format = SLUICE_WIRE_JPEG,
					    .reason = SLUICE_REASON_MOTION,
					    .score = 65535,
					    .grid_w = 9,
					    .grid_h = 3,
					    .cells_size = 4,
					    .settings = 77 };

	CHECK(frame_error(&f, 10, 0) == 0);
	CHECK(frame_error(&f, 0, 0) == -EBADMSG);
	CHECK(frame_error(&f, 10, 1) == -EBADMSG);
	f.cells_size = 5;
	CHECK(frame_error(&f, 10, 0) == -EBADMSG);
	f.cells_size = 0;
	CHECK(frame_error(&f, 10, 0) == 0);
	f.reason = SLUICE_REASON_QUIET;
	CHECK(frame_error(&f, 10, 0) == -EBADMSG);
	f.reason = SLUICE_REASON_CORRUPT;
	CHECK(frame_error(&f, 1, 0) == 0);
	f.format = 0x56595559;
	CHECK(frame_error(&f, 10, 0) == -EBADMSG);
}

static void test_parts(void)
{
	uint8_t buf[sizeof(struct sluice_wire_part) + SLUICE_WIRE_PART_MAX + 1] = { 0 };
	const uint32_t head = sizeof(struct sluice_wire_part);
	struct sluice_wire_part_info p;

	CHECK(sluice_wire_part_put((void *)buf, "0123", 0, 0) == -EINVAL);
	CHECK(!sluice_wire_part_put((void *)buf, "0123456789abcdef0123456789abcdef", 2,
				    1ull << 33));
	CHECK(!sluice_wire_part_get(buf, head + 1, &p));
	CHECK(p.index == 2 && p.offset == 1ull << 33 && p.size == 1 && p.data == buf + head);
	CHECK(!sluice_wire_part_get(buf, head + SLUICE_WIRE_PART_MAX, &p));
	CHECK(sluice_wire_part_get(buf, head + SLUICE_WIRE_PART_MAX + 1, &p) == -EBADMSG);
	CHECK(sluice_wire_part_get(buf, head, &p) == -EBADMSG);
	buf[5] = 'G';
	CHECK(sluice_wire_part_get(buf, head + 1, &p) == -EBADMSG);
	CHECK(!sluice_wire_id_ok("0123456789ABCDEF0123456789ABCDEF"));
	CHECK(!sluice_wire_id_ok("0123456789abcdef0123456789abcdef0"));
}

/* The messages of commands and settings: known, skipped by who does not know them, bounded. */
static void test_asked(void)
{
	_Alignas(8) uint8_t buf[1024];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	char text[SLUICE_WIRE_FEATURES_MAX + 1], long_text[SLUICE_WIRE_FEATURES_MAX + 2];
	struct sluice_wire_fields f;
	uint64_t paused = 0;

	CHECK(sluice_wire_type_known(SLUICE_MSG_COMMAND) &&
	      sluice_wire_type_known(SLUICE_MSG_COMMAND_RESULT) &&
	      sluice_wire_type_known(SLUICE_MSG_SETTINGS) && !sluice_wire_type_known(13) &&
	      !sluice_wire_type_known(44));
	CHECK(!strcmp(sluice_wire_type_name(SLUICE_MSG_COMMAND), "COMMAND"));
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	sluice_wire_put_text(&w, SLUICE_TAG_FEATURES, "snapshot pause");
	sluice_wire_put_text(&w, SLUICE_TAG_ALLOWS, long_text);
	sluice_wire_put_u64(&w, SLUICE_TAG_PAUSED, 77);
	CHECK(!w.err && !sluice_wire_fields_get(&f, buf, (uint32_t)w.used, 0));
	CHECK(!sluice_wire_get_text(&f, SLUICE_TAG_FEATURES, text, sizeof(text)) &&
	      !strcmp(text, "snapshot pause"));
	CHECK(sluice_wire_get_text(&f, SLUICE_TAG_ALLOWS, text, sizeof(text)) == -EBADMSG);
	CHECK(!sluice_wire_get_u64(&f, SLUICE_TAG_PAUSED, &paused) && paused == 77);
	sluice_wire_put_text(&w, SLUICE_TAG_FEATURES, "again");
	CHECK(sluice_wire_fields_get(&f, buf, (uint32_t)w.used, 0) == -EBADMSG);
}

int main(int argc, char **argv)
{
	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	test_asked();
	test_crc();
	test_pieces();
	test_damage();
	test_limits();
	test_fields();
	test_bad_fields();
	test_media_names();
	test_frames();
	test_parts();
	return check_result();
}
