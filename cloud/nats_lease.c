// SPDX-License-Identifier: MIT
/*
 * nats_lease.c - who has a partition: keys of a bucket whose entries go by themselves.
 *
 * A claim creates the key, which fails while it is there, or writes over that of a process that has
 * died (nats_gone.c), if it is as it was; the revision it gets is the token, and grows for ever.
 * The keeper writes it again every quarter of its life, with the revision that it must still have.
 * A worker that could not write for that long no longer counts its lease as held, by its own clock
 * and without asking: whoever was frozen finds out before it does anything. A renewal without an
 * answer is no lost lease (the bucket may be electing a leader), and it may have been done: then
 * the next one is refused though the key is ours, which its value shows.
 *
 * A lease that is lost leaves its subscription and its message to release(), for the worker may be
 * using them; the broker gives the chunk to the next holder once its time for an ack is over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>

#include "cloud/nats_state.h"

#define KEEP_MS 50 /* how often the keeper looks what is due */

static void write_key(char key[16], unsigned int partition)
{
	snprintf(key, 16, "p%02u", partition);
}

struct nats_hold *nats_hold_of(struct bus_nats *n, const struct sluice_lease *l)
{
	struct nats_hold *h = &n->hold[l->partition];

	return h->held && h->token == l->token && nats_now_ms() < h->until_ms ? h : NULL;
}

int nats_held(struct sluice_bus *b, const struct sluice_lease *l)
{
	struct bus_nats *n = nats_of(b);
	int err;

	pthread_mutex_lock(&n->lock);
	err = nats_hold_of(n, l) ? 0 : -ESTALE;
	pthread_mutex_unlock(&n->lock);
	return err;
}

/* What goes with a lease; freed by the caller without the lock. */
static struct nats_hold take_hold(struct nats_hold *h)
{
	struct nats_hold was = *h;

	memset(h, 0, sizeof(*h));
	return was;
}

static void free_hold(struct nats_hold *h)
{
	natsMsg_Destroy(h->out);
	natsSubscription_Destroy(h->sub);
}

/* ---- claim ---- */

#define REVISION_BITS 35 /* of a token; enough for decades of renewals */

/*
 * Revisions begin anew where the bucket is made anew (a broker that lost its disk), and a worker
 * whose token is lower than one that has written would be refused for ever. So the minute in which
 * the bucket was made stands above them in a token; it grows from bucket to bucket.
 *
 * How long a lease lives is what the bucket says: whoever believed in a longer life would count as
 * held what another one has.
 */
natsStatus nats_read_bucket(struct bus_nats *n)
{
	jsStreamInfo *si = NULL;
	jsErrCode code = 0;
	natsStatus s = js_GetStreamInfo(&si, n->js, "KV_LEASE", NULL, &code);

	if (s == NATS_OK)
		n->age = (uint64_t)(si->Created / 60000000000ll) << REVISION_BITS;
	if (s == NATS_OK && si->Config->MaxAge / 1000000 > 0)
		n->ttl_ms = (unsigned int)(si->Config->MaxAge / 1000000);
	jsStreamInfo_Destroy(si);
	return s;
}

/* The process that wrote the value, "" if it cannot be read. */
static void read_holder(kvEntry *e, char holder[17])
{
	char value[96], *id, *dot;

	snprintf(value, sizeof(value), "%.*s", kvEntry_ValueLen(e), (const char *)kvEntry_Value(e));
	id = strrchr(value, ' ');
	dot = id ? strchr(id, '.') : NULL;
	holder[0] = 0;
	if (dot && dot - id <= 17)
		snprintf(holder, 17, "%.*s", (int)(dot - id - 1), id + 1);
}

/* What there is under the key: 0 if the value is that one, -EBUSY another one; of both its
 * revision, and which process wrote it. -ENOENT none, -EAGAIN not known. */
