// SPDX-License-Identifier: MIT
/*
 * test_session_kill.c - a device against a cloud whose disk is full, or that is killed by kill -9
 * at every step of a commit: what was acknowledged is there, and what was not comes again. The
 * analysis is the double of analysis_script.c.
 */
#include <signal.h>
#include <string.h>

#include "cloud/ingest.h"
#include "cloud/recover.h"
#include "tests/unit/check.h"
#include "tests/unit/session_rig.h"

/* It answers those who ask how it is. */
static int is_up(void)
{
	char answer[1024] = "";
	struct uplink u;

	CHECK(!uplink_dial(&u, &session_cloud, NULL));
	uplink_http(&u, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer,
		    sizeof(answer) - 1);
	uplink_close(&u);
	return !strncmp(answer, "HTTP/1.1 200 ", 13);
}

/* A device that is told STORAGE keeps its frames and brings them when there is room again. */
static void test_full_disk(void)
{
	uint64_t sent, stored, i;
	struct uplink u;

	session_cloud.file_max = 1 << 20;
	cloud_start(&session_cloud);
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	session_camera(&u, 90);
	for (sent = 0; sent < 50; sent++)
		uplink_frame(&u, 1, 90, sent, KEEPALIVE, 50000);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_STORAGE));
	stored = u.stored;
	CHECK(stored < 50);
	uplink_close(&u);
	CHECK(is_up());
	CHECK(!cloud_stop(&session_cloud));

	session_cloud.file_max = 0;
	cloud_start(&session_cloud);
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	i = session_camera(&u, 90);
	CHECK(i >= stored && i <= 50);
	for (; i < 50; i++)
		uplink_frame(&u, 1, 90, i, KEEPALIVE, 50000);
	session_stored(&u, 49);
	uplink_close(&u);
	CHECK(!cloud_stop(&session_cloud));
	for (i = 0; i < 50; i++)
		CHECK(session_has(90, i, 50000));
}

/* ---- kill -9 ---- */

/* The server dies at a step of its n-th group; the device comes back and loses nothing. */
static void kill_at(int point, int count)
{
	uint64_t next = 0, told = 0, epoch = (uint64_t)(100 + 10 * point + count), i;
	struct uplink u;
	char id[33];

	session_cloud.die_point = point;
	session_cloud.die_count = count;
	cloud_start(&session_cloud);
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	uplink_camera(&u, 1, "door", epoch);
	/* one more frame whenever something was acknowledged, until it is dead */
	while (next < 200) {
		uplink_frame(&u, 1, epoch, next, MOTION, 500 + next);
		next++;
		if (next % 3 == 0 && !uplink_expect(&u, SLUICE_MSG_ACK, 2))
			break;
		told = u.stored;
	}
	CHECK(next < 200);
	while (uplink_next(&u, 1))
		; /* the last words may still be on their way */
	told = u.stored;
	uplink_close(&u);
	CHECK(cloud_wait(&session_cloud) == -SIGKILL);

	session_cloud.die_count = 0;
	cloud_start(&session_cloud);
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	i = session_camera(&u, epoch);
	CHECK(i >= told && i <= next);
	for (; i < next + 2; i++)
		uplink_frame(&u, 1, epoch, i, MOTION, 500 + i);
	session_stored(&u, next + 1);
	/* the event that was open when it died is told once, from its first frame on */
	uplink_stats(&u, 1, epoch, 60000000000, 0);
	CHECK(session_summary(&u, id));
	CHECK(u.m.type == SLUICE_MSG_PART);
	uplink_ack(&u, id);
	uplink_end(&u, 1, epoch, 60000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	CHECK(!cloud_stop(&session_cloud));
	for (i = 0; i < next + 2; i++)
		CHECK(session_has(epoch, i, 500 + i));
}

static int check_all(struct sluice_index *ix, const struct sluice_keyring *ring,
		     struct sluice_check *k)
{
	struct sluice_media *m;
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/media", session_cloud.data);
	err = sluice_media_dir_open(path, ring, &m);
	if (!err)
		err = sluice_check(session_cloud.data, ix, m, NULL, NULL, k);
	sluice_media_close(m);
	return err;
}

static void test_kill(void)
{
	struct sluice_check k;
	struct sluice_index *ix;
	int point, count;

	for (point = SLUICE_POINT_APPENDED; point <= SLUICE_POINT_TOLD; point++)
		for (count = 2; count <= 3; count++)
			kill_at(point, count);
	ix = session_index();
	CHECK(!check_all(ix, NULL, &k));
	CHECK(!k.missing_frame && !k.missing_row && !k.bad_header && !k.bad_tail && !k.bad_media);
	CHECK(k.frames == k.indexed && k.summaries == 8);
	sluice_index_close(ix);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	cloud_init(&session_cloud);
	test_full_disk();
	test_kill();
	cloud_exit(&session_cloud);
	return check_result();
}
