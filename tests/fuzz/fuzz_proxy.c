// SPDX-License-Identifier: MIT
/*
 * fuzz_proxy.c - heads of the PROXY protocol in any pieces: whatever comes, the answer is the same
 * as for the bytes in one piece, no more than the bound is taken, and an address is of a known
 * family. The first byte says where the input is cut.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/proxy_head.h"

#define BOUND (16 + SLUICE_PROXY_V2_MAX)

static void require(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sluice_proxy_head whole = { 0 }, parts = { 0 };
	size_t used, taken = 0, step, n;
	int r, q = 0;

	if (!size)
		return 0;
	step = data[0] % 17u + 1u;
	data++;
	size--;
	r = sluice_proxy_head_feed(&whole, data, size, &used);
	require(r == 0 || r == 1 || (r == -EBADMSG && whole.why));
	require(used <= size && used <= BOUND && (r || used == size));
	while (taken < size && !q) {
		n = size - taken < step ? size - taken : step;
		q = sluice_proxy_head_feed(&parts, data + taken, n, &n);
		taken += n;
	}
	require(q == r && taken == used && parts.known == whole.known);
	require(parts.from_len == whole.from_len && parts.why == whole.why);
	require(!memcmp(&parts.from, &whole.from, sizeof(whole.from)));
	if (whole.known)
		require(r == 1 &&
			(whole.from.ss_family == AF_INET
				 ? whole.from_len == sizeof(struct sockaddr_in)
				 : whole.from.ss_family == AF_INET6 &&
					   whole.from_len == sizeof(struct sockaddr_in6)));
	return 0;
}
