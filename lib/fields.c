// SPDX-License-Identifier: MIT
/*
 * Fields of control messages, and the fixed starts of FRAME and PART. Readers take payloads of any
 * alignment from hostile peers: every length is compared with what is left before it is used, and
 * everything that must be zero is looked at, so that a later version may give it a meaning.
 */
#include "lib/wire.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define FIELD_HEAD   8u
#define LEDGER_WORDS (4u + SLUICE_REASON_COUNT)

static uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static void store64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* Room for a field, its head written and its padding zeroed; NULL once anything went wrong. */
static uint8_t *put_field(struct sluice_wire_writer *w, uint16_t tag, size_t size)
{
	size_t padded = (size + 7) & ~(size_t)7;
	uint16_t tag_le = htole16(tag);
	uint32_t size_le = htole32((uint32_t)size);
	uint8_t *p;

	if (w->err)
		return NULL;
	if (size > SLUICE_WIRE_CONTROL_MAX || w->size - w->used < padded + FIELD_HEAD) {
		w->err = -ENOBUFS;
		return NULL;
	}
	p = w->buf + w->used;
	memcpy(p, &tag_le, sizeof(tag_le));
	memset(p + 2, 0, 2);
	memcpy(p + 4, &size_le, sizeof(size_le));
	memset(p + FIELD_HEAD + size, 0, padded - size);
	w->used += padded + FIELD_HEAD;
	return p + FIELD_HEAD;
}

void sluice_wire_put_bytes(struct sluice_wire_writer *w, uint16_t tag, const void *data,
			   size_t size)
{
	uint8_t *p = put_field(w, tag, size);

	if (p && size)
		memcpy(p, data, size);
}

void sluice_wire_put_text(struct sluice_wire_writer *w, uint16_t tag, const char *text)
{
	sluice_wire_put_bytes(w, tag, text, strlen(text));
}

void sluice_wire_put_u32(struct sluice_wire_writer *w, uint16_t tag, uint32_t value)
{
	value = htole32(value);
	sluice_wire_put_bytes(w, tag, &value, sizeof(value));
}

