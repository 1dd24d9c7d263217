// SPDX-License-Identifier: MIT
/*
 * The ways to the cloud: addresses and proxies as people write them, what a proxy may answer, which
 * cloud is tried next; then, over real sockets, TLS through a CONNECT proxy that is made here, and
 * "localhost" with one of its two addresses a black hole.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "certs.h"
#include "check.h"
#include "lib/conn.h"
#include "lib/race.h"
#include "lib/tunnel.h"
#include "relay/clouds.h"

static struct sluice_io *io;

/* ---- words ---- */

static void test_urls(void)
{
	static const struct {
		const char *url, *host, *port; /* host NULL: refused */
	} cloud[] = {
		{ "https://a.example", "a.example", "443" },
		{ "HTTPS://a:8443/", "a", "8443" },
		{ "https://[2001:db8::1]:1", "2001:db8::1", "1" },
		{ "https://192.0.2.1", "192.0.2.1", "443" },
		{ "http://a", NULL, NULL },
		{ "https://", NULL, NULL },
		{ "https://a:0", NULL, NULL },
		{ "https://a:65536", NULL, NULL },
		{ "https://a:", NULL, NULL },
		{ "https://a/path", NULL, NULL },
		{ "https://a b", NULL, NULL },
		{ "https://a\r\nX: y", NULL, NULL },
		{ "https://[::1", NULL, NULL },
		{ "https://user@a", NULL, NULL },
	};
	static const struct {
		const char *url, *host, *port, *basic;
	} proxy[] = {
		{ "http://p:3128", "p", "3128", "" },
		{ "p:3128", "p", "3128", "" },
		{ "http://u:pw@p:1/", "p", "1", "dTpwdw==" },
		{ "http://u%40x:p%3a%2F@p:1", "p", "1", "dUB4OnA6Lw==" },
		{ "http://u:p@q@p:1", "p", "1", "dTpwQHE=" }, /* the last @ counts */
		{ "http://u@[::1]:8", "::1", "8", "dTo=" },
		{ "http://p", NULL, NULL, NULL },
		{ "https://p:1", NULL, NULL, NULL },
		{ "socks5://p:1", NULL, NULL, NULL },
		{ "http://u:%0d%0aX@p:1", NULL, NULL, NULL },
		{ "http://u:%zz@p:1", NULL, NULL, NULL },
		{ "http://u:%4@p:1", NULL, NULL, NULL },
		{ "http://u%3a:x@p:1", NULL, NULL, NULL },
		{ "http://@p:1", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(cloud) / sizeof(cloud[0]); i++) {
		struct sluice_place at;
		bool ok = sluice_url_cloud(cloud[i].url, &at);

		CHECK(ok == !!cloud[i].host);
		CHECK(!ok || (!strcmp(at.host, cloud[i].host) && !strcmp(at.port, cloud[i].port)));
	}
	for (size_t i = 0; i < sizeof(proxy) / sizeof(proxy[0]); i++) {
		struct sluice_proxy p;
		const char *why;
		bool ok = !sluice_url_proxy(proxy[i].url, &p, &why);

		CHECK(ok == !!proxy[i].host);
		CHECK(!ok ||
		      (!strcmp(p.at.host, proxy[i].host) && !strcmp(p.at.port, proxy[i].port) &&
		       !strcmp(p.basic, proxy[i].basic)));
		if (ok != !!proxy[i].host)
			fprintf(stderr, "%s\n", proxy[i].url);
	}
	CHECK(sluice_url_bypass("localhost, .corp.example", "a.corp.example"));
	CHECK(sluice_url_bypass("corp.example", "CORP.example"));
	CHECK(sluice_url_bypass("x *", "anything"));
	CHECK(!sluice_url_bypass("corp.example", "notcorp.example"));
	CHECK(!sluice_url_bypass("a.corp.example", "corp.example"));
	CHECK(!sluice_url_bypass(",, .", "a") && !sluice_url_bypass(NULL, "a"));
}

/* Whole, and byte by byte. */
static void expect_answer(const char *text, int expect, int status)
{
	static struct sluice_tunnel t;
	size_t n = strlen(text);
	int r;

	memset(&t, 0, sizeof(t));
	r = sluice_tunnel_feed(&t, (const uint8_t *)text, n);
	CHECK(r == expect && (r <= 0 || t.status == status) && (r >= 0 || t.why[0]));
	if (r != expect)
		fprintf(stderr, "%d, not %d: %s\n", r, expect, text);
	memset(&t, 0, sizeof(t));
	r = 0;
	for (size_t i = 0; i < n && !r; i++)
		r = sluice_tunnel_feed(&t, (const uint8_t *)text + i, 1);
	/* what comes after the head is the far side's, if it comes by itself */
	CHECK(r == expect || (expect == -EBADMSG && t.status == 200));
}

static void test_answers(void)
{
	struct sluice_proxy p = { .basic = "dTpw" };
	static struct sluice_tunnel t;
	static uint8_t junk[SLUICE_TUNNEL_HEAD_MAX + 10];
	char buf[256];

	expect_answer("HTTP/1.1 200 OK\r\n\r\n", 1, 200);
	expect_answer("HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", 1, 200);
	expect_answer("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", 1, 200);
	expect_answer("HTTP/1.1 200 OK\r\n", 0, 0);
	expect_answer("HTTP/1.1 200 OK\n\n", 0, 0);
	expect_answer("HTTP/1.1 407 Who\r\n\r\n", -ECONNREFUSED, 407);
	expect_answer("HTTP/1.1 302 Found\r\n\r\n", -ECONNREFUSED, 302);
	expect_answer("HTTP/1.1 100 Continue\r\n\r\n", -ECONNREFUSED, 100);
	expect_answer("HTTP/2 200\r\n\r\n", -EBADMSG, 0);
	expect_answer("HTTP/1.1 20 OK\r\n\r\n", -EBADMSG, 0);
	expect_answer("HTTP/1.1 2000 OK\r\n\r\n", -EBADMSG, 0);
	expect_answer("\r\n\r\n", -EBADMSG, 0);
	expect_answer("HTTP/1.1 200 OK\r\n\r\nX", -EBADMSG, 200);
	memset(junk, 'a', sizeof(junk));
	CHECK(sluice_tunnel_feed(&t, junk, sizeof(junk)) == -EBADMSG);
	memset(&t, 0, sizeof(t));
	CHECK(sluice_tunnel_feed(&t, (const uint8_t *)"HTTP\0", 5) == -EBADMSG);
	CHECK(sluice_tunnel_request(&p, "::1", "443", buf, sizeof(buf)) > 0);
	CHECK(!strcmp(buf, "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n"
			   "Proxy-Authorization: Basic dTpw\r\n\r\n"));
	CHECK(sluice_tunnel_request(&p, "host", "443", buf, 40) == -ENOBUFS);
}

/* ---- which cloud ---- */

static void test_clouds(void)
{
	static struct relay_clouds c, other;
	char why[320];

	CHECK(relay_clouds_parse(&c, "", why, sizeof(why)) == -EINVAL && strstr(why, "no cloud"));
	CHECK(relay_clouds_parse(&c, "https://a, http://b", why, sizeof(why)) == -EINVAL);
	CHECK(relay_clouds_parse(&c, "https://a,https://a:443", why, sizeof(why)) == -EINVAL &&
	      strstr(why, "twice"));
	CHECK(!relay_clouds_parse(&c, " https://a,https://b  https://c ", why, sizeof(why)));
	CHECK(c.count == 3);
	/* a round in order, then a pause */
	CHECK(!strcmp(relay_clouds_place(&c)->host, "a") && relay_clouds_failed(&c, 0, false));
	CHECK(!strcmp(relay_clouds_place(&c)->host, "b") && relay_clouds_failed(&c, 0, false));
	CHECK(!strcmp(relay_clouds_place(&c)->host, "c") && !relay_clouds_failed(&c, 0, false));
	CHECK(!strcmp(relay_clouds_place(&c)->host, "a") && relay_clouds_failed(&c, 0, false));
	/* b answers; a short link: b again, then a, c */
	relay_clouds_good(&c);
	CHECK(!relay_clouds_failed(&c, 1000, false) && c.now == 1);
	CHECK(relay_clouds_failed(&c, 0, false) && c.now == 0);
	CHECK(relay_clouds_failed(&c, 0, false) && c.now == 2);
	CHECK(!relay_clouds_failed(&c, 0, false) && c.now == 1);
	/* a link that held: back to the preferred one, then the rest in order */
	relay_clouds_good(&c);
	CHECK(!relay_clouds_failed(&c, 3600000, false) && c.now == 0);
	CHECK(relay_clouds_failed(&c, 0, false) && c.now == 1);
	/* asked to go: somebody else, at once */
	relay_clouds_good(&c);
	CHECK(relay_clouds_failed(&c, 3600000, true) && c.now == 0);
	/* other addresses: the one in use stays, or goes */
	CHECK(!relay_clouds_parse(&other, "https://x,https://a", why, sizeof(why)));
	CHECK(!relay_clouds_replace(&c, &other) && c.now == 1 && c.count == 2);
	CHECK(!relay_clouds_parse(&other, "https://y", why, sizeof(why)));
	CHECK(relay_clouds_replace(&c, &other) && c.now == 0);
	CHECK(!relay_clouds_failed(&c, 0, false) && !relay_clouds_failed(&c, 5, true));
	/* proxies */
	setenv("https_proxy", "http://p:1", 1);
	setenv("no_proxy", "y", 1);
	CHECK(!relay_clouds_proxy(&c, NULL, NULL, why, sizeof(why)) && c.proxied);
	CHECK(!relay_clouds_via(&c));
	CHECK(!relay_clouds_proxy(&c, NULL, "z", why, sizeof(why)) && relay_clouds_via(&c));
	CHECK(!relay_clouds_proxy(&c, "none", NULL, why, sizeof(why)) && !relay_clouds_via(&c));
	CHECK(!relay_clouds_proxy(&c, "http://q:2", NULL, why, sizeof(why)) &&
	      !strcmp(relay_clouds_via(&c)->at.host, "q"));
	setenv("https_proxy", "socks5://p:1", 1);
	CHECK(relay_clouds_proxy(&c, NULL, NULL, why, sizeof(why)) == -EINVAL &&
	      strstr(why, "environment"));
	unsetenv("https_proxy");
	unsetenv("no_proxy");
}

/* ---- a connection, and its two ends ---- */

struct side {
	struct sluice_conn *c;
	int opened, closed;
	size_t received;
	enum sluice_conn_end end;
	char why[256], address[96];
	bool resumed;
};

static struct side client, server;

static void side_open(void *arg)
{
	struct side *s = arg;

	s->opened++;
	s->resumed = sluice_conn_resumed(s->c);
	snprintf(s->address, sizeof(s->address), "%s", sluice_conn_address(s->c));
}

static void side_data(void *arg, const uint8_t *data, size_t size)
{
	struct side *s = arg;
	struct iovec iov = { (void *)data, size };

	s->received += size;
	if (s == &server)
		CHECK(!sluice_conn_send(s->c, &iov, 1));
}

static void side_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct side *s = arg;

	s->closed++;
	s->end = end;
	snprintf(s->why, sizeof(s->why), "%s", why);
	s->c = NULL;
}

