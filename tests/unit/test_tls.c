// SPDX-License-Identifier: MIT
/*
 * Connections over loopback with certificates made here: what must work, and for each way to fail
 * that a person can repair, that both sides say which one it was.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "certs.h"
#include "check.h"
#include "lib/conn.h"

static struct sluice_io *io;

struct side {
	struct sluice_conn *c;
	int opened, drained, closed;
	uint64_t received, sum;
	enum sluice_conn_end end;
	enum sluice_tls_fault fault;
	char why[256];
	bool echo, resumed;
	struct sluice_tls_peer peer;
};

static struct side client, server;

static uint64_t add_up(uint64_t sum, const uint8_t *p, size_t n)
{
	while (n--)
		sum = sum * 31 + *p++;
	return sum;
}

static void side_open(void *arg)
{
	struct side *s = arg;

	CHECK(!s->opened && !s->closed);
	s->opened++;
	s->resumed = sluice_conn_resumed(s->c);
	sluice_conn_peer(s->c, &s->peer);
}

static void side_data(void *arg, const uint8_t *data, size_t size)
{
	struct side *s = arg;

	CHECK(s->opened && !s->closed);
	s->received += size;
	s->sum = add_up(s->sum, data, size);
	if (s->echo) {
		struct iovec iov = { (void *)data, size };

		CHECK(!sluice_conn_send(s->c, &iov, 1));
	}
}

static void side_drain(void *arg)
{
	struct side *s = arg;

	s->drained++;
}

static void side_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct side *s = arg;

	CHECK(!s->closed);
	s->closed++;
	s->end = end;
	s->fault = sluice_conn_fault(s->c);
	snprintf(s->why, sizeof(s->why), "%s", why);
	s->c = NULL;
}

static const struct sluice_conn_ops ops = { side_open, side_data, side_drain, side_close };
static struct sluice_tls_ctx *server_ctx, *client_ctx;
static struct sluice_io_listener *listener;
static char port[8];
static size_t high_water;

static void on_accept(void *arg, int fd)
{
	struct sluice_conn_config c = { .io = io,
					.tls = server_ctx,
					.ops = &ops,
					.high_water = high_water,
					.handshake_ms = 2000 };

	server.c = sluice_conn_adopt(&c, fd, &server);
}

static struct sluice_tls_ctx *make_ctx(bool is_server, const char *cert, const char *ca)
{
	struct sluice_tls_config c = { .server = is_server,
				       .cert = cert ? certs_path(cert, "crt") : NULL,
				       .key = cert ? certs_path(cert, "key") : NULL,
				       .ca = ca ? certs_path(ca, "crt") : NULL };
	struct sluice_tls_ctx *ctx;
	char why[256];
	int err;

	ctx = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	CHECK(ctx && !err);
	if (!ctx)
		fprintf(stderr, "%s\n", why);
	return ctx;
}

static void start(const char *host)
{
	struct sluice_conn_config c = { .io = io,
					.tls = client_ctx,
					.ops = &ops,
					.high_water = high_water,
					.handshake_ms = 2000 };

	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	client.c = sluice_conn_connect(&c, host, port, &client);
}

static bool wait_for(const int *a, const int *b)
{
	uint64_t limit = sluice_io_now(io) + 5000000000u;

	while (!(*a && (!b || *b)) && sluice_io_now(io) < limit)
		sluice_io_turn(io, 50);
	return *a && (!b || *b);
}

static void end_both(void)
{
	if (client.c)
		sluice_conn_abort(client.c, NULL);
	if (server.c)
		sluice_conn_abort(server.c, NULL);
	for (int i = 0; i < 20 && (client.c || server.c); i++)
		sluice_io_turn(io, 50);
	CHECK(!client.c && !server.c);
}

#define BIG (1u << 20)
static uint8_t big[BIG];

static void test_good(const char *host)
{
	char tenant[SLUICE_TLS_ID], device[SLUICE_TLS_ID];
	struct iovec iov[3] = { { big, 32 }, { big + 32, 100 }, { big + 132, BIG - 132 } };
	uint64_t limit;

	start(host);
	CHECK(wait_for(&client.opened, &server.opened));
	if (!client.opened || !server.opened) {
		fprintf(stderr, "no connection to %s: %s\n", host, client.why);
		certs_remove();
		exit(check_result());
	}
	CHECK(server.peer.present && client.peer.present);
	CHECK(!sluice_tls_identity(&server.peer, tenant, device));
	CHECK(!strcmp(tenant, "home") && !strcmp(device, "box"));
	CHECK(!strcmp(server.peer.name, "box") && strlen(server.peer.sha256) == 64);
	CHECK(server.peer.serial[0] && server.peer.not_after > 1000000000);
	CHECK(sluice_tls_identity(&client.peer, tenant, device) == -ENOENT);
	server.echo = true;
	CHECK(sluice_conn_room(client.c) > 0);
	CHECK(!sluice_conn_send(client.c, iov, 3));
	CHECK(sluice_conn_room(client.c) == 0);
	limit = sluice_io_now(io) + 5000000000u;
	while (client.received < BIG && sluice_io_now(io) < limit)
		sluice_io_turn(io, 50);
	CHECK(client.received == BIG && client.sum == add_up(0, big, BIG));
	CHECK(client.drained == 1 && sluice_conn_room(client.c) > 0);
	sluice_conn_shutdown(client.c);
	CHECK(wait_for(&client.closed, &server.closed));
	CHECK(client.end == SLUICE_CONN_DONE && server.end == SLUICE_CONN_PEER);
}

/* All that was sent before shutdown arrives, though the receiver is slow. */
static void test_last_words(void)
{
	struct iovec iov = { big, 200000 };

	start("localhost");
	CHECK(wait_for(&client.opened, &server.opened));
	sluice_conn_pause(client.c, true);
	CHECK(!sluice_conn_send(server.c, &iov, 1) && !sluice_conn_send(server.c, &iov, 1));
	CHECK(!sluice_conn_send(client.c, &iov, 1));
	sluice_conn_shutdown(server.c);
	CHECK(sluice_conn_send(server.c, &iov, 1) == -ENOTCONN);
	for (int i = 0; i < 5; i++)
		sluice_io_turn(io, 5);
	sluice_conn_pause(client.c, false);
	CHECK(wait_for(&client.closed, NULL));
	CHECK(client.received == 400000 && client.end == SLUICE_CONN_PEER);
	CHECK(wait_for(&server.closed, NULL));
}

