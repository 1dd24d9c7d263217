/* SPDX-License-Identifier: MIT */
/*
 * io.h - one thread, one event loop, on io_uring (kernels 6.1 and later).
 *
 * Everything is called from the thread that called sluice_io_open(), except sluice_io_post().
 * Callbacks come from sluice_io_run() and may call anything here, including closing their own
 * object. After an object is closed none of its callbacks comes any more (streams: only closed()).
 * Objects are freed by the loop itself, once the kernel has answered for every request of theirs:
 * nobody frees memory that the kernel may still write to.
 *
 * Below the objects lies struct sluice_io_backend, a table of six functions: the only thing that a
 * simulated clock and network has to replace.
 */
#ifndef SLUICE_LIB_IO_H
#define SLUICE_LIB_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct sluice_io;
struct sluice_io_backend;

struct sluice_io_config {
	uint32_t entries;			 /* of the submission queue; 0: 256 */
	uint32_t buffers;			 /* receive buffers, power of two; 0: 32 */
	uint32_t buffer_bytes;			 /* each; 0: 16384 */
	const struct sluice_io_backend *backend; /* NULL: io_uring */
	void *backend_arg;
};

/*
 * c may be NULL. Returns NULL and -errno in *err, text for people in why: -ENOSYS (kernel without
 * io_uring or too old), -EPERM (forbidden by sysctl kernel.io_uring_disabled or a container's
 * filter), -ENOMEM.
 */
struct sluice_io *sluice_io_open(const struct sluice_io_config *c, int *err, char *why,
				 size_t why_size);

/* Run callbacks until sluice_io_stop(). 0, or -errno if the loop itself failed. */
int sluice_io_run(struct sluice_io *io);

/* Make run() return after the present callback. */
void sluice_io_stop(struct sluice_io *io);

/* One turn: wait at most timeout_ms (-1: for ever) and run what is ready. For tests. */
int sluice_io_turn(struct sluice_io *io, int timeout_ms);

/* NULL-safe. Close every object first; what is still open is cancelled, its closed() called. */
void sluice_io_close(struct sluice_io *io);

/* CLOCK_MONOTONIC ns, taken once a turn. */
uint64_t sluice_io_now(const struct sluice_io *io);

/* ---- timers: memory of the caller, zeroed before first use; setting cannot fail ---- */

struct sluice_io_timer {
	uint64_t at_ns;
	void (*fn)(void *arg);
	void *arg;
	struct sluice_io_timer *child, *next, *prev; /* pairing heap */
	bool set;
};

/* fn(arg) once, at at_ns or soon after. Setting again moves it. */
void sluice_io_timer_set(struct sluice_io *io, struct sluice_io_timer *t, uint64_t at_ns,
			 void (*fn)(void *arg), void *arg);
void sluice_io_timer_in(struct sluice_io *io, struct sluice_io_timer *t, uint64_t in_ms,
			void (*fn)(void *arg), void *arg);

/* Safe on a timer that is not set. */
void sluice_io_timer_cancel(struct sluice_io *io, struct sluice_io_timer *t);

/* ---- from other threads ---- */

/*
 * fn(arg) in the loop's thread, in order of posting. Any thread, also before run(); the caller
 * makes sure that the io is not closed meanwhile. What is posted and not yet run when the io is
 * closed is run by sluice_io_close(). 0 or -ENOMEM.
 */
int sluice_io_post(struct sluice_io *io, void (*fn)(void *arg), void *arg);

/* ---- file descriptors that are only watched ---- */

struct sluice_io_watch;

/*
 * fn(arg, revents) whenever the fd becomes ready (POLLIN, POLLPRI, POLLOUT...; edges: drain it in
 * the callback). fn with POLLNVAL or POLLERR alone means that no more will come. The fd stays the
 * caller's; unwatch before closing it. NULL: out of memory.
 */
struct sluice_io_watch *sluice_io_watch(struct sluice_io *io, int fd, uint32_t events,
					void (*fn)(void *arg, uint32_t revents), void *arg);
/* NULL-safe. */
void sluice_io_unwatch(struct sluice_io_watch *w);

/* fn(arg, signal) for these signals, which are blocked in the calling thread (start other threads
 * afterwards, so that they inherit it). One call per io. 0 or -errno. */
int sluice_io_signals(struct sluice_io *io, const int *signals, unsigned int count,
		      void (*fn)(void *arg, int signal), void *arg);

/* ---- sockets ---- */

struct sluice_io_listener;

/*
 * Bind, listen and accept. fn gets each connection's fd (close-on-exec, blocking: io_uring waits
 * itself), which is then the callback's. Out of descriptors: accepting rests for 100 ms. A
 * port in use is tried for a second. NULL and -errno in *err.
 */
struct sluice_io_listener *sluice_io_listen(struct sluice_io *io, const struct sockaddr *addr,
					    socklen_t len, void (*fn)(void *arg, int fd), void *arg,
					    int *err);
/* The bound port in host order (for port 0), 0 for other families. */
uint16_t sluice_io_listener_port(const struct sluice_io_listener *l);
void sluice_io_unlisten(struct sluice_io_listener *l);

struct sluice_io_dial;

/* Connect; fn(arg, fd or -errno) once; the fd is then the callback's. NULL and *err as above. */
struct sluice_io_dial *sluice_io_dial(struct sluice_io *io, const struct sockaddr *addr,
				      socklen_t len, void (*fn)(void *arg, int fd), void *arg,
				      int *err);
/* Give up: fn does not come. Only before fn has come. */
void sluice_io_undial(struct sluice_io_dial *d);

struct sluice_io_stream;

