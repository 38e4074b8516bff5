/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks that run in the runtime's namespaces: prestart, createRuntime, poststart, poststop
 * (runtime-spec, config.md "POSIX-platform Hooks"). createContainer and startContainer are run by
 * cellar-init.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "spec/oci_config.h"

/* Where hooks run, and where what they say goes. */
struct hooks_place {
	const char *cwd;	 /* the bundle */
	const char *stdout_path; /* a file that is appended to; NULL: thrown away */
	const char *stderr_path; /* the same; NULL: it becomes part of the sentence */
};

/* The place of a container's hooks; its strings are config's. */
struct hooks_place hooks_place(const struct oci_config *config, const char *bundle);

/*
 * Runs a list in order, each with the state document on stdin, and stops at
 * the first that fails, is killed or runs longer than its timeout (then it and its process group
 * are killed). Its stderr becomes part of the sentence: "hook createRuntime[1] /bin/x: exit status
 * 3: what it said".
 */
int hooks_run(const char *name, const struct oci_hook_list *list, const struct hooks_place *place,
	      const char *state, size_t state_len, struct err *err);
