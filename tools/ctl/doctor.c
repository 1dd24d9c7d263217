// SPDX-License-Identifier: MIT
/*
 * doctor.c - looks at every thing that a working device needs, in the order a frame meets them, and
 * says of each what is wrong and what to do. Changes nothing. Exit code 1 if something is missing.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <liburing.h>
#include <linux/videodev2.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include <sluice/control.h>

#include "lib/conf.h"
#include "lib/setting.h"
#include "tools/ctl/ctl.h"

enum verdict { GOOD, ODD, BAD };

struct report {
	const struct ctl *ctl;
	json_t *list;
	int bad;
};

static void __attribute__((format(printf, 4, 5)))
tell(struct report *r, enum verdict v, const char *what, const char *format, ...)
{
	static const char *const word[] = { "ok", "note", "missing" };
	static const char *const colour[] = { "\033[32m", "\033[33m", "\033[31m" };
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	r->bad += v == BAD;
	if (r->list)
		json_array_append_new(r->list, json_pack("{s:s,s:s,s:s}", "check", what, "verdict",
							 word[v], "text", text));
	else
		printf("%s%-8s%s %-12s %s\n", r->ctl->colour ? colour[v] : "", word[v],
		       r->ctl->colour ? "\033[0m" : "", what, text);
}

static void check_kernel(struct report *r)
{
	struct utsname u;
	char path[200];
	int major = 0, minor = 0;

	uname(&u);
	if (sscanf(u.release, "%d.%d", &major, &minor) != 2 || major < 6 ||
	    (major == 6 && minor < 1))
		tell(r, BAD, "kernel", "%s is older than 6.1, which Sluice needs", u.release);
	else
		tell(r, GOOD, "kernel", "%s", u.release);
	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", u.release);
	if (access(path, R_OK))
		tell(r, ODD, "headers",
		     "no headers of this kernel, so the module cannot be built here; "
		     "apt-get install linux-headers-%s",
		     u.release);
	else
		tell(r, GOOD, "headers", "of this kernel are installed");
}

static void check_module(struct report *r)
{
	struct nl_sock *s = nl_socket_alloc();
	int family = s && !genl_connect(s) ? genl_ctrl_resolve(s, SLUICE_GENL_NAME) : -1;

	if (s)
		nl_socket_free(s);
	if (family >= 0)
		tell(r, GOOD, "module", "sluice is loaded");
	else
		tell(r, BAD, "module",
		     "sluice is not loaded: 'modprobe sluice' or 'insmod build/kmod/sluice.ko' as "
		     "root");
	if (geteuid())
		tell(r, ODD, "rights", "attach and set need CAP_NET_ADMIN: run them as root");
}

static int is_video(const struct dirent *d)
{
	return !strncmp(d->d_name, "video", 5);
}

static void check_camera(struct report *r, const char *name, int *usable)
{
	struct v4l2_capability cap = { 0 };
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		tell(r, BAD, "camera", "%s: %s%s", path, strerror(errno),
		     errno == EACCES ? "; add the user to group video" : "");
		return;
	}
	if (!ioctl(fd, VIDIOC_QUERYCAP, &cap) && cap.device_caps & V4L2_CAP_VIDEO_CAPTURE) {
		(*usable)++;
		if (cap.device_caps & V4L2_CAP_STREAMING)
			tell(r, GOOD, "camera", "%s: %s (%s)", path, cap.card, cap.driver);
		else
			tell(r, ODD, "camera", "%s: %s cannot stream", path, cap.card);
	}
	close(fd);
}

static void check_cameras(struct report *r)
{
	struct dirent **names;
	int n = scandir("/dev", &names, is_video, versionsort), usable = 0;

	for (int i = 0; i < n; i++) {
		check_camera(r, names[i]->d_name, &usable);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (!usable)
		tell(r, BAD, "camera",
		     "no capture device that can be opened; is the camera plugged in and its "
		     "driver "
		     "loaded?");
}

static void check_uring(struct report *r)
{
	struct io_uring ring;
	int err = io_uring_queue_init(8, &ring, 0);

	if (err) {
		tell(r, BAD, "io_uring",
		     "%s; the relay needs it (sysctl kernel.io_uring_disabled=0, no seccomp filter "
		     "against it)",
		     strerror(-err));
		return;
	}
	io_uring_queue_exit(&ring);
	tell(r, GOOD, "io_uring", "works");
}

static void check_key(struct report *r, const char *dir)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/device.key", dir);
	if (stat(path, &st))
		tell(r, BAD, "key", "%s: %s; run 'sluicectl enrol'", path, strerror(errno));
	else if (st.st_mode & 077)
		tell(r, BAD, "key", "%s can be read by others: chmod 600", path);
	else
		tell(r, GOOD, "key", "%s", path);
}

static void check_certificate(struct report *r, const char *dir)
{
	char path[512];
	int days = 0, seconds = 0;
	X509 *x = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/device.crt", dir);
	f = fopen(path, "re");
	if (f) {
		x = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
	}
	if (!f)
		tell(r, BAD, "certificate", "%s: %s; run 'sluicectl enrol URL --token T'", path,
		     strerror(errno));
	else if (!x)
		tell(r, BAD, "certificate", "%s is not a certificate; enrol again", path);
	else if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)))
		tell(r, BAD, "certificate", "%s has no valid end", path);
	else if (days < 0 || seconds < 0)
		tell(r, BAD, "certificate", "%s expired %d days ago; enrol again", path, -days);
	else
		tell(r, days < 14 ? ODD : GOOD, "certificate", "%s, good for %d days", path, days);
	X509_free(x);
}

static size_t drop(char *data, size_t size, size_t count, void *arg)
{
	return size * count;
}

static void check_cloud(struct report *r, const char *dir, const char *url)
{
	char path[3][512], full[512], why[CURL_ERROR_SIZE] = "";
	static const char *const name[] = { "ca.crt", "device.crt", "device.key" };
	CURL *c = curl_easy_init();
	long status = 0;
	CURLcode rc;

	for (int i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name[i]);
	snprintf(full, sizeof(full), "%s/healthz", url);
	curl_easy_setopt(c, CURLOPT_URL, full);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_CAINFO, path[0]);
	curl_easy_setopt(c, CURLOPT_SSLCERT, path[1]);
	curl_easy_setopt(c, CURLOPT_SSLKEY, path[2]);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 10L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	if (rc)
		tell(r, BAD, "cloud",
		     "%s: %s; does sluice-cloud run there, is the certificate its own, and does a "
		     "firewall let this port through?",
		     url, *why ? why : curl_easy_strerror(rc));
	else if (status != 200)
		tell(r, BAD, "cloud", "%s/healthz answers %ld; is it a sluice-cloud?", url, status);
	else
		tell(r, GOOD, "cloud", "%s answers", url);
}

static void check_state(struct report *r, const char *state)
{
	struct statvfs v;

	if (access(state, W_OK)) {
		tell(r, BAD, "state", "%s: %s; make it and give it to the relay's user", state,
		     strerror(errno));
		return;
	}
	if (!statvfs(state, &v) && (uint64_t)v.f_bavail * v.f_frsize < (256u << 20))
		tell(r, ODD, "state", "%s has less than 256 MiB free", state);
	else
		tell(r, GOOD, "state", "%s", state);
}

/* What the relay's file lets the cloud do, as it will be read; wrong values are the relay's to
 * name. */
