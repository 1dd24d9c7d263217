// SPDX-License-Identifier: MIT
/* test_people.c - passwords, one-time codes, credentials, sign-in limits; users, sessions, API
 * tokens and tenants in auth.db, and that each change leaves its line in the audit log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <openssl/x509.h>
#include <openssl/pem.h>

#include "cloud/auth.h"
#include "cloud/range.h"
#include "cloud/throttle.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

#define SECOND 1000000000ull

static char data[64] = "/tmp/test_people.XXXXXX";
static struct sluice_auth *auth;
static const struct sluice_actor local = { .who = "local", .address = "here" };
static const struct sluice_auth_lives lives = { 100 * SECOND, 1000 * SECOND };

/* RFC 6238, appendix B, SHA-1; RFC 4648, section 10. */
static void test_codes(void)
{
	static const struct {
		uint64_t seconds;
		const char *code;
	} vectors[] = { { 59, "94287082" },	    { 1111111109, "07081804" },
			{ 1111111111, "14050471" }, { 1234567890, "89005924" },
			{ 2000000000, "69279037" }, { 20000000000, "65353130" } };
	const uint8_t *secret = (const uint8_t *)"12345678901234567890";
	char code[9], text[SLUICE_TOTP_TEXT], uri[256];
	uint64_t used = 0;
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		sluice_totp_code(secret, 20, vectors[i].seconds / 30, 8, code);
		CHECK(!strcmp(code, vectors[i].code));
	}
	sluice_base32((const uint8_t *)"fooba", 5, text);
	CHECK(!strcmp(text, "MZXW6YTB"));
	CHECK(!sluice_totp_uri("MZXW6YTB", "Sluice", "default", "anna", uri, sizeof(uri)) &&
	      !strcmp(uri, "otpauth://totp/Sluice:anna%40default?secret=MZXW6YTB&issuer=Sluice"));
	/* one step early and late is good, two are not; none twice, none that is older */
	sluice_totp_code(secret, 20, 100, 6, code);
	CHECK(sluice_totp_check(secret, code, 98 * 30, &used) == -EACCES);
	CHECK(sluice_totp_check(secret, code, 102 * 30, &used) == -EACCES);
	CHECK(sluice_totp_check(secret, "12345", 100 * 30, &used) == -EACCES && used == 0);
	CHECK(!sluice_totp_check(secret, code, 101 * 30 + 29, &used) && used == 100);
	CHECK(sluice_totp_check(secret, code, 101 * 30, &used) == -EACCES);
	sluice_totp_code(secret, 20, 99, 6, code);
	CHECK(sluice_totp_check(secret, code, 100 * 30, &used) == -EACCES && used == 100);
	sluice_totp_code(secret, 20, 101, 6, code);
	CHECK(!sluice_totp_check(secret, code, 100 * 30, &used) && used == 101);
}

