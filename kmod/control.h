/* SPDX-License-Identifier: GPL-2.0 */
/* control.h - inner parts of the netlink family; the contract is <sluice/control.h>. */
#ifndef SLUICE_CONTROL_INNER_H
#define SLUICE_CONTROL_INNER_H

#include <net/genetlink.h>
#include "camera.h"

extern struct genl_family sluice_family;

/* Policies: one for each command, so that an attribute that a command does not know is refused. */
extern const struct nla_policy sluice_policy_attach[SLUICE_ATTR_MAX + 1];
extern const struct nla_policy sluice_policy_camera[SLUICE_ATTR_MAX + 1];
extern const struct nla_policy sluice_policy_set[SLUICE_ATTR_MAX + 1];
extern const struct nla_policy sluice_policy_mask[SLUICE_ATTR_MAX + 1];

/*
 * Change s as the nest says (checked by its policy), and check the result. Returns 0 or -EINVAL
 * with an extack text.
 */
int sluice_control_settings(struct sluice_settings *s, const struct nlattr *nest,
			    struct netlink_ext_ack *extack);

/* Write all about a camera into a message. Returns 0 or -EMSGSIZE. */
int sluice_control_answer(struct sk_buff *skb, struct sluice_camera *cam);

#endif
