// SPDX-License-Identifier: MIT
#include "cloud/parked.h"

#include <pthread.h>
#include <string.h>

atomic_ullong sluice_parked_frames;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sluice_parked *list;

void sluice_parked_add(struct sluice_parked *p, const struct sluice_camera *c)
{
	pthread_mutex_lock(&lock);
	p->camera = c;
	p->next = list;
	list = p;
	pthread_mutex_unlock(&lock);
}

void sluice_parked_remove(struct sluice_parked *p)
{
	struct sluice_parked **at;

	pthread_mutex_lock(&lock);
	for (at = &list; *at; at = &(*at)->next)
		if (*at == p) {
			*at = p->next;
			break;
		}
	pthread_mutex_unlock(&lock);
}

unsigned int sluice_parked_count(void)
{
	const struct sluice_parked *p;
	unsigned int n = 0;

	pthread_mutex_lock(&lock);
	for (p = list; p; p = p->next)
		n++;
	pthread_mutex_unlock(&lock);
	return n;
}

int sluice_parked_has(const char *hex)
{
	const struct sluice_parked *p;

	pthread_mutex_lock(&lock);
	for (p = list; p && strcmp(p->camera->hex, hex) != 0; p = p->next)
		;
	pthread_mutex_unlock(&lock);
	return p != NULL;
}
