// SPDX-License-Identifier: MIT
/*
 * COMMAND at the device: what the local file allows, each answered once; a snapshot that finds its
 * frame in the ring; a pause that drops exactly the records behind it, also in the eyes of the next
 * relay; lines of the log, bounded; forms that a hostile cloud may send.
 */
#include "check.h"
#include "lib/log_ring.h"
#include "relay/commands.h"
#include "ringmake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char last[SLUICE_WIRE_LOG_MAX * 2];
static int answers, snapshots, link_down;
static struct relay_camera camera[SLUICE_WIRE_SLOTS];
static struct relay_desk *desk;
static struct relay_memos memos;
static struct ringmake rings;
static char state[] = "/tmp/test_commands.XXXXXX";

static int on_send(void *arg, const char *json)
{
	if (link_down)
		return -ENOTCONN;
	answers++;
	snprintf(last, sizeof(last), "%s", json);
	return 0;
}

static json_t *on_describe(void *arg)
{
	return json_pack("{s:s}", "build", "x");
}

static int fake_snapshot(const struct relay_gate *g, char *why, size_t size)
{
	CHECK(!strcmp(g->camera, "door"));
	snapshots++;
	return 0;
}

static const struct relay_gate_ops fake = { .snapshot = fake_snapshot };

static struct relay_commands *open_commands(const char *allow)
{
	struct relay_commands_config c = { .desk = desk,
					   .camera = camera,
					   .memos = &memos,
					   .ops = &fake,
					   .describe = on_describe,
					   .send = on_send };
	char text[100], why[200] = "";
	struct sluice_conf *f;
	int err;

	snprintf(text, sizeof(text), "[commands]\n%s%s\n", allow ? "allow = " : "",
		 allow ? allow : "");
	f = sluice_conf_parse("test", text, strlen(text), &err, why, sizeof(why));
	CHECK(f && !relay_commands_conf(&c.allow, f, why, sizeof(why)) && !sluice_conf_finish(f));
	sluice_conf_close(f);
	return relay_commands_open(&c);
}

static int take(struct relay_commands *s, const char *json)
{
	return relay_commands_take(s, (const uint8_t *)json, (uint32_t)strlen(json));
}

static void publish(uint64_t sequence, uint16_t reason)
{
	rings.reason = reason;
	CHECK(!ringmake_frame(&rings, sequence, "x", 1));
}

/* A new request; its answer, if there is one, in last. */
static void ask(struct relay_commands *s, const char *rest)
{
	static int number;
	char text[400];

	last[0] = 0;
	snprintf(text, sizeof(text), "{\"request\":\"r%d\",%s}", ++number, rest);
	CHECK(!take(s, text));
}

#define ANSWERED(words) \
	(strstr(last, words) ? true : (fprintf(stderr, "answer: %s\n", last), false))

static void test_policy(void)
{
	struct relay_commands *s = open_commands(NULL);
	struct sluice_conf *f;
	char why[200], words[64];
	uint32_t allow;
	int err;

	ask(s, "\"command\":\"describe\"");
	CHECK(ANSWERED("\"state\":\"done\"") && ANSWERED("\"build\":\"x\""));
	ask(s, "\"command\":\"pause\",\"camera\":\"door\"");
	CHECK(ANSWERED("\"state\":\"refused\"") &&
	      ANSWERED("does not let the cloud ask for pause"));
	CHECK(!relay_camera_paused(&camera[0]));
	ask(s, "\"command\":\"resume\",\"camera\":\"door\"");
	CHECK(ANSWERED("\"state\":\"refused\""));
	ask(s, "\"command\":\"logs\"");
	CHECK(ANSWERED("\"state\":\"refused\""));
	ask(s, "\"command\":\"reboot\"");
	CHECK(ANSWERED("knows no command 'reboot'"));
	ask(s, "\"command\":7");
	CHECK(ANSWERED("knows no command ''"));
	ask(s, "\"command\":\"snapshot\",\"camera\":\"nobody\"");
	CHECK(ANSWERED("not attached here"));
	ask(s, "\"command\":\"snapshot\",\"camera\":[]");
	CHECK(ANSWERED("not attached here"));
	relay_commands_allow(s, 0);
	ask(s, "\"command\":\"describe\"");
	CHECK(ANSWERED("\"state\":\"refused\""));
	relay_commands_close(s);
	f = sluice_conf_parse("test", "[commands]\nallow = logs,reboot\n", 31, &err, why,
			      sizeof(why));
	CHECK(relay_commands_conf(&allow, f, why, sizeof(why)) == -EINVAL &&
	      strstr(why, "'reboot'"));
	sluice_conf_close(f);
	relay_commands_words((1u << RELAY_COMMANDS) - 1, words, sizeof(words));
	CHECK(!strcmp(words, "describe snapshot pause resume logs"));
}

