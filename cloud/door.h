/* SPDX-License-Identifier: MIT */
/*
 * door.h - who may come in: connections an address may hold, and how quickly it may make them.
 * Asked before a byte is read or a key is used. Any thread.
 *
 * An address is an IPv4 address or the first 64 bits of an IPv6 one: whoever has one of those has
 * all of them.
 */
#ifndef SLUICE_CLOUD_DOOR_H
#define SLUICE_CLOUD_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* In the order of their counters. */
enum sluice_refusal {
	SLUICE_WELCOME,
	SLUICE_REFUSED_TOTAL,	  /* as many connections as the node takes */
	SLUICE_REFUSED_ADDRESS,	  /* ... as an address may have */
	SLUICE_REFUSED_RATE,	  /* too many within a short time */
	SLUICE_REFUSED_HALF_OPEN, /* the oldest without a handshake, for a newer one */
	SLUICE_REFUSED_DEVICE,	  /* ... as a device may have */
	SLUICE_REFUSED_PROXY,	  /* not an address that this listener's proxies have */
};

struct sluice_door_limits {
	unsigned int per_address; /* connections */
	unsigned int rate, burst; /* new ones a second; and at once */
};

/* A place that is held until leave(). */
struct sluice_door_place {
	uint8_t key[16];
	bool held;
};

struct sluice_door;

struct sluice_door *sluice_door_open(const struct sluice_door_limits *l); /* NULL: out of memory */
void sluice_door_close(struct sluice_door *d);

/* now_ns: monotonic. Other families than IPv4 and IPv6 are always welcome and hold nothing. */
enum sluice_refusal sluice_door_enter(struct sluice_door *d, const struct sockaddr *from,
				      uint64_t now_ns, struct sluice_door_place *place);
/* Safe on a place that is not held. */
void sluice_door_leave(struct sluice_door *d, struct sluice_door_place *place);

/* ---- prefixes of addresses ---- */

#define SLUICE_PREFIXES_MAX 32

struct sluice_prefixes {
	unsigned int count;
	struct {
		int family;
		unsigned int bits;
		uint8_t address[16];
	} of[SLUICE_PREFIXES_MAX];
};

/* "10.0.0.0/8 ::1 192.0.2.7": 0, or -EINVAL with the word that is none in *bad (32 bytes). */
int sluice_prefixes_read(const char *text, struct sluice_prefixes *p, char bad[48]);
bool sluice_prefixes_hold(const struct sluice_prefixes *p, const struct sockaddr *a);

#endif
