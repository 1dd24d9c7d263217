// SPDX-License-Identifier: MIT
/*
 * USB/IP as a state machine: framing in any cut, answers, and the five rules of unlinking. Every
 * URB must be answered once, by RET_SUBMIT or by the RET_UNLINK of its cancellation.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "tools/camsim/usbip.h"

static struct usbip *u;
static uint8_t sent[1 << 20];
static size_t sent_size;

static int keep_sent(void *ctx, const struct iovec *iov, int count)
{
	for (int i = 0; i < count; i++) {
		if (sent_size + iov[i].iov_len > sizeof(sent))
			return -ENOSPC;
		memcpy(sent + sent_size, iov[i].iov_base, iov[i].iov_len);
		sent_size += iov[i].iov_len;
	}
	return 0;
}

static void begin(void)
{
	usbip_init(u, keep_sent, NULL);
	sent_size = 0;
}

static void feed(const uint8_t *bytes, size_t size)
{
	while (size) {
		size_t room;
		void *to = usbip_room(u, &room);

		if (room > size)
			room = size;
		memcpy(to, bytes, room);
		usbip_received(u, room);
		bytes += room;
		size -= room;
	}
}

static size_t make_submit(uint8_t *m, uint32_t seqnum, uint32_t endpoint, bool in, uint32_t length,
			  uint32_t packets)
{
	size_t size = USBIP_HEADER_SIZE;

	memset(m, 0, USBIP_HEADER_SIZE);
	usbip_put_be32(m, USBIP_CMD_SUBMIT);
	usbip_put_be32(m + 4, seqnum);
	usbip_put_be32(m + 12, in);
	usbip_put_be32(m + 16, endpoint);
	usbip_put_be32(m + 24, length);
	usbip_put_be32(m + 32, packets);
	for (uint32_t i = 0; !in && i < length; i++)
		m[size++] = i * 7;
	for (uint32_t i = 0; i != UINT32_MAX && packets != UINT32_MAX && i < packets; i++) {
		memset(m + size, 0, USBIP_PACKET_SIZE);
		usbip_put_be32(m + size, i * (length / packets));
		usbip_put_be32(m + size + 4, length / packets);
		size += USBIP_PACKET_SIZE;
	}
	return size;
}

static int submit(uint32_t seqnum, uint32_t endpoint, uint64_t now, struct usbip_urb **urb)
{
	uint8_t m[USBIP_HEADER_SIZE];

	feed(m, make_submit(m, seqnum, endpoint, true, 16384, UINT32_MAX));
	return usbip_next(u, now, urb);
}

static int unlink_urb(uint32_t seqnum, uint32_t victim, uint64_t now)
{
	uint8_t m[USBIP_HEADER_SIZE] = { 0 };
	struct usbip_urb *urb;

	usbip_put_be32(m, USBIP_CMD_UNLINK);
	usbip_put_be32(m + 4, seqnum);
	usbip_put_be32(m + 20, victim);
	feed(m, sizeof(m));
	return usbip_next(u, now, &urb);
}

/* True when exactly one header was sent since the last look, and it is this one. */
static bool was_sent(uint32_t command, uint32_t seqnum, int32_t status)
{
	bool same = sent_size == USBIP_HEADER_SIZE && usbip_get_be32(sent) == command &&
		    usbip_get_be32(sent + 4) == seqnum &&
		    (int32_t)usbip_get_be32(sent + 20) == status;

	sent_size = 0;
	return same;
}

static void test_rule_2_pending(void)
{
	struct usbip_urb *urb, *other;

	begin();
	CHECK(submit(100, 1, 0, &urb) == 1);
	CHECK(submit(101, 1, 0, &other) == 1);
	CHECK(!unlink_urb(102, 100, 0));
	CHECK(was_sent(USBIP_RET_UNLINK, 102, -ECONNRESET));
	CHECK(usbip_oldest(u, 1) == other);
	CHECK(usbip_complete(u, urb, 0, NULL, 0) == -EINVAL); /* answered by its unlink */
	CHECK(!sent_size);
}

