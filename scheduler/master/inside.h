/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the master share. */
#pragma once

#include <stdint.h>

#include "scheduler/agent/exchange.h"
#include "scheduler/core/cell.h"
#include "scheduler/core/map.h"
#include "scheduler/master/journal.h"
#include "scheduler/master/master.h"
#include "scheduler/store/store.h"
#include "spec/job/job.h"

#define MACHINE_NAME_MAX 128
/* The ports that the cell hands out: below those that kernels choose themselves. */
#define MACHINE_FIRST_PORT 20000
#define MACHINE_PORTS 12000

struct held_job;

/* A task as the cell remembers it. */
struct held_task {
	struct held_job *job;
	uint32_t index;
	uint32_t at; /* machine on which it is, or was last, while that is worth knowing; NOBODY */
	bool live;   /* it is to run there; else what it left is kept for its log */
	bool over;   /* it has ended for good */
	bool paused; /* others have its CPU */
	bool told;   /* its machine may run it */
	bool held_back;	 /* its machine is not told yet, since an earlier instance may run */
	bool to_restart; /* as it is, it is to be started anew; in the store */
	bool restarting; /* it was, and is not up yet: see restart.c */
	bool joining;	 /* it had not joined its gang when it was loaded; in the store */
	bool dirty;
	uint64_t incarnation;
	uint32_t restarts;
	struct held_task *next_at, *previous_at, *next_dirty;
	/* As its machine said last, of this incarnation. Not in the store. */
	bool reported;
	enum report_state state;
	enum report_health health;
	uint64_t secrets; /* the version that it has */
	int exit_code;	  /* of the last end; -1: none, or unknown. In the store. */
	bool oom;
	int64_t used_cpu_milli, used_memory_bytes; /* -1: unknown */
	char *reason;				   /* or NULL */
	char *last_reason; /* of the last end, or NULL; not forgotten with the report */
	char *container;   /* or NULL */
	char *address;	   /* or NULL */
	char *ports;	   /* JSON, or NULL */
	uint32_t core;	   /* its number in the core, while its job is there; else NOBODY */
	bool told_pending, told_running; /* in the journal, since it was placed last */
	/* See kept.c: the incarnation that has a checkpoint, or may have; 0: none. On which
	 * machine, in the store both; that has been seen there; what to tell of it, or NULL. */
	uint64_t kept;
	uint32_t kept_at;
	bool kept_seen, kept_went_on;
	char *kept_note;
};

/* A change of a job that somebody asked for. */
struct history_item {
	int64_t time_ms;
	char who[CALLER_NAME_SIZE];
	char text[160];
};

struct held_job {
	struct held_job *next;
	struct arena *arena; /* of the file */
	struct job_file file;
	char *file_name, *text;
	size_t len;
	uint32_t core; /* its number there; NOBODY once it is stopped */
	bool stopped;
	const char *made_by; /* the job whose task has handed it in, or NULL */
	/* By which key and by whom it was handed in, see master_submit_once(); or NULL. */
	const char *key, *key_by;
	char *refusal;	 /* why it could not be taken up after a restart, or NULL */
	char *warning;	 /* what of it would be refused now, though it was accepted; or NULL */
	bool unreadable; /* its file cannot be read: what is kept is its name and its text */
	int64_t submitted_ms;
	struct held_task *tasks;
	uint32_t count;
	struct held_job *same_bucket; /* see names.c */
	uint64_t index;		      /* in the journal, of what happened to it last */
	/* The file is not what its text says any more: another count, other resources. */
	bool amended;
	bool rolling; /* some of its tasks are to be started anew yet */
	bool awaited; /* or were, and are not up yet */
	/* The file's list since it was resized, or NULL: an arena would keep each earlier one. What
	 * the list points to is the arena's. */
	struct job_override *overrides;
	struct history_item *history; /* the last ones, oldest first */
	size_t history_count;
};

/* A checkpoint that a machine says it has. */
struct held_kept {
	char task[TASK_NAME_SIZE];
	uint64_t incarnation;
	bool told; /* that nobody needs it */
};

struct held_machine {
	char name[MACHINE_NAME_MAX];
	struct machine_spec spec; /* strings are of the arena */
	uint32_t core;
	int64_t seen_ns;
	bool down, news;
	bool pressed;		 /* it takes nothing new for now, for want of memory */
	enum machine_state wish; /* of the operator: up, cordoned or draining; in the store */
	char wish_by[CALLER_NAME_SIZE]; /* who said so; in the store */
	int64_t drain_by_ms; /* then budgets hold nothing there any more; 0: never. In the store */
	bool written;	     /* to the store */
	/* Of what it was told to have last, by this master: a hash, and a number that rises when
	 * that changes. */
	uint64_t told_hash, told_number;
	const struct master_contact *contact;
	struct held_task *tasks;
	struct held_call *calls; /* see calls.h */
	struct summons *summons; /* see reach.c */
	struct held_kept *kept;	 /* as it said last */
	size_t kept_count;
};

