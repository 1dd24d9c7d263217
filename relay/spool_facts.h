/* SPDX-License-Identifier: MIT */
/* spool_facts.h - the spool in metrics and health. */
#ifndef RELAY_SPOOL_FACTS_H
#define RELAY_SPOOL_FACTS_H

#include "relay/service.h"
#include "relay/spool.h"

/* After the service has started. s is borrowed, and outlives it. */
void relay_spool_facts(struct relay_service *service, struct relay_spool *s);

#endif
