// SPDX-License-Identifier: MIT
/* fetch.c - see fetch.h. Any answer but 200 is a failure, with the words of the cloud. */
#include "tools/try/fetch.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_S 60L

/* 0 or -1; what came goes to out in any case. */
static int get(struct fetch *f, const char *path, FILE *out)
{
	char url[512], bearer[300], error[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers;
	CURL *c = curl_easy_init();
	long status = 0;
	CURLcode rc;

	snprintf(url, sizeof(url), "https://127.0.0.1:%s%s", f->port, path);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", f->token);
	headers = curl_slist_append(NULL, bearer);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_CAINFO, f->ca);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, WAIT_S);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
	rc = c && headers ? curl_easy_perform(c) : CURLE_OUT_OF_MEMORY;
	if (rc == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK)
		snprintf(f->why, sizeof(f->why), "%.150s: %.200s", path,
			 error[0] ? error : curl_easy_strerror(rc));
	else if (status != 200)
		snprintf(f->why, sizeof(f->why), "%.150s is answered with %ld", path, status);
	return status == 200 ? 0 : -1;
}

json_t *fetch_json(struct fetch *f, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int err = out ? get(f, path, out) : -1;
	json_t *o = NULL;

	if (out && fclose(out))
		err = -1;
	if (!err) {
		o = json_loadb(text, size, 0, NULL);
		if (!o)
			snprintf(f->why, sizeof(f->why), "%.150s: no JSON", path);
	} else if (!out) {
		snprintf(f->why, sizeof(f->why), "out of memory");
	}
	free(text);
	return o;
}

int fetch_file(struct fetch *f, const char *path, const char *to)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int err;

	if (!out) {
		snprintf(f->why, sizeof(f->why), "%.300s: %s", to, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	err = get(f, path, out);
	if (fclose(out) && !err) {
		snprintf(f->why, sizeof(f->why), "%.300s: %s", to, strerror(errno));
		err = -1;
	}
	return err;
}
