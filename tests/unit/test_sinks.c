// SPDX-License-Identifier: MIT
/* Outboxes over crashes, the hook's limits, a webhook that gives up, retention that waits for both.
 */
#include "certs.h"
#include "check.h"
#include "lib/log.h"
#include "lib/wire.h"
#include "relay/mqtt_topics.h"
#include "relay/outbox.h"
#include "relay/retention.h"
#include "relay/sink.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY "front/2026-03-04"

static char state[300], hook[400], out[400];

static const char *id_of(unsigned int n)
{
	static char id[4][33];

	snprintf(id[n % 4], sizeof(id[0]), "%032x", n);
	return id[n % 4];
}

static void make_summary(unsigned int n)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/summaries/" DAY "/%s", state, id_of(n));
	CHECK(!mkdir(path, 0755));
	strncat(path, "/summary.json", sizeof(path) - strlen(path) - 1);
	f = fopen(path, "w");
	CHECK(f &&
	      fprintf(f, "{\"id\":\"%s\",\"kind\":\"event\",\"title\":\"T; $(x) `y`\"}", id_of(n)));
	if (f)
		fclose(f);
}

static bool wait_while(struct relay_sinks *s, unsigned int n, int ms)
{
	while (relay_sinks_waiting(s, id_of(n)) && ms > 0) {
		poll(NULL, 0, 10);
		ms -= 10;
	}
	return ms > 0;
}

static void write_hook(const char *body)
{
	FILE *f = fopen(hook, "w");

	CHECK(f && fprintf(f, "#!/bin/sh\n%s\n", body) > 0);
	if (f)
		fclose(f);
	CHECK(!chmod(hook, 0755));
}

static size_t read_out(char *buf, size_t size)
{
	FILE *f = fopen(out, "r");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	if (f)
		fclose(f);
	buf[n] = 0;
	unlink(out);
	return n;
}

