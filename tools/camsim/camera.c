// SPDX-License-Identifier: MIT
/*
 * The camera itself: joins the USB/IP connection, endpoint 0, the roll's clock and the payloads.
 *
 * A stream begins with the commit (bulk) or an alternate setting (isochronous); frames go out when
 * they are due and URBs wait for them. A pending URB costs nothing, so between frames they wait. Of
 * an isochronous stream each URB is answered when its time on the bus is over, with or without
 * data. Stopping in mid-frame drops the rest of that frame; the URBs stay pending until the kernel
 * unlinks them. Whatever breaks the connection, from either side, is an unplug: the reason is
 * printed, and a planned replug or a command can plug in again, as a camera that was without power.
 *
 * Standard output tells a script what happens, a line each: attached, stream-on, stream-off, end,
 * detached.
 */
#include "tools/camsim/camera.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/camsim/vhci.h"

#define MICROFRAME_NS 125000ull
#define BUS_LATE_NS   100000000ull
#define MS_NS	      1000000ull

static int send_all(void *ctx, const struct iovec *iov, int count)
{
	struct camera *c = ctx;
	struct iovec left[USBIP_IOV_MAX];
	struct msghdr m = { .msg_iov = left, .msg_iovlen = count };

	if (count > USBIP_IOV_MAX)
		return -EINVAL;
	memcpy(left, iov, count * sizeof(*iov));
	while (m.msg_iovlen) {
		ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		while (m.msg_iovlen && (size_t)n >= m.msg_iov->iov_len) {
			n -= m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (m.msg_iovlen) {
			m.msg_iov->iov_base = (uint8_t *)m.msg_iov->iov_base + n;
			m.msg_iov->iov_len -= n;
		}
	}
	return 0;
}

int camera_attach(struct camera *c, char *why, size_t why_size)
{
	int r;

	if (c->fd >= 0)
		return 0;
	usbip_init(&c->usbip, send_all, c);
	uvc_control_init(&c->control, &c->profile);
	r = vhci_attach(c->vhci_dir, c->profile.super, &c->fd, &c->port, why, why_size);
	if (r) {
		c->fd = -1;
		return r;
	}
	c->replug_ns = 0;
	c->counters.attaches++;
	printf("attached port=%d serial=%s\n", c->port, c->profile.serial);
	return 0;
}

/* Ends the frame in flight. */
static void log_frame(struct camera *c, bool whole)
{
	char faults[128];

	c->payload.busy = false;
	if (whole)
		c->counters.complete++;
	else
		c->counters.cut++;
	c->counters.bytes += whole ? c->payload.size : c->payload.at;
	if (!c->log)
		return;
	fault_describe(&c->set, faults, sizeof(faults));
	fprintf(c->log,
		"{\"n\":%llu,\"stream\":%llu,\"roll\":%u,\"frame\":%u,\"bytes\":%zu,"
		"\"crc32\":\"%08x\",\"fid\":%u,\"sent\":%zu,\"fault\":\"%s\"}\n",
		(unsigned long long)c->number, (unsigned long long)c->counters.streams - 1, c->roll,
		c->frame, c->payload.size, c->crc32, c->fid, c->payload.at, faults);
}

static void stop_stream(struct camera *c)
{
	if (!c->streaming)
		return;
	if (c->payload.busy)
		log_frame(c, false);
	c->streaming = false;
	printf("stream-off stream=%llu frames=%llu\n", (unsigned long long)c->counters.streams - 1,
	       (unsigned long long)c->counters.complete);
}

static void start_stream(struct camera *c)
{
	const struct uvc_probe *commit = &c->control.commit;
	const struct profile_mode *mode;

	stop_stream(c);
	mode = profile_find(&c->profile, commit->format_index, commit->frame_index);
	c->roll = mode - c->profile.modes;
	c->streaming = true;
	c->ended = false;
	c->bus_ns = 0;
	c->counters.streams++;
	c->play.rate = c->rate;
	c->play.interval_ns = c->rate_ns;
	if (c->rate != PLAY_MAX && commit->interval != mode->interval_default) {
		c->play.rate = PLAY_FIXED; /* the host chose another rate than the clip's */
		c->play.interval_ns = commit->interval * 100ull;
	}
	play_start(&c->play, &c->rolls[c->roll], c->resume);
	printf("stream-on stream=%llu format=%s size=%ux%u interval=%u\n",
	       (unsigned long long)c->counters.streams - 1, roll_format_name(mode->format),
	       mode->width, mode->height, commit->interval);
}

void camera_detach(struct camera *c, const char *reason)
{
	if (c->fd < 0)
		return;
	stop_stream(c);
	close(c->fd);
	c->fd = -1;
	printf("detached port=%d why=\"%s\"\n", c->port, reason);
}

static void unplug_for(struct camera *c, uint64_t now_ns, uint32_t ms)
{
	camera_detach(c, "fault");
	if (ms)
		c->replug_ns = now_ns + ms * MS_NS;
}

/* Puts the next frame into flight. False when the faults have it otherwise. */
static bool begin_frame(struct camera *c, uint64_t now_ns)
{
	const struct roll *roll = &c->rolls[c->roll];
	const struct profile_mode *mode = &c->profile.modes[c->roll];
	const struct roll_frame *frame;
	uint32_t value;

	c->number = c->counters.frames;
	if (fault_take(&c->faults, FAULT_SILENT, c->number, &value)) {
		play_delay(&c->play, now_ns, value * MS_NS);
		c->silenced = true;
		return false;
	}
	if (fault_take(&c->faults, FAULT_DETACH, c->number, &value)) {
		unplug_for(c, now_ns, value);
		return false;
	}
	c->frame = play_take(&c->play, now_ns);
	c->counters.passes += !c->play.next;
	c->counters.frames++;
	frame = &roll->frames[c->frame];
	fault_collect(&c->faults, c->number, &c->set);
	if (c->silenced)
		c->set.mask |= 1u << FAULT_SILENT;
	c->silenced = false;
	if (fault_apply(&c->set, mode->format, mode->frame_size_max, c->number, frame->data,
			frame->size, &c->bytes)) {
		unplug_for(c, now_ns, 0);
		return false;
	}
	c->crc32 = frame->crc32;
	if (c->bytes.data != frame->data)
		c->crc32 = roll_crc32(0, c->bytes.data, c->bytes.size);
	c->fid ^= !(c->set.mask >> FAULT_NOFID & 1);
	payload_begin(&c->payload, c->bytes.data, c->bytes.size, c->fid, &c->set);
	return true;
}

/* Behind a frame's last byte. */
static void end_frame(struct camera *c)
{
	log_frame(c, true);
	if (c->play.ended && !c->ended) {
		c->ended = true;
		printf("end frames=%llu\n", (unsigned long long)c->counters.complete);
	}
}

static bool cut_off(struct camera *c, uint64_t now_ns)
{
	if (!(c->set.mask >> FAULT_CUTOFF & 1) || c->payload.at < c->payload.size / 2)
		return false;
	unplug_for(c, now_ns, c->set.value[FAULT_CUTOFF]);
	return true;
}

/* As many bulk URBs as there are and frames due for them. */
static int pump_bulk(struct camera *c, uint64_t now_ns)
{
	struct usbip_urb *urb;
	int r = 0;

	while (!r && c->streaming && (urb = usbip_oldest(&c->usbip, ENDPOINT_VIDEO))) {
		struct iovec iov[2];

		play_run(&c->play, now_ns);
		if (!c->payload.busy && (play_due_ns(&c->play) > now_ns || !begin_frame(c, now_ns)))
			break;
		if (cut_off(c, now_ns))
			break;
		if (c->payload.urb_errors) {
			c->payload.urb_errors--;
			r = usbip_complete(&c->usbip, urb, c->payload.urb_status, NULL, 0);
			continue;
		}
		r = payload_next(&c->payload, c->profile.payload_max, urb->length, iov);
		if (r < 0)
			r = usbip_complete(&c->usbip, urb, -EOVERFLOW, NULL, 0);
		else
			r = usbip_complete(&c->usbip, urb, 0, iov, r);
		if (!c->payload.busy)
			end_frame(c);
	}
	return r;
}

static int answer_iso(struct camera *c, struct usbip_urb *urb, uint64_t now_ns)
{
	struct iovec iov[2 * USBIP_PACKETS_MAX];
	int n = 0;

	for (uint32_t i = 0; i < urb->packets; i++) {
		struct usbip_packet *packet = &urb->packet[i];
		int k;

		if (!c->payload.busy &&
		    (play_due_ns(&c->play) > now_ns || !begin_frame(c, now_ns))) {
			if (!c->streaming)
				return 0;
			continue;
		}
		if (cut_off(c, now_ns))
			return 0;
		if (c->payload.packet_errors && c->payload.at) {
			c->payload.packet_errors--;
			packet->status = c->payload.packet_status;
			continue;
		}
		k = payload_next(&c->payload, packet->length, packet->length, iov + n);
		if (k < 0)
			continue;
		for (; k; k--)
			packet->actual += iov[n++].iov_len;
		if (!c->payload.busy) {
			end_frame(c);
			break; /* the headers of the next frame would overwrite this one's */
		}
	}
	return usbip_complete_iso(&c->usbip, urb, iov, n);
}

/* The URBs whose time on the bus is over. */
static int pump_iso(struct camera *c, uint64_t now_ns)
{
	struct usbip_urb *urb;
	int r = 0;

	while (!r && c->streaming && (urb = usbip_oldest(&c->usbip, ENDPOINT_VIDEO))) {
		uint64_t span = urb->packets * MICROFRAME_NS;

		play_run(&c->play, now_ns);
		if (!c->bus_ns || now_ns > c->bus_ns + BUS_LATE_NS)
			c->bus_ns = now_ns + span;
		if (c->bus_ns > now_ns)
			break;
		c->bus_ns += span;
		r = answer_iso(c, urb, now_ns);
	}
	return r;
}

static int answer_control(struct camera *c, struct usbip_urb *urb)
{
	uint8_t in[DESCRIPTORS_MAX];
	struct iovec iov = { in, 0 };
	uint32_t events = 0, unused;
	bool stall = false;
	int r = -EPIPE;

	if (uvc_control_is_set(urb->setup, true))
		stall = fault_take(&c->faults, FAULT_STALL, c->counters.commits++, &unused);
	else if (uvc_control_is_set(urb->setup, false))
		stall = fault_take(&c->faults, FAULT_STALLPROBE, c->counters.probes++, &unused);
	if (!stall)
		r = uvc_control_request(&c->control, urb->setup, urb->out,
					urb->in ? 0 : urb->length, in, &events);
	if (events & UVC_EVENT_STOP)
		stop_stream(c);
	if (events & UVC_EVENT_START)
		start_stream(c);
	if (r < 0)
		return usbip_complete(&c->usbip, urb, r, NULL, 0);
	if (urb->in)
		iov.iov_len = (uint32_t)r < urb->length ? (uint32_t)r : urb->length;
	return usbip_complete(&c->usbip, urb, 0, &iov, urb->in);
}

static int receive(struct camera *c, uint64_t now_ns)
{
	struct usbip_urb *urb;
	size_t room;
	void *to = usbip_room(&c->usbip, &room);
	ssize_t n = recv(c->fd, to, room, MSG_DONTWAIT);
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return -ECONNRESET;
	usbip_received(&c->usbip, n);
	while ((r = usbip_next(&c->usbip, now_ns, &urb)) > 0) {
		if (urb->endpoint == 0)
			r = answer_control(c, urb);
		else if (urb->endpoint != ENDPOINT_VIDEO || !urb->in ||
			 !urb->packets != !c->profile.iso)
			r = usbip_complete(&c->usbip, urb, -EPIPE, NULL, 0);
		else
			r = 0;
		if (r)
			break;
	}
	return r;
}

static void hang_up(struct camera *c, int r)
{
	camera_detach(c, r == -ECONNRESET || r == -EPIPE ? "unplugged by the kernel"
			 : r == -EPROTO			 ? "USB/IP message out of bounds"
							 : strerror(-r));
}

void camera_readable(struct camera *c, uint64_t now_ns)
{
	int r = c->fd < 0 ? 0 : receive(c, now_ns);

	if (r < 0)
		hang_up(c, r);
}

void camera_tick(struct camera *c, uint64_t now_ns)
{
	char why[256];
	int r;

	if (c->fd < 0 && c->replug_ns && now_ns >= c->replug_ns) {
		c->replug_ns = 0;
		if (camera_attach(c, why, sizeof(why)))
			fprintf(stderr, "sluice-camsim: %s\n", why);
	}
	if (c->fd < 0)
		return;
	r = usbip_tick(&c->usbip, now_ns);
	if (!r)
		r = c->profile.iso ? pump_iso(c, now_ns) : pump_bulk(c, now_ns);
	if (r < 0)
		hang_up(c, r);
}

uint64_t camera_deadline_ns(const struct camera *c)
{
	uint64_t next = PLAY_NEVER, hold;

	if (c->fd < 0)
		return c->replug_ns ? c->replug_ns : PLAY_NEVER;
	hold = usbip_deadline_ns(&c->usbip);
	if (hold)
		next = hold;
	/* With no URB there, the next thing to happen is one on the socket. */
	if (c->streaming && usbip_oldest((struct usbip *)&c->usbip, ENDPOINT_VIDEO)) {
		uint64_t due = c->profile.iso ? c->bus_ns : play_due_ns(&c->play);

		next = due < next ? due : next;
	}
	return next;
}

void camera_status(const struct camera *c, char *text, size_t size)
{
	const struct camera_counters *n = &c->counters;
	const struct usbip_counters *u = &c->usbip.counters;

	snprintf(text, size,
		 "{\"attached\":%s,\"port\":%d,\"streaming\":%s,\"paused\":%s,\"ended\":%s,"
		 "\"frames\":%llu,\"complete\":%llu,\"cut\":%llu,\"bytes\":%llu,\"attaches\":%llu,"
		 "\"streams\":%llu,\"slips\":%llu,\"submits\":%llu,\"unlinks\":%llu,"
		 "\"unlinked\":%llu,\"unlinked_late\":%llu,\"overtaken\":%llu,"
		 "\"hold_expired\":%llu,\"stray\":%llu}",
		 c->fd >= 0 ? "true" : "false", c->port, c->streaming ? "true" : "false",
		 c->play.paused ? "true" : "false", c->ended ? "true" : "false",
		 (unsigned long long)n->frames, (unsigned long long)n->complete,
		 (unsigned long long)n->cut, (unsigned long long)n->bytes,
		 (unsigned long long)n->attaches, (unsigned long long)n->streams,
		 (unsigned long long)c->play.slips, (unsigned long long)u->submits,
		 (unsigned long long)u->unlinks, (unsigned long long)u->unlinked,
		 (unsigned long long)u->unlinked_late, (unsigned long long)u->overtaken,
		 (unsigned long long)u->hold_expired, (unsigned long long)u->stray);
}

void camera_free(struct camera *c)
{
	for (uint32_t i = 0; i < c->profile.mode_count; i++)
		roll_close(&c->rolls[i]);
	free(c->bytes.scratch);
	c->bytes = (struct fault_bytes){ 0 };
}
