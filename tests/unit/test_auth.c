// SPDX-License-Identifier: MIT
/* test_auth.c - tokens are good once, for their time, for their device; certificates chain to the
 * authority, name the device and nothing that the request asked for; the deny-list denies. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cloud/auth.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

static char data[64] = "/tmp/test_auth.XXXXXX";
static struct sluice_ca *ca;
static struct sluice_auth *auth;
static const struct sluice_actor local = { .who = "local" };

/* A request with a boastful subject. The caller frees it. */
static char *make_csr(EVP_PKEY *key, EVP_PKEY *signer)
{
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long size;

	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
				   (const unsigned char *)"admin", -1, -1, 0);
	X509_REQ_set_pubkey(req, key);
	X509_REQ_sign(req, signer, EVP_sha256());
	PEM_write_bio_X509_REQ(bio, req);
	size = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)size);
	BIO_free(bio);
	X509_REQ_free(req);
	return copy;
}

static X509 *read_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return cert;
}

static int chains(X509 *cert, X509 *root, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int ok;

	X509_STORE_add_cert(store, root);
	X509_STORE_CTX_init(ctx, store, cert, NULL);
	X509_STORE_CTX_set_purpose(ctx, purpose);
	ok = X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

struct issue {
	const char *csr;
	int calls;
};

static int issue_certificate(void *ctx, const char *tenant, const char *device,
			     struct sluice_certificate *out)
{
	struct issue *i = ctx;

	i->calls++;
	return sluice_ca_sign(ca, i->csr, strlen(i->csr), tenant, device, out);
}

static int enrol(const char *secret, uint64_t now, struct issue *issue,
		 struct sluice_certificate *cert)
{
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	int err = sluice_auth_enrol(auth, "here", secret, now, issue_certificate, issue, tenant,
				    device, cert);

	if (!err)
		CHECK(!strcmp(tenant, SLUICE_TENANT) && !strcmp(device, "box1"));
	return err;
}

static void test_certificate(const struct sluice_certificate *c)
{
	X509 *cert = read_certificate(c->pem), *root = read_certificate(sluice_ca_pem(ca)), *server;
	GENERAL_NAMES *names;
	char path[128], cn[64] = "";
	FILE *f;

	CHECK(chains(cert, root, X509_PURPOSE_SSL_CLIENT));
	CHECK(!chains(cert, root, X509_PURPOSE_SSL_SERVER));
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn, sizeof(cn));
	CHECK(!strcmp(cn, "box1"));
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	CHECK(sk_GENERAL_NAME_num(names) == 1);
	CHECK(sk_GENERAL_NAME_value(names, 0)->type == GEN_URI);
	CHECK(!strcmp((const char *)ASN1_STRING_get0_data(
			      sk_GENERAL_NAME_value(names, 0)->d.uniformResourceIdentifier),
		      "sluice://default/box1"));
	GENERAL_NAMES_free(names);
	CHECK(X509_check_ca(cert) == 0);
	CHECK(c->not_after > (int64_t)(sluice_utc_now() / 1000000000u) + 89 * 86400);
	CHECK(strlen(c->serial) == 32);
	snprintf(path, sizeof(path), "%s/server.crt", data);
	f = fopen(path, "r");
	server = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	CHECK(server && chains(server, root, X509_PURPOSE_SSL_SERVER));
	CHECK(!chains(server, root, X509_PURPOSE_SSL_CLIENT));
	CHECK(X509_check_host(server, "localhost", 0, 0, NULL) == 1);
	CHECK(X509_check_host(server, "box.example", 0, 0, NULL) == 1);
	CHECK(X509_check_host(server, "other.example", 0, 0, NULL) == 0);
	CHECK(X509_check_ip_asc(server, "127.0.0.1", 0) == 1);
	CHECK(X509_check_ip_asc(server, "192.0.2.7", 0) == 1);
	X509_free(server);
	X509_free(cert);
	X509_free(root);
}

