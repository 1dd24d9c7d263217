// SPDX-License-Identifier: MIT
/* policy.c - see policy.h. */
#include "policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const types[] = {
	[NL_ATTR_TYPE_FLAG] = "flag",	  [NL_ATTR_TYPE_U8] = "u8",
	[NL_ATTR_TYPE_U16] = "u16",	  [NL_ATTR_TYPE_U32] = "u32",
	[NL_ATTR_TYPE_U64] = "u64",	  [NL_ATTR_TYPE_S8] = "s8",
	[NL_ATTR_TYPE_S16] = "s16",	  [NL_ATTR_TYPE_S32] = "s32",
	[NL_ATTR_TYPE_S64] = "s64",	  [NL_ATTR_TYPE_BINARY] = "binary",
	[NL_ATTR_TYPE_STRING] = "string", [NL_ATTR_TYPE_NUL_STRING] = "string",
	[NL_ATTR_TYPE_NESTED] = "nest",
};

uint32_t policy_size(uint32_t type)
{
	switch (type) {
	case NL_ATTR_TYPE_U8:
	case NL_ATTR_TYPE_S8:
		return 1;
	case NL_ATTR_TYPE_U16:
	case NL_ATTR_TYPE_S16:
		return 2;
	case NL_ATTR_TYPE_U32:
	case NL_ATTR_TYPE_S32:
		return 4;
	case NL_ATTR_TYPE_U64:
	case NL_ATTR_TYPE_S64:
		return 8;
	default:
		return 0;
	}
}

static uint64_t number(const struct nlattr *a)
{
	uint64_t v = 0;

	memcpy(&v, nl_data(a), nl_len(a) < sizeof(v) ? nl_len(a) : sizeof(v));
	return v;
}

static void read_attr(struct policy_attr *out, const struct nlattr *a, size_t len)
{
	out->nested = -1;
	out->max = UINT64_MAX;
	out->smin = INT64_MIN;
	out->smax = INT64_MAX;
	out->max_length = UINT32_MAX;
	nl_for(a, len)
	{
		switch (nl_type(a)) {
		case NL_POLICY_TYPE_ATTR_TYPE:
			out->type = (uint32_t)number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_U:
			out->min = number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_U:
			out->max = number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_S:
			out->smin = (int64_t)number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_S:
			out->smax = (int64_t)number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_LENGTH:
			out->min_length = (uint32_t)number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_LENGTH:
			out->max_length = (uint32_t)number(a);
			break;
		case NL_POLICY_TYPE_ATTR_POLICY_IDX:
			out->nested = (int)number(a);
			break;
		}
	}
}

static void read_ops(struct policy *p, const struct nlattr *op, size_t len)
{
	nl_for(op, len)
	{
		const struct nlattr *a = nl_data(op);
		size_t left = nl_len(op);

		if (nl_type(op) > SLUICE_CMD_MAX)
			continue;
		nl_for(a, left)
		{
			if (nl_type(a) == CTRL_ATTR_POLICY_DO)
				p->doit[nl_type(op)] = (int)number(a);
			if (nl_type(a) == CTRL_ATTR_POLICY_DUMP)
				p->dumpit[nl_type(op)] = (int)number(a);
		}
	}
}

static void read_policies(struct policy *p, const struct nlattr *one, size_t len)
{
	nl_for(one, len)
	{
		const struct nlattr *a = nl_data(one);
		size_t left = nl_len(one);

		if (nl_type(one) >= POLICIES)
			continue;
		nl_for(a, left)
		{
			if (nl_type(a) < ATTRS)
				read_attr(&p->of[nl_type(one)][nl_type(a)], nl_data(a), nl_len(a));
		}
	}
}

static void read_message(const struct genlmsghdr *g, const struct nlattr *a, size_t len, void *arg)
{
	(void)g;
	nl_for(a, len)
	{
		if (nl_type(a) == CTRL_ATTR_OP_POLICY)
			read_ops(arg, nl_data(a), nl_len(a));
		if (nl_type(a) == CTRL_ATTR_POLICY)
			read_policies(arg, nl_data(a), nl_len(a));
	}
}

int policy_read(struct nl *nl, struct policy *p)
{
	uint16_t family = nl->family;
	struct nlmsghdr *h;
	int rc;

	memset(p, 0, sizeof(*p));
	for (int i = 0; i <= SLUICE_CMD_MAX; i++)
		p->doit[i] = p->dumpit[i] = -1;
	nl->family = GENL_ID_CTRL;
	h = nl_begin(nl, CTRL_CMD_GETPOLICY, NLM_F_DUMP);
	nl->family = family;
	nl_put(h, CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
	rc = nl_run(nl, h, read_message, p);
	return rc;
}

static void print_attrs(const struct policy *p, const char *what, int owner, int index)
{
	for (int i = 0; i < ATTRS; i++) {
		const struct policy_attr *a = &p->of[index][i];

		if (!a->type)
			continue;
		printf("%s %d %d %s", what, owner, i,
		       a->type < sizeof(types) / sizeof(*types) && types[a->type] ? types[a->type]
										  : "?");
		if (a->type >= NL_ATTR_TYPE_U8 && a->type <= NL_ATTR_TYPE_U64)
			printf(" min=%" PRIu64 " max=%" PRIu64, a->min, a->max);
		if (a->type >= NL_ATTR_TYPE_S8 && a->type <= NL_ATTR_TYPE_S64)
			printf(" min=%" PRId64 " max=%" PRId64, a->smin, a->smax);
		if (a->max_length != UINT32_MAX)
			printf(" max-len=%u", a->max_length);
		printf("\n");
		if (a->nested >= 0)
			print_attrs(p, "in", i, a->nested);
	}
}

void policy_print(const struct policy *p)
{
	for (int i = 0; i <= SLUICE_CMD_MAX; i++) {
		if (p->doit[i] >= 0)
			print_attrs(p, "do", i, p->doit[i]);
		if (p->dumpit[i] >= 0)
			print_attrs(p, "dump", i, p->dumpit[i]);
	}
}
