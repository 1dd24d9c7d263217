// SPDX-License-Identifier: MIT
/*
 * The cloud's end of settings and commands, with a device that is played by hand: what is wanted
 * goes down once it has told its settings, its answers are kept, another device's answer to the
 * same request is none, and what is malformed ends the link.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "check.h"
#include "uplink.h"

static struct cloud cloud;
static char answer[65536];

/* A request of the administrator; its status. */
static int rest(const char *method, const char *path, const char *body)
{
	char request[2048];
	struct uplink u;
	int status = 0;

	snprintf(request, sizeof(request),
		 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, path, cloud.admin, strlen(body), body);
	answer[0] = 0;
	if (!uplink_dial(&u, &cloud, NULL) &&
	    uplink_http(&u, request, answer, sizeof(answer) - 1) > 0)
		sscanf(answer, "HTTP/1.1 %d", &status);
	uplink_close(&u);
	return status;
}

/* The text behind "key":" in the newest answer. */
static const char *text_of(const char *key, char out[64])
{
	char pattern[40];
	const char *at;

	snprintf(pattern, sizeof(pattern), "\"%s\":\"", key);
	at = strstr(answer, pattern);
	out[0] = 0;
	if (at)
		snprintf(out, 64, "%.*s", (int)strcspn(at + strlen(pattern), "\""),
			 at + strlen(pattern));
	return out;
}

static void send_json(struct uplink *u, uint8_t type, uint32_t slot, const char *json)
{
	_Alignas(8) static uint8_t buf[8192];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_JSON, json);
	CHECK(!w.err);
	uplink_send(u, type, 0, slot, 0, w.buf, w.used);
}

/* HELLO with these words; to WELCOME. */
static void greet(struct uplink *u, const char *who, const char *features)
{
	_Alignas(8) uint8_t buf[1024];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_clock clock = { 1000000000, 1700000000000000000, 10 };

	CHECK(!uplink_dial(u, &cloud, who) && uplink_upgrade(u) == 101);
	sluice_wire_put_text(&w, SLUICE_TAG_BOOT_ID, "b");
	sluice_wire_put_text(&w, SLUICE_TAG_BUILD, "by hand");
	sluice_wire_put_clock(&w, &clock);
	if (features)
		sluice_wire_put_text(&w, SLUICE_TAG_FEATURES, features);
	uplink_send(u, SLUICE_MSG_HELLO, 0, 0, 0, w.buf, w.used);
}

/* The JSON of the message just received. */
static json_t *json_of(const struct uplink *u)
{
	const uint8_t *bytes;
	uint32_t size;

	if (sluice_wire_get_bytes(&u->f, SLUICE_TAG_JSON, &bytes, &size))
		return NULL;
	return json_loadb((const char *)bytes, size, 0, NULL);
}

/* GET until the words are there, 5 s at most. */
static int becomes(const char *path, const char *words)
{
	for (int i = 0; i < 50; i++) {
		struct timespec pause = { 0, 100000000 };

		if (rest("GET", path, "") == 200 && strstr(answer, words))
			return 1;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "%s: no %s in %s\n", path, words, answer);
	return 0;
}

#define REPORT(version, rate)                                                    \
	"{\"gate\":\"g\",\"version\":" #version ",\"settings\":{\"rate\":" #rate \
	"},\"map\":\"none\",\"paused\":false}"

/* What is malformed ends the link; the cloud goes on. */
static void test_hostile(void)
{
	static const struct {
		uint8_t type;
		uint32_t slot;
		const char *json;
	} bad[] = {
		{ SLUICE_MSG_SETTINGS, 1, "" },
		{ SLUICE_MSG_SETTINGS, 1, "[]" },
		{ SLUICE_MSG_SETTINGS, 1, "{\"gate\":\"g\",\"version\":1,\"settings\":{}}" },
		{ SLUICE_MSG_SETTINGS, 1,
		  "{\"gate\":1,\"version\":1,\"settings\":{},\"map\":\"none\"}" },
		{ SLUICE_MSG_SETTINGS, 1,
		  "{\"gate\":\"g\",\"version\":-1,\"settings\":{},\"map\":\"none\"}" },
		{ SLUICE_MSG_SETTINGS, 1,
		  "{\"gate\":\"g\",\"version\":1,\"settings\":[],\"map\":\"none\"}" },
		{ SLUICE_MSG_SETTINGS, 2, REPORT(1, 5) }, /* a slot that is not open */
		{ SLUICE_MSG_SETTINGS, 0, REPORT(1, 5) },
		{ SLUICE_MSG_COMMAND_RESULT, 0, "{}" },
		{ SLUICE_MSG_COMMAND_RESULT, 0, "{\"request\":\"r\",\"state\":\"done\"}" },
		{ SLUICE_MSG_COMMAND_RESULT, 0,
		  "{\"request\":\"00000000000000000000000000000000\",\"state\":\"sent\"}" },
		{ SLUICE_MSG_COMMAND, 0, "{}" }, /* what only the cloud says */
	};
	_Alignas(8) uint8_t buf[1024];
	struct uplink u;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		greet(&u, "box1", "report");
		CHECK(uplink_expect(&u, SLUICE_MSG_WELCOME, 5));
		uplink_camera(&u, 1, "door", 10 + i);
		send_json(&u, bad[i].type, bad[i].slot, bad[i].json);
		CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
		uplink_close(&u);
	}
	/* words without an end */
	memset(buf, 'x', sizeof(buf));
	buf[300] = 0;
	greet(&u, "box1", (const char *)buf);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
}