static int read_key(struct bus_nats *n, const char *key, const char *value, uint64_t *revision,
		    char holder[17])
{
	kvEntry *e = NULL;
	natsStatus s = kvStore_Get(&e, n->kv, key);
	int err = s == NATS_NOT_FOUND ? -ENOENT : s == NATS_OK ? 0 : -EAGAIN;

	if (!err && ((size_t)kvEntry_ValueLen(e) != strlen(value) ||
		     memcmp(kvEntry_Value(e), value, strlen(value)) != 0))
		err = -EBUSY;
	if (!err || err == -EBUSY) {
		*revision = kvEntry_Revision(e);
		read_holder(e, holder);
	}
	kvEntry_Destroy(e);
	return err;
}

/* Of -EBUSY: the revision of another one's, and who that is. */
static int create_key(struct bus_nats *n, const char *key, const char *value, uint64_t *revision,
		      char holder[17])
{
	int err;

	if (kvStore_Create(revision, n->kv, key, value, (int)strlen(value)) == NATS_OK)
		return 0;
	/* created, and only the answer was lost? */
	err = read_key(n, key, value, revision, holder);
	return err == -ENOENT ? -EAGAIN : err;
}

/* The key of a process that has died; whoever else has had it meanwhile, or renewed it, has given
 * it another revision than that. */
static int take_key(struct bus_nats *n, const char *key, const char *value, uint64_t *revision)
{
	char holder[17];
	int err;

	if (kvStore_UpdateString(revision, n->kv, key, value, *revision) == NATS_OK)
		return 0;
	err = read_key(n, key, value, revision, holder);
	return err == -ENOENT ? -EAGAIN : err;
}

static int bind_consumer(struct bus_nats *n, const char *consumer, natsSubscription **sub)
{
	jsErrCode code = 0;
	jsSubOptions o;
	natsStatus s;

	jsSubOptions_Init(&o);
	o.Stream = "FRAMES";
	o.Consumer = consumer;
	s = js_PullSubscribe(sub, n->js, NULL, consumer, NULL, &o, &code);
	if (s != NATS_OK)
		nats_complain(n, "cannot use a consumer of the stream FRAMES",
			      natsStatus_GetText(s));
	return s == NATS_OK ? 0 : -EAGAIN;
}

/* The key goes only if it is still as we wrote it last: another holder's stays. */
static void delete_key(struct bus_nats *n, const char *key, uint64_t revision)
{
	jsErrCode code = 0;
	jsPubAck *ack = NULL;
	natsMsg *msg = NULL;
	jsPubOptions o;
	char subject[64];

	snprintf(subject, sizeof(subject), "$KV.LEASE.%s", key);
	jsPubOptions_Init(&o);
	o.ExpectLastSubjectSeq = revision;
	if (natsMsg_Create(&msg, subject, NULL, NULL, 0) == NATS_OK &&
	    natsMsgHeader_Set(msg, "KV-Operation", "DEL") == NATS_OK)
		js_PublishMsg(&ack, n->js, msg, &o, &code); /* else it goes by itself */
	jsPubAck_Destroy(ack);
	natsMsg_Destroy(msg);
}

int nats_claim(struct sluice_bus *b, unsigned int partition, struct sluice_lease *l)
{
	struct bus_nats *n = nats_of(b);
	struct nats_hold *h = &n->hold[partition], was;
	natsSubscription *sub = NULL;
	uint64_t revision = 0, start;
	char key[16], value[96], holder[17] = "";
	bool mine, early = false;
	int err;

	if (!n->kv)
		return -EPERM;
	pthread_mutex_lock(&n->lock);
	mine = h->held && nats_now_ms() < h->until_ms;
	snprintf(value, sizeof(value), "%s %s.%llu", n->name, n->inbox + strlen(NATS_INBOX) + 1,
		 (unsigned long long)++n->number);
	pthread_mutex_unlock(&n->lock);
	if (mine)
		return -EBUSY;
	write_key(key, partition);
	start = nats_now_ms();
	err = create_key(n, key, value, &revision, holder);
	if (err == -EBUSY && nats_is_gone(n, holder)) {
		start = nats_now_ms();
		err = take_key(n, key, value, &revision);
		early = !err;
		b->taken += early;
	}
	if (!err) {
		err = bind_consumer(n, key, &sub);
		if (err && !early) /* else it goes by itself, when nobody is in doubt any more */
			delete_key(n, key, revision);
	}
	if (err)
		return err;
	pthread_mutex_lock(&n->lock);
	was = take_hold(h); /* a lost one that nobody has released */
	*h = (struct nats_hold){
		.held = true, .token = n->age | revision, .revision = revision, .sub = sub
	};
	h->until_ms = start + n->ttl_ms * 5 / 6;
	h->renew_ms = start + n->ttl_ms / 4;
	memcpy(h->value, value, sizeof(h->value));
	pthread_mutex_unlock(&n->lock);
	free_hold(&was);
	*l = (struct sluice_lease){ partition, n->age | revision, early ? n->ttl_ms : 0 };
	return 0;
}

