// SPDX-License-Identifier: MIT
/*
 * spool_scan.c - what lies in the directory at the start.
 *
 * The newest segment of each class is read whole, of the others the headers. A record that is not
 * whole is the end of what was written, and is cut off, unless a later record says that those
 * bytes were on the disk already when it was written: then they were ours and are damaged. Behind
 * damage the next header is looked for at every multiple of eight.
 *
 * Numbers go up; a record whose number does not is none of ours.
 *
 * The newest batch may be one that failed, and that nothing could cut off any more: then its frames
 * were given back and may have been sent, while those before them in the run were not. The cloud
 * says of a range only what the highest is that it has, so all of them would count as stored. No
 * writing can prevent that, for none may work then; so it must do no harm to take such a batch for
 * a settled one. Its frames become runs of their own. Of what was settled before, nothing was sent
 * another way; and the frames of the batch were given back as a whole and went on in their order,
 * so that of each of the two ranges the cloud has a beginning and nothing else.
 *
 * A batch with a lower number than mark.json calls sure is no such. That runs were parted is
 * written there, and durable before a newer batch is begun.
 *
 * What is found may have been written and never synced, by a relay that was killed. It is synced
 * before it counts: the rings are told that these frames are the spool's.
 */
#include "relay/spool_private.h"
#include "lib/crc32c.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW (256u << 10)

struct scan {
	struct relay_spool *spool;
	struct spool_segment *segment;
	bool whole; /* payloads too */
	int fd;
	uint64_t size;
	uint8_t *buf;
	size_t room, have;
	uint64_t base;
	uint64_t doubt; /* number that the batch in doubt begins with; UINT64_MAX: there is none */
	uint64_t last[SPOOL_CLASSES]; /* number of the newest record of the class */
};

/* size bytes at offset, NULL: the file ends before, or cannot be read. */
static const uint8_t *bytes_at(struct scan *sc, uint64_t offset, size_t size)
{
	size_t want = size > WINDOW ? size : sc->whole ? WINDOW : 4096;
	ssize_t n;

	if (offset + size > sc->size)
		return NULL;
	if (offset >= sc->base && offset + size <= sc->base + sc->have)
		return sc->buf + (offset - sc->base);
	if (want > sc->room) {
		uint8_t *buf = realloc(sc->buf, want);

		if (!buf)
			return NULL;
		sc->buf = buf;
		sc->room = want;
	}
	sc->base = offset;
	sc->have = 0;
	while (sc->have < want) {
		n = pread(sc->fd, sc->buf + sc->have, want - sc->have, (off_t)(offset + sc->have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sc->have += (size_t)n;
	}
	return sc->have >= size ? sc->buf : NULL;
}

/* Is there a record at that place? */
static bool record_at(struct scan *sc, uint64_t offset, struct relay_spool_record *r)
{
	const uint8_t *p = bytes_at(sc, offset, sizeof(struct relay_spool_header));
	uint64_t size;

	if (!p || relay_spool_header_get((const void *)p, r))
		return false;
	size = relay_spool_record_size(r->payload_size);
	if (offset + size > sc->size)
		return false;
	if (!sc->whole)
		return true;
	p = bytes_at(sc, offset, (size_t)size);
	return p && sluice_crc32c(0, p + sizeof(struct relay_spool_header), r->payload_size) ==
			    r->payload_crc;
}

/*
 * Behind a bad place: the first record there, if one of those that follow says that the bad bytes
 * had been on the disk; else the size. Where only headers are read, everything had been.
 */
static uint64_t find_next(struct scan *sc, uint64_t bad)
{
	struct relay_spool_record r;
	uint64_t at, first = 0;

	for (at = (bad + 8) & ~7ull; at + sizeof(struct relay_spool_header) <= sc->size; at += 8) {
		if (!record_at(sc, at, &r))
			continue;
		if (!first)
			first = at;
		if (!sc->whole || r.durable > bad)
			return first;
	}
	return sc->size;
}

/* A record whose header is good, and its bytes are not: the reader finds that out again. */
static bool damaged_at(struct scan *sc, uint64_t offset, uint64_t next,
		       struct relay_spool_record *r)
{
	const uint8_t *p = bytes_at(sc, offset, sizeof(struct relay_spool_header));

	return p && !relay_spool_header_get((const void *)p, r) &&
	       offset + relay_spool_record_size(r->payload_size) <= next;
}

static int take_record(struct scan *sc, const struct relay_spool_record *r)
{
	struct relay_spool *s = sc->spool;
	enum spool_class class = sc->segment->class;
	int n = spool_camera_get(s, r->camera), err;
	bool doubt = r->number >= sc->doubt;
	struct relay_run *run;

	if (r->number <= sc->last[class] || n < 0)
		return 0;
	sc->last[class] = r->number;
	if (r->number >= s->next_number)
		s->next_number = r->number + 1;
	run = spool_run_of(s, (unsigned int)n, r);
	if (run && doubt && run->from != sc->doubt)
		run = NULL;
	if (run && r->sequence > run->durable_last[class])
		run->durable_last[class] = r->sequence;
	if (r->number <= s->camera[n].mark)
		return 0; /* resolved; its run goes on where frames are left, or in the mark file */
	if (!run) {
		run = spool_run_add(s, (unsigned int)n, r);
		if (!run)
			return -ENOMEM;
		run->from = doubt ? sc->doubt : 0;
		s->parted |= doubt;
	}
	err = spool_segment_count(sc->segment, run, r->reason, r->event);
	if (err)
		return err;
	if (r->sequence > run->durable_last[class])
		run->durable_last[class] = r->sequence;
	if (r->sequence > run->last || !run->left)
		run->last = run->staged_last = r->sequence;
	if (r->time_ns > run->now_ns)
		run->now_ns = r->time_ns;
	if (r->clock.monotonic > run->clock.monotonic)
		run->clock = r->clock;
	run->durable = true;
	run->left++;
	s->camera[n].counts.left++;
	return 0;
}

static int scan_records(struct scan *sc, uint64_t *end)
{
	struct relay_spool_record r;
	uint64_t at = 0, next;
	int err = 0;

	while (at < sc->size && !err) {
		if (record_at(sc, at, &r)) {
			err = take_record(sc, &r);
			at += relay_spool_record_size(r.payload_size);
			continue;
		}
		next = find_next(sc, at);
		if (next == sc->size && sc->whole)
			break; /* never acknowledged */
		if (damaged_at(sc, at, next, &r)) {
			err = take_record(sc, &r);
			at += relay_spool_record_size(r.payload_size);
			continue;
		}
		sc->spool->damaged++;
		at = next;
	}
	*end = at < sc->size ? at : sc->size;
	return err;
}

/* A disk that says it cannot be written has nothing that could be lost. */
static int sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0 || (fsync(fd) && errno != EROFS && errno != EINVAL))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		sluice_error("cannot sync %s: %s", path, strerror(-err));
	return err;
}

