/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's profiles in the kernel. The default one, cellar-default, was compiled when Cellar was
 * built and is loaded at need; no program of AppArmor's is needed, nor that securityfs is mounted.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define APPARMOR_DEFAULT "cellar-default"

/* Whether this kernel has AppArmor, and it is on. */
bool apparmor_is_on(void);

/* 1 when a profile of the name is loaded, 0 when not, <0 when that cannot be told. */
int apparmor_is_loaded(const char *name, struct err *err);

/*
 * Loads the default profile unless this version of it was loaded since the machine has started:
 * mark is a file, beside the runtime's state, that remembers which. -ENOTSUP where the build had no
 * compiler for it, -EPERM where we may not.
 */
int apparmor_load_default(const char *mark, struct err *err);
