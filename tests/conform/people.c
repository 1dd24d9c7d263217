// SPDX-License-Identifier: MIT
/*
 * people.c - what must hold of people, devices and what is wanted of them, with two handles that
 * know nothing of each other, as two nodes have them. What may happen once is tried by both at the
 * same time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/rand.h>

#include "tests/conform/people.h"
#include "tests/unit/check.h"

#define T SLUICE_TENANT

const struct sluice_actor people_local = { .who = "local" };
static const struct sluice_auth_lives lives = { 3600000000000ull, 86400000000000ull };
static struct sluice_auth *a, *b;

int people_await(int (*holds)(void *ctx), void *ctx)
{
	int i;

	for (i = 0; i < 6000; i++) {
		if (holds(ctx))
			return 1;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return 0;
}

int people_issue(void *ctx, const char *tenant, const char *device, struct sluice_certificate *out)
{
	uint8_t raw[16];

	(void)ctx;
	(void)tenant;
	(void)device;
	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return -EIO;
	sluice_hex(raw, sizeof(raw), out->serial);
	out->pem = strdup("certificate");
	out->not_after = (int64_t)(sluice_utc_now() / 1000000000u) + 86400;
	return 0;
}

static void open_both(struct conform_people *rig)
{
	rig->clear(rig);
	a = rig->auth(rig);
	b = rig->auth(rig);
	CHECK(!sluice_auth_tenant_add(a, &people_local, T));
	CHECK(sluice_auth_tenant_add(b, &people_local, T) == -EEXIST);
}

static void close_both(void)
{
	sluice_auth_close(a);
	sluice_auth_close(b);
	a = b = NULL;
}

/* ---- both at once ---- */

struct attempt {
	struct sluice_auth *auth;
	pthread_barrier_t *start;
	int (*fn)(struct sluice_auth *auth, const void *what);
	const void *what;
	int rc;
};

static void *run_attempt(void *arg)
{
	struct attempt *t = arg;

	pthread_barrier_wait(t->start);
	t->rc = t->fn(t->auth, t->what);
	return NULL;
}

/* One of the two succeeds, and the other is told refused. */
static void once_of_both(int (*fn)(struct sluice_auth *auth, const void *what), const void *what,
			 int refused)
{
	pthread_barrier_t start;
	struct attempt t[2] = { { a, &start, fn, what, 1 }, { b, &start, fn, what, 1 } };
	pthread_t thread[2];
	int i;

	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&thread[i], NULL, run_attempt, &t[i]));
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&start);
	CHECK((!t[0].rc && t[1].rc == refused) || (!t[1].rc && t[0].rc == refused));
}

static int enrol(struct sluice_auth *auth, const void *secret)
{
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	struct sluice_certificate c;
	int err = sluice_auth_enrol(auth, "here", secret, sluice_utc_now(), people_issue, NULL,
				    tenant, device, &c);

	free(c.pem);
	return err;
}

static int count_device(void *ctx, const struct sluice_auth_device *d)
{
	++*(int *)ctx;
	CHECK(!d->revoked && !strcmp(d->device, "box"));
	return 0;
}

static void test_token_once(struct conform_people *rig)
{
	char secret[SLUICE_SECRET_MAX];
	int i, count = 0;

	open_both(rig);
	for (i = 0; i < 20; i++) {
		CHECK(!sluice_auth_token_add(i & 1 ? a : b, &people_local, T, "box", 10, secret));
		once_of_both(enrol, secret, -EALREADY);
	}
	CHECK(enrol(a, "NOSUCHTOKEN") == -EACCES);
	CHECK(!sluice_auth_devices(b, T, count_device, &count) && count == 1);
	close_both();
}

struct code {
	struct sluice_auth_user user;
	char text[SLUICE_SHORT_ID];
	uint64_t now_s;
};

static int use_code(struct sluice_auth *auth, const void *what)
{
	const struct code *c = what;

	return sluice_auth_totp_use(auth, &c->user, c->text, c->now_s);
}

