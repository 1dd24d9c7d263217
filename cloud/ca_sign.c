// SPDX-License-Identifier: MIT
/* ca_sign.c - what the authority signs: devices' keys, and the list of what is revoked. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cloud/ca_state.h"
#include "cloud/camera.h"

/* The proven P-256 key of a request; *key is the caller's. */
static int request_key(const char *csr, size_t size, EVP_PKEY **key)
{
	char group[32] = "";
	X509_REQ *req;
	BIO *bio;
	int err = -EINVAL;

	*key = NULL;
	bio = BIO_new_mem_buf(csr, (int)size);
	req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	if (req)
		*key = X509_REQ_get_pubkey(req);
	if (*key) {
		if (EVP_PKEY_get_base_id(*key) != EVP_PKEY_EC ||
		    EVP_PKEY_get_group_name(*key, group, sizeof(group), NULL) != 1 ||
		    strcmp(group, "prime256v1") != 0)
			err = -EKEYREJECTED;
		else if (X509_REQ_verify(req, *key) == 1)
			err = 0;
	}
	if (err) {
		EVP_PKEY_free(*key);
		*key = NULL;
	}
	X509_REQ_free(req);
	BIO_free(bio);
	return err;
}

/* chain: follows it in the text. */
static int describe_certificate(X509 *cert, const char *chain, struct sluice_certificate *out)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL, *p, *data;
	BIO *bio = BIO_new(BIO_s_mem());
	struct tm tm;
	int ok;

	memset(out, 0, sizeof(*out));
	ok = hex && bio && PEM_write_bio_X509(bio, cert) == 1 && BIO_puts(bio, chain) >= 0 &&
	     ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1;
	if (ok) {
		long size = BIO_get_mem_data(bio, &data);

		out->pem = strndup(data, (size_t)size);
		out->not_after = timegm(&tm);
		for (p = hex; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		snprintf(out->serial, sizeof(out->serial), "%s", hex);
	}
	OPENSSL_free(hex);
	BN_free(n);
	BIO_free(bio);
	return ok && out->pem ? 0 : -ENOMEM;
}

int sluice_ca_sign(struct sluice_ca *ca, const char *csr, size_t csr_size, const char *tenant,
		   const char *device, struct sluice_certificate *out)
{
	char san[2 * SLUICE_NAME_MAX + 32];
	EVP_PKEY *key;
	X509 *cert;
	int err;

	memset(out, 0, sizeof(*out));
	if (csr_size > 16384 || !sluice_name_valid(tenant) || !sluice_name_valid(device))
		return -EINVAL;
	err = request_key(csr, csr_size, &key);
	if (err)
		return err;
	snprintf(san, sizeof(san), "URI:sluice://%s/%s", tenant, device);
	cert = sluice_ca_certificate(key, device, ca->device_life_s, ca->cert, ca->key,
				     "clientAuth", san);
	EVP_PKEY_free(key);
	if (!cert)
		return -ENOMEM;
	err = describe_certificate(cert, sluice_ca_chain(ca), out);
	X509_free(cert);
	return err;
}

/* ---- the list of what is revoked ---- */

static int set_number(X509_CRL *list, int64_t number)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	int ok = n && ASN1_INTEGER_set_int64(n, number) == 1 &&
		 X509_CRL_add1_ext_i2d(list, NID_crl_number, n, 0, 0) == 1;

	ASN1_INTEGER_free(n);
	return ok ? 0 : -ENOMEM;
}

static int set_issuer(X509_CRL *list, X509 *issuer)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, issuer, NULL, NULL, list, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid");
	ok = e && X509_CRL_add_ext(list, e, -1) == 1 &&
	     X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)) == 1;
	X509_EXTENSION_free(e);
	return ok ? 0 : -ENOMEM;
}

struct sluice_crl {
	const struct sluice_ca *ca;
	X509_CRL *list;
};

struct sluice_crl *sluice_crl_begin(const struct sluice_ca *ca, int64_t number)
{
	struct sluice_crl *c = calloc(1, sizeof(*c));
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *next = X509_gmtime_adj(NULL, SLUICE_CRL_S);
	int ok;

	if (c) {
		c->ca = ca;
		c->list = X509_CRL_new();
	}
	ok = c && c->list && now && next && X509_CRL_set_version(c->list, 1) == 1 &&
	     X509_CRL_set1_lastUpdate(c->list, now) == 1 &&
	     X509_CRL_set1_nextUpdate(c->list, next) == 1 && !set_issuer(c->list, ca->cert) &&
	     !set_number(c->list, number);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	if (ok)
		return c;
	sluice_crl_drop(c);
	return NULL;
}

int sluice_crl_add(struct sluice_crl *c, const char *serial, int64_t denied_s)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)denied_s);
	ASN1_INTEGER *number = NULL;
	BIGNUM *n = NULL;
	int ok;

	ok = r && when && BN_hex2bn(&n, serial) > 0 && (number = BN_to_ASN1_INTEGER(n, NULL)) &&
	     X509_REVOKED_set_serialNumber(r, number) == 1 &&
	     X509_REVOKED_set_revocationDate(r, when) == 1 &&
	     X509_CRL_add0_revoked(c->list, r) == 1;
	if (!ok)
		X509_REVOKED_free(r);
	ASN1_TIME_free(when);
	ASN1_INTEGER_free(number);
	BN_free(n);
	return ok ? 0 : -ENOMEM;
}

char *sluice_crl_end(struct sluice_crl *c)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text = NULL;
	long size;

	if (bio && X509_CRL_sort(c->list) == 1 &&
	    X509_CRL_sign(c->list, c->ca->key, EVP_sha256()) > 0 &&
	    PEM_write_bio_X509_CRL(bio, c->list) == 1) {
		size = BIO_get_mem_data(bio, &data);
		text = strndup(data, (size_t)size);
	}
	BIO_free(bio);
	sluice_crl_drop(c);
	return text;
}

void sluice_crl_drop(struct sluice_crl *c)
{
	if (!c)
		return;
	X509_CRL_free(c->list);
	free(c);
}
