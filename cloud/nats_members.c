// SPDX-License-Identifier: MIT
/*
 * nats_members.c - which processes take chunks: each says so to the others on worker.ID, once a
 * second and at least four times in the life of a lease, and says when it goes.
 *
 * Who has a partition is decided by the leases alone (nats_lease.c); this is only for how many each
 * should want. So it needs no storage at the broker: one that has died (nats_gone.c), or is not
 * heard of for five eighths of a lease's life, does not count any more, so that the others want its
 * partitions when they come free, and not later; a process that hears nobody wants all, and does
 * not get what others hold.
 */
#include <stdio.h>
#include <string.h>

#include "cloud/nats_state.h"

#define SUBJECT "worker."
#define GONE	"gone"
#define HERE	"here"
#define ASK	"ask" /* here, and it can be asked whether it lives */

unsigned int sluice_nats_pace_ms = 1000;

static bool says(natsMsg *msg, const char *what)
{
	return natsMsg_GetDataLength(msg) == (int)strlen(what) &&
	       !memcmp(natsMsg_GetData(msg), what, strlen(what));
}

/* Its place, or one that is free or has not been heard of for longest. The lock is held. */
static struct nats_member *find_member(struct bus_nats *n, const char *id)
{
	struct nats_member *oldest = &n->member[0];

	for (int i = 0; i < NATS_MEMBERS; i++) {
		if (!strcmp(n->member[i].id, id))
			return &n->member[i];
		if (n->member[i].seen_ms < oldest->seen_ms)
			oldest = &n->member[i];
	}
	return oldest;
}

/* In a thread of the library. */
static void on_greeting(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct bus_nats *n = arg;
	const char *id = natsMsg_GetSubject(msg) + strlen(SUBJECT);
	bool gone = says(msg, GONE);
	struct nats_member *m;

	(void)nc;
	(void)sub;
	pthread_mutex_lock(&n->lock);
	if (strlen(id) < sizeof(m->id) && strcmp(id, nats_id(n)) != 0) {
		m = find_member(n, id);
		if (strcmp(m->id, id) != 0 && !gone)
			n->greet_ms = 0; /* so that it hears of us soon */
		memset(m, 0, sizeof(*m));
		if (!gone) {
			memcpy(m->id, id, strlen(id));
			m->seen_ms = nats_now_ms();
			m->askable = says(msg, ASK);
		}
	}
	pthread_mutex_unlock(&n->lock);
	natsMsg_Destroy(msg);
}

static void greet(struct bus_nats *n, const char *what)
{
	char subject[40];

	snprintf(subject, sizeof(subject), SUBJECT "%s", nats_id(n));
	natsConnection_PublishString(n->nc, subject, what); /* else with the next one */
}

void nats_members_greet(struct bus_nats *n)
{
	if (!n->greetings || nats_now_ms() < n->greet_ms)
		return;
	n->greet_ms = nats_now_ms() + nats_pace(n);
	pthread_mutex_unlock(&n->lock);
	greet(n, n->askable ? ASK : HERE);
	pthread_mutex_lock(&n->lock);
}

unsigned int nats_members(struct sluice_bus *b)
{
	struct bus_nats *n = nats_of(b);
	uint64_t now = nats_now_ms();
	unsigned int count = 1;

	pthread_mutex_lock(&n->lock);
	for (int i = 0; i < NATS_MEMBERS; i++)
		count += n->member[i].id[0] && !n->member[i].gone &&
			 now < n->member[i].seen_ms + n->ttl_ms * 5 / 8;
	pthread_mutex_unlock(&n->lock);
	return count;
}

natsStatus nats_members_open(struct bus_nats *n)
{
	return natsConnection_Subscribe(&n->greetings, n->nc, SUBJECT "*", on_greeting, n);
}

void nats_members_close(struct bus_nats *n)
{
	if (!n->greetings)
		return;
	nats_unsubscribe(&n->greetings);
	greet(n, GONE);
	natsConnection_FlushTimeout(n->nc, 500);
}