static const struct sluice_conn_ops ops = { side_open, side_data, NULL, side_close };
static struct sluice_tls_ctx *server_ctx, *client_ctx;

static void on_accept(void *arg, int fd)
{
	struct sluice_conn_config c = { .io = io, .tls = server_ctx, .ops = &ops };

	if (server.c)
		close(fd);
	else
		server.c = sluice_conn_adopt(&c, fd, &server);
}

static struct sluice_tls_ctx *make_ctx(bool is_server, const char *cert)
{
	struct sluice_tls_config c = { .server = is_server,
				       .cert = certs_path(cert, "crt"),
				       .key = certs_path(cert, "key"),
				       .ca = certs_path("ca", "crt") };
	struct sluice_tls_ctx *ctx;
	char why[256];
	int err;

	ctx = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	CHECK(ctx);
	return ctx;
}

static void turn_until(const int *what)
{
	uint64_t limit = sluice_io_now(io) + 8000000000u;

	while (!*what && sluice_io_now(io) < limit)
		sluice_io_turn(io, 50);
}

static void start(const char *host, const char *port, const struct sluice_proxy *proxy)
{
	struct sluice_conn_config c = {
		.io = io, .tls = client_ctx, .ops = &ops, .handshake_ms = 3000, .proxy = proxy
	};

	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	client.c = sluice_conn_connect(&c, host, port, &client);
}

