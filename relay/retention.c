// SPDX-License-Identifier: MIT
/*
 * Oldest first, by the time when a summary came (that of its summary.json). A clock that is behind
 * makes summaries that come from the future: they count as new. At most ENTRIES_MAX are looked at
 * in one sweep; a device that has more of them removes those first that it finds first, and the
 * rest in later sweeps.
 */
#include "relay/retention.h"
#include "lib/log.h"
#include "relay/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES_MAX 50000

#define DAY_MS 86400000ull

void relay_retention_conf(struct relay_retention *r, struct sluice_conf *conf)
{
	uint64_t most = 1ull << 50;

	r->keep_ms = sluice_conf_ms(conf, "summaries", "keep", 30 * DAY_MS, 0, 3650 * DAY_MS);
	r->size_bytes = sluice_conf_size(conf, "summaries", "size", 1ull << 30, 0, most);
	r->free_bytes = sluice_conf_size(conf, "summaries", "free", 128ull << 20, 0, most);
	r->partial_ms = sluice_conf_ms(conf, "summaries", "partial", 2 * DAY_MS, 0, 365 * DAY_MS);
}

struct entry {
	int64_t came; /* seconds */
	uint64_t bytes;
	char day[SLUICE_CAMERA_NAME_SIZE + 12], id[33];
};

struct sweep {
	const struct relay_retention *conf;
	struct entry *at;
	size_t count, room;
	uint64_t bytes;
	int64_t now;
};

static uint64_t dir_bytes(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again < 0 ? NULL : fdopendir(again);
	uint64_t bytes = 0;
	struct dirent *e;
	struct stat st;

	if (!d && again >= 0)
		close(again);
	while (d && (e = readdir(d)))
		if (!fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_blocks * 512;
	if (d)
		closedir(d);
	return bytes;
}

static void drop_partial(struct sweep *s, int day_fd, const char *name)
{
	struct stat st;
	uint64_t age_s;

	if (strlen(name) == 38 && !strcmp(name + 33, ".gone"))
		relay_tree_remove(day_fd, name); /* of a sweep that a crash cut short */
	if (!s->conf->partial_ms || strlen(name) != 38 || strcmp(name + 33, ".part") ||
	    fstatat(day_fd, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_mtim.tv_sec > s->now)
		return;
	age_s = (uint64_t)(s->now - st.st_mtim.tv_sec);
	if (age_s > s->conf->partial_ms / 1000) {
		sluice_info("%.32s: a part of a summary is removed, the rest has not come",
			    name + 1);
		relay_tree_remove(day_fd, name);
	}
}

static void add_entry(void *arg, int day_fd, const char *day, const char *name)
{
	struct sweep *s = arg;
	struct entry *e;
	struct stat st;
	int fd;

	if (name[0] == '.') {
		drop_partial(s, day_fd, name);
		return;
	}
	if (!sluice_wire_id_ok(name) || strlen(day) >= sizeof(e->day) || s->count == ENTRIES_MAX)
		return;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;

		e = realloc(s->at, room * sizeof(*e));
		if (!e)
			return;
		s->at = e;
		s->room = room;
	}
	fd = openat(day_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (!fstatat(fd, "summary.json", &st, AT_SYMLINK_NOFOLLOW)) {
		e = &s->at[s->count++];
		e->came = st.st_mtim.tv_sec;
		e->bytes = dir_bytes(fd);
		s->bytes += e->bytes;
		snprintf(e->day, sizeof(e->day), "%s", day);
		snprintf(e->id, sizeof(e->id), "%s", name);
	}
	close(fd);
}

static int by_age(const void *p, const void *q)
{
	const struct entry *a = p, *b = q;

	return a->came < b->came ? -1 : a->came > b->came ? 1 : strcmp(a->id, b->id);
}

static bool needs_room(const struct sweep *s, const struct relay_store *store)
{
	struct statvfs v;

	if (s->conf->size_bytes && s->bytes > s->conf->size_bytes)
		return true;
	return s->conf->free_bytes && !fstatvfs(store->fd, &v) &&
	       (uint64_t)v.f_bavail * v.f_frsize < s->conf->free_bytes;
}

static int remove_entry(const struct relay_store *store, const struct entry *e)
{
	int day = openat(store->fd, e->day, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char gone[64];
	int err = 0;

	if (day < 0)
		return -errno;
	/* A directory of its name is complete, also while it goes. */
	snprintf(gone, sizeof(gone), ".%s.gone", e->id);
	if (renameat(day, e->id, day, gone))
		err = -errno;
	else
		relay_tree_remove(day, gone);
	close(day);
	unlinkat(store->fd, e->day, AT_REMOVEDIR); /* only the last one's succeeds */
	return err;
}

unsigned int relay_retention_sweep(const struct relay_retention *r, struct relay_store *s,
				   struct relay_sinks *sinks)
{
	struct sweep w = { .conf = r, .now = (int64_t)time(NULL) };
	unsigned int removed = 0;

	if (!r)
		return 0;
	relay_tree_walk(s->fd, add_entry, &w);
	if (w.count)
		qsort(w.at, w.count, sizeof(*w.at), by_age);
	for (size_t i = 0; i < w.count; i++) {
		const struct entry *e = &w.at[i];
		bool old = r->keep_ms && e->came < w.now &&
			   (uint64_t)(w.now - e->came) > r->keep_ms / 1000;

		if (!old && !needs_room(&w, s))
			break;
		if (relay_sinks_waiting(sinks, e->id))
			continue;
		if (remove_entry(s, e))
			continue;
		w.bytes -= e->bytes;
		removed++;
	}
	free(w.at);
	if (removed)
		sluice_info("%u old summar%s removed (retention)", removed,
			    removed == 1 ? "y is" : "ies are");
	return removed;
}
