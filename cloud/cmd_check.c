// SPDX-License-Identifier: MIT
/*
 * cmd_check.c - sluice-cloud run --check: every setting and where it comes from, then whether the
 * node could start with it. Nothing is changed; a node may be running on the same data meanwhile,
 * which then holds lock and port, and that is said and no fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "cloud/busconf.h"
#include "cloud/ca.h"
#include "cloud/cage.h"
#include "cloud/cmd.h"
#include "cloud/conf.h"
#include "cloud/detector.h"
#include "cloud/door.h"
#include "cloud/keyconf.h"
#include "cloud/indexconf.h"
#include "cloud/people.h"
#include "cloud/people_pg.h"
#include "cloud/mediaconf.h"
#include "cloud/server.h"
#include "cloud/vision.h"
#include "lib/io.h"
#include "lib/tls.h"

#define EXPIRY_WARN_S (14 * 86400)

enum verdict { OK, NOTE, WRONG };

struct report {
	const struct sluice_cloud_conf *c;
	json_t *keys, *checks;
	bool json, running;
	unsigned int wrong;
};

__attribute__((format(printf, 4, 5))) static void tell(struct report *r, const char *what,
						       enum verdict v, const char *format, ...)
{
	static const char *const words[] = { "ok", "note", "wrong" };
	char text[700];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	r->wrong += v == WRONG;
	if (r->json)
		json_array_append_new(r->checks, json_pack("{s:s,s:s,s:s}", "check", what, "result",
							   words[v], "text", text));
	else
		printf("%-6s %-12s %s\n", words[v], what, text);
}

static int show_key(void *ctx, const struct sluice_conf_row *row)
{
	static const char *const origins[] = { "default", "file", "environment", "option" };
	struct report *r = ctx;
	char name[64];

	snprintf(name, sizeof(name), "[%s] %s", row->section, row->key);
	if (r->json)
		json_array_append_new(r->keys,
				      json_pack("{s:s,s:s,s:s,s:s,s:b}", "section", row->section,
						"key", row->key, "value", row->value, "from",
						origins[row->origin], "reload", row->reload));
	else
		printf("%-32s = %-24s (%s)\n", name, row->value, origins[row->origin]);
	return 0;
}

/* ---- what is looked at ---- */

static void check_data(struct report *r)
{
	const char *data = r->c->server.data;
	struct statvfs fs;
	struct stat st;

	if (stat(data, &st)) {
		tell(r, "data", WRONG, "%s: %s; make it with: sluice-cloud init --data %s", data,
		     strerror(errno), data);
		return;
	}
	if (!S_ISDIR(st.st_mode))
		tell(r, "data", WRONG, "%s is no directory", data);
	else if (st.st_mode & 077)
		tell(r, "data", WRONG, "others may enter %s; say: chmod 700 %s", data, data);
	else if (access(data, R_OK | W_OK | X_OK))
		tell(r, "data", WRONG, "%s: %s; it must belong to the user that runs the node",
		     data, strerror(errno));
	else if (statvfs(data, &fs))
		tell(r, "data", WRONG, "%s: %s", data, strerror(errno));
	else
		tell(r, "data", OK, "%s, %llu MiB free", data,
		     (unsigned long long)fs.f_bavail * fs.f_frsize >> 20);
}

static void check_lock(struct report *r)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", r->c->server.data);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return; /* never started */
	r->running = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	if (r->running)
		tell(r, "lock", NOTE, "a sluice-cloud is running on this data");
	close(fd);
}

static void check_keys(struct report *r)
{
	char cert[4096], key[4096], ca[4096], why[512];
	const struct sluice_tls_config tls = { .server = true, .cert = cert, .key = key, .ca = ca };
	struct sluice_tls_ctx *ctx;
	struct sluice_ca *authority;
	long long left;
	int err = sluice_ca_open(r->c->server.data, &authority);

	if (err)
		tell(r, "authority", WRONG, "%s/ca.key and ca.crt: %s", r->c->server.data,
		     err == -EACCES ? "others may read the key" : strerror(-err));
	else
		tell(r, "authority", OK, "pin %s", sluice_ca_pin(authority));
	sluice_ca_close(authority);
	snprintf(cert, sizeof(cert), "%s/server.crt", r->c->server.data);
	snprintf(key, sizeof(key), "%s/server.key", r->c->server.data);
	snprintf(ca, sizeof(ca), "%s/ca.crt", r->c->server.data);
	ctx = sluice_tls_ctx_open(&tls, &err, why, sizeof(why));
	if (!ctx) {
		tell(r, "certificate", WRONG, "%s", why);
		return;
	}
	left = sluice_tls_ctx_expiry(ctx) - (long long)time(NULL);
	if (left < 0)
		tell(r, "certificate", WRONG, "%s has expired", cert);
	else
		tell(r, "certificate", left < EXPIRY_WARN_S ? NOTE : OK, "%s, good for %lld days",
		     cert, left / 86400);
	sluice_tls_ctx_close(ctx);
}

