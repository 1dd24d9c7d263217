/* SPDX-License-Identifier: MIT */
/* confline.h - what a key of cloud.conf names a file for: the first line of it. */
#ifndef SLUICE_CONFLINE_H
#define SLUICE_CONFLINE_H

#include <stddef.h>

#define SLUICE_CONF_LINE 256

/*
 * Reads it; key is said in messages, as "[media] secret_file". secret: nobody else may read the
 * file. 0; or -errno with a sentence in why: no path, not to be read, empty or of several words.
 */
int sluice_conf_line(const char *key, const char *path, int secret, char line[SLUICE_CONF_LINE],
		     char *why, size_t why_size);

#endif
