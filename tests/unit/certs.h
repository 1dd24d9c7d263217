/* SPDX-License-Identifier: MIT */
/* certs.h - certificates for tests, made on the spot in a directory of their own. */
#ifndef SLUICE_TEST_CERTS_H
#define SLUICE_TEST_CERTS_H

/* What a test wants of a certificate; days may be negative. */
struct cert_spec {
	const char *file; /* stem: file.crt, file.key */
	const char *name; /* common name */
	const char *san;  /* "DNS:localhost,IP:127.0.0.1,URI:sluice://t/d" or NULL */
	const char *ca;	  /* stem of the issuer, NULL: self-signed CA */
	int from_days, to_days;
};

/* Make a fresh directory; its path, for ever valid. Exits on failure. */
const char *certs_dir(void);
/* Make key and certificate. Exits on failure. */
void certs_make(const struct cert_spec *spec);
/* "DIR/stem.ext"; up to 16 results are valid at a time. */
const char *certs_path(const char *stem, const char *ext);
/* ca, other (a second CA), server (localhost, 127.0.0.1), device (sluice://home/box). */
void certs_make_usual(void);
/* Remove the directory. */
void certs_remove(void);

#endif
