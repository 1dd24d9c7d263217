// SPDX-License-Identifier: MIT
#include "cloud/starved.h"

#include <jansson.h>
#include <stdlib.h>

_Thread_local unsigned long sluice_starved;

static void *watched_malloc(size_t size)
{
	void *p = malloc(size);

	sluice_starved += !p && size;
	return p;
}

void sluice_starved_watch_json(void)
{
	json_set_alloc_funcs(watched_malloc, free);
}