void sluice_wire_put_u64(struct sluice_wire_writer *w, uint16_t tag, uint64_t value)
{
	value = htole64(value);
	sluice_wire_put_bytes(w, tag, &value, sizeof(value));
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void sluice_wire_clock_now(struct sluice_wire_clock *c)
{
	c->uncertainty = UINT64_MAX;
	for (int i = 0; i < 5; i++) {
		uint64_t before = clock_ns(CLOCK_MONOTONIC);
		uint64_t real = clock_ns(CLOCK_REALTIME);
		uint64_t width = clock_ns(CLOCK_MONOTONIC) - before;

		if (width / 2 + 1 >= c->uncertainty)
			continue;
		c->monotonic = before + width / 2;
		c->realtime = real;
		c->uncertainty = width / 2 + 1;
	}
}

void sluice_wire_put_clock(struct sluice_wire_writer *w, const struct sluice_wire_clock *c)
{
	uint8_t *p = put_field(w, SLUICE_TAG_CLOCK, 24);

	if (!p)
		return;
	store64(p, c->monotonic);
	store64(p + 8, c->realtime);
	store64(p + 16, c->uncertainty);
}

void sluice_wire_put_size(struct sluice_wire_writer *w, uint32_t width, uint32_t height)
{
	uint32_t v[2] = { htole32(width), htole32(height) };

	sluice_wire_put_bytes(w, SLUICE_TAG_SIZE, v, sizeof(v));
}

void sluice_wire_put_range(struct sluice_wire_writer *w, uint64_t first, uint64_t last)
{
	uint64_t v[2] = { htole64(first), htole64(last) };

	sluice_wire_put_bytes(w, SLUICE_TAG_RANGE, v, sizeof(v));
}

void sluice_wire_put_ledger(struct sluice_wire_writer *w, const struct sluice_wire_ledger *l)
{
	uint8_t *p = put_field(w, SLUICE_TAG_LEDGER, LEDGER_WORDS * 8);

	if (!p)
		return;
	store64(p, l->delivered);
	store64(p + 8, l->pending);
	store64(p + 16, l->bytes_seen);
	store64(p + 24, l->bytes_passed);
	for (unsigned int i = 0; i < SLUICE_REASON_COUNT; i++)
		store64(p + 32 + 8 * i, l->count[i]);
}

void sluice_wire_put_media(struct sluice_wire_writer *w, uint32_t index, uint64_t size,
			   const uint8_t sha256[32], const char *name)
{
	struct sluice_wire_media m = { .index = htole32(index), .size = htole64(size) };
	size_t n = strlen(name);
	uint8_t *p = put_field(w, SLUICE_TAG_MEDIA, sizeof(m) + n);

	if (!p)
		return;
	memcpy(m.sha256, sha256, 32);
	memcpy(p, &m, sizeof(m));
	memcpy(p + sizeof(m), name, n);
}

int sluice_wire_field_next(const uint8_t *payload, uint32_t length, uint32_t *at,
			   struct sluice_wire_field *field)
{
	uint32_t left = length - *at;
	const uint8_t *p = payload + *at;
	uint32_t padded;

	if (!left)
		return 0;
	if (*at > length || left < FIELD_HEAD || load16(p + 2))
		return -EBADMSG;
	field->tag = load16(p);
	field->size = load32(p + 4);
	field->value = p + FIELD_HEAD;
	left -= FIELD_HEAD;
	if (field->size > left)
		return -EBADMSG;
	padded = (field->size + 7u) & ~7u;
	if (padded > left)
		return -EBADMSG;
	for (uint32_t i = field->size; i < padded; i++)
		if (field->value[i])
			return -EBADMSG;
	*at += FIELD_HEAD + padded;
	return 1;
}

int sluice_wire_fields_get(struct sluice_wire_fields *f, const uint8_t *payload, uint32_t length,
			   uint64_t repeated)
{
	struct sluice_wire_field field;
	uint32_t at = 0;
	int more;

	f->payload = payload;
	f->length = length;
	f->present = 0;
	while ((more = sluice_wire_field_next(payload, length, &at, &field)) > 0) {
		uint64_t bit;

		if (field.tag >= SLUICE_TAG_END || !field.tag)
			continue;
		bit = 1ull << field.tag;
		if (f->present & bit & ~repeated)
			return -EBADMSG;
		if (!(f->present & bit))
			f->field[field.tag] = field;
		f->present |= bit;
	}
	return more;
}

static const struct sluice_wire_field *find_field(const struct sluice_wire_fields *f, uint16_t tag)
{
	if (tag >= SLUICE_WIRE_TAGS || !(f->present & 1ull << tag))
		return NULL;
	return &f->field[tag];
}

/* The value of a field of exactly that size. */
static int fixed_field(const struct sluice_wire_fields *f, uint16_t tag, uint32_t size,
		       const uint8_t **value)
{
	const struct sluice_wire_field *field = find_field(f, tag);

	if (!field)
		return -ENOENT;
	if (field->size != size)
		return -EBADMSG;
	*value = field->value;
	return 0;
}

int sluice_wire_get_u32(const struct sluice_wire_fields *f, uint16_t tag, uint32_t *value)
{
	const uint8_t *p;
	int err = fixed_field(f, tag, 4, &p);

	if (!err)
		*value = load32(p);
	return err;
}

int sluice_wire_get_u64(const struct sluice_wire_fields *f, uint16_t tag, uint64_t *value)
{
	const uint8_t *p;
	int err = fixed_field(f, tag, 8, &p);

	if (!err)
		*value = load64(p);
	return err;
}

int sluice_wire_get_size(const struct sluice_wire_fields *f, uint32_t *width, uint32_t *height)
{
	const uint8_t *p;
	int err = fixed_field(f, SLUICE_TAG_SIZE, 8, &p);

	if (err)
		return err;
	*width = load32(p);
	*height = load32(p + 4);
	return 0;
}

int sluice_wire_get_range(const struct sluice_wire_fields *f, uint64_t *first, uint64_t *last)
{
	const uint8_t *p;
	int err = fixed_field(f, SLUICE_TAG_RANGE, 16, &p);

	if (err)
		return err;
	if (load64(p) > load64(p + 8))
		return -EBADMSG;
	*first = load64(p);
	*last = load64(p + 8);
	return 0;
}

int sluice_wire_get_clock(const struct sluice_wire_fields *f, struct sluice_wire_clock *c)
{
	const uint8_t *p;
	int err = fixed_field(f, SLUICE_TAG_CLOCK, 24, &p);

	if (err)
		return err;
	c->monotonic = load64(p);
	c->realtime = load64(p + 8);
	c->uncertainty = load64(p + 16);
	return 0;
}

int sluice_wire_get_ledger(const struct sluice_wire_fields *f, struct sluice_wire_ledger *l)
{
	const uint8_t *p;
	int err = fixed_field(f, SLUICE_TAG_LEDGER, LEDGER_WORDS * 8, &p);

	if (err)
		return err;
	l->delivered = load64(p);
	l->pending = load64(p + 8);
	l->bytes_seen = load64(p + 16);
	l->bytes_passed = load64(p + 24);
	for (unsigned int i = 0; i < SLUICE_REASON_COUNT; i++)
		l->count[i] = load64(p + 32 + 8 * i);
	return 0;
}

int sluice_wire_get_bytes(const struct sluice_wire_fields *f, uint16_t tag, const uint8_t **data,
			  uint32_t *size)
{
	const struct sluice_wire_field *field = find_field(f, tag);

	if (!field)
		return -ENOENT;
	*data = field->value;
	*size = field->size;
	return 0;
}

int sluice_wire_get_text(const struct sluice_wire_fields *f, uint16_t tag, char *text, size_t size)
{
	const struct sluice_wire_field *field = find_field(f, tag);

	if (!field)
		return -ENOENT;
	if (field->size >= size || memchr(field->value, 0, field->size))
		return -EBADMSG;
	memcpy(text, field->value, field->size);
	text[field->size] = 0;
	return 0;
}

static bool file_name_ok(const char *s)
{
	if (!*s || *s == '.')
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || *s == '.' || *s == '_' || *s == '-'))
			return false;
	return true;
}

