/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stdio of one process: what the Task API names (FIFOs, file:// and binary:// URIs), the log,
 * and the pipes or the terminal of the process itself.
 *
 *	io_new()	opens all; io_child_fds() are for the process
 *	ready()		where io_is_ready() is not true at once: a logger has to come up first
 *	io_attach()	the process exists: our copies of its ends are closed, copying starts
 *	io_renew()	it has ended and another one follows: io_child_fds() are for that
 *	io_finish()	it has ended: the rest is delivered, then drained() is called
 *
 * Two kinds of callers. A durable client (containerd) may go and come back: its FIFOs are held open
 * at both ends, so that nothing is lost and nobody sees an end of file. Any other client (ctr)
 * opens its ends before it calls; when it has gone, its FIFOs are dropped and the process goes on.
 *
 * Lasting stdio outlives this process. The container's own descriptors are open for reading and
 * writing, so a shim that dies breaks no pipe and loses nothing that is in one; who adopts the
 * container opens the pipes again through the container's processes (io_adopt.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "runtime/shim/upgrade.pb-c.h"

struct io;
struct shim_log;
struct spool;

struct io_options {
	struct loop *loop;
	bool terminal, durable;
	bool keep_stdin; /* the FIFO of stdin has no end while the process lives */
	bool lasting;	 /* not with a terminal */
	bool renewable;	 /* io_renew() may come: stdin outlives the process */
	const char *stdin_path, *stdout_path, *stderr_path; /* "" or NULL: none */
	struct shim_log *log;	     /* the caller's, outlives this; NULL: none */
	struct spool *spool;	     /* the same; of lasting output that is logged */
	const int *pipes;	     /* three, taken over: of a process that is adopted; NULL */
	const char *id, *namespace_; /* for binary:// loggers */
	uid_t uid;		     /* owner of the pipes, 0: ours */
	gid_t gid;
	/* Both are called from the loop, never from inside a call of ours. */
	void (*ready)(void *data, const struct err *why_not); /* NULL: it is */
	void (*drained)(void *data);
	void *data;
};

int io_new(const struct io_options *options, struct io **ret, struct err *err);

/* Not from inside drained(). Output that was not read yet is lost. */
struct io *io_free(struct io *io);

bool io_is_ready(const struct io *io);

/* Three descriptors, or NULL with a terminal. Ours. */
const int *io_child_fds(struct io *io);

/* console_fd: the terminal's master, taken over also on failure; -1 without terminal. */
int io_attach(struct io *io, int console_fd, struct err *err);

/* Clients stay. A terminal that has not given its last bytes yet loses them. */
int io_renew(struct io *io, struct err *err);

/* For who takes our place (upgrade.h): the message points into the io. -EBUSY while it is being set
 * up or ends; io_unsave() frees it in either case. */
int io_save(const struct io *io, Upgrade__Io *ret);
void io_unsave(Upgrade__Io *saved);
/* Takes the descriptors over, also on failure. */
int io_restore(const struct io_options *options, const Upgrade__Io *saved, struct io **ret,
	       struct err *err);

void io_finish(struct io *io);
bool io_is_drained(const struct io *io); /* after io_finish() */

/*
 * One more client, of FIFOs that it has opened already; "": none. It holds nobody back: where it
 * does not read it is dropped, and sees an end of file. -EBUSY: there are too many, or there is no
 * stdin to write to.
 */
int io_add_client(struct io *io, const char *stdin_path, const char *stdout_path,
		  const char *stderr_path, struct err *err);

void io_close_stdin(struct io *io);
int io_resize(struct io *io, uint32_t width, uint32_t height, struct err *err);

/* Which pipes the process has, by inode; 0: none that lasts. */
void io_pipe_inodes(const struct io *io, uint64_t ret[static 3]);
