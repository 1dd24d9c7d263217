/* SPDX-License-Identifier: MIT */
/* exporter.h - exports for people who ask over the network, in threads of their own. */
#ifndef SLUICE_EXPORTER_H
#define SLUICE_EXPORTER_H

#include "cloud/export.h"
#include "cloud/response.h"
#include "lib/io.h"

#define SLUICE_EXPORTS_MAX 2 /* at a time */

struct sluice_exporter;

/* data and media are borrowed. NULL: out of memory. */
struct sluice_exporter *sluice_exporter_open(const char *data, struct sluice_media *media);

/*
 * Makes the file beside the store (it has no name, and is gone when it is sent), then answers later
 * in the loop of io. who and id are copied. -EBUSY: SLUICE_EXPORTS_MAX are being made; then, and
 * with any error, later is still the caller's.
 */
int sluice_exporter_add(struct sluice_exporter *x, struct sluice_io *io, struct sluice_later *later,
			const struct sluice_whose *who, const char *id,
			enum sluice_export_format format);

/* Makes the file, in the caller's thread, with an index of its own: what it is open as, or -errno
 * as of sluice_export(). */
int sluice_exporter_make(const char *data, struct sluice_media *media,
			 const struct sluice_whose *who, const char *id,
			 enum sluice_export_format format, int (*stopping)(void *ctx), void *ctx,
			 struct sluice_exported *out);
/* The file as an answer; takes fd, also where it fails: -ENOMEM. */
int sluice_exporter_body(struct sluice_response *r, int fd, enum sluice_export_format format);

/* Breaks off what is being made, and waits for it; the loops must still run or be closed later.
 * NULL-safe. */
void sluice_exporter_close(struct sluice_exporter *x);

#endif