int sluice_wire_media_get(const struct sluice_wire_field *field, struct sluice_wire_media_info *m)
{
	struct sluice_wire_media raw;
	size_t n;

	if (field->tag != SLUICE_TAG_MEDIA || field->size <= sizeof(raw))
		return -EBADMSG;
	memcpy(&raw, field->value, sizeof(raw));
	n = field->size - sizeof(raw);
	if (raw.reserved || n >= sizeof(m->name))
		return -EBADMSG;
	m->index = le32toh(raw.index);
	m->size = le64toh(raw.size);
	memcpy(m->sha256, raw.sha256, 32);
	memcpy(m->name, field->value + sizeof(raw), n);
	m->name[n] = 0;
	return strlen(m->name) == n && file_name_ok(m->name) ? 0 : -EBADMSG;
}

void sluice_wire_frame_put(struct sluice_wire_frame *out, const struct sluice_wire_frame_info *in)
{
	*out = (struct sluice_wire_frame){
		.epoch = htole64(in->epoch),
		.time_ns = htole64(in->time_ns),
		.format = htole32(in->format),
		.reason = htole16(in->reason),
		.flags = htole16(in->flags),
		.score = htole32(in->score),
		.event = htole32(in->event),
		.dropped = htole32(in->dropped),
		.lost = htole32(in->lost),
		.width = htole16(in->width),
		.height = htole16(in->height),
		.grid_w = htole16(in->grid_w),
		.grid_h = htole16(in->grid_h),
		.cells_size = htole32(in->cells_size),
		.settings = htole32(in->settings),
	};
}