static void end_both(void)
{
	if (client.c)
		sluice_conn_abort(client.c, NULL);
	if (server.c)
		sluice_conn_abort(server.c, NULL);
	for (int i = 0; i < 40 && (client.c || server.c); i++)
		sluice_io_turn(io, 50);
	CHECK(!client.c && !server.c);
}

/* ---- a proxy ---- */

/* Two plain connections and what is copied between them; a script instead, if it is set. */
static struct {
	struct sluice_io_listener *listener;
	char port[8];
	struct sluice_conn *near, *far;
	char head[1024];
	size_t used;
	bool open;
	const char *script; /* answered instead of opening a tunnel; "": silence */
	char asked[1024];   /* the request */
} proxy;

static void pass_on(struct sluice_conn *to, const uint8_t *data, size_t size)
{
	struct iovec iov = { (void *)data, size };

	if (to && size)
		sluice_conn_send(to, &iov, 1);
}

static void proxy_nothing(void *arg)
{
}

static void far_open(void *arg)
{
	proxy.open = true;
	pass_on(proxy.near, (const uint8_t *)"HTTP/1.1 200 Go\r\nVia: test\r\n\r\n", 30);
}

static void far_data(void *arg, const uint8_t *data, size_t size)
{
	pass_on(proxy.near, data, size);
}

