/* SPDX-License-Identifier: MIT */
/* notify.h - what a service tells systemd (sd_notify(3), without its library: it is one datagram).
 */
#ifndef SLUICE_LIB_NOTIFY_H
#define SLUICE_LIB_NOTIFY_H

#include <stdint.h>

struct sluice_notify {
	int fd;		      /* -1: nobody listens */
	uint32_t watchdog_ms; /* ping at least that often; 0: no watchdog */
	char status[200];     /* that was told last */
};

/* From the environment, which forgets about it then: what it starts is not the service. */
void sluice_notify_open(struct sluice_notify *n);
void sluice_notify_close(struct sluice_notify *n);

/* Lines of sd_notify: "READY=1\nSTATUS=...". Never waits; what cannot be sent is lost. */
void sluice_notify(struct sluice_notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* STATUS=text, if it is another one than the last. */
void sluice_notify_status(struct sluice_notify *n, const char *text);

/* RELOADING=1 with the time that systemd wants beside it; READY=1 ends it. */
void sluice_notify_reloading(struct sluice_notify *n);

#endif
