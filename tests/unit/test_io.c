// SPDX-License-Identifier: MIT
/* The event loop on the real io_uring: timers, posts, watches, sockets, and closing at bad times.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "check.h"
#include "lib/io.h"

static struct sluice_io *io;

static void open_io(const struct sluice_io_config *c)
{
	char why[256];
	int err;

	io = sluice_io_open(c, &err, why, sizeof(why));
	if (io)
		return;
	printf("%s\n", why);
	exit(err == -ENOSYS || err == -EPERM ? 77 : 1);
}

/* Turn until *flag, at most 5 s. */
static void wait_for(const int *flag, int value)
{
	uint64_t limit = sluice_io_now(io) + 5000000000u;

	while (*flag < value && sluice_io_now(io) < limit)
		sluice_io_turn(io, 50);
	CHECK(*flag >= value);
}

#define TIMERS 500

static struct sluice_io_timer timers[TIMERS];
static uint64_t last_at;
static int fired;

static void on_timer(void *arg)
{
	struct sluice_io_timer *t = arg;

	CHECK(t->at_ns >= last_at && t->at_ns <= sluice_io_now(io));
	last_at = t->at_ns;
	fired++;
}

static void test_timers(void)
{
	uint64_t now = sluice_io_now(io);
	int cancelled = 0;

	for (int i = 0; i < TIMERS; i++)
		sluice_io_timer_set(io, &timers[i], now + random_below(50000000), on_timer,
				    &timers[i]);
	for (int i = 0; i < TIMERS; i += 3) {
		sluice_io_timer_set(io, &timers[i], now + random_below(50000000), on_timer,
				    &timers[i]);
		if (random_below(2))
			continue;
		sluice_io_timer_cancel(io, &timers[i]);
		sluice_io_timer_cancel(io, &timers[i]);
		cancelled++;
	}
	wait_for(&fired, TIMERS - cancelled);
	sluice_io_turn(io, 60);
	CHECK(fired == TIMERS - cancelled);
}

static int posts, posts_order_ok = 1;
static intptr_t last_post[4];

static void on_post(void *arg)
{
	intptr_t v = (intptr_t)arg, thread = v >> 16, n = v & 0xffff;

	posts_order_ok &= n == last_post[thread] + 1;
	last_post[thread] = n;
	posts++;
}

static void *post_many(void *arg)
{
	for (intptr_t i = 1; i <= 1000; i++)
		CHECK(!sluice_io_post(io, on_post, (void *)((intptr_t)arg << 16 | i)));
	return NULL;
}

static void test_posts(void)
{
	pthread_t thread[4];

	for (intptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, post_many, (void *)i);
	wait_for(&posts, 4000);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	CHECK(posts == 4000 && posts_order_ok);
}

static int watched_fd, watched;
static struct sluice_io_watch *watch;

static void on_watch(void *arg, uint32_t revents)
{
	uint64_t count;

	CHECK(revents & POLLIN);
	while (read(watched_fd, &count, sizeof(count)) == sizeof(count))
		watched++;
	if (watched == 20)
		sluice_io_unwatch(watch);
}

static void test_watch(void)
{
	watched_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	watch = sluice_io_watch(io, watched_fd, POLLIN, on_watch, NULL);
	for (int i = 1; i <= 20; i++) {
		CHECK(write(watched_fd, &(uint64_t){ 1 }, 8) == 8);
		wait_for(&watched, i);
	}
	CHECK(write(watched_fd, &(uint64_t){ 1 }, 8) == 8);
	sluice_io_turn(io, 20);
	sluice_io_turn(io, 20);
	CHECK(watched == 20);
	close(watched_fd);
}

static int signals;

static void on_signal(void *arg, int signal)
{
	CHECK(signal == SIGUSR1);
	signals++;
}

static void test_signals(void)
{
	CHECK(!sluice_io_signals(io, (int[]){ SIGUSR1 }, 1, on_signal, NULL));
	kill(getpid(), SIGUSR1);
	wait_for(&signals, 1);
}

