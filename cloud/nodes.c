// SPDX-License-Identifier: MIT
/*
 * nodes.c - see nodes.h. Each process that takes devices says so once a second (nodes_say.c); the
 * others keep what it said. One that is not heard of for sluice_nodes_life_ms (dead, frozen, cut
 * off) is gone, and its devices with it. A device that comes to another process may be said by both
 * for a while, since a link that broke is noticed late: the later link counts, by the clocks of the
 * processes, and who does not hold that link cannot end it.
 *
 * A message that is lost does no harm: what has changed comes again within a turn, and a device
 * that went meanwhile is not said any more, and is gone when it is stale. Where the bus is away
 * everybody is gone elsewhere until it is back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "cloud/nodes_state.h"
#include "cloud/roster.h"
#include "lib/cond.h"

#define GAP_MS 100 /* between two messages; changes in between are said together */

unsigned int sluice_nodes_beat_ms = 1000, sluice_nodes_life_ms = 4000;

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- devices elsewhere; the lock is held ---- */

static struct nodes_device **find_place(struct sluice_nodes *n, const char *tenant,
					const char *device)
{
	struct nodes_device **at;
	uint32_t hash = 2166136261u;

	for (const char *p = tenant; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	for (const char *p = device; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	at = &n->bucket[hash % NODES_BUCKETS];
	while (*at && (strcmp((*at)->device, device) || strcmp((*at)->tenant, tenant)))
		at = &(*at)->next;
	return at;
}

static int has_camera(const struct nodes_device *d, const char *name)
{
	for (unsigned int i = 0; d && i < d->count; i++)
		if (!strcmp(d->camera[i], name))
			return 1;
	return 0;
}

/* Tells of the cameras of d that than does not have. */
static void tell_cameras(struct sluice_nodes *n, const struct nodes_device *d,
			 const struct nodes_device *than, bool online)
{
	const struct sluice_camera *c;

	for (unsigned int i = 0; d && n->c.seen && i < d->count; i++)
		if (!has_camera(than, d->camera[i]) &&
		    !sluice_cameras_get(n->c.cameras, d->tenant, d->device, d->camera[i], &c))
			n->c.seen(n->c.ctx, c, online);
}

static void drop_device(struct sluice_nodes *n, struct nodes_device **at)
{
	struct nodes_device *d = *at;

	*at = d->next;
	n->devices--;
	tell_cameras(n, d, NULL, false);
	free(d);
}

/* Takes the place of what was said of it before. */
static void put_device(struct sluice_nodes *n, struct nodes_device **at, struct nodes_device *d)
{
	struct nodes_device *old = *at;

	if (!old && n->devices == SLUICE_NODES_DEVICES_MAX) {
		sluice_log_limited(&n->limit, SLUICE_LOG_WARNING,
				   "more than %u devices are connected to other nodes; those above "
				   "are shown as offline",
				   SLUICE_NODES_DEVICES_MAX);
		free(d);
		return;
	}
	tell_cameras(n, old, d, false);
	tell_cameras(n, d, old, true);
	d->next = old ? old->next : NULL;
	*at = d;
	n->devices += !old;
	free(old);
}

/* Those of that process, or (NULL) of none that is there, and those that are stale. */
static void drop_devices(struct sluice_nodes *n, const char *id, uint64_t before_ms)
{
	for (unsigned int i = 0; i < NODES_BUCKETS; i++) {
		struct nodes_device **at = &n->bucket[i];

		while (*at)
			if ((*at)->seen_ms < before_ms || (id && !strcmp((*at)->node, id)))
				drop_device(n, at);
			else
				at = &(*at)->next;
	}
}

/* ---- what others say ---- */

static const char *name_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && sluice_name_valid(text) ? text : NULL;
}

/* NULL: it is not understood, or there is no memory. */
static struct nodes_device *read_device(const struct nodes_node *from, const json_t *o)
{
	const char *tenant = name_of(o, "tenant"), *device = name_of(o, "device");
	const char *since = json_string_value(json_object_get(o, "since"));
	const json_t *cameras = json_object_get(o, "cameras"), *c;
	size_t i, count = json_array_size(cameras);
	struct nodes_device *d;

	if (!tenant || !device || !since || count > SLUICE_WIRE_SLOTS)
		return NULL;
	d = calloc(1, sizeof(*d) + count * sizeof(d->camera[0]));
	if (!d)
		return NULL;
	snprintf(d->tenant, sizeof(d->tenant), "%s", tenant);
	snprintf(d->device, sizeof(d->device), "%s", device);
	snprintf(d->node, sizeof(d->node), "%s", from->id);
	d->since_ns = strtoull(since, NULL, 10);
	d->seen_ms = from->seen_ms;
	json_array_foreach (cameras, i, c) {
		const char *name = json_string_value(c);

		if (name && sluice_name_valid(name))
			snprintf(d->camera[d->count++], SLUICE_NAME_MAX, "%s", name);
	}
	return d;
}

static void take_device(struct sluice_nodes *n, const struct nodes_node *from, const json_t *o)
{
	struct nodes_device *d = read_device(from, o), **at;

	if (!d)
		return;
	at = find_place(n, d->tenant, d->device);
	if (json_is_true(json_object_get(o, "online"))) {
		if (!*at || !strcmp((*at)->node, d->node) || (*at)->since_ns < d->since_ns)
			put_device(n, at, d);
		else
			free(d);
		return;
	}
	if (*at && !strcmp((*at)->node, d->node))
		drop_device(n, at);
	free(d);
}

/* Its place, a free one, or NULL. */
static struct nodes_node *find_node(struct sluice_nodes *n, const char *id)
{
	struct nodes_node *free_one = NULL;

	for (int i = 0; i < SLUICE_NODES_MAX; i++) {
		if (!strcmp(n->node[i].id, id))
			return &n->node[i];
		if (!n->node[i].id[0])
			free_one = &n->node[i];
	}
	return free_one;
}

static void drop_node(struct sluice_nodes *n, struct nodes_node *node, const char *why)
{
	sluice_info("node %s %s", node->name, why);
	drop_devices(n, node->id, 0);
	memset(node, 0, sizeof(*node));
}

static unsigned int count_of(const json_t *o)
{
	json_int_t v = json_integer_value(o);

	return v < 0 ? 0 : v > 0x7fffffff ? 0x7fffffff : (unsigned int)v;
}

static void take(struct sluice_nodes *n, const char *from, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "node"));
	const json_t *devices = json_object_get(o, "devices"), *device;
	struct nodes_node *node = find_node(n, from);
	size_t i;

	if (!node || !name || strlen(from) >= sizeof(node->id)) {
		sluice_log_limited(&n->limit, SLUICE_LOG_WARNING,
				   "what another node says of itself is not understood, or there "
				   "are more than %d",
				   SLUICE_NODES_MAX);
		return;
	}
	if (json_is_true(json_object_get(o, "gone"))) {
		if (node->id[0])
			drop_node(n, node, "has ended");
		return;
	}
	if (!node->id[0]) {
		snprintf(node->id, sizeof(node->id), "%s", from);
		snprintf(node->name, sizeof(node->name), "%s", name);
		sluice_info("node %s takes devices too", node->name);
	}
	node->seen_ms = now_ms();
	if (json_object_get(o, "links")) {
		node->load.links = count_of(json_object_get(o, "links"));
		node->load.room = count_of(json_object_get(o, "room"));
	}
	json_array_foreach (devices, i, device)
		if (n->c.keeps)
			take_device(n, node, device);
}

