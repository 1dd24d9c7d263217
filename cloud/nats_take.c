// SPDX-License-Identifier: MIT
/*
 * nats_take.c - chunks from the stream, one of a partition at a time.
 *
 * The consumer lets one message be out and not acked, so the broker keeps the order whoever the
 * worker is. A worker does what it does under its lease and acks afterwards; an ack is asked for an
 * answer, because one that is lost brings the chunk again. What was given out
 * SLUICE_DELIVERIES_MAX times, or is no chunk, goes to the stream ASIDE with its bytes, and only
 * when it is there does it leave FRAMES.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/chunk.h"
#include "cloud/nats_state.h"

#define ASK_MS	  2000
#define ASK_TIMES 3

/* "+ACK" with an answer. */
static int ask(struct bus_nats *n, const char *reply, const char *what)
{
	natsStatus s = NATS_TIMEOUT;

	for (int i = 0; i < ASK_TIMES && s != NATS_OK; i++) {
		natsMsg *answer = NULL;

		s = natsConnection_RequestString(&answer, n->nc, reply, what, ASK_MS);
		natsMsg_Destroy(answer);
	}
	return s == NATS_OK ? 0 : -EAGAIN;
}

/* The message leaves the partition's queue, but not its bytes. */
static int set_aside(struct bus_nats *n, unsigned int partition, natsMsg *msg)
{
	const char *reply = natsMsg_GetReply(msg);
	jsErrCode code = 0;
	jsPubAck *ack = NULL;
	jsPubOptions o;
	char subject[32];
	natsStatus s;
	int err;

	snprintf(subject, sizeof(subject), "aside.%u", partition);
	jsPubOptions_Init(&o);
	o.MsgId = reply; /* of this message, so that twice is once */
	s = js_Publish(&ack, n->js, subject, natsMsg_GetData(msg), natsMsg_GetDataLength(msg), &o,
		       &code);
	jsPubAck_Destroy(ack);
	if (s != NATS_OK) {
		nats_complain(n, "cannot set a chunk aside", natsStatus_GetText(s));
		return -EAGAIN;
	}
	err = ask(n, reply, "+TERM");
	if (!err) {
		n->base.aside++;
		nats_complain(n, "a chunk was set aside", subject);
	}
	return err;
}

static unsigned int count_deliveries(natsMsg *msg)
{
	jsMsgMetaData *meta = NULL;
	unsigned int count = 1;

	if (natsMsg_GetMetaData(&meta, msg) == NATS_OK)
		count = meta->NumDelivered < UINT32_MAX ? (unsigned int)meta->NumDelivered
							: UINT32_MAX;
	jsMsgMetaData_Destroy(meta);
	return count;
}

/* The message as a chunk that is out; NULL: it was set aside, or goes back. Takes it. */
static struct sluice_chunk *give_out(struct bus_nats *n, const struct sluice_lease *l, natsMsg *msg)
{
	struct sluice_chunk *c = NULL;
	struct nats_hold *h;
	unsigned int deliveries = count_deliveries(msg);
	int err = deliveries > SLUICE_DELIVERIES_MAX
			  ? -EBADMSG
			  : sluice_chunk_decode((const uint8_t *)natsMsg_GetData(msg),
						(size_t)natsMsg_GetDataLength(msg), n->cameras, &c);

	if (err == -ENOMEM) {
		natsConnection_PublishString(n->nc, natsMsg_GetReply(msg), "-NAK");
	} else if (err) {
		if (set_aside(n, l->partition, msg))
			natsConnection_PublishString(n->nc, natsMsg_GetReply(msg), "-NAK");
	}
	if (err) {
		natsMsg_Destroy(msg);
		return NULL;
	}
	c->deliveries = deliveries;
	pthread_mutex_lock(&n->lock);
	h = nats_hold_of(n, l);
	if (h) {
		h->out = msg;
		snprintf(h->reply, sizeof(h->reply), "%s", natsMsg_GetReply(msg));
		h->progress_ms = nats_now_ms() + 1000;
	}
	pthread_mutex_unlock(&n->lock);
	if (!h) { /* the next holder gets it */
		natsMsg_Destroy(msg);
		sluice_chunk_free(c);
		return NULL;
	}
	return c;
}

/* One pull. The subscription stays: only whoever has the lease gives it up, and that is us. */
static natsMsg *pull(struct bus_nats *n, natsSubscription *sub, int64_t ms)
{
	natsMsgList list = { 0 };
	jsErrCode code = 0;
	natsMsg *msg = NULL;
	natsStatus s = natsSubscription_Fetch(&list, sub, 1, ms, &code);

	if (s == NATS_OK && list.Count > 0) {
		msg = list.Msgs[0];
		list.Msgs[0] = NULL;
	} else if (s != NATS_TIMEOUT) { /* no leader at present: the next pull may find one */
		pthread_mutex_lock(&n->lock);
		nats_wait(n, 100);
		pthread_mutex_unlock(&n->lock);
	}
	natsMsgList_Destroy(&list);
	return msg;
}

struct sluice_chunk *nats_next(struct sluice_bus *b, const struct sluice_lease *l, int timeout_ms)
{
	struct bus_nats *n = nats_of(b);
	uint64_t end = nats_now_ms() + (uint64_t)timeout_ms, now;
	struct sluice_chunk *c = NULL;

	while (!c && (now = nats_now_ms()) < end) {
		natsSubscription *sub = NULL;
		struct nats_hold *h;
		natsMsg *msg;

		pthread_mutex_lock(&n->lock);
		h = n->stopped ? NULL : nats_hold_of(n, l);
		if (h && h->out)
			nats_wait(n, end - now < NATS_FETCH_MS ? (unsigned int)(end - now)
							       : NATS_FETCH_MS);
		else if (h)
			sub = h->sub;
		pthread_mutex_unlock(&n->lock);
		if (!h)
			return NULL;
		if (!sub)
			continue;
		msg = pull(n, sub,
			   end - now < NATS_FETCH_MS ? (int64_t)(end - now) : NATS_FETCH_MS);
		if (msg)
			c = give_out(n, l, msg);
	}
	return c;
}

/* The message that is out, if the lease is ours still; it is out no more. */
static natsMsg *take_out(struct bus_nats *n, const struct sluice_lease *l)
{
	struct nats_hold *h;
	natsMsg *msg = NULL;

	pthread_mutex_lock(&n->lock);
	h = nats_hold_of(n, l);
	if (h) {
		msg = h->out;
		h->out = NULL;
		h->reply[0] = 0;
	}
	pthread_mutex_unlock(&n->lock);
	return msg;
}

int nats_ack(struct sluice_bus *b, const struct sluice_lease *l, struct sluice_chunk *c)
{
	struct bus_nats *n = nats_of(b);
	natsMsg *msg = take_out(n, l);
	int err = msg ? ask(n, natsMsg_GetReply(msg), "+ACK") : -ESTALE;

	natsMsg_Destroy(msg);
	sluice_chunk_free(c);
	if (!err)
		b->acked++;
	return err;
}

void nats_back(struct sluice_bus *b, const struct sluice_lease *l, struct sluice_chunk *c)
{
	struct bus_nats *n = nats_of(b);
	natsMsg *msg = take_out(n, l);

	if (msg && (c->deliveries < SLUICE_DELIVERIES_MAX || set_aside(n, l->partition, msg)))
		natsConnection_PublishString(n->nc, natsMsg_GetReply(msg), "-NAK");
	natsMsg_Destroy(msg);
	sluice_chunk_free(c);
}