/* With what each of them knew of the user before. */
static void test_code_once(struct conform_people *rig)
{
	char recovery[SLUICE_RECOVERY][SLUICE_SHORT_ID];
	uint8_t secret[SLUICE_TOTP_SECRET];
	struct code c = { .now_s = 1000000000 };
	int i;

	open_both(rig);
	memset(secret, 7, sizeof(secret));
	CHECK(!sluice_auth_user_add(a, &people_local, T, "ann", SLUICE_VIEWER, "hash", NULL));
	CHECK(sluice_auth_user_add(b, &people_local, T, "ann", SLUICE_VIEWER, "h", NULL) ==
	      -EEXIST);
	CHECK(!sluice_auth_totp_begin(b, T, "ann", secret));
	sluice_totp_code(secret, sizeof(secret), c.now_s / 30, 6, c.text);
	CHECK(!sluice_auth_totp_confirm(a, &people_local, T, "ann", c.text, c.now_s, recovery));
	CHECK(sluice_auth_totp_confirm(b, &people_local, T, "ann", c.text, c.now_s, recovery) ==
	      -EALREADY);
	CHECK(sluice_auth_totp_begin(b, T, "ann", secret) == -EALREADY);
	for (i = 0; i < 10; i++) {
		CHECK(!sluice_auth_user_find(b, T, "ann", &c.user) && c.user.totp);
		c.now_s += 30;
		sluice_totp_code(secret, sizeof(secret), c.now_s / 30, 6, c.text);
		once_of_both(use_code, &c, -EACCES);
		CHECK(use_code(a, &c) == -EACCES);
		memcpy(c.text, recovery[i], sizeof(c.text));
		once_of_both(use_code, &c, -EACCES);
	}
	CHECK(!sluice_auth_user_change(a, &people_local, T, "ann",
				       &(struct sluice_auth_change){ .totp_off = 1 }));
	CHECK(!sluice_auth_user_find(b, T, "ann", &c.user) && !c.user.totp && !c.user.has_secret);
	close_both();
}

static int add_apitoken(struct sluice_auth *auth, const void *name)
{
	char secret[SLUICE_SECRET_MAX];

	return sluice_auth_apitoken_add(auth, &people_local, T, name, SLUICE_VIEWER,
					SLUICE_SCOPE_READ, NULL, 0, secret);
}

static void test_names_once(struct conform_people *rig)
{
	open_both(rig);
	once_of_both(add_apitoken, "ci", -EEXIST);
	once_of_both(add_apitoken, "other", -EEXIST);
	CHECK(!sluice_auth_apitoken_drop(a, &people_local, T, "ci"));
	CHECK(sluice_auth_apitoken_drop(b, &people_local, T, "ci") == -ENOENT);
	close_both();
}

/* ---- what one does the other sees ---- */

static int renew(struct sluice_auth *auth, const char *serial, char next[SLUICE_CA_SERIAL])
{
	struct sluice_certificate c;
	int err = sluice_auth_renew(auth, "here", T, "box", serial, sluice_utc_now(), people_issue,
				    NULL, &c);

	if (!err)
		memcpy(next, c.serial, sizeof(c.serial));
	free(c.pem);
	return err;
}

struct renewing {
	struct sluice_auth *auth;
	char serial[SLUICE_CA_SERIAL];
	pthread_barrier_t start;
};

/* Until it may no more. */
static void *run_renewing(void *arg)
{
	struct renewing *r = arg;
	int err;

	pthread_barrier_wait(&r->start);
	while (!(err = renew(r->auth, r->serial, r->serial)))
		;
	CHECK(err == -EKEYREVOKED || err == -EBUSY);
	return NULL;
}

static int see_device(void *ctx, const struct sluice_auth_device *d)
{
	*(struct sluice_auth_device *)ctx = *d;
	return 0;
}

static int count_serial(void *ctx, const char *serial, uint64_t denied_ns)
{
	CHECK(strlen(serial) == 32 && denied_ns);
	++*(int *)ctx;
	return 0;
}

