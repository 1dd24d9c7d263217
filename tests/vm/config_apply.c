// SPDX-License-Identifier: MIT
/*
 * usage: config_apply CAMERA BOUNDS JSON: what the relay does with a CONFIG of the cloud, when its
 * file has the lines BOUNDS in [settings]; prints the CONFIG_RESULT.
 */
#include "lib/log.h"
#include "relay/settings.h"
#include <stdio.h>
#include <string.h>

static void on_result(void *arg, uint32_t slot, const char *json)
{
	printf("%s\n", json);
}

int main(int argc, char **argv)
{
	struct relay_settings_config c = { .ops = &relay_gate_kernel, .result = on_result };
	struct relay_camera camera = { .slot = 1 };
	struct relay_settings *s;
	struct sluice_conf *f;
	char text[1000], why[256];
	int err;

	if (argc != 4)
		return 2;
	sluice_log_setup("config_apply", SLUICE_LOG_DEBUG, false);
	snprintf(text, sizeof(text), "[settings]\n%s\n", argv[2]);
	f = sluice_conf_parse("bounds", text, strlen(text), &err, why, sizeof(why));
	if (!f || relay_settings_conf(&c.conf, f, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	snprintf(camera.name, sizeof(camera.name), "%s", argv[1]);
	c.desk = relay_desk_open(NULL, &err);
	s = c.desk ? relay_settings_open(&c, &err) : NULL;
	if (!s ||
	    relay_settings_take(s, 1, &camera, (const uint8_t *)argv[3], (uint32_t)strlen(argv[3])))
		return 1;
	relay_desk_close(c.desk);
	relay_settings_close(s);
	sluice_conf_close(f);
	return 0;
}
