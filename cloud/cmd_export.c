// SPDX-License-Identifier: MIT
/* cmd_export.c - an event to a file; works while the server runs. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "cloud/export.h"
#include "lib/log.h"

/* To OUT.part, which becomes OUT when it is whole. */
static int export_file(const struct sluice_shelf *s, const struct sluice_cmd_words *w,
		       const char *id, enum sluice_export_format format, const char *path,
		       struct sluice_exported *out)
{
	struct sluice_whose who = { w->tenant, NULL };
	char part[4096];
	int fd, err;

	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = sluice_export(s, &who, id, format, fd, sluice_cmd_interrupted, NULL, out);
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	if (!err && rename(part, path) < 0)
		err = -errno;
	if (err)
		unlink(part);
	return err;
}

static int export_all(const struct sluice_shelf *s, const struct sluice_cmd_words *w,
		      const char *id, const char *path, int mp4)
{
	struct sluice_exported out;
	char beside[4096];
	int err = export_file(s, w, id, mp4 ? SLUICE_EXPORT_MP4 : SLUICE_EXPORT_ZIP, path, &out);

	snprintf(beside, sizeof(beside), "%s.manifest.json", path);
	if (!err && mp4)
		err = export_file(s, w, id, SLUICE_EXPORT_MANIFEST, beside, &out);
	snprintf(beside, sizeof(beside), "%s.manifest.sig", path);
	if (!err && mp4)
		err = export_file(s, w, id, SLUICE_EXPORT_SIGNATURE, beside, &out);
	if (err == -ENOENT)
		sluice_error("no event %s of tenant %s with stored frames", id, w->tenant);
	else if (err)
		sluice_error("cannot export to %s: %s", path, strerror(-err));
	else
		fprintf(stderr, "%s: %u frames%s%s\n", path, out.frames,
			out.complete ? "" : ", of an event that goes on",
			out.missing ? "; some could not be read, the manifest names them" : "");
	return err;
}

int sluice_cmd_export(int argc, char **argv)
{
	struct sluice_shelf s = { 0 };
	const char *end;
	struct sluice_cmd_words w;
	int err = sluice_cmd_words(argc, argv, "dtk", 2, 2, &w), mp4;

	if (err)
		return err - 1;
	end = strrchr(argv[optind + 1], '.');
	mp4 = end && !strcmp(end, ".mp4");
	if (!mp4 && (!end || strcmp(end, ".zip") != 0)) {
		sluice_cmd_words_free(&w);
		return sluice_cmd_usage("export", "the file's name ends with .zip or .mp4");
	}
	umask(077);
	sluice_cmd_catch_interrupt();
	s.data = w.data;
	s.index = sluice_cmd_index(w.data);
	s.rebuild = sluice_rebuild_open();
	s.media = s.index && s.rebuild ? sluice_cmd_media(&w) : NULL;
	err = s.media ? 0 : -EIO;
	if (!err)
		err = export_all(&s, &w, argv[optind], argv[optind + 1], mp4);
	sluice_media_close(s.media);
	sluice_rebuild_close(s.rebuild);
	sluice_index_close(s.index);
	sluice_cmd_words_free(&w);
	return err ? 1 : 0;
}
