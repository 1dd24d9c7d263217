// SPDX-License-Identifier: MIT
/*
 * enrol.c - a certificate for this device. The key is made here and never leaves. The token that
 * the operator was given has two parts, SECRET.PIN: PIN is the start of the SHA-256 of the cloud's
 * CA certificate, so that the very first connection can already tell the right cloud from a wrong
 * one.
 *
 *	1. GET /v1/ca, unverified; what comes is believed only if its hash begins with PIN
 *	2. POST /v1/enrol over TLS verified against that CA: token and a signing request
 *	3. write ca.crt, device.crt and device.key (0600), each complete or not at all
 *
 * A failure before 3 leaves the files as they were; the token is used up only by a certificate that
 * was issued.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "tools/ctl/https.h"

#define PIN_DIGITS 32

/* Does the SHA-256 of the certificate begin with pin? */
static bool pin_matches(const char *pem, const char *pin)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	unsigned int n = 0;
	bool ok = x && X509_digest(x, EVP_sha256(), digest, &n) && n == sizeof(digest);

	for (unsigned int i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	X509_free(x);
	BIO_free(in);
	return ok && !strncasecmp(hex, pin, PIN_DIGITS);
}

static char *bio_text(BIO *b)
{
	char *data, *copy;
	long n = BIO_get_mem_data(b, &data);

	copy = malloc(n + 1);
	if (copy) {
		memcpy(copy, data, n);
		copy[n] = 0;
	}
	BIO_free(b);
	return copy;
}

/* A signing request for key; the cloud ignores its subject and sets its own names. */
static char *make_request(EVP_PKEY *key)
{
	X509_REQ *r = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(r);
	BIO *out = BIO_new(BIO_s_mem());

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sluice device",
				   -1, -1, 0);
	X509_REQ_set_version(r, 0);
	X509_REQ_set_pubkey(r, key);
	X509_REQ_sign(r, key, EVP_sha256());
	PEM_write_bio_X509_REQ(out, r);
	X509_REQ_free(r);
	return bio_text(out);
}

static char *key_text(EVP_PKEY *key)
{
	BIO *out = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	return bio_text(out);
}

/* Whole or not at all: a temporary file beside it, synced, then renamed. */
static int write_file(const struct ctl *ctl, const char *dir, const char *name, const char *text,
		      mode_t mode)
{
	char path[512], part[520];
	size_t n = strlen(text);
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(part, sizeof(part), "%s.part", path);
	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	/* run by root in the directory of a service's user: the files are that user's */
	if (fd >= 0 && !geteuid() && !stat(dir, &st) && st.st_uid &&
	    fchown(fd, st.st_uid, st.st_gid))
		ctl_error(ctl, 0, "cannot give %s to the owner of %s: %s", path, dir,
			  strerror(errno));
	if (fd < 0 || write(fd, text, n) != (ssize_t)n || fsync(fd) || close(fd) ||
	    rename(part, path)) {
		ctl_error(ctl, 0, "cannot write %s: %s", path, strerror(errno));
		unlink(part);
		return -1;
	}
	return 0;
}

static int store(struct ctl *ctl, const char *dir, const struct ctl_answer *a, const char *ca,
		 const char *key)
{
	json_t *o = json_loads(a->text, 0, NULL);
	const char *certificate = json_string_value(json_object_get(o, "certificate"));
	const char *device = json_string_value(json_object_get(o, "device"));
	const char *tenant = json_string_value(json_object_get(o, "tenant"));
	int rc = CTL_FAILED;

	if (!certificate || !device || !tenant)
		ctl_error(ctl, 0,
			  "the cloud's answer is not a certificate; is the URL that of a "
			  "sluice-cloud?");
	else if (!write_file(ctl, dir, "ca.crt", ca, 0644) &&
		 !write_file(ctl, dir, "device.key", key, 0600) &&
		 !write_file(ctl, dir, "device.crt", certificate, 0644))
		rc = CTL_OK;
	if (!rc && ctl->json)
		ctl_print_json(
			json_pack("{s:s,s:s,s:s}", "device", device, "tenant", tenant, "dir", dir));
	else if (!rc)
		printf("enrolled as %s of %s; certificate, key and CA are in %s\n", device, tenant,
		       dir);
	json_decref(o);
	return rc;
}

