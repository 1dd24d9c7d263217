// SPDX-License-Identifier: MIT
/* cloud.conf: which source wins, what is refused, and that table, man page and example agree. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cloud/conf.h"

static char path[4096];

static void write_conf(const char *text)
{
	FILE *f = fopen(path, "w");

	CHECK(f && fputs(text, f) >= 0);
	if (f)
		fclose(f);
}

static int read_conf(struct sluice_cloud_conf *c, const struct sluice_conf_said *said, size_t count,
		     char why[400])
{
	why[0] = 0;
	return sluice_cloud_conf_read(c, path, said, count, why, 400);
}

static int find_origin(void *ctx, const struct sluice_conf_row *row)
{
	return !strcmp(row->key, ctx) ? 1 + (int)row->origin : 0;
}

static void test_order(void)
{
	const struct sluice_conf_said said[] = { { "--listen", "server", "listen", "o:1" } };
	struct sluice_cloud_conf c;
	char why[400];

	write_conf("[server]\ndata = /d\nlisten = f:1\ndrain = 7s\n[limits]\ncredit = 1M\n");
	setenv("SLUICE_CLOUD_LIMITS_CREDIT", "2M", 1);
	setenv("SLUICE_CLOUD_SERVER_LISTEN", "e:1", 1);
	CHECK(!read_conf(&c, said, 1, why));
	CHECK(!strcmp(c.server.data, "/d"));
	CHECK(!strcmp(c.server.listen, "o:1"));
	CHECK(!strcmp(c.server.port_file, ""));
	CHECK(c.server.drain_ms == 7000);
	CHECK(c.limits.credit == 2 << 20);
	CHECK(c.auth.device_life_ms == 90 * 86400000ull);
	CHECK(c.auth.session_idle_ms == 8 * 3600000 && c.auth.session_life_ms == 7 * 86400000);
	CHECK(c.auth.tries == 4 && c.auth.lockout_ms == 900000 && c.auth.scrypt_cost == 15);
	CHECK(c.auth.totp == SLUICE_TOTP_OPTIONAL);
	CHECK(c.log.level == 2 && c.log.format == 0);
	CHECK(sluice_cloud_conf_each(&c, find_origin, "data") == 1 + SLUICE_CONF_FILE);
	CHECK(sluice_cloud_conf_each(&c, find_origin, "credit") == 1 + SLUICE_CONF_ENVIRONMENT);
	CHECK(sluice_cloud_conf_each(&c, find_origin, "listen") == 1 + SLUICE_CONF_OPTION);
	CHECK(sluice_cloud_conf_each(&c, find_origin, "port_file") == 1 + SLUICE_CONF_DEFAULT);
	sluice_cloud_conf_free(&c);
	unsetenv("SLUICE_CLOUD_LIMITS_CREDIT");
	unsetenv("SLUICE_CLOUD_SERVER_LISTEN");
}

static void refuse(const char *text, const char *variable, const char *value, const char *expect)
{
	struct sluice_cloud_conf c;
	char why[400];

	write_conf(text);
	if (variable)
		setenv(variable, value, 1);
	CHECK(read_conf(&c, NULL, 0, why));
	CHECK(!c.file);
	if (!strstr(why, expect)) {
		fprintf(stderr, "'%s' is not in '%s'\n", expect, why);
		CHECK(0);
	}
	if (variable)
		unsetenv(variable);
}

static void test_refused(void)
{
	const struct sluice_conf_said said[] = { { "--drain", "server", "drain", "x" } };
	struct sluice_cloud_conf c;
	char why[400];

	refuse("[server]\ndrian = 1s\n", NULL, NULL,
	       ":2: unknown key 'drian' in [server]; did you "
	       "mean 'drain'?");
	refuse("[server]\ndrain = 11m\n", NULL, NULL, ":2: 'drain' must be a time");
	refuse("[limits]\ncredit = 63K\n", NULL, NULL, "'credit' must be bytes");
	refuse("[log]\nlevel = loud\n", NULL, NULL, "one of: error warning info debug; not 'loud'");
	refuse("[digests]\nenabled = perhaps\n", NULL, NULL, "must be yes or no");
	refuse("[server]\ndata = a\ndata = b\n", NULL, NULL, "already given");
	refuse("", "SLUICE_CLOUD_SERVER_DRAIN", "soon", "SLUICE_CLOUD_SERVER_DRAIN: 'drain' must");
	refuse("", "SLUICE_CLOUD_SERVER_DRIAN", "1s", "SLUICE_CLOUD_SERVER_DRIAN names no key");
	write_conf("");
	CHECK(read_conf(&c, said, 1, why) && !strncmp(why, "--drain: 'drain' must", 20));
}

static void test_fixed(void)
{
	struct sluice_cloud_conf a, b;
	char why[400], text[200];

	write_conf("[server]\ndrain = 7s\nlisten = a:1\n");
	CHECK(!read_conf(&a, NULL, 0, why));
	write_conf("[server]\ndrain = 8s\nlisten = b:1\n[log]\nlevel = debug\n");
	CHECK(!read_conf(&b, NULL, 0, why));
	CHECK(sluice_cloud_conf_fixed(&a, &b, text, sizeof(text)) == 1);
	CHECK(!strcmp(text, "[server] listen"));
	CHECK(!sluice_cloud_conf_fixed(&a, &a, text, sizeof(text)) && !*text);
	sluice_cloud_conf_free(&a);
	sluice_cloud_conf_free(&b);
}

/* ---- table, man page and example ---- */

