/* SPDX-License-Identifier: MIT */
/* fetch.h - what the cloud's API has, over HTTPS with a token. */
#ifndef SLUICE_TRY_FETCH_H
#define SLUICE_TRY_FETCH_H

#include <jansson.h>

struct fetch {
	char port[8];	 /* of localhost */
	char token[256]; /* of an administrator */
	char ca[4096];	 /* file of the authority */
	char why[512];	 /* set by what fails: one line */
};

/* GET of a path that is answered with JSON; NULL: it failed. The caller has it. */
json_t *fetch_json(struct fetch *f, const char *path);

/* GET of a path into a new file. 0 or -1. */
int fetch_file(struct fetch *f, const char *path, const char *to);

#endif
