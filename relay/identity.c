// SPDX-License-Identifier: MIT
/*
 * Two files cannot be renamed at once, so the moment at which the change is decided is one rename:
 *
 *	KEY.new     written and synced before the request goes out: no certificate is ever issued
 *	            for a key that a crash could take
 *	CERT.new    written beside, synced, renamed to this name: from here on the change holds
 *	KEY.new  -> KEY
 *	CERT.new -> CERT
 *
 * Killed before CERT.new is there: the old pair is whole, and what is left beside it is written
 * over by the next attempt (it is not removed: it may be another relay's, at work just now). Killed
 * after it: recover() goes on, since it can tell by the key whether the third line was done. In
 * between a reader may meet a key and a certificate that do not belong together; the relay itself
 * calls recover() first, another one tries again.
 */
#include "relay/identity.h"
#include "lib/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE (PATH_MAX + 16)

/* "PATH.new", "PATH.new.part" */
static const char *beside(char out[PATH_SIZE], const char *path, const char *end)
{
	snprintf(out, PATH_SIZE, "%s%s", path, end);
	return out;
}

static int sync_dir(const char *path)
{
	char dir[PATH_SIZE];
	char *slash;
	int fd, err = 0;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash)
		snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

static int write_file(const char *path, const char *data, size_t size, mode_t mode)
{
	int fd, err;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	err = sluice_write_whole(fd, data, size);
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static X509 *read_cert(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	if (f)
		fclose(f);
	ERR_clear_error();
	return x;
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	if (f)
		fclose(f);
	ERR_clear_error();
	return key;
}

/* Does the key in that file belong to x? */
static bool key_fits(const char *path, X509 *x)
{
	EVP_PKEY *key = read_key(path);
	bool fits = key && x && X509_check_private_key(x, key) == 1;

	EVP_PKEY_free(key);
	ERR_clear_error();
	return fits;
}

int relay_identity_recover(const struct relay_identity *id)
{
	char key_new[PATH_SIZE], cert_new[PATH_SIZE];
	X509 *x;
	int err = 0;

	beside(key_new, id->key, ".new");
	beside(cert_new, id->cert, ".new");
	x = read_cert(cert_new);
	if (!x)
		return 0;
	if (!key_fits(key_new, x) && !key_fits(id->key, x)) {
		X509_free(x);
		unlink(cert_new);
		return 0;
	}
	if (key_fits(key_new, x) && rename(key_new, id->key) && errno != ENOENT)
		err = -errno;
	if (!err && rename(cert_new, id->cert) && errno != ENOENT)
		err = -errno;
	X509_free(x);
	if (!err)
		err = sync_dir(id->key);
	if (!err)
		err = sync_dir(id->cert);
	return err ? err : 1;
}

/* ---- the request ---- */

/* malloc'd text of what was written to the BIO, which is freed. */
static char *take_text(BIO *b)
{
	char *data, *copy;
	long n = BIO_get_mem_data(b, &data);

	copy = n > 0 ? strndup(data, (size_t)n) : NULL;
	BIO_free(b);
	return copy;
}

/* A request for key; the cloud sets the names itself. */
static char *make_csr(EVP_PKEY *key)
{
	X509_REQ *r = X509_REQ_new();
	BIO *out = BIO_new(BIO_s_mem());
	bool ok;

	ok = r && out && X509_REQ_set_version(r, 0) == 1 && X509_REQ_set_pubkey(r, key) == 1 &&
	     X509_REQ_sign(r, key, EVP_sha256()) > 0 && PEM_write_bio_X509_REQ(out, r) == 1;
	X509_REQ_free(r);
	if (ok)
		return take_text(out);
	BIO_free(out);
	return NULL;
}

static int save_key(const char *path, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_secmem());
	char *data;
	long n;
	int err = -ENOMEM;

	if (b && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1) {
		n = BIO_get_mem_data(b, &data);
		err = write_file(path, data, (size_t)n, 0600);
	}
	BIO_free(b);
	return err;
}

int relay_identity_request(const struct relay_identity *id, char **csr, char *why, size_t why_size)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char path[PATH_SIZE];
	int err;

	*csr = key ? make_csr(key) : NULL;
	err = *csr ? save_key(beside(path, id->key, ".new"), key) : -ENOMEM;
	if (!err)
		err = sync_dir(id->key);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (!err)
		return 0;
	snprintf(why, why_size, "cannot write %s: %s; the relay's user must be able to write there",
		 path, strerror(-err));
	free(*csr);
	*csr = NULL;
	return err;
}

