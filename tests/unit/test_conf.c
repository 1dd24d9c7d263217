// SPDX-License-Identifier: MIT
/* Settings files: values, and that every mistake names its line. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "lib/conf.h"
#include "lib/near.h"

static struct sluice_conf *parse(const char *text)
{
	char why[256];
	int err;

	return sluice_conf_parse("f.conf", text, strlen(text), &err, why, sizeof(why));
}

static void test_values(void)
{
	struct sluice_conf *c =
		parse("top = 1\n# note\n; note\n\n[relay]\r\n"
		      "cloud = https://box:8443  \nname=\"a \\\"b\\\"\"\nyes = on\n"
		      "feed = one\nfeed = two\nsize = 32 M\nage = 2h\nidle = 250ms\n"
		      "wait = 7\n[other]\ncloud = x\n");
	size_t at = 0;

	CHECK(c);
	CHECK(sluice_conf_int(c, "", "top", 0, 0, 9) == 1);
	CHECK(!strcmp(sluice_conf_text(c, "relay", "cloud", ""), "https://box:8443"));
	CHECK(!strcmp(sluice_conf_text(c, "relay", "name", ""), "a \"b\""));
	CHECK(sluice_conf_bool(c, "relay", "yes", false));
	CHECK(!strcmp(sluice_conf_next(c, "relay", "feed", &at), "one"));
	CHECK(!strcmp(sluice_conf_next(c, "relay", "feed", &at), "two"));
	CHECK(!sluice_conf_next(c, "relay", "feed", &at));
	CHECK(sluice_conf_size(c, "relay", "size", 0, 0, ~0ull) == 32u << 20);
	CHECK(sluice_conf_ms(c, "relay", "age", 0, 0, ~0ull) == 7200000);
	CHECK(sluice_conf_ms(c, "relay", "idle", 0, 0, ~0ull) == 250);
	CHECK(sluice_conf_ms(c, "relay", "wait", 0, 0, ~0ull) == 7000);
	CHECK(sluice_conf_finish(c) == -EINVAL);
	CHECK(!strcmp(
		sluice_conf_error(c),
		"f.conf:16: unknown key 'cloud' in [other]; did you mean 'cloud' in [relay]?"));
	CHECK(!strcmp(sluice_conf_section(c, 0), "relay"));
	CHECK(!strcmp(sluice_conf_section(c, 1), "other"));
	CHECK(!sluice_conf_section(c, 2));
	sluice_conf_close(c);
	CHECK(sluice_conf_int(NULL, "", "x", 5, 0, 9) == 5 && !sluice_conf_finish(NULL));
}

static void expect_error(const char *text, const char *error)
{
	struct sluice_conf *c = parse(text);

	CHECK(c);
	sluice_conf_int(c, "a", "n", 0, 1, 9);
	sluice_conf_bool(c, "a", "b", false);
	sluice_conf_size(c, "a", "s", 0, 0, 1 << 20);
	CHECK(sluice_conf_finish(c) == -EINVAL);
	CHECK(!strcmp(sluice_conf_error(c), error));
	if (strcmp(sluice_conf_error(c), error))
		fprintf(stderr, "%s\n", sluice_conf_error(c));
	sluice_conf_close(c);
}

static void test_mistakes(void)
{
	static const char *const syntax[] = { "[a\n",  "[]\n",	    "x\n",
					      "= 1\n", "a = \"b\n", "a/b = 1\n" };
	char why[256];
	int err;

	expect_error("[a]\nn = 10\n", "f.conf:2: 'n' must be a number from 1 to 9, not '10'");
	expect_error("[a]\nn = 1x\n", "f.conf:2: 'n' must be a number from 1 to 9, not '1x'");
	expect_error("[a]\n\nb = maybe\n", "f.conf:3: 'b' must be yes or no, not 'maybe'");
	expect_error("[a]\nn = 1\nn = 2\n", "f.conf:3: 'n' was already given in line 2");
	expect_error("[a]\ns = 2M\n",
		     "f.conf:2: 's' must be bytes, with K, M, G or T (0 to 1048576), not '2M'");
	expect_error("[a]\ns = 99999999T\n",
		     "f.conf:2: 's' must be bytes, with K, M, G or T (0 to 1048576), not "
		     "'99999999T'");
	expect_error("q = 1\n", "f.conf:1: unknown key 'q' before the first section");
	for (size_t i = 0; i < sizeof(syntax) / sizeof(syntax[0]); i++) {
		CHECK(!sluice_conf_parse("f", syntax[i], strlen(syntax[i]), &err, why,
					 sizeof(why)));
		CHECK(err == -EINVAL && !strncmp(why, "f:1: ", 5));
	}
	CHECK(!sluice_conf_parse("f", "a\0b", 3, &err, why, sizeof(why)) && err == -EINVAL);
	CHECK(!sluice_conf_open("/nonexistent/x.conf", &err, why, sizeof(why)) && err == -ENOENT);
	CHECK(strstr(why, "/nonexistent/x.conf: No such file"));
	CHECK(!sluice_conf_open("/", &err, why, sizeof(why)) && err);
}

static void test_file(void)
{
	char path[] = "/tmp/sluice-conf-XXXXXX", why[256];
	int fd = mkstemp(path), err;
	struct sluice_conf *c;

	CHECK(fd >= 0 && write(fd, "[a]\nn = 3", 9) == 9);
	c = sluice_conf_open(path, &err, why, sizeof(why));
	CHECK(c && !err && sluice_conf_int(c, "a", "n", 0, 1, 9) == 3 && !sluice_conf_finish(c));
	sluice_conf_close(c);
	close(fd);
	unlink(path);
}

/* What an unknown key may have been meant to be. */
static void expect_hint(const char *text, const char *hint)
{
	struct sluice_conf *c = parse(text);
	size_t at = 0;

	sluice_conf_text(c, "cloud", "url", NULL);
	sluice_conf_text(c, "cloud", "certificates", NULL);
	sluice_conf_int(c, "relay", "quality", 80, 10, 100);
	sluice_conf_next(c, "relay", "device", &at);
	CHECK(sluice_conf_finish(c) == -EINVAL);
	if (hint)
		CHECK(strstr(sluice_conf_error(c), hint));
	else
		CHECK(!strstr(sluice_conf_error(c), "did you mean"));
	if (!hint != !strstr(sluice_conf_error(c), "did you mean"))
		fprintf(stderr, "%s\n", sluice_conf_error(c));
	sluice_conf_close(c);
}

static void test_hints(void)
{
	CHECK(!sluice_near_distance("url", "url") && sluice_near_distance("ulr", "url") == 1);
	CHECK(sluice_near_distance("", "url") == 3 &&
	      sluice_near_distance("kitten", "sitting") == 3);
	expect_hint("[cloud]\nulr = x\n",
		    "f.conf:2: unknown key 'ulr' in [cloud]; did you mean 'url'?");
	expect_hint("[relay]\nqualty = 3\n", "did you mean 'quality'?");
	expect_hint("[relay]\ndevices = /dev/x\n", "did you mean 'device'?");
	expect_hint("[relay]\nurl = x\n", "did you mean 'url' in [cloud]?");
	expect_hint("url = x\n", "before the first section; did you mean 'url' in [cloud]?");
	expect_hint("[clod]\nurl = x\n", "did you mean 'url' in [cloud]?");
	expect_hint("[relay]\nzzz = x\n", NULL);
	expect_hint("[relay]\nabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz = x\n", NULL);
}

int main(void)
{
	test_values();
	test_mistakes();
	test_hints();
	test_file();
	return check_result();
}
