// SPDX-License-Identifier: MIT
/* The report: hostile text and JPEG headers, missing and odd summaries, and what --expect asks. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed;

#define CHECK(cond)                                                                 \
	do {                                                                        \
		if (!(cond)) {                                                      \
			printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
			failed = 1;                                                 \
		}                                                                   \
	} while (0)

static char *printed(void (*print)(FILE *, const void *), const void *arg)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print(f, arg);
	fclose(f);
	return text;
}

static void print_text(FILE *f, const void *arg)
{
	html_text(f, arg);
}

static void print_base64(FILE *f, const void *arg)
{
	html_base64(f, arg, strlen(arg));
}

static void print_clock(FILE *f, const void *arg)
{
	html_clock(f, *(const double *)arg);
}

static void expect_text(void (*print)(FILE *, const void *), const void *arg, const char *want)
{
	char *got = printed(print, arg);

	if (strcmp(got, want)) {
		printf("got '%s', want '%s'\n", got, want);
		failed = 1;
	}
	free(got);
}

static void test_pieces(void)
{
	static const double times[] = { 0, 59.96, 61.25, -0.04, -3 };
	unsigned int w = 0, h = 0;
	unsigned char jpeg[] = { 0xff, 0xd8, 0xff, 0xe0, 0,  4, 0, 0, 0xff, 0xc0,
				 0,    17,   8,	   2,	 64, 3, 0, 3, 0,    0 };

	expect_text(print_text, "<b a='\"'>&", "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
	expect_text(print_base64, "", "");
	expect_text(print_base64, "f", "Zg==");
	expect_text(print_base64, "fo", "Zm8=");
	expect_text(print_base64, "foobar", "Zm9vYmFy");
	expect_text(print_clock, &times[0], "0:00.0");
	expect_text(print_clock, &times[1], "1:00.0");
	expect_text(print_clock, &times[2], "1:01.3");
	expect_text(print_clock, &times[3], "0:00.0");
	expect_text(print_clock, &times[4], "-0:03.0");
	CHECK(jpeg_size(jpeg, sizeof(jpeg), &w, &h) && w == 768 && h == 576);
	for (size_t size = 0; size < 17; size++)
		CHECK(!jpeg_size(jpeg, size, &w, &h));
	jpeg[5] = 1; /* a segment shorter than its own length: no step back, no endless walk */
	CHECK(!jpeg_size(jpeg, sizeof(jpeg), &w, &h));
}

/* $dir/summaries/cam/2026-01-01/ID with the given summary.json; a key frame where wanted. */
static void put_file(const char *dir, const char *name, const void *bytes, size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	CHECK(f && fwrite(bytes, 1, size, f) == size);
	if (f)
		fclose(f);
}

static const char summary[] =
	"{\"version\":1,\"title\":\"<script>\",\"text\":\"One\",\"start_s\":1,\"end_s\":2,"
	"\"tracks\":[{\"id\":1,\"boxes\":[[1,2,3,4,5],[1],7]}],\"keyframes\":[{\"t_s\":1,\"file\":"
	"\"%s\"}]}";

static int run(const char *dir, char **html, char *why, size_t why_size, int *met)
{
	struct report r = { .dir = dir, .title = "T" };
	char path[512];
	int err = report_load(&r, why, why_size);
	FILE *f;

	if (err)
		return err;
	err = report_save(&r, why, why_size);
	f = fopen("/dev/null", "w");
	*met = report_expect(&r, f);
	fclose(f);
	report_free(&r);
	snprintf(path, sizeof(path), "%s/report.html", dir);
	f = fopen(path, "r");
	*html = calloc(1, 65536);
	CHECK(f && *html && fread(*html, 1, 65535, f) > 0);
	if (f)
		fclose(f);
	return err;
}

