// SPDX-License-Identifier: MIT
/*
 * keyring.c - master keys from a file or from a command (a password store, a hardware token, a
 * secrets service). A key is 64 hex digits: `openssl rand -hex 32` makes one.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "cloud/camera.h"
#include "cloud/seal.h"
#include "lib/sha256.h"

#define TEXT_MAX  256
#define WORDS_MAX 32
#define COMMAND_S 10

extern char **environ;

__attribute__((format(printf, 4, 5))) static int say(char *why, size_t size, int err,
						     const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, size, format, ap);
	va_end(ap);
	return err;
}

/* Takes the text apart and wipes it. */
static int add_key(struct sluice_keyring *r, char *text, const char *from, char *why, size_t size)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char *begin = text, *end = text + strlen(text);
	int err = 0;

	while (isspace((unsigned char)*begin))
		begin++;
	while (end > begin && isspace((unsigned char)end[-1]))
		*--end = 0;
	if (r->count == SLUICE_KEYS_MAX)
		err = say(why, size, -ENOSPC, "%s: more than %d keys", from, SLUICE_KEYS_MAX);
	else if (sluice_unhex(begin, r->key[r->count].key, sizeof(r->key[0].key)))
		err = say(why, size, -EINVAL,
			  "%s does not give a key of 64 hex digits; make one with: openssl rand "
			  "-hex 32",
			  from);
	OPENSSL_cleanse(text, TEXT_MAX);
	if (err)
		return err;
	sluice_sha256(r->key[r->count].key, sizeof(r->key[0].key), digest);
	memcpy(r->key[r->count++].id, digest, sizeof(r->key[0].id));
	return 0;
}

/* What can be read of it, up to TEXT_MAX - 1 bytes, within the time. */
static int read_text(int fd, char text[TEXT_MAX], int timeout_ms)
{
	struct timespec now;
	int64_t end, left;
	size_t n = 0;
	ssize_t got;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
	memset(text, 0, TEXT_MAX);
	while (n < TEXT_MAX - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = end - now.tv_sec * 1000 - now.tv_nsec / 1000000;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		if (!p.revents)
			continue;
		got = read(fd, text + n, TEXT_MAX - 1 - n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

int sluice_keyring_file(struct sluice_keyring *r, const char *path, char *why, size_t size)
{
	char text[TEXT_MAX];
	struct stat st;
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return say(why, size, -errno, "cannot open key file %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || st.st_mode & 077)
		err = say(why, size, -EACCES, "others may read key file %s; say: chmod 600 %s",
			  path, path);
	else
		err = read_text(fd, text, 1000 * COMMAND_S);
	close(fd);
	return err ? err : add_key(r, text, path, why, size);
}

/* Splits at blanks, in place. NULL-terminated; 0 words: none, or too many. */
static size_t split_words(char *text, char *word[WORDS_MAX + 1])
{
	char *save = NULL, *at;
	size_t n = 0;

	for (at = strtok_r(text, " \t", &save); at; at = strtok_r(NULL, " \t", &save)) {
		if (n == WORDS_MAX)
			return 0;
		word[n++] = at;
	}
	word[n] = NULL;
	return n;
}

static int start_command(char **word, pid_t *pid, int *out)
{
	posix_spawn_file_actions_t act;
	int fd[2], err;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_adddup2(&act, fd[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&act, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	err = -posix_spawnp(pid, word[0], &act, NULL, word, environ);
	posix_spawn_file_actions_destroy(&act);
	close(fd[1]);
	if (err)
		close(fd[0]);
	else
		*out = fd[0];
	return err;
}

int sluice_keyring_command(struct sluice_keyring *r, const char *command, char *why, size_t size)
{
	char *copy = strdup(command), *word[WORDS_MAX + 1], text[TEXT_MAX];
	int err, fd = -1, status = 0;
	pid_t pid = 0;

	if (!copy || !split_words(copy, word)) {
		err = say(why, size, copy ? -EINVAL : -ENOMEM, "no command in '%s'", command);
		goto out;
	}
	err = start_command(word, &pid, &fd);
	if (err) {
		say(why, size, err, "cannot run %s: %s", word[0], strerror(-err));
		goto out;
	}
	err = read_text(fd, text, 1000 * COMMAND_S);
	close(fd);
	if (err)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err)
		say(why, size, err, "%s gave no key within %d s", word[0], COMMAND_S);
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		err = say(why, size, -EIO, "%s failed, so there is no key", word[0]);
	else
		err = add_key(r, text, word[0], why, size);
	OPENSSL_cleanse(text, sizeof(text));
out:
	free(copy);
	return err;
}
