// SPDX-License-Identifier: MIT
/*
 * nats_provision.c - what the bus needs at the broker, made once: never on the way of a frame, for
 * making replicated consumers while a leader is being elected is slow and may fail.
 *
 * Each object is asked for, made if it is not there, and changed to the plan if it is another. The
 * number of partitions of a stream that is there cannot be changed: a camera's order would go.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/nats_state.h"

#define TIMES	    5
#define MESSAGE_MAX (8 << 20)

struct job {
	natsConnection *nc;
	jsCtx *js;
	const struct sluice_nats_plan *plan;
	void (*fn)(void *ctx, const char *object, const char *done);
	void *ctx;
};

static natsStatus make_stream(struct job *j, jsStreamConfig *cfg)
{
	jsStreamInfo *si = NULL;
	jsErrCode code = 0;
	natsStatus s = js_GetStreamInfo(&si, j->js, cfg->Name, NULL, &code);
	const char *done = "is there";

	if (s == NATS_OK) {
		if (si->Config->MaxBytes != cfg->MaxBytes || si->Config->MaxAge != cfg->MaxAge ||
		    si->Config->Replicas != cfg->Replicas ||
		    si->Config->MaxMsgSize != cfg->MaxMsgSize) {
			s = js_UpdateStream(NULL, j->js, cfg, NULL, &code);
			done = "changed";
		}
	} else {
		s = js_AddStream(NULL, j->js, cfg, NULL, &code);
		done = "made";
	}
	jsStreamInfo_Destroy(si);
	if (s == NATS_OK)
		j->fn(j->ctx, cfg->Name, done);
	return s;
}

static natsStatus make_streams(struct job *j, unsigned int unused)
{
	const char *frames[] = { "f.*.*.*" }, *aside[] = { "aside.*" };
	jsStreamConfig cfg;
	natsStatus s;

	jsStreamConfig_Init(&cfg);
	cfg.Name = "FRAMES";
	cfg.Subjects = frames;
	cfg.SubjectsLen = 1;
	cfg.Retention = js_WorkQueuePolicy;
	cfg.Discard = js_DiscardNew;
	cfg.Storage = js_FileStorage;
	cfg.MaxBytes = (int64_t)j->plan->max_bytes;
	cfg.MaxAge = (int64_t)j->plan->max_age_s * 1000000000;
	cfg.MaxMsgSize = MESSAGE_MAX;
	cfg.Replicas = j->plan->replicas;
	cfg.Duplicates = 120ll * 1000000000;
	s = make_stream(j, &cfg);
	if (s != NATS_OK)
		return s;
	jsStreamConfig_Init(&cfg);
	cfg.Name = "ASIDE";
	cfg.Subjects = aside;
	cfg.SubjectsLen = 1;
	cfg.Storage = js_FileStorage;
	cfg.MaxBytes = (int64_t)j->plan->max_bytes / 16;
	cfg.MaxMsgSize = MESSAGE_MAX;
	cfg.Replicas = j->plan->replicas;
	cfg.Duplicates = 120ll * 1000000000;
	return make_stream(j, &cfg);
}

static natsStatus make_consumer(struct job *j, unsigned int partition)
{
	jsConsumerInfo *ci = NULL;
	jsConsumerConfig cfg;
	jsErrCode code = 0;
	char name[16], filter[32];
	natsStatus s;

	snprintf(name, sizeof(name), "p%02u", partition);
	snprintf(filter, sizeof(filter), "f.%u.*.*", partition);
	s = js_GetConsumerInfo(&ci, j->js, "FRAMES", name, NULL, &code);
	jsConsumerInfo_Destroy(ci);
	if (s == NATS_OK) {
		j->fn(j->ctx, name, "is there");
		return s;
	}
	jsConsumerConfig_Init(&cfg);
	cfg.Durable = name;
	cfg.FilterSubject = filter;
	cfg.AckPolicy = js_AckExplicit;
	cfg.AckWait = (int64_t)j->plan->ack_wait_ms * 1000000;
	cfg.MaxAckPending = 1;
	cfg.DeliverPolicy = js_DeliverAll;
	s = js_AddConsumer(NULL, j->js, "FRAMES", &cfg, NULL, &code);
	if (s == NATS_OK)
		j->fn(j->ctx, name, "made");
	return s;
}

/* A bucket that is there gets the plan's TTL; *done says so. */
static natsStatus renew_bucket(struct job *j, const char **done)
{
	const int64_t age = (int64_t)j->plan->ttl_ms * 1000000;
	jsStreamInfo *si = NULL;
	jsErrCode code = 0;
	natsStatus s = js_GetStreamInfo(&si, j->js, "KV_LEASE", NULL, &code);

	if (s == NATS_OK && si->Config->MaxAge != age) {
		si->Config->MaxAge = age;
		if (si->Config->Duplicates > age) /* the broker refuses a window that is longer */
			si->Config->Duplicates = age;
		s = js_UpdateStream(NULL, j->js, si->Config, NULL, &code);
		*done = "changed";
	}
	jsStreamInfo_Destroy(si);
	return s;
}

