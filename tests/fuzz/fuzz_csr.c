// SPDX-License-Identifier: MIT
/*
 * The request for a certificate that an unknown device sends: through the authority, as enrolment
 * does it. Inputs whose first byte is odd are the DER inside a PEM, so that the fuzzer need not
 * learn base64. What must hold: no fault; what is signed names our tenant and device, whatever was
 * asked for.
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cloud/ca_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sluice_ca *make_ca(void)
{
	struct sluice_ca *ca = calloc(1, sizeof(*ca));

	if (!ca)
		abort();
	ca->key = EVP_EC_gen("P-256");
	ca->device_life_s = 86400;
	ca->cert = sluice_ca_certificate(ca->key, "fuzz", 864000, NULL, ca->key, NULL,
					 "critical,CA:TRUE,pathlen:0");
	if (!ca->cert)
		abort();
	return ca;
}

static void check_signed(const struct sluice_certificate *c)
{
	BIO *bio = BIO_new_mem_buf(c->pem, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	GENERAL_NAMES *names = x ? X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL) : NULL;
	const GENERAL_NAME *name = names ? sk_GENERAL_NAME_value(names, 0) : NULL;

	if (sk_GENERAL_NAME_num(names) != 1 || name->type != GEN_URI ||
	    strcmp((const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
		   "sluice://tenant/device") ||
	    X509_check_ca(x))
		abort();
	GENERAL_NAMES_free(names);
	X509_free(x);
	BIO_free(bio);
}

static char *wrap_pem(const uint8_t *der, size_t size, size_t *length)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *out;
	long n;

	PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der, (long)size);
	n = BIO_get_mem_data(bio, &text);
	out = malloc((size_t)n + 1);
	if (!out)
		abort();
	memcpy(out, text, (size_t)n);
	*length = (size_t)n;
	BIO_free(bio);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sluice_ca *ca;
	struct sluice_certificate cert;
	char *pem = NULL;
	size_t length = size;

	if (!ca)
		ca = make_ca();
	if (!size)
		return 0;
	if (data[0] & 1)
		pem = wrap_pem(data + 1, size - 1, &length);
	if (!sluice_ca_sign(ca, pem ? pem : (const char *)data, length, "tenant", "device",
			    &cert)) {
		check_signed(&cert);
		free(cert.pem);
	}
	free(pem);
	return 0;
}