struct texts {
	const char *man, *example;
	size_t keys;
};

static char *slurp(const char *name)
{
	FILE *f = fopen(name, "r");
	char *text = calloc(1, 1 << 18);

	CHECK(f && text);
	if (f && text)
		CHECK(fread(text, 1, (1 << 18) - 1, f));
	if (f)
		fclose(f);
	return text;
}

/* The part of text from "[section]" to the next section. */
static int in_section(const char *text, const char *head, const char *section, const char *key)
{
	char want[96], name[96];
	const char *at, *end, *hit;

	snprintf(want, sizeof(want), "%s[%s]\n", head, section);
	snprintf(name, sizeof(name), "%s", key);
	at = strstr(text, want);
	if (!at)
		return 0;
	end = strstr(at + strlen(want), head[0] ? head : "[");
	for (hit = strstr(at, name); hit; hit = strstr(hit + 1, name))
		if ((!end || hit < end) && strchr(" \n#", hit[-1]) &&
		    strchr(" \n,\"", hit[strlen(name)]))
			return 1;
	return 0;
}

static int agree(void *ctx, const struct sluice_conf_row *row)
{
	struct texts *t = ctx;

	t->keys++;
	if (!in_section(t->man, ".SH ", row->section, row->key)) {
		fprintf(stderr, "cloud.conf(5) lacks [%s] %s\n", row->section, row->key);
		CHECK(0);
	}
	return 0;
}

static void test_texts(void)
{
	struct sluice_cloud_conf c;
	char *man = slurp("docs/man/cloud.conf.5"), *line, why[400];
	struct texts t = { .man = man };
	char *example = slurp("cloud/cloud.conf.example"), *out;

	write_conf("");
	CHECK(!read_conf(&c, NULL, 0, why));
	CHECK(!sluice_cloud_conf_each(&c, agree, &t) && t.keys > 5);
	sluice_cloud_conf_free(&c);
	/* everything that the example comments out is a key with a good value */
	for (line = out = example; *line; line++)
		if (*line != '#' || (line[1] == ' ' || line[1] == '\n'))
			*out++ = *line;
	*out = 0;
	write_conf(example);
	CHECK(!read_conf(&c, NULL, 0, why));
	if (why[0] && !c.file)
		fprintf(stderr, "%s\n", why);
	sluice_cloud_conf_free(&c);
	free(example);
	free(man);
}

int main(void)
{
	const char *tmp = getenv("TEST_TMP");

	snprintf(path, sizeof(path), "%s/test-cloud.conf", tmp ? tmp : "build");
	test_order();
	test_refused();
	test_fixed();
	test_texts();
	unlink(path);
	return check_result();
}
