/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a container on disk, ROOT/ID/state.json.
 *
 * The file is made once, before the clone, by the process that holds the folder's lock. What is
 * only known later (pid, start time, ready) stands first and in fields of fixed width, so that one
 * pwrite(2) puts it in: a kill -9 finds the file without it or with it, and no second file and no
 * rename are paid for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

#define RECORD_FILE "state.json"
#define RECORD_VERSION 1

struct record {
	/* Put in by record_update(). */
	pid_t pid;	      /* of init, 0 while there is none */
	uint64_t start_ticks; /* with the pid it names init for good */
	bool ready;	      /* created to the end; false: creating, or its creator died */

	/* What is wrong with the file, or NULL; then all else is zero. It may also be that its
	 * creator is writing it just now. */
	const char *damage;

	const char *oci_version, *id;
	const char *bundle, *rootfs; /* absolute */
	const char *created;	     /* RFC 3339 */
	const char *cgroup_path;     /* for cgroup_open(); NULL: not known, or none */
	const char *systemd_unit;    /* that the cgroup is of, or NULL */
	bool systemd_user;	     /* of the user's manager */
	bool exec_fifo;		     /* started through one; it is gone once started */
	const struct oci_annotation *annotations;
	size_t annotations_count;
};

/* Makes the file. */
int record_create(int dirfd, const struct record *record, struct err *err);

/* Writes pid, start_ticks and ready into the file that record_create() made. */
int record_update(int dirfd, const struct record *record, struct err *err);

/*
 * Reads the file; strings live in the arena. Returns 1 where the file is absent or empty (its
 * creator was killed, or is at work) or damaged, with the rest of *ret zeroed. A file of a newer
 * version is -EPROTO.
 */
int record_load(int dirfd, struct arena *arena, struct record *ret, struct err *err);
