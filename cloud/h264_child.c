// SPDX-License-Identifier: MIT
/* h264_child.c - the other end of h264.c: it shuts itself in and becomes the program. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cloud/cage.h"
#include "cloud/h264.h"

#define MEMORY (2ull << 30)
#define CPU_S  120

/* argv: word, master's pid, program. */
int sluice_h264_child(int argc, char **argv)
{
	static char *const environment[] = { "LC_ALL=C", NULL };
	const struct sluice_cage cage = { .memory = MEMORY, .nice = 19 };
	char why[160];
	char *words[] = { "ffmpeg",
			  "-nostdin",
			  "-threads",
			  "1",
			  "-v",
			  "quiet",
			  "-f",
			  "matroska",
			  "-i",
			  "pipe:3",
			  "-an",
			  "-c:v",
			  "libx264",
			  "-preset",
			  "veryfast",
			  "-crf",
			  "25",
			  "-pix_fmt",
			  "yuv420p",
			  "-threads",
			  "1",
			  "-movflags",
			  "frag_keyframe+empty_moov+default_base_moof",
			  "-f",
			  "mp4",
			  "pipe:4",
			  NULL };

	if (argc != 3 || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    getppid() != (pid_t)strtol(argv[1], NULL, 10))
		return 1;
	if (sluice_cage_run(&cage,
			    (const char *const[]){ "/usr", "/lib", "/lib64", "/etc/ld.so.cache",
						   "/proc/cpuinfo", "/proc/self", argv[2], NULL },
			    CPU_S, SLUICE_H264_MAX, why, sizeof(why)))
		return 1;
	execve(argv[2], words, environment);
	return 127;
}
