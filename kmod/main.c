// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - order of start and, in reverse, of stop. Nothing here knows about cameras.
 *
 * Stop: no event on its way -> no request -> no camera (each source is stopped, its thread, probe
 * and works have ended) -> no task in our text. The module cannot go while a ring is open.
 * Listeners see the family vanish.
 */
#include <linux/module.h>
#include "camera.h"
#include "compat.h"
#include "debugfs.h"
#include "luma.h"

static bool scalar;
module_param(scalar, bool, 0444);
MODULE_PARM_DESC(scalar, "do not use vector instructions");

static int __init sluice_init(void)
{
	int rc;

	sluice_luma_init(scalar);
	sluice_gate_scalar = scalar;
	sluice_debugfs_init();
	rc = sluice_control_init();
	if (rc)
		sluice_debugfs_exit();
	return rc;
}

static void __exit sluice_exit(void)
{
	sluice_event_exit();
	sluice_control_exit();
	sluice_camera_exit();
	sluice_debugfs_exit();
	sluice_latency_exit();
	sluice_tap_exit();
}

module_init(sluice_init);
module_exit(sluice_exit);

MODULE_DESCRIPTION("Sluice: lets camera frames pass only when something moves");
MODULE_VERSION("0.1"); /* as in dkms.conf */
MODULE_LICENSE("GPL");
