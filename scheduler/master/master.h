/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master of a cell (Borgmaster): takes jobs, lets the core decide, keeps in the store what must
 * not be forgotten, and tells each machine what it is to run. Nothing is told to anybody before it
 * is on the disk.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "scheduler/master/caller.h"

struct http_request;
struct loop;
struct master;

struct master_options {
	const char *store_path;
	const char *who;      /* for people: "HOST:PID" */
	int64_t detection_ms; /* a machine that was silent so long is down; 0: 3000 */
	int64_t fence_ms;     /* how long a single instance may run without its master; 0: 10000 */
	int64_t (*clock_ns)(void *data); /* for tests; NULL: the host's clocks */
	void *clock_data;
	double production_share; /* of the cell that production may be promised; 0: all of it */
};

/* A machine's agent, when it is reached from here: it is called when there is news for it. */
struct master_contact {
	void *data;
	void (*poke)(void *data);
};

/* Elects itself, and takes up what the store has. When another one is elected, the loop ends with
 * -ESTALE. */
int master_new(struct loop *loop, const struct master_options *options, struct master **ret,
	       struct err *err);
/* Every request must have been answered (api_free). */
struct master *master_free(struct master *master);

/*
 * What a machine says (scheduler/agent/exchange.h); its answer is owned by the caller. contact:
 * from where, or NULL; it must outlive the master. -EAGAIN: the store does not take anything now.
 */
int master_sync(struct master *master, const char *text, size_t len,
		const struct master_contact *contact, char **ret, size_t *ret_len, struct err *err);

/* The machine is there, and says the same as by its last master_sync(). false: that has to be done
 * again, as it was given up meanwhile, or this master does not know it. */
bool master_beat(struct master *master, const char *machine, const struct master_contact *contact);
/* What master_sync() would answer; owned by the caller. -ENOENT, -EAGAIN. */
int master_wants(struct master *master, const char *machine, char **ret, size_t *ret_len,
		 struct err *err);
bool master_knows_machine(struct master *master, const char *machine);

/*
 * What others keep in the master's store, below keys of their own: "token/...". NULL removes one.
 */
int master_put_note(struct master *master, const char *key, const char *text, struct err *err);
typedef int (*master_note_fn)(void *data, const char *key, const char *text, size_t len,
			      struct err *err);
/* Those whose keys begin so. */
int master_each_note(struct master *master, const char *prefix, master_note_fn fn, void *data,
		     struct err *err);

/*
 * Submits a job file; name: what errors call it. 0 when it is on the disk. A job of that name that
 * was stopped is replaced; -EEXIST for one that was not. -EPERM: the caller may not, here and
 * below.
 */
int master_submit(struct master *master, const struct caller *caller, const char *name,
		  const char *text, size_t len, const char **ret_job, struct err *err);
/* Ends its tasks; what it was stays to be read until it is purged. -ENOENT. */
int master_stop(struct master *master, const struct caller *caller, const char *job, bool purge,
		struct err *err);

/*
 * What an operator wants of a machine, kept in the store; 0 when it is on the disk, -ENOENT where
 * there is no such machine. Cordoned: nothing new comes to it. Drained: what is there moves, too,
 * as fast as the core and the disruption budgets let it. Uncordon undoes both.
 */
int master_machine_cordon(struct master *master, const char *machine, struct err *err);
int master_machine_drain(struct master *master, const char *machine, struct err *err);
int master_machine_uncordon(struct master *master, const char *machine, struct err *err);

/* ---- reading ---- */

void master_write_jobs(struct master *master, struct json_writer *w);
int master_write_job(struct master *master, const char *job, struct json_writer *w,
		     struct err *err);
void master_write_machines(struct master *master, struct json_writer *w);
/* What each machine holds, by band; and the tasks of one machine. -ENOENT. */
void master_write_picture(struct master *master, struct json_writer *w);
int master_write_machine_picture(struct master *master, const char *machine, struct json_writer *w,
				 struct err *err);

CLEANUP_DEFINE(struct master, master, master_free);
#define _cleanup_master_ _cleanup_(cleanup_master)
