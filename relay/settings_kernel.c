// SPDX-License-Identifier: MIT
/*
 * The netlink code is sluicectl's (tools/ctl/genl.c), which says what is wrong through ctl_error();
 * here the first thing that it says is kept as the reason. One socket for each request: they are
 * rare, and the module may come and go.
 */
#include "relay/settings.h"
#include "tools/ctl/genl.h"

#include <errno.h>
#include <netlink/msg.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

volatile int ctl_stopped; /* only sluicectl's long commands look at it */

/* The ctl of this file alone. */
struct asker {
	struct ctl ctl;
	char *why;
	size_t size;
	bool said;
};

int ctl_error(const struct ctl *ctl, int code, const char *format, ...)
{
	struct asker *a = (struct asker *)ctl;
	va_list ap;

	va_start(ap, format);
	if (!a->said)
		vsnprintf(a->why, a->size, format, ap);
	va_end(ap);
	a->said = true;
	return code;
}

bool ctl_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
	return false; /* cameras are named here, never numbered */
}

static int put_settings(struct nl_msg *m, const char *camera, const uint32_t *if_version,
			const struct relay_setting *list, size_t count)
{
	struct nlattr *nest;

	if (nla_put_string(m, SLUICE_ATTR_NAME, camera) ||
	    (if_version && nla_put_u32(m, SLUICE_ATTR_IF_VERSION, *if_version)))
		return -EMSGSIZE;
	nest = nla_nest_start(m, SLUICE_ATTR_SETTINGS | NLA_F_NESTED);
	if (!nest)
		return -EMSGSIZE;
	for (size_t i = 0; i < count; i++)
		if (nla_put_u32(m, list[i].setting, list[i].value))
			return -EMSGSIZE;
	nla_nest_end(m, nest);
	return 0;
}

static int apply(void *arg, const char *camera, const uint32_t *if_version,
		 const struct relay_setting *list, size_t count, uint32_t *version, char *why,
		 size_t why_size)
{
	struct asker a = { .ctl = { .command = "relay" }, .why = why, .size = why_size };
	struct genl *g = genl_open(&a.ctl);
	struct nl_msg *m = g ? genl_request(g, SLUICE_CMD_SET, NLM_F_ACK) : NULL;
	struct genl_camera c = { 0 };
	int err = m ? put_settings(m, camera, if_version, list, count) : -ENOENT;

	if (err)
		nlmsg_free(m);
	else
		err = genl_send(g, m, genl_copy_camera, &c);
	*version = c.setting[SLUICE_SETTING_VERSION];
	genl_close(g);
	return err;
}

const struct relay_settings_ops relay_settings_kernel = { apply };