static void test_desire(struct uplink *u, const char *camera)
{
	char path[100];
	json_t *o;

	snprintf(path, sizeof(path), "/v1/cameras/%s/desired", camera);
	CHECK(rest("PUT", path, "{\"settings\":{\"rate\":2}}") == 200);
	CHECK(becomes(path, "\"state\":\"waiting\"")); /* it has told nothing yet */
	send_json(u, SLUICE_MSG_SETTINGS, 1, REPORT(4, 5));
	CHECK(uplink_expect(u, SLUICE_MSG_CONFIG, 5));
	o = json_of(u);
	CHECK(json_integer_value(json_object_get(o, "if_version")) == 4 &&
	      json_number_value(json_object_get(json_object_get(o, "settings"), "rate")) == 2);
	snprintf(answer, sizeof(answer),
		 "{\"request\":\"%s\",\"applied\":false,\"code\":\"policy\",\"reason\":\"no "
		 "\\\"thanks\\\"\"}",
		 json_string_value(json_object_get(o, "request")));
	json_decref(o);
	send_json(u, SLUICE_MSG_CONFIG_RESULT, 1, answer);
	CHECK(becomes(path, "\"state\":\"refused\"") && strstr(answer, "thanks"));
	/* somebody at the device does it: in force, by whomever */
	send_json(u, SLUICE_MSG_SETTINGS, 1, REPORT(5, 2));
	CHECK(becomes(path, "\"state\":\"in_sync\""));
	CHECK(rest("DELETE", path, "") == 204 && becomes(path, "\"state\":\"none\""));
}

static void test_command(struct uplink *u)
{
	char request[64], path[100];
	struct uplink other;
	json_t *o;

	/* features are queried, never guessed */
	CHECK(rest("POST", "/v1/devices/box1/commands", "{\"command\":\"logs\"}") == 409);
	CHECK(rest("POST", "/v1/devices/box1/commands",
		   "{\"command\":\"describe\",\"deadline_s\":1}") == 202);
	text_of("request", request);
	snprintf(path, sizeof(path), "/v1/commands/%s", request);
	CHECK(uplink_expect(u, SLUICE_MSG_COMMAND, 5));
	o = json_of(u);
	CHECK(!strcmp(request, json_string_value(json_object_get(o, "request"))) &&
	      json_integer_value(json_object_get(o, "deadline_ms")) == 1000);
	json_decref(o);
	/* another device's word is none */
	greet(&other, "box2", "describe");
	CHECK(uplink_expect(&other, SLUICE_MSG_WELCOME, 5));
	snprintf(answer, sizeof(answer), "{\"request\":\"%s\",\"state\":\"done\",\"device\":{}}",
		 request);
	send_json(&other, SLUICE_MSG_COMMAND_RESULT, 0, answer);
	uplink_send(&other, SLUICE_MSG_PING, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect(&other, SLUICE_MSG_PONG, 5));
	uplink_close(&other);
	CHECK(rest("GET", path, "") == 200 && !strstr(answer, "\"state\":\"done\""));
	/* too late is told, and so is an answer that comes all the same; a second one is not */
	CHECK(becomes(path, "\"state\":\"no_answer\""));
	snprintf(answer, sizeof(answer),
		 "{\"request\":\"%s\",\"state\":\"done\",\"device\":{\"a\":1}}", request);
	send_json(u, SLUICE_MSG_COMMAND_RESULT, 0, answer);
	CHECK(becomes(path, "\"state\":\"done\"") && strstr(answer, "\"late\":true") &&
	      strstr(answer, "\"a\":1"));
	snprintf(answer, sizeof(answer), "{\"request\":\"%s\",\"state\":\"failed\"}", request);
	send_json(u, SLUICE_MSG_COMMAND_RESULT, 0, answer);
	uplink_send(u, SLUICE_MSG_PING, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect(u, SLUICE_MSG_PONG, 5));
	CHECK(becomes(path, "\"state\":\"done\""));
}

