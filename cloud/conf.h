/* SPDX-License-Identifier: MIT */
/*
 * conf.h - what the cloud node was told: cloud.conf, the environment and the command line.
 *
 * A key is one row of the table in conf.c, a member here, and a paragraph in cloud.conf(5). A value
 * comes from, in rising order: the table's default, "[section] key = value" of the file, the
 * variable SLUICE_CLOUD_SECTION_KEY, an option. Secrets are never values: keys name files.
 */
#ifndef SLUICE_CLOUD_CONF_H
#define SLUICE_CLOUD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLUICE_CLOUD_CONF_FILE "/etc/sluice/cloud.conf"
#define SLUICE_CLOUD_CONF_KEYS 128

/* From which role on people must have a second factor; in the order of the words in conf.c. */
enum sluice_totp_wanted {
	SLUICE_TOTP_OPTIONAL,
	SLUICE_TOTP_ADMIN,
	SLUICE_TOTP_OPERATOR,
	SLUICE_TOTP_ALL,
};

/* Where the files of summaries lie; in the order of the words in conf.c. */
enum sluice_media_backend {
	SLUICE_MEDIA_DIRECTORY,
	SLUICE_MEDIA_S3,
};

/* Likewise the segments: stored frames. */
enum sluice_segments_place {
	SLUICE_SEGMENTS_DIRECTORY,
	SLUICE_SEGMENTS_BUCKET, /* that of the media */
};

/* Where the index lies; in the order of the words in conf.c. */
enum sluice_index_backend {
	SLUICE_INDEX_SQLITE,
	SLUICE_INDEX_POSTGRESQL,
};

/* What of a node a process is; in the order of the words in conf.c. */
enum sluice_part {
	SLUICE_PART_ALL,
	SLUICE_PART_INGEST, /* devices: stores what they send, delivers what is told */
	SLUICE_PART_WORKER, /* analyses; retention and jobs */
	SLUICE_PART_API,    /* people */
};

/* What carries chunks to the workers; in the order of the words in conf.c. */
enum sluice_bus_backend {
	SLUICE_BUS_LOCAL,
	SLUICE_BUS_NATS,
};

enum sluice_conf_origin {
	SLUICE_CONF_DEFAULT,
	SLUICE_CONF_FILE,
	SLUICE_CONF_ENVIRONMENT,
	SLUICE_CONF_OPTION,
};