static int open_segment(struct scan *sc, struct spool_segment *g, bool whole)
{
	char path[PATH_MAX];
	struct stat st;
	int err;

	spool_segment_path(sc->spool, g, path);
	sc->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (sc->fd < 0 || fstat(sc->fd, &st)) {
		err = -errno;
		if (sc->fd >= 0)
			close(sc->fd);
		sluice_error("cannot read %s: %s", path, strerror(-err));
		return err;
	}
	sc->segment = g;
	sc->whole = whole;
	sc->size = (uint64_t)st.st_size;
	sc->have = 0;
	sc->base = 0;
	return 0;
}

static int scan_file(struct scan *sc, struct spool_segment *g, bool whole)
{
	char path[PATH_MAX];
	uint64_t end = 0;
	int err = open_segment(sc, g, whole);

	if (err)
		return err;
	spool_segment_path(sc->spool, g, path);
	err = scan_records(sc, &end);
	close(sc->fd);
	if (err)
		return err;
	if (end < sc->size) {
		sluice_info("%s: %llu bytes of a batch that was never finished are cut off", path,
			    (unsigned long long)(sc->size - end));
		if (truncate(path, (off_t)end))
			sluice_warning("cannot cut %s: %s", path, strerror(errno));
	}
	g->bytes = end;
	sc->spool->bytes += end;
	return whole ? sync_path(path) : 0;
}

/* The newest batch of a segment, by the number that it begins with. */
static int find_batch(struct scan *sc, struct spool_segment *g, uint64_t *batch)
{
	struct relay_spool_record r;
	int err = open_segment(sc, g, false);

	for (uint64_t at = 0; !err && at < sc->size;) {
		if (!record_at(sc, at, &r)) {
			at = find_next(sc, at);
			continue;
		}
		if (r.place && r.number - r.place + 1 > *batch)
			*batch = r.number - r.place + 1;
		at += relay_spool_record_size(r.payload_size);
	}
	if (!err)
		close(sc->fd);
	return err;
}

/*
 * Is it in doubt whether the newest batch was settled? Segments are not begun before the last batch
 * is settled or cut off, so it is in the newest of a class.
 */
static int find_doubt(struct scan *sc)
{
	struct relay_spool *s = sc->spool;
	uint64_t batch = 0;
	int err = 0;

	for (int c = 0; c < SPOOL_CLASSES && !err; c++)
		if (s->last[c])
			err = find_batch(sc, s->last[c], &batch);
	sc->doubt = batch && batch >= s->sure ? batch : UINT64_MAX;
	return err;
}

/* A run of the batch in doubt reaches back to the end of the one that it was parted from: what lies
 * between was in the batch too. */
static void join_ranges(struct relay_spool *s, uint64_t doubt)
{
	for (struct relay_run *r = s->runs; r; r = r->next)
		for (const struct relay_run *of = s->runs; of && r->from == doubt; of = of->next)
			if (of->camera == r->camera && of->epoch == r->epoch &&
			    of->name == r->name && of->from < doubt && of->last >= r->first &&
			    of->last < r->last)
				r->first = of->last + 1;
}

static int is_segment(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n == 22 && strspn(d->d_name, "0123456789abcdef") == 16 &&
	       (!strcmp(d->d_name + 16, "-m.seg") || !strcmp(d->d_name + 16, "-f.seg"));
}

int spool_scan(struct relay_spool *s)
{
	struct scan sc = { .spool = s };
	struct dirent **list = NULL;
	int n = scandir(s->dir, &list, is_segment, alphasort), err = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		struct spool_segment *g = NULL;

		if (!err)
			g = spool_segment_new(list[i]->d_name[17] == 'f' ? SPOOL_FILLER
									 : SPOOL_MOTION,
					      strtoull(list[i]->d_name, NULL, 16));
		if (g)
			spool_segment_link(s, g);
		else if (!err)
			err = -ENOMEM;
		free(list[i]);
	}
	free(list);
	if (!err)
		err = find_doubt(&sc);
	for (int c = 0; c < SPOOL_CLASSES && !err; c++)
		for (struct spool_segment *g = s->first[c]; g && !err; g = g->next)
			err = scan_file(&sc, g, !g->next);
	free(sc.buf);
	join_ranges(s, sc.doubt);
	s->sure = s->next_number;
	if (!err)
		err = sync_path(s->dir);
	if (s->damaged)
		sluice_error("the spool in %s is damaged in %llu places: the disk has lost frames",
			     s->dir, (unsigned long long)s->damaged);
	return err;
}
