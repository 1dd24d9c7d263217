// SPDX-License-Identifier: MIT
/* devices_cloud.c - a cloud with many enrolled devices, as a process of its own. */
#include "tests/bench/devices.h"
#include "tests/bench/usage.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "cloud/auth.h"
#include "cloud/ca.h"
#include "tests/unit/tmp_dir.h"

#define START_MS 60000

void cloud_process_file(const struct cloud_process *c, unsigned int n, const char *end, char *path)
{
	snprintf(path, 256, "%s/dev-%u.%s", c->dir, n, end);
}

static int save(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");
	int bad = !f || fwrite(data, 1, size, f) != size;

	if (f)
		bad |= fclose(f);
	return bad || chmod(path, 0600) ? -1 : 0;
}

static const struct sluice_actor local = { .who = "local" };

struct issue {
	struct sluice_ca *ca;
	char *csr;
	long size;
};

static int issue_certificate(void *ctx, const char *tenant, const char *device,
			     struct sluice_certificate *out)
{
	struct issue *i = ctx;

	return sluice_ca_sign(i->ca, i->csr, (size_t)i->size, tenant, device, out);
}

/* Key, request and certificate of one device, by the same calls that enrolment uses. */
static int enrol(const struct cloud_process *c, struct sluice_auth *auth, struct sluice_ca *ca,
		 unsigned int n)
{
	char name[32], secret[SLUICE_SECRET_MAX], tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	char path[256];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	BIO *key_text = BIO_new(BIO_s_mem()), *csr = BIO_new(BIO_s_mem());
	struct sluice_certificate cert = { 0 };
	struct issue issue = { .ca = ca };
	char *pem;
	long size;
	int err;

	X509_REQ_set_pubkey(req, key);
	X509_REQ_sign(req, key, EVP_sha256());
	PEM_write_bio_X509_REQ(csr, req);
	PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL);
	issue.size = BIO_get_mem_data(csr, &issue.csr);
	size = BIO_get_mem_data(key_text, &pem);
	snprintf(name, sizeof(name), "dev-%u", n);
	err = sluice_auth_token_add(auth, &local, SLUICE_TENANT, name, 15, secret);
	if (!err)
		err = sluice_auth_enrol(auth, "here", secret, sluice_utc_now(), issue_certificate,
					&issue, tenant, device, &cert);
	cloud_process_file(c, n, "key", path);
	if (!err)
		err = save(path, pem, (size_t)size);
	cloud_process_file(c, n, "crt", path);
	if (!err)
		err = save(path, cert.pem, strlen(cert.pem));
	free(cert.pem);
	BIO_free(csr);
	BIO_free(key_text);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return err;
}

static int enrol_all(const struct cloud_process *c, unsigned int count)
{
	struct sluice_auth *auth = NULL;
	struct sluice_ca *ca = NULL;
	char path[256];
	unsigned int n;
	int err;

	snprintf(path, sizeof(path), "%s/auth.db", c->data);
	err = sluice_ca_open(c->data, &ca);
	if (!err)
		err = sluice_auth_open(path, &auth);
	for (n = 0; n < count && !err; n++)
		err = enrol(c, auth, ca, n);
	sluice_auth_close(auth);
	sluice_ca_close(ca);
	return err;
}

static pid_t run(const char *const *argv)
{
	pid_t pid = fork();

	if (!pid) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid;
}

