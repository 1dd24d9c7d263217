// SPDX-License-Identifier: MIT
/* backup_line.c - lines of a backup's manifest, which may come from anywhere. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/backup.h"
#include "cloud/camera.h"

/* Below the directory: no empty part, none that begins with a dot. */
static int path_ok(const char *path)
{
	const char *p = path;

	if (!*path || strlen(path) >= sizeof(((struct sluice_backup_line *)0)->path))
		return 0;
	for (;;) {
		if (*p == '.' || *p == '/' || !*p)
			return 0;
		p = strchr(p, '/');
		if (!p)
			return 1;
		p++;
	}
}

int sluice_backup_line(const char *text, struct sluice_backup_line *out)
{
	char hex[65], *end;
	const char *digits;

	if (strlen(text) < 67 || text[64] != ' ')
		return -EINVAL;
	memcpy(hex, text, 64);
	hex[64] = 0;
	digits = text + 65;
	if (sluice_unhex(hex, out->sha256, sizeof(out->sha256)) || *digits < '0' || *digits > '9')
		return -EINVAL;
	errno = 0;
	out->size = strtoull(digits, &end, 10);
	if (errno || *end != ' ' || out->size > INT64_MAX || !path_ok(end + 1))
		return -EINVAL;
	snprintf(out->path, sizeof(out->path), "%s", end + 1);
	return 0;
}