void nats_release(struct sluice_bus *b, const struct sluice_lease *l)
{
	struct bus_nats *n = nats_of(b);
	struct nats_hold *h = &n->hold[l->partition], was = { 0 };
	char key[16];

	pthread_mutex_lock(&n->lock);
	if (h->token == l->token)
		was = take_hold(h);
	pthread_mutex_unlock(&n->lock);
	free_hold(&was);
	if (was.held) {
		write_key(key, l->partition);
		delete_key(n, key, was.revision);
	}
}

/* ---- the keeper ---- */

/*
 * Renewals go out without waiting for one another, or for an answer: with many partitions and a
 * broker that is slow to agree with its copies they would take longer than a lease lives.
 */

#define WRONG_REVISION	   10071 /* the numbers of brokers for it, the second since 2.11 */
#define WRONG_REVISION_TOO 10164

static natsStatus send_renewal(struct bus_nats *n, unsigned int partition, const char *value,
			       uint64_t revision, uint64_t asked_ms)
{
	char subject[64], reply[128], expected[24], key[16];
	natsMsg *msg = NULL;
	natsStatus s;

	write_key(key, partition);
	snprintf(subject, sizeof(subject), "$KV.LEASE.%s", key);
	snprintf(reply, sizeof(reply), "%s.r%u.%llu", n->inbox, partition,
		 (unsigned long long)asked_ms);
	snprintf(expected, sizeof(expected), "%llu", (unsigned long long)revision);
	s = natsMsg_Create(&msg, subject, reply, value, (int)strlen(value));
	if (s == NATS_OK)
		s = natsMsgHeader_Set(msg, "Nats-Expected-Last-Subject-Sequence", expected);
	if (s == NATS_OK)
		s = natsConnection_PublishMsg(n->nc, msg);
	natsMsg_Destroy(msg);
	return s;
}

/* The revision that the key has got; 0: none, and *wrong if it was not the one that was expected.
 */
static uint64_t read_answer(natsMsg *msg, bool *wrong)
{
	json_t *o = natsMsg_IsNoResponders(msg)
			    ? NULL
			    : json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
					 0, NULL);
	const json_t *error = json_object_get(o, "error");
	json_int_t seq = error ? 0 : json_integer_value(json_object_get(o, "seq"));
	json_int_t code = json_integer_value(json_object_get(error, "err_code"));

	*wrong = code == WRONG_REVISION || code == WRONG_REVISION_TOO;
	json_decref(o);
	return seq > 0 ? (uint64_t)seq : 0;
}

/*
 * Any answer counts, however late: what was done is done, and holds from when it was asked for. Of
 * a refusal only that of the newest question tells anything.
 */
