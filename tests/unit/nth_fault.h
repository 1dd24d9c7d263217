/* SPDX-License-Identifier: MIT */
/*
 * nth_fault.h - the N-th allocation, or the N-th call that touches the disk (or a child's channel),
 * fails, or is the last.
 *
 * A program that links nth_fault.c has its malloc, write, fsync, ... stand before libc's for every
 * library in it. Any thread of it may be the one that meets the failure.
 */
#ifndef SLUICE_TEST_NTH_FAULT_H
#define SLUICE_TEST_NTH_FAULT_H

enum nth_kind {
	NTH_NOTHING,
	NTH_MEMORY,
	NTH_DISK,
	NTH_CHILD, /* what starts a child and speaks with it: memfd, socketpair, spawn, send, recv
		    */
	NTH_KILL, /* in place of the N-th call that touches the disk the process ends, as by kill -9
		   */
};

struct nth_fault {
	enum nth_kind kind;    /* what is counted */
	int err;	       /* errno of a failed call */
	unsigned long fail_at; /* the so many-th from now, 1..; 0: none, they are only counted */
	int onward;	       /* not that one alone, but all from it on */
	unsigned long calls;   /* so many were there */
	long live;	       /* blocks of memory that are not freed */
	unsigned long *shown;  /* where calls is written too, for another process; may be NULL */
};

extern struct nth_fault nth_fault;

/* Counts from 0 on; the at-th fails. */
void nth_begin(enum nth_kind kind, unsigned long at);
/* Nothing fails any more. How many there were. */
unsigned long nth_end(void);

/* Runs fn(arg) in a child that is killed at that place. 1: it was; 0: it came to its end. */
int nth_killed(unsigned long at, void (*fn)(void *arg), void *arg);

#endif
