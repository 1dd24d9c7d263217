/* SPDX-License-Identifier: MIT */
/* notify.h - what the relay tells systemd (sd_notify(3), without its library: it is one datagram).
 */
#ifndef RELAY_NOTIFY_H
#define RELAY_NOTIFY_H

#include <stdint.h>

struct relay_notify {
	int fd;		      /* -1: nobody listens */
	uint32_t watchdog_ms; /* ping at least that often; 0: no watchdog */
	char status[200];     /* that was told last */
};

/* From the environment, which forgets about it then: what the relay starts is not the service. */
void relay_notify_open(struct relay_notify *n);
void relay_notify_close(struct relay_notify *n);

/* Lines of sd_notify: "READY=1\nSTATUS=...". Never waits; what cannot be sent is lost. */
void relay_notify(struct relay_notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* STATUS=text, if it is another one than the last. */
void relay_notify_status(struct relay_notify *n, const char *text);

/* RELOADING=1 with the time that systemd wants beside it; READY=1 ends it. */
void relay_notify_reloading(struct relay_notify *n);

#endif