struct secrets;
/* Where a job or a machine is, by its name: names.c. */
struct names {
	uint64_t seed;
	struct held_job **buckets;
	size_t bucket_count, job_count;
	struct map machines; /* hash to number */
};

/* See leave.c. */
struct leaving {
	struct leaving *next;
	char task[TASK_NAME_SIZE];
	uint64_t incarnation;
	uint32_t machine;
	/* Number of the last answer by which its machine may have started it: what the machine has
	 * said before it had heeded that answer tells nothing. */
	uint64_t told_number;
	int64_t notice_ms; /* -1: its own stop grace */
	bool checkpoint;
	bool fenced; /* nobody of that name starts before it is gone; in the store */
	bool gone;   /* and in the store no more, once it is not dirty */
	bool dirty;
};

struct master {
	struct loop *loop;
	struct secrets *secrets;
	struct held_rules *rules;
	struct audit *audit;
	struct loop_source *timer, *watchdog;
	struct cell_store *store;
	uint64_t epoch;
	uint64_t incarnations; /* the highest that was given away, ever; in the store */
	int64_t detection_ns, fence_ns;
	double production_share;	 /* 0: no matter */
	int64_t (*clock_ns)(void *data); /* NULL: the host's clocks */
	void *clock_data;
	int64_t watch_due_ns; /* when the watchdog was to come */
	struct cell *cell;
	struct outside outside;
	struct arena *arena; /* names of machines */
	struct held_job *jobs;
	struct held_job **by_core; /* jobs by their number in the core */
	size_t by_core_size;
	struct held_machine *machines; /* by their number here */
	uint32_t *machine_by_core;     /* and that by their number in the core; NOBODY */
	size_t machine_by_core_size;
	size_t machine_count, machine_size;
	struct names names; /* of jobs and machines */
	struct journal *journal;
	int64_t started_ms;
	struct master_listener *listeners;
	struct held_task *dirty;
	bool rolling; /* some job is, or awaited */
	struct leaving *leaving;
	const struct caller *acting; /* whose change is being made, or NULL */
	bool lost_a_fence;	     /* for want of memory: no single instance starts any more */
	bool loading;		     /* what the core tells now is known already */
	bool stuck; /* the store did not take the last batch: nothing is told until it does */
};

/* ---- master.c ---- */

/* For measuring and deadlines. */
int64_t master_now_ns(const struct master *master);

/* ---- settle.c ---- */

/* The core's clock; before every call to it. */
void master_tick(struct master *master);
/* Lets the core decide all that it can, writes what has changed, and tells the machines. */
void master_settle(struct master *master);
/* Writes the tasks that have changed with further changes, which may be none. */
int master_commit(struct master *master, const struct store_change *more, size_t more_count,
		  struct err *err);
void master_on_event(void *data, const struct event *event);

/* ---- tasks.c ---- */

void task_changed(struct master *master, struct held_task *task);
void task_place(struct master *master, struct held_task *task, uint32_t machine);
void task_unplace(struct master *master, struct held_task *task);
void task_pause(struct master *master, struct held_task *task, bool paused);
void task_forget_report(struct held_task *task);
void task_free(struct held_task *task);
/* By the core's numbers. */
struct held_task *task_of(struct master *master, uint32_t job, uint32_t index);
/* By "JOB/INDEX"; NULL. */
struct held_task *task_find(struct master *master, const char *name);
/* The core's number; NOBODY. */
uint32_t task_core(const struct master *master, const struct held_task *task);

/* Notes the core's numbers of its tasks, from that index on. */
void tasks_number(struct master *master, struct held_job *job, uint32_t from);
/* Room for that many; the tasks move in memory. 0 or -ENOMEM. */
int tasks_grow(struct master *master, struct held_job *job, uint32_t count);
/* They are not to be written any more. */
void tasks_undirty(struct master *master, const struct held_job *job, uint32_t from);

/* ---- change.c ---- */

/* For who speaks for its owner; one that is in the core. -ENOENT, -EPERM, -EINVAL. */
int job_find_to_change(struct master *master, const struct caller *caller, const char *name,
		       struct held_job **ret, struct err *err);

/* ---- scale.c ---- */

/* How many tasks it has; of a set, how many allocs that have not gone. */
uint32_t job_size(const struct held_job *job);
/* After loading: what had not joined its gang or its set then has not now. */
int scale_rejoin(struct master *master, struct err *err);