static void check_base(struct report *r, const char *name)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", r->c->server.data, name);
	if (stat(path, &st))
		tell(r, name, WRONG, "%s: %s", path, strerror(errno));
	else if (access(path, R_OK | W_OK))
		tell(r, name, WRONG, "%s: %s", path, strerror(errno));
	else
		tell(r, name, OK, "%lld KiB", (long long)st.st_size >> 10);
}

static void check_address(struct report *r, const char *what, const char *listen)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd, on = 1;

	if (sluice_listen_address(listen, &addr, &len)) {
		tell(r, what, WRONG, "'%s' is not ADDRESS:PORT", listen);
		return;
	}
	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&addr, len))
		tell(r, what, OK, "%s is free", listen);
	else if (errno == EADDRINUSE && r->running)
		tell(r, what, NOTE, "%s is in use, which the running node explains", listen);
	else
		tell(r, what, WRONG, "%s: %s", listen, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* As listen.c wants it. */
static void check_proxy(struct report *r)
{
	const struct sluice_cloud_conf *c = r->c;
	struct sluice_prefixes from;
	char bad[48];

	if (sluice_prefixes_read(c->proxy.from, &from, bad))
		tell(r, "proxy from", WRONG, "'%s' is not ADDRESS or ADDRESS/BITS", bad);
	else if ((c->proxy.listen[0] || c->proxy.terminated[0]) && !from.count)
		tell(r, "proxy from", WRONG, "the addresses that proxies come from are missing");
	if (c->proxy.listen[0])
		check_address(r, "proxy listen", c->proxy.listen);
	if (!c->proxy.terminated[0])
		return;
	check_address(r, "terminated", c->proxy.terminated);
	if (!c->proxy.certificate[0])
		tell(r, "proxy", WRONG, "[proxy] certificate is missing: the proxies' own");
	else if (access(c->proxy.certificate, R_OK))
		tell(r, "proxy", WRONG, "%s: %s", c->proxy.certificate, strerror(errno));
	else
		tell(r, "proxy", OK, "%s is asked of proxies", c->proxy.certificate);
}

/* Are the keys of a sealed store there? */
static void check_seal(struct report *r)
{
	const struct sluice_cloud_conf *c = r->c;
	const struct sluice_keyconf keys = { c->encryption.key_file, c->encryption.key_command,
					     c->encryption.old_key_file,
					     c->encryption.old_key_command };
	struct sluice_keyring ring;

	if (sluice_keyconf_read(&keys, &ring)) /* it has said what is wrong */
		tell(r, "encryption", WRONG, "a key of [encryption] cannot be read");
	else if (ring.count)
		tell(r, "encryption", OK, "%zu %s", ring.count, ring.count > 1 ? "keys" : "key");
	sluice_keyring_clear(&ring);
}

/* Can summaries be put where they are to go? A directory is made by init. */
static void check_media(struct report *r)
{
	const struct sluice_cloud_conf *c = r->c;
	char why[SLUICE_S3_WHY];
	struct sluice_media *m;
	int err = sluice_mediaconf_open(c, c->server.data, NULL, &m, why);

	if (!err)
		err = sluice_mediaconf_check(m, why);
	if (err)
		tell(r, "media", m && sluice_mediaconf_passes(err) ? NOTE : WRONG, "%s", why);
	else if (c->media.backend == SLUICE_MEDIA_S3)
		tell(r, "media", OK, "bucket %s of %s%s", c->media.bucket, c->media.endpoint,
		     m->depot ? ", frames too" : "");
	else
		tell(r, "media", OK, "%s/media", c->server.data);
	sluice_media_close(m);
}

/* Users and devices, by what [index] says. */
static void check_people(struct report *r)
{
	const struct sluice_pg_config *pg = sluice_indexconf_pg();
	const char *data = r->c->server.data;
	struct sluice_auth *auth = NULL;
	char why[SLUICE_PG_WHY];
	int err;

	if (!pg && sluice_people_elsewhere(data)) {
		tell(r, "people", WRONG,
		     "%s/people.elsewhere says that users and devices lie in PostgreSQL: fill in "
		     "[index]",
		     data);
	} else if (!pg) {
		check_base(r, "auth.db");
	} else if (sluice_people_left(data)) {
		tell(r, "people", WRONG,
		     "users and devices are in %s/auth.db still; bring them to PostgreSQL: "
		     "sluice-cloud migrate-index --config FILE",
		     data);
	} else {
		err = sluice_auth_pg_open(pg, &auth, why);
		tell(r, "people",
		     !err			   ? OK
		     : sluice_index_pg_passes(err) ? NOTE
						   : WRONG,
		     "%s", err ? why : "users and devices lie beside the index");
		sluice_auth_close(auth);
	}
}

/* Can the index be used where it is said to lie? */
static void check_index(struct report *r)
{
	const struct sluice_pg_config *pg;
	struct sluice_index *ix = NULL;
	char why[SLUICE_PG_WHY];
	int err = sluice_indexconf_use(r->c, why);

	pg = sluice_indexconf_pg();
	if (!err && !pg) {
		if (sluice_indexconf_elsewhere(r->c->server.data))
			tell(r, "index", WRONG,
			     "%s/index.elsewhere says that it lies in PostgreSQL: fill in [index], "
			     "or remove that file and make it again: sluice-cloud rebuild-index",
			     r->c->server.data);
		check_base(r, "index.db");
		check_people(r);
		return;
	}
	if (!err)
		err = sluice_index_pg_open(pg, &ix, why);
	if (err)
		tell(r, "index", sluice_index_pg_passes(err) ? NOTE : WRONG, "%s", why);
	else
		tell(r, "index", OK, "schema %s of %s at %s", r->c->index.schema,
		     r->c->index.database, r->c->index.host);
	sluice_index_close(ix);
	check_people(r);
	sluice_indexconf_clear();
}

/* Nothing is asked of the endpoint: that would cost. */
static void check_vision(struct report *r)
{
	struct sluice_vision_settings s;
	char why[512];
	int err = sluice_vision_settings_read(r->c, &s, why, sizeof(why));

	if (err < 0)
		tell(r, "vision", WRONG, "%s", why);
	else if (!err)
		tell(r, "vision", OK, "%s of %s is asked about cameras %s%s", s.model, s.url,
		     s.cameras, s.key[0] ? "" : ", without a key");
	explicit_bzero(&s, sizeof(s));
}

/* Can the broker be used, where there is one, and is it made ready? */
static void check_bus(struct report *r)
{
	struct sluice_cameras *cameras = NULL;
	struct sluice_bus *bus = NULL;
	char why[SLUICE_BUS_WHY];
	int err = sluice_busconf_fits(r->c, why);

	if (!err && r->c->bus.backend == SLUICE_BUS_LOCAL)
		return;
	if (!err) {
		cameras = sluice_cameras_open();
		err = cameras ? sluice_busconf_open(r->c, "check", cameras, &bus, why) : -ENOMEM;
	}
	if (err)
		tell(r, "bus", err == -ECONNREFUSED ? NOTE : WRONG, "%s", why);
	else
		tell(r, "bus", OK, "%u partitions at %s", r->c->bus.partitions, r->c->bus.urls);
	sluice_bus_close(bus);
	sluice_cameras_close(cameras);
}

/* Can the detector be loaded, and what is it? It is never the reason why a node does not start. */
static void check_h264(struct report *r)
{
	const char *program = r->c->digests.h264;

	if (!*program)
		return;
	if (*program != '/')
		tell(r, "h264", WRONG, "[digests] h264 is a whole path: /usr/bin/ffmpeg");
	else if (access(program, X_OK))
		tell(r, "h264", WRONG, "%s: %s; install ffmpeg, or leave [digests] h264 empty",
		     program, strerror(errno));
	else
		tell(r, "h264", OK, "%s", program);
}

static void check_detector(struct report *r)
{
	const struct sluice_cloud_conf *c = r->c;
	const struct sluice_detector_config config = sluice_detector_of(c);
	struct sluice_detector_report d;

	if (!c->detector.plugin[0])
		return;
	if (sluice_detector_try(&config, &d))
		tell(r, "detector", WRONG, "%s: %s", c->detector.plugin, d.why);
	else
		tell(r, "detector", OK,
		     "%s: %u classes (%s%s), pictures of %u pixels, %u in a call, loaded in %u "
		     "ms%s",
		     d.ready.name, d.ready.class_count, d.first_class,
		     d.ready.class_count > 1 ? ", ..." : "", d.ready.side, d.ready.batch_max,
		     d.ready.load_ms,
		     sluice_cage_landlock()
			     ? ""
			     : "; this kernel has no Landlock: while it is loaded it "
			       "can read what this user can");
}

static void check_kernel(struct report *r)
{
	char why[256];
	int err;
	struct sluice_io *io = sluice_io_open(NULL, &err, why, sizeof(why));

	if (io)
		tell(r, "kernel", OK, "io_uring can be used");
	else
		tell(r, "kernel", WRONG, "%s", why);
	sluice_io_close(io);
}

int sluice_cmd_check(const struct sluice_cloud_conf *c, bool json)
{
	struct report r = { .c = c, .json = json };
	json_t *all;

	if (json) {
		r.keys = json_array();
		r.checks = json_array();
	} else {
		printf("settings file: %s\n", c->path ? c->path : "none");
	}
	sluice_cloud_conf_each(c, show_key, &r);
	check_data(&r);
	check_lock(&r);
	check_keys(&r);
	check_index(&r);
	check_address(&r, "listen", c->server.listen);
	check_proxy(&r);
	check_seal(&r);
	check_media(&r);
	check_vision(&r);
	check_bus(&r);
	check_h264(&r);
	check_detector(&r);
	check_kernel(&r);
	if (json) {
		all = json_pack("{s:s*,s:o,s:o,s:b}", "file", c->path, "settings", r.keys, "checks",
				r.checks, "ok", !r.wrong);
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(all);
	} else if (r.wrong) {
		printf("%u of these must be put right first\n", r.wrong);
	} else {
		puts("the node can start with these settings");
	}
	return r.wrong ? 1 : 0;
}
