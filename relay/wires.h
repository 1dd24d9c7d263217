/* SPDX-License-Identifier: MIT */
/* wires.h - all of a relay; main.c opens and closes its parts, wires.c lets them tell each other.
 */
#ifndef RELAY_WIRES_H
#define RELAY_WIRES_H

#include <limits.h>

#include "relay/conf.h"
#include "relay/report.h"
#include "relay/service.h"
#include "relay/spill.h"
#include "relay/uplink.h"

#define RELAY_TICK_MS 1000

struct relay {
	struct relay_conf conf;
	struct sluice_io *io;
	struct sluice_tls_ctx *tls;
	struct relay_encoder *encoder;
	struct relay_downlink *downlink;
	struct relay_sinks *sinks;
	struct relay_desk *desk; /* of what the cloud asks for */
	struct relay_memos memos;
	struct relay_settings *settings;
	struct relay_commands *commands;
	struct relay_report report;
	char allows[SLUICE_WIRE_FEATURES_MAX + 1];
	struct relay_sources *sources;
	struct relay_spool *spool; /* NULL: there is none */
	struct relay_spill spill;
	struct relay_budget budget;
	struct relay_lanes lanes;
	struct relay_uplink uplink;
	struct relay_service service;
	struct relay_camera camera[SLUICE_WIRE_SLOTS];
	struct sluice_io_timer tick;
	char ledger[PATH_MAX + 16], spool_dir[PATH_MAX + 16], boot_id[RELAY_SPOOL_BOOT];
	unsigned int ticks;
	uint64_t started_ns;
	int exit_code;
	bool stopping, ledger_failed;
	char trouble[320]; /* the last one that was told: once is enough */
};

/* BYE, and the loop ends when all is said; the second time at once. */
void relay_stop(struct relay *r, int exit_code);
void relay_write_ledger(struct relay *r);
/* For HELLO: what may be asked here. */
void relay_set_allows(struct relay *r, uint32_t commands);

/* arg: the relay. */
void relay_on_reload(void *arg, const struct relay_conf *now);
void relay_on_signal(void *arg, int signal);
void relay_on_tick(void *arg);

/* Each puts the calls of a part, and r as their argument, into what it is opened with. */
void relay_wire_uplink(struct relay *r, struct relay_uplink_config *c);
void relay_wire_sources(struct relay *r, struct relay_sources_config *c);
void relay_wire_spool(struct relay *r, struct relay_spool_config *c);
void relay_wire_downlink(struct relay *r, struct relay_downlink_config *c);
void relay_wire_settings(struct relay *r, struct relay_settings_config *c);
void relay_wire_commands(struct relay *r, struct relay_commands_config *c);
void relay_wire_report(struct relay *r, struct relay_report_config *c);

#endif
