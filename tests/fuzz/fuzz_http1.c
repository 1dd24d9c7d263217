// SPDX-License-Identifier: MIT
/*
 * The HTTP parser, as server and as client. What must hold: no fault, the same answer however the
 * bytes are cut, and of what it accepts: exactly one Host, no Transfer-Encoding, a bounded body.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/crc32c.h"
#include "lib/http1.h"

#define BODY_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int step, status;
	size_t taken;
	uint32_t fields, body, body_size;
};

static void check_accepted(const struct sluice_http *p)
{
	unsigned int hosts = 0;
	char out[128];

	for (unsigned int i = 0; i < p->field_count; i++) {
		hosts += !strcmp(p->field[i].name, "host");
		if (!strcmp(p->field[i].name, "transfer-encoding") ||
		    strpbrk(p->field[i].value, "\r\n"))
			abort();
	}
	if (p->content_length > BODY_MAX || (!p->response && hosts != 1))
		abort();
	if (p->response)
		return;
	if (!sluice_http_path(p, out, sizeof(out)) && (out[0] != '/' || strstr(out, "/../")))
		abort();
	sluice_http_query(p, "a", out, sizeof(out));
	sluice_http_token(sluice_http_field(p, "connection"), "close");
}

static void run(const uint8_t *data, size_t size, size_t most, bool response, struct outcome *o)
{
	static struct sluice_http p;

	memset(o, 0, sizeof(*o));
	if (response)
		sluice_http_begin_response(&p, BODY_MAX);
	else
		sluice_http_begin_request(&p, BODY_MAX);
	while (1) {
		size_t n = size - o->taken < most ? size - o->taken : most, used;
		uint8_t *piece = malloc(n ? n : 1);

		memcpy(piece, data + o->taken, n);
		o->step = sluice_http_feed(&p, piece, n, &used);
		if (used > n)
			abort();
		o->taken += used;
		if (o->step == SLUICE_HTTP_STARTED)
			check_accepted(&p);
		if (o->step == SLUICE_HTTP_BODY) {
			if (p.body < piece || p.body + p.body_size > piece + n)
				abort();
			o->body = sluice_crc32c(o->body, p.body, p.body_size);
			o->body_size += (uint32_t)p.body_size;
		}
		free(piece);
		if (o->step < 0 || o->step == SLUICE_HTTP_DONE ||
		    (o->step == SLUICE_HTTP_MORE && o->taken == size))
			break;
	}
	o->status = p.status;
	o->fields = p.field_count;
	if (o->body_size > BODY_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (!size)
		return 0;
	run(data + 1, size - 1, 1u << 20, data[0] & 1, &whole);
	run(data + 1, size - 1, 1 + data[0] / 2, data[0] & 1, &pieces);
	if (whole.step != pieces.step || whole.status != pieces.status ||
	    whole.fields != pieces.fields || whole.body != pieces.body ||
	    whole.body_size != pieces.body_size)
		abort();
	return 0;
}