/* Texts are "" if nothing was said; they and the rest die with sluice_cloud_conf_free(). */
struct sluice_cloud_conf {
	struct {
		const char *data, *listen, *port_file;
		uint64_t drain_ms;
		unsigned int loops; /* event loops; 0: one for each core */
		unsigned int role;  /* enum sluice_part */
		const char *node;   /* its name among those on the same data */
	} server;
	struct {
		unsigned int backend; /* enum sluice_bus_backend */
		const char *urls, *ca, *certificate, *key;
		unsigned int partitions; /* of live lanes */
		uint64_t lease_ms;
	} bus;
	struct {
		unsigned int connections, connections_per_address, connections_per_device;
		unsigned int rate, burst; /* new connections of an address, a second and at once */
		unsigned int half_open;	  /* connections without a handshake */
		uint64_t handshake_ms, request_ms, idle_ms;
		uint64_t credit;	      /* bytes that a device may have under way */
		unsigned int frames, control; /* of a device, a second */
		uint64_t bytes;		      /* of frames of a device, a second */
		unsigned int cameras;	      /* that a device has open at once */
	} limits;
	struct {
		const char *listen, *terminated, *from, *certificate;
	} proxy;
	struct {
		uint64_t device_life_ms;  /* of devices' certificates */
		uint64_t session_idle_ms; /* a session that is not used ends after */
		uint64_t session_life_ms; /* and one that is used after */
		unsigned int tries;	  /* passwords that may be wrong without a wait */
		uint64_t lockout_ms;	  /* the longest wait */
		unsigned int scrypt_cost; /* log2 of N, of new hashes */
		unsigned int totp;	  /* enum sluice_totp_wanted */
	} auth;
	struct {
		uint64_t events_ms, summaries_ms; /* 0: never */
		uint64_t max_size, keep_free;	  /* bytes; 0: any */
	} retention;
	struct {
		unsigned int backend; /* enum sluice_index_backend */
		const char *host, *database, *user, *password_file, *schema;
		const char *sslmode, *ca, *certificate, *key;
		unsigned int port;
		uint64_t timeout_ms; /* of a call */
	} index;
	struct {
		unsigned int backend; /* enum sluice_media_backend */
		const char *endpoint, *region, *bucket, *prefix;
		const char *key_id_file, *secret_file, *ca;
		uint64_t timeout_ms;   /* of a call, tries included */
		unsigned int segments; /* enum sluice_segments_place */
		uint64_t group_ms;     /* in the bucket: that a group of frames waits for more */
		uint64_t group_size;   /* ... and bytes of one camera that are enough */
	} media;
	struct {
		const char *key_file, *key_command, *old_key_file, *old_key_command;
	} encryption;
	struct {
		bool enabled;
		const char *h264; /* path of ffmpeg; "": none */
	} digests;
	struct {
		bool hour, day;	       /* are told by themselves */
		uint64_t wait_ms;      /* after its end */
		unsigned int seconds;  /* of synopsis, at most */
		unsigned int language; /* 0 English, 1 Chinese */
	} periods;
	struct {
		unsigned int mode;	  /* enum sluice_retune_mode */
		unsigned int least, most; /* percent of the threshold that a map may make of it */
	} retune;
	struct {
		unsigned int at_once;
	} jobs;
	struct {
		bool enabled, plain_http;
		const char *url, *model, *key_file, *ca, *cameras;
		unsigned int language; /* 0 English, 1 Chinese */
		unsigned int format;   /* enum sluice_vision_format */
		uint64_t timeout_ms;   /* of a call */
		unsigned int answer_tokens, pictures, side, threat;
		unsigned int calls_per_hour, calls_per_day;
		const char *money_per_day, *price_in, *price_out; /* "0.15"; "": any */
	} vision;
	struct {
		bool enabled;
		unsigned int children; /* of live frames, and as many of back-fill; 0: cores */
		uint64_t memory;       /* bytes of each */
		uint64_t deadline_ms;  /* of one frame */
	} sandbox;
	struct {
		const char *plugin, *config; /* paths; "": none */
		unsigned int min_score;	     /* hundredths */
		uint64_t deadline_ms;	     /* of an event */
		uint64_t memory;	     /* bytes of its process */
	} detector;
	struct {
		unsigned int level, format; /* enum sluice_log_level; 0 text, 1 json */
	} log;
	const char *path; /* of the file that was read, NULL: none */
	uint8_t origin[SLUICE_CLOUD_CONF_KEYS];
	struct sluice_conf *file; /* holds the texts */
};

/* What the command line says. */
struct sluice_conf_said {
	const char *option, *section, *key, *value; /* "--listen", "server", "listen", ... */
};

/*
 * path: of the file; NULL: SLUICE_CLOUD_CONF_FILE if it is there and no option names a data
 * directory, else none. 0, or -errno with a sentence in why (c is empty then).
 */
int sluice_cloud_conf_read(struct sluice_cloud_conf *c, const char *path,
			   const struct sluice_conf_said *said, size_t count, char *why,
			   size_t why_size);
/* NULL-safe, and safe on an empty one. */
void sluice_cloud_conf_free(struct sluice_cloud_conf *c);

/* Of each row of the table: its place, value as it was written, origin, and whether SIGHUP takes it
 * over. Stops when fn returns other than 0, and returns that. */
struct sluice_conf_row {
	const char *section, *key, *value;
	enum sluice_conf_origin origin;
	bool reload;
};
int sluice_cloud_conf_each(const struct sluice_cloud_conf *c,
			   int (*fn)(void *ctx, const struct sluice_conf_row *row), void *ctx);

/* The keys of `now` that differ from `old` and need a restart, as "[section] key, ..." in text;
 * returns how many. */
unsigned int sluice_cloud_conf_fixed(const struct sluice_cloud_conf *old,
				     const struct sluice_cloud_conf *now, char *text, size_t size);

#endif
