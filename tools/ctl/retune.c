// SPDX-License-Identifier: MIT
/*
 * retune.c - what the cloud proposes for the gates of cameras, and what becomes of it. All of it is
 * the cloud's (docs/api.md, Retuning); here it is asked, by somebody who has a token of its API.
 *
 * A camera is named by its name where only one has it, by DEVICE/NAME, or by its id.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/https.h"

static const char usage[] = "usage: sluicectl retune [list|show|look|apply|rollback CAMERA|mode "
			    "CAMERA MODE] --cloud URL --token-file FILE [--ca FILE]";

struct retune {
	struct ctl *ctl;
	struct ctl_https cloud;
	struct ctl_answer answer;
	char url[400], token[256];
	char *ca;
	const char *if_version;
	json_t *cameras; /* as the cloud lists them */
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* A request that must be answered with an object. NULL: it is not, and that is printed. */
static json_t *ask(struct retune *r, const char *method, const char *path, const char *body,
		   const char *if_match)
{
	long status = ctl_https(r->ctl, &r->cloud, method, path, body, if_match, &r->answer);
	json_t *o = NULL, *problem;

	if (status < 0)
		return NULL;
	if (status == 200 && r->answer.text)
		o = json_loads(r->answer.text, 0, NULL);
	if (json_is_object(o))
		return o;
	json_decref(o);
	if (status == 412)
		ctl_error(r->ctl, 0,
			  "it is no longer version %s; look at it again: sluicectl "
			  "retune show",
			  if_match);
	else if (status == 401)
		ctl_error(r->ctl, 0,
			  "the cloud does not know this token; make one there: "
			  "sluice-cloud apitoken");
	if (status != 412 && status != 401) {
		ctl_error(r->ctl, 0, "the cloud refused (%ld): %s", status,
			  ctl_answer_why(&r->answer, &problem));
		json_decref(problem);
	}
	return NULL;
}

/* ---- cameras ---- */

static bool read_cameras(struct retune *r)
{
	json_t *o = ask(r, "GET", "/v1/cameras", NULL, NULL);

	r->cameras = json_incref(json_object_get(o, "cameras"));
	json_decref(o);
	if (o && !r->cameras)
		ctl_error(r->ctl, 0, "%s has no list of cameras; is it a sluice-cloud?", r->url);
	return r->cameras != NULL;
}

static bool is_called(const json_t *camera, const char *word)
{
	const char *device = text_of(camera, "device"), *name = text_of(camera, "name");
	size_t n = strlen(device);

	return !strcmp(word, text_of(camera, "id")) || !strcmp(word, name) ||
	       (!strncmp(word, device, n) && word[n] == '/' && !strcmp(word + n + 1, name));
}

/* Borrowed; NULL: there is none, or more than one, and that is printed. */
static const json_t *find_camera(struct retune *r, const char *word)
{
	const json_t *found = NULL, *c;
	size_t i;

	if (!read_cameras(r))
		return NULL;
	json_array_foreach (r->cameras, i, c) {
		if (!is_called(c, word))
			continue;
		if (found) {
			ctl_error(r->ctl, 0, "several cameras are called %s; say DEVICE/%s", word,
				  word);
			return NULL;
		}
		found = c;
	}
	if (!found)
		ctl_error(r->ctl, 0,
			  "the cloud has no camera '%s' that this token may see; 'sluicectl "
			  "retune' lists them",
			  word);
	return found;
}

/* ---- what is printed ---- */

static void print_entry(const char *title, const json_t *e)
{
	if (!json_is_object(e))
		return;
	printf("  %-9s %s%s%s: %s%s\n", title, text_of(e, "at"), *text_of(e, "by") ? " by " : "",
	       text_of(e, "by"), text_of(e, "why"),
	       json_is_true(json_object_get(e, "can_go_back")) ? " It can go back." : "");
}

static json_int_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* All of one camera; takes standing. */
static int show(struct retune *r, const json_t *camera, json_t *standing)
{
	const json_t *counts = json_object_get(standing, "counts");

	if (!standing)
		return CTL_FAILED;
	if (r->ctl->json) {
		ctl_print_json(json_pack("{s:O,s:O,s:O,s:o}", "camera",
					 json_object_get(camera, "id"), "device",
					 json_object_get(camera, "device"), "name",
					 json_object_get(camera, "name"), "retune", standing));
		return CTL_OK;
	}
	printf("%s/%s\n", text_of(camera, "device"), text_of(camera, "name"));
	printf("  %-9s %s%s, version %lld\n", "mode", text_of(standing, "effective_mode"),
	       json_is_null(json_object_get(standing, "mode")) ? " (of the node)" : "",
	       (long long)number_of(standing, "version"));
	printf("  %-9s %lld openings, %lld of them for nothing; %lld samples, %lld of them missed; "
	       "in %lld days\n",
	       "counted", (long long)number_of(counts, "openings"),
	       (long long)number_of(counts, "nothing"), (long long)number_of(counts, "samples"),
	       (long long)number_of(counts, "missed"), (long long)number_of(counts, "days"));
	print_entry("proposed", json_object_get(standing, "proposal"));
	print_entry("applied", json_object_get(standing, "applied"));
	if (*text_of(standing, "left_alone"))
		printf("  %-9s %s\n", "left", text_of(standing, "left_alone"));
	json_decref(standing);
	return CTL_OK;
}

