// SPDX-License-Identifier: MIT
/*
 * usage: web_pack OUT.c FILE...
 *
 * Runs while sluice-cloud is built: writes the dashboard's files as C, in the shape of web.h. In
 * index.html @HASH@ becomes the hash of all files, @STYLES@ a link to every style sheet in the
 * order given, @MODULES@ a preload of every module (they import each other: without it a browser
 * would find them one after the other).
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 128
#define FILE_MAX  (1u << 20)
#define HASH_SIZE 8 /* bytes of it that are kept */

struct file {
	const char *name, *type;
	unsigned char *bytes;
	size_t size;
};

static struct file files[FILES_MAX];
static int count;
static char hash[2 * HASH_SIZE + 1];

static const char *type_of(const char *name)
{
	static const char *const types[][2] = { { ".html", "text/html; charset=utf-8" },
						{ ".css", "text/css; charset=utf-8" },
						{ ".js", "text/javascript; charset=utf-8" },
						{ ".svg", "image/svg+xml" } };
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(dot, types[i][0]))
			return types[i][1];
	return NULL;
}

static int read_file(const char *path, struct file *f)
{
	const char *slash = strrchr(path, '/');
	FILE *in = fopen(path, "re");

	f->name = slash ? slash + 1 : path;
	f->type = type_of(f->name);
	f->bytes = malloc(FILE_MAX);
	if (in && f->bytes)
		f->size = fread(f->bytes, 1, FILE_MAX, in);
	if (!in || !f->bytes || ferror(in) || f->size == FILE_MAX || !f->type) {
		fprintf(stderr, "web_pack: %s: %s\n", path,
			!in	   ? strerror(errno)
			: !f->type ? "no known type of file"
				   : "cannot be read, or too large");
		if (in)
			fclose(in);
		return -1;
	}
	fclose(in);
	return 0;
}

/* Names and contents, each ended, so that no two sets of files have the same. */
static int hash_files(void)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int i, ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

	for (i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(ctx, files[i].name, strlen(files[i].name) + 1) &&
		     EVP_DigestUpdate(ctx, &files[i].size, sizeof(files[i].size)) &&
		     EVP_DigestUpdate(ctx, files[i].bytes, files[i].size);
	ok = ok && EVP_DigestFinal_ex(ctx, md, NULL);
	EVP_MD_CTX_free(ctx);
	for (i = 0; ok && i < HASH_SIZE; i++)
		snprintf(hash + 2 * i, 3, "%02x", md[i]);
	return ok ? 0 : -1;
}

static void write_links(FILE *out, const char *end, const char *relation)
{
	int i;

	for (i = 0; i < count; i++) {
		const char *dot = strrchr(files[i].name, '.');

		if (!strcmp(dot, end))
			fprintf(out, "<link rel=\"%s\" href=\"/assets/%s/%s\">\n", relation, hash,
				files[i].name);
	}
}

/* index.html with its words filled in, in place of what was read. */
static int fill_index(struct file *f)
{
	static const char styles[] = "@STYLES@\n", modules[] = "@MODULES@\n", word[] = "@HASH@";
	char *text = NULL;
	size_t size = 0, i = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -1;
	while (i < f->size) {
		const char *at = (const char *)f->bytes + i;
		size_t left = f->size - i;

		if (left >= strlen(styles) && !memcmp(at, styles, strlen(styles))) {
			write_links(out, ".css", "stylesheet");
			i += strlen(styles);
		} else if (left >= strlen(modules) && !memcmp(at, modules, strlen(modules))) {
			write_links(out, ".js", "modulepreload");
			i += strlen(modules);
		} else if (left >= strlen(word) && !memcmp(at, word, strlen(word))) {
			fputs(hash, out);
			i += strlen(word);
		} else {
			fputc(*at, out);
			i++;
		}
	}
	if (fclose(out))
		return -1;
	free(f->bytes);
	f->bytes = (unsigned char *)text;
	f->size = size;
	return 0;
}

static int write_out(const char *path)
{
	FILE *out = fopen(path, "we");
	size_t k;
	int i;

	if (!out)
		return -1;
	fprintf(out,
		"/* made by web_pack */\n#include \"cloud/web.h\"\n"
		"const char sluice_web_hash[] = \"%s\";\n",
		hash);
	for (i = 0; i < count; i++) {
		fprintf(out, "static const unsigned char file_%d[] = {", i);
		for (k = 0; k < files[i].size; k++)
			fprintf(out, "%s%u,", k % 24 ? "" : "\n", files[i].bytes[k]);
		fprintf(out, "};\n");
	}
	fprintf(out, "const struct sluice_web_file sluice_web_files[] = {\n");
	for (i = 0; i < count; i++)
		fprintf(out, "{ \"%s\", \"%s\", file_%d, sizeof(file_%d) },\n", files[i].name,
			files[i].type, i, i);
	fprintf(out, "};\nconst size_t sluice_web_file_count = %d;\n", count);
	return fclose(out) ? -1 : 0;
}

int main(int argc, char **argv)
{
	int i, err = 0;

	if (argc < 3 || argc - 2 > FILES_MAX) {
		fprintf(stderr, "usage: web_pack OUT.c FILE... (at most %d)\n", FILES_MAX);
		return 2;
	}
	for (i = 2; i < argc && !err; i++)
		err = read_file(argv[i], &files[count++]);
	if (!err)
		err = hash_files();
	for (i = 0; i < count && !err; i++)
		if (!strcmp(files[i].name, "index.html"))
			err = fill_index(&files[i]);
	if (!err && write_out(argv[1])) {
		fprintf(stderr, "web_pack: cannot write %s: %s\n", argv[1], strerror(errno));
		err = -1;
	}
	for (i = 0; i < count; i++)
		free(files[i].bytes);
	return err ? 1 : 0;
}