static natsStatus make_bucket(struct job *j, unsigned int unused)
{
	kvStore *kv = NULL;
	natsStatus s = js_KeyValue(&kv, j->js, "LEASE");
	const char *done = "is there";
	kvConfig cfg;

	if (s != NATS_OK) {
		kvConfig_Init(&cfg);
		cfg.Bucket = "LEASE";
		cfg.History = 1;
		cfg.TTL = (int64_t)j->plan->ttl_ms * 1000000;
		cfg.StorageType = js_FileStorage;
		cfg.Replicas = (int)j->plan->replicas;
		s = js_CreateKeyValue(&kv, j->js, &cfg);
		done = "made";
	} else {
		s = renew_bucket(j, &done);
	}
	kvStore_Destroy(kv);
	if (s == NATS_OK)
		j->fn(j->ctx, "LEASE", done);
	return s;
}

/* An object may have been made though the answer was lost: asked for again it is there. A right
 * that is missing shows only as an error of the connection, and an answer that does not come. */
static natsStatus make_one(struct job *j, natsStatus (*make)(struct job *j, unsigned int p),
			   unsigned int p)
{
	natsStatus s = NATS_TIMEOUT;
	const char *text;

	for (int i = 0; i < TIMES && s != NATS_OK; i++) {
		s = make(j, p);
		if (s != NATS_OK && natsConnection_GetLastError(j->nc, &text) == NATS_NOT_PERMITTED)
			return NATS_NOT_PERMITTED;
	}
	return s;
}

static natsStatus make_all(struct job *j)
{
	natsStatus s = make_one(j, make_streams, 0);

	for (unsigned int p = 0; p < 2 * j->plan->partitions && s == NATS_OK; p++)
		s = make_one(j, make_consumer, p);
	return s == NATS_OK ? make_one(j, make_bucket, 0) : s;
}

int sluice_bus_nats_provision(const struct sluice_nats_config *c,
			      const struct sluice_nats_plan *plan,
			      void (*fn)(void *ctx, const char *object, const char *done),
			      void *ctx, char *why, size_t size)
{
	struct job j = { .plan = plan, .fn = fn, .ctx = ctx };
	natsOptions *o = NULL;
	jsOptions jo;
	natsStatus s;
	int err;

	if (!plan->partitions || plan->partitions > SLUICE_NATS_PARTITIONS_MAX ||
	    plan->replicas < 1 || plan->replicas > 5 || !plan->max_bytes) {
		snprintf(why, size, "partitions are 1 to %d, replicas 1 to 5",
			 SLUICE_NATS_PARTITIONS_MAX);
		return -EINVAL;
	}
	s = nats_options(c, &o);
	if (s == NATS_OK)
		s = natsConnection_Connect(&j.nc, o);
	natsOptions_Destroy(o);
	jsOptions_Init(&jo);
	if (s == NATS_OK)
		s = natsConnection_JetStream(&j.js, j.nc, &jo);
	err = nats_say(s, c->urls, why, size);
	if (!err)
		err = nats_say(make_all(&j), "cannot provision the broker", why, size);
	jsCtx_Destroy(j.js);
	natsConnection_Destroy(j.nc);
	return err;
}
