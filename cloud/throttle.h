/* SPDX-License-Identifier: MIT */
/*
 * throttle.h - how often may a password be tried? A few failures are free, then each doubles the
 * time to wait, for the pair of user and address and, more patiently, for the address and for the
 * user alone. Any thread.
 */
#ifndef SLUICE_THROTTLE_H
#define SLUICE_THROTTLE_H

#include <stdint.h>

struct sluice_throttle;

/* tries: wrong ones of a user from an address that are free; max_s: the longest wait. An address
 * has five times as many; a user is never made to wait longer than 30 s by others. NULL: out of
 * memory. */
struct sluice_throttle *sluice_throttle_open(uint32_t tries, uint32_t max_s);
void sluice_throttle_close(struct sluice_throttle *t);

/*
 * Takes one try: 0 it may be made, else the seconds to wait. It counts as failed until
 * sluice_throttle_good() takes it back, so that many at the same time are counted too.
 */
uint32_t sluice_throttle_try(struct sluice_throttle *t, const char *user, const char *address,
			     uint64_t now_ns);

/* That try is taken back, nothing more: the password was right, a code is still to come. */
void sluice_throttle_back(struct sluice_throttle *t, const char *user, const char *address);

/* That try was good: the pair begins anew, the others get this one try back. */
void sluice_throttle_good(struct sluice_throttle *t, const char *user, const char *address);

#endif
