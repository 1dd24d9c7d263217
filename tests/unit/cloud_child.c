// SPDX-License-Identifier: MIT
/* cloud_child.c - see cloud_child.h. The child is a fork: what a test plants in a double is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/pem.h>

#include "cloud/api_state.h"
#include "cloud/conf.h"
#include "cloud/desk.h"
#include "cloud/server.h"
#include "cloud/session.h"
#include "lib/log.h"
#include "tests/unit/cloud_child.h"
#include "tests/unit/tmp_dir.h"

static const struct sluice_actor local = { .who = "local" };

static void die(const char *what)
{
	fprintf(stderr, "test set-up failed: %s\n", what);
	exit(1);
}

static void save_text(const char *dir, const char *name, const char *end, const char *text)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, end);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

struct enrolling {
	struct sluice_ca *ca;
	char *csr;
};

static int issue_certificate(void *ctx, const char *tenant, const char *device,
			     struct sluice_certificate *out)
{
	struct enrolling *e = ctx;

	return sluice_ca_sign(e->ca, e->csr, strlen(e->csr), tenant, device, out);
}

static char *bio_text(BIO *bio)
{
	char *data, *copy;
	long size = BIO_get_mem_data(bio, &data);

	copy = strndup(data, (size_t)size);
	BIO_free(bio);
	return copy;
}

void cloud_enrol(struct cloud *c, const char *name)
{
	char path[160], secret[SLUICE_SECRET_MAX], tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	struct sluice_certificate cert;
	struct sluice_auth *auth;
	struct enrolling e;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	text = bio_text(bio);
	save_text(c->dir, name, ".key", text);
	free(text);
	X509_REQ_set_pubkey(req, key);
	X509_REQ_sign(req, key, EVP_sha256());
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509_REQ(bio, req);
	e.csr = bio_text(bio);
	snprintf(path, sizeof(path), "%s/auth.db", c->data);
	if (sluice_ca_open(c->data, &e.ca) || sluice_auth_open(path, &auth) ||
	    sluice_auth_token_add(auth, &local, SLUICE_TENANT, name, 15, secret) ||
	    sluice_auth_enrol(auth, "here", secret, sluice_utc_now(), issue_certificate, &e, tenant,
			      device, &cert))
		die("enrolment");
	save_text(c->dir, name, ".crt", cert.pem);
	free(cert.pem);
	free(e.csr);
	sluice_auth_close(auth);
	sluice_ca_close(e.ca);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

void cloud_init(struct cloud *c)
{
	struct sluice_auth *auth;
	struct sluice_ca *ca;
	const char *bad;
	char path[160];

	memset(c, 0, sizeof(*c));
	snprintf(c->dir, sizeof(c->dir), "/tmp/test_session.XXXXXX");
	if (!mkdtemp(c->dir))
		die("mkdtemp");
	snprintf(c->data, sizeof(c->data), "%s/data", c->dir);
	snprintf(c->port_file, sizeof(c->port_file), "%s/port", c->dir);
	mkdir(c->data, 0700);
	snprintf(path, sizeof(path), "%s/segments", c->data);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/media", c->data);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/auth.db", c->data);
	if (sluice_ca_create(c->data) || sluice_ca_open(c->data, &ca) ||
	    sluice_ca_server(ca, c->data, NULL, 0, &bad) || sluice_auth_open(path, &auth) ||
	    sluice_auth_tenant_add(auth, &local, SLUICE_TENANT) ||
	    sluice_auth_apitoken_add(auth, &local, SLUICE_TENANT, "init", SLUICE_ADMIN,
				     SLUICE_SCOPE_ALL, NULL, 0, c->admin))
		die("data directory");
	sluice_auth_close(auth);
	sluice_ca_close(ca);
	cloud_enrol(c, "box1");
}

/*
 * kill -9 leaves the page cache, a power failure does not: what was not synced when the server dies
 * is cut off, so that an acknowledgement before the sync shows.
 */
static const struct cloud *dying;
static struct {
	char path[256];
	off_t size;
} synced[64];
static int synced_count, cutting;

static int visit_segment(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = strlen(path);
	int i;

	(void)ftw;
	if (type != FTW_F || n < 4 || strcmp(path + n - 4, ".seg"))
		return 0;
	for (i = 0; i < synced_count && strcmp(synced[i].path, path); i++)
		;
	if (!cutting && i < 64) {
		snprintf(synced[i].path, sizeof(synced[i].path), "%s", path);
		synced[i].size = st->st_size;
		synced_count += i == synced_count;
	} else if (cutting && (i == synced_count ? unlink(path) : truncate(path, synced[i].size))) {
		abort();
	}
	return 0;
}

static void on_point(enum sluice_commit_point point)
{
	static int count;

	if (point == SLUICE_POINT_SYNCED)
		nftw(dying->data, visit_segment, 16, FTW_PHYS);
	if ((int)point != dying->die_point || ++count != dying->die_count)
		return;
	cutting = 1;
	nftw(dying->data, visit_segment, 16, FTW_PHYS);
	kill(getpid(), SIGKILL);
}

