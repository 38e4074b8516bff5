/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job as it is submitted: plain data, from a job file, a trace or a test. Strings belong to the
 * caller and are copied; the zero value of every field is the default.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/core/amounts.h"

/* Borg's bands of 2019. */
enum band { BAND_FREE, BAND_BATCH, BAND_MID, BAND_PRODUCTION, BAND_MONITORING, BAND_COUNT };

#define PRIORITY_MAX 450

enum {
	PRIORITY_BATCH = 100,
	PRIORITY_MID = 116,
	PRIORITY_PRODUCTION = 120,
	PRIORITY_MONITORING = 360,
};

static inline enum band band_of(unsigned priority)
{
	return priority < PRIORITY_BATCH	? BAND_FREE
	       : priority < PRIORITY_MID	? BAND_BATCH
	       : priority < PRIORITY_PRODUCTION ? BAND_MID
	       : priority < PRIORITY_MONITORING ? BAND_PRODUCTION
						: BAND_MONITORING;
}

enum comparison { COMPARE_EQUAL, COMPARE_UNEQUAL, COMPARE_EXISTS, COMPARE_ABSENT };

/* A demand on a machine's attributes. "rack" and "power" are attributes, too. */
struct constraint {
	const char *key, *value; /* value: NULL for exists and absent */
	enum comparison comparison;
	bool soft; /* preferred, not demanded */
};

/* How the tasks of a job (or of all jobs that name the same group) lie to each other. */
enum spread {
	SPREAD_NONE,
	SPREAD_TOGETHER, /* affinity: all in one domain */
	SPREAD_APART,	 /* anti-affinity: at most `most` in one domain */
	SPREAD_DIVIDED,	 /* tasks of different divisions of a group never share a domain */
};

enum domain { DOMAIN_MACHINE, DOMAIN_RACK, DOMAIN_POWER, DOMAIN_COUNT };

struct spread_rule {
	enum spread kind;
	enum domain domain;
	const char *group; /* NULL: the job itself */
	uint32_t most;	   /* SPREAD_APART; 0 stands for 1 */
	uint32_t division; /* SPREAD_DIVIDED */
	bool soft;	   /* preferred, not demanded: TOGETHER and APART alone */
};

enum on_preemption { PREEMPTION_KILL, PREEMPTION_PAUSE, PREEMPTION_CHECKPOINT };

/* What differs in one task of a job. */
struct task_override {
	uint32_t index;
	struct request request;
};

/* Which tasks start again when they have ended by themselves. */
enum restart { RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_NEVER };

struct restart_rule {
	enum restart when;
	uint32_t most;		/* restarts of one task; 0: no end */
	int64_t backoff_ms;	/* before the first, doubled each time; 0 stands for 1 s */
	int64_t backoff_max_ms; /* 0 stands for 5 min */
};

struct job {
	const char *name, *owner;
	unsigned priority;	/* 0..450 */
	bool latency_sensitive; /* else batch */
	uint32_t count;		/* tasks, at least 1 */
	struct request request;
	const char *device_model;   /* of all requests, where they ask for devices; NULL: any */
	const uint16_t *host_ports; /* beside request's: these numbers, each task on its machine */
	size_t host_port_count;
	const char *image;		       /* machines that hold it are preferred; NULL */
	const struct task_override *overrides; /* by rising index */
	size_t override_count;
	const struct constraint *constraints;
	size_t constraint_count;
	struct spread_rule spread, affinity; /* two rules; both must hold */
	uint32_t disruption_budget; /* tasks that may be down by our doing at once; 0: any number */
	enum on_preemption on_preemption;
	int64_t notice_ms; /* that a victim gets; told in its event */
	struct restart_rule restart;
	const char *const *cells; /* names of cells that it may run in; none: any */
	size_t cell_count;
	bool gang;		  /* all tasks start or none */
	const char *const *after; /* names of jobs that must be over; they must be there */
	size_t after_count;
	/* An alloc set: its tasks are allocs, room that is held for tasks of other jobs, and all of
	 * them are reserved at once or none. */
	bool reserves;
	const char *alloc_set; /* runs in this set's allocs only; NULL: on the machines */
};