static unsigned int lines_of(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

/* ---- outbox ---- */

static void test_outbox(void)
{
	struct relay_outbox *o;
	struct relay_notice n;
	int err;

	o = relay_outbox_open(state, "test", &err);
	CHECK(o && !relay_outbox_take(o, &n));
	make_summary(1);
	CHECK(!relay_outbox_stage(o, id_of(1), DAY) && relay_outbox_waiting(o, id_of(1)));
	CHECK(!relay_outbox_stage(o, id_of(2), DAY)); /* whose summary never gets its name */
	relay_outbox_close(o);			      /* a crash */
	o = relay_outbox_open(state, "test", &err);
	CHECK(o && relay_outbox_take(o, &n) && !strcmp(n.id, id_of(1)) && !strcmp(n.day, DAY) &&
	      !strcmp(n.camera, "front"));
	CHECK(!relay_outbox_take(o, &n) && !relay_outbox_waiting(o, id_of(2)));
	relay_outbox_close(o); /* taken but not done: once more */
	o = relay_outbox_open(state, "test", &err);
	CHECK(o && relay_outbox_take(o, &n) && !strcmp(n.id, id_of(1)));
	relay_outbox_done(o, &n);
	CHECK(!relay_outbox_waiting(o, id_of(1)));
	/* more than the queue in memory has room for */
	for (unsigned int i = 100; i < 400; i++) {
		make_summary(i);
		CHECK(!relay_outbox_stage(o, id_of(i), DAY));
		relay_outbox_ready(o, id_of(i), DAY);
	}
	for (err = 0; relay_outbox_take(o, &n) && err < 2000; err++)
		relay_outbox_done(o, &n);
	CHECK(err == 300);
	relay_outbox_close(o);
	relay_outbox_close(NULL);
}

/* ---- hook ---- */

static struct relay_sinks *open_sinks(const struct relay_sinks_config *c)
{
	char why[200] = "";
	int err;
	struct relay_sinks *s = relay_sinks_open(c, &err, why, sizeof(why));

	CHECK(s && !err);
	return s;
}

static void test_hook(void)
{
	struct relay_sinks_config c = {
		.state = state, .hook = { .program = hook, .timeout_ms = 300, .parallel = 2 }
	};
	struct relay_sinks *s;
	char text[4000];

	make_summary(3);
	write_hook("trap '' TERM; echo started >>\"$0.out\"; sleep 60 & wait; sleep 60");
	/* staged by a run that died before it could announce */
	s = open_sinks(&c);
	CHECK(!relay_sinks_stage(s, id_of(3), DAY));
	relay_sinks_close(s);
	s = open_sinks(&c);
	poll(NULL, 0, 100);
	relay_sinks_close(s); /* killed with the relay: once more */
	CHECK(read_out(text, sizeof(text)) && lines_of(text) == 1);
	write_hook("echo started >>\"$0.out\"; sleep 60");
	s = open_sinks(&c);
	CHECK(wait_while(s, 3, 5000)); /* the time limit ends it, and that is that */
	CHECK(read_out(text, sizeof(text)) && lines_of(text) == 1);
	/* two at a time, in the order of the queue; what is said is no shell's */
	write_hook("echo \"$# $2 $SLUICE_TITLE\" >>\"$0.out\"; exit 3");
	for (unsigned int i = 10; i < 20; i++) {
		make_summary(i);
		CHECK(!relay_sinks_stage(s, id_of(i), DAY));
		relay_sinks_announce(s, id_of(i), DAY);
	}
	for (unsigned int i = 10; i < 20; i++)
		CHECK(wait_while(s, i, 5000));
	CHECK(read_out(text, sizeof(text)) && lines_of(text) == 10);
	CHECK(strstr(text, "4 0000000000000000000000000000000a T; $(x) `y`\n"));
	/* a program that goes away is said, and does not hold the summary for ever */
	CHECK(!unlink(hook));
	make_summary(4);
	CHECK(!relay_sinks_stage(s, id_of(4), DAY));
	relay_sinks_announce(s, id_of(4), DAY);
	CHECK(wait_while(s, 4, 5000));
	relay_sinks_close(s);
}

/* ---- webhook ---- */

struct server {
	int fd, port;
	const char *status;
	unsigned int requests;
};

static unsigned int requests(struct server *v)
{
	return __atomic_load_n(&v->requests, __ATOMIC_SEQ_CST);
}

static void *serve(void *arg)
{
	struct server *v = arg;
	char buf[8192], line[160];

	for (;;) {
		int c = accept(v->fd, NULL, NULL);

		if (c < 0)
			return NULL;
		if (read(c, buf, sizeof(buf)) > 0)
			__atomic_add_fetch(&v->requests, 1, __ATOMIC_SEQ_CST);
		snprintf(line, sizeof(line),
			 "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			 __atomic_load_n(&v->status, __ATOMIC_SEQ_CST));
		CHECK(write(c, line, strlen(line)) > 0);
		close(c);
	}
}

static void test_webhook(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct server v = { .fd = socket(AF_INET, SOCK_STREAM, 0), .status = "404 No" };
	struct relay_retention r = { .size_bytes = 1 };
	struct relay_store store = { .fd = -1 };
	socklen_t len = sizeof(at);
	struct relay_sinks *s;
	char url[80], path[400];
	pthread_t thread;
	struct relay_sinks_config c = { .state = state,
					.webhook = { .url = url,
						     .timeout_ms = 2000,
						     .retry_first_ms = 10,
						     .retry_max_ms = 20 } };

	CHECK(!bind(v.fd, (struct sockaddr *)&at, len) && !listen(v.fd, 8) &&
	      !getsockname(v.fd, (struct sockaddr *)&at, &len));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", ntohs(at.sin_port));
	CHECK(!pthread_create(&thread, NULL, serve, &v));
	s = open_sinks(&c);
	make_summary(5);
	CHECK(!relay_sinks_stage(s, id_of(5), DAY));
	relay_sinks_announce(s, id_of(5), DAY);
	CHECK(wait_while(s, 5, 5000) && requests(&v) == 1); /* 404: given up */
	__atomic_store_n(&v.status, "429 Busy", __ATOMIC_SEQ_CST);
	make_summary(6);
	CHECK(!relay_sinks_stage(s, id_of(6), DAY));
	relay_sinks_announce(s, id_of(6), DAY);
	for (int i = 0; i < 500 && requests(&v) < 4; i++)
		poll(NULL, 0, 10);
	CHECK(relay_sinks_waiting(s, id_of(6)) && requests(&v) >= 4);
	/* retention takes all but what waits */
	snprintf(path, sizeof(path), "%s/summaries", state);
	store.fd = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(relay_retention_sweep(&r, &store, s) > 300);
	snprintf(path, sizeof(path), "%s/summaries/" DAY "/%s/summary.json", state, id_of(6));
	CHECK(!access(path, F_OK));
	__atomic_store_n(&v.status, "204 Fine", __ATOMIC_SEQ_CST);
	CHECK(wait_while(s, 6, 5000));
	CHECK(relay_retention_sweep(&r, &store, s) == 1 && access(path, F_OK));
	relay_sinks_close(s);
	shutdown(v.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(v.fd);
	close(store.fd);
}

/* ---- settings and topics ---- */

static void test_conf(void)
{
	static const char *const wrong[] = { "[hook]\nprogram = sh\n",
					     "[hook]\nprogram = /nowhere/at/all\n",
					     "[webhook]\nurl = ftp://x/\n",
					     "[mqtt]\nhost = h\nprefix = a/#\n",
					     "[mqtt]\nhost = h\ncertificate = f\n",
					     "[mqtt]\nhost = h\ndevice = a/b\n" };
	char why[200];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct relay_sinks_config c = { .state = state };
		int err;
		struct sluice_conf *f = sluice_conf_parse("test", wrong[i], strlen(wrong[i]), &err,
							  why, sizeof(why));

		why[0] = 0;
		relay_sinks_conf(&c, f);
		CHECK(!sluice_conf_finish(f));
		CHECK(!relay_sinks_open(&c, &err, why, sizeof(why)) && err == -EINVAL && why[0]);
		sluice_conf_close(f);
	}
}

static void test_topics(void)
{
	struct relay_mqtt_conf c = { .prefix = "sluice", .discovery = "homeassistant" };
	struct relay_mqtt_entity e[RELAY_MQTT_ENTITIES];
	char title[600];
	json_t *o;
	char *last;

	CHECK(!relay_mqtt_discovery(&c, "my.box", "front", e));
	CHECK(!strcmp(e[0].topic, "homeassistant/binary_sensor/sluice_my_box_front/motion/config"));
	for (int i = 0; i < RELAY_MQTT_ENTITIES; i++) {
		o = json_loads(e[i].json, 0, NULL);
		CHECK(json_is_object(o) && json_object_get(o, "unique_id") &&
		      json_object_get(o, "device"));
		json_decref(o);
		free(e[i].json);
	}
	/* a title of two-byte letters is cut between them */
	title[0] = 'x';
	for (size_t i = 1; i < 501; i += 2)
		memcpy(title + i, "\xc3\xa4", 2);
	title[501] = 0;
	o = json_pack("{s:s,s:s}", "id", "x", "title", title);
	CHECK(o);
	last = relay_mqtt_last(o);
	json_decref(o);
	o = last ? json_loads(last, 0, NULL) : NULL;
	CHECK(o && json_string_length(json_object_get(o, "title")) == 249);
	json_decref(o);
	free(last);
}

int main(void)
{
	char path[400];

	sluice_log_setup("test_sinks", SLUICE_LOG_ERROR, false);
	certs_dir();
	snprintf(state, sizeof(state), "%s", certs_path("state", ""));
	state[strlen(state) - 1] = 0;
	snprintf(hook, sizeof(hook), "%s/hook", state);
	snprintf(out, sizeof(out), "%s/hook.out", state);
	CHECK(!mkdir(state, 0755));
	snprintf(path, sizeof(path), "%s/summaries", state);
	CHECK(!mkdir(path, 0755));
	snprintf(path, sizeof(path), "%s/summaries/front", state);
	CHECK(!mkdir(path, 0755));
	snprintf(path, sizeof(path), "%s/summaries/" DAY, state);
	CHECK(!mkdir(path, 0755));
	test_outbox();
	test_hook();
	test_webhook();
	test_conf();
	test_topics();
	relay_sinks_close(NULL);
	certs_remove();
	return check_result();
}
