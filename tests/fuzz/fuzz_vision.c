// SPDX-License-Identifier: MIT
/*
 * What a vision endpoint answers. What must hold: no fault; what is taken has no control character,
 * no more letters than there may be, and numbers in their ranges; what is not taken has a reason.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/vision_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t most)
{
	size_t letters = 0;

	if (!*text)
		abort();
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 32 || *p == 127 || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			abort();
		letters += (*p & 0xc0) != 0x80;
	}
	if (letters > most)
		abort();
}

static void check(const struct sluice_vision_answer *a, uint32_t pictures)
{
	check_text(a->title, SLUICE_VISION_TITLE);
	check_text(a->text, SLUICE_VISION_TEXT);
	check_text(a->scene, SLUICE_VISION_SCENE);
	for (uint32_t i = 0; i < a->concern_count; i++)
		check_text(a->concern[i], SLUICE_VISION_CONCERN);
	if (!(a->confidence >= 0 && a->confidence <= 1) || a->threat > 2 || !a->evidence ||
	    a->evidence >> pictures || a->concern_count > SLUICE_VISION_CONCERNS)
		abort();
}

/* The words alone, put into a completion: most inputs get past its head only so. */
static void read_words(const uint8_t *data, size_t size, uint32_t pictures)
{
	struct sluice_vision_answer a;
	json_t *words = json_stringn((const char *)data, size), *o;
	char *text, why[200];

	if (!words)
		return;
	o = json_pack("{s:[{s:s,s:{s:o}}]}", "choices", "finish_reason", "stop", "message",
		      "content", words);
	text = json_dumps(o, 0);
	if (sluice_vision_answer_read(text, strlen(text), pictures, &a, why, sizeof(why)) ==
	    SLUICE_VISION_OK)
		check(&a, pictures);
	free(text);
	json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sluice_vision_answer a;
	uint32_t pictures = 1 + size % SLUICE_VISION_PICTURES;
	enum sluice_vision_failure f;
	char why[200];

	f = sluice_vision_answer_read((const char *)data, size, pictures, &a, why, sizeof(why));
	if ((f == SLUICE_VISION_OK) != !why[0])
		abort();
	if (f == SLUICE_VISION_OK)
		check(&a, pictures);
	read_words(data, size, pictures);
	return 0;
}
