// SPDX-License-Identifier: MIT
/* seed_csr.c DIR - good requests, and some that are nearly good, for fuzz_csr: P-256, another
 * curve, RSA, one that another key has signed; each as DER behind an odd byte, one as PEM. */
#include <stdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static void save(const char *dir, const char *name, const unsigned char *first, const void *data,
		 size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f)
		return;
	if (first)
		fputc(*first, f);
	fwrite(data, 1, size, f);
	fclose(f);
}

static void make(const char *dir, const char *name, EVP_PKEY *key, EVP_PKEY *signer, int pem)
{
	static const unsigned char odd = 1;
	X509_REQ *r = X509_REQ_new();
	unsigned char *der = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	int n;

	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(r), "CN", MBSTRING_ASC,
				   (const unsigned char *)"device", -1, -1, 0);
	X509_REQ_set_pubkey(r, key);
	X509_REQ_sign(r, signer, EVP_sha256());
	n = i2d_X509_REQ(r, &der);
	if (n > 0)
		save(dir, name, &odd, der, (size_t)n);
	if (pem && PEM_write_bio_X509_REQ(bio, r) == 1) {
		n = (int)BIO_get_mem_data(bio, &text);
		save(dir, "pem", NULL, text, (size_t)n);
	}
	OPENSSL_free(der);
	BIO_free(bio);
	X509_REQ_free(r);
}

int main(int argc, char **argv)
{
	EVP_PKEY *a = EVP_EC_gen("P-256"), *b = EVP_EC_gen("P-256"), *c = EVP_EC_gen("P-384"),
		 *d = EVP_RSA_gen(1024);

	if (argc != 2 || !a || !b || !c || !d)
		return 2;
	make(argv[1], "seed-0", a, a, 1);
	make(argv[1], "forged", a, b, 0);
	make(argv[1], "p384", c, c, 0);
	make(argv[1], "rsa", d, d, 0);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	EVP_PKEY_free(c);
	EVP_PKEY_free(d);
	return 0;
}
