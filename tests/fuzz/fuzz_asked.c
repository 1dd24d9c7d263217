// SPDX-License-Identifier: MIT
/*
 * What the cloud asks of a device: the payloads of COMMAND and CONFIG, maps with them, through the
 * parsers of the relay. The first byte chooses which. What must hold: no fault; CONFIG sets nothing
 * outside of the bounds of the file.
 */
#include "lib/log.h"
#include "relay/commands.h"
#include "relay/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct relay_camera camera[SLUICE_WIRE_SLOTS];
static struct relay_settings *settings;
static struct relay_commands *commands;
static struct relay_memos memos;

static int on_read(const struct relay_gate *g, struct relay_gate_state *s, char *why, size_t size)
{
	*s = (struct relay_gate_state){ .width = 64, .height = 48, .grid_w = 8, .grid_h = 6 };
	return 0;
}

static int on_set(const struct relay_gate *g, const uint32_t *if_version,
		  const struct relay_setting *list, size_t count, uint32_t *version, char *why,
		  size_t size)
{
	*version = 2;
	for (size_t i = 0; i < count; i++)
		if (list[i].setting != SLUICE_SETTING_RATE_MFPS || list[i].value < 1000 ||
		    list[i].value > 10000)
			abort();
	return 0;
}

static int on_map(const struct relay_gate *g, const uint32_t *if_version, const uint8_t *map,
		  size_t cells, uint32_t *version, char *why, size_t size)
{
	size_t ignored = 0;

	*version = 2;
	if (cells && cells != 48)
		abort();
	for (size_t i = 0; i < cells; i++) {
		ignored += !map[i];
		if (map[i] && map[i] != 16 && (map[i] < 8 || map[i] > 64))
			abort();
	}
	if (ignored * 100 > 20 * cells)
		abort();
	return 0;
}

static int on_snapshot(const struct relay_gate *g, char *why, size_t size)
{
	return -1;
}

static const struct relay_gate_ops ops = { on_read, on_set, on_map, on_snapshot };

static void on_result(void *arg, uint32_t slot, const char *json)
{
}

static int on_send(void *arg, const char *json)
{
	return 0;
}

static json_t *on_describe(void *arg)
{
	return json_object();
}

static void start(void)
{
	struct relay_settings_config s = { .ops = &ops, .result = on_result };
	struct relay_commands_config c = { .allow = 1u << RELAY_DESCRIBE | 1u << RELAY_LOGS |
						    1u << RELAY_SNAPSHOT,
					   .camera = camera,
					   .memos = &memos,
					   .ops = &ops,
					   .describe = on_describe,
					   .send = on_send };
	int err;

	sluice_log_setup("fuzz", SLUICE_LOG_ERROR, false);
	s.desk = c.desk = relay_desk_open(NULL, &err);
	s.conf.any = true;
	s.conf.bound[SLUICE_SETTING_RATE_MFPS] = (struct relay_bound){ true, 1000, 10000 };
	s.conf.map = (struct relay_map_bounds){ true, 8, 64, 20 };
	camera[0] = (struct relay_camera){ .name = "door", .slot = 1 };
	settings = relay_settings_open(&s, &err);
	commands = relay_commands_open(&c);
	if (!settings || !commands)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!settings)
		start();
	if (size < 2 || size > 65536)
		return 0;
	if (data[0] & 1)
		relay_settings_take(settings, 1, &camera[0], data + 1, (uint32_t)(size - 1));
	else
		relay_commands_take(commands, data + 1, (uint32_t)(size - 1));
	return 0;
}
