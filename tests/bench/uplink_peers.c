// SPDX-License-Identifier: MIT
/* uplink_peers.c - what people would write without Sluice, and what no one can go below. */
#include "uplink_bench.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD 688 /* of a FRAME: header, fixed part, motion cells */

int uplink_curl_run(const struct uplink_bench *b)
{
	struct curl_slist *list = NULL;
	CURL *c = curl_easy_init();
	char url[64];
	int bad = 0;

	if (!c)
		return 1;
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/frame", b->port);
	list = curl_slist_append(list, "Content-Type: image/jpeg");
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CAINFO, b->ca);
	curl_easy_setopt(c, CURLOPT_SSLCERT, b->crt);
	curl_easy_setopt(c, CURLOPT_SSLKEY, b->key);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, b->frame);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)b->size);
	for (uint32_t i = 0; i < b->frames && !bad; i++) {
		long status = 0, connects = 0;

		bad = curl_easy_perform(c) != CURLE_OK;
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &connects);
		bad |= status != 204 || (i && connects);
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(c);
	return bad;
}

static SSL *dial(const struct uplink_bench *b, SSL_CTX *ctx)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)b->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	SSL *ssl = SSL_new(ctx);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd < 0 || connect(fd, (void *)&a, sizeof(a)) || !ssl || SSL_set_fd(ssl, fd) != 1 ||
	    SSL_connect(ssl) != 1)
		return NULL;
	return ssl;
}

int uplink_raw_run(const struct uplink_bench *b)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	size_t size = HEAD + b->size;
	uint8_t *message = calloc(1, size);
	char first[64] = "";
	SSL *ssl;
	size_t n;

	/* as many bytes as a FRAME message has, in one piece already */
	if (!message)
		return 1;
	memcpy(message + HEAD, b->frame, b->size);
	snprintf(first, sizeof(first), "RAW %zu\n", sizeof(first) + b->frames * size);
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	ssl = dial(b, ctx);
	if (!ssl || SSL_write_ex(ssl, first, sizeof(first), &n) != 1)
		return 1;
	for (uint32_t i = 0; i < b->frames; i++)
		if (SSL_write_ex(ssl, message, size, &n) != 1)
			return 1;
	return SSL_read_ex(ssl, first, 1, &n) != 1;
}
