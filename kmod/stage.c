// SPDX-License-Identifier: GPL-2.0
/*
 * stage.c - tapped frames on their way from the application's DQBUF to the flow.
 *
 * What a tap adds to the application's DQBUF shall be a copy, whatever the grid costs (that of a
 * JPEG costs twenty copies). So the task work copies the frame, all of it, into a buffer of the
 * stage, and a thread, sluice/N as in capture mode, looks at it there: while it does the
 * application has its buffer back. The price is one more copy of each frame, and the memory of two.
 *
 * Two places in turn. When both are taken the application waits for the thread: a machine that
 * cannot keep up slows the application down, as if there were no stage, and loses nothing. The
 * thread needs the camera's lock alone, so the wait ends.
 *
 * The thread is nicer than the application, so that being woken it does not push it off its CPU
 * before DQBUF has returned.
 *
 * Contexts: begin, copy and end in the tap's task works, one at a time under the stage's lock, the
 * copy under the queue's lock too; the thread; flush and free in the watch work or the detaching
 * task. Each place belongs to the givers while it is counted free, else to the thread: given and
 * taken are stored with release and loaded with acquire by the other side.
 *
 * Failure: without memory for a frame that is larger than those before, it is LATE. The order of
 * frames is kept, also of those without bytes.
 */
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "stage.h"

#define STAGE_NICE 5

struct place {
	void *mem;
	size_t room;
	struct sluice_format format;
	struct sluice_frame frame; /* its pointers lie in mem */
	bool late;
};

struct sluice_stage {
	struct sluice_camera *cam;
	struct task_struct *thread;
	struct mutex lock; /* givers */
	u32 given, taken;  /* counts; given - taken frames are the thread's */
	wait_queue_head_t wait;
	struct place place[SLUICE_STAGE_FRAMES];
};

static u32 waiting_frames(const struct sluice_stage *s)
{
	/* Pairs with the release by the other side: what it left in the place is there. */
	return smp_load_acquire(&s->given) - smp_load_acquire(&s->taken);
}

/* Not kmalloc: it would round up to a power of two. */
static bool make_room(struct place *p, size_t bytes)
{
	if (bytes <= p->room)
		return true;
	vfree(p->mem);
	p->mem = vmalloc(bytes);
	p->room = p->mem ? bytes : 0;
	return p->mem;
}

static size_t whole_size(const struct sluice_frame *f)
{
	size_t bytes = f->len;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(f->chroma); i++)
		bytes += f->chroma[i] ? f->chroma_len[i] : 0;
	return bytes;
}

/* The frame's bytes, plane behind plane; the pointers of the copy follow. */
static void copy_frame(struct place *p, const struct sluice_frame *f)
{
	u8 *at = p->mem;
	u32 i;

	p->frame = *f;
	if (!f->data)
		return;
	memcpy(at, f->data, f->len);
	p->frame.data = at;
	at += f->len;
	for (i = 0; i < ARRAY_SIZE(f->chroma); i++) {
		if (!f->chroma[i])
			continue;
		memcpy(at, f->chroma[i], f->chroma_len[i]);
		p->frame.chroma[i] = at;
		at += f->chroma_len[i];
	}
}

void sluice_stage_begin(struct sluice_stage *s)
{
	mutex_lock(&s->lock);
	wait_event(s->wait, waiting_frames(s) < SLUICE_STAGE_FRAMES);
}

void sluice_stage_copy(struct sluice_stage *s, const struct sluice_format *format,
		       const struct sluice_frame *f)
{
	struct place *p = &s->place[s->given % SLUICE_STAGE_FRAMES];

	p->late = f->data && !make_room(p, whole_size(f));
	if (p->late) {
		p->frame = *f;
		p->frame.data = NULL;
	} else {
		copy_frame(p, f);
	}
	p->format = *format;
}

void sluice_stage_end(struct sluice_stage *s)
{
	/* The place is the thread's now. */
	smp_store_release(&s->given, s->given + 1);
	mutex_unlock(&s->lock);
	wake_up_all(&s->wait);
}

/* The flow's part of a frame. */
static void handle(struct sluice_stage *s, struct place *p)
{
	int rc = sluice_flow_format(s->cam, &p->format);

	if (rc == -EOPNOTSUPP)
		return;
	if (rc || p->late || (!p->frame.data && !p->frame.error))
		sluice_flow_lost(s->cam, p->frame.driver_sequence, SLUICE_REASON_LATE);
	else
		sluice_flow_frame(s->cam, &p->frame);
}

static int run_stage(void *arg)
{
	struct sluice_stage *s = arg;

	for (;;) {
		wait_event_interruptible(s->wait, waiting_frames(s) || kthread_should_stop());
		if (waiting_frames(s)) {
			handle(s, &s->place[s->taken % SLUICE_STAGE_FRAMES]);
			/* The place is the givers' again. */
			smp_store_release(&s->taken, s->taken + 1);
			wake_up_all(&s->wait);
		} else if (kthread_should_stop()) {
			return 0;
		}
	}
}

struct sluice_stage *sluice_stage_create(struct sluice_camera *cam, size_t bytes)
{
	struct sluice_stage *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u32 i;

	if (!s)
		return NULL;
	s->cam = cam;
	mutex_init(&s->lock);
	init_waitqueue_head(&s->wait);
	for (i = 0; i < SLUICE_STAGE_FRAMES; i++) {
		if (!make_room(&s->place[i], bytes))
			goto fail;
	}
	s->thread = kthread_run(run_stage, s, "sluice/%u", cam->index);
	if (!IS_ERR(s->thread)) {
		set_user_nice(s->thread, STAGE_NICE);
		return s;
	}
	s->thread = NULL;
fail:
	sluice_stage_free(s);
	return NULL;
}

void sluice_stage_free(struct sluice_stage *s)
{
	u32 i;

	if (!s)
		return;
	/* It ends when nothing waits any more. */
	if (s->thread)
		kthread_stop(s->thread);
	for (i = 0; i < SLUICE_STAGE_FRAMES; i++)
		vfree(s->place[i].mem);
	kfree(s);
}

void sluice_stage_flush(struct sluice_stage *s)
{
	u32 until = READ_ONCE(s->given);

	/* Counts only; the places are not looked at. */
	wait_event(s->wait, (s32)(READ_ONCE(s->taken) - until) >= 0);
}