static void refused(const struct ctl *ctl, long status, const struct ctl_answer *a)
{
	json_t *o;

	ctl_error(ctl, 0, "the cloud refused (%ld): %s%s", status, ctl_answer_why(a, &o),
		  status == 403 ? " (on the cloud: sluice-cloud token; it works once, for a short "
				  "time)"
				: "");
	json_decref(o);
}

static int enrol(struct ctl *ctl, const char *url, const char *token, const char *dir)
{
	struct ctl_https cloud = { .base = url };
	struct ctl_answer ca = { 0 }, a = { 0 };
	const char *pin = strrchr(token, '.');
	EVP_PKEY *key = NULL;
	char *csr = NULL, *key_pem = NULL, *body = NULL;
	int rc = CTL_FAILED;
	json_t *o;
	long status;

	if (!pin || strlen(pin + 1) != PIN_DIGITS)
		return ctl_error(
			ctl, CTL_USAGE,
			"the token is not whole: it is SECRET.PIN, as 'sluice-cloud token' "
			"printed it");
	status = ctl_https(ctl, &cloud, "GET", "/v1/ca", NULL, NULL, &ca);
	if (status > 0 && (status != 200 || !ca.text))
		ctl_error(ctl, 0, "%s/v1/ca answers %ld; is it a sluice-cloud?", url, status);
	if (status != 200 || !ca.text)
		goto out;
	if (!pin_matches(ca.text, pin + 1)) {
		ctl_error(ctl, 0,
			  "%s is not the cloud that the token is for (its CA differs); check the "
			  "URL, or make a token there",
			  url);
		goto out;
	}
	cloud.ca = ca.text;
	key = EVP_EC_gen("P-256");
	csr = key ? make_request(key) : NULL;
	key_pem = key ? key_text(key) : NULL;
	o = csr && key_pem ? json_pack("{s:s,s:s}", "token", token, "csr", csr) : NULL;
	body = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (!body) {
		ctl_error(ctl, 0, "cannot make a key");
		goto out;
	}
	status = ctl_https(ctl, &cloud, "POST", "/v1/enrol", body, NULL, &a);
	if (status == 200 || status == 201)
		rc = store(ctl, dir, &a, ca.text, key_pem);
	else if (status > 0)
		refused(ctl, status, &a);
out:
	if (key_pem)
		OPENSSL_cleanse(key_pem, strlen(key_pem));
	free(key_pem);
	free(csr);
	free(body);
	EVP_PKEY_free(key);
	ctl_answer_free(&ca);
	ctl_answer_free(&a);
	return rc;
}

int ctl_enrol(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "token", 1, NULL, 't' },
						 { "token-file", 1, NULL, 'f' },
						 { "dir", 1, NULL, 'd' },
						 { 0 } };
	const char *dir = "/etc/sluice", *token = NULL;
	char from_file[256], url[400];
	int c, rc;

	optind = 1;
	while ((c = getopt_long(argc, argv, "t:f:d:", options, NULL)) != -1) {
		if (c == 't') {
			token = optarg;
		} else if (c == 'd') {
			dir = optarg;
		} else if (c == 'f') {
			if (!ctl_token_read(ctl, optarg, from_file, sizeof(from_file)))
				return CTL_FAILED;
			token = from_file;
		} else {
			return CTL_USAGE;
		}
	}
	if (optind + 1 != argc || !token)
		return ctl_error(
			ctl, CTL_USAGE,
			"usage: sluicectl enrol https://HOST:PORT --token TOKEN [--dir DIR]");
	if (!ctl_https_url(ctl, argv[optind], url, sizeof(url)))
		return CTL_USAGE;
	if (mkdir(dir, 0755) && errno != EEXIST)
		return ctl_error(ctl, CTL_FAILED, "cannot make %s: %s; use --dir or run as root",
				 dir, strerror(errno));
	if (access(dir, W_OK))
		return ctl_error(ctl, CTL_FAILED,
				 "cannot write to %s: %s; use --dir or run as root", dir,
				 strerror(errno));
	curl_global_init(CURL_GLOBAL_DEFAULT);
	rc = enrol(ctl, url, token, dir);
	curl_global_cleanup();
	return rc;
}
