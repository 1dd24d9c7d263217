// SPDX-License-Identifier: MIT
/* uplink.c - the device's end for tests, and the cloud it talks to. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <openssl/pem.h>

#include "cloud/api_state.h"
#include "cloud/conf.h"
#include "cloud/desk.h"
#include "cloud/server.h"
#include "cloud/session.h"
#include "lib/crc32c.h"
#include "lib/log.h"
#include "tests/unit/tmp_dir.h"
#include "tests/unit/uplink.h"

/* ---- the cloud ---- */

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

/* ---- the device ---- */

int uplink_dial(struct uplink *u, const struct cloud *c, const char *who)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->port) };
	char path[160];

	memset(u, 0, sizeof(*u));
	sluice_wire_decoder_init(&u->decoder, 0);
	u->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(u->ctx, TLS1_3_VERSION);
	SSL_CTX_set_verify(u->ctx, SSL_VERIFY_PEER, NULL);
	snprintf(path, sizeof(path), "%s/ca.crt", c->data);
	SSL_CTX_load_verify_file(u->ctx, path);
	if (who) {
		snprintf(path, sizeof(path), "%s/%s.crt", c->dir, who);
		SSL_CTX_use_certificate_file(u->ctx, path, SSL_FILETYPE_PEM);
		snprintf(path, sizeof(path), "%s/%s.key", c->dir, who);
		SSL_CTX_use_PrivateKey_file(u->ctx, path, SSL_FILETYPE_PEM);
	}
	inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);
	u->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	u->ssl = SSL_new(u->ctx);
	SSL_set1_host(u->ssl, "localhost");
	if (connect(u->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    SSL_set_fd(u->ssl, u->fd) != 1 || SSL_connect(u->ssl) != 1)
		return -1;
	return 0;
}

void uplink_close(struct uplink *u)
{
	SSL_free(u->ssl);
	SSL_CTX_free(u->ctx);
	if (u->fd > 0)
		close(u->fd);
	sluice_wire_decoder_exit(&u->decoder);
	memset(u, 0, sizeof(*u));
}

void uplink_raw(struct uplink *u, const void *data, size_t size)
{
	if (size)
		SSL_write(u->ssl, data, (int)size); /* it may be closed: the test will see */
}

/* 1 if something can be read within the time. */
static int wait_input(struct uplink *u, int ms)
{
	struct pollfd p = { .fd = u->fd, .events = POLLIN };

	return SSL_pending(u->ssl) || poll(&p, 1, ms) > 0;
}

int uplink_http(struct uplink *u, const char *request, char *answer, int room)
{
	int n, have = 0;

	uplink_raw(u, request, strlen(request));
	while (have < room - 1 && wait_input(u, 3000)) {
		n = SSL_read(u->ssl, answer + have, room - 1 - have);
		if (n <= 0)
			break;
		have += n;
	}
	answer[have] = 0;
	return have;
}

int uplink_upgrade(struct uplink *u)
{
	static const char request[] = "GET /v1/uplink HTTP/1.1\r\nHost: localhost\r\n"
				      "Upgrade: sluice/1\r\nConnection: Upgrade\r\n\r\n";
	char head[1024];
	int have = 0, status = 0;

	uplink_raw(u, request, strlen(request));
	while (have < (int)sizeof(head) - 1 && wait_input(u, 3000) &&
	       SSL_read(u->ssl, head + have, 1) == 1) {
		head[++have] = 0;
		if (have > 3 && !strcmp(head + have - 4, "\r\n\r\n"))
			break;
	}
	if (have > 12)
		status = (int)strtol(head + 9, NULL, 10);
	return status;
}

int uplink_open(struct uplink *u, const struct cloud *c, const char *who)
{
	if (uplink_dial(u, c, who) || uplink_upgrade(u) != 101)
		return -1;
	uplink_hello(u);
	if (!uplink_expect(u, SLUICE_MSG_WELCOME, 5))
		return -1;
	return 0;
}

