// SPDX-License-Identifier: MIT
/* What the cloud may set: inside the bounds of the local file, whole or not at all, told truly. */
#include "check.h"
#include "lib/crc32c.h"
#include "lib/log.h"
#include "relay/settings.h"
#include <errno.h>
#include <string.h>

static char result[600];
static int applied;
static uint32_t version = 7; /* of a kernel that is not there */
static uint32_t word[SLUICE_SETTING_MAX + 1];

static uint32_t map_crc;
static struct relay_camera camera = { .name = "door", .slot = 3 };
static struct relay_desk *desk;

static int check_version(const uint32_t *if_version, char *why, size_t why_size)
{
	if (!if_version || *if_version == version)
		return 0;
	snprintf(why, why_size, "the settings have another version");
	return -ESTALE;
}

static int fake_set(const struct relay_gate *g, const uint32_t *if_version,
		    const struct relay_setting *list, size_t count, uint32_t *now, char *why,
		    size_t why_size)
{
	int err = check_version(if_version, why, why_size);

	CHECK(!strcmp(g->camera, "door"));
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		word[list[i].setting] = list[i].value;
	applied++;
	*now = ++version;
	return 0;
}

static int fake_read(const struct relay_gate *g, struct relay_gate_state *s, char *why, size_t size)
{
	*s = (struct relay_gate_state){ .width = 64, .height = 48, .grid_w = 8, .grid_h = 6 };
	return 0;
}

static int fake_map(const struct relay_gate *g, const uint32_t *if_version, const uint8_t *map,
		    size_t cells, uint32_t *now, char *why, size_t why_size)
{
	int err = check_version(if_version, why, why_size);

	CHECK(!cells || (cells == 48 && map));
	if (err)
		return err;
	map_crc = cells ? sluice_crc32c(0, map, cells) : 0;
	applied++;
	*now = ++version;
	return 0;
}

static const struct relay_gate_ops fake = { .read = fake_read, .set = fake_set, .map = fake_map };

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
	struct relay_settings_config c = {
		.conf = bounds(text, 0), .desk = desk, .ops = &fake, .result = on_result
	};
	struct relay_settings *s;
	int err;

	s = relay_settings_open(&c, &err);
	CHECK(s && !err);
	return s;
}

static int take(struct relay_settings *s, const char *json)
{
	result[0] = 0;
	return relay_settings_take(s, 3, &camera, (const uint8_t *)json, (uint32_t)strlen(json));
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

/* The sum of a map of 8 x 6 cells, all of the usual threshold but for those of a rectangle. */
static uint32_t sum_of(unsigned int x, unsigned int y, unsigned int w, unsigned int h,
		       uint8_t factor)
{
	uint8_t map[48];

	memset(map, 16, sizeof(map));
	for (unsigned int i = 0; i < w * h; i++)
		map[(y + i / w) * 8 + x + i % w] = factor;
	return sluice_crc32c(0, map, sizeof(map));
}

#define M(map)	 "{\"request\":\"m\",\"map_id\":\"one\",\"map\":" map "}"
#define Z(zones) M("{\"zones\":[" zones "]}")

/* Zones: words of sluicectl mask, inside the bounds of the file, never a privacy mask. */
static void test_map(void)
{
	struct relay_settings *s = open_settings("[settings]\nzones = 0.5..4\nignore = 25\n");
	int before = applied;

	CHECK(!take(s, Z("{\"zone\":\"2:1,1 15,1 15,15 1,15\"}")) && applied == ++before);
	CHECK(map_crc == sum_of(0, 0, 2, 2, 32));
	/* drawn in a picture of twice the size */
	CHECK(!take(s, M("{\"width\":128,\"height\":96,\"zones\":["
			 "{\"ignore\":\"66,50 94,50 94,78 66,78\"}]}")) &&
	      applied == ++before && map_crc == sum_of(4, 3, 2, 2, 0));
	/* later ones are painted over earlier ones */
	CHECK(!take(s, Z("{\"ignore\":\"1,1 15,1 15,15 1,15\"},{\"zone\":\"1:0,0 64,0 64,48 "
			 "0,48\"}")) &&
	      applied == ++before && map_crc == sum_of(0, 0, 0, 0, 16));
	CHECK(!take(s, M("null")) && applied == ++before && !map_crc);
	CHECK(!take(s,
		    M("{\"grid\":[8,6],\"cells\":\"EBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ"
		      "EBAQEBAQEBAQEBAQ\"}")) &&
	      applied == ++before && map_crc == sum_of(0, 0, 0, 0, 16));
	refused(s, Z("{\"ignore\":\"0,0 64,0 64,24 0,24\"}"), "this device allows 25 %");
	refused(s, Z("{\"zone\":\"0.25:1,1 15,1 15,15\"}"), "outside of what this device allows");
	refused(s, Z("{\"zone\":\"5:1,1 15,1 15,15\"}"), "outside of what this device allows");
	refused(s, Z("{\"zone\":\"99:1,1 15,1 15,15\"}"), "0.0625 to 15.9");
	refused(s, Z("{\"zone\":\"1,1 15,1 15,15\"}"), "0.0625 to 15.9");
	refused(s, Z("{\"zone\":\"1:1,1 15,1\"}"), "three to");
	refused(s, Z("{\"zone\":\"1:1,1 15,1 15,150\"}"), "within 64x48");
	refused(s, Z("{\"privacy\":\"1,1 15,1 15,15\"}"), "a zone is");
	refused(s, Z("7"), "a zone is");
	refused(s, M("{\"zones\":{}}"), "a map is");
	refused(s, M("{\"zones\":[],\"width\":64}"), "a map is");
	refused(s, M("{\"zones\":[],\"width\":0,\"height\":9}"), "of a picture");
	refused(s, M("{\"grid\":[9,6],\"cells\":\"\"}"), "another grid");
	refused(s, M("{\"grid\":[8,6],\"cells\":\"EBAQ\"}"), "base64 of 48");
	refused(s, M("[]"), "a map is");
	refused(s, "{\"request\":\"m\",\"map\":null,\"settings\":{\"rate\":1}}",
		"one after the other");
	relay_settings_close(s);
	s = open_settings("[settings]\nrate = 1..2\n");
	refused(s, M("null"), "does not let the cloud set zones");
	relay_settings_close(s);
	bounds("[settings]\nzones = 0..2\n", -EINVAL);
	bounds("[settings]\nzones = 1..16\n", -EINVAL);
}

#define S(body) "{\"request\":\"r1\",\"settings\":{" body "}}"

int main(void)
{
	struct relay_settings *s;
	int err;

	desk = relay_desk_open(NULL, &err);
	CHECK(desk);
	s = open_settings("[settings]\nrate = 1..10\npreroll = 0..8\n"
			  "preset = low..medium\n");

	sluice_log_setup("test_settings", SLUICE_LOG_ERROR, false);
	test_map();
	applied = 0;
	version = 7;
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
	CHECK(!relay_settings_take(NULL, 3, &camera, (const uint8_t *)"{}", 2));
	relay_settings_close(NULL);
	bounds("[settings]\nrate = 5\n", -EINVAL);
	bounds("[settings]\nrate = 9..2\n", -EINVAL);
	bounds("[settings]\nrate = a..b\n", -EINVAL);
	bounds("[settings]\npreset = 1..2\n", -EINVAL);
	relay_desk_close(desk);
	return check_result();
}
