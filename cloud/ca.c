// SPDX-License-Identifier: MIT
/*
 * ca.c - the certificate authority of one cloud.
 *
 * Files are written beside their place, synced and renamed, so that a crash leaves the old ones or
 * the new ones. The key of the authority lies on the same machine: whoever can read the data
 * directory can make certificates (an offline root is another issue).
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "cloud/ca.h"
#include "cloud/camera.h"

#define DAY 86400L

struct sluice_ca {
	EVP_PKEY *key;
	X509 *cert;
	char *pem;
	char pin[SLUICE_CA_PIN];
	uint32_t device_life_s;
};

static int save_file(const char *dir, const char *name, const char *data, size_t size, int mode)
{
	char path[4096], part[4096];
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    snprintf(part, sizeof(part), "%s/.%s.part", dir, name) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	if (write(fd, data, size) != (ssize_t)size || fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err && rename(part, path) < 0)
		err = -errno;
	return err;
}

static int save_bio(const char *dir, const char *name, BIO *bio, int mode)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);

	return size > 0 ? save_file(dir, name, data, (size_t)size, mode) : -ENOMEM;
}

static int save_pair(const char *dir, const char *name, EVP_PKEY *key, X509 *cert)
{
	BIO *k = BIO_new(BIO_s_secmem()), *c = BIO_new(BIO_s_mem());
	char file[32];
	int err = -ENOMEM;

	if (k && c && PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    PEM_write_bio_X509(c, cert) == 1) {
		snprintf(file, sizeof(file), "%s.key", name);
		err = save_bio(dir, file, k, 0600);
		snprintf(file, sizeof(file), "%s.crt", name);
		if (!err)
			err = save_bio(dir, file, c, 0644);
	}
	BIO_free(k);
	BIO_free(c);
	return err;
}

static int add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e && X509_add_ext(cert, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok ? 0 : -EINVAL;
}

static int set_serial(X509 *cert)
{
	unsigned char random[16];
	BIGNUM *n;
	int ok;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	random[0] = (random[0] & 0x3f) | 0x40; /* positive, and always 32 digits */
	n = BN_bin2bn(random, sizeof(random), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
	return ok ? 0 : -ENOMEM;
}

/*
 * A certificate for key; issuer NULL: signed by itself. usage and san are extension values, NULL
 * for the authority's own. It begins a little before now, for clocks that are behind. The caller
 * frees it.
 */
static X509 *make_certificate(EVP_PKEY *key, const char *cn, int64_t life_s, X509 *issuer,
			      EVP_PKEY *signer, const char *usage, const char *san)
{
	int64_t early_s = life_s / 10 < 300 ? life_s / 10 : 300;
	X509 *cert = X509_new();
	X509_NAME *name;
	int err;

	if (!cert)
		return NULL;
	name = X509_get_subject_name(cert);
	err = X509_set_version(cert, 2) != 1 || set_serial(cert) ||
	      !X509_gmtime_adj(X509_getm_notBefore(cert), (long)-early_s) ||
	      !X509_time_adj_ex(X509_getm_notAfter(cert), (int)(life_s / DAY), life_s % DAY,
				NULL) ||
	      X509_set_pubkey(cert, key) != 1 ||
	      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1,
					 -1, 0) != 1 ||
	      X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name) != 1;
	if (!issuer)
		issuer = cert;
	err = err || add_extension(cert, issuer, NID_subject_key_identifier, "hash");
	err = err || add_extension(cert, issuer, NID_authority_key_identifier, "keyid");
	if (!usage)
		err = err ||
		      add_extension(cert, issuer, NID_basic_constraints,
				    "critical,CA:TRUE,pathlen:0") ||
		      add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	else
		err = err ||
		      add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
		      add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") ||
		      add_extension(cert, issuer, NID_ext_key_usage, usage) ||
		      add_extension(cert, issuer, NID_subject_alt_name, san);
	if (err || !X509_sign(cert, signer, EVP_sha256())) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

int sluice_ca_create(const char *dir)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = NULL;
	unsigned char tag[4];
	char cn[48];
	int err = -ENOMEM;

	if (key && RAND_bytes(tag, sizeof(tag)) == 1) {
		/* the tag tells two authorities apart that people made one after the other */
		snprintf(cn, sizeof(cn), "Sluice cloud %02x%02x%02x%02x", tag[0], tag[1], tag[2],
			 tag[3]);
		cert = make_certificate(key, cn, SLUICE_CA_DAYS * DAY, NULL, key, NULL, NULL);
	}
	if (cert)
		err = save_pair(dir, "ca", key, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
	return err;
}

