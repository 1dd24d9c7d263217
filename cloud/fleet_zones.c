// SPDX-License-Identifier: MIT
/* fleet_zones.c - a camera's zones, from what people drew to what the analysis takes. */
#include <errno.h>

#include "cloud/fleet.h"
#include "cloud/zones.h"

int sluice_fleet_zones(struct sluice_fleet *f, const char *tenant, const char *camera,
		       struct sluice_analysis_config *c)
{
	json_t *doc;
	int err = sluice_fleet_get(f, SLUICE_FLEET_ZONES, tenant, camera, &doc);

	if (err && err != -ENOENT)
		return err;
	json_object_del(doc, "version");
	json_object_del(doc, "by");
	json_object_del(doc, "at_ns");
	sluice_zones_config(doc, c);
	json_decref(doc);
	return 0;
}
