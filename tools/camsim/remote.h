/* SPDX-License-Identifier: MIT */
/*
 * Live commands for a running camera: a datagram socket, one command a datagram, one answer each.
 */
#ifndef SLUICE_CAMSIM_REMOTE_H
#define SLUICE_CAMSIM_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "tools/camsim/camera.h"

#define REMOTE_TEXT_MAX 1024

/* Opens the socket at @path; a socket left there by a dead camera is replaced. The fd or -errno. */
int remote_open(const char *path);

/* Answers what has come. */
void remote_readable(int fd, struct camera *camera, uint64_t now_ns);

/* Executes one command; the answer, "ok", a JSON object or "error: ...", goes to @answer. */
void remote_execute(struct camera *camera, const char *command, uint64_t now_ns, char *answer,
		    size_t size);

/* The other side: sends @command to the camera at @path. 0, or 1 and a message on stderr. */
int remote_tell(const char *path, const char *command);

#endif
