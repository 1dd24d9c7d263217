// SPDX-License-Identifier: MIT
/*
 * The fault script: parsing, and what a fault does to the bytes of a frame.
 *
 * Faults of the payloads (headers, URBs) are carried out where payloads are made; here is the table
 * that names them all. Nothing here is random between runs: the same script gives the same bytes.
 */
#include "tools/camsim/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct fault_name {
	const char *name;
	uint32_t value, max;
	const char *help;
} names[FAULT_KINDS] = {
	[FAULT_TRUNC] = { "trunc", 50, 99, "cut the frame to VALUE % (50)" },
	[FAULT_RANDOM] = { "random", 0, ROLL_FRAME_MAX, "VALUE random bytes (0: all)" },
	[FAULT_SIZE] = { "size", 0, 0, "another picture size: half width and height" },
	[FAULT_PAD] = { "pad", 512, 1 << 20, "VALUE zeros behind the frame (512)" },
	[FAULT_OVER] = { "over", 1000, 1 << 20, "VALUE bytes more than the buffer holds (1000)" },
	[FAULT_ERR] = { "err", 0, 0, "error bit in the payload headers" },
	[FAULT_HLEN] = { "hlen", 0, 255, "payload header length VALUE (0)" },
	[FAULT_NOEOF] = { "noeof", 0, 0, "end-of-frame bit missing" },
	[FAULT_NOFID] = { "nofid", 0, 0, "frame ID bit not toggled" },
	[FAULT_EMPTY] = { "empty", 0, 0, "a header without data" },
	[FAULT_SILENT] = { "silent", 1500, 3600000, "VALUE ms of silence before the frame (1500)" },
	[FAULT_URBSTATUS] = { "urbstatus", 71, 4095, "a URB ends with errno VALUE (71)" },
	[FAULT_PKTSTATUS] = { "pktstatus", 18, 4095, "--iso: a packet ends with errno VALUE (18)" },
	[FAULT_DETACH] = { "detach", 0, 3600000, "unplug before the frame; replug after VALUE ms" },
	[FAULT_CUTOFF] = { "cutoff", 0, 3600000, "unplug inside the frame; replug after VALUE ms" },
	[FAULT_STALL] = { "stall", 0, 0, "stall commit number FRAME" },
	[FAULT_STALLPROBE] = { "stallprobe", 0, 0, "stall probe number FRAME" },
};

void fault_print_help(FILE *to)
{
	for (int i = 0; i < FAULT_KINDS; i++)
		fprintf(to, "    %-11s %s\n", names[i].name, names[i].help);
}

static int parse_number(const char **text, uint64_t max, uint64_t *value)
{
	char *end;

	if (**text < '0' || **text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(*text, &end, 10);
	if (errno || *value > max)
		return -EINVAL;
	*text = end;
	return 0;
}

/* One "name:frame[:value]"; @text is left behind it. */
static int parse_fault(const char **text, struct fault *fault)
{
	size_t n = strcspn(*text, ":,");
	uint64_t value;
	int i = 0;

	while (i < FAULT_KINDS && (strlen(names[i].name) != n || memcmp(names[i].name, *text, n)))
		i++;
	if (i == FAULT_KINDS || (*text)[n] != ':')
		return -EINVAL;
	*text += n + 1;
	*fault = (struct fault){ i, 0, names[i].value, false };
	if (parse_number(text, UINT64_MAX / 2, &fault->frame))
		return -EINVAL;
	if (**text == ':') {
		++*text;
		if (parse_number(text, names[i].max, &value))
			return -EINVAL;
		fault->value = value;
	}
	return 0;
}

int fault_parse(struct fault_list *list, const char *text, char *why, size_t why_size)
{
	uint32_t count = list->count;

	for (const char *at = text;; at++) {
		const char *from = at;

		if (count == FAULTS_MAX) {
			snprintf(why, why_size, "more than %d faults", FAULTS_MAX);
			return -EINVAL;
		}
		if (parse_fault(&at, &list->items[count]) || (*at && *at != ',')) {
			snprintf(why, why_size, "fault '%.*s' is not NAME:FRAME[:VALUE]",
				 (int)strcspn(from, ","), from);
			return -EINVAL;
		}
		count++;
		if (!*at)
			break;
	}
	list->count = count;
	return 0;
}

bool fault_take(struct fault_list *list, enum fault_kind kind, uint64_t frame, uint32_t *value)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct fault *fault = &list->items[i];

		if (fault->done || fault->kind != kind || fault->frame != frame)
			continue;
		fault->done = true;
		*value = fault->value;
		return true;
	}
	return false;
}