/* While a device takes one certificate after the other it is denied: none of them is left. */
static void test_revoke(struct conform_people *rig)
{
	struct sluice_auth_device d = { .revoked = 0 };
	struct renewing r;
	char secret[SLUICE_SECRET_MAX], tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	struct sluice_certificate c;
	int64_t before, after;
	pthread_t thread;
	int denied = 0;

	open_both(rig);
	CHECK(!sluice_auth_token_add(a, &people_local, T, "box", 10, secret));
	CHECK(!sluice_auth_enrol(b, "here", secret, sluice_utc_now(), people_issue, NULL, tenant,
				 device, &c));
	CHECK(!strcmp(tenant, T) && !strcmp(device, "box"));
	free(c.pem);
	CHECK(!sluice_auth_allowed(a, T, "box", c.serial));
	CHECK(sluice_auth_allowed(a, T, "other", c.serial) == -ENOENT);
	CHECK(sluice_auth_allowed(a, "others", "box", c.serial) == -ENOENT);
	CHECK(!sluice_auth_label(a, &people_local, T, "box", "by the door"));
	CHECK(!sluice_auth_label(b, &people_local, T, "box", "at the door"));
	CHECK(sluice_auth_label(b, &people_local, T, "none", "x") == -ENOENT);
	CHECK(!sluice_auth_deny_version(a, &before));
	CHECK(sluice_auth_revoke(b, &people_local, T, "none") == -ENOENT);
	r.auth = a;
	memcpy(r.serial, c.serial, sizeof(r.serial));
	pthread_barrier_init(&r.start, NULL, 2);
	CHECK(!pthread_create(&thread, NULL, run_renewing, &r));
	pthread_barrier_wait(&r.start);
	CHECK(!sluice_auth_token_add(b, &people_local, T, "box", 10, secret));
	CHECK(!sluice_auth_revoke(b, &people_local, T, "box"));
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&r.start);
	CHECK(enrol(a, secret) == -EACCES); /* voided */
	CHECK(sluice_auth_allowed(a, T, "box", r.serial) == -EKEYREVOKED);
	CHECK(renew(a, r.serial, r.serial) == -EKEYREVOKED);
	CHECK(!sluice_auth_devices(a, T, see_device, &d) && d.revoked);
	CHECK(!strcmp(d.label, "at the door"));
	CHECK(!sluice_auth_deny_version(a, &after) && after > before);
	CHECK(!sluice_auth_denied(a, (int64_t)(sluice_utc_now() / 1000000000u), count_serial,
				  &denied));
	CHECK(denied >= 1);
	close_both();
}

static int count_who(void *ctx, const struct sluice_who *w)
{
	CHECK(!strcmp(w->name, "ann"));
	++*(int *)ctx;
	return 0;
}

static void test_sessions(struct conform_people *rig)
{
	char secret[SLUICE_SECRET_MAX], id[SLUICE_SHORT_ID], other[SLUICE_SECRET_MAX];
	uint64_t now = sluice_utc_now();
	struct sluice_who w;
	int i, count = 0;

	open_both(rig);
	CHECK(!sluice_auth_user_add(a, &people_local, T, "ann", SLUICE_OPERATOR, "hash", NULL));
	CHECK(!sluice_auth_session_add(a, &people_local, T, "ann", now, secret, id));
	CHECK(!sluice_auth_session_check(b, secret, now, &lives, &w));
	CHECK(w.role == SLUICE_OPERATOR && w.is_session && !strcmp(w.id, id) && !w.restricted);
	/* ended there, ended here */
	CHECK(!sluice_auth_session_drop(b, &people_local, T, NULL, id));
	CHECK(sluice_auth_session_check(a, secret, now, &lives, &w) == -EACCES);
	CHECK(sluice_auth_session_drop(a, &people_local, T, NULL, id) == -ENOENT);
	/* used there, alive here */
	CHECK(!sluice_auth_session_add(a, &people_local, T, "ann", now, secret, id));
	CHECK(sluice_auth_session_check(a, secret, now + lives.idle_ns, &lives, &w) == -EACCES);
	CHECK(!sluice_auth_session_touch(b, id, now + 1000));
	CHECK(!sluice_auth_session_touch(b, id, now + 10)); /* never back */
	CHECK(!sluice_auth_session_check(a, secret, now + lives.idle_ns, &lives, &w));
	/* another password ends all but the one it was given in */
	CHECK(!sluice_auth_session_add(b, &people_local, T, "ann", now, other, id));
	CHECK(!sluice_auth_user_change(b, &people_local, T, "ann",
				       &(struct sluice_auth_change){ .hash = "new", .but = id }));
	CHECK(sluice_auth_session_check(a, secret, now, &lives, &w) == -EACCES);
	CHECK(!sluice_auth_session_check(a, other, now, &lives, &w));
	/* grants of a user are those of the moment */
	CHECK(!sluice_auth_user_change(a, &people_local, T, "ann",
				       &(struct sluice_auth_change){ .set_cameras = 1,
								     .cameras = "00" }));
	CHECK(!sluice_auth_session_check(b, other, now, &lives, &w) && w.restricted);
	CHECK(sluice_auth_user_change(b, &people_local, T, "ann",
				      &(struct sluice_auth_change){ .role = SLUICE_ADMIN }) ==
	      -EINVAL);
	/* locked */
	CHECK(!sluice_auth_user_change(a, &people_local, T, "ann",
				       &(struct sluice_auth_change){ .disable = 1 }));
	CHECK(sluice_auth_session_check(b, other, now, &lives, &w) == -EACCES);
	for (i = 0; i < SLUICE_SESSIONS_MAX + 3; i++)
		CHECK(!sluice_auth_session_add(i & 1 ? a : b, &people_local, T, "ann",
					       now + (uint64_t)i, secret, id));
	CHECK(!sluice_auth_sessions(b, T, "ann", now, &lives, count_who, &count));
	CHECK(count == SLUICE_SESSIONS_MAX);
	CHECK(!sluice_auth_sessions_trim(a, now + 2 * lives.whole_ns, &lives));
	count = 0;
	CHECK(!sluice_auth_sessions(b, T, "ann", now, &lives, count_who, &count) && !count);
	CHECK(!sluice_auth_user_drop(b, &people_local, T, "ann"));
	CHECK(sluice_auth_user_drop(a, &people_local, T, "ann") == -ENOENT);
	close_both();
}

