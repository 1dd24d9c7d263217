/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - tracepoints of the gate, for perf and bpftrace. Reasons are those of enum
 * sluice_reason; times are CLOCK_MONOTONIC in ns.
 *
 *   sluice:sluice_verdict  every frame's final verdict, once
 *   sluice:sluice_commit   a record became visible to the reader
 *   sluice:sluice_lost     a frame was lost (its verdict is reported as well)
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sluice

#if !defined(SLUICE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SLUICE_TRACE_H

#include <linux/tracepoint.h>
#include <sluice/ring.h>

/* These macros have a layout of their own. */
/* clang-format off */
TRACE_EVENT(sluice_verdict,
	TP_PROTO(u32 camera, u64 epoch, u64 sequence, u64 time_ns, u32 score, u32 reason),
	TP_ARGS(camera, epoch, sequence, time_ns, score, reason),
	TP_STRUCT__entry(
		__field(u64, epoch)
		__field(u64, sequence)
		__field(u64, time_ns)
		__field(u32, camera)
		__field(u32, score)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->epoch = epoch;
		__entry->sequence = sequence;
		__entry->time_ns = time_ns;
		__entry->camera = camera;
		__entry->score = score;
		__entry->reason = reason;
	),
	TP_printk("camera=%u epoch=%llu sequence=%llu time_ns=%llu score=%u reason=%u",
		  __entry->camera, __entry->epoch, __entry->sequence, __entry->time_ns,
		  __entry->score, __entry->reason)
);

TRACE_EVENT(sluice_commit,
	TP_PROTO(u32 camera, const struct sluice_ring_desc *d, bool wake),
	TP_ARGS(camera, d, wake),
	TP_STRUCT__entry(
		__field(u64, epoch)
		__field(u64, sequence)
		__field(u64, time_ns)
		__field(u32, camera)
		__field(u32, size)
		__field(u32, reason)
		__field(bool, wake)
	),
	TP_fast_assign(
		__entry->epoch = d->epoch;
		__entry->sequence = d->sequence;
		__entry->time_ns = d->time_ns;
		__entry->camera = camera;
		__entry->size = d->size;
		__entry->reason = d->reason;
		__entry->wake = wake;
	),
	TP_printk("camera=%u epoch=%llu sequence=%llu time_ns=%llu size=%u reason=%u wake=%d",
		  __entry->camera, __entry->epoch, __entry->sequence, __entry->time_ns,
		  __entry->size, __entry->reason, __entry->wake)
);

TRACE_EVENT(sluice_lost,
	TP_PROTO(u32 camera, u64 epoch, u64 sequence, u32 reason),
	TP_ARGS(camera, epoch, sequence, reason),
	TP_STRUCT__entry(
		__field(u64, epoch)
		__field(u64, sequence)
		__field(u32, camera)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->epoch = epoch;
		__entry->sequence = sequence;
		__entry->camera = camera;
		__entry->reason = reason;
	),
	TP_printk("camera=%u epoch=%llu sequence=%llu reason=%u", __entry->camera,
		  __entry->epoch, __entry->sequence, __entry->reason)
);
/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