static void test_passwords(void)
{
	char hash[SLUICE_PASSWORD_HASH], again[SLUICE_PASSWORD_HASH], wrong[200], longest[130];

	CHECK(sluice_password_check("short") == -EINVAL);
	CHECK(sluice_password_check("eleven byte") == -EINVAL);
	CHECK(!sluice_password_check("twelve bytes"));
	CHECK(sluice_password_check("with\na newline") == -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[129] = 0;
	CHECK(sluice_password_check(longest) == -EINVAL);
	longest[128] = 0;
	CHECK(!sluice_password_check(longest));
	CHECK(!sluice_password_hash("correct horse", hash) &&
	      !sluice_password_hash("correct horse", again));
	CHECK(!strncmp(hash, "scrypt$15$8$1$", 14) && strcmp(hash, again));
	CHECK(!sluice_password_verify("correct horse", hash));
	CHECK(sluice_password_verify("correct horsf", hash) == -EACCES);
	CHECK(sluice_password_verify("anything at all", "") == -EACCES);
	/* a hash from a file is bounded: no gigabytes because a byte was changed there */
	snprintf(wrong, sizeof(wrong), "scrypt$25%s", hash + 9);
	CHECK(sluice_password_verify("correct horse", wrong) == -EINVAL);
	snprintf(wrong, sizeof(wrong), "%sx", hash);
	CHECK(sluice_password_verify("correct horse", wrong) == -EINVAL);
	CHECK(sluice_password_verify("correct horse", "plain") == -EINVAL);
	/* made by another implementation: hashlib.scrypt(b'correct horse', salt=bytes(range(16)),
	 * n=2**15, r=8, p=1, maxmem=2**27, dklen=32) */
	CHECK(!sluice_password_verify(
		"correct horse",
		"scrypt$15$8$1$000102030405060708090a0b0c0d0e0f$"
		"5c662628ac4eb1068a287e2aa2a202ae248e98db04d61d3327e7342db6ec7097"));
}

/* ---- credentials ---- */

static void parse(struct sluice_http *h, const char *fields)
{
	char text[2048];
	size_t used;

	snprintf(text, sizeof(text), "POST /v1/x HTTP/1.1\r\nHost: cloud.example:8443\r\n%s\r\n",
		 fields);
	sluice_http_begin_request(h, 0);
	CHECK(sluice_http_feed(h, (const uint8_t *)text, strlen(text), &used) ==
	      SLUICE_HTTP_STARTED);
}

static enum sluice_credential read_fields(const char *fields, char *secret)
{
	static struct sluice_http h;

	parse(&h, fields);
	return sluice_credential_read(&h, secret);
}

static int forged(const char *fields, const char *secret)
{
	static struct sluice_http h;

	parse(&h, fields);
	return sluice_csrf_check(&h, secret);
}

static void test_credentials(void)
{
	char s[SLUICE_SECRET_MAX], csrf[SLUICE_CSRF_MAX], other[SLUICE_CSRF_MAX], f[256];

	CHECK(read_fields("", s) == SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Authorization: Bearer ABC\r\n", s) == SLUICE_BEARER &&
	      !strcmp(s, "ABC"));
	CHECK(read_fields("Authorization: bearer ABC\r\n", s) == SLUICE_BEARER);
	CHECK(read_fields("Authorization: Bearer \r\n", s) == SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Authorization: Basic ABC\r\nCookie: __Host-sluice=K\r\n", s) ==
	      SLUICE_NO_CREDENTIAL);
	CHECK(read_fields(
		      "Authorization: Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		      "aaaaaaaaaa\r\n",
		      s) == SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Cookie: a=b; __Host-sluice=KEY; c=d\r\n", s) == SLUICE_COOKIE_SENT &&
	      !strcmp(s, "KEY"));
	CHECK(read_fields("Cookie: a=b\r\nCookie: __Host-sluice=KEY \t;\r\n", s) ==
		      SLUICE_COOKIE_SENT &&
	      !strcmp(s, "KEY"));
	CHECK(read_fields("Cookie: x__Host-sluice=KEY\r\n", s) == SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Cookie: __Host-sluiceX=KEY\r\n", s) == SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Cookie: __Host-sluice=\r\n", s) == SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Cookie: __Host-sluice\r\n", s) == SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Cookie: __Host-sluice=A; __Host-sluice=B\r\n", s) ==
	      SLUICE_NO_CREDENTIAL);
	CHECK(read_fields("Cookie: __Host-sluice=A\r\nCookie: __Host-sluice=A\r\n", s) ==
	      SLUICE_NO_CREDENTIAL);

	sluice_csrf_token("KEY", csrf);
	sluice_csrf_token("KEZ", other);
	CHECK(strlen(csrf) == 32 && strcmp(csrf, other));
	CHECK(!forged("", NULL) && forged("", "KEY") == -EACCES);
	snprintf(f, sizeof(f), "X-CSRF-Token: %s\r\n", csrf);
	CHECK(!forged(f, "KEY") && forged(f, "KEZ") == -EACCES);
	CHECK(forged("X-CSRF-Token: \r\n", "KEY") == -EACCES);
	CHECK(!forged("Origin: https://cloud.example:8443\r\n", NULL));
	CHECK(forged("Origin: https://cloud.example\r\n", NULL) == -EACCES);
	CHECK(forged("Origin: http://cloud.example:8443\r\n", NULL) == -EACCES);
	CHECK(forged("Origin: null\r\n", NULL) == -EACCES);
	CHECK(!forged("Sec-Fetch-Site: same-origin\r\n", NULL));
	CHECK(forged("Sec-Fetch-Site: same-site\r\n", NULL) == -EACCES);
	CHECK(forged("Sec-Fetch-Site: cross-site\r\n", NULL) == -EACCES);
	snprintf(f, sizeof(f), "Sec-Fetch-Site: cross-site\r\nX-CSRF-Token: %s\r\n", csrf);
	CHECK(forged(f, "KEY") == -EACCES);
}

