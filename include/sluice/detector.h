/* SPDX-License-Identifier: MIT */
/*
 * detector.h - what a detector of things in pictures is to sluice-cloud: a shared object that
 * exports one function. docs/detector.md shows one from the first line to the running node.
 *
 * Life. The node starts a process for the plug-in alone, which loads it and calls, from one thread:
 *
 *	sluice_detector(1)	the table below
 *	open()			once; reads its model, starts its threads
 *	detect()		once with a grey picture: what it does only the first time is done
 *here (rights given up)	from now on: no file, no new thread or process, no network detect()
 *again and again close()			perhaps; the process may also be ended at any moment
 *
 * Already before open() there is no network, no other program, nothing is writable, and of files
 * only the system's libraries (/usr, /lib), its own folder and that of its configuration can be
 * read. Address space is bounded by [detector] memory, from before it is loaded. Whatever it does
 * afterwards that is not computing ends its process, and nothing else.
 *
 * Ownership. Nothing is allocated on one side and freed on the other. What the caller passes is
 * the caller's and valid for the call alone; what the plug-in returns (table, names) is the
 * plug-in's and stays until close(). Pictures may be read only: they are shared memory that the
 * process cannot write to.
 *
 * Errors. Functions return 0, or a negative errno and a sentence in why, for people. After an error
 * of detect() the plug-in is called again; after several in a row it is switched off.
 *
 * Growth. A change that an old plug-in or an old node could not live with makes another
 * SLUICE_DETECTOR_ABI. Within one ABI the table may grow at its end: struct_size says how much of
 * it there is. The other structs do not change within one ABI. All integers and floats are the
 * machine's own; reserved members are 0.
 */
#ifndef _SLUICE_DETECTOR_H
#define _SLUICE_DETECTOR_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_DETECTOR_ABI	   1u
#define SLUICE_DETECTOR_SYMBOL	   "sluice_detector"
#define SLUICE_DETECTOR_NAME_MAX   32u	  /* bytes of a name, with the final NUL */
#define SLUICE_DETECTOR_CLASS_MAX  1024u  /* classes of a plug-in */
#define SLUICE_DETECTOR_BATCH_MAX  16u	  /* pictures of a call */
#define SLUICE_DETECTOR_BOX_MAX	   64u	  /* boxes of a picture */
#define SLUICE_DETECTOR_SIDE_MAX   1280u  /* pixels of a picture's longer side */
#define SLUICE_DETECTOR_CONFIG_MAX 65536u /* bytes of a configuration, with the final NUL */

/* A picture: bytes R, G, B of the top left pixel first, row by row, full range (0..255). */
struct sluice_detector_image {
	const uint8_t *data;
	uint32_t width, height; /* pixels, 1 .. SLUICE_DETECTOR_SIDE_MAX */
	uint32_t stride;	/* bytes from one row to the next, at least 3 * width */
	uint32_t reserved;
};

/* Something that was found. */
struct sluice_detector_box {
	/* pixels of the picture as it was given, x, y the top left corner. What reaches beyond the
	 * picture is cut off; a box that is wholly outside, or empty, is passed over. */
	float x, y, w, h;
	float score;	/* 0 .. 1: how sure */
	uint32_t class; /* index into the classes of info() */
};

/* Where the boxes of one picture go. */
struct sluice_detector_result {
	struct sluice_detector_box *box; /* room for capacity of them, the caller's */
	uint32_t capacity;
	uint32_t count; /* set by detect(): at most capacity; the surest, if there are more */
};

/* What it is; the same from open() to close(). */
struct sluice_detector_info {
	char name[SLUICE_DETECTOR_NAME_MAX]; /* [a-z0-9._-]+: summaries say "detector:NAME" */
	uint32_t batch_max;   /* pictures of a call: 1 .. SLUICE_DETECTOR_BATCH_MAX */
	uint32_t side;	      /* pixels of a picture's longer side that it likes best, 32 ..
				 SLUICE_DETECTOR_SIDE_MAX; pictures may be smaller, never larger */
	uint32_t class_count; /* 1 .. SLUICE_DETECTOR_CLASS_MAX */
	uint32_t reserved;
	const char *const *classes; /* names: 1 .. SLUICE_DETECTOR_NAME_MAX - 1 bytes, letters,
				       digits, space, '.', '_', '-' */
};

struct sluice_detector_table {
	uint32_t abi;	      /* SLUICE_DETECTOR_ABI */
	uint32_t struct_size; /* sizeof(struct sluice_detector_table) */
	/*
	 * config: the text of the file that [detector] config names, "" if it names none. folder:
	 * where that file lies (else where the plug-in lies): what config says of files is meant
	 * from there. *detector is passed to the other functions.
	 */
	int (*open)(const char *config, const char *folder, void **detector, char *why,
		    size_t why_size);
	/* info is zeroed by the caller. Cannot fail. */
	void (*info)(void *detector, struct sluice_detector_info *info);
	/*
	 * count pictures, 1 .. batch_max, and as many results, whose count is 0. left_ms: the
	 * answer is of no use to anybody after that time; one that takes a multiple of it has hung.
	 */
	int (*detect)(void *detector, const struct sluice_detector_image *image, uint32_t count,
		      struct sluice_detector_result *result, uint32_t left_ms, char *why,
		      size_t why_size);
	void (*close)(void *detector);
};

/* What a plug-in exports. abi: what the node speaks; NULL: the plug-in does not speak it. */
const struct sluice_detector_table *sluice_detector(uint32_t abi);

#endif
