// SPDX-License-Identifier: MIT
/*
 * The USB/IP connection: framing, the list of pending URBs, and unlinks.
 *
 * Every SUBMIT is answered once, by RET_SUBMIT or by the RET_UNLINK of its cancellation, never by
 * both: an answer for a URB that the kernel does not know ends the connection, and for the system
 * under test that is an unplugged camera. The kernel sends submits in order but drains submits and
 * unlinks from two queues, so an unlink can come before the URB it cancels. Hence five rules:
 *  1. @last is the newest seqnum submitted. Seqnums go on across connections and skip values.
 *  2. Unlink of a pending URB: drop it, RET_UNLINK -ECONNRESET.
 *  3. Unlink of a URB not pending, not newer than @last: it was answered. RET_UNLINK 0.
 *  4. Unlink of a URB newer than @last: say nothing. When its SUBMIT comes, swallow that and send
 *     RET_UNLINK -ECONNRESET. After 200 ms, or once a newer SUBMIT shows that it will never come,
 *     send that all the same; a SUBMIT that comes later still is swallowed without a word.
 *  5. Unlink before any SUBMIT: a URB of the connection before. RET_UNLINK -ECONNRESET at once.
 * Anything that breaks the framing, or a length beyond a bound, is -EPROTO: the caller hangs up.
 */
#include "tools/camsim/usbip.h"

#include <errno.h>
#include <string.h>

#define NOT_ISO 0xffffffffu

uint32_t usbip_get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void usbip_put_be32(uint8_t *p, uint32_t v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
}

