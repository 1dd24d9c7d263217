// SPDX-License-Identifier: MIT
/* https.c - see https.h. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/https.h"

#define HEADER_MAX 400

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
	struct ctl_answer *a = arg;
	size_t n = size * count;
	char *more = n > CTL_ANSWER_MAX - a->size ? NULL : realloc(a->text, a->size + n + 1);

	if (!more)
		return 0; /* curl ends the transfer */
	a->text = more;
	memcpy(a->text + a->size, data, n);
	a->size += n;
	a->text[a->size] = 0;
	return n;
}

/* What to do about a request that found no cloud. */
static const char *advice(CURLcode rc)
{
	switch (rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_URL_MALFORMAT:
		return "; check the name in the URL";
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
		return "; does sluice-cloud run there, and does a firewall let this port through?";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "; use a name that the cloud's certificate is for (sluice-cloud init "
		       "--name), and its own ca.crt";
	default:
		return "; is it a sluice-cloud that answers at this address and port?";
	}
}

/* NULL: out of memory. */
static struct curl_slist *make_headers(const struct ctl_https *h, const char *if_match)
{
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
	char line[HEADER_MAX];

	if (list && h->token) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s", h->token);
		list = curl_slist_append(list, line);
	}
	if (list && if_match) {
		snprintf(line, sizeof(line), "If-Match: \"%s\"", if_match);
		list = curl_slist_append(list, line);
	}
	return list;
}

long ctl_https(const struct ctl *ctl, const struct ctl_https *h, const char *method,
	       const char *path, const char *body, const char *if_match, struct ctl_answer *a)
{
	struct curl_blob blob = { .data = (void *)h->ca,
				  .len = h->ca ? strlen(h->ca) : 0,
				  .flags = CURL_BLOB_NOCOPY };
	struct curl_slist *headers = make_headers(h, if_match);
	char url[512], why[CURL_ERROR_SIZE] = "";
	CURL *c = headers ? curl_easy_init() : NULL;
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	long status = -1;

	ctl_answer_free(a);
	snprintf(url, sizeof(url), "%s%s", h->base, path);
	if (c) {
		curl_easy_setopt(c, CURLOPT_URL, url);
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
		curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
		curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
		curl_easy_setopt(c, CURLOPT_TIMEOUT, 30L);
		curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
		curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
		if (h->ca) {
			curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
		} else {
			curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
			curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
		}
		if (body || strcmp(method, "GET"))
			curl_easy_setopt(c, CURLOPT_POSTFIELDS, body ? body : "");
		rc = curl_easy_perform(c);
	}
	if (rc)
		ctl_error(ctl, 0, "%s: %s%s", url, *why ? why : curl_easy_strerror(rc), advice(rc));
	else
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	return status;
}

void ctl_answer_free(struct ctl_answer *a)
{
	free(a->text);
	*a = (struct ctl_answer){ 0 };
}

const char *ctl_answer_why(const struct ctl_answer *a, json_t **o)
{
	const char *why;

	*o = a->text ? json_loads(a->text, 0, NULL) : NULL;
	why = json_string_value(json_object_get(*o, "detail"));
	if (!why)
		why = json_string_value(json_object_get(*o, "title"));
	return why ? why : "no reason given";
}

bool ctl_https_url(const struct ctl *ctl, const char *text, char *url, size_t size)
{
	size_t n;

	if (strncmp(text, "https://", 8)) {
		ctl_error(ctl, 0, "the URL begins with https://");
		return false;
	}
	snprintf(url, size, "%s", text);
	for (n = strlen(url); n && url[n - 1] == '/'; n--)
		url[n - 1] = 0;
	return true;
}

bool ctl_token_read(const struct ctl *ctl, const char *path, char *token, size_t size)
{
	FILE *f = fopen(path, "re");

	token[0] = 0;
	if (f && fgets(token, (int)size, f))
		token[strcspn(token, " \r\n")] = 0;
	if (!token[0])
		ctl_error(ctl, 0, "cannot read a token from %s: %s", path,
			  f ? "it is empty" : strerror(errno));
	if (f)
		fclose(f);
	return token[0] != 0;
}
