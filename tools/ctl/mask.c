// SPDX-License-Identifier: MIT
/*
 * mask.c - privacy masks, ignored zones and zones of other sensitivity, given as polygons in
 * pixels. What is given replaces what was there of its kind (privacy; thresholds); --clear removes
 * both. Zones are painted in the order in which they are given, each over those before.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/fields.h"
#include "tools/ctl/mask.h"
#include "tools/ctl/polygon.h"

#define FACTOR_ONE 16 /* of a threshold byte */

static const char usage[] =
	"usage: sluicectl mask CAMERA [--if-version=N] [--privacy 'X,Y X,Y X,Y ...']... "
	"[--ignore 'X,Y ...']... [--zone FACTOR:'X,Y ...']... | --clear";

struct masks {
	uint8_t *privacy, *threshold, *touched; /* a byte a cell */
	bool has_privacy, has_threshold;
};

static int put_masks(struct nl_msg *m, size_t n, const struct masks *k)
{
	uint8_t *bits = calloc(1, n);
	int err = !bits;

	if (!err && k->has_privacy) {
		for (size_t i = 0; i < n; i++)
			bits[i / 8] |= k->privacy[i] << (i & 7);
		err = nla_put(m, SLUICE_ATTR_PRIVACY, (n + 7) / 8, bits);
	}
	if (!err && k->has_threshold)
		err = nla_put(m, SLUICE_ATTR_THRESHOLDS, n, k->threshold);
	free(bits);
	return err;
}

/* "0.5:" before a polygon; moves *text behind it. Returns 1/16, or 0 if it is none. */
static uint8_t zone_factor(const char **text)
{
	char *end;
	double v = strtod(*text, &end);

	if (end == *text || *end != ':' || !(v >= 1.0 / FACTOR_ONE) || v > 255.0 / FACTOR_ONE)
		return 0;
	*text = end + 1;
	return (uint8_t)lround(v * FACTOR_ONE);
}

/* One option and its polygon, painted. */
static int add_polygon(struct ctl *ctl, const struct genl_camera *c, const char *option,
		       const char *text, struct masks *k)
{
	size_t n = (size_t)c->grid_w * c->grid_h;
	bool privacy = !strcmp(option, "--privacy");
	uint8_t factor = 0;
	struct polygon p;

	if (!strcmp(option, "--zone")) {
		factor = zone_factor(&text);
		if (!factor)
			return ctl_error(ctl, CTL_USAGE,
					 "--zone is FACTOR:'X,Y X,Y X,Y ...', FACTOR 0.0625 to "
					 "15.9 times the threshold: below 1 sees more");
	} else if (!privacy && strcmp(option, "--ignore")) {
		return ctl_error(ctl, CTL_USAGE, "%s", usage);
	}
	if (polygon_parse(text, c->width, c->height, &p))
		return ctl_error(ctl, CTL_USAGE, "'%s': three to %d points X,Y within %ux%u", text,
				 POLYGON_POINTS, c->width, c->height);
	memset(k->touched, 0, n);
	polygon_cells(&p, polygon_block(c->width, c->grid_w), c->grid_w, c->grid_h, k->touched);
	for (size_t i = 0; i < n; i++) {
		if (k->touched[i] && privacy)
			k->privacy[i] = 1;
		else if (k->touched[i])
			k->threshold[i] = factor;
	}
	k->has_privacy |= privacy;
	k->has_threshold |= !privacy;
	return CTL_OK;
}

int ctl_mask_put(struct ctl *ctl, struct nl_msg *m, const struct genl_camera *c, int argc,
		 char **argv)
{
	size_t n = (size_t)c->grid_w * c->grid_h;
	struct masks k = { calloc(1, n), malloc(n), malloc(n), false, false };
	int rc = CTL_OK;

	if (!k.privacy || !k.threshold || !k.touched)
		rc = ctl_error(ctl, CTL_FAILED, "out of memory");
	else
		memset(k.threshold, FACTOR_ONE, n);
	for (int i = 0; i < argc && !rc; i += 2)
		rc = i + 1 == argc ? ctl_error(ctl, CTL_USAGE, "%s", usage)
				   : add_polygon(ctl, c, argv[i], argv[i + 1], &k);
	if (!rc && put_masks(m, n, &k))
		rc = ctl_error(ctl, CTL_FAILED, "out of memory");
	free(k.privacy);
	free(k.threshold);
	free(k.touched);
	return rc;
}

static int put_clear(struct nl_msg *m)
{
	return nla_put(m, SLUICE_ATTR_PRIVACY, 0, "") || nla_put(m, SLUICE_ATTR_THRESHOLDS, 0, "")
		       ? CTL_FAILED
		       : CTL_OK;
}

int ctl_mask(struct ctl *ctl, int argc, char **argv)
{
	struct genl_camera c;
	struct nl_msg *m = NULL;
	struct genl *g;
	int64_t version = 0;
	bool conditional = argc > 2 && !strncmp(argv[2], "--if-version=", 13);
	int rc = CTL_FAILED, first = conditional ? 3 : 2;

	if (argc <= first || (conditional && !ctl_number(argv[2] + 13, 0, UINT32_MAX, &version)))
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
	if (conditional && nla_put_u32(m, SLUICE_ATTR_IF_VERSION, (uint32_t)version))
		goto out;
	argc -= first;
	argv += first;
	rc = argc == 1 && !strcmp(argv[0], "--clear") ? put_clear(m)
						      : ctl_mask_put(ctl, m, &c, argc, argv);
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
