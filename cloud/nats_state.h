/* SPDX-License-Identifier: MIT */
/* nats_state.h - what the files of the bus on NATS JetStream share; nobody else includes it. */
#ifndef SLUICE_NATS_STATE_H
#define SLUICE_NATS_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <nats/nats.h>

#include "cloud/bus.h"
#include "cloud/bus_nats.h"
#include "lib/log.h"

#define NATS_ANSWER_MS 5000 /* then a publication counts as not taken, and is sent again */
#define NATS_PAUSE_MS  300  /* after a refusal */
#define NATS_FETCH_MS  400  /* of one pull: how late stop() can be noticed */
#define NATS_INBOX     "_INBOX.sluice"

/* A chunk that is to be taken by the stream. */
struct nats_parcel {
	struct nats_parcel *next;
	uint64_t number;
	uint8_t *data;
	size_t size, bytes; /* bytes: of the chunk, as fill() counts */
	char subject[160];
	uint64_t due_ms;     /* when it is to be sent (again) */
	bool sending, taken; /* sending: the sender's, without the lock */
};

struct nats_queue {
	struct nats_parcel *first, *last;
	size_t fill;
};

/* What this process has of a partition as a worker. */
struct nats_hold {
	bool held;
	uint64_t token, revision; /* revision: of the key, grows with every renewal */
	uint64_t until_ms;	  /* sure to be ours up to then */
	uint64_t renew_ms, progress_ms;
	uint64_t asked_ms; /* when it was renewed last, answered or not */
	bool doubt;	   /* the key has another revision than this one */
	char value[96];
	natsSubscription *sub;
	natsMsg *out; /* given out, not yet acked */
	char reply[256];
};

#define NATS_MEMBERS (2 * SLUICE_NATS_PARTITIONS_MAX)

/* Another process that takes chunks. */
struct nats_member {
	char id[17];	  /* "" free */
	uint64_t seen_ms; /* heard of last */
	bool askable;	  /* it listens to alive.ID */
	uint64_t asked_ms;
	uint64_t absent_ms; /* the first question since then that found no listener; 0: none */
	bool gone;	    /* it has died */
};

struct bus_nats {
	struct sluice_bus base;
	size_t max;
	unsigned int ttl_ms;
	char name[48];
	char inbox[64];
	struct sluice_cameras *cameras;
	natsConnection *nc;
	jsCtx *js;
	kvStore *kv; /* NULL: this process publishes only */
	natsSubscription *replies, *news, *greetings, *asked, *nodes; /* NULL: not listened to */
	bool askable;						      /* asked is allowed */
	sluice_news_fn hear;
	void *hear_ctx;
	sluice_node_fn overhear;
	void *overhear_ctx;
	uint64_t age; /* of the bucket, as a part of every token */
	pthread_t sender, keeper;
	bool has_sender, has_keeper;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	bool stopped, closing;
	size_t fill;
	uint64_t number;  /* of the newest parcel */
	uint64_t changes; /* that the sender has to look at */
	struct nats_queue queue[2 * SLUICE_NATS_PARTITIONS_MAX];
	struct nats_hold hold[2 * SLUICE_NATS_PARTITIONS_MAX];
	struct nats_member member[NATS_MEMBERS];
	uint64_t greet_ms;  /* when this process is to be heard of again */
	uint64_t steady_ms; /* the connection has stood since then */
	struct sluice_log_limit limit;
};

static inline struct bus_nats *nats_of(struct sluice_bus *b)
{
	return (struct bus_nats *)b;
}

/* By which the others know this process. */
static inline const char *nats_id(const struct bus_nats *n)
{
	return n->inbox + sizeof(NATS_INBOX);
}

/* Goes on while the machine sleeps: a lease does not. */
uint64_t nats_now_ms(void);
/* Waits for a change, at most that long; the lock is held. */
void nats_wait(struct bus_nats *n, unsigned int ms);
void nats_complain(struct bus_nats *n, const char *what, const char *why);

/* When it returns no message of it is being handled, nor will be. */
void nats_unsubscribe(natsSubscription **sub);

natsStatus nats_options(const struct sluice_nats_config *c, natsOptions **out);
/* An errno for s; if there is one, a sentence in why. */
int nats_say(natsStatus s, const char *what, char *why, size_t size);

/* The name as a word of a subject. */
void nats_word(char out[SLUICE_NAME_MAX], const char *name);

/* nats_send.c */
int nats_publish(struct sluice_bus *b, struct sluice_chunk *c);
void *nats_sender_main(void *arg);
void nats_on_reply(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg);
void nats_queues_free(struct bus_nats *n);

/* nats_lease.c */
int nats_claim(struct sluice_bus *b, unsigned int partition, struct sluice_lease *l);
int nats_held(struct sluice_bus *b, const struct sluice_lease *l);
void nats_release(struct sluice_bus *b, const struct sluice_lease *l);
void *nats_keeper_main(void *arg);
/* What the broker said to a renewal. */
void nats_on_renewed(struct bus_nats *n, unsigned int partition, uint64_t asked_ms, natsMsg *msg);
/* The partition's hold if the lease is sure to be ours now, else NULL; the lock is held. */
struct nats_hold *nats_hold_of(struct bus_nats *n, const struct sluice_lease *l);

/* What is older than every bucket that is made later; the bucket is there. */
natsStatus nats_read_bucket(struct bus_nats *n);

/* nats_members.c */
natsStatus nats_members_open(struct bus_nats *n);
/* Nobody counts on this process any more. */
void nats_members_close(struct bus_nats *n);
unsigned int nats_members(struct sluice_bus *b);
/* Milliseconds between two greetings. */
static inline unsigned int nats_pace(const struct bus_nats *n)
{
	return n->ttl_ms / 4 < sluice_nats_pace_ms ? n->ttl_ms / 4 : sluice_nats_pace_ms;
}
/* Says that this process is there, if it is time; the lock is held, but not while it is said. */
void nats_members_greet(struct bus_nats *n);

/* nats_gone.c */
natsStatus nats_gone_open(struct bus_nats *n);
void nats_gone_unsteady(natsConnection *nc, void *arg);
/* Asks those that are due whether they live; the lock is held, but not while it asks. */
void nats_gone_ask(struct bus_nats *n);
/* What the broker said to that, of the member with that number. */
void nats_gone_on_reply(struct bus_nats *n, unsigned int member, uint64_t asked_ms, natsMsg *msg);
/* True: it has died, and was asked a last time just now, which is waited for. */
bool nats_is_gone(struct bus_nats *n, const char *id);

/* nats_news.c */
int nats_say_news(struct sluice_bus *b, const struct sluice_news *news);
int nats_listen(struct sluice_bus *b, sluice_news_fn fn, void *ctx);
void nats_news_close(struct bus_nats *n);

/* nats_nodes.c */
int nats_call_out(struct sluice_bus *b, const char *text);
int nats_overhear(struct sluice_bus *b, sluice_node_fn fn, void *ctx);

/* nats_take.c */
struct sluice_chunk *nats_next(struct sluice_bus *b, const struct sluice_lease *l, int timeout_ms);
int nats_ack(struct sluice_bus *b, const struct sluice_lease *l, struct sluice_chunk *c);
void nats_back(struct sluice_bus *b, const struct sluice_lease *l, struct sluice_chunk *c);

#endif