/* Seqnums wrap. */
static bool seqnum_newer(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

void usbip_init(struct usbip *u, usbip_send_fn *send, void *ctx)
{
	memset(u, 0, offsetof(struct usbip, input));
	u->send = send;
	u->ctx = ctx;
	for (u->free_count = 0; u->free_count < USBIP_URBS_MAX; u->free_count++)
		u->free[u->free_count] = &u->urbs[u->free_count];
}

void *usbip_room(struct usbip *u, size_t *size)
{
	*size = sizeof(u->input) - u->input_size;
	return u->input + u->input_size;
}

void usbip_received(struct usbip *u, size_t size)
{
	u->input_size += size;
}

static int send_header(struct usbip *u, uint32_t command, uint32_t seqnum, int32_t status)
{
	uint8_t h[USBIP_HEADER_SIZE] = { 0 };
	struct iovec iov = { h, sizeof(h) };

	usbip_put_be32(h, command);
	usbip_put_be32(h + 4, seqnum);
	usbip_put_be32(h + 20, (uint32_t)status);
	return u->send(u->ctx, &iov, 1);
}

static void forget_urb(struct usbip *u, uint32_t i)
{
	u->free[u->free_count++] = u->pending[i];
	u->pending_count--;
	memmove(&u->pending[i], &u->pending[i + 1], (u->pending_count - i) * sizeof(u->pending[0]));
}

static int find_pending(const struct usbip *u, uint32_t seqnum)
{
	for (uint32_t i = 0; i < u->pending_count; i++)
		if (u->pending[i]->seqnum == seqnum)
			return i;
	return -1;
}

static int hold_unlink(struct usbip *u, uint32_t unlink_seqnum, uint32_t seqnum, uint64_t now_ns,
		       bool answered)
{
	if (u->held_count == USBIP_HELD_MAX)
		return -EPROTO;
	u->held[u->held_count++] = (struct usbip_held){ unlink_seqnum, seqnum, now_ns, answered };
	return 0;
}

static int take_unlink(struct usbip *u, const uint8_t *h, uint64_t now_ns)
{
	uint32_t unlink_seqnum = usbip_get_be32(h + 4);
	uint32_t seqnum = usbip_get_be32(h + 20);
	int i = find_pending(u, seqnum), r;

	u->counters.unlinks++;
	if (i >= 0) {
		u->counters.unlinked++;
		forget_urb(u, i);
		return send_header(u, USBIP_RET_UNLINK, unlink_seqnum, -ECONNRESET);
	}
	if (!u->any) {
		u->counters.stray++;
		r = hold_unlink(u, unlink_seqnum, seqnum, now_ns, true);
		return r ? r : send_header(u, USBIP_RET_UNLINK, unlink_seqnum, -ECONNRESET);
	}
	if (!seqnum_newer(seqnum, u->last)) {
		u->counters.unlinked_late++;
		return send_header(u, USBIP_RET_UNLINK, unlink_seqnum, 0);
	}
	return hold_unlink(u, unlink_seqnum, seqnum, now_ns, false);
}

/*
 * A SUBMIT with this seqnum has come: settles every held unlink that it decides. 1 when the SUBMIT
 * itself was cancelled, 0 when not, -errno of the connection.
 */
static int settle_held(struct usbip *u, uint32_t seqnum)
{
	bool cancelled = false;
	uint32_t kept = 0;
	int r = 0;

	for (uint32_t i = 0; i < u->held_count; i++) {
		struct usbip_held held = u->held[i];

		if (seqnum_newer(held.seqnum, seqnum)) {
			u->held[kept++] = held;
			continue;
		}
		if (held.seqnum == seqnum) {
			cancelled = true;
			u->counters.overtaken++;
		}
		if (!held.answered && !r)
			r = send_header(u, USBIP_RET_UNLINK, held.unlink_seqnum, -ECONNRESET);
	}
	u->held_count = kept;
	return r ? r : cancelled;
}

int usbip_tick(struct usbip *u, uint64_t now_ns)
{
	int r = 0;

	for (uint32_t i = 0; i < u->held_count && !r; i++) {
		struct usbip_held *held = &u->held[i];

		if (held->answered || now_ns - held->since_ns < USBIP_HOLD_NS)
			continue;
		held->answered = true;
		u->counters.hold_expired++;
		r = send_header(u, USBIP_RET_UNLINK, held->unlink_seqnum, -ECONNRESET);
	}
	return r;
}

uint64_t usbip_deadline_ns(const struct usbip *u)
{
	for (uint32_t i = 0; i < u->held_count; i++) /* in the order they came */
		if (!u->held[i].answered)
			return u->held[i].since_ns + USBIP_HOLD_NS;
	return 0;
}

/* Size of the message that begins at @h (a whole header): -EPROTO when it is not one. */
static int message_size(const uint8_t *h)
{
	uint32_t command = usbip_get_be32(h), direction = usbip_get_be32(h + 12);
	uint32_t length, packets;
	int size = USBIP_HEADER_SIZE;

	if (command == USBIP_CMD_UNLINK)
		return size;
	if (command != USBIP_CMD_SUBMIT || direction > 1 || usbip_get_be32(h + 16) > 15)
		return -EPROTO;
	length = usbip_get_be32(h + 24);
	packets = usbip_get_be32(h + 32);
	if (length > (direction ? USBIP_IN_MAX : USBIP_OUT_MAX))
		return -EPROTO;
	if (!direction)
		size += length;
	if (packets == NOT_ISO)
		packets = 0;
	if (packets > USBIP_PACKETS_MAX)
		return -EPROTO;
	return size + packets * USBIP_PACKET_SIZE;
}

static int parse_packets(struct usbip_urb *urb, const uint8_t *p)
{
	for (uint32_t i = 0; i < urb->packets; i++, p += USBIP_PACKET_SIZE) {
		struct usbip_packet *packet = &urb->packet[i];

		*packet = (struct usbip_packet){ usbip_get_be32(p), usbip_get_be32(p + 4), 0, 0 };
		if (packet->offset > urb->length || packet->length > urb->length - packet->offset)
			return -EPROTO;
	}
	return 0;
}

/* 1: @out is pending now; 0: it was cancelled before it came. */
static int take_submit(struct usbip *u, const uint8_t *h, struct usbip_urb **out)
{
	struct usbip_urb *urb;
	uint32_t seqnum = usbip_get_be32(h + 4);
	int r;

	if (u->any && !seqnum_newer(seqnum, u->last))
		return -EPROTO;
	u->any = true;
	u->last = seqnum;
	u->counters.submits++;
	r = settle_held(u, seqnum);
	if (r)
		return r < 0 ? r : 0;
	if (!u->free_count)
		return -EPROTO;
	urb = u->free[u->free_count - 1];
	urb->seqnum = seqnum;
	urb->in = usbip_get_be32(h + 12);
	urb->endpoint = usbip_get_be32(h + 16);
	urb->length = usbip_get_be32(h + 24);
	urb->packets = usbip_get_be32(h + 32);
	if (urb->packets == NOT_ISO)
		urb->packets = 0;
	memcpy(urb->setup, h + 40, sizeof(urb->setup));
	h += USBIP_HEADER_SIZE;
	if (!urb->in) {
		memcpy(urb->out, h, urb->length);
		h += urb->length;
	}
	r = parse_packets(urb, h);
	if (r)
		return r;
	u->free_count--;
	u->pending[u->pending_count++] = urb;
	*out = urb;
	return 1;
}

int usbip_next(struct usbip *u, uint64_t now_ns, struct usbip_urb **urb)
{
	size_t at = 0;
	int r = usbip_tick(u, now_ns);

	while (!r && u->input_size - at >= USBIP_HEADER_SIZE) {
		const uint8_t *h = u->input + at;
		int size = message_size(h);

		if (size < 0)
			return size;
		if (u->input_size - at < (size_t)size)
			break;
		at += size;
		if (usbip_get_be32(h) == USBIP_CMD_UNLINK)
			r = take_unlink(u, h, now_ns);
		else
			r = take_submit(u, h, urb);
	}
	u->input_size -= at;
	memmove(u->input, u->input + at, u->input_size);
	return r;
}

struct usbip_urb *usbip_oldest(struct usbip *u, uint32_t endpoint)
{
	for (uint32_t i = 0; i < u->pending_count; i++)
		if (u->pending[i]->endpoint == endpoint)
			return u->pending[i];
	return NULL;
}

static int complete_urb(struct usbip *u, struct usbip_urb *urb, int status, uint32_t errors,
			const struct iovec *iov, int count)
{
	uint8_t h[USBIP_HEADER_SIZE] = { 0 }, packets[USBIP_PACKETS_MAX * USBIP_PACKET_SIZE];
	struct iovec all[USBIP_IOV_MAX] = { { h, sizeof(h) } };
	int i = find_pending(u, urb->seqnum), n = 1;
	size_t actual = 0;

	if (i < 0 || count < 0 || count > USBIP_IOV_MAX - 2)
		return -EINVAL;
	for (int k = 0; k < count; k++) {
		actual += iov[k].iov_len;
		all[n++] = iov[k];
	}
	if (actual > urb->length || (!urb->in && actual))
		return -EINVAL;
	usbip_put_be32(h, USBIP_RET_SUBMIT);
	usbip_put_be32(h + 4, urb->seqnum);
	usbip_put_be32(h + 20, (uint32_t)status);
	usbip_put_be32(h + 24, !urb->in && !status ? urb->length : actual);
	usbip_put_be32(h + 32, urb->packets);
	usbip_put_be32(h + 36, errors);
	for (uint32_t k = 0; k < urb->packets; k++) {
		uint8_t *p = packets + k * USBIP_PACKET_SIZE;

		usbip_put_be32(p, urb->packet[k].offset);
		usbip_put_be32(p + 4, urb->packet[k].length);
		usbip_put_be32(p + 8, urb->packet[k].actual);
		usbip_put_be32(p + 12, (uint32_t)urb->packet[k].status);
	}
	if (urb->packets)
		all[n++] = (struct iovec){ packets, urb->packets * USBIP_PACKET_SIZE };
	forget_urb(u, i);
	return u->send(u->ctx, all, n);
}

int usbip_complete(struct usbip *u, struct usbip_urb *urb, int status, const struct iovec *iov,
		   int count)
{
	return complete_urb(u, urb, status, 0, iov, count);
}

int usbip_complete_iso(struct usbip *u, struct usbip_urb *urb, const struct iovec *iov, int count)
{
	uint64_t cut = 0, actual = 0;
	uint32_t errors = 0;

	for (int k = 0; k < count; k++)
		actual += iov[k].iov_len;
	for (uint32_t k = 0; k < urb->packets; k++) {
		if (urb->packet[k].actual > urb->packet[k].length)
			return -EINVAL;
		cut += urb->packet[k].actual;
		errors += urb->packet[k].status != 0;
	}
	if (cut != actual)
		return -EINVAL;
	return complete_urb(u, urb, 0, errors, iov, count);
}