/* RFC 9110, 14.1.2 and 13.1.2. */
static void test_ranges(void)
{
	static const struct {
		const char *field;
		uint64_t size;
		int err;
		uint64_t first, last;
	} cases[] = {
		{ "bytes=0-0", 10, 0, 0, 0 },
		{ "bytes=3-", 10, 0, 3, 9 },
		{ "bytes=-3", 10, 0, 7, 9 },
		{ "bytes=-30", 10, 0, 0, 9 },
		{ "bytes=9-9", 10, 0, 9, 9 },
		{ "bytes=5-99", 10, 0, 5, 9 },
		{ "bytes=10-", 10, -ERANGE, 0, 0 },
		{ "bytes=-0", 10, -ERANGE, 0, 0 },
		{ "bytes=0-", 0, -ERANGE, 0, 0 },
		{ "bytes=-1", 0, -ERANGE, 0, 0 },
		{ "bytes=5-4", 10, -ENOENT, 0, 0 },
		{ "bytes=1-2,4-5", 10, -ENOENT, 0, 0 },
		{ "bytes=", 10, -ENOENT, 0, 0 },
		{ "bytes=-", 10, -ENOENT, 0, 0 },
		{ "bytes=a-b", 10, -ENOENT, 0, 0 },
		{ "items=0-1", 10, -ENOENT, 0, 0 },
		{ NULL, 10, -ENOENT, 0, 0 },
		{ "bytes=0-1 ", 10, -ENOENT, 0, 0 },
		{ "bytes=9999999999999999999-", 10, -ENOENT, 0, 0 },
	};
	uint64_t first, last;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		first = last = 0;
		CHECK(sluice_range_parse(cases[i].field, cases[i].size, &first, &last) ==
		      cases[i].err);
		CHECK(cases[i].err || (first == cases[i].first && last == cases[i].last));
	}
	CHECK(!sluice_etag_listed(NULL, "\"a\"") && !sluice_etag_listed("", "\"a\""));
	CHECK(sluice_etag_listed("\"a\"", "\"a\"") && sluice_etag_listed("*", "\"a\""));
	CHECK(sluice_etag_listed("\"b\", W/\"a\"", "\"a\""));
	CHECK(!sluice_etag_listed("\"ab\"", "\"a\"") && !sluice_etag_listed("a", "\"a\""));
}

static void test_throttle(void)
{
	struct sluice_throttle *t = sluice_throttle_open(4, 900);
	uint64_t now = 1000 * SECOND;
	uint32_t wait = 0, before = 0;
	int i;

	for (i = 0; i < 4; i++)
		CHECK(!sluice_throttle_try(t, "d/anna", "192.0.2.1 port 1", now));
	/* each further one waits twice as long, at most a quarter of an hour */
	CHECK(!sluice_throttle_try(t, "d/anna", "192.0.2.1 port 2", now));
	for (i = 0; i < 12; i++) {
		wait = sluice_throttle_try(t, "d/anna", "192.0.2.1 port 3", now);
		CHECK(wait >= before && wait <= 900 && wait > 0);
		before = wait;
		now += wait * SECOND;
		CHECK(!sluice_throttle_try(t, "d/anna", "192.0.2.1 port 4", now));
	}
	CHECK(before >= 256);
	/* others are not waited for, but from the same address after a while */
	CHECK(!sluice_throttle_try(t, "d/bert", "192.0.2.9 port 1", now));
	/* a day later all is forgotten */
	now += 86400 * SECOND;
	CHECK(!sluice_throttle_try(t, "d/anna", "192.0.2.1 port 5", now));
	sluice_throttle_good(t, "d/anna", "192.0.2.1 port 5");
	for (i = 0; i < 200; i++) {
		CHECK(!sluice_throttle_try(t, "d/anna", "192.0.2.1 port 5", now));
		sluice_throttle_good(t, "d/anna", "192.0.2.1 port 5");
	}
	/* a try that is only taken back leaves the count of those before it */
	for (i = 0; i < 4; i++)
		sluice_throttle_try(t, "d/carl", "198.51.100.1 port 1", now);
	for (i = 0; i < 20; i++) {
		CHECK(!sluice_throttle_try(t, "d/carl", "198.51.100.1 port 1", now));
		sluice_throttle_back(t, "d/carl", "198.51.100.1 port 1");
	}
	CHECK(!sluice_throttle_try(t, "d/carl", "198.51.100.1 port 1", now));
	CHECK(sluice_throttle_try(t, "d/carl", "198.51.100.1 port 1", now));
	/* many users from one address; one user from many addresses is slowed for seconds only */
	for (i = 0; i < 60; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d/u%d", i);
		wait = sluice_throttle_try(t, name, "203.0.113.1 port 1", now);
	}
	CHECK(wait > 0);
	for (i = 0; i < 60; i++) {
		char address[48];

		snprintf(address, sizeof(address), "2001:db8:0:%d::1 port 9", i);
		wait = sluice_throttle_try(t, "d/dora", address, now);
	}
	CHECK(wait > 0 && wait <= 30);
	sluice_throttle_close(t);
}

