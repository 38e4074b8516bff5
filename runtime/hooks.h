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

/*
 * Runs a list in order, each with the state document on stdin, its stdout thrown away, and stops at
 * the first that fails, is killed or runs longer than its timeout (then it and its process group
 * are killed). Its stderr becomes part of the sentence: "hook createRuntime[1] /bin/x: exit status
 * 3: what it said". cwd: the bundle.
 */
int hooks_run(const char *name, const struct oci_hook_list *list, const char *cwd,
	      const char *state, size_t state_len, struct err *err);