static void far_close(void *arg, enum sluice_conn_end end, const char *why)
{
	proxy.far = NULL;
	if (proxy.near)
		sluice_conn_shutdown(proxy.near);
}

static void near_close(void *arg, enum sluice_conn_end end, const char *why)
{
	proxy.near = NULL;
	if (proxy.far)
		sluice_conn_shutdown(proxy.far);
}

static void take_request(void)
{
	static const struct sluice_conn_ops far = { far_open, far_data, NULL, far_close };
	struct sluice_conn_config c = { .io = io, .ops = &far };
	char host[64], port[8];

	snprintf(proxy.asked, sizeof(proxy.asked), "%s", proxy.head);
	if (proxy.script) {
		pass_on(proxy.near, (const uint8_t *)proxy.script, strlen(proxy.script));
		return;
	}
	CHECK(sscanf(proxy.head, "CONNECT %63[^:]:%7[0-9] ", host, port) == 2);
	/* the proxy of this test knows where its names are: in the dark behind it */
	proxy.far = sluice_conn_connect(&c, "127.0.0.1", port, NULL);
}

static void near_data(void *arg, const uint8_t *data, size_t size)
{
	if (proxy.open || proxy.far) {
		CHECK(proxy.open); /* nothing is said before our answer */
		pass_on(proxy.far, data, size);
		return;
	}
	for (size_t i = 0; i < size && proxy.used < sizeof(proxy.head) - 1; i++) {
		proxy.head[proxy.used++] = (char)data[i];
		if (proxy.used >= 4 && !memcmp(proxy.head + proxy.used - 4, "\r\n\r\n", 4)) {
			CHECK(i + 1 == size);
			take_request();
		}
	}
}