/* In a thread of the bus. */
static void on_said(void *ctx, const char *from, const char *text, size_t size)
{
	json_t *o = json_loadb(text, size, 0, NULL);
	struct sluice_nodes *n = ctx;

	pthread_mutex_lock(&n->lock);
	take(n, from, o);
	pthread_mutex_unlock(&n->lock);
	json_decref(o);
}

/* ---- the thread ---- */

static void forget_dead(struct sluice_nodes *n)
{
	uint64_t now = now_ms();

	for (int i = 0; i < SLUICE_NODES_MAX; i++)
		if (n->node[i].id[0] && now > n->node[i].seen_ms + sluice_nodes_life_ms)
			drop_node(n, &n->node[i], "is not heard of any more");
	if (n->c.keeps && now > NODES_STALE_MS)
		drop_devices(n, NULL, now - NODES_STALE_MS);
}

static void spread(struct sluice_nodes *n, const struct sluice_spread_node *own)
{
	struct sluice_spread_node others[SLUICE_NODES_MAX];
	unsigned int links;
	size_t count = 0;

	pthread_mutex_lock(&n->lock);
	for (int i = 0; i < SLUICE_NODES_MAX; i++)
		if (n->node[i].id[0])
			others[count++] = n->node[i].load;
	pthread_mutex_unlock(&n->lock);
	links = sluice_spread_step(&n->spread, own, others, count);
	if (links)
		n->c.move(n->c.ctx, links);
}