/* Only for the device that shows a good certificate of its own, and not without end. */
static void test_renewal(const char *csr, uint64_t now)
{
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX], secret[SLUICE_SECRET_MAX];
	struct issue issue = { .csr = csr };
	struct sluice_certificate first, next;
	int n = 0, err = 0;

	CHECK(!sluice_auth_token_add(auth, &local, SLUICE_TENANT, "box3", 15, secret));
	CHECK(!sluice_auth_enrol(auth, "here", secret, now, issue_certificate, &issue, tenant,
				 device, &first));
	issue.calls = 0;
	CHECK(sluice_auth_renew(auth, "here", SLUICE_TENANT, "box2", first.serial, now,
				issue_certificate, &issue, &next) == -ENOENT);
	CHECK(sluice_auth_renew(auth, "here", SLUICE_TENANT, "box3", "00", now, issue_certificate,
				&issue, &next) == -ENOENT);
	CHECK(!issue.calls && !next.pem);
	CHECK(!sluice_auth_renew(auth, "here", SLUICE_TENANT, "box3", first.serial, now,
				 issue_certificate, &issue, &next));
	CHECK(strcmp(first.serial, next.serial));
	CHECK(!sluice_auth_allowed(auth, SLUICE_TENANT, "box3", first.serial));
	CHECK(!sluice_auth_allowed(auth, SLUICE_TENANT, "box3", next.serial));
	free(next.pem);
	for (n = 0; n < 100 && !err; n++) {
		err = sluice_auth_renew(auth, "here", SLUICE_TENANT, "box3", first.serial, now,
					issue_certificate, &issue, &next);
		free(next.pem);
	}
	CHECK(err == -EBUSY && n == SLUICE_RENEW_HOUR - 1);
	CHECK(!sluice_auth_renew(auth, "here", SLUICE_TENANT, "box3", first.serial,
				 now + 3700000000000ull, issue_certificate, &issue, &next));
	free(next.pem);
	CHECK(!sluice_auth_revoke(auth, &local, SLUICE_TENANT, "box3"));
	issue.calls = 0;
	CHECK(sluice_auth_renew(auth, "here", SLUICE_TENANT, "box3", first.serial,
				now + 7400000000000ull, issue_certificate, &issue,
				&next) == -EKEYREVOKED);
	CHECK(!issue.calls);
	free(first.pem);
}

static void test_tokens(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256"),
		 *p384 = EVP_EC_gen("P-384");
	char *good = make_csr(key, key), *forged = make_csr(key, other),
	     *strange = make_csr(p384, p384);
	struct issue issue = { .csr = forged };
	struct sluice_certificate cert, second;
	char secret[SLUICE_SECRET_MAX], late[SLUICE_SECRET_MAX];
	uint64_t now = sluice_utc_now();
	int64_t version, version_after;

	CHECK(sluice_auth_token_add(auth, &local, SLUICE_TENANT, "a/b", 15, secret) == -EINVAL);
	CHECK(sluice_auth_token_add(auth, &local, SLUICE_TENANT, "box1", 0, secret) == -EINVAL);
	CHECK(sluice_auth_token_add(auth, &local, SLUICE_TENANT, "box1", 1441, secret) == -EINVAL);
	CHECK(!sluice_auth_token_add(auth, &local, SLUICE_TENANT, "box1", 15, secret));
	CHECK(!sluice_auth_token_add(auth, &local, SLUICE_TENANT, "box1", 1, late));
	CHECK(strcmp(secret, late) && strlen(secret) == 32);
	CHECK(enrol("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", now, &issue, &cert) == -EACCES);
	CHECK(enrol("", now, &issue, &cert) == -EACCES);
	CHECK(!issue.calls); /* nothing is signed for a stranger */
	CHECK(enrol(late, now + 61000000000ull, &issue, &cert) == -EKEYEXPIRED && !issue.calls);
	/* a bad request does not use the token up */
	CHECK(enrol(secret, now, &issue, &cert) == -EINVAL);
	issue.csr = strange;
	CHECK(enrol(secret, now, &issue, &cert) == -EKEYREJECTED);
	issue.csr = "hello";
	CHECK(enrol(secret, now, &issue, &cert) == -EINVAL && !cert.pem);
	issue.csr = good;
	CHECK(!enrol(secret, now, &issue, &cert));
	issue.calls = 0;
	CHECK(enrol(secret, now, &issue, &second) == -EALREADY && !issue.calls);
	test_certificate(&cert);

	CHECK(!sluice_auth_allowed(auth, SLUICE_TENANT, "box1", cert.serial));
	CHECK(sluice_auth_allowed(auth, SLUICE_TENANT, "box2", cert.serial) == -ENOENT);
	CHECK(sluice_auth_allowed(auth, "other", "box1", cert.serial) == -ENOENT);
	CHECK(sluice_auth_allowed(auth, SLUICE_TENANT, "box1", "00") == -ENOENT);
	CHECK(sluice_auth_revoke(auth, &local, SLUICE_TENANT, "box2") == -ENOENT);
	CHECK(!sluice_auth_deny_version(auth, &version));
	CHECK(!sluice_auth_revoke(auth, &local, SLUICE_TENANT, "box1"));
	CHECK(!sluice_auth_deny_version(auth, &version_after) && version_after > version);
	CHECK(sluice_auth_allowed(auth, SLUICE_TENANT, "box1", cert.serial) == -EKEYREVOKED);
	CHECK(enrol(late, now, &issue, &second) == -EACCES); /* voided with the device */
	/* enrolled again by an administrator's will: the new certificate is good, the old is not */
	CHECK(!sluice_auth_token_add(auth, &local, SLUICE_TENANT, "box1", 15, secret));
	CHECK(!enrol(secret, now, &issue, &second));
	CHECK(!sluice_auth_allowed(auth, SLUICE_TENANT, "box1", second.serial));
	CHECK(sluice_auth_allowed(auth, SLUICE_TENANT, "box1", cert.serial) == -EKEYREVOKED);
	free(cert.pem);
	free(second.pem);
	test_renewal(good, now);
	free(good);
	free(forged);
	free(strange);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	EVP_PKEY_free(p384);
}

