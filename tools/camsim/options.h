/* SPDX-License-Identifier: MIT */
/*
 * The command line.
 */
#ifndef SLUICE_CAMSIM_OPTIONS_H
#define SLUICE_CAMSIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/camsim/descriptors.h"
#include "tools/camsim/fault.h"
#include "tools/camsim/play.h"

enum at_end { AT_END_SILENT, AT_END_EXIT, AT_END_LOOP };

struct options {
	/* playing */
	const char *rolls[PROFILE_MODES_MAX];
	uint32_t roll_count;
	const char *serial, *product, *log, *control, *vhci_dir;
	bool iso, super, paused, resume;
	uint32_t payload_max; /* 0: by the kind of connection */
	uint32_t passes;      /* 0: for ever */
	enum play_rate rate;
	uint64_t rate_ns;
	enum at_end at_end;
	struct fault_list faults;
	/* making a roll */
	const char *make_roll;
	enum roll_format format; /* 0: MJPEG */
	uint32_t width, height;	 /* 0: the clip's */
	uint32_t fps_milli;	 /* frames per 1000 s; 0: the clip's */
	uint64_t max_ns;	 /* 0: all of the clip */
	uint64_t loop_pause_ns;
	/* telling a running camera */
	const char *tell;
};

/* 0; 1: --help was given and served; -EINVAL: a message was printed, exit with 2. */
int options_parse(struct options *o, int argc, char **argv);

#endif
