/* SPDX-License-Identifier: MIT */
/* cloud_child.h - for tests: a cloud in a child process, with what goes wrong in it. */
#ifndef SLUICE_TEST_CLOUD_CHILD_H
#define SLUICE_TEST_CLOUD_CHILD_H

#include <sys/types.h>

#define CLOUD_SET 12

struct cloud {
	char dir[64], data[96], port_file[96];
	pid_t pid;
	int port;
	struct {
		const char *section, *key, *value;
	} set[CLOUD_SET];	  /* of cloud.conf; up to the first without a key */
	long file_max;		  /* bytes a file may grow to: a full disk; 0: any */
	int die_point, die_count; /* SIGKILL at that point of the n-th group; 0: never */
	char admin[64];		  /* administrator's token */
	int remote;		  /* media are read as from a remote store */
	int away;		  /* so many reads of it fail at first */
	int desk;		  /* the index is asked by a desk, as one of another machine */
};

/* A data directory with one enrolled device "box1": DIR/box1.crt, box1.key. */
void cloud_init(struct cloud *c);
/* Another enrolled device NAME. */
void cloud_enrol(struct cloud *c, const char *name);
/* While DATA/hold is there the desk does nothing; DATA/held: it has come to that. */
#define CLOUD_HOLD "hold"
#define CLOUD_HELD "held"
/* Forks a server and waits until it listens. */
void cloud_start(struct cloud *c);
/* SIGTERM; returns its exit code, or -signal. */
int cloud_stop(struct cloud *c);
/* Waits for it to die by itself; -signal. */
int cloud_wait(struct cloud *c);
void cloud_exit(struct cloud *c);

#endif
