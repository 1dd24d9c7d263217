// SPDX-License-Identifier: MIT
/*
 * mask.c - privacy masks and ignored zones, given as polygons in pixels. What is given replaces
 * what was there of its kind; --clear removes both kinds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/fields.h"
#include "tools/ctl/polygon.h"

static const char usage[] =
	"usage: sluicectl mask CAMERA [--privacy 'X,Y X,Y X,Y ...']... [--ignore 'X,Y ...']... "
	"| --clear";

static int put_masks(struct nl_msg *m, const struct genl_camera *c, const uint8_t *privacy,
		     const uint8_t *ignore, bool has_privacy, bool has_ignore)
{
	size_t n = (size_t)c->grid_w * c->grid_h;
	uint8_t *bits = calloc(1, n);
	int err = !bits;

	if (!err && has_privacy) {
		for (size_t i = 0; i < n; i++)
			bits[i / 8] |= privacy[i] << (i & 7);
		err = nla_put(m, SLUICE_ATTR_PRIVACY, (n + 7) / 8, bits);
	}
	if (!err && has_ignore) {
		for (size_t i = 0; i < n; i++)
			bits[i] = ignore[i] ? 0 : 16;
		err = nla_put(m, SLUICE_ATTR_THRESHOLDS, n, bits);
	}
	free(bits);
	return err;
}

static int put_all(struct ctl *ctl, struct nl_msg *m, const struct genl_camera *c, int argc,
		   char **argv)
{
	size_t n = (size_t)c->grid_w * c->grid_h;
	uint8_t *cells[2] = { calloc(1, n), calloc(1, n) };
	bool given[2] = { false, false };
	int rc = CTL_OK;

	for (int i = 2; i < argc && cells[0] && cells[1] && !rc; i += 2) {
		int kind = !strcmp(argv[i], "--privacy")  ? 0
			   : !strcmp(argv[i], "--ignore") ? 1
							  : -1;
		struct polygon p;

		if (kind < 0 || i + 1 == argc) {
			rc = ctl_error(ctl, CTL_USAGE, "%s", usage);
		} else if (polygon_parse(argv[i + 1], c->width, c->height, &p)) {
			rc = ctl_error(ctl, CTL_USAGE, "'%s': three to %d points X,Y within %ux%u",
				       argv[i + 1], POLYGON_POINTS, c->width, c->height);
		} else {
			polygon_cells(&p, polygon_block(c->width, c->grid_w), c->grid_w, c->grid_h,
				      cells[kind]);
			given[kind] = true;
		}
	}
	if (!rc &&
	    (!cells[0] || !cells[1] || put_masks(m, c, cells[0], cells[1], given[0], given[1])))
		rc = ctl_error(ctl, CTL_FAILED, "out of memory");
	free(cells[0]);
	free(cells[1]);
	return rc;
}

int ctl_mask(struct ctl *ctl, int argc, char **argv)
{
	struct genl_camera c;
	struct nl_msg *m = NULL;
	struct genl *g;
	int rc = CTL_FAILED;

	if (argc < 3)
		return ctl_error(ctl, CTL_USAGE, "%s", usage);
	g = genl_open(ctl);
	if (!g || genl_camera(g, argv[1], &c))
		goto out;
	if (!c.grid_h || !polygon_block(c.width, c.grid_w)) {
		ctl_error(ctl, 0, "%s has no picture yet; masks can be set once it streams",
			  c.name);
		goto out;
	}
	m = genl_request(g, SLUICE_CMD_MASK, NLM_F_ACK);
	if (!m || nla_put_u32(m, SLUICE_ATTR_CAMERA, c.index))
		goto out;
	if (argc == 3 && !strcmp(argv[2], "--clear"))
		rc = nla_put(m, SLUICE_ATTR_PRIVACY, 0, "") ||
				     nla_put(m, SLUICE_ATTR_THRESHOLDS, 0, "")
			     ? CTL_FAILED
			     : CTL_OK;
	else
		rc = put_all(ctl, m, &c, argc, argv);
	if (rc)
		goto out;
	rc = genl_send(g, m, NULL, NULL) ? CTL_FAILED : CTL_OK;
	m = NULL;
	if (!rc)
		printf(ctl->json ? "{\"camera\":\"%s\",\"done\":\"masked\"}\n"
				 : "%s: masks are set\n",
		       c.name);
out:
	nlmsg_free(m);
	genl_close(g);
	return rc;
}
