// SPDX-License-Identifier: MIT
/*
 * nats_send.c - chunks to the stream, each exactly once and in order.
 *
 * Of a partition one chunk is under way at a time; the next is sent when the broker says that it
 * has the first. Whatever goes wrong - no answer, no leader, the stream is full - the same one is
 * sent again under the same id, which the broker knows for two minutes. With several under way one
 * could be refused (full) and the next one taken, and the order of a camera were gone; so a window
 * is only had across partitions, and a chunk is large enough that it costs nothing.
 *
 * An id is the node's, its start's and a number, and says nothing of the contents: after a break a
 * device sends again what was not STORED, cut into other chunks, and one that begins with the same
 * frame may go further.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cloud/chunk.h"
#include "cloud/nats_state.h"

static void free_parcel(struct nats_parcel *p)
{
	free(p->data);
	free(p);
}

/* The dot has a meaning in a subject, and = is in no name. */
void nats_word(char out[SLUICE_NAME_MAX], const char *name)
{
	snprintf(out, SLUICE_NAME_MAX, "%s", name);
	for (; (out = strchr(out, '.')); out++)
		*out = '=';
}

static void write_subject(char *out, size_t size, unsigned int partition,
			  const struct sluice_camera *c)
{
	char tenant[SLUICE_NAME_MAX];

	nats_word(tenant, c->tenant);
	snprintf(out, size, "f.%u.%s.%s", partition, tenant, c->hex);
}

int nats_publish(struct sluice_bus *b, struct sluice_chunk *c)
{
	unsigned int partition = sluice_bus_partition(b, c->camera, c->lane);
	struct bus_nats *n = nats_of(b);
	struct nats_queue *q = &n->queue[partition];
	struct nats_parcel *p = calloc(1, sizeof(*p));
	int64_t max = natsConnection_GetMaxPayload(n->nc) - 512; /* headers count too */
	int err =
		p ? sluice_chunk_encode(c, max > 0 ? (size_t)max : 0, &p->data, &p->size) : -ENOMEM;

	if (err) {
		free(p);
		return err == -ENOMEM ? -EAGAIN : err;
	}
	p->bytes = c->bytes;
	write_subject(p->subject, sizeof(p->subject), partition, c->camera);
	pthread_mutex_lock(&n->lock);
	if (q->fill && q->fill + p->bytes > n->max) {
		err = -EAGAIN;
	} else {
		p->number = ++n->number;
		if (q->first)
			q->last->next = p;
		else
			q->first = p;
		q->last = p;
		q->fill += p->bytes;
		n->fill += p->bytes;
		n->changes++;
		pthread_cond_broadcast(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
	if (err)
		free_parcel(p);
	else
		sluice_chunk_free(c);
	return err;
}

/* The head of the queue is in the stream; the lock is held. */
static void take_head(struct bus_nats *n, struct nats_queue *q)
{
	struct nats_parcel *p = q->first;

	q->first = p->next;
	q->fill -= p->bytes;
	n->fill -= p->bytes;
	n->base.acked++;
	if (p->sending)
		p->taken = true; /* the sender frees it */
	else
		free_parcel(p);
}

/* NULL: the stream has it. */
static const char *refusal(natsMsg *msg, char text[160])
{
	json_t *answer, *error;

	if (natsMsg_IsNoResponders(msg))
		return "no stream takes it (not provisioned, or without a leader)";
	answer = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg), 0, NULL);
	error = json_object_get(answer, "error");
	if (!error && json_is_integer(json_object_get(answer, "seq"))) {
		json_decref(answer);
		return NULL;
	}
	snprintf(text, 160, "%s",
		 error ? json_string_value(json_object_get(error, "description"))
				 ?: "refused without a reason"
		       : "an answer that is none");
	json_decref(answer);
	return text;
}

/* INBOX.PARTITION.NUMBER, INBOX.rPARTITION.TIME of a renewal, or INBOX.aMEMBER.TIME of a question
 * whether it lives; in a thread of the library. */
