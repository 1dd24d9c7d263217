// SPDX-License-Identifier: MIT
#include "certs.h"

#include <dirent.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400L

static char dir[64];

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

const char *certs_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/sluice-test-XXXXXX");
	need(mkdtemp(dir) != NULL, "mkdtemp");
	return dir;
}

const char *certs_path(const char *stem, const char *ext)
{
	static char paths[16][160];
	static unsigned int next;
	char *p = paths[next++ % 16];

	snprintf(p, sizeof(paths[0]), "%s/%s.%s", dir, stem, ext);
	return p;
}

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	need(e && X509_add_ext(x, e, -1), value);
	X509_EXTENSION_free(e);
}

static void *load(const char *stem, const char *ext)
{
	FILE *f = fopen(certs_path(stem, ext), "r");
	void *p;

	need(f != NULL, stem);
	p = ext[0] == 'k' ? (void *)PEM_read_PrivateKey(f, NULL, NULL, NULL)
			  : (void *)PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	need(p != NULL, stem);
	return p;
}

void certs_make(const struct cert_spec *s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *ca_key = s->ca ? load(s->ca, "key") : key;
	X509 *x = X509_new(), *ca = s->ca ? load(s->ca, "crt") : x;
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char serial[8];
	uint64_t number = 0;
	FILE *f;

	RAND_bytes(serial, sizeof(serial));
	for (int i = 0; i < 8; i++)
		number = number << 8 | serial[i];
	X509_set_version(x, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), number >> 1);
	X509_gmtime_adj(X509_getm_notBefore(x), s->from_days * DAY);
	X509_gmtime_adj(X509_getm_notAfter(x), s->to_days * DAY);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)s->name, -1,
				   -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(ca));
	X509_set_pubkey(x, key);
	add_extension(x, ca, NID_basic_constraints, s->ca ? "CA:FALSE" : "critical,CA:TRUE");
	if (s->san)
		add_extension(x, ca, NID_subject_alt_name, s->san);
	need(X509_sign(x, ca_key, EVP_sha256()) > 0, "sign");
	f = fopen(certs_path(s->file, "crt"), "w");
	need(f && PEM_write_X509(f, x), "write certificate");
	fclose(f);
	f = fopen(certs_path(s->file, "key"), "w");
	need(f && !fchmod(fileno(f), 0600), "open key");
	need(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), "write key");
	fclose(f);
	if (s->ca) {
		EVP_PKEY_free(ca_key);
		X509_free(ca);
	}
	EVP_PKEY_free(key);
	X509_free(x);
}

void certs_make_usual(void)
{
	certs_dir();
	certs_make(&(struct cert_spec){ "ca", "Test CA", NULL, NULL, -1, 30 });
	certs_make(&(struct cert_spec){ "other", "Other CA", NULL, NULL, -1, 30 });
	certs_make(&(struct cert_spec){ "server", "server", "DNS:localhost,IP:127.0.0.1", "ca", -1,
					30 });
	certs_make(&(struct cert_spec){ "device", "box", "URI:sluice://home/box", "ca", -1, 30 });
}

static void remove_in(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char child[512];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		if (e->d_type == DT_DIR)
			remove_in(child);
		else
			unlink(child);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

void certs_remove(void)
{
	if (dir[0])
		remove_in(dir);
}
