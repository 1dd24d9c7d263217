/* SPDX-License-Identifier: MIT */
/* password.h - passwords as scrypt hashes. Slow on purpose: never in an event loop's thread. */
#ifndef SLUICE_PASSWORD_H
#define SLUICE_PASSWORD_H

#define SLUICE_PASSWORD_MIN  12 /* bytes; length is the only rule */
#define SLUICE_PASSWORD_MAX  128
#define SLUICE_PASSWORD_HASH 160 /* of the text that hash() makes, with its NUL */

#define SLUICE_PASSWORD_COST	 15 /* log2 of scrypt's N, unless set */
#define SLUICE_PASSWORD_COST_MAX 17

/* Of hashes from now on; before any thread hashes. */
void sluice_password_cost(unsigned int log_n);

/* 0, or -EINVAL: too short, too long, or with control characters. */
int sluice_password_check(const char *password);

/* "scrypt$15$8$1$SALT$KEY", hex; 32 MiB of memory and some 0.1 s, twice that for each more of the
 * cost. -ENOMEM, -EIO. */
int sluice_password_hash(const char *password, char out[SLUICE_PASSWORD_HASH]);

/*
 * 0: it is the one; -EACCES: it is not; -EINVAL: hash is none. A hash that is "" takes as long as
 * any and is nobody's, so that time does not tell which users there are.
 */
int sluice_password_verify(const char *password, const char *hash);

#endif