/* A host name as DNS has it: letters, digits, dots, hyphens. */
static int valid_host(const char *name)
{
	size_t n = strlen(name), i;

	if (!n || n > 253 || name[0] == '.' || name[0] == '-')
		return 0;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '.' && name[i] != '-')
			return 0;
	return 1;
}

static int is_address(const char *name)
{
	unsigned char addr[16];

	return inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
}

int sluice_ca_host_valid(const char *name)
{
	return is_address(name) || valid_host(name);
}

int sluice_ca_server(struct sluice_ca *ca, const char *dir, const char *const *names, size_t count,
		     const char **bad)
{
	char san[4096] = "DNS:localhost,IP:127.0.0.1,IP:::1";
	EVP_PKEY *key;
	X509 *cert = NULL;
	int err = -ENOMEM;
	size_t i, used = strlen(san);

	for (i = 0; i < count; i++) {
		int ip = is_address(names[i]);

		*bad = names[i];
		if ((!ip && !valid_host(names[i])) || used + strlen(names[i]) + 8 > sizeof(san))
			return -EINVAL;
		used += (size_t)snprintf(san + used, sizeof(san) - used, ",%s:%s",
					 ip ? "IP" : "DNS", names[i]);
	}
	key = EVP_EC_gen("P-256");
	if (key)
		cert = make_certificate(key, "sluice-cloud", SLUICE_SERVER_DAYS * DAY, ca->cert,
					ca->key, "serverAuth", san);
	if (cert)
		err = save_pair(dir, "server", key, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
	return err;
}

static FILE *open_file(const char *dir, const char *name, int secret, int *err)
{
	char path[4096];
	struct stat st;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
		*err = -ENAMETOOLONG;
		return NULL;
	}
	f = fopen(path, "re");
	if (!f) {
		*err = -errno;
		return NULL;
	}
	if (secret && (fstat(fileno(f), &st) < 0 || st.st_mode & 077)) {
		fclose(f);
		*err = -EACCES;
		return NULL;
	}
	return f;
}

static int describe(struct sluice_ca *ca)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long size;
	int ok;

	ok = bio && PEM_write_bio_X509(bio, ca->cert) == 1 &&
	     X509_digest(ca->cert, EVP_sha256(), digest, NULL) == 1;
	if (ok) {
		size = BIO_get_mem_data(bio, &data);
		ca->pem = strndup(data, (size_t)size);
		sluice_hex(digest, 16, ca->pin);
	}
	BIO_free(bio);
	return ok && ca->pem ? 0 : -ENOMEM;
}

int sluice_ca_open(const char *dir, struct sluice_ca **out)
{
	struct sluice_ca *ca = calloc(1, sizeof(*ca));
	FILE *f;
	int err = -ENOMEM;

	*out = NULL;
	if (!ca)
		return err;
	ca->device_life_s = SLUICE_DEVICE_DAYS * DAY;
	f = open_file(dir, "ca.key", 1, &err);
	if (!f)
		goto err_close;
	ca->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	f = open_file(dir, "ca.crt", 0, &err);
	if (!f)
		goto err_close;
	ca->cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	err = ca->key && ca->cert && X509_check_private_key(ca->cert, ca->key) == 1 ? describe(ca)
										    : -EBADMSG;
	if (err)
		goto err_close;
	*out = ca;
	return 0;
err_close:
	sluice_ca_close(ca);
	return err;
}

void sluice_ca_close(struct sluice_ca *ca)
{
	if (!ca)
		return;
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
	free(ca->pem);
	free(ca);
}

void sluice_ca_device_life(struct sluice_ca *ca, uint32_t seconds)
{
	ca->device_life_s = seconds;
}

const char *sluice_ca_pem(const struct sluice_ca *ca)
{
	return ca->pem;
}

const char *sluice_ca_pin(const struct sluice_ca *ca)
{
	return ca->pin;
}

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

static int describe_certificate(X509 *cert, struct sluice_certificate *out)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL, *p, *data;
	BIO *bio = BIO_new(BIO_s_mem());
	struct tm tm;
	int ok;

	memset(out, 0, sizeof(*out));
	ok = hex && bio && PEM_write_bio_X509(bio, cert) == 1 &&
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
	cert = make_certificate(key, device, ca->device_life_s, ca->cert, ca->key, "clientAuth",
				san);
	EVP_PKEY_free(key);
	if (!cert)
		return -ENOMEM;
	err = describe_certificate(cert, out);
	X509_free(cert);
	return err;
}