static void proxy_accept(void *arg, int fd)
{
	static const struct sluice_conn_ops near = { proxy_nothing, near_data, NULL, near_close };
	struct sluice_conn_config c = { .io = io, .ops = &near };

	CHECK(!proxy.near);
	memset(proxy.head, 0, sizeof(proxy.head));
	proxy.used = 0;
	proxy.open = false;
	proxy.near = sluice_conn_adopt(&c, fd, NULL);
}

static void test_proxy(const char *cloud_port)
{
	struct sluice_proxy p;
	const char *text;
	char url[64];
	struct iovec iov = { "hello", 5 };

	snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%s", proxy.port);
	CHECK(!sluice_url_proxy(url, &p, &text));
	/* the name of the cloud goes to the proxy, not to a resolver of ours; TLS checks it */
	start("cloud.test", cloud_port, &p);
	turn_until(&client.opened);
	turn_until(&server.opened);
	CHECK(client.opened && server.opened && strstr(client.address, proxy.port));
	if (!client.opened)
		fprintf(stderr, "%s\n", client.why);
	CHECK(strstr(proxy.asked, "CONNECT cloud.test:") == proxy.asked);
	CHECK(strstr(proxy.asked, "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
	if (client.c)
		CHECK(!sluice_conn_send(client.c, &iov, 1));
	for (int i = 0; i < 40 && client.received < 5; i++)
		sluice_io_turn(io, 50);
	CHECK(client.received == 5 && server.received == 5);
	end_both();
	for (int i = 0; i < 40 && (proxy.near || proxy.far); i++)
		sluice_io_turn(io, 50);
}

/* A proxy that does not let us through, in each of its ways. */
static void test_bad_proxy(void)
{
	static const struct {
		const char *script, *words;
	} cases[] = {
		{ "HTTP/1.1 407 Who are you\r\n\r\n", "user name and password" },
		{ "HTTP/1.1 403 No\r\n\r\n", "does not allow" },
		{ "HTTP/1.0 502 Bad\r\nContent-Length: 3\r\n\r\nabc", "cannot reach the cloud" },
		{ "SSH-2.0-OpenSSH\r\n\r\n", "not HTTP/1" },
		{ "HTTP/1.1 200 OK\r\n\r\nspam", "out of turn" },
		{ "", "no answer within" },
	};
	struct sluice_proxy p = { 0 };

	snprintf(p.at.host, sizeof(p.at.host), "127.0.0.1");
	snprintf(p.at.port, sizeof(p.at.port), "%s", proxy.port);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		proxy.script = cases[i].script;
		start("localhost", "1", &p);
		turn_until(&client.closed);
		CHECK(client.end == SLUICE_CONN_PROXY && strstr(client.why, cases[i].words));
		if (!strstr(client.why, cases[i].words))
			fprintf(stderr, "%s\n", client.why);
		for (int n = 0; n < 40 && proxy.near; n++)
			sluice_io_turn(io, 50);
	}
	proxy.script = NULL;
	start("nosuchcloud.invalid", "1", &p); /* the proxy's far side fails: refused port */
	turn_until(&client.closed);
	CHECK(client.end == SLUICE_CONN_PROXY && strstr(client.why, "without an answer"));
	end_both();
	snprintf(p.at.host, sizeof(p.at.host), "nosuchproxy.invalid");
	start("localhost", "1", &p);
	turn_until(&client.closed);
	CHECK(client.end == SLUICE_CONN_RESOLVE && strstr(client.why, "the proxy"));
}

/*
 * localhost is ::1 and 127.0.0.1. One of them takes no connection (its queue is full, so the kernel
 * drops what asks), the other answers: the link comes, and from there.
 */
static void test_black_hole(int family)
{
	struct sockaddr_in6 hole6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in hole4 = { .sin_family = AF_INET };
	struct sockaddr_storage good = { 0 };
	struct sockaddr *hole = family == AF_INET6 ? (void *)&hole6 : (void *)&hole4;
	socklen_t len = family == AF_INET6 ? sizeof(hole6) : sizeof(hole4);
	socklen_t good_len = family == AF_INET6 ? sizeof(hole4) : sizeof(hole6);
	struct sluice_io_listener *l;
	int fd = socket(family, SOCK_STREAM, 0), fill[4], one = 1, err;
	uint64_t began;
	char port[8];

	hole4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK(!bind(fd, hole, len) && !listen(fd, 0) && !getsockname(fd, hole, &len));
	snprintf(port, sizeof(port), "%u",
		 ntohs(family == AF_INET6 ? hole6.sin6_port : hole4.sin_port));
	for (int i = 0; i < 4; i++) {
		fill[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fill[i], hole, len);
	}
	if (family == AF_INET6) {
		struct sockaddr_in *g = (void *)&good;

		*g = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = hole6.sin6_port };
		g->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		struct sockaddr_in6 *g = (void *)&good;

		*g = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					    .sin6_port = hole4.sin_port,
					    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	}
	l = sluice_io_listen(io, (void *)&good, good_len, on_accept, NULL, &err);
	if (!l) { /* somebody else has that port in the other family */
		CHECK(err == -EADDRINUSE);
		goto out;
	}
	began = sluice_io_now(io);
	start("localhost", port, NULL);
	turn_until(&client.opened);
	CHECK(client.opened);
	CHECK(strstr(client.address, family == AF_INET6 ? "127.0.0.1" : "::1 "));
	/* the resolver names ::1 first, so only its black hole costs the stagger */
	if (family == AF_INET6)
		CHECK(sluice_io_now(io) - began >= SLUICE_RACE_STAGGER_MS * 1000000ull);
	end_both();
	sluice_io_unlisten(l);
out:
	for (int i = 0; i < 4; i++)
		close(fill[i]);
	close(fd);
}

