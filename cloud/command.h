/* SPDX-License-Identifier: MIT */
/*
 * command.h - things asked of a device now, and its answers. Kept in the fleet by request:
 * {"device","command","camera","by","asked_ns","deadline_ns","state","reason","answered_ns",
 * "result"}; state: "sent", then the device's "done", "refused", "failed", or "no_answer" when the
 * deadline went by. An answer that comes after that is taken all the same, with "late".
 *
 * Where the device is connected to another process it has "ask" as well, what is to be sent, until
 * that process, which sees it in the fleet that they share, takes it and sends it.
 */
#ifndef SLUICE_COMMAND_H
#define SLUICE_COMMAND_H

#include "cloud/fleet.h"
#include "cloud/session.h"

#define SLUICE_COMMANDS_MAX 200 /* of a tenant, the newest */

/*
 * args: {"command","camera","deadline_s","lines","level"}, checked for shape. 0 and the request's
 * name; -EINVAL and why; -ENOTCONN: the device is connected to no process; -EOPNOTSUPP: it does not
 * know it.
 */
int sluice_command_ask(struct sluice_server *s, const char *tenant, const char *device,
		       const char *by, const json_t *args, char request[33], const char **why);

/* COMMAND_RESULT. -EINVAL: malformed; an answer to what was not asked of it is passed over. */
int sluice_command_result(struct sluice_session *ss, const uint8_t *json, uint32_t size);

/* Another process has made a command, or given it another state: it goes to the device if that is
 * connected here, and its end to those who watch here. In the fleet's thread. */
void sluice_command_changed(struct sluice_server *s, const char *tenant, const char *request,
			    const json_t *doc);

/* Every second or so, of one loop: those whose deadline went by. */
void sluice_commands_watch(struct sluice_server *s);

#endif
