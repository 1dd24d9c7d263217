// SPDX-License-Identifier: MIT
/*
 * nodes_say.c - what this process says of itself: a JSON object a second, with its name, how many
 * devices it holds and how many more it would take; and its devices, those of which something has
 * changed at once, all of them once in NODES_TURN beats. So whoever comes later, or has missed
 * something, knows all after one turn, and nothing is asked for. Nothing is written anywhere.
 *
 * A message holds SAY_DEVICES devices at most; more are said in further ones, which have no load.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cloud/nodes_state.h"
#include "cloud/roster.h"

#define SAY_DEVICES 200

struct say {
	struct sluice_nodes *n;
	json_t *message, *devices; /* NULL: no memory; what it misses comes with the next turn */
};

static void begin(struct say *s)
{
	s->message = json_pack("{s:s}", "node", s->n->c.node);
	s->devices = json_array();
}

static void end(struct say *s)
{
	char *text;

	if (json_array_size(s->devices))
		json_object_set(s->message, "devices", s->devices);
	text = s->message ? json_dumps(s->message, JSON_COMPACT) : NULL;
	if (text)
		s->n->c.bus->ops->call_out(s->n->c.bus, text);
	free(text);
	json_decref(s->message);
	json_decref(s->devices);
}

static void add_device(void *ctx, const char *tenant, const char *device,
		       const struct sluice_roster_seen *seen)
{
	json_t *cameras = json_array(), *o;
	struct say *s = ctx;
	char since[24];

	snprintf(since, sizeof(since), "%llu", (unsigned long long)seen->since_ns);
	for (unsigned int i = 0; i < seen->count; i++)
		json_array_append_new(cameras, json_string(seen->camera[i]));
	o = json_pack("{s:s,s:s,s:s,s:b,s:o}", "tenant", tenant, "device", device, "since", since,
		      "online", seen->since_ns != 0, "cameras", cameras);
	json_array_append_new(s->devices, o);
	if (json_array_size(s->devices) < SAY_DEVICES)
		return;
	end(s);
	begin(s);
}

/* Those that are connected, of a part of the roster. */
static void add_turn(struct say *s)
{
	unsigned int part = (SLUICE_ROSTER_PARTS + NODES_TURN - 1) / NODES_TURN;
	unsigned int first = s->n->turn++ % NODES_TURN * part;

	for (unsigned int i = first; i < first + part && i < SLUICE_ROSTER_PARTS; i++)
		sluice_roster_part(s->n->c.roster, i, add_device, s);
}

static void add_changes(struct say *s)
{
	struct nodes_change *c, *next;
	struct sluice_roster_seen seen;

	pthread_mutex_lock(&s->n->lock);
	c = s->n->change;
	s->n->change = NULL;
	s->n->change_last = &s->n->change;
	s->n->changes = 0;
	pthread_mutex_unlock(&s->n->lock);
	for (; c; c = next) {
		next = c->next;
		sluice_roster_see(s->n->c.roster, c->tenant, c->device, &seen);
		add_device(s, c->tenant, c->device, &seen);
		free(c);
	}
}

void nodes_say(struct sluice_nodes *n, const struct sluice_spread_node *own, bool beat)
{
	struct say s = { .n = n };

	begin(&s);
	json_object_set_new(s.message, "links", json_integer(own->links));
	json_object_set_new(s.message, "room", json_integer(own->room));
	add_changes(&s);
	if (beat)
		add_turn(&s);
	end(&s);
}

void nodes_say_gone(struct sluice_nodes *n)
{
	struct say s = { .n = n };

	begin(&s);
	json_object_set_new(s.message, "gone", json_true());
	end(&s);
}

void nodes_on_change(void *ctx, const char *tenant, const char *device)
{
	struct sluice_nodes *n = ctx;
	struct nodes_change *c;

	pthread_mutex_lock(&n->lock);
	c = n->changes < NODES_CHANGES ? calloc(1, sizeof(*c)) : NULL;
	if (c) {
		snprintf(c->tenant, sizeof(c->tenant), "%s", tenant);
		snprintf(c->device, sizeof(c->device), "%s", device);
		*n->change_last = c;
		n->change_last = &c->next;
		/* the first one wakes the thread; those that come with it are said together */
		if (!n->changes++)
			pthread_cond_signal(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
}
