/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job file (docs/job-file.md, docs/job.schema.json): a job or an alloc set of a cell, in YAML or
 * JSON, as plain data in an arena. What is not written has the value that is told here, else 0 or
 * NULL.
 *
 *	job: web
 *	owner: search
 *	priority: 200
 *	tasks:
 *	  count: 3
 *	  image: localhost/bb:latest
 *	  command: [httpd, -f, -p, "8080"]
 *	  resources: {cpu: 100m, memory: 16Mi}
 */
#pragma once

#include "spec/job/field.h"

#define JOB_FILE_BYTES_MAX (4u << 20)
#define JOB_PRIORITY_MAX 450
#define JOB_TASKS_MAX 100000
#define JOB_PORTS_MAX 64

enum job_class { JOB_CLASS_DEFAULT, JOB_LATENCY_SENSITIVE, JOB_BATCH };
enum job_domain { JOB_DOMAIN_MACHINE, JOB_DOMAIN_RACK, JOB_DOMAIN_POWER };
enum job_preemption { JOB_PREEMPTION_KILL, JOB_PREEMPTION_PAUSE, JOB_PREEMPTION_CHECKPOINT };
enum job_restart { JOB_RESTART_ALWAYS, JOB_RESTART_ON_FAILURE, JOB_RESTART_NEVER };
enum job_network { JOB_NETWORK_BRIDGE, JOB_NETWORK_HOST, JOB_NETWORK_NONE };
enum job_protocol { JOB_TCP, JOB_UDP };

struct job_resources {
	int64_t cpu_milli, memory_bytes, disk_bytes;
	int64_t gpu_milli;     /* 1000: one whole; above, whole ones only */
	const char *gpu_model; /* NULL: any */
};

/* Exactly one of is, is_not, exists, absent. */
struct job_constraint {
	const char *attribute, *is, *is_not;
	bool exists, absent;
	bool prefer; /* else demanded */
};

struct job_spread {
	int over;	   /* enum job_domain */
	int64_t most;	   /* tasks in one domain; default 1 */
	const char *group; /* of jobs that count together; NULL: this job alone */
	bool prefer;	   /* a wish, not a demand */
};

struct job_port {
	const char *name;
	int64_t container, host; /* host: 0 for one that the cell chooses */
	int protocol;		 /* enum job_protocol */
};

struct job_volume {
	const char *source, *target; /* a path of the host, or the name of a volume */
	bool readonly;
};

struct job_secret {
	const char *name, *target; /* a file in memory */
};

/* One of exec, http, tcp. */
struct job_health {
	const char *const *exec;
	const char *http; /* path */
	const char *port; /* of a name in ports; for http and tcp */
	bool tcp;
	int64_t interval_ms, timeout_ms, retries, start_period_ms;
};

struct job_override {
	int64_t index;
	struct job_resources resources; /* what is 0 stays as for the others */
	struct field_pairs env;
};

struct job_tasks {
	int64_t count; /* default 1 */
	const char *image;
	const char *const *entrypoint, *const *command;
	struct field_pairs env;
	const char *workdir, *user;
	struct job_resources resources;
	int network;		   /* enum job_network */
	struct field_list ports;   /* struct job_port */
	struct field_list volumes; /* struct job_volume */
	struct field_list secrets; /* struct job_secret */
	struct job_health health;
	struct field_list overrides; /* struct job_override, by rising index */
	int64_t stop_grace_ms;	     /* between SIGTERM and SIGKILL; default 10 s */
	bool api;		     /* a socket to the cell in each task */
	bool privileged;
	const char *const *devices; /* of the machine; NULL when absent */
};

struct job_preempt {
	int how;	   /* enum job_preemption */
	int64_t notice_ms; /* default 30 s */
};

struct job_restarts {
	int when;     /* enum job_restart; default always, for batch on-failure */
	int64_t most; /* tries of a task; 0: no end */
	int64_t backoff_ms, backoff_max_ms; /* default 1 s, 5 min */
};

struct job_place {
	int line, column; /* from 1 */
};

struct job_file {
	const char *file;		    /* what errors call it */
	struct job_place name_at, after_at; /* of job or alloc_set, of after */
	const char *job, *alloc_set;	    /* the name: exactly one of them */
	const char *owner;
	int64_t priority; /* 0..450, Borg's bands of 2019 */
	int class;	  /* enum job_class; default by priority: production is latency-sensitive */
	const char *in;	  /* alloc set it runs in; NULL: on the machines */
	const char *const *cells, *const *after; /* NULL when absent */
	bool gang;				 /* all tasks start or none */
	bool single_instance;			 /* no task is ever twice, not for a moment */
	struct field_list constraints;		 /* struct job_constraint */
	struct job_spread spread, affinity;	 /* most 0: not asked for */
	int64_t disruption_budget; /* tasks that may be down by the cell's doing; 0: any number */
	struct job_preempt preemption;
	struct job_restarts restart;
	struct job_tasks tasks;
	/* Of an alloc set: how many allocs, and what each reserves. */
	int64_t allocs;
	struct job_resources reserve;
};

/*
 * name: what errors call the file ("web.yaml"). Everything lives in the arena. -EINVAL with
 * "web.yaml:7:10: tasks.resources.cpu: ...", -E2BIG, -ENOMEM.
 */
int job_file_parse(const char *name, const char *text, size_t len, struct arena *arena,
		   struct job_file *ret, struct err *err);

/* The same of a file that an earlier version has accepted: lists may be longer than they may be
 * now.
 */
int job_file_parse_accepted(const char *name, const char *text, size_t len, struct arena *arena,
			    struct job_file *ret, struct err *err);

/* Both jobs, or both alloc sets: what differs (field.h). */
int job_file_diff(const struct job_file *from, const struct job_file *to, field_diff_fn fn,
		  void *data);

/* The JSON schema; owned by the caller. NULL when out of memory. */
char *job_file_schema(void);
