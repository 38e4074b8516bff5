/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents between master and agent, as plain data: what a machine is to run, and what it says
 * of it. One exchange (`sync`) goes over whatever link there is; both ways it is JSON.
 *
 *	agent -> master	{"machine": NAME, "capacity": {...}, "tasks": [REPORT...]}
 *	master -> agent	{"epoch": N, "tasks": [WANT...]}
 *
 * The reply is the whole of what the machine is to have: the agent starts what is wanted and not
 * there, and ends what is there and not wanted. A task's incarnation rises with each start, so that
 * an earlier one is never taken for it. The wanted program comes along until the agent reports the
 * task. Nothing is lost when a message is: the next one says the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

#define TASK_NAME_SIZE 80 /* "JOB/INDEX" with NUL */

enum report_state {
	REPORT_STARTING,
	REPORT_RUNNING,
	REPORT_STOPPING,
	REPORT_ENDED, /* exit code or reason say how */
};

struct report_port {
	uint16_t host, container;
};

enum report_health { REPORT_UNCHECKED, REPORT_CHECKING, REPORT_HEALTHY, REPORT_UNHEALTHY };

struct report {
	const char *task; /* "JOB/INDEX" */
	uint64_t incarnation;
	enum report_state state;
	int exit_code; /* of an ended one; -1: unknown, or it never ran */
	bool oom;
	const char *reason;    /* why it could not run, or NULL */
	const char *container; /* its name under `ctr`, or NULL */
	const char *address;   /* or NULL */
	const struct report_port *ports;
	size_t port_count;
	/* Of an ended one: not its own doing, but the machine's, which had no memory left or lost
	 * its master for too long. It is no failure of the task's. */
	bool evicted;
	int64_t used_cpu_milli, used_memory_bytes; /* lately; -1: unknown */
	/* As its check says. Of an unhealthy one that runs the reason tells why. */
	enum report_health health;
	uint64_t secrets; /* the version of its secrets that lies in its files; 0: none, or unknown
			   */
	/* It goes on from its checkpoint; or why it could not be checkpointed, or not go on from
	 * its checkpoint; NULL. */
	bool restored;
	const char *no_checkpoint;
};

#define TASKS_KEPT_MAX 10000 /* of one machine in one message */

/* A task whose checkpoint lies on the machine, and its incarnation when that was made. */
struct task_kept {
	const char *task;
	uint64_t incarnation;
};

struct want_port {
	const char *name;
	uint16_t container, host; /* host 0: any */
	bool udp;
};

struct want_mount {
	const char *source, *target;
	bool readonly;
};

enum want_health_kind { WANT_HEALTH_OF_IMAGE, WANT_HEALTH_EXEC, WANT_HEALTH_HTTP, WANT_HEALTH_TCP };

struct want_health {
	enum want_health_kind kind;
	const char *const *exec;
	const char *path; /* of HTTP */
	uint16_t port;	  /* of HTTP and TCP, in the task's network */
	int64_t interval_ms, timeout_ms, start_period_ms;
	int64_t retries;
};

/* A file in memory that the task alone may read. */
struct want_secret {
	const char *target;
	const void *value; /* any bytes; NULL: the master cannot read it */
	size_t len;
};

/* Room that several tasks share: a cgroup around theirs. */
struct want_alloc {
	const char *name; /* "SET/INDEX" */
	int64_t cpu_milli, memory_bytes;
};

/* What a task asks of its cell through its socket, and what it is answered. */
struct task_call {
	uint64_t number; /* of the agent's choice */
	const char *task;
	uint64_t incarnation;
	const char *method, *path, *body;
	size_t body_len;
};

struct task_answer {
	uint64_t number;
	int64_t status;	  /* of HTTP */
	const char *body; /* JSON */
};

enum want_network { WANT_BRIDGE, WANT_HOST, WANT_NONE };

/* What is to run. */
struct program {
	const char *image;
	const char *const *entrypoint, *const *command; /* NULL: the image's */
	const char *const *env;				/* "K=V" */
	const char *workdir, *user;			/* or NULL */
	int64_t cpu_milli, memory_bytes, stop_grace_ms;
	unsigned priority;
	bool latency_sensitive;
	enum want_network network;
	const struct want_port *ports;
	size_t port_count;
	const struct want_mount *mounts;
	size_t mount_count;
	struct want_health health;
	const char *alloc; /* of machine_wants' allocs the one that it runs in, or NULL */
	bool api;	   /* it gets a socket to the cell */
	bool privileged;
	const char *const *devices; /* "/dev/fuse", ...; or NULL */
};

struct want {
	const char *task;
	uint64_t incarnation;
	bool ended;		       /* is over, and stays for its log; never started anew */
	bool paused;		       /* it is to stand still, in its memory */
	const struct program *program; /* NULL: the agent has it */
	/* It is to go, with that much time between SIGTERM and SIGKILL (-1: its own stop grace).
	 * With a checkpoint it gets no SIGTERM: its memory is written to the disk, and it ends;
	 * where that does not work it goes as the others do. */
	bool leaving, checkpoint;
	int64_t notice_ms;
	/* With a program: the incarnation from whose checkpoint it is to go on, where that lies on
	 * the machine; 0: from none. */
	uint64_t kept;
	/* It must not run longer than that after the report to which this is the answer was sent,
	 * unless a later answer says so again; 0: it may. */
	int64_t fence_ms;
	/* They come along until the agent reports their version. */
	const struct want_secret *secrets;
	size_t secret_count;
	uint64_t secrets_version; /* 0: it has none */
	/* Its limits from now on, where they are others than its program's; 0: as they are. */
	int64_t cpu_milli, memory_bytes;
};

struct machine_report {
	const char *machine, *rack; /* rack: or NULL */
	int64_t cpu_milli, memory_bytes, disk_bytes;
	/* The latest answer that was heeded: its epoch and number. */
	uint64_t heard_epoch, heard;
	bool pressed; /* its memory runs out: nothing new is to come for now */
	const struct report *tasks;
	size_t task_count;
	const struct task_call
		*calls; /* each is answered in the answer to this message, or never */
	size_t call_count;
	const struct task_kept *kept; /* checkpoints that nobody goes on from yet */
	size_t kept_count;
};

struct machine_wants {
	uint64_t epoch;
	uint64_t number; /* of what is wanted: it rises when that changes */
	const struct want *tasks;
	size_t task_count;
	const struct want_alloc *allocs; /* all on that machine */
	size_t alloc_count;
	const struct task_answer *answers;
	size_t answer_count;
	const struct task_kept *drop; /* checkpoints that nobody needs any more */
	size_t drop_count;
	/* Names of streams that somebody waits for on the machine (scheduler/api/streams.h); NULL:
	 * none. */
	const char *const *streams;
};

/* The texts are owned by the caller; NULL when out of memory. */
char *machine_report_format(const struct machine_report *report, size_t *ret_len);
char *machine_wants_format(const struct machine_wants *wants, size_t *ret_len);

/* Tells one program from another; 0 when out of memory. */
uint64_t program_hash(const struct program *program);

/* What they point to lives in the arena. -EINVAL with the JSON path. */
int machine_report_parse(const char *text, size_t len, struct arena *arena,
			 struct machine_report *ret, struct err *err);
int machine_wants_parse(const char *text, size_t len, struct arena *arena,
			struct machine_wants *ret, struct err *err);

const char *report_state_name(enum report_state state);
const char *report_health_name(enum report_health health);
