// SPDX-License-Identifier: MIT
/*
 * people.c - what must hold of people and devices, with two handles that know nothing of each
 * other, as two nodes have them. What may happen once is tried by both at the same time.
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

void conform_people(struct conform_people *rig)
{
	test_token_once(rig);
	test_code_once(rig);
	test_names_once(rig);
	test_revoke(rig);
	test_sessions(rig);
	test_apitokens(rig);
	test_audit(rig);
	conform_fleet(rig);
}