static void test_apitokens(struct conform_people *rig)
{
	char secret[SLUICE_SECRET_MAX], id[SLUICE_SHORT_ID];
	uint64_t now = sluice_utc_now();
	struct sluice_who w;

	open_both(rig);
	CHECK(!sluice_auth_apitoken_add(a, &people_local, T, "ci", SLUICE_OPERATOR,
					SLUICE_SCOPE_READ | SLUICE_SCOPE_ENROL, "AA", now + 1000,
					secret));
	CHECK(!sluice_auth_apitoken_check(b, secret, now, &w));
	CHECK(w.role == SLUICE_OPERATOR && w.scopes == (SLUICE_SCOPE_READ | SLUICE_SCOPE_ENROL));
	CHECK(w.restricted && !strcmp(w.cameras, "AA") && !w.is_session);
	sluice_auth_short_id(secret, id);
	CHECK(!strcmp(w.id, id));
	CHECK(!sluice_auth_apitoken_touch(b, id, now + 5));
	CHECK(!sluice_auth_apitoken_check(a, secret, now, &w) && w.used_ns == now + 5);
	CHECK(sluice_auth_apitoken_check(b, secret, now + 1000, &w) == -EACCES);
	CHECK(!sluice_auth_apitoken_drop(b, &people_local, T, id));
	CHECK(sluice_auth_apitoken_check(a, secret, now, &w) == -EACCES);
	CHECK(sluice_auth_apitoken_add(a, &people_local, "none", "ci", SLUICE_VIEWER, 1, NULL, 0,
				       secret) == -ENOENT);
	close_both();
}

struct lines {
	char text[1024];
	int64_t last;
};

static int add_line(void *ctx, const struct sluice_audit *l)
{
	struct lines *s = ctx;
	size_t used = strlen(s->text);

	snprintf(s->text + used, sizeof(s->text) - used, "%s(%s)%d ", l->action, l->what,
		 (int)l->result);
	s->last = l->id;
	return 0;
}

