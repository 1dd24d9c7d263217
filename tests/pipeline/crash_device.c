// SPDX-License-Identifier: MIT
/*
 * usage: crash_device DIR PORT[,PORT...] LOG FRAMES-PER-SECOND
 *
 * A device (DIR/device.crt, device.key, ca.crt) with three cameras that sends frames to the cloud
 * at that port of localhost over the real protocol, comes back at once whenever the link breaks, at
 * the next port if nobody answers, and writes to LOG what it was told to be STORED, before it
 * believes it:
 *	CAMERA EPOCH SEQUENCE	all up to it, cumulative
 * It ends on SIGTERM. Exit status 1: the cloud has forgotten (a resume point below what was
 *STORED).
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/camera.h"
#include "tests/pipeline/crash_frame.h"
#include "tests/unit/uplink.h"

#define PORTS_MAX 4

struct lane {
	uint64_t epoch, next; /* next: sequence to be sent */
	int64_t stored;	      /* highest told; -1: none */
	int opened, closed;
};

static volatile sig_atomic_t stopping;
static struct lane lane[CRASH_CAMERAS];
static struct uplink u;
static uint64_t spent; /* bytes of credit */
static unsigned long rate, links, frames;
static int log_fd, forgotten;
static int ports[PORTS_MAX], port_count;

static void on_term(int signal)
{
	(void)signal;
	stopping = 1;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void open_lane(unsigned int i)
{
	char name[16];

	snprintf(name, sizeof(name), "cam%u", i);
	uplink_camera(&u, i + 1, name, lane[i].epoch);
	lane[i].opened = lane[i].closed = 0;
}

static void begin_epoch(struct lane *l)
{
	l->epoch = sluice_utc_now();
	l->next = 0;
	l->stored = -1;
}

/* One write: a line is there whole, or what it says was never believed. */
static void note_stored(unsigned int i, uint64_t sequence)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "cam%u %llu %llu\n", i,
			 (unsigned long long)lane[i].epoch, (unsigned long long)sequence);

	if (write(log_fd, line, (size_t)n) != n)
		abort();
	lane[i].stored = (int64_t)sequence;
}

static void on_opened(unsigned int i)
{
	struct lane *l = &lane[i];
	uint64_t resume = 0;

	sluice_wire_get_u64(&u.f, SLUICE_TAG_RESUME, &resume);
	if ((int64_t)resume < l->stored + 1) {
		fprintf(stderr, "cam%u: %lld were STORED, and the cloud resumes at %llu\n", i,
			(long long)l->stored, (unsigned long long)resume);
		forgotten = 1;
	}
	l->next = resume;
	l->opened = 1;
}

static void on_message(int type)
{
	unsigned int i = u.m.slot - 1;
	uint64_t epoch = 0, value;

	if (type == SLUICE_MSG_SUMMARY) {
		char id[33] = "";

		if (!sluice_wire_get_text(&u.f, SLUICE_TAG_ID, id, sizeof(id)))
			uplink_ack(&u, id);
		return;
	}
	if (i >= CRASH_CAMERAS || sluice_wire_get_u64(&u.f, SLUICE_TAG_EPOCH, &epoch) ||
	    epoch != lane[i].epoch)
		return;
	if (type == SLUICE_MSG_OPENED)
		on_opened(i);
	else if (type == SLUICE_MSG_ACK &&
		 !sluice_wire_get_u64(&u.f, SLUICE_TAG_CUMULATIVE, &value))
		note_stored(i, value);
	else if (type == SLUICE_MSG_DONE && lane[i].closed) {
		begin_epoch(&lane[i]);
		open_lane(i);
	}
}

static void send_frame(unsigned int i)
{
	struct lane *l = &lane[i];
	struct sluice_wire_frame_info f = {
		.epoch = l->epoch,
		.time_ns = crash_time_ns(l->next),
		.format = SLUICE_WIRE_JPEG,
		.reason = SLUICE_REASON_MOTION,
		.event = (uint32_t)(l->next / CRASH_EVENT),
		.width = 64,
		.height = 48,
		.grid_w = 8,
		.grid_h = 6,
		.cells_size = 6,
	};
	const size_t fixed = sizeof(struct sluice_wire_frame) + 8;
	size_t size;
	uint8_t *jpeg = crash_picture(i, l->epoch, l->next, &size);
	uint8_t *buf = calloc(1, fixed + size);

	if (!buf)
		abort();
	sluice_wire_frame_put((struct sluice_wire_frame *)buf, &f);
	memcpy(buf + fixed, jpeg, size);
	if (u.credit >= spent + fixed + size) {
		uplink_send(&u, SLUICE_MSG_FRAME, 0, i + 1, l->next, buf, fixed + size);
		spent += fixed + size;
		l->next++;
		frames++;
		if (l->next % CRASH_EVENT == 0)
			uplink_stats(&u, i + 1, l->epoch, crash_time_ns(l->next) - 1000000000u, 0);
	}
	free(buf);
	free(jpeg);
}

static int readable(int ms)
{
	struct pollfd p = { .fd = u.fd, .events = POLLIN };

	return u.at < u.have || SSL_pending(u.ssl) || poll(&p, 1, ms) > 0;
}

/* Until the link breaks. */
static void run_link(void)
{
	uint64_t begin = now_ms(), sent = 0;
	unsigned int i;

	spent = 0;
	for (i = 0; i < CRASH_CAMERAS; i++)
		open_lane(i);
	while (!stopping) {
		uint64_t due = (now_ms() - begin) * rate / 1000;

		for (i = 0; i < CRASH_CAMERAS && sent < due; i++) {
			struct lane *l = &lane[i];

			if (l->opened && l->next < CRASH_EPOCH) {
				send_frame(i);
				sent++;
			} else if (l->opened && !l->closed) {
				uplink_end(&u, i + 1, l->epoch, crash_time_ns(l->next));
				l->closed = 1;
			}
		}
		while (readable(sent < due ? 0 : 2)) {
			int type = uplink_next(&u, 5);

			if (!type)
				return;
			on_message(type);
			if (u.at >= u.have && !SSL_pending(u.ssl))
				break;
		}
	}
}

/* "1,2": 0, or -1. */
static int read_ports(const char *text)
{
	char *end;

	do {
		long port = strtol(text, &end, 10);

		if (port < 1 || port > 65535 || (*end && *end != ',') || port_count == PORTS_MAX)
			return -1;
		ports[port_count++] = (int)port;
		text = end + 1;
	} while (*end);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	struct cloud c = { 0 };
	unsigned int i;

	if (argc != 5)
		return 2;
	snprintf(c.dir, sizeof(c.dir), "%s", argv[1]);
	snprintf(c.data, sizeof(c.data), "%s", argv[1]);
	if (read_ports(argv[2]))
		return 2;
	log_fd = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	rate = strtoul(argv[4], NULL, 10);
	if (log_fd < 0 || !rate || strlen(argv[1]) >= sizeof(c.dir))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &term, NULL);
	for (i = 0; i < CRASH_CAMERAS; i++)
		begin_epoch(&lane[i]);
	for (i = 0; !stopping;) {
		c.port = ports[i % (unsigned int)port_count];
		if (!uplink_open(&u, &c, "device")) {
			links++;
			run_link();
		} else {
			i++;
			usleep(20000);
		}
		uplink_close(&u);
	}
	printf("%lu links, %lu frames sent\n", links, frames);
	return forgotten;
}
