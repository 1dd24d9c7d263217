/* SPDX-License-Identifier: MIT */
/* device.h - which device is at the other end of a connection, and may it speak? */
#ifndef SLUICE_DEVICE_H
#define SLUICE_DEVICE_H

#include "cloud/auth.h"
#include "cloud/server.h"
#include "lib/tls.h"

/*
 * Asked for every request, also on a resumed connection, whose certificate TLS has not looked at
 * again: so its end and the deny-list are looked at here. 0 and *who filled, or the HTTP status to
 * answer with and a sentence in *why.
 */
int sluice_device_check(struct sluice_auth *auth, const struct sluice_tls_peer *peer,
			struct sluice_session_request *who, const char **why);

#endif
