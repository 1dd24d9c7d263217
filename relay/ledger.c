// SPDX-License-Identifier: MIT
/*
 * Written to a file beside it, then renamed: a reader sees the old or the new one. Not synced:
 * after a power failure the old one may be there, and the counters begin anew then anyway.
 */
#include "relay/ledger.h"
#include "lib/reason.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_class(FILE *f, const char *name, const struct relay_snapshot *s,
			enum sluice_reason_class class)
{
	const char *comma = "";

	fprintf(f, "\"%s\":{", name);
	for (unsigned int i = 0; i < SLUICE_REASON_COUNT; i++) {
		if (!sluice_reason_name(i) || sluice_reason_class(i) != class || !i)
			continue;
		fprintf(f, "%s\"%s\":%" PRIu64, comma, sluice_reason_name(i), s->count[i]);
		comma = ",";
	}
	fputs("},", f);
}

/* Where the published frames are: each in exactly one place. */
static void write_places(FILE *f, const struct relay_camera *c, const struct relay_spool *spool)
{
	const struct relay_spool_counts *p = spool ? relay_spool_counts(spool, c->name) : NULL;
	uint64_t ring = c->attached ? relay_ring_head(&c->ring) - c->tail : 0;
	const char *comma = "";

	fprintf(f,
		"\"sent\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"rejected\":%" PRIu64
		",\"ring\":%" PRIu64 ",\"spooled\":%" PRIu64 ",\"paused\":%" PRIu64
		",\"held\":%" PRIu64 ",\"spool\":{\"stored\":%" PRIu64 ",\"rejected\":%" PRIu64
		",\"waiting\":%" PRIu64 ",\"damaged\":%" PRIu64 ",\"evicted\":{",
		c->sent, c->stored, c->rejected, ring, c->spooled, c->paused, c->held_back,
		p ? p->stored : 0, p ? p->rejected : 0, p ? p->left : 0, p ? p->damaged : 0);
	for (unsigned int i = 0; p && i < SLUICE_REASON_COUNT; i++) {
		if (!p->evicted[i])
			continue;
		fprintf(f, "%s\"%s\":%" PRIu64, comma, sluice_reason_name(i), p->evicted[i]);
		comma = ",";
	}
	fputs("}}", f);
}

static void write_camera(FILE *f, const struct relay_camera *c, const struct relay_spool *spool)
{
	const struct relay_snapshot *s = &c->now;

	fprintf(f,
		"{\"name\":\"%s\",\"epoch\":\"%" PRIu64 "\",\"delivered\":%" PRIu64
		",\"pending\":%" PRIu64 ",",
		c->name, s->epoch, s->delivered, s->pending);
	write_class(f, "passed", s, SLUICE_PASSED);
	write_class(f, "dropped", s, SLUICE_DROPPED);
	write_class(f, "lost", s, SLUICE_LOST);
	fprintf(f, "\"bytes_seen\":%" PRIu64 ",\"bytes_passed\":%" PRIu64 ",", s->bytes_seen,
		s->bytes_passed);
	write_places(f, c, spool);
	fputc('}', f);
}

int relay_ledger_write(const char *path, const struct relay_camera *camera, unsigned int count,
		       const struct relay_spool *spool)
{
	size_t size = strlen(path) + 5;
	const char *comma = "";
	int err = 0;
	char *temp = malloc(size);
	FILE *f;

	if (!temp)
		return -ENOMEM;
	snprintf(temp, size, "%s.tmp", path);
	f = fopen(temp, "we");
	if (!f) {
		err = -errno;
		free(temp);
		return err;
	}
	fputs("{\"version\":1,\"cameras\":[", f);
	for (unsigned int i = 0; i < count; i++) {
		if (!camera[i].name[0])
			continue;
		fputs(comma, f);
		write_camera(f, &camera[i], spool);
		comma = ",\n";
	}
	if (spool)
		fprintf(f,
			"],\"spool\":{\"state\":\"%s\",\"bytes\":%" PRIu64 ",\"waiting\":%" PRIu64
			",\"damaged\":%" PRIu64 "}}\n",
			relay_spool_state_name(relay_spool_state(spool)), relay_spool_bytes(spool),
			relay_spool_left(spool), relay_spool_damaged(spool));
	else
		fputs("],\"spool\":{\"state\":\"off\"}}\n", f);
	if (ferror(f))
		err = -EIO;
	if (fclose(f))
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	free(temp);
	return err;
}
