// SPDX-License-Identifier: MIT
/*
 * The netlink code is sluicectl's (tools/ctl/genl.c), which says what is wrong through ctl_error();
 * here the first thing that it says is kept as the reason. One socket for each request: they are
 * rare, and the module may come and go.
 */
#include "relay/gate.h"
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

/* A request about that camera, with its condition; NULL: why is said. */
static struct nl_msg *make_request(struct asker *a, struct genl **g, const struct relay_gate *gate,
				   uint8_t command, const uint32_t *if_version)
{
	struct nl_msg *m;

	*g = genl_open(&a->ctl);
	m = *g ? genl_request(*g, command, NLM_F_ACK) : NULL;
	if (!m)
		return NULL;
	if (!nla_put_string(m, SLUICE_ATTR_NAME, gate->camera) &&
	    (!if_version || !nla_put_u32(m, SLUICE_ATTR_IF_VERSION, *if_version)))
		return m;
	nlmsg_free(m);
	return NULL;
}

/* Sends and frees m, closes g. The camera as it is then in *c. */
static int ask(struct genl *g, struct nl_msg *m, int err, struct genl_camera *c)
{
	memset(c, 0, sizeof(*c));
	if (!m)
		err = -ENOENT;
	else if (err)
		nlmsg_free(m);
	else
		err = genl_send(g, m, genl_copy_camera, c);
	genl_close(g);
	return err;
}

static int read_gate(const struct relay_gate *gate, struct relay_gate_state *s, char *why,
		     size_t size)
{
	struct asker a = { .ctl = { .command = "relay" }, .why = why, .size = size };
	struct genl_camera c;
	struct genl *g;
	struct nl_msg *m = make_request(&a, &g, gate, SLUICE_CMD_GET, NULL);
	int err = ask(g, m, 0, &c);

	if (err)
		return err;
	*s = (struct relay_gate_state){
		.width = c.width, .height = c.height, .grid_w = c.grid_w, .grid_h = c.grid_h
	};
	memcpy(s->setting, c.setting, sizeof(s->setting));
	return 0;
}

static int put_settings(struct nl_msg *m, const struct relay_setting *list, size_t count)
{
	struct nlattr *nest = nla_nest_start(m, SLUICE_ATTR_SETTINGS | NLA_F_NESTED);

	if (!nest)
		return -EMSGSIZE;
	for (size_t i = 0; i < count; i++)
		if (nla_put_u32(m, list[i].setting, list[i].value))
			return -EMSGSIZE;
	nla_nest_end(m, nest);
	return 0;
}

static int set_gate(const struct relay_gate *gate, const uint32_t *if_version,
		    const struct relay_setting *list, size_t count, uint32_t *version, char *why,
		    size_t size)
{
	struct asker a = { .ctl = { .command = "relay" }, .why = why, .size = size };
	struct genl_camera c;
	struct genl *g;
	struct nl_msg *m = make_request(&a, &g, gate, SLUICE_CMD_SET, if_version);
	int err = ask(g, m, m ? put_settings(m, list, count) : 0, &c);

	*version = c.setting[SLUICE_SETTING_VERSION];
	return err;
}

static int map_gate(const struct relay_gate *gate, const uint32_t *if_version, const uint8_t *map,
		    size_t cells, uint32_t *version, char *why, size_t size)
{
	struct asker a = { .ctl = { .command = "relay" }, .why = why, .size = size };
	struct genl_camera c;
	struct genl *g;
	struct nl_msg *m = make_request(&a, &g, gate, SLUICE_CMD_MASK, if_version);
	int err = ask(g, m,
		      m && nla_put(m, SLUICE_ATTR_THRESHOLDS, (int)cells,
				   cells ? map : (const uint8_t *)"")
			      ? -EMSGSIZE
			      : 0,
		      &c);

	*version = c.setting[SLUICE_SETTING_VERSION];
	return err;
}

static int snapshot_gate(const struct relay_gate *gate, char *why, size_t size)
{
	struct asker a = { .ctl = { .command = "relay" }, .why = why, .size = size };
	struct genl_camera c;
	struct genl *g;
	struct nl_msg *m = make_request(&a, &g, gate, SLUICE_CMD_SNAPSHOT, NULL);

	return ask(g, m, 0, &c);
}

const struct relay_gate_ops relay_gate_kernel = { read_gate, set_gate, map_gate, snapshot_gate };

/* ---- whichever it is ---- */

static const struct relay_gate_ops *ops_of(const struct relay_gate *g)
{
	return g->feed[0] ? &relay_gate_feed : &relay_gate_kernel;
}

static int read_any(const struct relay_gate *g, struct relay_gate_state *s, char *why, size_t size)
{
	return ops_of(g)->read(g, s, why, size);
}

static int set_any(const struct relay_gate *g, const uint32_t *if_version,
		   const struct relay_setting *list, size_t count, uint32_t *version, char *why,
		   size_t size)
{
	return ops_of(g)->set(g, if_version, list, count, version, why, size);
}

static int map_any(const struct relay_gate *g, const uint32_t *if_version, const uint8_t *map,
		   size_t cells, uint32_t *version, char *why, size_t size)
{
	return ops_of(g)->map(g, if_version, map, cells, version, why, size);
}

static int snapshot_any(const struct relay_gate *g, char *why, size_t size)
{
	return ops_of(g)->snapshot(g, why, size);
}

const struct relay_gate_ops relay_gate_any = { read_any, set_any, map_any, snapshot_any };
