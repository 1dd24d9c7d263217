// SPDX-License-Identifier: MIT
/* play_print.c - what a run told, for people who look for a reason. */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>

void play_print(const struct play *p)
{
	for (u32 i = 0; i < p->summaries; i++) {
		const json_t *o = p->summary[i], *t;
		size_t k;

		printf("    %.2f..%.2f %s%s peak %d: %s\n",
		       json_number_value(json_object_get(o, "start_s")),
		       json_number_value(json_object_get(o, "end_s")),
		       json_string_value(json_object_get(o, "reason")),
		       json_is_true(json_object_get(o, "nuisance")) ? " nuisance" : "",
		       (int)json_integer_value(json_object_get(o, "peak_objects")),
		       json_string_value(json_object_get(o, "title")));
		json_array_foreach (json_object_get(o, "tracks"), k, t) {
			const json_t *boxes = json_object_get(t, "boxes");
			char *a = json_dumps(json_array_get(boxes, 0), 0);
			char *b = json_dumps(json_array_get(boxes, json_array_size(boxes) - 1), 0);

			printf("      track %d %s %.2f..%.2f %s..%s, %zu boxes %s .. %s\n",
			       (int)json_integer_value(json_object_get(t, "id")),
			       json_string_value(json_object_get(t, "class")),
			       json_number_value(json_object_get(t, "start_s")),
			       json_number_value(json_object_get(t, "end_s")),
			       json_string_value(json_object_get(t, "enter")),
			       json_string_value(json_object_get(t, "leave")),
			       json_array_size(boxes), a, b);
			free(a);
			free(b);
		}
	}
}
