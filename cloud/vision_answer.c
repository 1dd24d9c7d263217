// SPDX-License-Identifier: MIT
/*
 * vision_answer.c - see vision_answer.h.
 *
 * The completion is read as what it is known to be: its first choice, which must have ended by
 * itself ("stop"), its message's content, a text. In that text must lie one JSON object of exactly
 * the members that were asked for. A model that wraps it in other words has not done what it was
 * asked for, and is not guessed at.
 */
#include "cloud/vision_answer.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MEMBERS	   7
#define TOKENS_MAX 10000000 /* of a call; more is no number to be charged */

const char *const sluice_vision_failures[SLUICE_VISION_FAILURES] = {
	"ok",	  "connect", "tls",	  "timeout",   "redirect", "key",	"rate",
	"status", "type",    "too_large", "malformed", "refused",  "truncated", "invalid",
};

struct reader {
	char *why;
	size_t why_size;
};

static enum sluice_vision_failure fail(const struct reader *r, enum sluice_vision_failure f,
				       const char *why)
{
	snprintf(r->why, r->why_size, "%s", why);
	return f;
}

/* ---- letters ---- */

/* The letter at *at, which jansson has seen to be whole UTF-8. */
static uint32_t next_letter(const unsigned char **at)
{
	const unsigned char *p = *at;
	uint32_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	uint32_t letter = n == 1 ? *p : *p & (0x7fu >> n);

	for (uint32_t i = 1; i < n; i++)
		letter = letter << 6 | (p[i] & 0x3fu);
	*at = p + n;
	return letter;
}

/* Controls, what turns the direction of text, marks that nobody sees, and no letters at all. */
static bool is_forbidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ||
	       (c >= 0xe000 && c < 0xf900) || (c >= 0xe0000);
}

/* A line of 1..most letters that has more than blanks, into out. */
static bool take_text(const json_t *v, uint32_t most, char *out)
{
	const char *text = json_string_value(v);
	const unsigned char *at = (const unsigned char *)text;
	uint32_t letters = 0;
	bool blank = true;

	if (!text || strlen(text) != json_string_length(v))
		return false;
	while (*at) {
		uint32_t c = next_letter(&at);

		if (is_forbidden(c) || ++letters > most)
			return false;
		blank &= c == ' ' || c == 0xa0 || c == 0x3000;
	}
	if (blank)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

/* ---- the JSON that was asked for ---- */

static bool take_concerns(const json_t *list, struct sluice_vision_answer *a)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > SLUICE_VISION_CONCERNS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!take_text(json_array_get(list, i), SLUICE_VISION_CONCERN, a->concern[i]))
			return false;
	a->concern_count = (uint32_t)n;
	return true;
}

static bool take_evidence(const json_t *list, uint32_t pictures, struct sluice_vision_answer *a)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || !n || n > pictures)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		json_int_t at = json_integer_value(v);

		if (!json_is_integer(v) || at < 1 || at > (json_int_t)pictures ||
		    a->evidence & 1u << (at - 1))
			return false;
		a->evidence |= 1u << (at - 1);
	}
	return true;
}

static bool take_numbers(const json_t *o, struct sluice_vision_answer *a)
{
	const json_t *confidence = json_object_get(o, "confidence");
	const json_t *threat = json_object_get(o, "threat_level");
	double c = json_number_value(confidence);

	if (!json_is_number(confidence) || !(c >= 0 && c <= 1) || !json_is_integer(threat) ||
	    json_integer_value(threat) < 0 || json_integer_value(threat) > 2)
		return false;
	a->confidence = c;
	a->threat = (uint32_t)json_integer_value(threat);
	return true;
}

