// SPDX-License-Identifier: MIT
/* Lines as they are written: text, JSON, for the journal; repeats; what must not reach a terminal.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"
#include "lib/log.h"

static FILE *out;
static int real;

/* What was written since the last call. */
static const char *written(void)
{
	static char text[8192];
	long end = lseek(fileno(out), 0, SEEK_CUR);
	ssize_t n = pread(fileno(out), text, sizeof(text) - 1, 0);

	text[n > 0 && n <= end ? n : 0] = 0;
	if (ftruncate(fileno(out), 0) || lseek(fileno(out), 0, SEEK_SET))
		abort();
	return text;
}

static void expect(const char *what)
{
	const char *got = written();

	CHECK(!strcmp(got, what));
	if (strcmp(got, what))
		dprintf(real, "got: %s\n", got);
}

static void test_lines(void)
{
	const char *got;

	sluice_log_setup("p", SLUICE_LOG_INFO, false);
	sluice_warning("bad \033[31m thing");
	expect("p: warning: bad ?[31m thing\n");
	sluice_debug("not now");
	expect("");
	sluice_log_level(SLUICE_LOG_DEBUG);
	sluice_debug("now");
	expect("p: debug: now\n");
	sluice_log_setup("p", SLUICE_LOG_INFO, true);
	sluice_info("a \"b\"\n");
	got = written();
	CHECK(!strncmp(got, "{\"time\":\"2", 10) &&
	      strstr(got, "Z\",\"program\":\"p\",\"level\":\"info\",\"text\":\"a "
			  "\\\"b\\\"\\u000a\"}\n"));
}

static void test_journal(void)
{
	struct stat st;
	char name[64];

	fstat(STDERR_FILENO, &st);
	snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	sluice_log_setup("p", SLUICE_LOG_DEBUG, false);
	sluice_error("e");
	sluice_warning("w");
	sluice_info("i");
	sluice_debug("d");
	expect("<3>e\n<4>w\n<6>i\n<7>d\n");
	setenv("JOURNAL_STREAM", "1:1", 1); /* somebody else's */
	sluice_log_setup("p", SLUICE_LOG_DEBUG, false);
	sluice_info("i2");
	expect("p: i2\n");
}

static void test_repeats(void)
{
	for (int i = 0; i < 100; i++)
		sluice_warning("again");
	expect("p: warning: again\np: warning: again\np: warning: again\n");
	sluice_info("other");
	expect("p: (the line before came 97 more times)\np: other\n");
	for (int i = 0; i < 5; i++) {
		sluice_info("one");
		sluice_info("two");
	}
	CHECK(strlen(written()) == 10 * strlen("p: one\n"));
}

int main(void)
{
	char path[] = "/tmp/sluice-test-log.XXXXXX";
	int fd = mkstemp(path);

	real = dup(STDERR_FILENO);
	out = fdopen(fd, "r+");
	unlink(path);
	unsetenv("JOURNAL_STREAM");
	dup2(fd, STDERR_FILENO);
	test_lines();
	test_journal();
	test_repeats();
	dup2(real, STDERR_FILENO);
	return check_result();
}