void fault_collect(struct fault_list *list, uint64_t frame, struct fault_set *set)
{
	*set = (struct fault_set){ 0 };
	for (int kind = 0; kind < FAULT_STALL; kind++) {
		if (kind == FAULT_SILENT || kind == FAULT_DETACH)
			continue;
		while (fault_take(list, kind, frame, &set->value[kind])) {
			set->mask |= 1u << kind;
			set->times[kind]++;
		}
	}
}

void fault_describe(const struct fault_set *set, char *text, size_t size)
{
	size_t at = 0;

	text[0] = 0;
	for (int i = 0; i < FAULT_KINDS && at < size; i++)
		if (set->mask >> i & 1)
			at += snprintf(text + at, size - at, "%s%s", at ? "+" : "", names[i].name);
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Halves the size that the JPEG's frame header tells. */
static void shrink_jpeg(uint8_t *data, size_t size)
{
	for (size_t at = 2; at + 9 <= size && data[at] == 0xff && data[at + 1] != 0xda;) {
		if (data[at + 1] >= 0xc0 && data[at + 1] <= 0xc2) {
			for (int i = 5; i < 9; i += 2) {
				uint32_t side = (data[at + i] << 8 | data[at + i + 1]) / 2;

				data[at + i] = side >> 8;
				data[at + i + 1] = side & 0xff;
			}
			return;
		}
		at += 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
	}
}

static void fill_random(uint8_t *data, size_t size, uint32_t count, uint64_t seed)
{
	size_t from = 0;

	if (count && count < size) {
		from = (size - count) / 2;
		size = count;
	}
	for (size_t i = 0; i < size; i++)
		data[from + i] = next_random(&seed);
}

int fault_apply(const struct fault_set *set, enum roll_format format, uint32_t size_max,
		uint64_t seed, const uint8_t *data, size_t size, struct fault_bytes *bytes)
{
	const uint32_t changed = 1u << FAULT_TRUNC | 1u << FAULT_RANDOM | 1u << FAULT_SIZE |
				 1u << FAULT_PAD | 1u << FAULT_OVER | 1u << FAULT_EMPTY;
	size_t room = size + size_max + (2u << 20), copied = size;

	bytes->data = data;
	bytes->size = size;
	if (!(set->mask & changed))
		return 0;
	if (bytes->room < room) {
		uint8_t *more = realloc(bytes->scratch, room);

		if (!more)
			return -ENOMEM;
		bytes->scratch = more;
		bytes->room = room;
	}
	memcpy(bytes->scratch, data, size);
	if (set->mask >> FAULT_SIZE & 1) {
		if (format == ROLL_MJPEG)
			shrink_jpeg(bytes->scratch, size);
		else
			size /= 4;
	}
	if (set->mask >> FAULT_RANDOM & 1)
		fill_random(bytes->scratch, size, set->value[FAULT_RANDOM], seed);
	if (set->mask >> FAULT_TRUNC & 1)
		size = size * set->value[FAULT_TRUNC] / 100;
	copied = size;
	if (set->mask >> FAULT_PAD & 1)
		size += set->value[FAULT_PAD];
	if (set->mask >> FAULT_OVER & 1)
		size = (size > size_max ? size : size_max) + set->value[FAULT_OVER];
	memset(bytes->scratch + copied, 0, size - copied);
	if (set->mask >> FAULT_EMPTY & 1)
		size = 0;
	bytes->data = bytes->scratch;
	bytes->size = size;
	return 0;
}
