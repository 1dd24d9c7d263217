// SPDX-License-Identifier: MIT
/*
 * bus_nats.c - the bus on NATS JetStream: the connection and its threads.
 *
 * libnats has threads of its own and calls that wait, so nothing of it runs in an event loop: the
 * sender publishes what publish() has queued (nats_send.c), the keeper renews leases
 * (nats_lease.c), says that this process is there (nats_members.c) and asks those that do not
 * (nats_gone.c), and a worker's own thread pulls (nats_take.c). News come in a thread of the
 * library (nats_news.c). One lock, never held over a call of the library.
 *
 * The connection comes back by itself, for ever. Meanwhile the queues fill and publish() says full;
 * leases run out, and their workers see it. Where the broker refuses a right it says so only in an
 * error of the connection, which goes to the log; what was to be done times out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/rand.h>

#include "cloud/nats_state.h"
#include "lib/cond.h"

#define QUEUE_BYTES (8u << 20)
#define OPEN_MS	    5000

uint64_t nats_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void nats_wait(struct bus_nats *n, unsigned int ms)
{
	struct timespec until = sluice_cond_until(ms);

	pthread_cond_timedwait(&n->changed, &n->lock, &until);
}

void nats_complain(struct bus_nats *n, const char *what, const char *why)
{
	sluice_log_limited(&n->limit, SLUICE_LOG_WARNING, "bus: %s: %s", what, why);
}

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
	const char *text = NULL;

	(void)sub;
	natsConnection_GetLastError(nc, &text);
	nats_complain(arg, "the broker says", text && *text ? text : natsStatus_GetText(s));
}

static size_t nats_fill(struct sluice_bus *b)
{
	struct bus_nats *n = nats_of(b);
	size_t fill;

	pthread_mutex_lock(&n->lock);
	fill = n->fill;
	pthread_mutex_unlock(&n->lock);
	return fill;
}

static void nats_stop(struct sluice_bus *b)
{
	struct bus_nats *n = nats_of(b);

	pthread_mutex_lock(&n->lock);
	n->stopped = true;
	pthread_cond_broadcast(&n->changed);
	pthread_mutex_unlock(&n->lock);
	nats_news_close(n);
	nats_unsubscribe(&n->nodes);
}

void nats_unsubscribe(natsSubscription **sub)
{
	if (*sub && natsSubscription_Drain(*sub) == NATS_OK)
		natsSubscription_WaitForDrainCompletion(*sub, OPEN_MS);
	natsSubscription_Destroy(*sub);
	*sub = NULL;
}

/* What is not taken yet is lost to the bus; the devices have it still, for it was never STORED. */
static void nats_close(struct sluice_bus *b)
{
	struct bus_nats *n = nats_of(b);

	pthread_mutex_lock(&n->lock);
	n->closing = n->stopped = true;
	pthread_cond_broadcast(&n->changed);
	pthread_mutex_unlock(&n->lock);
	if (n->has_sender)
		pthread_join(n->sender, NULL);
	if (n->has_keeper)
		pthread_join(n->keeper, NULL);
	for (unsigned int i = 0; n->kv && i < 2 * b->partitions; i++) {
		const struct sluice_lease l = { .partition = i, .token = n->hold[i].token };

		if (l.token)
			nats_release(b, &l);
	}
	nats_unsubscribe(&n->replies);
	nats_members_close(n);
	nats_unsubscribe(&n->asked);
	nats_news_close(n);
	kvStore_Destroy(n->kv);
	jsCtx_Destroy(n->js);
	natsConnection_Close(n->nc);
	natsConnection_Destroy(n->nc);
	nats_queues_free(n);
	pthread_cond_destroy(&n->changed);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static const struct sluice_bus_ops ops = {
	.close = nats_close,
	.publish = nats_publish,
	.claim = nats_claim,
	.held = nats_held,
	.release = nats_release,
	.next = nats_next,
	.ack = nats_ack,
	.back = nats_back,
	.stop = nats_stop,
	.fill = nats_fill,
	.members = nats_members,
	.say = nats_say_news,
	.listen = nats_listen,
	.call_out = nats_call_out,
	.overhear = nats_overhear,
};

/* ---- opening ---- */

natsStatus nats_options(const struct sluice_nats_config *c, natsOptions **out)
{
	natsOptions *o = NULL;
	natsStatus s = natsOptions_Create(&o);
	char *urls = strdup(c->urls), *save = NULL, *at;
	const char *list[16];
	int count = 0;

	if (!urls)
		s = NATS_NO_MEMORY;
	for (at = urls ? strtok_r(urls, ",", &save) : NULL; at && count < 16;
	     at = strtok_r(NULL, ",", &save))
		list[count++] = at;
	if (s == NATS_OK)
		s = natsOptions_SetServers(o, list, count);
	if (s == NATS_OK && c->name)
		s = natsOptions_SetName(o, c->name);
	if (s == NATS_OK && c->ca)
		s = natsOptions_SetSecure(o, true);
	if (s == NATS_OK && c->ca)
		s = natsOptions_LoadCATrustedCertificates(o, c->ca);
	if (s == NATS_OK && c->cert)
		s = natsOptions_LoadCertificatesChain(o, c->cert, c->key);
	if (s == NATS_OK)
		s = natsOptions_SetTimeout(o, OPEN_MS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxReconnect(o, -1);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectWait(o, 250);
	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(o, 5000);
	if (s == NATS_OK)
		s = natsOptions_SetWriteDeadline(o, 2000);
	free(urls);
	if (s == NATS_OK)
		*out = o;
	else
		natsOptions_Destroy(o);
	return s;
}

static natsStatus connect_to(struct bus_nats *n, const struct sluice_nats_config *c)
{
	natsOptions *o = NULL;
	jsOptions jo;
	natsStatus s = nats_options(c, &o);
	char replies[80];

	if (s == NATS_OK)
		s = natsOptions_SetErrorHandler(o, on_error, n);
	if (s == NATS_OK)
		s = natsOptions_SetDisconnectedCB(o, nats_gone_unsteady, n);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectedCB(o, nats_gone_unsteady, n);
	if (s == NATS_OK)
		s = natsConnection_Connect(&n->nc, o);
	natsOptions_Destroy(o);
	if (s != NATS_OK)
		return s;
	jsOptions_Init(&jo);
	jo.Wait = 2000; /* shorter than a lease */
	s = natsConnection_JetStream(&n->js, n->nc, &jo);
	snprintf(replies, sizeof(replies), "%s.*.*", n->inbox);
	if (s == NATS_OK)
		s = natsConnection_Subscribe(&n->replies, n->nc, replies, nats_on_reply, n);
	return s;
}

static int errno_of(natsStatus s)
{
	switch (s) {
	case NATS_OK:
		return 0;
	case NATS_NO_MEMORY:
		return -ENOMEM;
	case NATS_NOT_FOUND:
		return -ENOENT;
	case NATS_NO_SERVER:
	case NATS_TIMEOUT:
		return -ECONNREFUSED;
	case NATS_INVALID_ARG:
		return -EINVAL;
	case NATS_NOT_PERMITTED:
		return -EPERM;
	default:
		return -EIO;
	}
}

int nats_say(natsStatus s, const char *what, char *why, size_t size)
{
	if (s != NATS_OK)
		snprintf(why, size, "%s: %s", what,
			 s == NATS_NOT_PERMITTED ? "the certificate has not got that right"
						 : nats_GetLastError(NULL) ?: natsStatus_GetText(s));
	return errno_of(s);
}

static struct bus_nats *make(const struct sluice_nats_config *c)
{
	struct bus_nats *n = calloc(1, sizeof(*n));
	uint8_t random[8];

	if (!n || RAND_bytes(random, sizeof(random)) != 1) {
		free(n);
		return NULL;
	}
	n->base.ops = &ops;
	n->base.partitions = c->partitions;
	n->base.shared = true;
	n->max = c->max ? c->max : QUEUE_BYTES;
	n->ttl_ms = c->ttl_ms;
	n->steady_ms = nats_now_ms();
	n->cameras = c->cameras;
	n->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	snprintf(n->name, sizeof(n->name), "%s", c->name ? c->name : "sluice");
	memcpy(n->inbox, NATS_INBOX ".", sizeof(NATS_INBOX));
	sluice_hex(random, sizeof(random), n->inbox + sizeof(NATS_INBOX));
	pthread_mutex_init(&n->lock, NULL);
	sluice_cond_init(&n->changed);
	return n;
}

static int start(struct bus_nats *n)
{
	int err = -pthread_create(&n->sender, NULL, nats_sender_main, n);

	n->has_sender = !err;
	if (!err && n->kv) {
		err = -pthread_create(&n->keeper, NULL, nats_keeper_main, n);
		n->has_keeper = !err;
	}
	return err;
}

int sluice_bus_nats_open(const struct sluice_nats_config *c, struct sluice_bus **out, char *why,
			 size_t size)
{
	struct bus_nats *n;
	int err;

	*out = NULL;
	if (!c->partitions || c->partitions > SLUICE_NATS_PARTITIONS_MAX || !c->ttl_ms) {
		snprintf(why, size, "a bus has 1 to %d partitions and leases of some time",
			 SLUICE_NATS_PARTITIONS_MAX);
		return -EINVAL;
	}
	n = make(c);
	if (!n)
		return -ENOMEM;
	err = nats_say(connect_to(n, c), c->urls, why, size);
	if (!err && !c->publish_only)
		err = nats_say(js_KeyValue(&n->kv, n->js, "LEASE"),
			       "the bucket LEASE (run: sluice-cloud provision)", why, size);
	if (!err && !c->publish_only)
		err = nats_say(nats_read_bucket(n), "what the bucket LEASE is like", why, size);
	if (!err && !c->publish_only)
		err = nats_say(nats_gone_open(n), "this worker's subject", why, size);
	if (!err && !c->publish_only)
		err = nats_say(nats_members_open(n), "the workers' subject", why, size);
	if (!err)
		err = start(n);
	if (err) {
		nats_close(&n->base);
		return err;
	}
	*out = &n->base;
	return 0;
}

const char *sluice_bus_nats_library(void)
{
	return "libnats " NATS_VERSION_STRING;
}
