// SPDX-License-Identifier: MIT
/* session_rig.c - see session_rig.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/sha.h>

#include "cloud/auth.h"
#include "cloud/segment.h"
#include "tests/unit/check.h"
#include "tests/unit/session_rig.h"

struct cloud session_cloud;

uint64_t session_u64(struct uplink *u, uint16_t tag)
{
	uint64_t value = UINT64_MAX;

	sluice_wire_get_u64(&u->f, tag, &value);
	return value;
}

uint64_t session_camera(struct uplink *u, uint64_t epoch)
{
	uplink_camera(u, 1, "door", epoch);
	CHECK(uplink_expect(u, SLUICE_MSG_OPENED, 5));
	CHECK(u->m.slot == 1 && session_u64(u, SLUICE_TAG_EPOCH) == epoch);
	return session_u64(u, SLUICE_TAG_RESUME);
}

void session_stored(struct uplink *u, uint64_t sequence)
{
	while (u->stored <= sequence)
		if (!uplink_next(u, 5))
			break;
	CHECK(u->stored > sequence);
}

int session_summary(struct uplink *u, char id[33])
{
	struct sluice_wire_media_info media[2];
	struct sluice_wire_field field;
	struct sluice_wire_part_info part;
	uint8_t digest[32], *data[2];
	uint64_t have[2] = { 0 };
	uint32_t at = 0, n = 0, i;

	if (!uplink_expect(u, SLUICE_MSG_SUMMARY, 5))
		return 0;
	CHECK(!sluice_wire_get_text(&u->f, SLUICE_TAG_ID, id, 33));
	while (sluice_wire_field_next(u->m.payload, u->m.length, &at, &field) > 0)
		if (field.tag == SLUICE_TAG_MEDIA && n < 2)
			CHECK(!sluice_wire_media_get(&field, &media[n++]));
	CHECK(n == 2 && !strcmp(media[0].name, "key-1.jpg") && media[1].size == 100000);
	for (i = 0; i < n; i++)
		data[i] = malloc(media[i].size);
	while (n == 2 && (have[0] < media[0].size || have[1] < media[1].size)) {
		if (!uplink_expect(u, SLUICE_MSG_PART, 5))
			break;
		CHECK(!sluice_wire_part_get(u->m.payload, u->m.length, &part));
		CHECK(!strcmp(part.id, id) && part.index < 2);
		if (part.index >= 2 || part.offset != have[part.index] ||
		    part.size > media[part.index].size - part.offset) {
			CHECK(!"a PART that fits");
			break;
		}
		memcpy(data[part.index] + part.offset, part.data, part.size);
		have[part.index] += part.size;
	}
	for (i = 0; i < n; i++) {
		SHA256(data[i], media[i].size, digest);
		CHECK(have[i] == media[i].size && !memcmp(digest, media[i].sha256, 32));
		free(data[i]);
	}
	return 1;
}

struct sluice_index *session_index(void)
{
	struct sluice_index *ix = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/index.db", session_cloud.data);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	return ix;
}

int session_has(uint64_t epoch, uint64_t sequence, size_t size)
{
	struct sluice_index *ix = session_index();
	struct sluice_segment_frame f = { 0 };
	struct sluice_index_frame row;
	struct sluice_camera c;
	uint8_t *buf = NULL, *sent = malloc(size);
	char path[192], full[512];
	int ok;

	CHECK(!sluice_camera_init(&c, SLUICE_TENANT, "box1", "door"));
	ok = !ix->ops->frame_find(ix, c.id, epoch, sequence, &row, path);
	if (ok) {
		snprintf(full, sizeof(full), "%s/%s", session_cloud.data, path);
		ok = !sluice_segment_read(full, NULL, row.offset, row.length, &f, &buf);
	}
	uplink_picture(sent, size, epoch, sequence, 64, 48);
	ok = ok && f.jpeg_size == size && !memcmp(f.jpeg, sent, size) && f.sequence == sequence;
	free(buf);
	free(sent);
	sluice_index_close(ix);
	return ok;
}

void session_close_tells(uint64_t epoch)
{
	struct uplink u;
	char id[33];

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(session_camera(&u, epoch) == 0);
	uplink_frame(&u, 1, epoch, 0, MOTION, 300);
	uplink_end(&u, 1, epoch, 2000000000);
	CHECK(session_summary(&u, id));
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_ack(&u, id);
	uplink_close(&u);
}
