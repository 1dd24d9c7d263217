// SPDX-License-Identifier: MIT
/*
 * h264.c - see h264.h.
 *
 * The child (h264_child.c) has the video as descriptor 3 and memory for the answer as 4. What
 * counts is its exit code, and that the answer begins as an MP4 does.
 */
#include "cloud/h264.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>

#include "cloud/child.h"
#include "lib/whole.h"

#define DEADLINE_S 240
#define LOOK_MS	   100

/* ---- the master ---- */

/* 0, or -errno; it has ended in any case. */
static int wait_for(pid_t pid, const atomic_int *stopping)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int looks = DEADLINE_S * 1000 / LOOK_MS, status = 0, err = p.fd < 0 ? -errno : 0;

	while (!err && !p.revents) {
		if (stopping && atomic_load(stopping))
			err = -ECANCELED;
		else if (!looks--)
			err = -ETIME;
		else if (poll(&p, 1, LOOK_MS) < 0 && errno != EINTR)
			err = -errno;
	}
	if (err)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (p.fd >= 0)
		close(p.fd);
	return err ? err : WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* The answer, copied out of what the child could write. */
static int take(int fd, uint8_t **mp4, size_t *made)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < 16 || st.st_size > SLUICE_H264_MAX)
		return -EIO;
	*made = (size_t)st.st_size;
	*mp4 = malloc(*made);
	if (!*mp4)
		return -ENOMEM;
	if (sluice_pread_whole(fd, *mp4, *made, 0) == (ssize_t)*made &&
	    !memcmp(*mp4 + 4, "ftyp", 4))
		return 0;
	free(*mp4);
	*mp4 = NULL;
	return -EIO;
}

int sluice_h264_make(const char *program, const uint8_t *webm, size_t size,
		     const atomic_int *stopping, uint8_t **mp4, size_t *made)
{
	char self[] = "sluice-cloud", word[] = SLUICE_H264_WORD, master[16], path[4096];
	char *argv[] = { self, word, master, path, NULL };
	void *at;
	pid_t pid = 0;
	int fds[2], err;

	*mp4 = NULL;
	snprintf(master, sizeof(master), "%d", (int)getpid());
	snprintf(path, sizeof(path), "%s", program);
	fds[0] = sluice_child_memory("webm", size, 0, &at);
	if (fds[0] < 0)
		return fds[0];
	memcpy(at, webm, size);
	munmap(at, size);
	fds[1] = sluice_child_answer("mp4");
	err = fds[1] < 0 ? fds[1] : sluice_child_spawn(&pid, argv, fds, 2);
	if (!err)
		err = wait_for(pid, stopping);
	if (!err)
		err = take(fds[1], mp4, made);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return err;
}

/* ---- summaries ---- */

static const struct sluice_summary_media *find_video(const struct sluice_summary *sum)
{
	for (size_t i = 0; i < sum->media_count; i++) {
		size_t n = strlen(sum->media[i].name);

		if (n > 5 && !strcmp(sum->media[i].name + n - 5, ".webm"))
			return &sum->media[i];
	}
	return NULL;
}

/* {"h264": NAME} more; malloc'd, NULL: out of memory. */
static char *with_name(const char *json, const char *name)
{
	json_t *o = json_loads(json, 0, NULL);
	char *text = NULL;

	if (o && !json_object_set_new(o, "h264", json_string(name)))
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

int sluice_h264_add(const char *program, const struct sluice_summary *sum,
		    const atomic_int *stopping, struct sluice_h264_summary *s)
{
	const struct sluice_summary_media *video = find_video(sum);
	struct sluice_summary_media *m;
	int err;

	memset(s, 0, sizeof(*s));
	if (!video || sum->media_count >= sizeof(s->media) / sizeof(s->media[0]))
		return -ENOENT;
	m = &s->media[sum->media_count];
	err = sluice_h264_make(program, video->data, video->size, stopping, &s->mp4, &m->size);
	if (err)
		return err;
	memcpy(s->media, sum->media, sum->media_count * sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%.*s.mp4", (int)strlen(video->name) - 5, video->name);
	m->data = s->mp4;
	s->json = with_name(sum->json, m->name);
	s->sum = *sum;
	s->sum.json = s->json;
	s->sum.media = s->media;
	s->sum.media_count++;
	if (s->json)
		return 0;
	sluice_h264_free(s);
	return -ENOMEM;
}

void sluice_h264_free(struct sluice_h264_summary *s)
{
	free(s->mp4);
	free(s->json);
	memset(s, 0, sizeof(*s));
}
