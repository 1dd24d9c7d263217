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

int sluice_device_check(struct sluice_auth *auth, const struct sluice_tls_peer *peer,
			struct sluice_session_request *who, const char **why)
{
	char tenant[SLUICE_TLS_ID], device[SLUICE_TLS_ID];
	int err;

	*why = "a device certificate is needed; enrol the device";
	if (!peer->present || sluice_tls_identity(peer, tenant, device) ||
	    !sluice_name_valid(tenant) || !sluice_name_valid(device))
		return 401;
	*why = "the device's certificate has expired; enrol the device again";
	if (peer->not_after < (int64_t)time(NULL))
		return 403;
	err = sluice_auth_allowed(auth, tenant, device, peer->serial);
	*why = "the device's certificate is revoked or unknown here; enrol the device again";
	if (err == -EKEYREVOKED || err == -ENOENT)
		return 403;
	*why = NULL;
	if (err)
		return 503;
	snprintf(who->tenant, sizeof(who->tenant), "%.31s", tenant);
	snprintf(who->device, sizeof(who->device), "%.31s", device);
	memcpy(who->serial, peer->serial, sizeof(who->serial));
	return 0;
}
