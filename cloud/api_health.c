// SPDX-License-Identifier: MIT
/*
 * api_health.c - is the node alive, may it get more devices, and what has it counted? The first two
 * say nothing that a stranger must not know; the counters are for viewers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cloud/api_call.h"
#include "cloud/session.h"

static void get_health(struct sluice_call *c)
{
	sluice_answer_json(c, 200, json_pack("{s:s}", "status", "ok"));
}

static void get_ready(struct sluice_call *c)
{
	static const char *const names[] = { "store", "workers", "draining" };
	unsigned int why = sluice_server_unready(c->server, sluice_io_now(c->loop->io)), i;
	json_t *list;

	if (!why) {
		sluice_answer_json(c, 200, json_pack("{s:s}", "status", "ready"));
		return;
	}
	list = json_array();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (why & 1u << i)
			json_array_append_new(list, json_string(names[i]));
	sluice_answer_json(c, 503, json_pack("{s:s,s:o}", "status", "not ready", "why", list));
}

static void print_gauges(struct sluice_server *s, uint64_t now, FILE *out)
{
	unsigned int i, why = sluice_server_unready(s, now);
	char label[32];

	for (i = 0; i < s->loop_count; i++) {
		snprintf(label, sizeof(label), "{loop=\"%u\"}", i);
		sluice_gauge_print(out, "connections",
				   i ? NULL : "Open connections, by event loop.", label,
				   s->loops[i].client_count);
	}
	sluice_gauge_print(out, "connections_max", "As many are let in.", "", s->connections_max);
	sluice_gauge_print(out, "devices", "Devices that are connected.", "",
			   sluice_roster_count(s->roster));
	sluice_gauge_print(out, "queue_bytes", "Bytes that wait, by where they do.",
			   "{queue=\"writer\"}", (double)sluice_ingest_fill(s->ingest));
	sluice_gauge_print(out, "queue_bytes", NULL, "{queue=\"bus\"}",
			   (double)s->bus->ops->fill(s->bus));
	sluice_gauge_print(out, "credit_window_bytes",
			   "Bytes that a device may have under way now.", "",
			   sluice_session_window(s));
	sluice_gauge_print(out, "ready", "1: the node may get more devices.", "", !why);
	sluice_gauge_print(out, "store_writable", "0: nothing can be stored.", "",
			   !(why & SLUICE_NOT_STORING));
}

static void get_metrics(struct sluice_call *c)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int bad = !out;

	if (out) {
		sluice_counters_print(&c->server->counters, out);
		print_gauges(c->server, sluice_io_now(c->loop->io), out);
		bad = ferror(out);
		bad |= fclose(out);
	}
	if (bad) {
		free(text);
		sluice_answer_problem(c, 503, NULL);
		return;
	}
	c->out->status = 200;
	c->out->type = "text/plain; version=0.0.4; charset=utf-8";
	c->out->body = (uint8_t *)text;
	c->out->size = size;
}

const struct sluice_route sluice_api_health[] = {
	{ SLUICE_HTTP_GET, "/healthz", SLUICE_ANYBODY, 0, get_health, "getHealth" },
	{ SLUICE_HTTP_GET, "/readyz", SLUICE_ANYBODY, 0, get_ready, "getReady" },
	{ SLUICE_HTTP_GET, "/metrics", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_metrics,
	  "getMetrics" },
	{ 0 },
};
