// SPDX-License-Identifier: MIT
/*
 * Starts and stops the threads of the sinks that are set, and gives each what it is to announce. A
 * sink that cannot announce (its server is away) keeps its outbox; retention leaves those summaries
 * alone, so the free-space floor is what bounds them in the end.
 */
#include "relay/sinks.h"
#include "lib/log.h"
#include "relay/sink.h"
#include "relay/tree.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SINKS	 3
#define NEWS_MAX 64 /* EVENTs that wait for the broker; older ones are of no interest */
#define END_S	 5

enum { HOOK, MQTT, WEBHOOK };

static const char *const names[SINKS] = { "hook", "mqtt", "webhook" };

struct sink {
	struct relay_sinks *sinks;
	struct relay_outbox *box; /* NULL: this sink is not set */
	int which;
	bool started;
	pthread_t thread;
};

struct relay_sinks {
	const struct relay_sinks_config *conf;
	struct sink sink[SINKS];
	pthread_mutex_t lock; /* of the news */
	struct relay_mqtt_news news[NEWS_MAX];
	unsigned int first, count;
};

uint64_t relay_sink_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

char *relay_sink_secret(const char *path, int *err)
{
	uint32_t size;
	char *s = (char *)relay_file_read(AT_FDCWD, path, 4096, &size);

	*err = s ? 0 : errno ? -errno : -EINVAL;
	if (s)
		s[strcspn(s, "\r\n")] = 0;
	if (s && !s[0]) {
		free(s);
		s = NULL;
		*err = -ENODATA;
	}
	return s;
}

void relay_sinks_conf(struct relay_sinks_config *c, struct sluice_conf *conf)
{
	struct relay_hook_conf *h = &c->hook;
	struct relay_mqtt_conf *m = &c->mqtt;
	struct relay_webhook_conf *w = &c->webhook;

	h->program = sluice_conf_text(conf, "hook", "program", NULL);
	h->timeout_ms = sluice_conf_ms(conf, "hook", "timeout", 30000, 100, 3600000);
	h->parallel = (unsigned int)sluice_conf_int(conf, "hook", "parallel", 2, 1, 16);
	m->host = sluice_conf_text(conf, "mqtt", "host", NULL);
	m->tls = sluice_conf_bool(conf, "mqtt", "tls", false);
	m->port = (int)sluice_conf_int(conf, "mqtt", "port", m->tls ? 8883 : 1883, 1, 65535);
	m->ca = sluice_conf_text(conf, "mqtt", "ca", NULL);
	m->certificate = sluice_conf_text(conf, "mqtt", "certificate", NULL);
	m->key = sluice_conf_text(conf, "mqtt", "key", NULL);
	m->user = sluice_conf_text(conf, "mqtt", "user", NULL);
	m->password_file = sluice_conf_text(conf, "mqtt", "password_file", NULL);
	m->device = sluice_conf_text(conf, "mqtt", "device", NULL);
	m->prefix = sluice_conf_text(conf, "mqtt", "prefix", "sluice");
	m->discovery = sluice_conf_text(conf, "mqtt", "discovery", "homeassistant");
	w->url = sluice_conf_text(conf, "webhook", "url", NULL);
	w->secret_file = sluice_conf_text(conf, "webhook", "secret_file", NULL);
	w->ca = sluice_conf_text(conf, "webhook", "ca", NULL);
	w->timeout_ms = sluice_conf_ms(conf, "webhook", "timeout", 30000, 100, 600000);
	w->retry_first_ms = sluice_conf_ms(conf, "webhook", "retry", 1000, 10, 3600000);
	w->retry_max_ms = sluice_conf_ms(conf, "webhook", "retry_max", 600000, 10, 86400000);
}

static void *run_sink(void *arg)
{
	struct sink *k = arg;
	const struct relay_sinks_config *c = k->sinks->conf;

	if (k->which == HOOK)
		relay_sink_hook(c, k->box);
	else if (k->which == MQTT)
		relay_sink_mqtt(c, k->box, k->sinks);
	else
		relay_sink_webhook(c, k->box);
	return NULL;
}

/* The signals are the loop's. */
static int start_sink(struct sink *k)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = -pthread_create(&k->thread, NULL, run_sink, k);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	k->started = !err;
	return err;
}

const char *relay_sinks_check(const struct relay_sinks_config *c)
{
	if (c->hook.program && c->hook.program[0] != '/')
		return "[hook] program must be an absolute path";
	if (c->hook.program && access(c->hook.program, X_OK))
		return "[hook] program is not there, or may not be run";
	if (c->webhook.url && strncmp(c->webhook.url, "https://", 8) &&
	    strncmp(c->webhook.url, "http://", 7))
		return "[webhook] url must begin with https:// or http://";
	if (c->mqtt.host && !c->mqtt.certificate != !c->mqtt.key)
		return "[mqtt] certificate and key go together";
	if (c->mqtt.host && (strpbrk(c->mqtt.prefix, "+#") || !c->mqtt.prefix[0] ||
			     strpbrk(c->mqtt.discovery, "+#")))
		return "[mqtt] prefix and discovery are topics without + and #";
	if (c->mqtt.device && (!c->mqtt.device[0] || strpbrk(c->mqtt.device, "+#/ ")))
		return "[mqtt] device is one word without + # /";
	return NULL;
}