/* The lock is held. True: something has changed of the devices here. */
static bool wait_for(struct sluice_nodes *n, uint64_t until_ms, bool changes)
{
	struct timespec until;
	uint64_t now;

	while (!n->stopping && !(changes && n->changes) && (now = now_ms()) < until_ms) {
		until = sluice_cond_until(until_ms - now);
		pthread_cond_timedwait(&n->changed, &n->lock, &until);
	}
	return n->changes > 0;
}

static void *nodes_main(void *arg)
{
	struct sluice_nodes *n = arg;
	uint64_t beat_ms = 0;

	pthread_setname_np(pthread_self(), "nodes");
	pthread_mutex_lock(&n->lock);
	while (!n->stopping) {
		bool beat = now_ms() >= beat_ms;

		if (beat) {
			beat_ms = now_ms() + sluice_nodes_beat_ms;
			forget_dead(n);
		}
		pthread_mutex_unlock(&n->lock);
		if (n->c.says) {
			const struct sluice_spread_node own = {
				.links = sluice_roster_count(n->c.roster),
				.room = n->c.room(n->c.ctx),
			};

			nodes_say(n, &own, beat);
			if (beat)
				spread(n, &own);
		}
		pthread_mutex_lock(&n->lock);
		wait_for(n, now_ms() + GAP_MS, false);
		wait_for(n, beat_ms, n->c.says);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

static struct sluice_nodes *make(const struct sluice_nodes_config *c)
{
	struct sluice_nodes *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->c = *c;
	n->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 60000 };
	n->change_last = &n->change;
	pthread_mutex_init(&n->lock, NULL);
	sluice_cond_init(&n->changed);
	return n;
}

int sluice_nodes_open(const struct sluice_nodes_config *c, struct sluice_nodes **out)
{
	struct sluice_nodes *n;
	int err;

	*out = NULL;
	if (!c->bus->shared || (!c->says && !c->keeps))
		return 0;
	n = make(c);
	if (!n)
		return -ENOMEM;
	if (c->bus->ops->overhear(c->bus, on_said, n))
		sluice_warning("this process hears nothing of other nodes: it does not know who is "
			       "connected to them, nor spreads devices");
	if (c->says)
		sluice_roster_watch(c->roster, nodes_on_change, n);
	err = -pthread_create(&n->thread, NULL, nodes_main, n);
	n->has_thread = !err;
	if (err) {
		sluice_nodes_close(n);
		return err;
	}
	*out = n;
	return 0;
}

void sluice_nodes_close(struct sluice_nodes *n)
{
	struct nodes_change *c;

	if (!n)
		return;
	pthread_mutex_lock(&n->lock);
	n->stopping = true;
	pthread_cond_signal(&n->changed);
	pthread_mutex_unlock(&n->lock);
	if (n->has_thread)
		pthread_join(n->thread, NULL);
	if (n->c.says) {
		sluice_roster_watch(n->c.roster, NULL, NULL);
		nodes_say_gone(n);
	}
	n->c.bus->ops->overhear(n->c.bus, NULL, NULL);
	n->c.seen = NULL;
	drop_devices(n, NULL, UINT64_MAX);
	while ((c = n->change)) {
		n->change = c->next;
		free(c);
	}
	pthread_cond_destroy(&n->changed);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

/* ---- who asks ---- */

int sluice_nodes_device(struct sluice_nodes *n, const char *tenant, const char *device, char *node)
{
	struct nodes_device *d;

	if (!n)
		return 0;
	pthread_mutex_lock(&n->lock);
	d = *find_place(n, tenant, device);
	if (d && node)
		snprintf(node, sizeof(n->node[0].name), "%s", find_node(n, d->node)->name);
	pthread_mutex_unlock(&n->lock);
	return d != NULL;
}

int sluice_nodes_camera(struct sluice_nodes *n, const struct sluice_camera *c)
{
	int has;

	if (!n)
		return 0;
	pthread_mutex_lock(&n->lock);
	has = has_camera(*find_place(n, c->tenant, c->device), c->name);
	pthread_mutex_unlock(&n->lock);
	return has;
}

unsigned int sluice_nodes_count(struct sluice_nodes *n, unsigned int *devices)
{
	unsigned int count = 0;

	*devices = 0;
	if (!n)
		return 0;
	pthread_mutex_lock(&n->lock);
	for (int i = 0; i < SLUICE_NODES_MAX; i++)
		count += n->node[i].id[0] != 0;
	*devices = n->devices;
	pthread_mutex_unlock(&n->lock);
	return count;
}
