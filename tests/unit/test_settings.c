// SPDX-License-Identifier: MIT
/* What the cloud may set: inside the bounds of the local file, whole or not at all, told truly. */
#include "check.h"
#include "lib/log.h"
#include "relay/settings.h"
#include <errno.h>
#include <string.h>

static char result[600];
static int applied;
static uint32_t version = 7; /* of a kernel that is not there */
static uint32_t word[SLUICE_SETTING_MAX + 1];

static int fake_apply(void *arg, const char *camera, const uint32_t *if_version,
		      const struct relay_setting *list, size_t count, uint32_t *now, char *why,
		      size_t why_size)
{
	CHECK(!strcmp(camera, "door"));
	if (if_version && *if_version != version) {
		snprintf(why, why_size, "the settings have another version");
		return -ESTALE;
	}
	for (size_t i = 0; i < count; i++)
		word[list[i].setting] = list[i].value;
	applied++;
	*now = ++version;
	return 0;
}

static const struct relay_settings_ops fake = { fake_apply };

static void on_result(void *arg, uint32_t slot, const char *json)
{
	CHECK(slot == 3);
	snprintf(result, sizeof(result), "%s", json);
}

static struct relay_settings_conf bounds(const char *text, int want)
{
	struct relay_settings_conf c = { .any = false };
	char why[256] = "";
	int err;
	struct sluice_conf *f =
		sluice_conf_parse("test", text, strlen(text), &err, why, sizeof(why));

	CHECK(f && !err);
	CHECK(relay_settings_conf(&c, f, why, sizeof(why)) == want);
	CHECK(!want == !why[0]);
	CHECK(want || !sluice_conf_finish(f));
	sluice_conf_close(f);
	return c;
}

static struct relay_settings *open_settings(const char *text)
{
	struct relay_settings_config c = { .conf = bounds(text, 0),
					   .ops = &fake,
					   .result = on_result };
	struct relay_settings *s;
	int err;

	s = relay_settings_open(&c, &err);
	CHECK(s && !err);
	return s;
}

static int take(struct relay_settings *s, const char *json)
{
	result[0] = 0;
	return relay_settings_take(s, 3, "door", (const uint8_t *)json, (uint32_t)strlen(json));
}

/* Refused for a reason that has these words, and nothing applied. */
static void refused(struct relay_settings *s, const char *json, const char *words)
{
	int before = applied;

	CHECK(!take(s, json));
	CHECK(applied == before && strstr(result, "\"applied\":false") && strstr(result, words));
	if (!strstr(result, words))
		fprintf(stderr, "%s: %s\n", json, result);
}

#define S(body) "{\"request\":\"r1\",\"settings\":{" body "}}"

int main(void)
{
	struct relay_settings *s = open_settings("[settings]\nrate = 1..10\npreroll = 0..8\n"
						 "preset = low..medium\n");

	sluice_log_setup("test_settings", SLUICE_LOG_ERROR, false);
	CHECK(!take(s, S("\"rate\":2.5,\"preset\":\"low\"")) && applied == 1);
	CHECK(!strcmp(result, "{\"request\":\"r1\",\"applied\":true,\"version\":8}"));
	CHECK(word[SLUICE_SETTING_RATE_MFPS] == 2500 && word[SLUICE_SETTING_PRESET] == 0);
	CHECK(!take(s, S("\"rate\":1")) && !take(s, S("\"rate\":10")) &&
	      !take(s, S("\"preroll\":0,\"preset\":\"medium\"")) && applied == 4);
	CHECK(!take(s, "{\"request\":\"r2\",\"if_version\":11,\"settings\":{\"rate\":3}}") &&
	      applied == 5 && strstr(result, "\"r2\""));
	refused(s, "{\"request\":\"r2\",\"if_version\":11,\"settings\":{\"rate\":3}}",
		"another version");
	/* outside of the bounds, of the types, of the names; one is enough for all */
	refused(s, S("\"rate\":0.999"), "outside");
	refused(s, S("\"rate\":10.1"), "outside");
	refused(s, S("\"rate\":0"), "outside");
	refused(s, S("\"preset\":\"high\""), "outside");
	refused(s, S("\"rate\":2,\"keepalive\":60"), "does not let the cloud set keepalive");
	refused(s, S("\"rate\":\"2\""), "no value");
	refused(s, S("\"rate\":-1"), "no value");
	refused(s, S("\"rate\":1e300"), "no value");
	refused(s, S("\"rate\":true"), "no value");
	refused(s, S("\"preset\":1"), "no value");
	refused(s, S("\"preset\":\"\""), "no value");
	refused(s, S("\"nonsense\":1"), "no setting 'nonsense'");
	refused(s, S(""), "settings is missing");
	refused(s, "{\"request\":\"r\"}", "settings is missing");
	refused(s, "{\"settings\":{\"rate\":2}}", "request is missing");
	refused(s, "{\"request\":\"r\",\"settings\":[2]}", "settings is missing");
	refused(s, "{\"request\":\"r\",\"extra\":1,\"settings\":{\"rate\":2}}", "unknown key");
	refused(s, "{\"request\":\"r\",\"if_version\":\"1\",\"settings\":{\"rate\":2}}", "version");
	refused(s, "{\"request\":\"r\",\"if_version\":-1,\"settings\":{\"rate\":2}}", "version");
	refused(s, "{\"request\":\"r\",\"privacy\":null,\"settings\":{\"rate\":2}}",
		"device alone");
	refused(s, "{\"request\":\"r\",\"mask\":[],\"settings\":{\"rate\":2}}", "device alone");
	CHECK(take(s, "[]") == -EPROTO && take(s, "{") == -EPROTO && take(s, "") == -EPROTO);
	CHECK(take(s, S("\"rate\":2,\"rate\":3")) == -EPROTO);
	relay_settings_close(s);
	/* nothing is allowed unless it is said */
	s = open_settings("");
	refused(s, S("\"rate\":2"), "does not let the cloud");
	relay_settings_close(s);
	CHECK(!relay_settings_take(NULL, 3, "door", (const uint8_t *)"{}", 2));
	relay_settings_close(NULL);
	bounds("[settings]\nrate = 5\n", -EINVAL);
	bounds("[settings]\nrate = 9..2\n", -EINVAL);
	bounds("[settings]\nrate = a..b\n", -EINVAL);
	bounds("[settings]\npreset = 1..2\n", -EINVAL);
	return check_result();
}