/* ---- auth.db ---- */

struct last_line {
	char action[32], what[64], who[64];
	int lines;
};

static int take_line(void *ctx, const struct sluice_audit *l)
{
	struct last_line *last = ctx;

	if (!last->lines++) {
		snprintf(last->action, sizeof(last->action), "%s", l->action);
		snprintf(last->what, sizeof(last->what), "%s", l->what);
		snprintf(last->who, sizeof(last->who), "%s", l->who);
	}
	return 0;
}

/* Is that the newest line of the tenant? */
static int logged(const char *tenant, const char *action, const char *what)
{
	struct last_line last = { .lines = 0 };

	return !sluice_auth_audits(auth, tenant, NULL, NULL, INT64_MAX, 10, take_line, &last) &&
	       last.lines && !strcmp(last.action, action) && !strcmp(last.what, what);
}

static int count_who(void *ctx, const struct sluice_who *w)
{
	++*(int *)ctx;
	return 0;
}

static int count_user(void *ctx, const struct sluice_auth_user *u)
{
	++*(int *)ctx;
	return 0;
}

static void test_users(void)
{
	char secret[SLUICE_SECRET_MAX], other[SLUICE_SECRET_MAX], id[SLUICE_SHORT_ID],
		other_id[SLUICE_SHORT_ID];
	struct sluice_auth_user u;
	struct sluice_who who;
	uint64_t now = sluice_utc_now();
	int n = 0;

	CHECK(sluice_auth_user_add(auth, &local, "nowhere", "anna", SLUICE_VIEWER, "h", NULL) ==
	      -ENOENT);
	CHECK(sluice_auth_user_add(auth, &local, "a", "an na", SLUICE_VIEWER, "h", NULL) ==
	      -EINVAL);
	CHECK(sluice_auth_user_add(auth, &local, "a", "anna", SLUICE_ADMIN, "h", "") == -EINVAL);
	CHECK(sluice_auth_user_add(auth, &local, "a", "anna", SLUICE_DEVICE, "h", NULL) == -EINVAL);
	CHECK(!sluice_auth_user_add(auth, &local, "a", "anna", SLUICE_VIEWER, "h", "AA"));
	CHECK(logged("a", "user.add", "anna as viewer"));
	CHECK(sluice_auth_user_add(auth, &local, "a", "anna", SLUICE_VIEWER, "h", NULL) == -EEXIST);
	CHECK(logged("a", "user.add", "anna as viewer"));
	CHECK(!sluice_auth_user_add(auth, &local, "b", "anna", SLUICE_ADMIN, "i", NULL));
	CHECK(!sluice_auth_user_find(auth, "a", "anna", &u) && u.role == SLUICE_VIEWER &&
	      u.restricted && !strcmp(u.cameras, "AA") && !strcmp(u.hash, "h") && !u.disabled);
	CHECK(!sluice_auth_users(auth, "a", count_user, &n) && n == 1);

	/* a session has its user's role and grants, as they are now, and two ends */
	CHECK(!sluice_auth_session_add(auth, &local, "a", "anna", now, secret, id));
	CHECK(logged("a", "session.add", id));
	CHECK(!sluice_auth_session_check(auth, secret, now + 1, &lives, &who) &&
	      !strcmp(who.tenant, "a") && who.role == SLUICE_VIEWER && who.restricted &&
	      !strcmp(who.cameras, "AA") && who.is_session && !strcmp(who.id, id));
	CHECK(sluice_auth_session_check(auth, "x", now, &lives, &who) == -EACCES);
	CHECK(sluice_auth_session_check(auth, secret, now + 100 * SECOND, &lives, &who) == -EACCES);
	CHECK(!sluice_auth_session_touch(auth, id, now + 99 * SECOND));
	CHECK(!sluice_auth_session_check(auth, secret, now + 198 * SECOND, &lives, &who));
	CHECK(!sluice_auth_session_touch(auth, id, now + 999 * SECOND));
	CHECK(!sluice_auth_session_check(auth, secret, now + 999 * SECOND, &lives, &who));
	CHECK(sluice_auth_session_check(auth, secret, now + 1000 * SECOND, &lives, &who) ==
	      -EACCES);
	CHECK(!sluice_auth_session_add(auth, &local, "a", "anna", now, other, other_id));
	n = 0;
	CHECK(!sluice_auth_sessions(auth, "a", "anna", now, &lives, count_who, &n) && n == 2);
	CHECK(!sluice_auth_sessions(auth, "b", "anna", now, &lives, count_who, &n) && n == 2);
	CHECK(sluice_auth_session_drop(auth, &local, "b", NULL, other_id) == -ENOENT);
	CHECK(sluice_auth_session_drop(auth, &local, "a", "bert", other_id) == -ENOENT);
	CHECK(!sluice_auth_session_drop(auth, &local, "a", "anna", other_id));
	CHECK(sluice_auth_session_check(auth, other, now, &lives, &who) == -EACCES);

	/* grants change at once, a new password or a lock ends the sessions, but the one that did
	 * it */
	CHECK(!sluice_auth_user_change(auth, &local, "a", "anna",
				       &(struct sluice_auth_change){ .set_cameras = 1 }));
	CHECK(!sluice_auth_session_check(auth, secret, now, &lives, &who) && !who.restricted);
	CHECK(!sluice_auth_session_add(auth, &local, "a", "anna", now, other, other_id));
	CHECK(!sluice_auth_user_change(auth, &local, "a", "anna",
				       &(struct sluice_auth_change){ .hash = "j", .but = id }));
	CHECK(logged("a", "user.change", "anna password"));
	CHECK(!sluice_auth_session_check(auth, secret, now, &lives, &who));
	CHECK(sluice_auth_session_check(auth, other, now, &lives, &who) == -EACCES);
	CHECK(!sluice_auth_user_change(auth, &local, "a", "anna",
				       &(struct sluice_auth_change){ .disable = 1 }));
	CHECK(sluice_auth_session_check(auth, secret, now, &lives, &who) == -EACCES);
	CHECK(!sluice_auth_session_add(auth, &local, "a", "anna", now, secret, id));
	CHECK(sluice_auth_session_check(auth, secret, now, &lives, &who) == -EACCES);
	CHECK(sluice_auth_user_change(auth, &local, "b", "bert",
				      &(struct sluice_auth_change){ .disable = 1 }) == -ENOENT);
	CHECK(sluice_auth_user_drop(auth, &local, "b", "bert") == -ENOENT);
	CHECK(!sluice_auth_user_drop(auth, &local, "a", "anna") &&
	      sluice_auth_user_find(auth, "a", "anna", &u) == -ENOENT);
	CHECK(!sluice_auth_user_find(auth, "b", "anna", &u));
}