static void test_audit(struct conform_people *rig)
{
	const struct sluice_actor ann = { .who = "user:ann", .address = "there" };
	char cut[210];
	struct lines s = { .last = 0 };

	open_both(rig);
	CHECK(!sluice_auth_audit(a, T, &ann, "one", "1", SLUICE_OK));
	CHECK(!sluice_auth_audit(b, T, &ann, "two", "2", SLUICE_DENIED));
	CHECK(!sluice_auth_audit(a, T, &people_local, "one", "3", SLUICE_FAILED));
	CHECK(!sluice_auth_audit(b, "others", &ann, "one", "4", SLUICE_OK));
	CHECK(!sluice_auth_audits(b, T, NULL, NULL, INT64_MAX, 2, add_line, &s));
	CHECK(!strcmp(s.text, "one(3)1 two(2)2 "));
	s.text[0] = 0;
	CHECK(!sluice_auth_audits(a, T, NULL, NULL, s.last, 9, add_line, &s));
	CHECK(!strcmp(s.text, "one(1)0 tenant.add(default)0 "));
	s.text[0] = 0;
	CHECK(!sluice_auth_audits(a, T, "one", "user:ann", INT64_MAX, 9, add_line, &s));
	CHECK(!strcmp(s.text, "one(1)0 "));
	/* what is no text, and what is cut within a character, is a line all the same */
	memset(cut, 'x', 199);
	memcpy(cut + 199, "\xc3\xa4", 3);
	CHECK(!sluice_auth_audit(a, T, &ann, "cut", cut, SLUICE_OK));
	CHECK(!sluice_auth_audit(b, T, &ann, "raw", "\xff \xc3\xa4 \xed\xa0\x80", SLUICE_OK));
	s.text[0] = 0;
	CHECK(!sluice_auth_audits(a, T, "raw", NULL, INT64_MAX, 9, add_line, &s));
	CHECK(!strcmp(s.text, "raw(? \xc3\xa4 ?\?\?)0 "));
	CHECK(!sluice_auth_audit_trim(b, 0, 1));
	s.text[0] = 0;
	CHECK(!sluice_auth_audits(a, T, NULL, NULL, INT64_MAX, 9, add_line, &s));
	CHECK(!strncmp(s.text, "raw(", 4) && !strstr(s.text, "cut("));
	CHECK(!sluice_auth_audit_trim(b, UINT64_MAX / 4, 100));
	s.text[0] = 0;
	CHECK(!sluice_auth_audits(a, T, NULL, NULL, INT64_MAX, 9, add_line, &s) && !s.text[0]);
	close_both();
}

/* ---- what is wanted of devices ---- */

#define HEX "00000000000000000000000000000001"

static int put(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *name,
	       const char *text, const int64_t *if_version)
{
	return sluice_fleet_put(f, kind, T, name, json_loads(text, 0, NULL), if_version);
}

static int64_t version_of(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *name)
{
	int64_t version;
	json_t *doc;

	if (sluice_fleet_get(f, kind, T, name, &doc))
		return 0;
	version = json_integer_value(json_object_get(doc, "version"));
	json_decref(doc);
	return version;
}

/* One node: what is durable is there again. */
static void test_documents(struct conform_people *rig)
{
	const int64_t none = 0, one = 1, two = 2;
	struct sluice_fleet *f;
	json_t *asked;

	rig->clear(rig);
	f = rig->fleet(rig);
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &none));
	CHECK(put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &none) == -EEXIST);
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &one));
	CHECK(put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &one) == -ESTALE);
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", NULL));
	CHECK(put(f, SLUICE_FLEET_DESIRED, "other", "{}", &two) == -ESTALE);
	CHECK(!put(f, SLUICE_FLEET_COMMAND, "r1", "{\"state\":\"sent\"}", NULL));
	CHECK(!put(f, SLUICE_FLEET_REPORT, HEX, "{\"device\":\"box\",\"session\":7}", NULL));
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s1\"}", NULL));
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s2\"}", NULL));
	CHECK(sluice_fleet_remove(f, SLUICE_FLEET_GROUP, T, "none", NULL) == -ENOENT);
	sluice_fleet_close(f);
	f = rig->fleet(rig);
	CHECK(!sluice_fleet_get(f, SLUICE_FLEET_ASKED, T, HEX, &asked));
	CHECK(!strcmp(json_string_value(json_object_get(asked, "request")) ?: "", "s2") &&
	      !json_object_get(asked, "version"));
	json_decref(asked);
	CHECK(version_of(f, SLUICE_FLEET_DESIRED, HEX) == 3);
	CHECK(sluice_fleet_remove(f, SLUICE_FLEET_DESIRED, T, HEX, &two) == -ESTALE);
	CHECK(!sluice_fleet_remove(f, SLUICE_FLEET_DESIRED, T, HEX, NULL));
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &none));
	CHECK(version_of(f, SLUICE_FLEET_DESIRED, HEX) == 1);
	sluice_fleet_close(f);
}

struct sight {
	struct sluice_fleet *fleet;
	enum sluice_fleet_kind kind;
	const char *name, *key, *value; /* value NULL: it is gone */
};

