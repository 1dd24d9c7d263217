// SPDX-License-Identifier: MIT
/* set.c - detach, set, snapshot: one request to one camera. */
#include <stdio.h>
#include <string.h>

#include "tools/ctl/fields.h"

static int request(struct ctl *ctl, uint8_t cmd, const char *camera, int argc, char **argv,
		   const int64_t *version, const char *done)
{
	struct genl_camera c = { 0 };
	struct genl *g = genl_open(ctl);
	struct nl_msg *m = g ? genl_request(g, cmd, NLM_F_ACK) : NULL;
	int rc = CTL_FAILED;

	if (!m) {
		genl_close(g);
		return rc;
	}
	if (genl_put_camera(m, camera)) {
		rc = ctl_error(ctl, CTL_USAGE, "'%s' is not a camera's name or index", camera);
	} else if (version && nla_put_u32(m, SLUICE_ATTR_IF_VERSION, *version)) {
		ctl_error(ctl, 0, "out of memory");
	} else if (field_put_all(ctl, m, argc, argv)) {
		rc = CTL_USAGE;
	} else {
		rc = genl_send(g, m, genl_copy_camera, &c) ? CTL_FAILED : CTL_OK;
		m = NULL;
	}
	nlmsg_free(m);
	genl_close(g);
	if (rc == CTL_OK && ctl->json) {
		json_t *o =
			json_pack("{s:s,s:s}", "camera", *c.name ? c.name : camera, "done", done);

		if (cmd == SLUICE_CMD_SET)
			json_object_set_new(o, "settings", field_settings_json(&c));
		ctl_print_json(o);
	} else if (rc == CTL_OK)
		printf("%s: %s\n", camera, done);
	return rc;
}

int ctl_detach(struct ctl *ctl, int argc, char **argv)
{
	if (argc != 2)
		return ctl_error(ctl, CTL_USAGE, "usage: sluicectl detach CAMERA");
	return request(ctl, SLUICE_CMD_DETACH, argv[1], 0, NULL, NULL, "detached");
}

int ctl_snapshot(struct ctl *ctl, int argc, char **argv)
{
	if (argc != 2)
		return ctl_error(ctl, CTL_USAGE, "usage: sluicectl snapshot CAMERA");
	return request(ctl, SLUICE_CMD_SNAPSHOT, argv[1], 0, NULL, NULL, "the next frame passes");
}

int ctl_set(struct ctl *ctl, int argc, char **argv)
{
	int64_t version;
	bool conditional = false;

	if (argc > 2 && !strncmp(argv[2], "--if-version=", 13)) {
		if (!ctl_number(argv[2] + 13, 0, UINT32_MAX, &version))
			return ctl_error(ctl, CTL_USAGE,
					 "--if-version=N, as 'sluicectl show CAMERA' tells it");
		conditional = true;
	}
	if (argc < 3 + conditional)
		return ctl_error(ctl, CTL_USAGE,
				 "usage: sluicectl set CAMERA [--if-version=N] SETTING=VALUE...");
	return request(ctl, SLUICE_CMD_SET, argv[1], argc - 2 - conditional, argv + 2 + conditional,
		       conditional ? &version : NULL, "set");
}
