/* SPDX-License-Identifier: MIT */
/*
 * camera.h - who a camera is. Its id is the first 16 bytes of SHA-256("tenant/device/name"), so it
 * can be made again from the directory its segments lie in.
 */
#ifndef SLUICE_CAMERA_H
#define SLUICE_CAMERA_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_NAME_MAX	   32 /* of a tenant, device or camera, with its NUL */
#define SLUICE_CAMERAS_MAX 64 /* names that one device may ever have used */

struct sluice_camera {
	uint8_t id[16];
	char hex[33]; /* of the id */
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX], name[SLUICE_NAME_MAX];
};

/* 1 if it may name a tenant, a device or a camera: 1..31 of A-Z a-z 0-9 . _ -, no leading dot. */
int sluice_name_valid(const char *name);

/* Fills *c. -EINVAL if one of the names is not valid. */
int sluice_camera_init(struct sluice_camera *c, const char *tenant, const char *device,
		       const char *name);

/* The cameras that this process has met; any thread. They live as long as the table. */
struct sluice_cameras;

struct sluice_cameras *sluice_cameras_open(void); /* NULL: out of memory */
void sluice_cameras_close(struct sluice_cameras *t);

/* -EINVAL: a bad name; -EDQUOT: the device has SLUICE_CAMERAS_MAX others here. */
int sluice_cameras_get(struct sluice_cameras *t, const char *tenant, const char *device,
		       const char *name, const struct sluice_camera **out);

/* That of this id (hex), NULL: not met yet. */
const struct sluice_camera *sluice_cameras_find(struct sluice_cameras *t, const char *hex);

/* out: 2 * size + 1 bytes, lower case. */
void sluice_hex(const uint8_t *in, size_t size, char *out);

/* 0, or -EINVAL if in is not exactly 2 * size hex digits. */
int sluice_unhex(const char *in, uint8_t *out, size_t size);

/* UTC now, in nanoseconds. */
uint64_t sluice_utc_now(void);

/* Time of day as RFC 3339 with milliseconds; out: 32 bytes. */
void sluice_rfc3339(uint64_t utc_ns, char out[32]);

#endif
