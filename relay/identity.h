/* SPDX-License-Identifier: MIT */
/* identity.h - the device's key and certificate on the disk, and how both are replaced at once. */
#ifndef RELAY_IDENTITY_H
#define RELAY_IDENTITY_H

#include <stddef.h>

/* Paths, borrowed. What is new lies beside the old as CERT.new and KEY.new. */
struct relay_identity {
	const char *cert, *key, *ca;
};

/*
 * Before the files are read: a change that was decided and interrupted is finished. 1: the new ones
 * are in place now; 0: nothing was to be done; -errno.
 */
int relay_identity_recover(const struct relay_identity *id);

/* Makes a P-256 key in KEY.new (0600, synced) and a request for it. The caller frees *csr (PEM). 0
 * or -errno with a sentence in why. */
int relay_identity_request(const struct relay_identity *id, char **csr, char *why, size_t why_size);

/*
 * Takes the certificate that the cloud issued for that request, after it was held against the key,
 * the certificate authority, the present certificate's names and the clock. 0: key and certificate
 * are replaced; -EINVAL: it is not what was asked for; another -errno: the files. Text in why. On
 * error the old ones are in place. steps: for tests, as if killed after so many; 0: all.
 */
int relay_identity_install(const struct relay_identity *id, const char *pem, unsigned int steps,
			   char *why, size_t why_size);

#endif