static void test_forms(void)
{
	struct relay_commands *s = open_commands("all");
	char text[200];
	int before = answers;

	CHECK(take(s, "") == -EPROTO && take(s, "[]") == -EPROTO && take(s, "{") == -EPROTO);
	CHECK(take(s, "{\"command\":\"logs\"}") == -EPROTO);
	CHECK(take(s, "{\"request\":\"\",\"command\":\"logs\"}") == -EPROTO);
	CHECK(take(s, "{\"request\":1,\"command\":\"logs\"}") == -EPROTO);
	snprintf(text, sizeof(text), "{\"request\":\"%065d\",\"command\":\"logs\"}", 0);
	CHECK(take(s, text) == -EPROTO && answers == before);
	/* once, whatever comes again */
	CHECK(!take(s, "{\"request\":\"same\",\"command\":\"describe\"}") && answers == before + 1);
	CHECK(!take(s, "{\"request\":\"same\",\"command\":\"describe\"}") && answers == before + 1);
	CHECK(!take(NULL, "{\"request\":\"same\",\"command\":\"describe\"}"));
	relay_commands_close(s);
}

static void test_snapshot(void)
{
	struct relay_commands *s = open_commands("snapshot");
	int before = answers;

	ask(s, "\"command\":\"snapshot\",\"camera\":\"door\"");
	CHECK(snapshots == 1 && answers == before);
	publish(41, SLUICE_REASON_MOTION);
	relay_commands_look(s, &camera[0]);
	CHECK(answers == before);
	publish(42, SLUICE_REASON_SNAPSHOT);
	relay_commands_look(s, &camera[0]);
	CHECK(answers == before + 1 && ANSWERED("\"sequence\":\"42\"") &&
	      ANSWERED("\"state\":\"done\""));
	relay_commands_look(s, &camera[0]);
	CHECK(answers == before + 1);
	/* an answer that finds no link waits for one */
	ask(s, "\"command\":\"snapshot\",\"camera\":\"door\"");
	link_down = 1;
	publish(43, SLUICE_REASON_SNAPSHOT);
	relay_commands_look(s, &camera[0]);
	CHECK(answers == before + 1);
	link_down = 0;
	relay_commands_linked(s);
	CHECK(answers == before + 2 && ANSWERED("\"sequence\":\"43\""));
	/* too many at a time */
	for (int i = 0; i < 16; i++)
		ask(s, "\"command\":\"snapshot\",\"camera\":\"door\"");
	CHECK(answers == before + 2);
	ask(s, "\"command\":\"snapshot\",\"camera\":\"door\"");
	CHECK(answers == before + 3 && ANSWERED("too many"));
	relay_commands_close(s);
}

