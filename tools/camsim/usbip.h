/* SPDX-License-Identifier: MIT */
/*
 * USB/IP 1.1.1 as the device's side speaks it: bytes in, URBs out; answers in, bytes out.
 * A pure state machine: it reads no clock and no socket, so every rule is tested without a kernel.
 */
#ifndef SLUICE_CAMSIM_USBIP_H
#define SLUICE_CAMSIM_USBIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define USBIP_HEADER_SIZE 48
#define USBIP_PACKET_SIZE 16
#define USBIP_URBS_MAX	  64	     /* pending at once; uvcvideo keeps 5 */
#define USBIP_PACKETS_MAX 128	     /* in an isochronous URB; uvcvideo asks for 32 */
#define USBIP_OUT_MAX	  4096	     /* bytes to the device in one URB */
#define USBIP_IN_MAX	  (16 << 20) /* bytes asked of the device in one URB */
#define USBIP_HELD_MAX	  64	     /* unlinks that came before their submit */
#define USBIP_HOLD_NS	  200000000ull
#define USBIP_IOV_MAX	  (3 + 2 * USBIP_PACKETS_MAX)

enum usbip_command {
	USBIP_CMD_SUBMIT = 1,
	USBIP_CMD_UNLINK = 2,
	USBIP_RET_SUBMIT = 3,
	USBIP_RET_UNLINK = 4,
};

struct usbip_packet {
	uint32_t offset, length; /* as submitted; go back unchanged */
	uint32_t actual;	 /* set by whoever completes the URB */
	int32_t status;
};

struct usbip_urb {
	uint32_t seqnum;
	uint32_t endpoint; /* number without the direction bit */
	bool in;
	uint32_t length;  /* bytes sent to, or asked of, the device */
	uint32_t packets; /* 0: not isochronous */
	uint8_t setup[8];
	uint8_t out[USBIP_OUT_MAX]; /* @length bytes when !@in */
	struct usbip_packet packet[USBIP_PACKETS_MAX];
};

/* An unlink that overtook its submit. */
struct usbip_held {
	uint32_t unlink_seqnum; /* of the CMD_UNLINK, which its answer repeats */
	uint32_t seqnum;	/* of the URB */
	uint64_t since_ns;
	bool answered; /* only the URB, if it still comes, is to be swallowed */
};

struct usbip_counters {
	uint64_t submits, unlinks, unlinked, unlinked_late, overtaken, hold_expired, stray;
};

/* Sends all of it or fails: 0 or -errno. */
typedef int usbip_send_fn(void *ctx, const struct iovec *iov, int count);

struct usbip {
	usbip_send_fn *send;
	void *ctx;
	bool any;      /* a SUBMIT has come on this connection */
	uint32_t last; /* seqnum of the newest SUBMIT */
	uint32_t pending_count, free_count, held_count;
	struct usbip_urb *pending[USBIP_URBS_MAX]; /* oldest first */
	struct usbip_urb *free[USBIP_URBS_MAX];
	struct usbip_held held[USBIP_HELD_MAX];
	struct usbip_counters counters;
	size_t input_size;
	uint8_t input[16384];
	struct usbip_urb urbs[USBIP_URBS_MAX];
};

/* Begins a connection; also how one begins again. */
void usbip_init(struct usbip *u, usbip_send_fn *send, void *ctx);

/* Where to put received bytes, and how many fit (never 0); then how many were put there. */
void *usbip_room(struct usbip *u, size_t *size);
void usbip_received(struct usbip *u, size_t size);

/*
 * Takes the next message out of the input. 1 and a URB in @urb that is now pending, 0 when more
 * bytes are needed, -errno when the connection cannot go on. Unlinks are dealt with inside.
 */
int usbip_next(struct usbip *u, uint64_t now_ns, struct usbip_urb **urb);

/* The oldest pending URB of an endpoint, or NULL. */
struct usbip_urb *usbip_oldest(struct usbip *u, uint32_t endpoint);

/*
 * Answers a pending URB once and forgets it. @status is 0 or a negative errno of the USB core.
 * IN: @iov holds the answer, at most urb->length bytes. OUT: no iov. 0 or -errno of the connection.
 */
int usbip_complete(struct usbip *u, struct usbip_urb *urb, int status, const struct iovec *iov,
		   int count);
/* The same for an isochronous URB, whose packets tell how @iov is cut; the sums must agree. */
int usbip_complete_iso(struct usbip *u, struct usbip_urb *urb, const struct iovec *iov, int count);

/* Gives up waiting for submits that never came. Call it at usbip_deadline_ns (0: nothing waits). */
int usbip_tick(struct usbip *u, uint64_t now_ns);
uint64_t usbip_deadline_ns(const struct usbip *u);

uint32_t usbip_get_be32(const uint8_t *p);
void usbip_put_be32(uint8_t *p, uint32_t v);

#endif
