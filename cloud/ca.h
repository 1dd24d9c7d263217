/* SPDX-License-Identifier: MIT */
/*
 * ca.h - the certificate authority of one cloud: P-256 keys and certificates as PEM files in the
 * data directory. Who may have a certificate is decided in auth.h.
 */
#ifndef SLUICE_CA_H
#define SLUICE_CA_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_CA_DAYS	   3650 /* half of it for an intermediate */
#define SLUICE_ROOT_DAYS   7300
#define SLUICE_CRL_S	   (7 * 86400) /* a CRL is good for so long */
#define SLUICE_SERVER_DAYS 825
#define SLUICE_DEVICE_DAYS 90
#define SLUICE_CA_PIN	   33 /* first 16 bytes of SHA-256 of the CA certificate's DER, hex */
#define SLUICE_CA_SERIAL   41 /* hex and NUL; ours have 32 digits */

struct sluice_ca;

/* Makes DIR/ca.key, ca.crt: a new authority. Existing files are replaced. Keys have mode 0600. */
int sluice_ca_create(const char *dir);

/*
 * The same below a root that is kept elsewhere: ROOT/root.key and root.crt, which are made if they
 * are not there. DIR/ca.key is an intermediate's then, ca.crt its certificate and the root's.
 */
int sluice_ca_create_below(const char *dir, const char *root);

/* The same authority for another node: copies FROM/ca.key and ca.crt. -EACCES: the key may be read
 * by others. */
int sluice_ca_share(const char *dir, const char *from);

/* Opens what create() made. -EACCES: the key may be read by others. */
int sluice_ca_open(const char *dir, struct sluice_ca **out);

/* NULL-safe. */
void sluice_ca_close(struct sluice_ca *ca);

/* How long the certificates of devices are good, seconds; without this call SLUICE_DEVICE_DAYS. */
void sluice_ca_device_life(struct sluice_ca *ca, uint32_t seconds);

/* 1 if it may stand in a server certificate: a host name or an address. */
int sluice_ca_host_valid(const char *name);

/* Makes DIR/server.key, server.crt for localhost, 127.0.0.1, ::1 and names (hosts or addresses).
 * -EINVAL: a name that is neither; *bad receives it. */
int sluice_ca_server(struct sluice_ca *ca, const char *dir, const char *const *names, size_t count,
		     const char **bad);

/* PEM of the certificate that devices believe (the root's, where there is one); lives as long as
 * ca. */
const char *sluice_ca_pem(const struct sluice_ca *ca);

/* What a device compares before it believes. */
const char *sluice_ca_pin(const struct sluice_ca *ca);

/* PEM of the intermediate's certificate that is shown with what it has signed; "": there is none.
 */
const char *sluice_ca_chain(const struct sluice_ca *ca);

struct sluice_certificate {
	char *pem; /* malloc'd; the caller frees it; with the chain */
	char serial[SLUICE_CA_SERIAL];
	int64_t not_after; /* UTC seconds */
};

/*
 * Signs the key of a PEM request for a device; nothing else of the request is used. The request
 * must prove that it holds the key. -EINVAL: not a request, wrong signature; -EKEYREJECTED: the
 * key is not P-256.
 */
int sluice_ca_sign(struct sluice_ca *ca, const char *csr, size_t csr_size, const char *tenant,
		   const char *device, struct sluice_certificate *out);

/* A certificate revocation list: begin, add each (serial in hex, Unix seconds), end gives PEM (the
 * caller's) and frees. NULL, -ENOMEM: out of memory. number: never less than before. */
struct sluice_crl;
struct sluice_crl *sluice_crl_begin(const struct sluice_ca *ca, int64_t number);
int sluice_crl_add(struct sluice_crl *c, const char *serial, int64_t denied_s);
char *sluice_crl_end(struct sluice_crl *c);
/* NULL-safe. */
void sluice_crl_drop(struct sluice_crl *c);

#endif
