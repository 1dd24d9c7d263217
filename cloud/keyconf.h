/* SPDX-License-Identifier: MIT */
/* keyconf.h - where the master keys come from: [encryption] of cloud.conf, or options. */
#ifndef SLUICE_KEYCONF_H
#define SLUICE_KEYCONF_H

#include "cloud/seal.h"

struct sluice_keyconf {
	const char *file, *command; /* the present key; at most one of them; "" or NULL: none */
	const char *old_file, *old_command; /* an earlier one, to open what it has sealed */
};

/* Prints what is wrong. r is empty where no key is named. */
int sluice_keyconf_read(const struct sluice_keyconf *c, struct sluice_keyring *r);

#endif
