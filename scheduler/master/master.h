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
/*
 * The same by a key of the caller's own choice (1 to 128 printable characters, or NULL): who does
 * not know whether it was heard may say it again. For as long as the job is there, stopped or not,
 * the same key, caller and text get the first answer, and nothing changes; after a restart, too.
 * -EEXIST: the key came with another text.
 */
int master_submit_once(struct master *master, const struct caller *caller, const char *key,
		       const char *name, const char *text, size_t len, const char **ret_job,
		       struct err *err);
/* Ends its tasks; what it was stays to be read until it is purged. -ENOENT. */
int master_stop(struct master *master, const struct caller *caller, const char *job, bool purge,
		struct err *err);

/*
 * What an operator wants of a machine, kept in the store; 0 when it is on the disk, -ENOENT where
 * there is no such machine, -EPERM for others than the operator. Cordoned: nothing new comes to it.
 * Drained: what is there moves, too, as fast as the core and the disruption budgets let it.
 * Uncordon undoes both.
 */
int master_machine_cordon(struct master *master, const struct caller *caller, const char *machine,
			  struct err *err);
/* deadline_ms: after so long budgets hold nothing there any more; -1: they do to the end. Said
 * again, it is another deadline. */
int master_machine_drain(struct master *master, const struct caller *caller, const char *machine,
			 int64_t deadline_ms, struct err *err);
int master_machine_uncordon(struct master *master, const struct caller *caller, const char *machine,
			    struct err *err);

/* Bytes that tasks of that owner may have as files in memory; one of that name is replaced, also in
 * tasks that run. -E2BIG, -EINVAL, -EDQUOT. */
int master_set_secret(struct master *master, const struct caller *caller, const char *owner,
		      const char *name, const void *value, size_t len, struct err *err);
/* -ENOENT; -EBUSY while a job uses it. */
int master_remove_secret(struct master *master, const struct caller *caller, const char *owner,
			 const char *name, struct err *err);
/* Who may do what: a policy file (spec/job/rules.h), which takes the place of the one there is. The
 * operator's alone. */
int master_set_policy(struct master *master, const struct caller *caller, const char *name,
		      const char *text, size_t len, struct err *err);
void master_write_policy(struct master *master, struct json_writer *w);
/* How much an owner may ask for in a band: {"cpu_milli": N, "memory_bytes": N, "disk_bytes": N,
 * "ports": N}; what is left out is not limited. The operator's alone. */
int master_set_quota(struct master *master, const struct caller *caller, const char *owner,
		     const char *band, const char *body, size_t len, struct err *err);
void master_write_quotas(struct master *master, struct json_writer *w);
/* For what is done by other means than these calls: -EPERM unless the caller is the operator. */
int master_allow_operator(struct master *master, const struct caller *caller, const char *what,
			  struct err *err);
/* Writes down who has asked for what, and returns r (scheduler/master/audit.h). */
int master_audit(struct master *master, const struct caller *caller, int r, const struct err *err,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Their names. */
void master_write_secrets(struct master *master, struct json_writer *w);
/* Another number of tasks, or of allocs of a set: core/scale.h says which go, and what joins a gang
 * all at once. -ENOENT, -EINVAL (a job that was stopped), -ERANGE, -EDQUOT. */
int master_scale(struct master *master, const struct caller *caller, const char *job,
		 uint32_t count, struct err *err);
/* What that would do: where those that come would go, who leaves for them, which go. */
int master_plan_scale(struct master *master, const struct caller *caller, const char *job,
		      uint32_t count, struct json_writer *w, struct err *err);

struct master_resize {
	uint32_t index;			 /* of one task, or UINT32_MAX for all */
	int64_t cpu_milli, memory_bytes; /* 0: as it is */
	bool plan;			 /* only say what would happen */
};
/*
 * What a job's tasks, or the allocs of a set, may use: all of them get it or none (core/resize.h).
 * Writes what happens to each: in place, with victims, by a move. -ENOSPC: not all can have it.
 */
int master_resize(struct master *master, const struct caller *caller, const char *job,
		  const struct master_resize *resize, struct json_writer *w, struct err *err);

/* Starts them anew where they are; index: of one, at once, or UINT32_MAX for all that run, as fast
 * as the job's disruption budget lets it. -ENOENT. */
int master_restart(struct master *master, const struct caller *caller, const char *job,
		   uint32_t index, struct err *err);

/* ---- into a task ---- */

#define MASTER_REACH_NAME 160

struct master_reach {
	uint32_t index;	     /* UINT32_MAX: of the only task */
	const char *command; /* for the audit, of a command that is to run there; NULL: its logs */
	/* Where it is. */
	char machine[MASTER_REACH_NAME], container[MASTER_REACH_NAME];
};
/* The container of a job's task, for who speaks for its owner. -ENOENT where there is none, -EINVAL
 * where it is not said which of several. */
int master_reach(struct master *master, const struct caller *caller, const char *job,
		 struct master_reach *reach, struct err *err);
/* Tells a machine's agent that a stream of that name waits for it, until it is dismissed. */
int master_summon(struct master *master, const char *machine, const char *stream, struct err *err);
void master_dismiss(struct master *master, const char *machine, const char *stream);

/* ---- reading ---- */

/*
 * What would happen if the job file were handed in now: what differs from the job of its name,
 * where its tasks would go, who would have to leave for them. It is tried on a copy of the cell,
 * by the same decisions as will then be made; nothing has changed.
 */
int master_plan(struct master *master, const struct caller *caller, const char *name,
		const char *text, size_t len, struct json_writer *w, struct err *err);

/* What happened to anything last, of what may be shown; it rises over restarts, too. */
uint64_t master_index(const struct master *master);
/* And to that job; 0 where there is none. */
uint64_t master_job_index(struct master *master, const char *job);

/* Called when something has happened that may be shown; the listener is its owner's. */
struct master_listener {
	void (*fn)(void *data);
	void *data;
	struct master_listener *next;
};
void master_listen(struct master *master, struct master_listener *listener);
void master_unlisten(struct master *master, struct master_listener *listener);

/* The events after that index, most 500, as lines of JSON: journal.h. NULL: there are none. */
char *master_events(const struct master *master, uint64_t since, size_t *ret_len,
		    uint64_t *ret_last);

int master_write_history(struct master *master, const char *job, struct json_writer *w,
			 struct err *err);
int master_write_machine(struct master *master, const char *machine, struct json_writer *w,
			 struct err *err);
/* Of a job without its tasks. */
int master_write_job_head(struct master *master, const char *job, struct json_writer *w,
			  struct err *err);
void master_write_allocs(struct master *master, struct json_writer *w);
int master_write_alloc(struct master *master, const char *set, struct json_writer *w,
		       struct err *err);
void master_write_cell(struct master *master, struct json_writer *w);
/* In the text form of Prometheus, version 0.0.4; owned by the caller, NULL when out of memory. */
char *master_metrics(struct master *master, size_t *ret_len);
/* Does the store take what is decided? */
bool master_ready(const struct master *master);

/* A copy of the store, whole and of one moment, as a new file. */
int master_backup(struct master *master, const char *path, struct err *err);
/*
 * Puts a backup in the place of a store that no master is at work on: checked first, replaced at
 * once or not at all. Whoever spoke with the master before takes the next one for a later one.
 */
int master_restore(const char *backup, const char *store, struct err *err);

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