static void test_rule_3_answered(void)
{
	struct usbip_urb *urb;

	begin();
	CHECK(submit(7, 1, 0, &urb) == 1);
	CHECK(!usbip_complete(u, urb, 0, NULL, 0));
	CHECK(was_sent(USBIP_RET_SUBMIT, 7, 0));
	CHECK(!unlink_urb(8, 7, 0));
	CHECK(was_sent(USBIP_RET_UNLINK, 8, 0));
	CHECK(!unlink_urb(9, 5, 0)); /* older than all that came here */
	CHECK(was_sent(USBIP_RET_UNLINK, 9, 0));
}

static void test_rule_4_overtaken(uint32_t endpoint, uint32_t first)
{
	struct usbip_urb *urb;

	begin();
	CHECK(submit(first, 1, 0, &urb) == 1);
	CHECK(!unlink_urb(first + 2, first + 1, 1000));
	CHECK(!sent_size); /* nothing yet */
	CHECK(usbip_deadline_ns(u) == 1000 + USBIP_HOLD_NS);
	CHECK(!submit(first + 1, endpoint, 2000, &urb)); /* swallowed */
	CHECK(was_sent(USBIP_RET_UNLINK, first + 2, -ECONNRESET));
	CHECK(!usbip_deadline_ns(u));
	CHECK(u->counters.overtaken == 1);
	CHECK(submit(first + 3, 1, 3000, &urb) == 1 && urb->seqnum == first + 3);
	CHECK(u->pending_count == 2 && !sent_size);
}

static void test_rule_4_with_data(void)
{
	static uint8_t m[8192];
	struct usbip_urb *urb;
	size_t size;

	begin();
	CHECK(submit(1, 1, 0, &urb) == 1);
	CHECK(!unlink_urb(3, 2, 0));
	size = make_submit(m, 2, 0, false, 34, 0); /* its data must go with it */
	feed(m, size);
	CHECK(!usbip_next(u, 0, &urb));
	CHECK(was_sent(USBIP_RET_UNLINK, 3, -ECONNRESET));
	CHECK(!unlink_urb(5, 4, 0));
	size = make_submit(m, 4, 1, true, 32 * 3072, 32); /* and its packets */
	feed(m, size);
	CHECK(!usbip_next(u, 0, &urb));
	CHECK(was_sent(USBIP_RET_UNLINK, 5, -ECONNRESET));
	CHECK(submit(6, 1, 0, &urb) == 1 && urb->seqnum == 6);
}

static void test_rule_4_expires(void)
{
	struct usbip_urb *urb;

	begin();
	CHECK(submit(10, 1, 0, &urb) == 1);
	CHECK(!unlink_urb(12, 11, 5));
	CHECK(!usbip_tick(u, 5 + USBIP_HOLD_NS - 1) && !sent_size);
	CHECK(!usbip_tick(u, 5 + USBIP_HOLD_NS));
	CHECK(was_sent(USBIP_RET_UNLINK, 12, -ECONNRESET));
	CHECK(!usbip_tick(u, 5 + 2 * USBIP_HOLD_NS) && !sent_size); /* once */
	CHECK(!submit(11, 1, 5 + 3 * USBIP_HOLD_NS, &urb));	    /* too late: not a word */
	CHECK(!sent_size && u->pending_count == 1 && !u->held_count);
}

/* A newer SUBMIT shows that the cancelled one will never come. */
static void test_rule_4_never_comes(void)
{
	struct usbip_urb *urb;

	begin();
	CHECK(submit(10, 1, 0, &urb) == 1);
	CHECK(!unlink_urb(12, 11, 0));
	CHECK(submit(13, 1, 0, &urb) == 1);
	CHECK(was_sent(USBIP_RET_UNLINK, 12, -ECONNRESET));
	CHECK(u->pending_count == 2 && !u->held_count);
}