/* NULL, or which member is not as it was asked for. */
static const char *take_members(const json_t *o, uint32_t pictures, struct sluice_vision_answer *a)
{
	if (!json_is_object(o))
		return "the model's answer is no JSON object; does this model know "
		       "response_format? "
		       "See [vision] format";
	if (json_object_size(o) != MEMBERS)
		return "the model's answer has other members than those asked for";
	if (!take_text(json_object_get(o, "title"), SLUICE_VISION_TITLE, a->title))
		return "the model's title is missing, too long or not plain text";
	if (!take_text(json_object_get(o, "text"), SLUICE_VISION_TEXT, a->text))
		return "the model's text is missing, too long or not plain text";
	if (!take_text(json_object_get(o, "scene"), SLUICE_VISION_SCENE, a->scene))
		return "the model's scene is missing, too long or not plain text";
	if (!take_numbers(o, a))
		return "the model's confidence is not 0..1, or its threat_level not 0, 1 or 2";
	if (!take_concerns(json_object_get(o, "concerns"), a))
		return "the model's concerns are missing, too many, too long or not plain text";
	if (!take_evidence(json_object_get(o, "evidence"), pictures, a))
		return "the model's evidence names no picture, or one that it was not given";
	return NULL;
}

/* ---- the completion around it ---- */

static bool take_count(const json_t *o, const char *key, uint64_t *out)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > TOKENS_MAX)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}

static enum sluice_vision_failure read_content(const struct reader *r, const json_t *message,
					       uint32_t pictures, struct sluice_vision_answer *a)
{
	const json_t *content = json_object_get(message, "content");
	const char *wrong;
	json_t *o;

	if (json_string_length(json_object_get(message, "refusal")))
		return fail(r, SLUICE_VISION_REFUSED, "the model refuses");
	if (!json_is_string(content))
		return fail(r, SLUICE_VISION_MALFORMED, "the completion's message has no text");
	o = json_loadb(json_string_value(content), json_string_length(content),
		       JSON_REJECT_DUPLICATES, NULL);
	wrong = take_members(o, pictures, a);
	json_decref(o);
	return wrong ? fail(r, SLUICE_VISION_INVALID, wrong) : SLUICE_VISION_OK;
}

static enum sluice_vision_failure read_completion(const struct reader *r, const json_t *o,
						  uint32_t pictures, struct sluice_vision_answer *a)
{
	const json_t *choice = json_array_get(json_object_get(o, "choices"), 0);
	const json_t *usage = json_object_get(o, "usage");
	const char *end = json_string_value(json_object_get(choice, "finish_reason"));

	a->metered = take_count(usage, "prompt_tokens", &a->tokens_in) &&
		     take_count(usage, "completion_tokens", &a->tokens_out);
	if (!json_is_object(choice) || !end)
		return fail(r, SLUICE_VISION_MALFORMED,
			    "it is no chat completion; [vision] url must be the whole address, as "
			    "https://HOST/v1/chat/completions");
	if (!strcmp(end, "length"))
		return fail(r, SLUICE_VISION_TRUNCATED,
			    "the model was cut off; raise [vision] answer_tokens");
	if (!strcmp(end, "content_filter"))
		return fail(r, SLUICE_VISION_REFUSED, "a filter at the endpoint took the answer");
	if (strcmp(end, "stop") != 0)
		return fail(r, SLUICE_VISION_MALFORMED,
			    "the completion ended for a reason that is not known here");
	return read_content(r, json_object_get(choice, "message"), pictures, a);
}

enum sluice_vision_failure sluice_vision_answer_read(const char *body, size_t size,
						     uint32_t pictures,
						     struct sluice_vision_answer *a, char *why,
						     size_t why_size)
{
	const struct reader r = { why, why_size };
	enum sluice_vision_failure f;
	json_t *o;

	memset(a, 0, sizeof(*a));
	if (why_size)
		why[0] = 0;
	if (size > SLUICE_VISION_BODY)
		return fail(&r, SLUICE_VISION_LARGE, "the answer is larger than 256 KiB");
	o = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
	if (!o)
		return fail(&r, SLUICE_VISION_MALFORMED,
			    "the answer is no JSON; [vision] url must be the whole address, as "
			    "https://HOST/v1/chat/completions");
	f = read_completion(&r, o, pictures, a);
	json_decref(o);
	return f;
}