int sluice_wire_frame_get(const uint8_t *payload, uint32_t length,
			  struct sluice_wire_frame_info *out)
{
	struct sluice_wire_frame raw;
	uint32_t left, padded;

	if (length <= sizeof(raw))
		return -EBADMSG;
	memcpy(&raw, payload, sizeof(raw));
	left = length - (uint32_t)sizeof(raw);
	*out = (struct sluice_wire_frame_info){
		.epoch = le64toh(raw.epoch),
		.time_ns = le64toh(raw.time_ns),
		.format = le32toh(raw.format),
		.reason = le16toh(raw.reason),
		.flags = le16toh(raw.flags),
		.score = le32toh(raw.score),
		.event = le32toh(raw.event),
		.dropped = le32toh(raw.dropped),
		.lost = le32toh(raw.lost),
		.width = le16toh(raw.width),
		.height = le16toh(raw.height),
		.grid_w = le16toh(raw.grid_w),
		.grid_h = le16toh(raw.grid_h),
		.cells_size = le32toh(raw.cells_size),
		.settings = le32toh(raw.settings),
	};
	if (out->cells_size && out->cells_size != ((uint32_t)out->grid_w * out->grid_h + 7u) / 8u)
		return -EBADMSG;
	padded = sluice_wire_cells_padded(out->cells_size);
	if (padded >= left || out->format != SLUICE_WIRE_JPEG || !sluice_reason_passes(out->reason))
		return -EBADMSG;
	payload += sizeof(raw);
	for (uint32_t i = out->cells_size; i < padded; i++)
		if (payload[i])
			return -EBADMSG;
	out->cells = out->cells_size ? payload : NULL;
	out->picture = payload + padded;
	out->picture_size = left - padded;
	return 0;
}

bool sluice_wire_id_ok(const char *id)
{
	return strspn(id, "0123456789abcdef") == 32 && !id[32];
}

int sluice_wire_part_get(const uint8_t *payload, uint32_t length, struct sluice_wire_part_info *p)
{
	struct sluice_wire_part raw;

	if (length <= sizeof(raw) || length - sizeof(raw) > SLUICE_WIRE_PART_MAX)
		return -EBADMSG;
	memcpy(&raw, payload, sizeof(raw));
	memcpy(p->id, raw.id, 32);
	p->id[32] = 0;
	p->index = le32toh(raw.index);
	p->offset = le64toh(raw.offset);
	p->data = payload + sizeof(raw);
	p->size = length - (uint32_t)sizeof(raw);
	return raw.reserved || !sluice_wire_id_ok(p->id) ? -EBADMSG : 0;
}

int sluice_wire_part_put(struct sluice_wire_part *out, const char *id, uint32_t index,
			 uint64_t offset)
{
	if (!sluice_wire_id_ok(id))
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	memcpy(out->id, id, 32);
	out->index = htole32(index);
	out->offset = htole64(offset);
	return 0;
}

void sluice_wire_put_partial(struct sluice_wire_writer *w, const struct sluice_wire_partial *p)
{
	struct sluice_wire_part raw;

	if (!sluice_wire_part_put(&raw, p->id, p->index, p->offset))
		sluice_wire_put_bytes(w, SLUICE_TAG_PARTIAL, &raw, sizeof(raw));
}

int sluice_wire_partial_get(const struct sluice_wire_field *field, struct sluice_wire_partial *p)
{
	struct sluice_wire_part raw;

	if (field->tag != SLUICE_TAG_PARTIAL || field->size != sizeof(raw))
		return -EBADMSG;
	memcpy(&raw, field->value, sizeof(raw));
	memcpy(p->id, raw.id, 32);
	p->id[32] = 0;
	p->index = le32toh(raw.index);
	p->offset = le64toh(raw.offset);
	return raw.reserved || !sluice_wire_id_ok(p->id) ? -EBADMSG : 0;
}
