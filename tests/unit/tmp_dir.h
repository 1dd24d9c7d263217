/* SPDX-License-Identifier: MIT */
/* tmp_dir.h - the end of a test's directory. */
#ifndef SLUICE_TEST_TMP_DIR_H
#define SLUICE_TEST_TMP_DIR_H

#include <ftw.h>
#include <stdio.h>

static inline int tmp_dir_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* With all that is in it. */
static inline void tmp_dir_remove(const char *path)
{
	nftw(path, tmp_dir_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
