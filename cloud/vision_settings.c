// SPDX-License-Identifier: MIT
/* vision_settings.c - [vision] of cloud.conf as vision.h wants it, and what is wrong with it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cloud/conf.h"
#include "cloud/confline.h"
#include "cloud/vision.h"
#include "cloud/vision_call.h"

_Static_assert(sizeof(((struct sluice_vision_settings *)0)->key) == SLUICE_CONF_LINE,
	       "a key is a line");

static int wrong(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return -EINVAL;
}

static int read_money(const struct sluice_cloud_conf *c, struct sluice_vision_limits *l, char *why,
		      size_t size)
{
	static const char form[] = "is a decimal number, as 0.15: of your currency";

	l->hour_calls = c->vision.calls_per_hour;
	l->day_calls = c->vision.calls_per_day;
	l->day_money = UINT64_MAX;
	if (sluice_vision_money(c->vision.price_in, &l->price_in) ||
	    sluice_vision_money(c->vision.price_out, &l->price_out)) {
		snprintf(why, size,
			 "[vision] price_in and price_out: each %s, for a million tokens", form);
		return -EINVAL;
	}
	if (!c->vision.money_per_day[0])
		return 0;
	if (sluice_vision_money(c->vision.money_per_day, &l->day_money)) {
		snprintf(why, size, "[vision] money_per_day %s", form);
		return -EINVAL;
	}
	if (!l->price_in && !l->price_out)
		return wrong(why, size,
			     "[vision] money_per_day needs price_in and price_out, what a million "
			     "tokens cost");
	return 0;
}

/* It goes into a header as it is. */
static int check_key(const char *key, char *why, size_t size)
{
	for (const char *p = key; *p; p++)
		if (*p <= ' ' || *p > '~')
			return wrong(
				why, size,
				"the key in the file that [vision] key_file names has a letter "
				"that no key has");
	return 0;
}

int sluice_vision_settings_read(const struct sluice_cloud_conf *c, struct sluice_vision_settings *s,
				char *why, size_t why_size)
{
	int err;

	memset(s, 0, sizeof(*s));
	why[0] = 0;
	if (!c->vision.enabled)
		return 1;
	*s = (struct sluice_vision_settings){
		.url = c->vision.url,
		.ca = c->vision.ca,
		.model = c->vision.model,
		.cameras = c->vision.cameras,
		.timeout_ms = (unsigned int)c->vision.timeout_ms,
		.language = c->vision.language,
		.format = c->vision.format,
		.tokens = c->vision.answer_tokens,
		.pictures = c->vision.pictures,
		.side = c->vision.side,
		.threat = c->vision.threat,
	};
	if (!s->url[0])
		return wrong(why, why_size,
			     "[vision] url is missing; write https://HOST/v1/chat/completions");
	err = sluice_vision_url_check(s->url, c->vision.plain_http, why, why_size);
	if (err)
		return err;
	if (!s->model[0])
		return wrong(why, why_size, "[vision] model is missing: its name at the endpoint");
	if (!s->cameras[0])
		return wrong(why, why_size,
			     "[vision] cameras is missing: whose pictures may go to the endpoint; "
			     "* for all, or names");
	if (s->ca[0] && access(s->ca, R_OK)) {
		snprintf(why, why_size, "cannot read %s, which [vision] ca names: %s", s->ca,
			 strerror(errno));
		return -EINVAL;
	}
	if (c->vision.key_file[0])
		err = sluice_conf_line("[vision] key_file", c->vision.key_file, 1, s->key, why,
				       why_size);
	if (!err)
		err = check_key(s->key, why, why_size);
	return err ? err : read_money(c, &s->limits, why, why_size);
}

bool sluice_vision_wants(const char *cameras, const struct sluice_camera *c)
{
	char all[SLUICE_NAME_MAX + 4];
	size_t n;

	snprintf(all, sizeof(all), "%s/*", c->tenant);
	for (; *cameras; cameras += n) {
		cameras += strspn(cameras, ", ");
		n = strcspn(cameras, ", ");
		if ((n == 1 && *cameras == '*') ||
		    (n == strlen(all) && !strncmp(cameras, all, n)) ||
		    (n == strlen(c->name) && !strncmp(cameras, c->name, n)) ||
		    (n == strlen(c->hex) && !strncmp(cameras, c->hex, n)))
			return n > 0;
	}
	return false;
}