/* A sender that does not look at room() is stopped at four times the mark. */
static void test_bound(void)
{
	struct iovec iov = { big, 50000 };
	int sent = 0;

	start("localhost");
	CHECK(wait_for(&client.opened, &server.opened));
	while (sent < 1000 && !sluice_conn_send(client.c, &iov, 1))
		sent++;
	CHECK(sent > 10 && sent < 40);
	CHECK(sluice_conn_send(client.c, &iov, 1) == -ENOBUFS);
	end_both();
	CHECK(client.end == SLUICE_CONN_ABORTED);
}

static void test_resumption(void)
{
	start("localhost");
	CHECK(wait_for(&client.opened, &server.opened));
	for (int i = 0; i < 5; i++) /* tickets come after the handshake */
		sluice_io_turn(io, 5);
	end_both();
	start("localhost");
	CHECK(wait_for(&client.opened, &server.opened));
	CHECK(client.resumed && server.resumed && server.peer.present);
	end_both();
}

static void expect_fault(const char *host, const char *cert, const char *ca,
			 enum sluice_conn_end end, enum sluice_tls_fault fault, const char *text)
{
	sluice_tls_ctx_close(client_ctx);
	client_ctx = make_ctx(false, cert, ca);
	start(host);
	CHECK(wait_for(&client.closed, NULL));
	CHECK(client.end == end && client.fault == fault && strstr(client.why, text));
	if (client.end != end || client.fault != fault || !strstr(client.why, text))
		fprintf(stderr, "%s, %s: end %d fault %d: %s\n", host, cert ? cert : "none",
			client.end, client.fault, client.why);
	end_both();
}

