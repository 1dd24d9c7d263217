// SPDX-License-Identifier: MIT
/*
 * api_health.c - is the node alive, may it get more devices, and what has it counted? The first two
 * say nothing that a stranger must not know; the counters are for viewers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "cloud/api_call.h"
#include "cloud/detector.h"
#include "cloud/media_s3.h"
#include "cloud/parked.h"
#include "cloud/session.h"
#include "cloud/vision_note.h"

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
	struct sluice_stream_counters streams;
	unsigned int elsewhere, nodes = sluice_nodes_count(s->nodes, &elsewhere);
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
	sluice_gauge_print(out, "nodes", "Other processes that take devices, as far as heard of.",
			   "", nodes);
	sluice_gauge_print(out, "devices_elsewhere",
			   "Devices that are connected to them; of an api process.", "", elsewhere);
	sluice_gauge_print(out, "queue_bytes", "Bytes that wait, by where they do.",
			   "{queue=\"writer\"}", (double)sluice_ingest_fill(s->ingest));
	sluice_gauge_print(out, "queue_bytes", NULL, "{queue=\"bus\"}",
			   (double)s->bus->ops->fill(s->bus));
	sluice_gauge_print(out, "bus_partitions_held",
			   "Partitions that this process analyses, of both kinds.", "",
			   sluice_crew_held(s->crew));
	sluice_gauge_print(out, "bus_members", "Processes that analyse, as far as this one hears.",
			   "", s->bus->ops->members(s->bus));
	sluice_counter_print(out, "bus_leases_lost_total",
			     "Leases that ran out before they were given up.", "", s->bus->lost);
	sluice_counter_print(
		out, "bus_leases_taken_total",
		"Leases that were had from a process that had died, before they ran out.", "",
		s->bus->taken);
	sluice_counter_print(out, "bus_chunks_aside_total",
			     "Chunks that were given out too often and set aside.", "",
			     s->bus->aside);
	sluice_gauge_print(out, "credit_window_bytes",
			   "Bytes that a device may have under way now.", "",
			   sluice_session_window(s));
	sluice_stream_count(s->api->stream, &streams);
	sluice_gauge_print(out, "streams", "Streams of events that people have open.", "",
			   streams.readers);
	sluice_counter_print(out, "streams_let_go_total",
			     "Streams that were ended since they did not keep up.", "",
			     streams.slow);
	sluice_gauge_print(out, "ready", "1: the node may get more devices.", "", !why);
	sluice_gauge_print(out, "store_writable", "0: nothing can be stored.", "",
			   !(why & SLUICE_NOT_STORING));
}

static void print_workers(const struct sluice_server *s, FILE *out)
{
	struct sluice_sandbox_counts *c = &sluice_sandbox_counts;
	uint64_t died = c->died, hung = c->hung, refused = c->refused, started = c->started;

	sluice_gauge_print(out, "workers_catching_up",
			   "Workers that still analyse what was stored before the start.", "",
			   sluice_workers_behind);
	sluice_gauge_print(out, "sandbox_enabled", "1: frames are decoded in children.", "",
			   s->sandbox.memory != 0);
	sluice_gauge_print(out, "sandbox_children", "Children that live.", "",
			   started > died ? (double)(started - died) : 0);
	sluice_counter_print(out, "sandbox_started_total", "Children started.", "", started);
	sluice_counter_print(out, "sandbox_ended_total", "Children ended, by why.",
			     "{reason=\"died\"}",
			     died > hung + refused ? died - hung - refused : 0);
	sluice_counter_print(out, "sandbox_ended_total", NULL, "{reason=\"hung\"}", hung);
	sluice_counter_print(out, "sandbox_ended_total", NULL, "{reason=\"refused\"}", refused);
	sluice_gauge_print(out, "cameras_not_analysed",
			   "Cameras for whose analysis the children have no room.", "",
			   sluice_parked_count());
	sluice_counter_print(out, "frames_left_for_later_total",
			     "Frames of such cameras, stored and not analysed when they came.", "",
			     atomic_load(&sluice_parked_frames));
	sluice_gauge_print(out, "quarantined_frames", "Frames that ended two children.", "",
			   (double)sluice_quarantine_count(s->quarantine));
}

static void print_detector(FILE *out)
{
	const struct sluice_detector_counts *c = &sluice_detector_counts;
	uint64_t died = c->died, hung = c->hung, refused = c->refused;

	sluice_gauge_print(out, "detector_state",
			   "0 none, 1 loading, 2 ready, 3 resting after a failure, 4 switched off.",
			   "", c->state);
	sluice_counter_print(out, "detector_started_total", "Processes of the detector started.",
			     "", c->started);
	sluice_counter_print(out, "detector_ended_total",
			     "Processes of the detector ended, by why.", "{reason=\"died\"}",
			     died > hung + refused ? died - hung - refused : 0);
	sluice_counter_print(out, "detector_ended_total", NULL, "{reason=\"hung\"}", hung);
	sluice_counter_print(out, "detector_ended_total", NULL, "{reason=\"refused\"}", refused);
	sluice_counter_print(out, "detector_questions_total",
			     "Events that the detector was asked about, by what came of it.",
			     "{result=\"answered\"}", c->answered);
	sluice_counter_print(out, "detector_questions_total", NULL, "{result=\"late\"}", c->late);
	sluice_counter_print(out, "detector_questions_total", NULL, "{result=\"failed\"}",
			     c->failed);
	sluice_counter_print(out, "detector_questions_total", NULL, "{result=\"away\"}", c->away);
	sluice_counter_print(out, "detector_pictures_total", "Pictures that it has looked at.", "",
			     c->pictures);
	sluice_counter_print(out, "detector_busy_milliseconds_total", "Time that it was at work.",
			     "", c->busy_us / 1000);
}

static void print_jobs(FILE *out)
{
	const struct sluice_jobs_counts *c = &sluice_jobs_counts;

	sluice_gauge_print(out, "jobs_running", "Jobs at work.", "", c->running);
	sluice_counter_print(out, "jobs_ended_total", "Jobs that ended, by how.",
			     "{state=\"done\"}", c->done);
	sluice_counter_print(out, "jobs_ended_total", NULL, "{state=\"failed\"}", c->failed);
	sluice_counter_print(out, "jobs_ended_total", NULL, "{state=\"cancelled\"}", c->cancelled);
}

static void print_keeping(const struct sluice_server *s, FILE *out)
{
	struct sluice_retained r;
	struct statvfs v;

	sluice_retain_stats(s->retain, &r);
	sluice_counter_print(out, "retention_segments_total", "Segments removed, by why.",
			     "{reason=\"age\"}", r.for_age);
	sluice_counter_print(out, "retention_segments_total", NULL, "{reason=\"size\"}",
			     r.for_size);
	sluice_counter_print(out, "retention_bytes_total", "Bytes of them.", "", r.segment_bytes);
	sluice_counter_print(out, "retention_summaries_total", "Summaries removed.", "",
			     r.summaries);
	sluice_counter_print(out, "retention_failures_total",
			     "Steps of the retention that failed and are tried again.", "",
			     r.failed);
	if (!statvfs(s->c.data, &v))
		sluice_gauge_print(out, "store_free_bytes",
				   "Free space on the disk of the data directory.", "",
				   (double)v.f_bavail * (double)v.f_frsize);
	sluice_gauge_print(out, "certificate_expires_seconds",
			   "UTC seconds at which the server's certificate ends.", "",
			   (double)sluice_tls_ctx_expiry(s->tls));
}

/* Requests are what a store asks money for. */
static void print_bucket(struct sluice_media *m, FILE *out)
{
	static const struct sluice_s3_stats none;
	struct sluice_s3 *s3 = sluice_media_s3_client(m);
	const struct sluice_s3_stats *b = s3 ? sluice_s3_stats(s3) : &none;

	sluice_counter_print(out, "bucket_requests_total", "Requests to the bucket, by kind.",
			     "{kind=\"put\"}", b->puts);
	sluice_counter_print(out, "bucket_requests_total", NULL, "{kind=\"get\"}", b->gets);
	sluice_counter_print(out, "bucket_requests_total", NULL, "{kind=\"list\"}", b->lists);
	sluice_counter_print(out, "bucket_requests_total", NULL, "{kind=\"delete\"}", b->deletes);
	sluice_counter_print(out, "bucket_repeated_total", "Requests that were not the first try.",
			     "", b->again);
	sluice_counter_print(out, "bucket_failures_total",
			     "Calls on the bucket that were given up.", "", b->failed);
	sluice_counter_print(out, "bucket_bytes_total", "Bytes of objects to and from the bucket.",
			     "{way=\"sent\"}", b->sent);
	sluice_counter_print(out, "bucket_bytes_total", NULL, "{way=\"received\"}", b->received);
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
		print_workers(c->server, out);
		print_detector(out);
		print_jobs(out);
		sluice_vision_print(out);
		print_keeping(c->server, out);
		print_bucket(c->server->media, out);
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
	{ SLUICE_HTTP_GET, "/healthz", SLUICE_ANYBODY, SLUICE_AT_LOOP, get_health, "getHealth" },
	{ SLUICE_HTTP_GET, "/readyz", SLUICE_ANYBODY, SLUICE_AT_LOOP, get_ready, "getReady" },
	{ SLUICE_HTTP_GET, "/metrics", SLUICE_VIEWER, SLUICE_SCOPE_READ | SLUICE_AT_LOOP,
	  get_metrics, "getMetrics" },
	{ 0 },
};