static void test_second_factor(void)
{
	char recovery[SLUICE_RECOVERY][SLUICE_SHORT_ID], code[9];
	uint8_t secret[SLUICE_TOTP_SECRET] = "0123456789abcdefghi";
	struct sluice_auth_user u;
	uint64_t now = 30000;

	sluice_totp_code(secret, sizeof(secret), now / 30, 6, code);
	CHECK(sluice_auth_totp_confirm(auth, &local, "b", "anna", code, now, recovery) == -ENOENT);
	CHECK(!sluice_auth_totp_begin(auth, "b", "anna", secret));
	CHECK(!sluice_auth_user_find(auth, "b", "anna", &u) && !u.totp && u.has_secret);
	CHECK(sluice_auth_totp_confirm(auth, &local, "b", "anna", "000000", now, recovery) ==
	      -EACCES);
	CHECK(!sluice_auth_totp_confirm(auth, &local, "b", "anna", code, now, recovery));
	CHECK(logged("b", "totp.on", "anna"));
	CHECK(sluice_auth_totp_begin(auth, "b", "anna", secret) == -EALREADY);
	CHECK(!sluice_auth_user_find(auth, "b", "anna", &u) && u.totp);
	CHECK(sluice_auth_totp_use(auth, &u, code, now) == -EACCES); /* it was used to confirm */
	sluice_totp_code(secret, sizeof(secret), now / 30 + 1, 6, code);
	CHECK(!sluice_auth_totp_use(auth, &u, code, now + 30));
	CHECK(sluice_auth_totp_use(auth, &u, code, now + 30) == -EACCES); /* a race: u is old */
	CHECK(!sluice_auth_totp_use(auth, &u, recovery[3], now));
	CHECK(sluice_auth_totp_use(auth, &u, recovery[3], now) == -EACCES);
	CHECK(!sluice_auth_totp_use(auth, &u, recovery[0], now));
	CHECK(sluice_auth_totp_use(auth, &u, "", now) == -EACCES);
	CHECK(!sluice_auth_user_change(auth, &local, "b", "anna",
				       &(struct sluice_auth_change){ .totp_off = 1 }));
	CHECK(!sluice_auth_user_find(auth, "b", "anna", &u) && !u.totp && !u.has_secret);
	CHECK(sluice_auth_totp_use(auth, &u, recovery[1], now) == -EACCES);
}