/* ---- the answer ---- */

/* The one name that a device's certificate has. */
static bool same_names(X509 *a, X509 *b)
{
	GENERAL_NAMES *x = X509_get_ext_d2i(a, NID_subject_alt_name, NULL, NULL);
	GENERAL_NAMES *y = X509_get_ext_d2i(b, NID_subject_alt_name, NULL, NULL);
	bool same = sk_GENERAL_NAME_num(x) == sk_GENERAL_NAME_num(y) && x;

	for (int i = 0; same && i < sk_GENERAL_NAME_num(x); i++)
		same = !GENERAL_NAME_cmp(sk_GENERAL_NAME_value(x, i), sk_GENERAL_NAME_value(y, i));
	GENERAL_NAMES_free(x);
	GENERAL_NAMES_free(y);
	return same;
}

/* Of our authority, good now, and good as a client's? between: intermediates that came with it. */
static bool is_trusted(X509 *x, STACK_OF(X509) * between, const char *ca)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok;

	ok = store && ctx && X509_STORE_load_file(store, ca) == 1 &&
	     X509_STORE_CTX_init(ctx, store, x, between) == 1 &&
	     X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) == 1 &&
	     X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

/* NULL, or what is wrong with it. */
static const char *check_cert(const struct relay_identity *id, X509 *x, STACK_OF(X509) * between)
{
	char key_new[PATH_SIZE];
	X509 *old = read_cert(id->cert);
	const char *wrong = NULL;

	if (!x)
		wrong = "it is not a certificate";
	else if (!key_fits(beside(key_new, id->key, ".new"), x))
		wrong = "it is for another key";
	else if (!old)
		wrong = "the present one cannot be read";
	else if (!same_names(x, old))
		wrong = "it is for another device";
	else if (ASN1_TIME_compare(X509_get0_notAfter(x), X509_get0_notAfter(old)) <= 0)
		wrong = "it does not last longer than the present one";
	else if (!is_trusted(x, between, id->ca))
		wrong = "it is not of our certificate authority, or not valid now";
	X509_free(old);
	ERR_clear_error();
	return wrong;
}

#define CHAIN_MAX 4

/* The certificates that follow the first. NULL: out of memory. */
static STACK_OF(X509) * read_chain(BIO *in)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *x;

	while (chain && sk_X509_num(chain) < CHAIN_MAX &&
	       (x = PEM_read_bio_X509(in, NULL, NULL, NULL)))
		if (!sk_X509_push(chain, x))
			X509_free(x);
	ERR_clear_error();
	return chain;
}

int relay_identity_install(const struct relay_identity *id, const char *pem, unsigned int steps,
			   char *why, size_t why_size)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	STACK_OF(X509) *between = x ? read_chain(in) : NULL;
	const char *wrong = check_cert(id, x, between);
	char cert_new[PATH_SIZE], part[PATH_SIZE], key_new[PATH_SIZE];
	int err;

	BIO_free(in);
	X509_free(x);
	sk_X509_pop_free(between, X509_free);
	beside(key_new, id->key, ".new");
	if (wrong) {
		snprintf(why, why_size, "the cloud's new certificate is refused: %s", wrong);
		unlink(key_new);
		return -EINVAL;
	}
	beside(cert_new, id->cert, ".new");
	err = write_file(beside(part, id->cert, ".new.part"), pem, strlen(pem), 0644);
	if (steps == 1)
		return err;
	if (!err && rename(part, cert_new))
		err = -errno;
	if (!err)
		err = sync_dir(id->cert);
	if (steps == 2)
		return err;
	if (err) {
		snprintf(why, why_size, "cannot write %s: %s", cert_new, strerror(-err));
		unlink(part);
		unlink(cert_new);
		unlink(key_new);
		return err;
	}
	if (steps == 3)
		return rename(key_new, id->key) ? -errno : 0;
	err = relay_identity_recover(id);
	if (err < 0)
		snprintf(why, why_size, "cannot replace %s: %s", id->cert, strerror(-err));
	return err < 0 ? err : 0;
}