/* One end of a stream under test. */
struct end {
	struct sluice_io_stream *s;
	uint64_t received, sum;
	int ended, end_err, sent, sent_err, closed;
	uint64_t close_at; /* close from within data() once so much has arrived */
};

static uint64_t add_up(uint64_t sum, const uint8_t *p, size_t n)
{
	while (n--)
		sum = sum * 31 + *p++;
	return sum;
}

static void end_data(void *arg, const uint8_t *data, size_t size)
{
	struct end *e = arg;

	CHECK(!e->ended && !e->closed && size);
	e->received += size;
	e->sum = add_up(e->sum, data, size);
	if (e->close_at && e->received >= e->close_at)
		sluice_io_stream_close(e->s);
}

static void end_end(void *arg, int err)
{
	struct end *e = arg;

	e->ended++;
	e->end_err = err;
}

static void end_sent(void *arg, int err)
{
	struct end *e = arg;

	e->sent++;
	e->sent_err = err;
}

static void end_closed(void *arg)
{
	struct end *e = arg;

	e->closed++;
}

static const struct sluice_io_stream_ops ends = { end_data, end_end, end_sent, end_closed };

static struct end a, b;

static void open_pair(void)
{
	int fd[2];

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd));
	a.s = sluice_io_stream_open(io, fd[0], &ends, &a);
	b.s = sluice_io_stream_open(io, fd[1], &ends, &b);
	CHECK(a.s && b.s);
}

#define BIG (3u << 20)

static uint8_t big[BIG];

/* Much more than the socket holds, in many parts; the reader pauses in between. */
static void test_stream(void)
{
	struct iovec iov[SLUICE_IO_VECTORS];
	uint64_t before;

	open_pair();
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)random_below(256);
	for (size_t i = 0; i < SLUICE_IO_VECTORS; i++) {
		iov[i].iov_base = big + i * (BIG / SLUICE_IO_VECTORS);
		iov[i].iov_len = BIG / SLUICE_IO_VECTORS;
	}
	CHECK(!sluice_io_stream_send(a.s, iov, SLUICE_IO_VECTORS));
	CHECK(sluice_io_stream_send(a.s, iov, 1) == -EBUSY);
	sluice_io_turn(io, 20);
	sluice_io_stream_pause(b.s, true);
	for (int i = 0; i < 5; i++)
		sluice_io_turn(io, 5);
	before = b.received;
	for (int i = 0; i < 5; i++)
		sluice_io_turn(io, 5);
	CHECK(b.received == before && before < BIG && !a.sent);
	sluice_io_stream_pause(b.s, false);
	wait_for(&a.sent, 1);
	sluice_io_stream_finish(a.s);
	wait_for(&b.ended, 1);
	CHECK(!a.sent_err && !b.end_err && b.received == BIG && b.sum == add_up(0, big, BIG));
	CHECK(sluice_io_stream_send(a.s, iov, 1) == -ENOTCONN);
	sluice_io_stream_close(a.s);
	sluice_io_stream_close(b.s);
	wait_for(&a.closed, 1);
	wait_for(&b.closed, 1);
}

/* closed() comes once, also in the middle of a send and from within data(). */
static void test_close(void)
{
	struct iovec iov = { big, BIG };

	for (int round = 0; round < 30; round++) {
		int sent;

		open_pair();
		b.close_at = random_below(2) ? 1 + random_below(200000) : 0;
		CHECK(!sluice_io_stream_send(a.s, &iov, 1));
		for (uint32_t i = random_below(4); i; i--)
			sluice_io_turn(io, 1);
		sluice_io_stream_close(a.s);
		sluice_io_stream_close(a.s);
		sent = a.sent;
		wait_for(&a.closed, 1);
		CHECK(a.sent == sent);
		if (!b.close_at)
			sluice_io_stream_close(b.s);
		else if (b.received < b.close_at)
			sluice_io_stream_close(b.s);
		wait_for(&b.closed, 1);
		CHECK(a.closed == 1 && b.closed == 1);
	}
}