static void test_apitokens(void)
{
	char secret[SLUICE_SECRET_MAX];
	struct sluice_who who;
	int n = 0;

	CHECK(!sluice_auth_apitoken_add(auth, &local, "a", "ci", SLUICE_VIEWER, SLUICE_SCOPE_READ,
					"BB", 1000, secret));
	CHECK(logged("a", "apitoken.add", "ci"));
	CHECK(sluice_auth_apitoken_add(auth, &local, "a", "ci", SLUICE_VIEWER, SLUICE_SCOPE_READ,
				       NULL, 0, secret + 0) == -EEXIST);
	CHECK(sluice_auth_apitoken_add(auth, &local, "a", "x", SLUICE_VIEWER, 0, NULL, 0, secret) ==
	      -EINVAL);
	CHECK(sluice_auth_apitoken_add(auth, &local, "a", "x", SLUICE_VIEWER, 32, NULL, 0,
				       secret) == -EINVAL);
	CHECK(sluice_auth_apitoken_drop(auth, &local, "b", "ci") == -ENOENT);
	CHECK(!sluice_auth_apitoken_drop(auth, &local, "a", "ci"));
	CHECK(!sluice_auth_apitoken_add(auth, &local, "a", "ci", SLUICE_VIEWER, SLUICE_SCOPE_READ,
					"BB", 1000, secret));
	CHECK(!sluice_auth_apitoken_check(auth, secret, 999, &who) && !who.is_session &&
	      who.scopes == SLUICE_SCOPE_READ && who.restricted && !strcmp(who.cameras, "BB"));
	CHECK(sluice_auth_apitoken_check(auth, secret, 1000, &who) == -EACCES);
	CHECK(!sluice_auth_apitokens(auth, "a", count_who, &n) && n == 1);
	CHECK(!sluice_auth_apitokens(auth, "b", count_who, &n) && n == 1);
}

static void test_log(void)
{
	struct last_line last = { .lines = 0 };
	char long_text[400];

	CHECK(!sluice_auth_audits(auth, "a", "user.add", NULL, INT64_MAX, 10, take_line, &last) &&
	      last.lines == 1);
	last.lines = 0;
	CHECK(!sluice_auth_audits(auth, "a", NULL, "user:nobody", INT64_MAX, 10, take_line,
				  &last) &&
	      !last.lines);
	CHECK(!sluice_auth_audits(auth, "nowhere", NULL, NULL, INT64_MAX, 10, take_line, &last) &&
	      !last.lines);
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = 0;
	CHECK(!sluice_auth_audit(auth, "a", &local, "test", long_text, SLUICE_OK));
	/* bounded by age and by number */
	CHECK(!sluice_auth_audit_trim(auth, 0, 2) &&
	      !sluice_auth_audits(auth, "a", NULL, NULL, INT64_MAX, 10, take_line, &last) &&
	      last.lines <= 2 && last.lines > 0);
	last.lines = 0;
	CHECK(!sluice_auth_audit_trim(auth, sluice_utc_now() + 1, 2) &&
	      !sluice_auth_audits(auth, "a", NULL, NULL, INT64_MAX, 10, take_line, &last) &&
	      !last.lines);
}