static void test_rule_5_before_any(void)
{
	struct usbip_urb *urb;

	begin();
	CHECK(!unlink_urb(5001, 4990, 0));
	CHECK(was_sent(USBIP_RET_UNLINK, 5001, -ECONNRESET));
	CHECK(!usbip_deadline_ns(u));
	CHECK(submit(5002, 0, 0, &urb) == 1);
	CHECK(!sent_size && u->pending_count == 1 && !u->held_count);
	CHECK(u->counters.stray == 1);
}

/* Thousands of random orders: no URB without an answer, none with two. */
static void test_answers_balance(void)
{
	enum { URBS = 20000 };
	static uint8_t answers[URBS * 2 + 2];
	struct usbip_urb *urb;
	uint32_t next = 1, unlinks = 0, ended = 0;
	uint64_t seed = 88172645463325252ull;

	begin();
	while (next < URBS) {
		uint32_t victim = 0;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		if (seed % 4 == 0 && next > 1)
			victim = next + 1; /* overtakes the next submit */
		if (victim) {
			CHECK(unlink_urb(next, victim, next) == 0);
			unlinks++;
			next++;
			CHECK(submit(next, 1, next, &urb) == 0);
			answers[next]++; /* the RET_UNLINK */
		} else if (submit(next, 1, next, &urb) == 1 && seed % 3 == 0) {
			usbip_complete(u, urb, 0, NULL, 0);
		}
		next++;
		if (u->pending_count > 5) {
			urb = usbip_oldest(u, 1);
			if (seed & 1024) {
				usbip_complete(u, urb, 0, NULL, 0);
			} else {
				unlink_urb(next, urb->seqnum, next);
				next++;
				unlinks++;
			}
		}
	}
	while ((urb = usbip_oldest(u, 1)))
		usbip_complete(u, urb, 0, NULL, 0);
	for (size_t at = 0; at < sent_size; at += USBIP_HEADER_SIZE) {
		if (usbip_get_be32(sent + at) == USBIP_RET_UNLINK) {
			CHECK((int32_t)usbip_get_be32(sent + at + 20) == -ECONNRESET);
			ended++;
		} else {
			CHECK(answers[usbip_get_be32(sent + at + 4)]++ == 0);
		}
	}
	CHECK(ended == unlinks && unlinks > 1000);
	CHECK(sent_size / USBIP_HEADER_SIZE ==
	      u->counters.submits + unlinks - u->counters.overtaken - u->counters.unlinked);
}

static void test_every_cut(void)
{
	static uint8_t m[4096];
	struct usbip_urb *urb;
	size_t size = make_submit(m, 1, 0, false, 34, 0);

	size += make_submit(m + size, 2, 1, true, 4 * 3072, 4);
	for (size_t cut = 1; cut < size; cut++) {
		int got = 0;

		begin();
		feed(m, cut);
		while (usbip_next(u, 0, &urb) == 1)
			got++;
		feed(m + cut, size - cut);
		while (usbip_next(u, 0, &urb) == 1)
			got++;
		CHECK(got == 2 && u->pending_count == 2);
		CHECK(u->pending[0]->length == 34 && u->pending[0]->out[33] == (uint8_t)(33 * 7));
		CHECK(u->pending[1]->packet[3].offset == 3 * 3072);
	}
}

static void test_answer_bytes(void)
{
	static uint8_t m[4096];
	struct usbip_urb *urb;
	struct iovec iov[2] = { { "\x02\x80", 2 }, { "abcde", 5 } };

	begin();
	CHECK(submit(1, 1, 0, &urb) == 1);
	CHECK(!usbip_complete(u, urb, 0, iov, 2));
	CHECK(sent_size == 48 + 7 && usbip_get_be32(sent + 24) == 7);
	CHECK(!memcmp(sent + 48,
		      "\x02\x80"
		      "abcde",
		      7));

	begin();
	feed(m, make_submit(m, 2, 1, true, 2 * 8, 2));
	CHECK(usbip_next(u, 0, &urb) == 1 && urb->packets == 2);
	urb->packet[1].actual = 7;
	urb->packet[0].status = -18;
	CHECK(!usbip_complete_iso(u, urb, iov, 2));
	CHECK(sent_size == 48 + 7 + 2 * 16 && usbip_get_be32(sent + 24) == 7);
	CHECK(usbip_get_be32(sent + 32) == 2 && usbip_get_be32(sent + 36) == 1);
	CHECK((int32_t)usbip_get_be32(sent + 48 + 7 + 12) == -18);
	CHECK(usbip_get_be32(sent + 48 + 7 + 16) == 8 && usbip_get_be32(sent + 48 + 7 + 24) == 7);

	begin();
	feed(m, make_submit(m, 3, 0, false, 26, 0));
	CHECK(usbip_next(u, 0, &urb) == 1);
	CHECK(!usbip_complete(u, urb, 0, NULL, 0));
	CHECK(sent_size == 48 && usbip_get_be32(sent + 24) == 26); /* OUT: what was received */
}