static int accepted, dialled, dial_result;
static int accepted_fd[64];

static void on_accept(void *arg, int fd)
{
	accepted_fd[accepted++ % 64] = fd;
}

static void on_dial(void *arg, int fd)
{
	dial_result = fd;
	dialled++;
}

static void test_listen(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sluice_io_listener *l;
	struct sluice_io_dial *d;
	int err, fd[10];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l = sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, NULL, &err);
	CHECK(l && sluice_io_listener_port(l));
	sin.sin_port = htons(sluice_io_listener_port(l));
	for (int i = 0; i < 10; i++) {
		CHECK(sluice_io_dial(io, (void *)&sin, sizeof(sin), on_dial, NULL, &err));
		wait_for(&dialled, i + 1);
		CHECK(dial_result >= 0);
		fd[i] = dial_result;
	}
	wait_for(&accepted, 10);
	CHECK(!sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, NULL, &err) &&
	      err == -EADDRINUSE);
	sluice_io_unlisten(l);
	for (int i = 0; i < 3; i++)
		sluice_io_turn(io, 5);
	for (int i = 0; i < 10; i++) {
		close(fd[i]);
		close(accepted_fd[i]);
	}
	CHECK(sluice_io_dial(io, (void *)&sin, sizeof(sin), on_dial, NULL, &err));
	wait_for(&dialled, 11);
	CHECK(dial_result == -ECONNREFUSED);
	d = sluice_io_dial(io, (void *)&sin, sizeof(sin), on_dial, NULL, &err);
	sluice_io_undial(d);
	for (int i = 0; i < 3; i++)
		sluice_io_turn(io, 5);
	CHECK(dialled == 11);
}

/* A queue of four and hundreds of requests at once: nothing may be lost. */
static void test_full_queue(void)
{
	enum { N = 300 };
	static struct end many[N][2];
	struct iovec iov = { big, 1000 };
	uint64_t limit;

	sluice_io_close(io);
	open_io(&(struct sluice_io_config){ .entries = 4, .buffers = 2, .buffer_bytes = 512 });
	for (int i = 0; i < N; i++) {
		int fd[2];

		CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
		for (int j = 0; j < 2; j++) {
			many[i][j].s = sluice_io_stream_open(io, fd[j], &ends, &many[i][j]);
			CHECK(!sluice_io_stream_send(many[i][j].s, &iov, 1));
		}
	}
	limit = sluice_io_now(io) + 5000000000u;
	for (int done = 0; done < 2 * N && sluice_io_now(io) < limit;) {
		sluice_io_turn(io, 1);
		done = 0;
		for (int i = 0; i < N; i++)
			for (int j = 0; j < 2; j++)
				done += many[i][j].sent == 1 && many[i][j].received == 1000;
	}
	for (int i = 0; i < N; i++)
		for (int j = 0; j < 2; j++) {
			CHECK(many[i][j].sent == 1 && many[i][j].received == 1000);
			sluice_io_stream_close(many[i][j].s);
		}
	for (int turn = 0; turn < 50; turn++)
		sluice_io_turn(io, 1);
	for (int i = 0; i < N; i++)
		CHECK(many[i][0].closed == 1 && many[i][1].closed == 1);
}

static int late_posts;

static void on_late_post(void *arg)
{
	late_posts++;
}

/* Closing the io with everything still open: closed() comes, posts run, nothing leaks. */
static void test_close_io(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct iovec iov = { big, BIG };
	int err;

	open_pair();
	CHECK(sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, NULL, &err));
	CHECK(!sluice_io_stream_send(a.s, &iov, 1));
	sluice_io_turn(io, 1);
	sluice_io_post(io, on_late_post, NULL);
	sluice_io_close(io);
	CHECK(a.closed == 1 && b.closed == 1 && late_posts == 1);
}

int main(int argc, char **argv)
{
	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	open_io(NULL);
	test_timers();
	test_posts();
	test_watch();
	test_signals();
	test_stream();
	test_close();
	test_listen();
	test_full_queue();
	test_close_io();
	return check_result();
}
