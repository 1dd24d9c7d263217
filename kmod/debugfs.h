/* SPDX-License-Identifier: GPL-2.0 */
/* debugfs.h - a camera's state for people at the machine; root only. */
#ifndef SLUICE_DEBUGFS_H
#define SLUICE_DEBUGFS_H

struct sluice_camera;

/* The folder sluice/ itself. Failure is harmless: then there are no files. */
void sluice_debugfs_init(void);
void sluice_debugfs_exit(void);

/* The files of a camera, from the time that requests find it until no more. */
void sluice_debugfs_add(struct sluice_camera *cam);
void sluice_debugfs_remove(struct sluice_camera *cam);

#endif