static void test_admin(void)
{
	char secret[SLUICE_SECRET_MAX], text[65536], path[128];
	struct sluice_who who;
	size_t n;
	FILE *f;

	CHECK(!sluice_auth_apitoken_add(auth, &local, SLUICE_TENANT, "init", SLUICE_ADMIN,
					SLUICE_SCOPE_ALL, NULL, 0, secret));
	CHECK(!sluice_auth_apitoken_check(auth, secret, 1, &who) &&
	      !strcmp(who.tenant, SLUICE_TENANT) && who.role == SLUICE_ADMIN);
	CHECK(sluice_auth_apitoken_check(auth, "admin", 1, &who) == -EACCES);
	CHECK(sluice_auth_apitoken_check(auth, "", 1, &who) == -EACCES);
	/* only its hash is on the disk */
	snprintf(path, sizeof(path), "%s/auth.db-wal", data);
	f = fopen(path, "r");
	n = f ? fread(text, 1, sizeof(text), f) : 0;
	CHECK(n > 0 && !memmem(text, n, secret, strlen(secret)));
	if (f)
		fclose(f);
}

int main(void)
{
	static const char *const names[] = { "box.example", "192.0.2.7" }, *const wrong[] = {
		"a b"
	};
	const char *bad = NULL;
	struct sluice_ca *other;
	char path[128];
	struct stat st;

	if (!mkdtemp(data))
		return 1;
	CHECK(!sluice_ca_create(data) && !sluice_ca_open(data, &ca));
	if (!ca)
		return 1;
	CHECK(sluice_ca_server(ca, data, wrong, 1, &bad) == -EINVAL && bad == wrong[0]);
	CHECK(!sluice_ca_server(ca, data, names, 2, &bad));
	CHECK(strlen(sluice_ca_pin(ca)) == 32);
	snprintf(path, sizeof(path), "%s/ca.key", data);
	CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600);
	chmod(path, 0640);
	CHECK(sluice_ca_open(data, &other) == -EACCES);
	chmod(path, 0600);
	snprintf(path, sizeof(path), "%s/auth.db", data);
	CHECK(!sluice_auth_open(path, &auth) &&
	      !sluice_auth_tenant_add(auth, &local, SLUICE_TENANT));
	CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600);
	test_tokens();
	test_admin();
	sluice_auth_close(auth);
	sluice_ca_close(ca);
	tmp_dir_remove(data);
	return check_result();
}