static int is_seen(void *ctx)
{
	const struct sight *s = ctx;
	json_t *doc;
	int err = sluice_fleet_get(s->fleet, s->kind, T, s->name, &doc), seen;
	const char *text = json_string_value(json_object_get(doc, s->key));

	seen = s->value ? text && !strcmp(text, s->value) : err == -ENOENT;
	json_decref(doc);
	return seen;
}

static pthread_mutex_t wished_lock = PTHREAD_MUTEX_INITIALIZER;
static char wished[64];

static void on_wished(void *ctx, const char *tenant, const char *device)
{
	(void)ctx;
	pthread_mutex_lock(&wished_lock);
	snprintf(wished, sizeof(wished), "%s/%s", tenant, device);
	pthread_mutex_unlock(&wished_lock);
}

static int is_wished(void *ctx)
{
	int is;

	pthread_mutex_lock(&wished_lock);
	is = !strcmp(wished, ctx);
	pthread_mutex_unlock(&wished_lock);
	return is;
}

/* The last command that another node has changed. */
static void on_commanded(void *ctx, const char *tenant, const char *request, const json_t *doc)
{
	(void)ctx;
	pthread_mutex_lock(&wished_lock);
	snprintf(wished, sizeof(wished), "%s/%s/%s/%s", tenant, request,
		 json_string_value(json_object_get(doc, "state")) ?: "",
		 json_string_value(json_object_get(doc, "ask")) ?: "");
	pthread_mutex_unlock(&wished_lock);
}

/* The last settings that another node has asked of a camera, or ended. */
static void on_asked(void *ctx, const char *tenant, const char *camera, const json_t *doc)
{
	(void)camera;
	on_commanded(ctx, tenant, json_string_value(json_object_get(doc, "request")), doc);
}

static const struct sluice_fleet_watcher watcher = { on_wished, on_commanded, on_asked };