/* ---- plan.c ---- */

/* What would happen if the job became that. */
int plan_scale(struct master *master, struct held_job *job, const struct job *asked,
	       struct json_writer *w, struct err *err);

/* ---- restart.c ---- */

/* Goes on with jobs that are started anew, as far as their budgets let it. */
void restart_step(struct master *master);
/* After loading. */
void restart_loaded(struct master *master);
/* Is it up, in the eyes of a budget? */
bool restart_is_up(const struct held_task *task);
/* How many of its tasks are to be started anew yet. */
uint32_t restart_left(const struct held_job *job);

/* ---- names.c ---- */

/* 0 or -ENOMEM. */
int names_add_job(struct master *master, struct held_job *job);
void names_remove_job(struct master *master, struct held_job *job);
int names_add_machine(struct master *master, uint32_t machine);
void names_deinit(struct names *names);
/* Another job of the same name that was there before. NULL. */
struct held_job *names_older_job(const struct held_job *job);

/* ---- history.c ---- */

/* The oldest goes when there are too many. */
void history_add(struct master *master, struct held_job *job, const struct caller *caller,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Takes over what an earlier job of its name has; nothing of its own may be there yet. */
void history_inherit(struct held_job *job, struct held_job *from);
/* Takes the last one back. */
void history_undo(struct held_job *job);
void history_write(const struct held_job *job, struct json_writer *w);
int history_read(struct held_job *job, const struct json_node *root, struct err *err);

/* ---- amend.c ---- */

/* The file with other resources (0: as they are), of one task or of all (NOBODY); its list
 * of overrides lives in the arena, all else with the job. -EINVAL, -ENOMEM. */
int amend_resources(const struct held_job *job, uint32_t index, int64_t cpu_milli,
		    int64_t memory_bytes, struct arena *arena, struct job_file *ret,
		    struct err *err);
/* What its task is to have now. */
struct job_resources amend_resources_of(const struct held_job *job, uint32_t index);
void amend_write(const struct held_job *job, struct json_writer *w);
int amend_read(struct master *master, struct held_job *job, const struct json_node *root,
	       struct err *err);

/* The alloc that it runs in; NULL. */
struct held_task *task_alloc(const struct master *master, const struct held_task *task);

/* ---- jobs.c ---- */

const char *job_name(const struct held_job *job);
/* May it be handed in, beside what the core has to say? */
int job_check(struct master *master, const struct caller *caller, struct held_job *job,
	      struct err *err);
/* Writes the job's own record, with whatever else is to be written. */
int job_write(struct master *master, const struct held_job *job, struct err *err);
struct held_job *job_find(struct master *master, const char *name);
/* Takes the text over in any case; the job is in the master but not in the core. */
int job_make(struct master *master, const char *file_name, char *text, size_t len,
	     struct held_job **ret, struct err *err);
/* Of one in the store that this version cannot make out: it is there under its name, refused, for
 * people to look at and to purge; on the disk it stays as it is. */
int job_make_unreadable(struct master *master, const char *name, const char *text,
			const struct err *why, struct held_job **ret, struct err *err);
int job_admit(struct master *master, struct held_job *job, struct err *err);
void job_drop(struct master *master, struct held_job *job);
/* ---- program.c ---- */

/* What its tasks run; the strings are of the arena. */
int job_program(const struct master *master, const struct held_task *task, struct arena *arena,
		struct program *ret);

/* The number on its machine of the i-th port of its file; 0: none yet. */
uint16_t job_host_port(const struct master *master, const struct held_task *task, size_t i);

/* ---- machines.c ---- */

/* -ENOENT: NOBODY. */
struct held_machine *machine_find(struct master *master, const char *name);
int machine_add(struct master *master, const char *name, const struct machine_spec *spec,
		struct held_machine **ret, struct err *err);
/* By its number in the core; where that is an alloc's room, the machine that the alloc is on. */
uint32_t machine_of_core(const struct master *master, uint32_t core);
/* Looks who was silent for too long. */
void machines_watch(struct master *master);
/* Tells the core what state each machine is in: after loading. */
void machines_set_states(struct master *master);

/* ---- leave.c ---- */

#define LEAVE_KEY_SIZE (TASK_NAME_SIZE + 16)

/* The task leaves where it is; before task_unplace(). notice_ms -1: by its own stop grace. */
void leave_task(struct master *master, struct held_task *task, int64_t notice_ms, bool checkpoint);
/* All that the job has told, before it goes; and back, as it does not. */
void leave_job(struct master *master, struct held_job *job);
void leave_job_not(struct master *master, struct held_job *job);
/* NULL when out of memory. */
struct leaving *leave_add(struct master *master, const char *task, uint64_t incarnation,
			  uint32_t machine);
/* May it not start yet, since an earlier instance may run? */
bool leave_holds(const struct master *master, const struct held_task *task);
/* The machine on which it may run, and for how long yet (-1: until it says that it does not). NULL:
 * memory was short. */
const char *leave_holder(const struct master *master, const struct held_task *task,
			 int64_t *ret_left_ms);
/* The machine's report tells who is gone; before anybody else is told to go. */
void leave_hear(struct master *master, uint32_t machine, const struct machine_report *report);
/* Silence tells it, too. */
void leave_watch(struct master *master);
/* Forgets who is gone, and is not in the store. */
void leave_sweep(struct master *master);
void leave_free(struct master *master);
/* What the machine is told of them: at most leave_count() entries, whose strings live as long as
 * the list does not change. Returns how many. */
size_t leave_count(const struct master *master, uint32_t machine);
size_t leave_write(const struct master *master, uint32_t machine, struct want *wants);
/* At most leave_dirty() changes for the store; values are owned by the caller, also on -ENOMEM. */
size_t leave_dirty(const struct master *master);
int leave_changes(const struct master *master, char (*keys)[LEAVE_KEY_SIZE],
		  struct store_change *changes, size_t *ret_count);
void leave_written(struct master *master);
int leave_load(struct master *master, const char *name, const struct json_node *root,
	       struct err *err);

/* ---- kept.c ---- */

/* It leaves, and is to be checkpointed where it is; before leave_task(). */
void kept_expect(struct master *master, struct held_task *task);
/* It has a machine: the one with its checkpoint, or begins anew. */
void kept_placed(struct master *master, struct held_task *task);
/* It has no checkpoint any more. */
void kept_forget(struct master *master, struct held_task *task);
/* The incarnation from whose checkpoint it goes on, where it is; 0. */
uint64_t kept_for(const struct held_task *task);
/* The machine's report tells of its checkpoints; before what it tells of tasks. */
void kept_hear(struct master *master, uint32_t machine, const struct machine_report *report);
/* It has a checkpoint that nobody needs, and was not told so yet. */
bool kept_has_news(struct master *master, uint32_t machine);
int kept_write(struct master *master, uint32_t machine, struct arena *arena,
	       struct machine_wants *ret);
void kept_persist(const struct master *master, const struct held_task *task, struct json_writer *w);
int kept_load(struct master *master, struct held_task *task, const struct json_node *root,
	      struct err *err);
/* Loaded, it pends. */
void kept_prefer(struct master *master, const struct held_task *task);

/* ---- waits.c ---- */

/* It has a place, but an earlier instance may still run. */
bool waits_for_fence(const struct master *master, const struct held_task *task);
/* Appends to the text what the task waits for; false: it is room, or nothing. */
bool waits_tell(struct master *master, const struct held_task *task, char *text, size_t size);

/* ---- share.c ---- */

/* May production have that much more, for that job? -EDQUOT. The job is in the master, and counts
 * from when it is in the core. */
int share_check_more(const struct master *master, const struct held_job *job,
		     const struct amounts *more, struct err *err);
/* The job as a whole; as many tasks; a task, or all (NOBODY), that ask for that. */
int share_check(const struct master *master, const struct held_job *job, struct err *err);
int share_check_scale(const struct master *master, const struct held_job *job, uint32_t count,
		      struct err *err);
int share_check_resize(const struct master *master, const struct held_job *job, uint32_t index,
		       const struct amounts *each, struct err *err);

/* ---- wants.c ---- */

/* What the machine is to have; owned by the caller. */
int wants_write(struct master *master, struct held_machine *machine, char **ret, size_t *ret_len,
		struct err *err);

/* ---- reach.c ---- */

/* All streams that wait for the machine; strings live until the next change. -ENOMEM. */
int reach_write(const struct held_machine *machine, struct arena *arena, struct machine_wants *ret);
struct summons *reach_free(struct summons *summons);

/* ---- persist.c ---- */

#define PERSIST_INCARNATIONS "incarnations" /* a number in decimal digits */

/* Texts are owned by the caller; NULL when out of memory. */
char *persist_task(const struct master *master, const struct held_task *task, size_t *ret_len);
char *persist_job(const struct held_job *job, size_t *ret_len);
char *persist_machine(const struct held_machine *machine, size_t *ret_len);
int persist_load(struct master *master, struct err *err);

/* ---- view.c ---- */

#define REASON_SIZE 512
/* Why the core's pending task pends: the machines by what they lack, and what would help. */
void view_explain(struct cell *cell, uint32_t core, char text[static REASON_SIZE]);
const char *view_state(const struct held_task *task);