static void set_server(const char *cert)
{
	sluice_tls_ctx_close(server_ctx);
	server_ctx = make_ctx(true, cert, "ca");
}

static void test_faults(void)
{
	certs_make(&(struct cert_spec){ "old", "old", "DNS:localhost", "ca", -10, -1 });
	certs_make(&(struct cert_spec){ "early", "early", "DNS:localhost", "ca", 1, 10 });
	certs_make(&(struct cert_spec){ "old-device", "x", "URI:sluice://home/x", "ca", -10, -1 });
	certs_make(&(struct cert_spec){ "alien", "x", "URI:sluice://home/x", "other", -1, 10 });

	expect_fault("localhost", "device", "other", SLUICE_CONN_TLS, SLUICE_TLS_UNTRUSTED,
		     "the server's certificate is not trusted");
	CHECK(wait_for(&server.closed, NULL) && server.fault == SLUICE_TLS_REFUSED);
	expect_fault("127.0.0.2", "device", "ca", SLUICE_CONN_TLS, SLUICE_TLS_NAME,
		     "not for the name '127.0.0.2'");
	expect_fault("localhost", "old-device", "ca", SLUICE_CONN_TLS, SLUICE_TLS_OWN_EXPIRED,
		     "the server refused our certificate: it has expired");
	CHECK(server.fault == SLUICE_TLS_EXPIRED && !server.opened);
	expect_fault("localhost", "alien", "ca", SLUICE_CONN_TLS, SLUICE_TLS_REFUSED,
		     "the server refused our certificate");
	CHECK(server.fault == SLUICE_TLS_UNTRUSTED && !server.opened);
	set_server("old");
	expect_fault("localhost", "device", "ca", SLUICE_CONN_TLS, SLUICE_TLS_EXPIRED,
		     "the server's certificate has expired");
	set_server("early");
	expect_fault("localhost", "device", "ca", SLUICE_CONN_TLS, SLUICE_TLS_EXPIRED,
		     "is this machine's clock right?");
	set_server("server");
	expect_fault("nosuchhost.invalid", "device", "ca", SLUICE_CONN_RESOLVE, SLUICE_TLS_OK,
		     "cannot look up 'nosuchhost.invalid'");
	sluice_tls_ctx_close(server_ctx);
	server_ctx = NULL; /* plain */
	server.echo = true;
	expect_fault("localhost", "device", "ca", SLUICE_CONN_HANDSHAKE, SLUICE_TLS_OK,
		     "no TLS handshake within 2 s");
	set_server("server");
}

/* A client without a certificate is let in; the server sees that there is none. */
static void test_no_certificate(void)
{
	sluice_tls_ctx_close(client_ctx);
	client_ctx = make_ctx(false, NULL, "ca");
	start("localhost");
	CHECK(wait_for(&client.opened, &server.opened));
	CHECK(!server.peer.present && client.peer.present);
	end_both();
}

/* Both plain: same callbacks. A plain client at a TLS server: told as such. */
static void test_plain(void)
{
	struct sluice_tls_ctx *kept = server_ctx;
	struct iovec iov = { (void *)"GET / HTTP/1.1\r\n\r\n", 18 };

	sluice_tls_ctx_close(client_ctx);
	client_ctx = NULL;
	start("localhost");
	CHECK(wait_for(&client.opened, NULL));
	CHECK(!sluice_conn_send(client.c, &iov, 1));
	CHECK(wait_for(&server.closed, NULL));
	CHECK(server.fault == SLUICE_TLS_VERSION);
	end_both();
	server_ctx = NULL;
	start("localhost");
	CHECK(wait_for(&client.opened, &server.opened));
	server.echo = true;
	CHECK(!sluice_conn_send(client.c, &iov, 1));
	for (int i = 0; i < 20 && !client.received; i++)
		sluice_io_turn(io, 50);
	CHECK(client.received == 18);
	sluice_conn_idle(client.c, 60);
	CHECK(wait_for(&client.closed, NULL) && client.end == SLUICE_CONN_IDLE);
	end_both();
	server_ctx = kept;
}

