// SPDX-License-Identifier: MIT
/*
 * Replacing key and certificate: what the cloud issues is taken only if it is what was asked for,
 * and a kill after any step leaves a pair that belongs together: the old one or the new one.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "certs.h"
#include "check.h"
#include "lib/tls.h"
#include "relay/identity.h"

static struct relay_identity id;

static char *read_text(const char *path)
{
	static char text[8192];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	return text;
}

static void copy(const char *from, const char *to)
{
	const char *text = read_text(from);
	FILE *f = fopen(to, "w");

	CHECK(f && fputs(text, f) >= 0);
	if (f)
		fclose(f);
	chmod(to, 0600);
}

/* 1 if the pair in place belongs together and may be used. */
static bool pair_is_good(void)
{
	struct sluice_tls_config c = { .cert = id.cert, .key = id.key, .ca = id.ca };
	struct sluice_tls_ctx *ctx;
	char why[256];
	int err;

	ctx = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	sluice_tls_ctx_close(ctx);
	return ctx;
}

/* What the cloud does: a certificate for the key in KEY.new, of a name and an authority. */
static char *issue(const char *key_file, const char *san, const char *ca, int to_days)
{
	FILE *f = fopen(key_file, "r"), *g = fopen(certs_path(ca, "key"), "r"),
	     *h = fopen(certs_path(ca, "crt"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	EVP_PKEY *ca_key = PEM_read_PrivateKey(g, NULL, NULL, NULL);
	X509 *issuer = PEM_read_X509(h, NULL, NULL, NULL), *x = X509_new();
	BIO *out = BIO_new(BIO_s_mem());
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	static char pem[8192];
	char *data;
	long n;

	fclose(f);
	fclose(g);
	fclose(h);
	X509_set_version(x, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), 77);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), to_days * 86400L);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	X509_set_pubkey(x, key);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	X509_sign(x, ca_key, EVP_sha256());
	PEM_write_bio_X509(out, x);
	n = BIO_get_mem_data(out, &data);
	snprintf(pem, sizeof(pem), "%.*s", (int)n, data);
	BIO_free(out);
	X509_free(x);
	X509_free(issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return pem;
}

static char old_cert[8192], old_key[8192];

static void begin(void)
{
	certs_make(&(struct cert_spec){ "device", "box", "URI:sluice://home/box", "ca", -1, 10 });
	id = (struct relay_identity){ strdup(certs_path("device", "crt")),
				      strdup(certs_path("device", "key")),
				      strdup(certs_path("ca", "crt")) };
	snprintf(old_cert, sizeof(old_cert), "%s", read_text(id.cert));
	snprintf(old_key, sizeof(old_key), "%s", read_text(id.key));
}

static void request(void)
{
	char why[256], *csr;
	struct stat st;

	CHECK(!relay_identity_request(&id, &csr, why, sizeof(why)));
	CHECK(strstr(csr, "BEGIN CERTIFICATE REQUEST") && !strstr(csr, "PRIVATE"));
	CHECK(!stat(certs_path("device", "key.new"), &st) && (st.st_mode & 0777) == 0600);
	free(csr);
}

static void end(void)
{
	unlink(certs_path("device", "crt.new"));
	unlink(certs_path("device", "crt.new.part"));
	unlink(certs_path("device", "key.new"));
	free((char *)id.cert);
	free((char *)id.key);
	free((char *)id.ca);
}

static void test_good(void)
{
	char why[256];
	struct stat st;

	begin();
	request();
	CHECK(!relay_identity_install(
		&id, issue(certs_path("device", "key.new"), "URI:sluice://home/box", "ca", 90), 0,
		why, sizeof(why)));
	CHECK(pair_is_good() && strcmp(old_cert, read_text(id.cert)));
	CHECK(strcmp(old_key, read_text(id.key)));
	CHECK(!stat(id.key, &st) && (st.st_mode & 0777) == 0600);
	CHECK(access(certs_path("device", "key.new"), F_OK) &&
	      access(certs_path("device", "crt.new"), F_OK));
	end();
}

/* Whatever is wrong with it, the old pair stays. */
static void test_wrong(void)
{
	static const struct {
		const char *san, *ca, *words;
		int days;
	} cases[] = {
		{ "URI:sluice://home/other", "ca", "another device", 90 },
		{ "URI:sluice://home/box", "other", "not of our certificate authority", 90 },
		{ "URI:sluice://home/box", "ca", "does not last longer", 5 },
		{ "URI:sluice://home/box,URI:sluice://home/x", "ca", "another device", 90 },
	};
	char why[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		request();
		CHECK(relay_identity_install(&id,
					     issue(certs_path("device", "key.new"), cases[i].san,
						   cases[i].ca, cases[i].days),
					     0, why, sizeof(why)) == -EINVAL);
		CHECK(strstr(why, cases[i].words));
		CHECK(!strcmp(old_cert, read_text(id.cert)) && !strcmp(old_key, read_text(id.key)));
		CHECK(pair_is_good());
		end();
	}
	begin();
	request();
	CHECK(relay_identity_install(&id, "nonsense", 0, why, sizeof(why)) == -EINVAL);
	CHECK(relay_identity_install(&id, issue(id.key, "URI:sluice://home/box", "ca", 90), 0, why,
				     sizeof(why)) == -EINVAL &&
	      strstr(why, "another key"));
	CHECK(!strcmp(old_cert, read_text(id.cert)) && pair_is_good());
	end();
}

/* Killed after each step; then the relay starts again. */
static void test_kills(void)
{
	static const bool becomes_new[] = { false, false, true, true };
	char why[256];

	for (unsigned int steps = 0; steps < 4; steps++) {
		begin();
		request();
		if (steps)
			CHECK(!relay_identity_install(&id,
						      issue(certs_path("device", "key.new"),
							    "URI:sluice://home/box", "ca", 90),
						      steps, why, sizeof(why)));
		CHECK(relay_identity_recover(&id) == becomes_new[steps]);
		CHECK(pair_is_good());
		CHECK(!strcmp(old_cert, read_text(id.cert)) == !becomes_new[steps]);
		CHECK(!strcmp(old_key, read_text(id.key)) == !becomes_new[steps]);
		CHECK(!relay_identity_recover(&id)); /* once is enough */
		/* and the next renewal works */
		request();
		CHECK(!relay_identity_install(&id,
					      issue(certs_path("device", "key.new"),
						    "URI:sluice://home/box", "ca", 91),
					      0, why, sizeof(why)));
		CHECK(pair_is_good());
		end();
	}
}

/* Files of somebody else beside ours change nothing. */
static void test_strangers(void)
{
	begin();
	copy(certs_path("server", "crt"), certs_path("device", "crt.new"));
	copy(certs_path("server", "key"), certs_path("device", "key.new.not"));
	CHECK(!relay_identity_recover(&id) && pair_is_good());
	CHECK(!strcmp(old_cert, read_text(id.cert)));
	CHECK(access(certs_path("device", "crt.new"), F_OK));
	copy(certs_path("other", "key"), certs_path("device", "crt.new"));
	CHECK(!relay_identity_recover(&id) && pair_is_good());
	end();
}

int main(void)
{
	certs_make_usual();
	test_good();
	test_wrong();
	test_kills();
	test_strangers();
	certs_remove();
	return check_result();
}
