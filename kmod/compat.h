/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - differences between the kernels that Sluice builds for, as named features. No other
 * file asks for a kernel version.
 */
#ifndef SLUICE_COMPAT_H
#define SLUICE_COMPAT_H

#include <linux/version.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/shmem_fs.h>

#if KERNEL_VERSION(6, 3, 0) > LINUX_VERSION_CODE
static inline void compat_vm_flags(struct vm_area_struct *vma, unsigned long set,
				   unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#else
static inline void compat_vm_flags(struct vm_area_struct *vma, unsigned long set,
				   unsigned long clear)
{
	vm_flags_mod(vma, set, clear);
}
#endif

#if KERNEL_VERSION(6, 16, 0) > LINUX_VERSION_CODE
#define compat_call_mmap(file, vma) call_mmap(file, vma)
#else
#define compat_call_mmap(file, vma) vfs_mmap(file, vma)
#endif

#if KERNEL_VERSION(7, 0, 0) > LINUX_VERSION_CODE
#define COMPAT_SHMEM_NORESERVE VM_NORESERVE
#else
#define COMPAT_SHMEM_NORESERVE mk_vma_flags(VMA_NORESERVE_BIT)
#endif

/*
 * An extack text with arguments. Before 6.2 the kernel keeps only a pointer, until it has written
 * its answer: sluice_extack_buffer() hands out one of several static buffers in turn.
 */
#ifndef NL_SET_ERR_MSG_FMT_MOD
#define COMPAT_EXTACK_SIZE 120
char *sluice_extack_buffer(void);
#define NL_SET_ERR_MSG_FMT_MOD(extack, fmt, args...)                        \
	do {                                                                \
		struct netlink_ext_ack *_ack = (extack);                    \
		char *_buf = sluice_extack_buffer();                        \
		snprintf(_buf, COMPAT_EXTACK_SIZE, "sluice: " fmt, ##args); \
		if (_ack)                                                   \
			_ack->_msg = _buf;                                  \
	} while (0)
#define COMPAT_NEEDS_EXTACK_BUFFER 1
#endif

#endif
