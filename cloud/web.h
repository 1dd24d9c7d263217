/* SPDX-License-Identifier: MIT */
/*
 * web.h - the dashboard's files as they are built in (web_pack.c makes them from cloud/web/).
 *
 * The hash is one of all files, and part of the address of each: the address of a file that has
 * changed is another one, so that a browser may keep what it has for ever. Only index.html, which
 * names them, has an address that stays.
 */
#ifndef SLUICE_WEB_H
#define SLUICE_WEB_H

#include <stddef.h>

struct sluice_web_file {
	const char *name; /* "main.js"; no folder */
	const char *type; /* Content-Type */
	const unsigned char *bytes;
	size_t size;
};

extern const char sluice_web_hash[]; /* 16 hex digits */
extern const struct sluice_web_file sluice_web_files[];
extern const size_t sluice_web_file_count;

#endif
