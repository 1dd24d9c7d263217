// SPDX-License-Identifier: MIT
/*
 * nats_gone.c - which of the processes that take chunks have died, known before their leases run
 * out: each listens to alive.ID, and whoever dies closes its connection, after which the broker
 * says at once that nobody listens there.
 *
 * Only one whose greeting is overdue is asked, so that nothing is asked where all are well. It is
 * gone when for a pace (nats_pace()) every question found no listener, while our own connection had
 * stood for JOIN_PACES: a broker that has just started, or that we have just come to, may not know
 * yet who is at the others. One that comes to another broker, because its own has died, is there
 * again before that. A process that is frozen keeps its connection, and its leases until they end.
 *
 * Nothing depends on it that this is true. A process that is cut off and lives may lose a lease by
 * it: that is taken by its revision, so one takes it, under a later token, and what the process
 * writes is refused. Chunks that it takes until it notices are read again (bus.h, doubt_ms).
 *
 * Whoever was not allowed to listen there, or is of a version that did not, greets otherwise and is
 * never asked.
 */
#include <stdio.h>
#include <string.h>

#include "cloud/nats_state.h"

#define SUBJECT	   "alive."
#define JOIN_PACES 5
#define SURE_MS	   500 /* for an answer to the last question */

static void write_subject(char subject[40], const char *id)
{
	snprintf(subject, 40, SUBJECT "%s", id);
}

/* In a thread of the library. The answer is a greeting: a worker may publish to nobody's inbox. */
static void on_asked(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct bus_nats *n = arg;

	(void)nc;
	(void)sub;
	pthread_mutex_lock(&n->lock);
	n->greet_ms = 0;
	pthread_mutex_unlock(&n->lock);
	natsMsg_Destroy(msg);
}

natsStatus nats_gone_open(struct bus_nats *n)
{
	char subject[40];
	const char *text = NULL;
	natsStatus s;

	write_subject(subject, nats_id(n));
	s = natsConnection_Subscribe(&n->asked, n->nc, subject, on_asked, n);
	if (s == NATS_OK)
		s = natsConnection_FlushTimeout(n->nc, 5000); /* it is there, or refused */
	if (s != NATS_OK)
		return s;
	n->askable = natsConnection_GetLastError(n->nc, &text) != NATS_NOT_PERMITTED;
	if (!n->askable)
		nats_complain(n,
			      "nobody can ask whether this process lives, so its partitions are "
			      "taken over only when their leases have run out",
			      "it may not subscribe to " SUBJECT "*");
	return NATS_OK;
}

/* The connection has broken, or is there again: what was asked over it says nothing. In a thread of
 * the library. */
void nats_gone_unsteady(natsConnection *nc, void *arg)
{
	struct bus_nats *n = arg;

	(void)nc;
	pthread_mutex_lock(&n->lock);
	n->steady_ms = nats_now_ms();
	for (int i = 0; i < NATS_MEMBERS; i++)
		n->member[i].absent_ms = 0;
	pthread_mutex_unlock(&n->lock);
}

static void ask(struct bus_nats *n, int member, const char *id, uint64_t now)
{
	char subject[40], reply[128];

	write_subject(subject, id);
	snprintf(reply, sizeof(reply), "%s.a%d.%llu", n->inbox, member, (unsigned long long)now);
	natsConnection_PublishRequestString(n->nc, subject, reply, ""); /* else: the next one */
}

static bool is_due(const struct bus_nats *n, const struct nats_member *m, uint64_t now)
{
	unsigned int pace = nats_pace(n);

	return m->askable && !m->gone && now >= m->seen_ms + pace * 5 / 4 &&
	       now < m->seen_ms + 2 * n->ttl_ms && now >= m->asked_ms + pace / 2;
}

void nats_gone_ask(struct bus_nats *n)
{
	uint64_t now = nats_now_ms();

	for (int i = 0; i < NATS_MEMBERS; i++) {
		struct nats_member *m = &n->member[i];
		char id[sizeof(m->id)];

		if (!m->id[0] || !is_due(n, m, now))
			continue;
		m->asked_ms = now;
		memcpy(id, m->id, sizeof(id));
		pthread_mutex_unlock(&n->lock);
		ask(n, i, id, now);
		pthread_mutex_lock(&n->lock);
	}
}

void nats_gone_on_reply(struct bus_nats *n, unsigned int member, uint64_t asked_ms, natsMsg *msg)
{
	struct nats_member *m = &n->member[member];
	unsigned int pace = nats_pace(n);

	if (!natsMsg_IsNoResponders(msg))
		return;
	pthread_mutex_lock(&n->lock);
	/* of whoever had the place before it is older than the first greeting of the present one */
	if (m->id[0] && !m->gone && asked_ms > m->seen_ms &&
	    asked_ms >= n->steady_ms + JOIN_PACES * pace) {
		if (!m->absent_ms)
			m->absent_ms = asked_ms;
		m->gone = asked_ms - m->absent_ms >= pace;
		if (m->gone)
			nats_complain(n, "a process that took chunks has died", m->id);
	}
	pthread_mutex_unlock(&n->lock);
}

/* The lock is held. NULL: nobody of that name. */
static struct nats_member *find(struct bus_nats *n, const char *id)
{
	for (int i = 0; i < NATS_MEMBERS; i++)
		if (id[0] && !strcmp(n->member[i].id, id))
			return &n->member[i];
	return NULL;
}

bool nats_is_gone(struct bus_nats *n, const char *id)
{
	struct nats_member *m;
	natsMsg *msg = NULL;
	char subject[40];
	bool gone;

	pthread_mutex_lock(&n->lock);
	m = find(n, id);
	gone = m && m->gone;
	pthread_mutex_unlock(&n->lock);
	if (!gone)
		return false;
	write_subject(subject, id);
	gone = natsConnection_RequestString(&msg, n->nc, subject, "", SURE_MS) ==
	       NATS_NO_RESPONDERS;
	natsMsg_Destroy(msg);
	pthread_mutex_lock(&n->lock);
	m = gone ? NULL : find(n, id);
	if (m) {
		m->gone = false;
		m->absent_ms = 0;
	}
	pthread_mutex_unlock(&n->lock);
	return gone;
}
