// SPDX-License-Identifier: GPL-2.0
/*
 * store.c - the memory behind one ring.
 *
 * Descriptors and arena are pages of one shmem file: such pages can be mapped, polled on, sent from
 * and registered with io_uring, they are accounted, and a mapping of them holds the shmem file, not
 * our module: it outlives detach and rmmod without harm. The pages are held by reference for the
 * ring's whole life, so they are never swapped and the kernel's own view (vmap) stays true whatever
 * a user does to his mapping. The control page is vmalloc memory of its own, because it alone is
 * writable by the reader; mapping it holds the device file, and so the camera and the module.
 *
 * The memory that was asked for is shared by both: one descriptor for every 32 KiB, 64 at least, as
 * a power of two, takes 1/256 of it; the rest is the arena. Beside it a ring needs the control
 * page, bitmap and spans (9 KiB of 32 MiB) and the kernel's page tables (64 KiB of 32 MiB).
 *
 * Failure: nothing is half visible. A ring that cannot be made fails the attach with -ENOMEM.
 */
#include <linux/capability.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/pagemap.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "store.h"

#define BYTES_MIN      (1u << 20)
#define BYTES_PER_DESC (32u << 10)
#define DESC_MIN       64u
#define TRACKING       240 /* one byte of so many keeps track of pages */

_Static_assert(SLUICE_RING_PAGE == PAGE_SIZE, "the arena is handed out in pages");

/* Take all pages of the shmem file and map them; on failure those taken are given back. */
static int map_pages(struct sluice_store *s)
{
	u32 count = s->desc_pages + s->arena_pages, i;
	struct page **pages;
	int rc = 0;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		pages[i] = shmem_read_mapping_page(s->shmem->f_mapping, i);
		if (IS_ERR(pages[i])) {
			rc = PTR_ERR(pages[i]);
			goto put;
		}
		set_page_dirty(pages[i]);
		cond_resched();
	}
	s->base = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	if (!s->base) {
		rc = -ENOMEM;
		goto put;
	}
	kvfree(pages);
	return 0;
put:
	while (i--)
		put_page(pages[i]);
	kvfree(pages);
	return rc;
}

/* The page array was not kept; the page tables know. The file still holds every page until fput. */
static void unmap_pages(struct sluice_store *s)
{
	u32 count = s->desc_pages + s->arena_pages, i;

	if (!s->base)
		return;
	for (i = 0; i < count; i++)
		put_page(vmalloc_to_page(s->base + (size_t)i * PAGE_SIZE));
	vunmap(s->base);
	s->base = NULL;
}

int sluice_store_init(struct sluice_store *s, u64 bytes, u64 beside, const char *name)
{
	u64 arena_bytes;
	u32 desc_count;
	int rc = -ENOMEM;

	memset(s, 0, sizeof(*s));
	if (bytes < BYTES_MIN || bytes > SLUICE_RING_ARENA_MAX)
		return -EINVAL;
	s->bytes = bytes;
	bytes -= min(beside, bytes / 2);
	desc_count = rounddown_pow_of_two((u32)(bytes / BYTES_PER_DESC));
	desc_count = clamp(desc_count, DESC_MIN, SLUICE_RING_DESC_MAX);
	s->desc_pages = desc_count * SLUICE_RING_DESC_SIZE / PAGE_SIZE;
	s->arena_pages = (bytes - bytes / TRACKING) / PAGE_SIZE - s->desc_pages;
	arena_bytes = (u64)s->arena_pages * PAGE_SIZE;
	bytes = arena_bytes + (u64)s->desc_pages * PAGE_SIZE;

	s->ring.ctrl = vmalloc_user(sizeof(struct sluice_ring_ctrl));
	s->priv = kvzalloc(sluice_ring_private_size(desc_count, arena_bytes), GFP_KERNEL);
	if (!s->ring.ctrl || !s->priv)
		goto fail;
	s->shmem = shmem_file_setup("sluice", bytes, COMPAT_SHMEM_NORESERVE);
	if (IS_ERR(s->shmem)) {
		rc = PTR_ERR(s->shmem);
		s->shmem = NULL;
		goto fail;
	}
	mapping_set_unevictable(s->shmem->f_mapping);
	rc = map_pages(s);
	if (rc)
		goto fail;
	sluice_ring_init(&s->ring, s->priv, s->ring.ctrl, s->base, desc_count,
			 s->base + (size_t)s->desc_pages * PAGE_SIZE, arena_bytes, name,
			 ktime_get_ns());
	return 0;
fail:
	sluice_store_exit(s);
	return rc;
}

void sluice_store_exit(struct sluice_store *s)
{
	unmap_pages(s);
	if (s->shmem)
		fput(s->shmem);
	kvfree(s->priv);
	vfree(s->ring.ctrl);
	memset(s, 0, sizeof(*s));
}

/* Hand the mapping over to the shmem file, at the given page of it. */
static int map_data(struct sluice_store *s, struct vm_area_struct *vma, unsigned long first)
{
	vma->vm_pgoff = first;
	vma_set_file(vma, s->shmem);
	compat_vm_flags(vma, VM_DONTDUMP | VM_DONTEXPAND, 0);
	return compat_call_mmap(s->shmem, vma);
}

int sluice_store_mmap(struct sluice_store *s, struct vm_area_struct *vma, bool reader)
{
	const unsigned long desc = SLUICE_RING_MAP_DESC >> PAGE_SHIFT;
	const unsigned long arena = SLUICE_RING_MAP_ARENA >> PAGE_SHIFT;
	unsigned long first = vma->vm_pgoff, count = vma_pages(vma), pages;
	bool write = vma->vm_flags & VM_WRITE, may_write = false;

	if (!(vma->vm_flags & VM_MAYSHARE) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;
	if (first >= arena) {
		first -= arena;
		pages = s->arena_pages;
		may_write = write && reader && capable(CAP_SYS_ADMIN);
	} else if (first >= desc) {
		first -= desc;
		pages = s->desc_pages;
	} else {
		pages = 1;
		may_write = reader;
	}
	if (first >= pages || count > pages - first)
		return -EINVAL;
	if (write && !may_write)
		return -EPERM;
	compat_vm_flags(vma, 0, may_write ? VM_MAYEXEC : VM_MAYEXEC | VM_MAYWRITE);
	if (vma->vm_pgoff >= arena)
		return map_data(s, vma, s->desc_pages + first);
	if (vma->vm_pgoff >= desc)
		return map_data(s, vma, first);
	return remap_vmalloc_range(vma, s->ring.ctrl, 0);
}
