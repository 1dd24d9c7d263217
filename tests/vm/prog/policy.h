/* SPDX-License-Identifier: MIT */
/* policy.h - the kernel's own account (CTRL_CMD_GETPOLICY) of what the family's commands take. */
#ifndef TEST_POLICY_H
#define TEST_POLICY_H

#include "nl.h"

#include <sluice/control.h>

#define POLICIES 8
#define ATTRS	 48

struct policy_attr {
	uint32_t type; /* enum netlink_attribute_type; 0: not taken */
	uint64_t min, max;
	int64_t smin, smax;
	uint32_t min_length, max_length;
	int nested; /* index of the policy inside; -1: none */
};

struct policy {
	int doit[SLUICE_CMD_MAX + 1], dumpit[SLUICE_CMD_MAX + 1]; /* indices; -1: none */
	struct policy_attr of[POLICIES][ATTRS];
};

/* Returns 0 or a negative errno. */
int policy_read(struct nl *nl, struct policy *p);

/*
 * Lines "op CMD do|dump ATTR..." and "attr CMD ATTR TYPE ..." and, for nests, "in ATTR ATTR TYPE",
 * all numbers but the names of types.
 */
void policy_print(const struct policy *p);

/* Bytes that the payload of an attribute of this type must have; 0: not one size. */
uint32_t policy_size(uint32_t type);

#endif
