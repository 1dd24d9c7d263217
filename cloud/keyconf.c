// SPDX-License-Identifier: MIT
/* keyconf.c - see keyconf.h. */
#include <errno.h>
#include <string.h>

#include "cloud/keyconf.h"
#include "lib/log.h"

static int read_one(struct sluice_keyring *r, const char *file, const char *command)
{
	char why[512];
	int err = 0;

	if (file && *file)
		err = sluice_keyring_file(r, file, why, sizeof(why));
	else if (command && *command)
		err = sluice_keyring_command(r, command, why, sizeof(why));
	if (err)
		sluice_error("%s", why);
	return err;
}

int sluice_keyconf_read(const struct sluice_keyconf *c, struct sluice_keyring *r)
{
	int err;

	memset(r, 0, sizeof(*r));
	if (c->file && *c->file && c->command && *c->command) {
		sluice_error("the key comes from a file or from a command, not from both");
		return -EINVAL;
	}
	err = read_one(r, c->file, c->command);
	if (!err && !r->count &&
	    ((c->old_file && *c->old_file) || (c->old_command && *c->old_command))) {
		sluice_error("an earlier key is named, but no present one");
		return -EINVAL;
	}
	return err ? err : read_one(r, c->old_file, c->old_command);
}