static int init_data(const struct cloud_process *c, const char *program)
{
	const char *const argv[] = { program, "init", "--data", c->data, NULL };
	char admin[200]; /* its token, for whoever wants to ask the cloud */
	int status = -1;
	pid_t pid;

	snprintf(admin, sizeof(admin), "%s/admin", c->dir);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen(admin, "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(127);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status ? 0 : -1;
}

/* Everything comes from one address, at once: those limits are not what is measured. */
static void lift_limits(void)
{
	setenv("SLUICE_CLOUD_LIMITS_CONNECTIONS", "30000", 1);
	setenv("SLUICE_CLOUD_LIMITS_CONNECTIONS_PER_ADDRESS", "30000", 1);
	setenv("SLUICE_CLOUD_LIMITS_RATE", "100000", 1);
	setenv("SLUICE_CLOUD_LIMITS_BURST", "100000", 1);
	setenv("SLUICE_CLOUD_LIMITS_HALF_OPEN", "30000", 1);
	setenv("SLUICE_CLOUD_LIMITS_FRAMES", "1000000", 1);
	setenv("SLUICE_CLOUD_LIMITS_BYTES", "1G", 1);
	setenv("SLUICE_CLOUD_LOG_LEVEL", "warning", 0);
}

static int wait_port(struct cloud_process *c, const char *file)
{
	unsigned int port;
	FILE *f;
	int ms;

	for (ms = 0; ms < START_MS; ms += 20) {
		f = fopen(file, "r");
		if (f) {
			int got = fscanf(f, "%u", &port) == 1 && port < 65536;

			fclose(f);
			snprintf(c->port, sizeof(c->port), "%u", port & 65535);
			return got ? 0 : -1;
		}
		if (waitpid(c->pid, NULL, WNOHANG) == c->pid) {
			c->pid = 0;
			return -1;
		}
		usleep(20000);
	}
	return -1;
}

int cloud_process_prepare(struct cloud_process *c, const struct devices_options *o)
{
	memset(c, 0, sizeof(*c));
	if (o->dir)
		snprintf(c->dir, sizeof(c->dir), "%s", o->dir);
	else
		snprintf(c->dir, sizeof(c->dir), "%s/devices.XXXXXX",
			 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (o->port) {
		snprintf(c->data, sizeof(c->data), "%s/data", c->dir);
		snprintf(c->port, sizeof(c->port), "%s", o->port);
		c->pid = o->pid;
		c->found = true;
		return 0;
	}
	if (o->dir ? mkdir(c->dir, 0700) : !mkdtemp(c->dir)) {
		fprintf(stderr, "devices: cannot make %s: %s\n", c->dir, strerror(errno));
		c->dir[0] = 0; /* not ours to remove */
		return -1;
	}
	snprintf(c->data, sizeof(c->data), "%s/data", c->dir);
	if (init_data(c, o->cloud) || enrol_all(c, o->devices)) {
		fprintf(stderr, "devices: cannot make the data directory %s\n", c->data);
		return -1;
	}
	return 0;
}

int cloud_process_start(struct cloud_process *c, const struct devices_options *o)
{
	char file[256];
	const char *const argv[] = { o->cloud,	    "run",	   "--data", c->data, "--listen",
				     "127.0.0.1:0", "--port-file", file,     NULL };

	if (cloud_process_prepare(c, o))
		return -1;
	if (c->found)
		return 0;
	snprintf(file, sizeof(file), "%s/port", c->dir);
	lift_limits();
	c->pid = run(argv);
	if (c->pid < 0 || wait_port(c, file)) {
		fprintf(stderr, "devices: %s does not start\n", o->cloud);
		return -1;
	}
	return 0;
}

/* Loop 0 is the main thread. */
static bool is_ingest(const char *task, bool first)
{
	char path[320], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/comm", task);
	f = fopen(path, "r");
	if (f) {
		if (!fgets(name, sizeof(name), f))
			name[0] = 0;
		fclose(f);
	}
	/* iou-wrk: the kernel's own threads that sync for the writer */
	return first || !strncmp(name, "loop", 4) || !strncmp(name, "writer", 6) ||
	       !strncmp(name, "iou-wrk", 7);
}

int cloud_process_usage(const struct cloud_process *c, struct cloud_usage *u)
{
	char path[384], task[300], line[128];
	unsigned long kib = 0;
	struct dirent *d;
	FILE *f;
	DIR *dir;

	memset(u, 0, sizeof(*u));
	u->cpu = usage_process(c->pid);
	snprintf(path, sizeof(path), "/proc/%d/task", (int)c->pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(task, sizeof(task), "/proc/%d/task/%.200s", (int)c->pid, d->d_name);
		if (is_ingest(task, strtol(d->d_name, NULL, 10) == c->pid))
			u->ingest_cpu += usage_task(task);
	}
	if (dir)
		closedir(dir);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)c->pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	u->rss = kib * 1024u;
	return kib ? 0 : -1;
}

int cloud_process_stop(struct cloud_process *c)
{
	int status = -1;

	if (c->found)
		return 0;
	if (c->pid > 0) {
		kill(c->pid, SIGTERM);
		waitpid(c->pid, &status, 0);
	}
	if (c->dir[0])
		tmp_dir_remove(c->dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
