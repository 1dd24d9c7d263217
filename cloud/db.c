// SPDX-License-Identifier: MIT
/* db.c - see db.h. */
#include <errno.h>
#include <string.h>

#include "cloud/db.h"

struct sluice_rows *sluice_db_bind(struct sluice_db *d, int which, const char *fmt, ...)
{
	struct sluice_rows *r;
	va_list ap;

	va_start(ap, fmt);
	r = d->ops->bind(d, which, fmt, ap);
	va_end(ap);
	return r;
}

int sluice_db_step(struct sluice_rows *r)
{
	return r ? r->db->ops->step(r) : -EIO;
}

int sluice_db_run(struct sluice_rows *r)
{
	int rc;

	while ((rc = sluice_db_step(r)) > 0)
		;
	return rc;
}

void sluice_db_id(struct sluice_rows *r, int column, uint8_t out[16])
{
	size_t size;
	const void *p = sluice_db_blob(r, column, &size);

	memset(out, 0, 16);
	if (p && size == 16)
		memcpy(out, p, 16);
}