void uplink_send(struct uplink *u, uint8_t type, uint16_t flags, uint32_t slot, uint64_t sequence,
		 const void *payload, size_t size)
{
	struct sluice_wire_message m = { .type = type,
					 .flags = flags,
					 .slot = slot,
					 .length = (uint32_t)size,
					 .sequence = sequence };
	struct sluice_wire_header h;

	sluice_wire_header_put(&h, &m, sluice_crc32c(0, payload, size));
	uplink_raw(u, &h, sizeof(h));
	uplink_raw(u, payload, size);
}

static void put_clock(struct sluice_wire_writer *w)
{
	struct sluice_wire_clock clock = { 1000000000, 1700000001000000000ull, 1000 };

	sluice_wire_put_clock(w, &clock);
}

static void send_fields(struct uplink *u, uint8_t type, uint32_t slot,
			const struct sluice_wire_writer *w)
{
	uplink_send(u, type, 0, slot, 0, w->buf, w->used);
}

static void send_hello(struct uplink *u, const struct sluice_wire_partial *p, unsigned int count)
{
	_Alignas(8) uint8_t buf[256 + 2 * SLUICE_WIRE_PARTIALS * 56];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_BOOT_ID, "boot");
	sluice_wire_put_text(&w, SLUICE_TAG_BUILD, "test");
	put_clock(&w);
	for (unsigned int i = 0; i < count; i++)
		sluice_wire_put_partial(&w, &p[i]);
	send_fields(u, SLUICE_MSG_HELLO, 0, &w);
}

void uplink_hello(struct uplink *u)
{
	send_hello(u, NULL, 0);
}

int uplink_open_partial(struct uplink *u, const struct cloud *c, const char *who,
			const struct sluice_wire_partial *p, unsigned int count)
{
	if (uplink_dial(u, c, who) || uplink_upgrade(u) != 101)
		return -1;
	send_hello(u, p, count);
	return uplink_expect(u, SLUICE_MSG_WELCOME, 5) ? 0 : -1;
}

void uplink_camera(struct uplink *u, uint32_t slot, const char *name, uint64_t epoch)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_NAME, name);
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_size(&w, 64, 48);
	sluice_wire_put_u32(&w, SLUICE_TAG_FORMAT, 0x56595559);
	sluice_wire_put_u64(&w, SLUICE_TAG_FIRST_NS, 1000000000);
	put_clock(&w);
	send_fields(u, SLUICE_MSG_OPEN, slot, &w);
}

/* Headers of a baseline gray JPEG, then bytes that follow from the numbers; nothing decodes it. */
void uplink_picture(uint8_t *out, size_t size, uint64_t epoch, uint64_t sequence, int width,
		    int height)
{
	const uint8_t head[] = { 0xff,
				 0xd8,
				 0xff,
				 0xc0,
				 0,
				 11,
				 8,
				 (uint8_t)(height >> 8),
				 (uint8_t)height,
				 (uint8_t)(width >> 8),
				 (uint8_t)width,
				 1,
				 1,
				 0x11,
				 0,
				 0xff,
				 0xda,
				 0,
				 8,
				 1,
				 1,
				 0,
				 0,
				 63,
				 0 };
	uint64_t x = epoch * 1000003 + sequence + 1;
	size_t i;

	memcpy(out, head, sizeof(head));
	for (i = sizeof(head); i < size; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		out[i] = (uint8_t)(x >> 56) & 0x7f;
	}
}

void uplink_frame_wh(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t sequence, int reason,
		     size_t size, int width, int height)
{
	struct sluice_wire_frame_info f = {
		.epoch = epoch,
		.time_ns = 1000000000 + sequence * 40000000,
		.format = SLUICE_WIRE_JPEG,
		.reason = (uint16_t)reason,
		.width = 64,
		.height = 48,
		.grid_w = 8,
		.grid_h = 6,
		.cells_size = 6,
	};
	size_t fixed = sizeof(struct sluice_wire_frame), whole = fixed + 8 + size;
	uint8_t *buf = calloc(1, whole);

	sluice_wire_frame_put((struct sluice_wire_frame *)buf, &f);
	memset(buf + fixed, 0x5a, 6);
	uplink_picture(buf + fixed + 8, size, epoch, sequence, width, height);
	uplink_send(u, SLUICE_MSG_FRAME, 0, slot, sequence, buf, whole);
	free(buf);
}

