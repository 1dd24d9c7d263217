/* SPDX-License-Identifier: GPL-2.0 */
/* store.h - the memory of one ring: made once, mapped by its readers, freed with its camera. */
#ifndef SLUICE_STORE_H
#define SLUICE_STORE_H

#include <linux/fs.h>
#include <linux/mm_types.h>
#include "ring.h"

struct sluice_store {
	struct sluice_ring ring;
	struct file *shmem; /* descriptors, then the arena */
	void *base;	    /* all of it, in the kernel's address space */
	void *priv;	    /* page bitmap and spans: never mapped by anybody */
	u64 bytes;	    /* as asked for */
	u32 desc_pages, arena_pages;
};

/*
 * Make a ring that costs bytes (1 MiB .. SLUICE_RING_ARENA_MAX) with all that belongs to it, less
 * the bytes in beside (at most half are given up): what the camera's other state costs too much.
 * Returns 0, -EINVAL for a size outside the limits, -ENOMEM. May sleep.
 */
int sluice_store_init(struct sluice_store *s, u64 bytes, u64 beside, const char *name);

/* Free everything; user mappings of the data live on by themselves. Half-made stores are fine. */
void sluice_store_exit(struct sluice_store *s);

/*
 * Map a part of the ring. reader: the file holds the write side. Control page: read-write for the
 * reader, else read-only. Descriptors: read-only. Arena: read-only; writable for a reader with
 * CAP_SYS_ADMIN. Returns 0, -EINVAL for a range outside the ring, -EPERM for a map that is refused.
 */
int sluice_store_mmap(struct sluice_store *s, struct vm_area_struct *vma, bool reader);

#endif