static void test_pause(void)
{
	struct relay_commands *s = open_commands("pause, snapshot");
	struct relay_memos later;
	struct relay_camera again;
	uint64_t head;

	ask(s, "\"command\":\"pause\",\"camera\":\"door\"");
	CHECK(ANSWERED("\"paused\":true") && relay_camera_paused(&camera[0]));
	head = relay_ring_head(&camera[0].ring);
	ask(s, "\"command\":\"snapshot\",\"camera\":\"door\"");
	CHECK(ANSWERED("the camera is paused"));
	ask(s, "\"command\":\"pause\",\"camera\":\"door\"");
	CHECK(ANSWERED("\"paused\":true") && camera[0].pauses == 1);
	/* the next relay knows it: of the same ring, and of one that was made anew */
	relay_memos_open(&later, state, desk);
	memset(&again, 0, sizeof(again));
	again = camera[0];
	again.pauses = 0;
	relay_memo_attached(&later, &again);
	CHECK(again.pauses == 1 && again.pause[0].first == head && relay_camera_paused(&again));
	relay_memo_get(&later, "door")->gate[0] = 'x';
	again.pauses = 0;
	relay_memo_attached(&later, &again);
	CHECK(again.pauses == 1 && again.pause[0].first == 0 && relay_camera_paused(&again));
	ask(s, "\"command\":\"resume\",\"camera\":\"door\"");
	CHECK(ANSWERED("\"paused\":false") && !relay_camera_paused(&camera[0]));
	relay_memos_open(&later, state, desk);
	again.pauses = 0;
	relay_memo_attached(&later, &again);
	CHECK(!relay_camera_paused(&again));
	relay_commands_close(s);
}

static void test_logs(void)
{
	struct relay_commands *s = open_commands("logs");
	char line[1500];

	sluice_log_ring_put(SLUICE_LOG_INFO, 1, "one \"quoted\" line");
	sluice_log_ring_put(SLUICE_LOG_DEBUG, 2, "too small to tell");
	sluice_log_ring_put(SLUICE_LOG_ERROR, 3, "trouble");
	ask(s, "\"command\":\"logs\",\"lines\":2,\"level\":\"error\"");
	CHECK(ANSWERED("trouble") && !strstr(last, "quoted"));
	ask(s, "\"command\":\"logs\",\"lines\":1");
	CHECK(ANSWERED("\"state\":\"done\""));
	ask(s, "\"command\":\"logs\",\"lines\":0");
	CHECK(ANSWERED("refused"));
	ask(s, "\"command\":\"logs\",\"lines\":\"many\"");
	CHECK(ANSWERED("refused"));
	ask(s, "\"command\":\"logs\",\"level\":\"all\"");
	CHECK(ANSWERED("refused"));
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	for (int i = 0; i < 3000; i++)
		sluice_log_ring_put(SLUICE_LOG_INFO, (uint64_t)i, line);
	ask(s, "\"command\":\"logs\",\"lines\":2000");
	CHECK(ANSWERED("\"state\":\"done\"") && strlen(last) <= SLUICE_WIRE_LOG_MAX &&
	      !strstr(last, "\"left_out\":0"));
	relay_commands_close(s);
}

int main(void)
{
	struct relay_ring ring;
	char command[100], why[160];
	int err;

	sluice_log_setup("test_commands", SLUICE_LOG_ERROR, false);
	CHECK(!sluice_log_ring_start());
	CHECK(mkdtemp(state));
	desk = relay_desk_open(NULL, &err);
	relay_memos_open(&memos, state, desk);
	ringmake_open(&rings, "door", 64, 1u << 20);
	ringmake_stream(&rings, 100, 64, 48);
	CHECK(desk && !relay_ring_map(&ring, rings.fd, rings.size, why, sizeof(why)));
	camera[0].slot = 1;
	CHECK(!relay_camera_attach(&camera[0], &ring));
	test_policy();
	test_forms();
	test_snapshot();
	test_pause();
	test_logs();
	relay_camera_detach(&camera[0]);
	ringmake_close(&rings);
	relay_desk_close(desk);
	snprintf(command, sizeof(command), "rm -rf %s", state);
	return system(command) || check_result();
}
