// SPDX-License-Identifier: MIT
/*
 * people_pg.c - people and devices in a PostgreSQL server that runs, as index_pg.c: usage:
 * people_pg PORT CA. The cases of tests/conform/people.h over TLS; then what is left of a token,
 * and of what was known of devices, when the connection is cut.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/people_pg.h"
#include "lib/log.h"
#include "tests/conform/cut_wire.h"
#include "tests/conform/people.h"
#include "tests/conform/pg_beside.h"
#include "tests/unit/check.h"

static void rig_clear(struct conform_people *rig)
{
	(void)rig;
	pg_say("DELETE FROM tenants; DELETE FROM users; DELETE FROM recovery; DELETE FROM sessions;"
	       "DELETE FROM apitokens; DELETE FROM tokens; DELETE FROM certificates; DELETE FROM "
	       "labels; DELETE FROM audit; DELETE FROM doc; UPDATE deny SET version = 0");
}

static struct sluice_auth *rig_auth(struct conform_people *rig)
{
	char why[SLUICE_PG_WHY] = "";
	struct sluice_auth *auth;

	(void)rig;
	if (sluice_auth_pg_open(&pg_config, &auth, why)) {
		fprintf(stderr, "cannot open: %s\n", why);
		exit(1);
	}
	return auth;
}

static struct sluice_fleet *rig_fleet(struct conform_people *rig)
{
	char why[SLUICE_PG_WHY] = "";
	struct sluice_fleet *fleet;

	(void)rig;
	if (sluice_fleet_pg_open(&pg_config, &fleet, why)) {
		fprintf(stderr, "cannot open: %s\n", why);
		exit(1);
	}
	return fleet;
}

static void test_provision(void)
{
	char why[SLUICE_PG_WHY];
	struct sluice_auth *auth;
	struct sluice_fleet *fleet;

	CHECK(sluice_auth_pg_open(&pg_config, &auth, why) == -ENODEV && strstr(why, "provision"));
	CHECK(sluice_fleet_pg_open(&pg_config, &fleet, why) == -ENODEV && strstr(why, "provision"));
	CHECK(sluice_people_pg_provision(&pg_config, why) == 0);
	CHECK(sluice_people_pg_provision(&pg_config, why) == 1);
	pg_say("UPDATE people_version SET version = 99");
	CHECK(sluice_people_pg_provision(&pg_config, why) == -EPROTONOSUPPORT);
	CHECK(sluice_auth_pg_open(&pg_config, &auth, why) == -EPROTONOSUPPORT &&
	      strstr(why, "a later one"));
	pg_say("UPDATE people_version SET version = 1");
}

static int enrol(struct sluice_auth *auth, const char *secret)
{
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	struct sluice_certificate c;
	int err = sluice_auth_enrol(auth, "here", secret, sluice_utc_now(), people_issue, NULL,
				    tenant, device, &c);

	free(c.pem);
	return err;
}

/* Whichever message is lost: one token gives one certificate, and who was told so has it. */
static void test_token_cut(void)
{
	static const enum cut_wire_way ways[] = { CUT_WIRE_BEFORE, CUT_WIRE_BEHIND };
	char secret[SLUICE_SECRET_MAX];
	unsigned int way, at, sent, failed = 0;
	struct sluice_auth *auth = rig_auth(NULL);

	rig_clear(NULL);
	CHECK(!sluice_auth_tenant_add(auth, &people_local, SLUICE_TENANT));
	for (way = 0; way < 2; way++) {
		for (at = 1, sent = 1; at <= sent; at++) {
			int first, again;

			pg_say("DELETE FROM certificates");
			cut_wire_at(0, 0);
			CHECK(!sluice_auth_token_add(auth, &people_local, SLUICE_TENANT, "box", 9,
						     secret));
			cut_wire_at(ways[way], at);
			first = enrol(auth, secret);
			sent = cut_wire_at(0, 0) + (first != 0); /* there may be more */
			again = enrol(auth, secret);
			failed += first != 0;
			CHECK(first ? !again || again == -EALREADY : again == -EALREADY);
			CHECK(pg_say("SELECT count(*) FROM certificates") == 1);
			CHECK(pg_say("SELECT count(*) FROM audit WHERE action = 'enrol'") ==
			      pg_say("SELECT count(*) FROM tokens WHERE used_ns > 0"));
		}
	}
	CHECK(failed > 4);
	sluice_auth_close(auth);
}

static int64_t version_seen;

static int is_put(void *ctx)
{
	return !sluice_fleet_put(ctx, SLUICE_FLEET_ZONES, SLUICE_TENANT, "cam",
				 json_pack("{s:s}", "by", "bob"), NULL);
}

static int is_written(void *ctx)
{
	(void)ctx;
	return pg_say("SELECT count(*) FROM doc WHERE kind = 3 AND json <> ''") == 1;
}

/* Without the data base what was known holds, what people want is refused, and what devices told
 * is written when it is there again. */
static void test_away(void)
{
	struct sluice_fleet *f;
	json_t *doc;

	rig_clear(NULL);
	f = rig_fleet(NULL);
	CHECK(is_put(f));
	pg_say("ALTER TABLE doc RENAME TO doc_away");
	CHECK(!is_put(f));
	CHECK(!sluice_fleet_put(f, SLUICE_FLEET_REPORT, SLUICE_TENANT, "cam",
				json_pack("{s:s}", "device", "box"), NULL));
	CHECK(!sluice_fleet_get(f, SLUICE_FLEET_ZONES, SLUICE_TENANT, "cam", &doc));
	version_seen = json_integer_value(json_object_get(doc, "version"));
	CHECK(version_seen == 1);
	json_decref(doc);
	pg_say("ALTER TABLE doc_away RENAME TO doc");
	CHECK(people_await(is_put, f));
	CHECK(people_await(is_written, NULL));
	cut_wire_all();
	CHECK(people_await(is_put, f));
	sluice_fleet_close(f);
}

int main(int argc, char **argv)
{
	struct conform_people rig = {
		.clear = rig_clear, .auth = rig_auth, .fleet = rig_fleet, .shared = 1
	};

	if (argc != 3)
		return 2;
	sluice_log_setup("people_pg", SLUICE_LOG_ERROR, false);
	pg_beside(argv[1], argv[2]);
	test_provision();
	conform_people(&rig);
	pg_config.port = cut_wire_start(pg_beside_port());
	pg_config.sslmode = "disable"; /* so that messages are counted as they are */
	test_token_cut();
	test_away();
	return check_result();
}