void nats_on_reply(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct bus_nats *n = arg;
	const char *tail = natsMsg_GetSubject(msg) + strlen(n->inbox);
	unsigned int partition;
	unsigned long long number;
	char text[160];
	const char *why;

	(void)nc;
	(void)sub;
	if (sscanf(tail, ".r%u.%llu", &partition, &number) == 2) {
		if (partition < 2 * n->base.partitions)
			nats_on_renewed(n, partition, number, msg);
		natsMsg_Destroy(msg);
		return;
	}
	if (sscanf(tail, ".a%u.%llu", &partition, &number) == 2) {
		if (partition < NATS_MEMBERS)
			nats_gone_on_reply(n, partition, number, msg);
		natsMsg_Destroy(msg);
		return;
	}
	why = refusal(msg, text);
	if (sscanf(tail, ".%u.%llu", &partition, &number) == 2 &&
	    partition < 2 * n->base.partitions) {
		struct nats_queue *q = &n->queue[partition];

		pthread_mutex_lock(&n->lock);
		if (q->first && q->first->number == number) { /* else: an answer that came late */
			if (why)
				q->first->due_ms = nats_now_ms() + NATS_PAUSE_MS;
			else
				take_head(n, q);
			n->changes++;
			pthread_cond_broadcast(&n->changed);
		}
		pthread_mutex_unlock(&n->lock);
		if (why)
			nats_complain(n, "the broker does not take a chunk", why);
	}
	natsMsg_Destroy(msg);
}

static natsStatus send_parcel(struct bus_nats *n, unsigned int partition,
			      const struct nats_parcel *p)
{
	char reply[128], id[96];
	natsMsg *msg = NULL;
	natsStatus s;

	snprintf(reply, sizeof(reply), "%s.%u.%llu", n->inbox, partition,
		 (unsigned long long)p->number);
	snprintf(id, sizeof(id), "%s-%llu", n->inbox + strlen(NATS_INBOX) + 1,
		 (unsigned long long)p->number);
	s = natsMsg_Create(&msg, p->subject, reply, (const char *)p->data, (int)p->size);
	if (s == NATS_OK)
		s = natsMsgHeader_Set(msg, "Nats-Msg-Id", id);
	if (s == NATS_OK)
		s = natsConnection_PublishMsg(n->nc, msg);
	natsMsg_Destroy(msg);
	return s;
}

/* Sends what is due; returns in how many milliseconds the next is. The lock is held, but not while
 * something is sent. */
static unsigned int send_due(struct bus_nats *n)
{
	uint64_t now = nats_now_ms(), next = now + NATS_ANSWER_MS;

	for (unsigned int i = 0; i < 2 * n->base.partitions; i++) {
		struct nats_parcel *p = n->queue[i].first;
		natsStatus s;

		if (!p)
			continue;
		if (p->due_ms <= now) {
			p->sending = true;
			p->due_ms = nats_now_ms() + NATS_ANSWER_MS;
			pthread_mutex_unlock(&n->lock);
			s = send_parcel(n, i, p);
			if (s != NATS_OK)
				nats_complain(n, "cannot send to the broker",
					      natsStatus_GetText(s));
			pthread_mutex_lock(&n->lock);
			p->sending = false;
			if (p->taken) {
				free_parcel(p);
				continue;
			}
			if (s != NATS_OK)
				p->due_ms = nats_now_ms() + NATS_PAUSE_MS;
		}
		if (p->due_ms < next)
			next = p->due_ms;
	}
	now = nats_now_ms();
	return next > now ? (unsigned int)(next - now) : 0;
}

/* What changes while something is sent is looked at before anybody waits. */
void *nats_sender_main(void *arg)
{
	struct bus_nats *n = arg;

	pthread_setname_np(pthread_self(), "bus-sender");
	pthread_mutex_lock(&n->lock);
	while (!n->closing) {
		uint64_t seen = n->changes;
		unsigned int ms = send_due(n);

		if (ms && !n->closing && seen == n->changes)
			nats_wait(n, ms);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

void nats_queues_free(struct bus_nats *n)
{
	for (unsigned int i = 0; i < 2 * n->base.partitions; i++) {
		while (n->queue[i].first) {
			struct nats_parcel *p = n->queue[i].first;

			n->queue[i].first = p->next;
			free_parcel(p);
		}
	}
}