/* Two loops, whatever the machine has, and what the test wants. */
static void read_settings(const struct cloud *c, struct sluice_cloud_conf *out)
{
	struct sluice_conf_said said[3 + CLOUD_SET] = {
		{ "test", "server", "data", c->data },
		{ "test", "server", "loops", "2" },
		{ "test", "sandbox", "enabled", "no" }, /* a child is this program once more */
	};
	size_t n = 3;
	char why[256];
	int i;

	for (i = 0; i < CLOUD_SET && c->set[i].key; i++)
		said[n++] = (struct sluice_conf_said){ "test", c->set[i].section, c->set[i].key,
						       c->set[i].value };
	if (sluice_cloud_conf_read(out, NULL, said, n, why, sizeof(why)))
		die(why);
}

/* ---- a store of media that is away ---- */

static atomic_int away;
static const struct sluice_media_ops *there;

static int get_later(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		     const char *name, size_t max, uint8_t **data, size_t *size)
{
	if (atomic_load(&away) > 0) {
		atomic_fetch_sub(&away, 1);
		return -EHOSTUNREACH;
	}
	return there->get(m, c, id, name, max, data, size);
}

static void set_media(struct sluice_media *m, const struct cloud *c)
{
	static struct sluice_media_ops ops;

	m->remote = c->remote;
	if (!c->away)
		return;
	there = m->ops;
	ops = *there;
	ops.get = get_later;
	m->ops = &ops;
	atomic_store(&away, c->away);
	sluice_downlink_retry_s = 1;
}

/* ---- a desk whose data base does not answer ---- */

static char hold[128], held[128];

static void run_hold(struct sluice_desk_job *j)
{
	close(open(held, O_CREAT | O_WRONLY, 0600));
	while (!access(hold, F_OK))
		usleep(2000);
	unlink(held);
}

static void hold_done(struct sluice_desk_job *j)
{
	free(j);
}

static void *watch_hold(void *arg)
{
	struct sluice_server *s = arg;
	struct sluice_desk_job *j;

	for (;; usleep(2000)) {
		if (access(hold, F_OK) || !access(held, F_OK))
			continue;
		j = calloc(1, sizeof(*j));
		*j = (struct sluice_desk_job){ .run = run_hold,
					       .done = hold_done,
					       .io = s->loops[0].io };
		if (sluice_desk_post(s->api->desk, j))
			free(j);
		while (!access(hold, F_OK))
			usleep(2000);
	}
	return NULL;
}

/* One thread, so that one job holds all. */
static void set_desk(struct sluice_server *s, const struct cloud *c)
{
	pthread_t watch;

	if (!c->desk)
		return;
	snprintf(hold, sizeof(hold), "%s/" CLOUD_HOLD, c->data);
	snprintf(held, sizeof(held), "%s/" CLOUD_HELD, c->data);
	if (sluice_desk_open(c->data, 1, &s->api->desk) ||
	    pthread_create(&watch, NULL, watch_hold, s))
		exit(1);
	pthread_detach(watch);
}

static void run_cloud(struct cloud *c)
{
	static struct sluice_server server;
	struct sluice_cloud_conf settings;
	struct sluice_server_config conf = {
		.conf = &settings,
		.data = c->data,
		.listen = "127.0.0.1:0",
		.port_file = c->port_file,
	};
	int err;

	sluice_log_setup("cloud", getenv("VERBOSE") ? SLUICE_LOG_DEBUG : SLUICE_LOG_ERROR, false);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (c->file_max)
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ (rlim_t)c->file_max, RLIM_INFINITY });
	if (c->die_count) {
		dying = c;
		nftw(c->data, visit_segment, 16, FTW_PHYS); /* what is there is on the disk */
		sluice_ingest_point = on_point;
	}
	read_settings(c, &settings);
	err = sluice_server_open(&server, &conf);
	if (server.media)
		set_media(server.media, c);
	if (!err)
		set_desk(&server, c);
	if (!err)
		err = sluice_server_run(&server);
	sluice_server_close(&server);
	sluice_cloud_conf_free(&settings);
	exit(err ? 1 : 0); /* exit, not _exit: leak checks run */
}

void cloud_start(struct cloud *c)
{
	int tries, status;
	FILE *f;

	unlink(c->port_file);
	c->port = 0;
	c->pid = fork();
	if (!c->pid)
		run_cloud(c);
	for (tries = 0; tries < 1000 && !c->port; tries++) {
		f = fopen(c->port_file, "r");
		if (f) {
			if (fscanf(f, "%d", &c->port) != 1)
				c->port = 0;
			fclose(f);
		} else {
			usleep(10000);
		}
		if (waitpid(c->pid, &status, WNOHANG) == c->pid)
			die("the server ended at once");
	}
	if (!c->port)
		die("the server does not listen");
}

int cloud_wait(struct cloud *c)
{
	int status = 0, tries;

	for (tries = 0; tries < 1500; tries++) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid) {
			c->pid = 0;
			return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
		}
		usleep(10000);
	}
	kill(c->pid, SIGKILL);
	waitpid(c->pid, &status, 0);
	fprintf(stderr, "the server did not end within 15 s\n");
	c->pid = 0;
	return 99;
}

int cloud_stop(struct cloud *c)
{
	kill(c->pid, SIGTERM);
	return cloud_wait(c);
}

void cloud_exit(struct cloud *c)
{
	if (c->pid) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	tmp_dir_remove(c->dir);
}