static void test_answer_bounds(void)
{
	static uint8_t m[4096], big[16385];
	struct usbip_urb *urb;
	struct iovec iov = { big, sizeof(big) };

	begin();
	CHECK(submit(1, 1, 0, &urb) == 1);
	CHECK(usbip_complete(u, urb, 0, &iov, 1) == -EINVAL); /* one byte too many */
	feed(m, make_submit(m, 2, 1, true, 16, 2));
	CHECK(usbip_next(u, 0, &urb) == 1);
	urb->packet[0].actual = 6;
	iov.iov_len = 7;
	CHECK(usbip_complete_iso(u, urb, &iov, 1) == -EINVAL); /* sums differ */
	urb->packet[0].actual = 9;
	iov.iov_len = 9;
	CHECK(usbip_complete_iso(u, urb, &iov, 1) == -EINVAL); /* more than the packet holds */
	CHECK(!sent_size);
}

static int refuse(const uint8_t *m, size_t size)
{
	struct usbip_urb *urb;

	begin();
	feed(m, size);
	return usbip_next(u, 0, &urb);
}

static void test_hostile(void)
{
	static uint8_t m[16384];
	struct usbip_urb *urb;
	size_t size = make_submit(m, 1, 0, false, USBIP_OUT_MAX, 0);
	int r = 0;

	CHECK(refuse(m, size) == 1);
	usbip_put_be32(m + 24, USBIP_OUT_MAX + 1);
	CHECK(refuse(m, size) == -EPROTO);
	make_submit(m, 1, 1, true, USBIP_IN_MAX + 1, 0);
	CHECK(refuse(m, 48) == -EPROTO);
	make_submit(m, 1, 1, true, 1024, 0);
	usbip_put_be32(m + 32, USBIP_PACKETS_MAX + 1);
	CHECK(refuse(m, 48) == -EPROTO);
	make_submit(m, 1, 16, true, 1024, 0);
	CHECK(refuse(m, 48) == -EPROTO);
	usbip_put_be32(m, 9);
	CHECK(refuse(m, 48) == -EPROTO);
	size = make_submit(m, 1, 1, true, 64, 2);
	usbip_put_be32(m + 48 + 16 + 4, 33); /* the second packet ends behind the buffer */
	CHECK(refuse(m, size) == -EPROTO);
	begin();
	CHECK(submit(2, 1, 0, &urb) == 1);
	CHECK(submit(2, 1, 0, &urb) == -EPROTO); /* the same again */
	begin();
	for (uint32_t i = 0; i <= USBIP_URBS_MAX && r >= 0; i++)
		r = submit(1 + i, 1, 0, &urb);
	CHECK(r == -EPROTO && u->pending_count == USBIP_URBS_MAX);
}

int main(void)
{
	u = calloc(1, sizeof(*u));
	if (!u)
		return 1;
	test_rule_2_pending();
	test_rule_3_answered();
	test_rule_4_overtaken(1, 50);
	test_rule_4_overtaken(0, 50);
	test_rule_4_overtaken(1, 0xfffffffe); /* across the wrap */
	test_rule_4_with_data();
	test_rule_4_expires();
	test_rule_4_never_comes();
	test_rule_5_before_any();
	test_answers_balance();
	test_every_cut();
	test_answer_bytes();
	test_answer_bounds();
	test_hostile();
	free(u);
	return check_result();
}