void nats_on_renewed(struct bus_nats *n, unsigned int partition, uint64_t asked_ms, natsMsg *msg)
{
	struct nats_hold *h = &n->hold[partition];
	bool wrong;
	uint64_t revision = read_answer(msg, &wrong);

	pthread_mutex_lock(&n->lock);
	if (h->held && revision >= h->revision) { /* else: of an earlier hold */
		h->revision = revision;
		h->doubt = false;
		if (h->until_ms < asked_ms + n->ttl_ms * 5 / 6)
			h->until_ms = asked_ms + n->ttl_ms * 5 / 6;
		h->renew_ms = asked_ms + n->ttl_ms / 4;
	} else if (h->held && !revision && asked_ms == h->asked_ms) {
		h->doubt = wrong;
		h->renew_ms = wrong ? 0 : nats_now_ms() + n->ttl_ms / 16;
	}
	pthread_mutex_unlock(&n->lock);
}

/* The lock is held. */
static void lose(struct bus_nats *n, struct nats_hold *h, const char *why)
{
	h->held = false;
	n->base.lost++;
	pthread_cond_broadcast(&n->changed);
	nats_complain(n, "the lease of a partition is lost", why);
}

/* Another revision is there than we know of: ours, whose answer was lost, or another holder's. The
 * lock is held, but not while the broker is asked. */
static void settle_doubt(struct bus_nats *n, unsigned int partition)
{
	struct nats_hold *h = &n->hold[partition];
	uint64_t token = h->token, revision = h->revision;
	char key[16], value[sizeof(h->value)], holder[17];
	int err;

	memcpy(value, h->value, sizeof(value));
	write_key(key, partition);
	pthread_mutex_unlock(&n->lock);
	err = read_key(n, key, value, &revision, holder);
	pthread_mutex_lock(&n->lock);
	if (!h->held || h->token != token)
		return;
	if (err == -EBUSY || err == -ENOENT) {
		lose(n, h, "another worker has it, or had it");
		return;
	}
	h->doubt = err != 0;
	if (!err)
		h->revision = revision;
	h->renew_ms = nats_now_ms() + (err ? n->ttl_ms / 16 : 0);
}

/* One hold that is due; called with the lock, which is not held in between. */
static void keep(struct bus_nats *n, unsigned int partition)
{
	struct nats_hold *h = &n->hold[partition];
	uint64_t now = nats_now_ms(), revision = h->revision;
	char value[sizeof(h->value)];

	if (now >= h->until_ms) {
		lose(n, h, "no answer from the broker in time");
		return;
	}
	if (h->doubt) {
		settle_doubt(n, partition);
		return;
	}
	h->asked_ms = now;
	h->renew_ms = now + n->ttl_ms / 3; /* again, if no answer has come */
	memcpy(value, h->value, sizeof(value));
	pthread_mutex_unlock(&n->lock);
	send_renewal(n, partition, value, revision, now);
	pthread_mutex_lock(&n->lock);
}

/* The broker waits on for an ack while the worker is at it and holds its lease. */
static void tell_progress(struct bus_nats *n, struct nats_hold *h)
{
	char reply[sizeof(h->reply)];

	h->progress_ms = nats_now_ms() + 1000;
	memcpy(reply, h->reply, sizeof(reply));
	pthread_mutex_unlock(&n->lock);
	natsConnection_PublishString(n->nc, reply, "+WPI");
	pthread_mutex_lock(&n->lock);
}

void *nats_keeper_main(void *arg)
{
	struct bus_nats *n = arg;

	pthread_setname_np(pthread_self(), "bus-keeper");
	pthread_mutex_lock(&n->lock);
	while (!n->closing) {
		for (unsigned int i = 0; i < 2 * n->base.partitions && !n->closing; i++) {
			struct nats_hold *h = &n->hold[i];

			if (h->held && nats_now_ms() >= (h->renew_ms < h->until_ms ? h->renew_ms
										   : h->until_ms))
				keep(n, i);
			if (h->held && h->out && nats_now_ms() >= h->progress_ms &&
			    nats_now_ms() < h->until_ms)
				tell_progress(n, h);
		}
		if (!n->closing)
			nats_members_greet(n);
		if (!n->closing)
			nats_gone_ask(n);
		if (!n->closing)
			nats_wait(n, KEEP_MS);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}