struct sluice_io_stream_ops {
	/* bytes arrived; borrowed for the call */
	void (*data)(void *arg, const uint8_t *data, size_t size);
	/* nothing more will arrive: 0 the peer has shut down, else -errno */
	void (*end)(void *arg, int err);
	/* the vector given to send() has been taken whole by the kernel, or -errno; its memory is
	 * the caller's again */
	void (*sent)(void *arg, int err);
	/* after close(): every request is answered, buffers given to send() are the caller's again,
	 * the fd is closed, the stream is gone */
	void (*closed)(void *arg);
};

/* Takes the fd of a connected stream socket; receives at once. NULL: out of memory, the fd is the
 * caller's still. */
struct sluice_io_stream *sluice_io_stream_open(struct sluice_io *io, int fd,
					       const struct sluice_io_stream_ops *ops, void *arg);

#define SLUICE_IO_VECTORS 64

/*
 * Send all of the vector (at most SLUICE_IO_VECTORS parts; the array itself is copied), then
 * sent(). One at a time: -EBUSY while one is under way, so order needs no further thought. The
 * parts must stay until sent() or closed().
 */
int sluice_io_stream_send(struct sluice_io_stream *s, const struct iovec *iov, unsigned int count);

/* Stop receiving (what the kernel has already handed over still arrives) and go on again. */
void sluice_io_stream_pause(struct sluice_io_stream *s, bool pause);

/* shutdown(SHUT_WR) once nothing is being sent. */
void sluice_io_stream_finish(struct sluice_io_stream *s);

/* Cancel everything; then closed(), later, from the loop. NULL-safe; once. */
void sluice_io_stream_close(struct sluice_io_stream *s);

int sluice_io_stream_fd(const struct sluice_io_stream *s);

/* ---- files on a disk ---- */

struct sluice_io_file;

/* One file, one operation at a time; fn(arg, result) ends each: result as below or -errno. NULL:
 * out of memory. */
struct sluice_io_file *sluice_io_file_new(struct sluice_io *io, void (*fn)(void *arg, int result),
					  void *arg);
/* 0; the descriptor is the object's. flags, mode: of open(2); path stays until fn. */
void sluice_io_file_open(struct sluice_io_file *f, const char *path, int flags, unsigned int mode);
/* Open it here and now, for the start of a program. 0 or -errno. */
int sluice_io_file_hold(struct sluice_io_file *f, const char *path, int flags);
/* Bytes read, fewer only at the end of the file. size at most 1 GiB. buf stays until fn. */
void sluice_io_file_read(struct sluice_io_file *f, void *buf, size_t size, uint64_t offset);
/* Bytes written: all of them. */
void sluice_io_file_write(struct sluice_io_file *f, const void *buf, size_t size, uint64_t offset);
/* 0: data and size are durable. */
void sluice_io_file_sync(struct sluice_io_file *f);
/* False if nothing is open, or an open() is under way. */
bool sluice_io_file_is_open(const struct sluice_io_file *f);
/* NULL-safe. fn does not come any more; the kernel may use the buffer until the loop has answered
 * (at the latest: sluice_io_close()). */
void sluice_io_file_close(struct sluice_io_file *f);
/* The same, and buf (of malloc) is freed once the kernel has let go of it. */
void sluice_io_file_leave(struct sluice_io_file *f, void *buf);

/* ---- the seam ---- */

enum sluice_io_op {
	SLUICE_IO_POLL,	   /* multishot: result = revents */
	SLUICE_IO_ACCEPT,  /* multishot: result = fd */
	SLUICE_IO_CONNECT, /* result = 0 */
	SLUICE_IO_RECV,	   /* multishot: result = bytes at data, 0 = end */
	SLUICE_IO_SEND,	   /* result = bytes taken, perhaps fewer than asked */
	SLUICE_IO_OPEN,	   /* result = fd */
	SLUICE_IO_READ,	   /* result = bytes, 0 = end of the file */
	SLUICE_IO_WRITE,   /* result = bytes taken, perhaps fewer than asked */
	SLUICE_IO_SYNC,	   /* result = 0 */
};

/* A request belongs to the back end from submit() until done() with more = false. */
struct sluice_io_request {
	enum sluice_io_op op;
	int fd;
	uint32_t events;	     /* POLL */
	const struct sockaddr *addr; /* CONNECT */
	socklen_t addr_len;
	struct msghdr msg; /* SEND */
	const char *path;  /* OPEN */
	int flags;	   /* OPEN */
	uint32_t mode;	   /* OPEN */
	void *bytes;	   /* READ, WRITE */
	uint32_t size;	   /* READ, WRITE */
	uint64_t offset;   /* READ, WRITE */
	void (*done)(struct sluice_io_request *r, int result, const uint8_t *data, bool more);
	/* the back end's own */
	struct sluice_io_request *next;
	uint32_t state;
};

struct sluice_io_backend {
	/* *ctx is handed to the others; 0 or -errno with text */
	int (*open)(void **ctx, const struct sluice_io_config *c, char *why, size_t why_size);
	void (*close)(void *ctx);
	uint64_t (*now)(void *ctx); /* monotonic ns */
	/* never fails: what cannot be queued now is queued later */
	void (*submit)(void *ctx, struct sluice_io_request *r);
	/* the request will be answered soon, with -ECANCELED or with what was faster */
	void (*cancel)(void *ctx, struct sluice_io_request *r);
	/* wait until something is done or until_ns (UINT64_MAX: for ever, 0: not at all), then call
	 * done() of all; 0 or -errno */
	int (*wait)(void *ctx, uint64_t until_ns);
};

extern const struct sluice_io_backend sluice_io_uring;

#endif
