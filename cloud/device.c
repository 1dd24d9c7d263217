// SPDX-License-Identifier: MIT
/*
 * device.c - a device's certificate names it (sluice://TENANT/DEVICE) and was verified by TLS
 * against our authority; whether it is still good is what auth.db says now.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cloud/device.h"
#include "lib/log.h"

int sluice_device_name(const struct sluice_tls_peer *peer, struct sluice_session_request *who,
		       const char **why)
{
	char tenant[SLUICE_TLS_ID], device[SLUICE_TLS_ID];

	*why = "a device certificate is needed; enrol the device";
	if (!peer->present || sluice_tls_identity(peer, tenant, device) ||
	    !sluice_name_valid(tenant) || !sluice_name_valid(device))
		return 401;
	*why = "the device's certificate has expired; enrol the device again";
	if (peer->not_after < (int64_t)time(NULL))
		return 403;
	*why = NULL;
	snprintf(who->tenant, sizeof(who->tenant), "%.31s", tenant);
	snprintf(who->device, sizeof(who->device), "%.31s", device);
	memcpy(who->serial, peer->serial, sizeof(who->serial));
	return 0;
}

int sluice_device_status(int err, const char **why)
{
	*why = "the device's certificate is revoked or unknown here; enrol the device again";
	if (err == -EKEYREVOKED || err == -ENOENT)
		return 403;
	*why = NULL;
	return err ? 503 : 0;
}

int sluice_device_check(struct sluice_auth *auth, const struct sluice_tls_peer *peer,
			struct sluice_session_request *who, const char **why)
{
	int status = sluice_device_name(peer, who, why);

	return status ? status
		      : sluice_device_status(sluice_auth_allowed(auth, who->tenant, who->device,
								 who->serial),
					     why);
}

int sluice_device_known(struct sluice_auth *auth, struct sluice_badges *badges,
			const struct sluice_session_request *who)
{
	int err =
		auth ? sluice_auth_allowed(auth, who->tenant, who->device, who->serial) : -ENOTCONN;
	int known;

	if (!err)
		sluice_badges_good(badges, who->tenant, who->device, who->serial);
	if (!err || err == -EKEYREVOKED || err == -ENOENT)
		return err;
	known = sluice_badges_check(badges, who->tenant, who->device, who->serial);
	if (!known)
		sluice_info("device %s is let in by what was known of it last", who->device);
	return known == -ENOENT ? err : known;
}