void uplink_frame(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t sequence, int reason,
		  size_t size)
{
	uplink_frame_wh(u, slot, epoch, sequence, reason, size, 64, 48);
}

void uplink_stats(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t now_ns, int open)
{
	_Alignas(8) uint8_t buf[512];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_ledger ledger = { .delivered = 10 };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_NOW_NS, now_ns);
	sluice_wire_put_u32(&w, SLUICE_TAG_STATE, open ? SLUICE_STATE_OPEN : 0);
	sluice_wire_put_ledger(&w, &ledger);
	send_fields(u, SLUICE_MSG_STATS, slot, &w);
}

void uplink_end(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t now_ns)
{
	_Alignas(8) uint8_t buf[512];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_ledger ledger = { .delivered = 10 };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_ledger(&w, &ledger);
	sluice_wire_put_u64(&w, SLUICE_TAG_NOW_NS, now_ns);
	send_fields(u, SLUICE_MSG_CLOSE, slot, &w);
}

void uplink_ack(struct uplink *u, const char *id)
{
	uplink_ack_status(u, id, 0);
}

void uplink_ack_status(struct uplink *u, const char *id, uint32_t status)
{
	_Alignas(8) uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_ID, id);
	sluice_wire_put_u32(&w, SLUICE_TAG_STATUS, status);
	send_fields(u, SLUICE_MSG_SUMMARY_ACK, 0, &w);
}

/* Keeps what tests ask for again and again. */
static void note_message(struct uplink *u)
{
	uint64_t value;

	if (u->m.type == SLUICE_MSG_PART || u->m.type == SLUICE_MSG_PONG)
		return;
	if (sluice_wire_fields_get(&u->f, u->m.payload, u->m.length, 1ull << SLUICE_TAG_MEDIA)) {
		memset(&u->f, 0, sizeof(u->f));
		return;
	}
	if (!sluice_wire_get_u64(&u->f, SLUICE_TAG_CREDIT, &value))
		u->credit = value;
	if (u->m.type == SLUICE_MSG_ACK && u->m.slot == 1 &&
	    !sluice_wire_get_u64(&u->f, SLUICE_TAG_CUMULATIVE, &value))
		u->stored = value + 1;
}

int uplink_next(struct uplink *u, int seconds)
{
	time_t end = time(NULL) + seconds + 1;
	size_t used;
	int n;

	for (;;) {
		if (u->at < u->have) {
			n = sluice_wire_feed(&u->decoder, u->in + u->at, u->have - u->at, &used,
					     &u->m);
			u->at += used;
			if (n < 0)
				return 0;
			if (n > 0) {
				note_message(u);
				return u->m.type;
			}
		}
		if (time(NULL) > end || !wait_input(u, 200)) {
			if (time(NULL) > end)
				return 0;
			continue;
		}
		n = SSL_read(u->ssl, u->in, sizeof(u->in));
		if (n <= 0)
			return 0;
		u->at = 0;
		u->have = (size_t)n;
	}
}

int uplink_expect(struct uplink *u, int type, int seconds)
{
	int got;

	while ((got = uplink_next(u, seconds)))
		if (got == type)
			return 1;
	return 0;
}

int uplink_expect_goaway(struct uplink *u, uint32_t code)
{
	uint32_t told = 0;
	int got;

	while ((got = uplink_next(u, 5)))
		if (got == SLUICE_MSG_GOAWAY)
			sluice_wire_get_u32(&u->f, SLUICE_TAG_CODE, &told);
	if (told != code)
		fprintf(stderr, "GOAWAY %u came, not %u\n", told, code);
	return told == code;
}