/* Settings asked once: the last ones of a camera are shown with what became of them. */
static void test_settings(struct uplink *u, const char *camera)
{
	char first[64], second[64], path[100], shown[100], words[200];
	json_t *o;

	snprintf(path, sizeof(path), "/v1/cameras/%s/settings", camera);
	snprintf(shown, sizeof(shown), "/v1/cameras/%s", camera);
	CHECK(rest("POST", path, "{\"settings\":1}") == 400);
	CHECK(rest("POST", path, "{\"settings\":{\"rate\":2},\"more\":1}") == 400);
	CHECK(rest("POST", path, "{\"settings\":{\"rate\":2}}") == 202);
	text_of("request", first);
	CHECK(uplink_expect(u, SLUICE_MSG_CONFIG, 5));
	o = json_of(u);
	CHECK(!strcmp(first, json_string_value(json_object_get(o, "request")) ?: "") &&
	      json_number_value(json_object_get(json_object_get(o, "settings"), "rate")) == 2);
	json_decref(o);
	snprintf(words, sizeof(words), "\"request\":\"%s\",\"state\":\"asked\"}", first);
	CHECK(becomes(shown, words));
	/* others are asked before an answer came, which then says nothing of them */
	CHECK(rest("POST", path, "{\"settings\":{\"rate\":3},\"if_version\":5}") == 202);
	text_of("request", second);
	CHECK(strcmp(first, second) && uplink_expect(u, SLUICE_MSG_CONFIG, 5));
	snprintf(words, sizeof(words), "{\"request\":\"%s\",\"applied\":true,\"version\":6}",
		 first);
	send_json(u, SLUICE_MSG_CONFIG_RESULT, 1, words);
	uplink_send(u, SLUICE_MSG_PING, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect(u, SLUICE_MSG_PONG, 5));
	snprintf(words, sizeof(words), "\"request\":\"%s\",\"state\":\"asked\"}", second);
	CHECK(becomes(shown, words));
	snprintf(words, sizeof(words),
		 "{\"request\":\"%s\",\"applied\":false,\"version\":6,\"reason\":\"no\"}", second);
	send_json(u, SLUICE_MSG_CONFIG_RESULT, 1, words);
	snprintf(words, sizeof(words),
		 "\"request\":\"%s\",\"state\":\"refused\",\"version\":6,\"reason\":\"no\"",
		 second);
	CHECK(becomes(shown, words));
	/* it has been answered */
	snprintf(words, sizeof(words), "{\"request\":\"%s\",\"applied\":true,\"version\":7}",
		 second);
	send_json(u, SLUICE_MSG_CONFIG_RESULT, 1, words);
	uplink_send(u, SLUICE_MSG_PING, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect(u, SLUICE_MSG_PONG, 5));
	CHECK(rest("GET", shown, "") == 200 && strstr(answer, "\"state\":\"refused\""));
}

/* Nobody has the camera any more. */
static void test_settings_gone(const char *camera)
{
	char path[100];

	CHECK(becomes("/v1/devices/box1", "\"connected\":false"));
	snprintf(path, sizeof(path), "/v1/cameras/%s/settings", camera);
	CHECK(rest("POST", path, "{\"settings\":{\"rate\":2}}") == 409 &&
	      strstr(answer, "not connected"));
}

int main(void)
{
	char camera[64];
	struct uplink u;

	signal(SIGPIPE, SIG_IGN);
	cloud_init(&cloud);
	cloud_enrol(&cloud, "box2");
	cloud_start(&cloud);
	test_hostile();
	greet(&u, "box1", "describe report settings");
	CHECK(uplink_expect(&u, SLUICE_MSG_WELCOME, 5));
	uplink_camera(&u, 1, "door", 100);
	CHECK(uplink_expect(&u, SLUICE_MSG_OPENED, 5));
	CHECK(becomes("/v1/devices/box1", "\"open\":true"));
	text_of("id", camera);
	test_desire(&u, camera);
	test_command(&u);
	test_settings(&u, camera);
	uplink_close(&u);
	test_settings_gone(camera);
	CHECK(!cloud_stop(&cloud));
	cloud_exit(&cloud);
	return check_result();
}
