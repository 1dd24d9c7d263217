/* SPDX-License-Identifier: MIT */
/* ca_state.h - what ca.c and ca_sign.c share. */
#ifndef SLUICE_CA_STATE_H
#define SLUICE_CA_STATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cloud/ca.h"

struct sluice_ca {
	EVP_PKEY *key;
	X509 *cert;
	char *pem;   /* of what devices believe */
	char *chain; /* of cert, if that is an intermediate's; else NULL */
	char pin[SLUICE_CA_PIN];
	uint32_t device_life_s;
};

/*
 * A certificate for key; issuer NULL: signed by itself. usage and san are extension values; usage
 * NULL: an authority's, with san as its constraints. It begins a little before now, for clocks that
 * are behind. The caller frees it.
 */
X509 *sluice_ca_certificate(EVP_PKEY *key, const char *cn, int64_t life_s, X509 *issuer,
			    EVP_PKEY *signer, const char *usage, const char *san);

/* PEM, malloc'd; NULL: out of memory. */
char *sluice_ca_text(X509 *cert);

#endif