static void test_others(struct conform_people *rig)
{
	struct sluice_fleet *f, *g;
	struct sight s = { .kind = SLUICE_FLEET_ZONES, .name = HEX, .key = "by", .value = "ann" };
	const int64_t none = 0, one = 1;
	uint64_t turn;

	rig->clear(rig);
	f = rig->fleet(rig);
	g = rig->fleet(rig);
	s.fleet = g;
	sluice_fleet_watch(g, &watcher, NULL);
	/* zones: seen, and seen to be others; over what is there, not over what was last known */
	turn = sluice_fleet_zones_turn(g);
	CHECK(!put(f, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"ann\"}", &none));
	CHECK(put(g, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"bob\"}", &none) == -EEXIST);
	CHECK(people_await(is_seen, &s) && sluice_fleet_zones_turn(g) > turn);
	CHECK(!put(g, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"bob\"}", &one));
	CHECK(put(f, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"cid\"}", &one) == -ESTALE);
	s.fleet = f;
	s.value = "bob";
	CHECK(people_await(is_seen, &s) && version_of(f, SLUICE_FLEET_ZONES, HEX) == 2);
	turn = sluice_fleet_zones_turn(g);
	CHECK(!sluice_fleet_remove(f, SLUICE_FLEET_ZONES, T, HEX, NULL));
	s.fleet = g;
	s.value = NULL;
	CHECK(people_await(is_seen, &s) && sluice_fleet_zones_turn(g) > turn);
	/* what a device tells one node, but for the session, which is that node's */
	CHECK(!put(f, SLUICE_FLEET_REPORT, HEX, "{\"device\":\"box\",\"session\":7}", NULL));
	s = (struct sight){ g, SLUICE_FLEET_REPORT, HEX, "device", "box" };
	CHECK(people_await(is_seen, &s));
	/* whose wishes are others now */
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", NULL));
	CHECK(people_await(is_wished, "default/box"));
	CHECK(!put(f, SLUICE_FLEET_GROUP, "yard",
		   "{\"devices\":[\"crate\"],\"cameras\":[],\"settings\":{}}", NULL));
	CHECK(people_await(is_wished, "default/crate"));
	CHECK(!put(f, SLUICE_FLEET_GROUP, "yard",
		   "{\"devices\":[],\"cameras\":[\"" HEX "\"],\"settings\":{}}", NULL));
	CHECK(people_await(is_wished, "default/box")); /* crate was told, too, and first */
	/* a command: of the node that has the device the end, seen by the one that was asked */
	CHECK(!put(g, SLUICE_FLEET_COMMAND, "r1", "{\"state\":\"sent\"}", NULL));
	s = (struct sight){ f, SLUICE_FLEET_COMMAND, "r1", "state", "sent" };
	CHECK(people_await(is_seen, &s));
	CHECK(!put(f, SLUICE_FLEET_COMMAND, "r1", "{\"state\":\"done\"}", NULL));
	s = (struct sight){ g, SLUICE_FLEET_COMMAND, "r1", "state", "done" };
	CHECK(people_await(is_seen, &s));
	CHECK(people_await(is_wished, "default/r1/done/"));
	/* one for a device of another node, which takes what is to be sent, and then ends it */
	CHECK(!put(f, SLUICE_FLEET_COMMAND, "r2", "{\"state\":\"sent\",\"ask\":\"x\"}", NULL));
	CHECK(people_await(is_wished, "default/r2/sent/x"));
	sluice_fleet_watch(g, NULL, NULL);
	sluice_fleet_watch(f, &watcher, NULL);
	CHECK(!put(g, SLUICE_FLEET_COMMAND, "r2", "{\"state\":\"sent\",\"taken\":\"yes\"}", NULL));
	s = (struct sight){ f, SLUICE_FLEET_COMMAND, "r2", "taken", "yes" };
	CHECK(people_await(is_seen, &s) && is_wished("default/r2/sent/x")); /* told nothing of it */
	CHECK(!put(g, SLUICE_FLEET_COMMAND, "r2", "{\"state\":\"failed\"}", NULL));
	CHECK(people_await(is_wished, "default/r2/failed/"));
	/* settings asked once of a camera of another node, and asked again before an answer came */
	CHECK(!put(g, SLUICE_FLEET_ASKED, HEX,
		   "{\"request\":\"s1\",\"state\":\"asked\",\"ask\":\"x\"}", NULL));
	CHECK(people_await(is_wished, "default/s1/asked/x"));
	CHECK(!put(g, SLUICE_FLEET_ASKED, HEX,
		   "{\"request\":\"s2\",\"state\":\"asked\",\"ask\":\"y\"}", NULL));
	CHECK(people_await(is_wished, "default/s2/asked/y"));
	sluice_fleet_watch(f, NULL, NULL);
	sluice_fleet_watch(g, &watcher, NULL);
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s2\",\"state\":\"asked\"}", NULL));
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s2\",\"state\":\"applied\"}", NULL));
	CHECK(people_await(is_wished, "default/s2/applied/"));
	sluice_fleet_watch(g, NULL, NULL);
	sluice_fleet_watch(f, NULL, NULL);
	sluice_fleet_close(f);
	sluice_fleet_close(g);
}

struct counting {
	struct sluice_fleet *fleet;
	int done;
};

/* Each change goes over the version that was seen; who was too late looks again. */
static void *run_counting(void *arg)
{
	struct counting *c = arg;
	int64_t version = 0;
	int err;

	while (c->done < 20) {
		err = put(c->fleet, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &version);
		c->done += !err;
		if (err && err != -ESTALE && err != -EEXIST) {
			CHECK(!err);
			break;
		}
		version++; /* mine, or somebody has been faster */
	}
	return NULL;
}

static void test_versions(struct conform_people *rig)
{
	struct counting c[2] = { { rig->fleet(rig), 0 }, { rig->fleet(rig), 0 } };
	pthread_t thread[2];
	struct sluice_fleet *f;
	int i;

	for (i = 0; i < 2; i++)
		sluice_fleet_close(c[i].fleet);
	rig->clear(rig);
	for (i = 0; i < 2; i++)
		c[i].fleet = rig->fleet(rig);
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&thread[i], NULL, run_counting, &c[i]));
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		CHECK(c[i].done == 20);
	}
	for (i = 0; i < 2; i++)
		sluice_fleet_close(c[i].fleet);
	f = rig->fleet(rig);
	CHECK(version_of(f, SLUICE_FLEET_DESIRED, HEX) == 40);
	sluice_fleet_close(f);
}

void conform_people(struct conform_people *rig)
{
	test_token_once(rig);
	test_code_once(rig);
	test_names_once(rig);
	test_revoke(rig);
	test_sessions(rig);
	test_apitokens(rig);
	test_audit(rig);
	test_documents(rig);
	if (rig->shared) {
		test_others(rig);
		test_versions(rig);
	}
}
