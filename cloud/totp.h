/* SPDX-License-Identifier: MIT */
/* totp.h - one-time codes of RFC 6238: SHA-1, 6 digits, 30 s; and the secrets' text form. */
#ifndef SLUICE_TOTP_H
#define SLUICE_TOTP_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_TOTP_SECRET 20 /* bytes */
#define SLUICE_TOTP_TEXT   33 /* of it in base32, with its NUL */
#define SLUICE_TOTP_STEP_S 30

/* The code of a step (seconds since 1970 / 30), for secrets of any size: digits 6..8, out has
 * digits + 1 bytes. */
void sluice_totp_code(const uint8_t *secret, size_t size, uint64_t step, unsigned int digits,
		      char *out);

/*
 * Is it the code of now, or of the step before or after (clocks differ)? *used is the newest step
 * that was ever taken: that one and those before it are refused, so that a code that someone has
 * seen is good for nothing. 0 and *used moved on, or -EACCES.
 */
int sluice_totp_check(const uint8_t secret[SLUICE_TOTP_SECRET], const char *code, uint64_t now_s,
		      uint64_t *used);

/* Base32 of RFC 4648 without padding; size a multiple of 5 bytes; out: size / 5 * 8 + 1 bytes. */
void sluice_base32(const uint8_t *in, size_t size, char *out);

/* What an authenticator reads: "otpauth://totp/...". -ENAMETOOLONG. */
int sluice_totp_uri(const char *secret_text, const char *issuer, const char *tenant,
		    const char *user, char *out, size_t size);

#endif
