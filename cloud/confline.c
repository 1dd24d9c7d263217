// SPDX-License-Identifier: MIT
/* confline.c - see confline.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/confline.h"

int sluice_conf_line(const char *key, const char *path, int secret, char line[SLUICE_CONF_LINE],
		     char *why, size_t why_size)
{
	struct stat st;
	ssize_t n = -1;
	int fd, err;

	if (!path[0]) {
		snprintf(why, why_size, "%s is missing: the file that holds it", key);
		return -EINVAL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (!err && secret && (st.st_mode & 077)) {
		close(fd);
		snprintf(why, why_size, "others may read %s; say: chmod 600 %s", path, path);
		return -EACCES;
	}
	if (!err && (n = read(fd, line, SLUICE_CONF_LINE - 1)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err) {
		snprintf(why, why_size, "cannot read %s, which %s names: %s", path, key,
			 strerror(-err));
		return err;
	}
	line[n] = 0;
	line[strcspn(line, "\r\n")] = 0;
	if (line[0] && strcspn(line, " \t") == strlen(line))
		return 0;
	snprintf(why, why_size,
		 "the first line of %s must be what %s is for, and "
		 "nothing else",
		 path, key);
	return -EINVAL;
}