struct relay_sinks *relay_sinks_open(const struct relay_sinks_config *c, int *err, char *why,
				     unsigned int why_size)
{
	bool wanted[SINKS] = { c->hook.program, c->mqtt.host, c->webhook.url };
	struct relay_sinks *s = calloc(1, sizeof(*s));
	const char *wrong = relay_sinks_check(c);

	*err = wrong ? -EINVAL : s ? 0 : -ENOMEM;
	if (*err) {
		snprintf(why, why_size, "%s", wrong ? wrong : "out of memory");
		free(s);
		return NULL;
	}
	s->conf = c;
	pthread_mutex_init(&s->lock, NULL);
	if (wanted[WEBHOOK])
		curl_global_init(CURL_GLOBAL_DEFAULT);
	for (int i = 0; i < SINKS && !*err; i++) {
		struct sink *k = &s->sink[i];

		k->sinks = s;
		k->which = i;
		if (wanted[i])
			k->box = relay_outbox_open(c->state, names[i], err);
		if (k->box)
			*err = start_sink(k);
		if (*err)
			snprintf(why, why_size, "%s: %s", names[i], strerror(-*err));
	}
	if (!*err)
		return s;
	relay_sinks_close(s);
	return NULL;
}

void relay_sinks_close(struct relay_sinks *s)
{
	struct timespec until;
	bool left = false;

	if (!s)
		return;
	for (int i = 0; i < SINKS; i++)
		if (s->sink[i].box)
			relay_outbox_end(s->sink[i].box);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_S;
	for (int i = 0; i < SINKS; i++)
		if (s->sink[i].started && pthread_timedjoin_np(s->sink[i].thread, NULL, &until)) {
			/* It waits for a name server or the like; the process ends soon. */
			sluice_debug("%s is not waited for", names[i]);
			pthread_detach(s->sink[i].thread);
			left = true;
		}
	if (left)
		return; /* that thread still uses all this */
	for (int i = 0; i < SINKS; i++)
		relay_outbox_close(s->sink[i].box);
	for (; s->count; s->count--, s->first = (s->first + 1) % NEWS_MAX)
		free(s->news[s->first].json);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int relay_sinks_stage(struct relay_sinks *s, const char *id, const char *day)
{
	int err = 0;

	for (int i = 0; s && i < SINKS && !err; i++)
		if (s->sink[i].box)
			err = relay_outbox_stage(s->sink[i].box, id, day);
	return err;
}

void relay_sinks_announce(struct relay_sinks *s, const char *id, const char *day)
{
	for (int i = 0; s && i < SINKS; i++)
		if (s->sink[i].box)
			relay_outbox_ready(s->sink[i].box, id, day);
}

bool relay_sinks_waiting(struct relay_sinks *s, const char *id)
{
	bool waiting = false;

	for (int i = 0; s && i < SINKS; i++)
		waiting |= s->sink[i].box && relay_outbox_waiting(s->sink[i].box, id);
	return waiting;
}

static void add_news(struct relay_sinks *s, const char *camera, const char *json)
{
	struct relay_mqtt_news *n;
	char *copy = json ? strdup(json) : NULL;

	if (!s || !s->sink[MQTT].box || (json && !copy)) {
		free(copy);
		return;
	}
	pthread_mutex_lock(&s->lock);
	if (s->count == NEWS_MAX) {
		free(s->news[s->first].json);
		s->first = (s->first + 1) % NEWS_MAX;
		s->count--;
	}
	n = &s->news[(s->first + s->count++) % NEWS_MAX];
	snprintf(n->camera, sizeof(n->camera), "%s", camera);
	n->json = copy;
	pthread_mutex_unlock(&s->lock);
	relay_outbox_wake(s->sink[MQTT].box);
}

void relay_sinks_event(struct relay_sinks *s, const char *camera, const char *json)
{
	add_news(s, camera, json);
}

void relay_sinks_camera(struct relay_sinks *s, const char *camera)
{
	add_news(s, camera, NULL);
}

bool relay_sinks_news(struct relay_sinks *s, struct relay_mqtt_news *out)
{
	bool found;

	pthread_mutex_lock(&s->lock);
	found = s->count;
	if (found) {
		*out = s->news[s->first];
		s->first = (s->first + 1) % NEWS_MAX;
		s->count--;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}
