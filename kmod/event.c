// SPDX-License-Identifier: GPL-2.0
/*
 * event.c - the queue between the cameras and the netlink event group.
 *
 * Events arise while a camera's lock is held and while an application waits for its frame; sending
 * them allocates and takes netlink's locks. So they are copied into a small ring and sent by a
 * work, in order. Bounded: when 64 wait, the newest is dropped and counted in the kernel log once
 * in a while. Events are hints: the state that they announce stays readable by GET and in the
 * ring's control page.
 */
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "event.h"

#define EVENTS 64 /* a power of two */

static struct sluice_event_note notes[EVENTS];
static unsigned int first, last; /* last - first wait */
static bool closed;
static DEFINE_SPINLOCK(notes_lock);

static void send_notes(struct work_struct *work)
{
	struct sluice_event_note n;

	for (;;) {
		spin_lock(&notes_lock);
		if (first == last) {
			spin_unlock(&notes_lock);
			return;
		}
		n = notes[first++ % EVENTS];
		spin_unlock(&notes_lock);
		sluice_control_notify(&n);
	}
}

static DECLARE_WORK(notes_work, send_notes);

void sluice_event_post(const struct sluice_event_note *n)
{
	bool full;

	spin_lock(&notes_lock);
	if (closed) {
		spin_unlock(&notes_lock);
		return;
	}
	full = last - first == EVENTS;
	if (!full)
		notes[last++ % EVENTS] = *n;
	schedule_work(&notes_work);
	spin_unlock(&notes_lock);
	if (full)
		pr_notice_ratelimited("sluice: %s: event %u not announced, 64 are waiting\n",
				      n->name, n->event);
}

void sluice_event_exit(void)
{
	spin_lock(&notes_lock);
	closed = true;
	spin_unlock(&notes_lock);
	flush_work(&notes_work);
}
