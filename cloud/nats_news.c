// SPDX-License-Identifier: MIT
/*
 * nats_news.c - what workers tell everybody: ev.TENANT.CAMERA, a JSON object each, not stored at
 * the broker. Whoever is not connected just then does not hear it; the index has it (bus.h).
 *
 * What comes is checked as anything from outside: a camera's names must be names, and what is not
 * understood is dropped, and the log says so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cloud/nats_state.h"

static const char *const kinds[SLUICE_NEWS_KINDS] = { "event", "summary", "done", "job" };

static void put_u64(json_t *o, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	json_object_set_new(o, key, json_string(text));
}

static char *encode(const struct sluice_news *news)
{
	const struct sluice_camera *c = news->camera;
	json_t *o =
		json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", kinds[news->kind], "tenant", c->tenant,
			  "device", c->device, "camera", c->name, "text", news->text);
	char *text;

	if (news->kind == SLUICE_NEWS_DONE) {
		put_u64(o, "epoch", news->epoch);
		put_u64(o, "lane", news->lane);
		put_u64(o, "first", news->range_first);
		put_u64(o, "last", news->range_last);
	}
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

int nats_say_news(struct sluice_bus *b, const struct sluice_news *news)
{
	struct bus_nats *n = nats_of(b);
	char tenant[SLUICE_NAME_MAX], subject[160], *text;
	natsStatus s;

	if (strlen(news->text) > SLUICE_NEWS_MAX)
		return -EMSGSIZE;
	text = encode(news);
	if (!text)
		return -ENOMEM;
	nats_word(tenant, news->camera->tenant);
	snprintf(subject, sizeof(subject), "ev.%s.%s", tenant, news->camera->hex);
	s = natsConnection_PublishString(n->nc, subject, text);
	free(text);
	if (s != NATS_OK)
		nats_complain(n, "cannot tell the other nodes", natsStatus_GetText(s));
	return s == NATS_OK ? 0 : -EIO;
}

static int get_u64(const json_t *o, const char *key, uint64_t *n)
{
	const char *text = json_string_value(json_object_get(o, key));
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -EBADMSG;
	errno = 0;
	*n = strtoull(text, &end, 10);
	return errno || *end ? -EBADMSG : 0;
}

/* Texts are o's. */
static int decode(struct bus_nats *n, const json_t *o, struct sluice_news *news)
{
	const char *tenant = json_string_value(json_object_get(o, "tenant"));
	const char *device = json_string_value(json_object_get(o, "device"));
	const char *camera = json_string_value(json_object_get(o, "camera"));
	const char *kind = json_string_value(json_object_get(o, "kind"));
	uint64_t lane = 0;
	unsigned int k = 0;
	int err;

	news->text = json_string_value(json_object_get(o, "text"));
	while (k < SLUICE_NEWS_KINDS && (!kind || strcmp(kind, kinds[k]) != 0))
		k++;
	if (k == SLUICE_NEWS_KINDS || !tenant || !device || !camera || !news->text)
		return -EBADMSG;
	news->kind = (enum sluice_news_kind)k;
	if (news->kind == SLUICE_NEWS_SUMMARY && strlen(news->text) != 32)
		return -EBADMSG;
	if (news->kind == SLUICE_NEWS_DONE &&
	    (get_u64(o, "epoch", &news->epoch) || get_u64(o, "lane", &lane) || lane > 1 ||
	     get_u64(o, "first", &news->range_first) || get_u64(o, "last", &news->range_last)))
		return -EBADMSG;
	news->lane = (uint32_t)lane;
	err = sluice_cameras_get(n->cameras, tenant, device, camera, &news->camera);
	return err == -ENOMEM ? err : err ? -EBADMSG : 0;
}

/* In a thread of the library, one message after the other. */
static void on_news(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct bus_nats *n = arg;
	json_t *o = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg), 0, NULL);
	struct sluice_news news = { .kind = SLUICE_NEWS_EVENT };
	int err = decode(n, o, &news);

	(void)nc;
	(void)sub;
	if (err)
		nats_complain(n, "what another node tells is not understood", strerror(-err));
	else
		n->hear(n->hear_ctx, &news);
	json_decref(o);
	natsMsg_Destroy(msg);
}

int nats_listen(struct sluice_bus *b, sluice_news_fn fn, void *ctx)
{
	struct bus_nats *n = nats_of(b);
	natsStatus s;

	n->hear = fn;
	n->hear_ctx = ctx;
	s = natsConnection_Subscribe(&n->news, n->nc, "ev.*.*", on_news, n);
	if (s == NATS_OK)
		s = natsConnection_FlushTimeout(n->nc, 5000); /* it is there, or refused */
	if (s != NATS_OK)
		nats_complain(n, "cannot hear the other nodes", natsStatus_GetText(s));
	return s == NATS_OK ? 0 : -EIO;
}

void nats_news_close(struct bus_nats *n)
{
	nats_unsubscribe(&n->news);
}