static void check_cloud_may(struct report *r, const char *path)
{
	char why[256], set[400] = "";
	struct sluice_conf *c;
	const char *allow;
	size_t n = 0;
	int err;

	if (access(path, F_OK))
		return; /* the relay runs without one, and then with its defaults */
	c = sluice_conf_open(path, &err, why, sizeof(why));
	if (!c) {
		tell(r, BAD, "settings", "%s", why);
		return;
	}
	for (size_t i = 0; i < SLUICE_SETTING_NAMES + 2; i++) {
		const char *name = i < SLUICE_SETTING_NAMES    ? sluice_setting_names[i].name
				   : i == SLUICE_SETTING_NAMES ? "zones"
							       : "ignore";
		const char *bounds = sluice_conf_text(c, "settings", name, NULL);

		if (bounds && n < sizeof(set))
			n += (size_t)snprintf(set + n, sizeof(set) - n, "%s%s %s", n ? ", " : "",
					      name, bounds);
	}
	allow = sluice_conf_text(c, "commands", "allow", "describe, snapshot");
	tell(r, GOOD, "cloud may", "ask for %s; set %s (%s)", allow[0] ? allow : "none",
	     set[0] ? set : "nothing", path);
	sluice_conf_close(c);
}

int ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "dir", 1, NULL, 'd' },
						 { "cloud", 1, NULL, 'c' },
						 { "state", 1, NULL, 's' },
						 { "config", 1, NULL, 'f' },
						 { 0 } };
	const char *dir = "/etc/sluice", *cloud = NULL, *state = "/var/lib/sluice";
	const char *config = "/etc/sluice/relay.conf";
	struct report r = { .ctl = ctl };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "d:c:s:f:", options, NULL)) != -1) {
		if (c == 'd')
			dir = optarg;
		else if (c == 'c')
			cloud = optarg;
		else if (c == 's')
			state = optarg;
		else if (c == 'f')
			config = optarg;
		else
			return CTL_USAGE;
	}
	if (optind != argc)
		return ctl_error(ctl, CTL_USAGE,
				 "usage: sluicectl doctor [--dir DIR] [--cloud URL] [--state DIR] "
				 "[--config FILE]");
	if (ctl->json)
		r.list = json_array();
	check_kernel(&r);
	check_module(&r);
	check_cameras(&r);
	check_uring(&r);
	check_state(&r, state);
	check_key(&r, dir);
	check_certificate(&r, dir);
	check_cloud_may(&r, config);
	if (cloud)
		check_cloud(&r, dir, cloud);
	else
		tell(&r, ODD, "cloud", "not asked; give --cloud https://HOST:PORT to try it");
	if (ctl->json) {
		json_t *o = json_pack("{s:i,s:i,s:o}", "version", 1, "missing", r.bad, "checks",
				      r.list);

		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(o);
	}
	return r.bad ? CTL_FAILED : CTL_OK;
}