/* A file of the first version: its administrators' tokens are API tokens afterwards. */
static void test_old_file(void)
{
	static const char old[] =
		"CREATE TABLE admins (hash BLOB PRIMARY KEY, tenant TEXT NOT NULL,"
		" created_ns INTEGER NOT NULL) WITHOUT ROWID;"
		"CREATE TABLE tokens (hash BLOB PRIMARY KEY, tenant TEXT NOT NULL, device TEXT NOT "
		"NULL, expires_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL DEFAULT 0) WITHOUT "
		"ROWID;"
		"CREATE TABLE certificates (serial TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
		" device TEXT NOT NULL, issued_ns INTEGER NOT NULL, not_after INTEGER NOT NULL,"
		" denied INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
		"CREATE INDEX certificates_by_device ON certificates (tenant, device);"
		"CREATE TABLE deny (version INTEGER NOT NULL); INSERT INTO deny VALUES (7);"
		/* sha256("SECRET") */
		"INSERT INTO admins VALUES "
		"(x'0917b13a9091915d54b6336f45909539cce452b3661b21f386418a2"
		"57883b30a', 'default', 5);"
		"INSERT INTO certificates VALUES ('aa', 'c', 'box', 3, 9, 0);"
		"PRAGMA user_version = 1;";
	struct sluice_auth *a = NULL;
	struct sluice_auth_tenant t;
	struct sluice_who who;
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/old.db", data);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK &&
	      sqlite3_exec(db, old, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	CHECK(!sluice_auth_open(path, &a));
	CHECK(a && !sluice_auth_apitoken_check(a, "SECRET", 1, &who) && who.role == SLUICE_ADMIN &&
	      who.scopes == SLUICE_SCOPE_ALL && !strcmp(who.tenant, "default"));
	CHECK(a && !sluice_auth_tenant_find(a, "default", &t) &&
	      !sluice_auth_tenant_find(a, "c", &t) && t.devices == 1);
	CHECK(a && !sluice_auth_allowed(a, "c", "box", "aa"));
	sluice_auth_close(a);
}

/* ---- the authority ---- */

static X509_CRL *read_crl(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509_CRL *list = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return list;
}

static void test_authority(void)
{
	char root[96], node[96], path[128], *pem = NULL;
	struct sluice_ca *ca = NULL, *second = NULL;
	const char *bad;
	X509_CRL *list;

	snprintf(root, sizeof(root), "%s/root", data);
	snprintf(node, sizeof(node), "%s/node", data);
	CHECK(!mkdir(root, 0700) && !mkdir(node, 0700));
	CHECK(!sluice_ca_create_below(node, root) && !sluice_ca_open(node, &ca));
	CHECK(ca && strlen(sluice_ca_chain(ca)) > 100 &&
	      strcmp(sluice_ca_chain(ca), sluice_ca_pem(ca)));
	CHECK(ca && !sluice_ca_server(ca, node, NULL, 0, &bad));
	/* another node below the same root: devices believe the same, the intermediates differ */
	snprintf(path, sizeof(path), "%s/node2", data);
	CHECK(!mkdir(path, 0700) && !sluice_ca_create_below(path, root) &&
	      !sluice_ca_open(path, &second));
	CHECK(ca && second && !strcmp(sluice_ca_pin(ca), sluice_ca_pin(second)) &&
	      strcmp(sluice_ca_chain(ca), sluice_ca_chain(second)));
	list = NULL;
	CHECK(ca && !sluice_auth_crl(auth, ca, &pem) && (list = read_crl(pem)) != NULL);
	CHECK(list && sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)) <= 0);
	X509_CRL_free(list);
	free(pem);
	sluice_ca_close(second);
	sluice_ca_close(ca);
}

int main(void)
{
	char path[128];

	if (!mkdtemp(data))
		return 1;
	test_codes();
	test_passwords();
	test_credentials();
	test_ranges();
	test_throttle();
	snprintf(path, sizeof(path), "%s/auth.db", data);
	CHECK(!sluice_auth_open(path, &auth));
	CHECK(!sluice_auth_tenant_add(auth, &local, "a") &&
	      !sluice_auth_tenant_add(auth, &local, "b"));
	CHECK(sluice_auth_tenant_add(auth, &local, "a") == -EEXIST);
	CHECK(sluice_auth_tenant_add(auth, &local, "a b") == -EINVAL);
	test_users();
	test_second_factor();
	test_apitokens();
	test_authority();
	test_log();
	test_old_file();
	sluice_auth_close(auth);
	tmp_dir_remove(data);
	return check_result();
}
