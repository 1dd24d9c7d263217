// SPDX-License-Identifier: MIT
/* camera.c - names, ids and times of cameras. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/camera.h"
#include "lib/sha256.h"

int sluice_name_valid(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t n = strlen(name);

	return n > 0 && n < SLUICE_NAME_MAX && name[0] != '.' && strspn(name, letters) == n;
}

void sluice_hex(const uint8_t *in, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < size; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * size] = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int sluice_unhex(const char *in, uint8_t *out, size_t size)
{
	size_t i;

	if (strlen(in) != 2 * size)
		return -EINVAL;
	for (i = 0; i < size; i++) {
		int high = hex_digit(in[2 * i]), low = hex_digit(in[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int sluice_camera_init(struct sluice_camera *c, const char *tenant, const char *device,
		       const char *name)
{
	char path[3 * SLUICE_NAME_MAX];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int n;

	if (!sluice_name_valid(tenant) || !sluice_name_valid(device) || !sluice_name_valid(name))
		return -EINVAL;
	memset(c, 0, sizeof(*c));
	n = snprintf(path, sizeof(path), "%s/%s/%s", tenant, device, name);
	sluice_sha256(path, (size_t)n, digest);
	memcpy(c->id, digest, sizeof(c->id));
	sluice_hex(c->id, sizeof(c->id), c->hex);
	memcpy(c->tenant, tenant, strlen(tenant));
	memcpy(c->device, device, strlen(device));
	memcpy(c->name, name, strlen(name));
	return 0;
}

#define BUCKETS 256

struct entry {
	struct sluice_camera camera;
	struct entry *next;
};

struct sluice_cameras {
	pthread_mutex_t lock;
	struct entry *bucket[BUCKETS];
};

struct sluice_cameras *sluice_cameras_open(void)
{
	struct sluice_cameras *t = calloc(1, sizeof(*t));

	if (t)
		pthread_mutex_init(&t->lock, NULL);
	return t;
}

void sluice_cameras_close(struct sluice_cameras *t)
{
	int i;

	if (!t)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while (t->bucket[i]) {
			struct entry *next = t->bucket[i]->next;

			free(t->bucket[i]);
			t->bucket[i] = next;
		}
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* Cameras of one device lie in all buckets; only a new name pays for the count. */
static int count_device(const struct sluice_cameras *t, const struct sluice_camera *c)
{
	const struct entry *e;
	int i, n = 0;

	for (i = 0; i < BUCKETS; i++)
		for (e = t->bucket[i]; e; e = e->next)
			n += !strcmp(e->camera.device, c->device) &&
			     !strcmp(e->camera.tenant, c->tenant);
	return n;
}

/* Under the lock. */
static struct entry *find_entry(const struct sluice_cameras *t, const uint8_t id[16])
{
	struct entry *e = t->bucket[id[0]];

	while (e && memcmp(e->camera.id, id, sizeof(e->camera.id)))
		e = e->next;
	return e;
}

const struct sluice_camera *sluice_cameras_find(struct sluice_cameras *t, const char *hex)
{
	struct entry *e;
	uint8_t id[16];

	if (sluice_unhex(hex, id, sizeof(id)))
		return NULL;
	pthread_mutex_lock(&t->lock);
	e = find_entry(t, id);
	pthread_mutex_unlock(&t->lock);
	return e ? &e->camera : NULL;
}

int sluice_cameras_get(struct sluice_cameras *t, const char *tenant, const char *device,
		       const char *name, const struct sluice_camera **out)
{
	struct sluice_camera c;
	struct entry *e;
	int err = sluice_camera_init(&c, tenant, device, name);

	if (err)
		return err;
	pthread_mutex_lock(&t->lock);
	e = find_entry(t, c.id);
	if (!e && count_device(t, &c) >= SLUICE_CAMERAS_MAX) {
		err = -EDQUOT;
	} else if (!e) {
		e = malloc(sizeof(*e));
		if (e) {
			e->camera = c;
			e->next = t->bucket[c.id[0]];
			t->bucket[c.id[0]] = e;
		} else {
			err = -ENOMEM;
		}
	}
	pthread_mutex_unlock(&t->lock);
	*out = e ? &e->camera : NULL;
	return err;
}

uint64_t sluice_utc_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sluice_rfc3339(uint64_t utc_ns, char out[32])
{
	time_t s = (time_t)(utc_ns / 1000000000u);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(out, 24, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, 32 - n, ".%03uZ", (unsigned int)(utc_ns / 1000000u % 1000u));
}