static void test_refused(void)
{
	client_ctx = make_ctx(false, "device", "ca");
	sluice_io_unlisten(listener);
	for (int i = 0; i < 3; i++)
		sluice_io_turn(io, 5);
	start("localhost");
	CHECK(wait_for(&client.closed, NULL));
	CHECK(client.end == SLUICE_CONN_CONNECT && strstr(client.why, "Connection refused"));
	/* aborted while still looking up: the thread's answer comes to nobody */
	start("nosuchhost.invalid");
	sluice_conn_abort(client.c, "changed my mind");
	CHECK(client.c && !client.closed);
	CHECK(wait_for(&client.closed, NULL));
	CHECK(client.end == SLUICE_CONN_ABORTED && !strcmp(client.why, "changed my mind"));
}

static void expect_ctx_error(struct sluice_tls_config c, int expect, const char *text)
{
	char why[256];
	int err;

	CHECK(!sluice_tls_ctx_open(&c, &err, why, sizeof(why)));
	CHECK(err == expect && strstr(why, text));
	if (err != expect || !strstr(why, text))
		fprintf(stderr, "%d %s\n", err, why);
}

static void test_files(void)
{
	struct sluice_tls_config c = { .cert = certs_path("device", "crt"),
				       .key = certs_path("device", "key"),
				       .ca = certs_path("none", "crt") };

	expect_ctx_error(c, -EINVAL, "none.crt: No such file");
	c.ca = certs_path("ca", "crt");
	c.key = certs_path("server", "key");
	expect_ctx_error(c, -EINVAL, "does not belong to");
	c.key = certs_path("none", "key");
	expect_ctx_error(c, -ENOENT, "cannot read the key");
	c.key = certs_path("device", "key");
	chmod(c.key, 0644);
	expect_ctx_error(c, -EACCES, "chmod 600");
	chmod(c.key, 0600);
	c.cert = c.key;
	expect_ctx_error(c, -EINVAL, "cannot read the certificate");
}

static void test_identity(void)
{
	static const struct {
		const char *uri[2];
		int err;
	} cases[] = {
		{ { "sluice://a/b" }, 0 },
		{ { "https://a/b", "sluice://a/b" }, 0 },
		{ { "sluice://a/b", "sluice://a/c" }, -EINVAL },
		{ { "sluice://a" }, -EINVAL },
		{ { "sluice:///b" }, -EINVAL },
		{ { "sluice://a/" }, -EINVAL },
		{ { "sluice://a/b/c" }, -EINVAL },
		{ { "sluice://a/.." }, -EINVAL },
		{ { "sluice://a/b%20" }, -EINVAL },
		{ { "https://a/b" }, -ENOENT },
	};
	char tenant[SLUICE_TLS_ID], device[SLUICE_TLS_ID];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_tls_peer p = { .present = true };

		for (int j = 0; j < 2 && cases[i].uri[j]; j++)
			snprintf(p.uri[p.uris++], sizeof(p.uri[0]), "%s", cases[i].uri[j]);
		CHECK(sluice_tls_identity(&p, tenant, device) == cases[i].err);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	char why[256];
	int err;

	io = sluice_io_open(NULL, &err, why, sizeof(why));
	if (!io) {
		printf("%s\n", why);
		return err == -ENOSYS || err == -EPERM ? 77 : 1;
	}
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)random_below(256);
	certs_make_usual();
	listener = sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, NULL, &err);
	CHECK(listener);
	snprintf(port, sizeof(port), "%u", sluice_io_listener_port(listener));
	server_ctx = make_ctx(true, "server", "ca");
	client_ctx = make_ctx(false, "device", "ca");
	test_good("localhost");
	test_good("127.0.0.1");
	test_last_words();
	test_bound();
	test_resumption();
	test_faults();
	test_no_certificate();
	test_plain();
	test_refused();
	test_files();
	test_identity();
	sluice_tls_ctx_close(server_ctx);
	sluice_tls_ctx_close(client_ctx);
	sluice_io_close(io);
	certs_remove();
	return check_result();
}
