/* SPDX-License-Identifier: MIT */
/* device.h - which device is at the other end of a connection, and may it speak? */
#ifndef SLUICE_DEVICE_H
#define SLUICE_DEVICE_H

#include "cloud/auth.h"
#include "cloud/badge.h"
#include "cloud/server.h"
#include "lib/tls.h"

/* Whom the certificate names, if it has not ended; nothing else is asked. As check() below. */
int sluice_device_name(const struct sluice_tls_peer *peer, struct sluice_session_request *who,
		       const char **why);

/*
 * Asked for every request, also on a resumed connection, whose certificate TLS has not looked at
 * again: so its end and the deny-list are looked at here. 0 and *who filled, or the HTTP status to
 * answer with and a sentence in *why.
 */
int sluice_device_check(struct sluice_auth *auth, const struct sluice_tls_peer *peer,
			struct sluice_session_request *who, const char **why);

/* The status and the sentence for what sluice_auth_allowed() has returned. */
int sluice_device_status(int err, const char **why);

/*
 * The same with a data base that may be away (auth NULL: it is known to be): as
 * sluice_auth_allowed(), or by what was known last; what was never known is not let in.
 */
int sluice_device_known(struct sluice_auth *auth, struct sluice_badges *badges,
			const struct sluice_session_request *who);

#endif
