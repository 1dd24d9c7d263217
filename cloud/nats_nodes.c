// SPDX-License-Identifier: MIT
/*
 * nats_nodes.c - what processes that take devices say of themselves: node.ID, where ID is that of
 * the process on the bus. Nothing is stored at the broker; what it means is nodes.c's.
 */
#include <errno.h>
#include <string.h>
#include <stdio.h>

#include "cloud/nats_state.h"

#define SUBJECT "node."

int nats_call_out(struct sluice_bus *b, const char *text)
{
	struct bus_nats *n = nats_of(b);
	char subject[40];
	natsStatus s;

	snprintf(subject, sizeof(subject), SUBJECT "%s", nats_id(n));
	s = natsConnection_PublishString(n->nc, subject, text);
	return s == NATS_OK ? 0 : -EIO;
}

/* In a thread of the library, one message after the other. */
static void on_node(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	const char *id = natsMsg_GetSubject(msg) + strlen(SUBJECT);
	struct bus_nats *n = arg;

	(void)nc;
	(void)sub;
	if (strcmp(id, nats_id(n)) != 0)
		n->overhear(n->overhear_ctx, id, natsMsg_GetData(msg),
			    (size_t)natsMsg_GetDataLength(msg));
	natsMsg_Destroy(msg);
}

int nats_overhear(struct sluice_bus *b, sluice_node_fn fn, void *ctx)
{
	struct bus_nats *n = nats_of(b);
	natsStatus s;

	nats_unsubscribe(&n->nodes);
	if (!fn)
		return 0;
	n->overhear = fn;
	n->overhear_ctx = ctx;
	s = natsConnection_Subscribe(&n->nodes, n->nc, SUBJECT "*", on_node, n);
	if (s == NATS_OK)
		s = natsConnection_FlushTimeout(n->nc, 5000); /* it is there, or refused */
	if (s != NATS_OK)
		nats_complain(n, "cannot hear the other nodes (" SUBJECT "*)",
			      natsStatus_GetText(s));
	return s == NATS_OK ? 0 : -EIO;
}