/* Two clouds by turns: both sessions are kept, both are resumed. */
static void test_sessions(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sluice_io_listener *l[2];
	char port[2][8];
	int err;

	for (int i = 0; i < 2; i++) {
		l[i] = sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, NULL, &err);
		snprintf(port[i], sizeof(port[i]), "%u", sluice_io_listener_port(l[i]));
	}
	for (int i = 0; i < 6; i++) {
		start("localhost", port[i % 2], NULL);
		turn_until(&client.opened);
		turn_until(&server.opened);
		for (int n = 0; n < 5; n++) /* tickets come after the handshake */
			sluice_io_turn(io, 5);
		CHECK(client.opened && client.resumed == (i >= 2) && server.resumed == (i >= 2));
		end_both();
	}
	sluice_io_unlisten(l[0]);
	sluice_io_unlisten(l[1]);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sluice_io_listener *cloud;
	char why[256], port[8];
	int err;

	random_seed(seed_of(argc, argv));
	test_urls();
	test_answers();
	test_clouds();
	io = sluice_io_open(NULL, &err, why, sizeof(why));
	if (!io) {
		printf("%s\n", why);
		return err == -ENOSYS || err == -EPERM ? 77 : 1;
	}
	certs_make_usual();
	certs_make(&(struct cert_spec){ "named", "named", "DNS:localhost,DNS:cloud.test", "ca", -1,
					30 });
	server_ctx = make_ctx(true, "named");
	client_ctx = make_ctx(false, "device");
	cloud = sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, NULL, &err);
	snprintf(port, sizeof(port), "%u", sluice_io_listener_port(cloud));
	proxy.listener = sluice_io_listen(io, (void *)&sin, sizeof(sin), proxy_accept, NULL, &err);
	snprintf(proxy.port, sizeof(proxy.port), "%u", sluice_io_listener_port(proxy.listener));
	test_proxy(port);
	test_bad_proxy();
	test_black_hole(AF_INET6);
	test_black_hole(AF_INET);
	test_sessions();
	sluice_io_unlisten(cloud);
	sluice_io_unlisten(proxy.listener);
	sluice_io_close(io);
	sluice_tls_ctx_close(client_ctx);
	sluice_tls_ctx_close(server_ctx);
	certs_remove();
	return check_result();
}