/* A line of one camera. */
static void print_line(const json_t *camera, const json_t *standing)
{
	const json_t *proposal = json_object_get(standing, "proposal");
	const json_t *applied = json_object_get(standing, "applied");
	const char *what = "nothing is proposed", *why = "";
	char name[80];

	if (*text_of(standing, "left_alone")) {
		what = "left alone: ";
		why = text_of(standing, "left_alone");
	} else if (json_is_object(proposal)) {
		what = "proposed: ";
		why = text_of(proposal, "why");
	} else if (json_is_true(json_object_get(applied, "can_go_back"))) {
		what = "applied: ";
		why = text_of(applied, "why");
	}
	snprintf(name, sizeof(name), "%s/%s", text_of(camera, "device"), text_of(camera, "name"));
	printf("%-24s %-8s %s%s\n", name, text_of(standing, "effective_mode"), what, why);
}

/* ---- commands ---- */

static void write_path(char path[128], const json_t *camera, const char *behind)
{
	snprintf(path, 128, "/v1/cameras/%.32s/retune%s", text_of(camera, "id"), behind);
}

static int list(struct retune *r)
{
	int rc = read_cameras(r) ? CTL_OK : CTL_FAILED;
	json_t *standing;
	const json_t *c;
	char path[128];
	size_t i;

	if (!rc && !r->ctl->json)
		printf("%-24s %-8s %s\n", "CAMERA", "MODE", "GATE");
	json_array_foreach (r->cameras, i, c) {
		write_path(path, c, "");
		standing = ask(r, "GET", path, NULL, NULL);
		if (!standing) {
			rc = CTL_FAILED;
		} else if (r->ctl->json) {
			show(r, c, standing);
		} else {
			print_line(c, standing);
			json_decref(standing);
		}
	}
	return rc;
}

/* argv: the command's word, CAMERA, and of mode the mode. */
static int change(struct retune *r, int argc, char **argv)
{
	static const struct {
		const char *word, *method, *behind;
		int words;
	} ways[] = { { "show", "GET", "", 2 },
		     { "look", "POST", "/look", 2 },
		     { "apply", "POST", "/apply", 2 },
		     { "rollback", "POST", "/rollback", 2 },
		     { "mode", "PUT", "", 3 } };
	const size_t n = sizeof(ways) / sizeof(ways[0]);
	const json_t *camera;
	char path[128], body[64];
	size_t i = 0;

	while (i < n && strcmp(ways[i].word, argv[0]))
		i++;
	if (i == n || argc != ways[i].words)
		return ctl_error(r->ctl, CTL_USAGE, "%s", usage);
	if (argc == 3 && strcmp(argv[2], "off") && strcmp(argv[2], "propose") &&
	    strcmp(argv[2], "apply") && strcmp(argv[2], "node"))
		return ctl_error(r->ctl, CTL_USAGE,
				 "MODE is off, propose, apply, or node for that of the node");
	camera = find_camera(r, argv[1]);
	if (!camera)
		return CTL_FAILED;
	if (argc == 3 && !strcmp(argv[2], "node"))
		snprintf(body, sizeof(body), "{\"mode\":null}");
	else
		snprintf(body, sizeof(body), "{\"mode\":\"%s\"}", argc == 3 ? argv[2] : "");
	write_path(path, camera, ways[i].behind);
	return show(r, camera,
		    ask(r, ways[i].method, path, argc == 3 ? body : NULL, r->if_version));
}

/* The whole file; NULL: it is not there, and that is printed. */
static char *read_ca(const struct ctl *ctl, const char *path)
{
	char *text = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "re");
	ssize_t n = f ? getdelim(&text, &room, 0, f) : -1;

	if (n <= 0) {
		ctl_error(ctl, 0,
			  "cannot read %s; --ca names the cloud's ca.crt, which 'sluicectl enrol' "
			  "writes and a cloud has in its data directory",
			  path);
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

int ctl_retune(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "cloud", 1, NULL, 'c' },
						 { "token-file", 1, NULL, 't' },
						 { "ca", 1, NULL, 'a' },
						 { "if-version", 1, NULL, 'v' },
						 { 0 } };
	const char *url = NULL, *token = NULL, *ca = "/etc/sluice/ca.crt";
	struct retune r = { .ctl = ctl };
	int64_t version;
	int c, rc = CTL_FAILED;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:t:a:v:", options, NULL)) != -1) {
		if (c == 'v' && !ctl_number(optarg, 0, INT64_MAX, &version))
			return ctl_error(ctl, CTL_USAGE, "--if-version is a number, as show tells");
		if (c == 'c')
			url = optarg;
		else if (c == 't')
			token = optarg;
		else if (c == 'a')
			ca = optarg;
		else if (c == 'v')
			r.if_version = optarg;
		else
			return CTL_USAGE;
	}
	if (!url || !token)
		return ctl_error(ctl, CTL_USAGE, "%s", usage);
	if (!ctl_https_url(ctl, url, r.url, sizeof(r.url)))
		return CTL_USAGE;
	if (!ctl_token_read(ctl, token, r.token, sizeof(r.token)))
		return CTL_FAILED;
	r.ca = read_ca(ctl, ca);
	if (!r.ca)
		return CTL_FAILED;
	r.cloud = (struct ctl_https){ r.url, r.ca, r.token };
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (optind == argc || (optind + 1 == argc && !strcmp(argv[optind], "list")))
		rc = list(&r);
	else
		rc = change(&r, argc - optind, argv + optind);
	curl_global_cleanup();
	explicit_bzero(r.token, sizeof(r.token));
	ctl_answer_free(&r.answer);
	json_decref(r.cameras);
	free(r.ca);
	return rc;
}
