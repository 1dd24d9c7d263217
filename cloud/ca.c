// SPDX-License-Identifier: MIT
/*
 * ca.c - the certificate authority of one cloud.
 *
 * Files are written beside their place, synced and renamed, so that a crash leaves the old ones or
 * the new ones.
 *
 * Without an offline root ca.crt is one certificate, signed by itself, and its key lies on the same
 * machine: whoever can read the data directory can make certificates for ever. With one, ca.key and
 * the first certificate in ca.crt are an intermediate that the root has signed; the root's
 * certificate follows it, the root's key is somewhere else. What devices believe is the last one in
 * ca.crt; what they and the server show is their own certificate and, with an offline root, the
 * intermediate's.
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
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "cloud/ca_state.h"
#include "cloud/camera.h"

#define DAY 86400L

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

/* chain: certificates that follow in the file; may be NULL. */
static int save_pair(const char *dir, const char *name, EVP_PKEY *key, X509 *cert,
		     const char *chain)
{
	BIO *k = BIO_new(BIO_s_secmem()), *c = BIO_new(BIO_s_mem());
	char file[32];
	int err = -ENOMEM;

	if (k && c && PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    PEM_write_bio_X509(c, cert) == 1 && (!chain || BIO_puts(c, chain) >= 0)) {
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

X509 *sluice_ca_certificate(EVP_PKEY *key, const char *cn, int64_t life_s, X509 *issuer,
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
		err = err || add_extension(cert, issuer, NID_basic_constraints, san) ||
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

/* Its certificate says that it may sign others: below it as many authorities as depth. */
static X509 *make_authority(EVP_PKEY *key, const char *what, int days, int depth, X509 *issuer,
			    EVP_PKEY *signer)
{
	char cn[48], constraints[40];
	unsigned char tag[4];

	if (RAND_bytes(tag, sizeof(tag)) != 1)
		return NULL;
	/* the tag tells two authorities apart that people made one after the other */
	snprintf(cn, sizeof(cn), "Sluice %s %02x%02x%02x%02x", what, tag[0], tag[1], tag[2],
		 tag[3]);
	snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%d", depth);
	return sluice_ca_certificate(key, cn, days * DAY, issuer, signer, NULL, constraints);
}

int sluice_ca_create(const char *dir)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_authority(key, "cloud", SLUICE_CA_DAYS, 0, NULL, key) : NULL;
	int err = cert ? save_pair(dir, "ca", key, cert, NULL) : -ENOMEM;

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
		cert = sluice_ca_certificate(key, "sluice-cloud", SLUICE_SERVER_DAYS * DAY,
					     ca->cert, ca->key, "serverAuth", san);
	if (cert)
		err = save_pair(dir, "server", key, cert, ca->chain);
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

char *sluice_ca_text(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text = NULL;
	long size;

	if (bio && PEM_write_bio_X509(bio, cert) == 1) {
		size = BIO_get_mem_data(bio, &data);
		text = strndup(data, (size_t)size);
	}
	BIO_free(bio);
	return text;
}

/* anchor: what devices believe. */
static int describe(struct sluice_ca *ca, X509 *anchor)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (X509_digest(anchor, EVP_sha256(), digest, NULL) != 1)
		return -ENOMEM;
	sluice_hex(digest, 16, ca->pin);
	ca->pem = sluice_ca_text(anchor);
	if (anchor != ca->cert)
		ca->chain = sluice_ca_text(ca->cert);
	return ca->pem && (anchor == ca->cert || ca->chain) ? 0 : -ENOMEM;
}

/* One certificate, or an intermediate's and its root's. */
static int read_certificates(struct sluice_ca *ca, FILE *f)
{
	X509 *root;
	EVP_PKEY *key;
	int err = -EBADMSG;

	ca->cert = PEM_read_X509(f, NULL, NULL, NULL);
	if (!ca->cert || X509_check_private_key(ca->cert, ca->key) != 1)
		return err;
	root = PEM_read_X509(f, NULL, NULL, NULL);
	ERR_clear_error();
	if (!root)
		return describe(ca, ca->cert);
	key = X509_get0_pubkey(root);
	if (key && X509_check_issued(root, ca->cert) == X509_V_OK &&
	    X509_verify(ca->cert, key) == 1)
		err = describe(ca, root);
	X509_free(root);
	return err;
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
	err = ca->key ? read_certificates(ca, f) : -EBADMSG;
	fclose(f);
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
	free(ca->chain);
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

const char *sluice_ca_chain(const struct sluice_ca *ca)
{
	return ca->chain ? ca->chain : "";
}

/* ---- another node ---- */

static int copy_file(const char *dir, const char *from, const char *name, int secret)
{
	char *text = NULL;
	size_t size = 0;
	int err = 0;
	FILE *f = open_file(from, name, secret, &err);

	if (!f)
		return err;
	if (getdelim(&text, &size, 0, f) <= 0 || !text)
		err = -EBADMSG;
	fclose(f);
	if (!err)
		err = save_file(dir, name, text, strlen(text), secret ? 0600 : 0644);
	if (text)
		OPENSSL_cleanse(text, size);
	free(text);
	return err;
}

int sluice_ca_share(const char *dir, const char *from)
{
	struct sluice_ca *ca;
	int err = sluice_ca_open(from, &ca); /* is it one? */

	sluice_ca_close(ca);
	if (!err)
		err = copy_file(dir, from, "ca.key", 1);
	return err ? err : copy_file(dir, from, "ca.crt", 0);
}

/* ---- the offline root ---- */

static int open_root(const char *root, EVP_PKEY **key, X509 **cert)
{
	FILE *f;
	int err = 0;

	f = open_file(root, "root.key", 1, &err);
	if (!f)
		return err;
	*key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	f = open_file(root, "root.crt", 0, &err);
	if (!f)
		return err;
	*cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	return *key && *cert && X509_check_private_key(*cert, *key) == 1 ? 0 : -EBADMSG;
}

static int make_root(const char *root, EVP_PKEY **key, X509 **cert)
{
	*key = EVP_EC_gen("P-256");
	if (*key)
		*cert = make_authority(*key, "root", SLUICE_ROOT_DAYS, 1, NULL, *key);
	return *cert ? save_pair(root, "root", *key, *cert, NULL) : -ENOMEM;
}

int sluice_ca_create_below(const char *dir, const char *root)
{
	EVP_PKEY *root_key = NULL, *key = NULL;
	X509 *root_cert = NULL, *cert = NULL;
	char *text = NULL;
	int err;

	err = open_root(root, &root_key, &root_cert);
	if (err == -ENOENT && !root_key)
		err = make_root(root, &root_key, &root_cert);
	if (err)
		goto out;
	err = -ENOMEM;
	key = EVP_EC_gen("P-256");
	if (key)
		cert = make_authority(key, "cloud", SLUICE_CA_DAYS / 2, 0, root_cert, root_key);
	text = sluice_ca_text(root_cert);
	if (cert && text)
		err = save_pair(dir, "ca", key, cert, text);
out:
	free(text);
	X509_free(cert);
	X509_free(root_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(root_key);
	return err;
}
