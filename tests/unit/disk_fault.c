// SPDX-License-Identifier: MIT
#include "disk_fault.h"

#include <fcntl.h>

struct disk_fault disk_fault;

static struct sluice_io_request *failing[16];
static unsigned int failing_count;

static bool is_disk(const struct sluice_io_request *r)
{
	return r->op == SLUICE_IO_OPEN || r->op == SLUICE_IO_READ || r->op == SLUICE_IO_WRITE ||
	       r->op == SLUICE_IO_SYNC;
}

static bool is_writing(const struct sluice_io_request *r)
{
	return r->op == SLUICE_IO_WRITE || r->op == SLUICE_IO_SYNC ||
	       (r->op == SLUICE_IO_OPEN && r->flags & O_CREAT);
}

static bool must_fail(const struct sluice_io_request *r)
{
	if (!is_disk(r))
		return false;
	disk_fault.count++;
	if (!disk_fault.fail_at || failing_count == 16)
		return false;
	if (disk_fault.stays)
		return disk_fault.count >= disk_fault.fail_at && is_writing(r);
	return disk_fault.count == disk_fault.fail_at;
}

static int fault_open(void **ctx, const struct sluice_io_config *c, char *why, size_t why_size)
{
	return sluice_io_uring.open(ctx, c, why, why_size);
}

static void fault_close(void *ctx)
{
	sluice_io_uring.close(ctx);
}

static uint64_t fault_now(void *ctx)
{
	return sluice_io_uring.now(ctx);
}

static void fault_submit(void *ctx, struct sluice_io_request *r)
{
	if (must_fail(r))
		failing[failing_count++] = r;
	else
		sluice_io_uring.submit(ctx, r);
}

static void fault_cancel(void *ctx, struct sluice_io_request *r)
{
	sluice_io_uring.cancel(ctx, r);
}

static int fault_wait(void *ctx, uint64_t until_ns)
{
	bool any = failing_count > 0;

	while (failing_count) {
		struct sluice_io_request *r = failing[--failing_count];

		disk_fault.failed++;
		r->done(r, disk_fault.err, NULL, false);
	}
	return sluice_io_uring.wait(ctx, any ? 0 : until_ns);
}

const struct sluice_io_backend disk_fault_backend = {
	.open = fault_open,
	.close = fault_close,
	.now = fault_now,
	.submit = fault_submit,
	.cancel = fault_cancel,
	.wait = fault_wait,
};