static void test_directory(const char *root)
{
	static const unsigned char jpeg[] = { 0xff, 0xd8, 0xff, 0xc0, 0, 8, 8, 0, 16, 0, 16 };
	static const char good[] =
		"{\"version\":1,\"cameras\":[{\"name\":\"cam\",\"delivered\":10,"
		"\"pending\":1,\"passed\":{\"motion\":4},\"dropped\":{\"quiet\":5}}]}";
	static const char lost[] = "{\"version\":1,\"cameras\":[{\"name\":\"cam\",\"delivered\":10,"
				   "\"passed\":{\"motion\":4},\"lost\":{\"overrun\":6}}]}";
	static const char short_sum[] =
		"{\"version\":1,\"cameras\":[{\"name\":\"cam\",\"delivered\":10,"
		"\"passed\":{\"motion\":4}}]}";
	static const char period[] =
		"{\"version\":1,\"kind\":\"period\",\"storyboard\":\"board.jpg\","
		"\"synopsis\":\"../s.webm\",\"texts\":{\"en\":{\"title\":\"A <b> day\"}}}";
	char dir[256], text[1024], why[512], *html = NULL;
	int met = 0;

	snprintf(dir, sizeof(dir), "%s/summaries/cam/2026-01-01/id", root);
	for (char *c = dir + strlen(root) + 1; c; c = strchr(c + 1, '/')) {
		char whole = *c;

		if (whole != '/')
			continue;
		*c = 0;
		mkdir(dir, 0700);
		*c = whole;
	}
	mkdir(dir, 0700);
	/* nothing there yet but an empty directory */
	CHECK(run(root, &html, why, sizeof(why), &met) < 0 && strstr(why, "summary.json"));
	snprintf(text, sizeof(text), summary, "key.jpg");
	put_file(dir, "summary.json", text, strlen(text));
	put_file(dir, "key.jpg", jpeg, sizeof(jpeg));
	put_file(root, "ledger.json", good, strlen(good));
	CHECK(!run(root, &html, why, sizeof(why), &met) && met == 0);
	CHECK(strstr(html, "&lt;script&gt;") && !strstr(html, "<script"));
	CHECK(strstr(html, "data:image/jpeg;base64,/9j/wAAI"));
	free(html);
	put_file(root, "ledger.json", lost, strlen(lost));
	CHECK(!run(root, &html, why, sizeof(why), &met) && met == 1);
	free(html);
	put_file(root, "ledger.json", short_sum, strlen(short_sum));
	CHECK(!run(root, &html, why, sizeof(why), &met) && met == 1);
	free(html);
	/* a key frame outside the summary's own directory is not followed */
	snprintf(text, sizeof(text), summary, "../id/key.jpg");
	put_file(dir, "summary.json", text, strlen(text));
	put_file(root, "ledger.json", good, strlen(good));
	CHECK(!run(root, &html, why, sizeof(why), &met) && met == 1);
	free(html);
	/* a period is no event, and comes first; a file that is not its own is not shown */
	put_file(dir, "summary.json", period, strlen(period));
	put_file(dir, "board.jpg", jpeg, sizeof(jpeg));
	CHECK(!run(root, &html, why, sizeof(why), &met) && met == 1);
	CHECK(strstr(html, "<div lang=\"en\"><h3>A &lt;b&gt; day</h3>"));
	CHECK(strstr(html, "data:image/jpeg;base64,/9j/wAAI") && strstr(html, "0 summaries"));
	CHECK(strstr(html, "../s.webm cannot be read") && !strstr(html, "<video"));
	free(html);
	put_file(dir, "summary.json", "{\"version\":2}", 13);
	CHECK(run(root, &html, why, sizeof(why), &met) < 0 && strstr(why, "version 1"));
	put_file(dir, "summary.json", "{\"version\":1", 12);
	CHECK(run(root, &html, why, sizeof(why), &met) < 0 && strstr(why, "line 1"));
}

int main(void)
{
	char own[] = "/tmp/report.XXXXXX";
	const char *root = getenv("TEST_TMP");

	test_pieces();
	if (!root)
		root = mkdtemp(own);
	if (!root) {
		printf("no directory to work in\n");
		return 1;
	}
	test_directory(root);
	return failed;
}
