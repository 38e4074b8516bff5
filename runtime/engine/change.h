/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to a container that there is, for the files of this folder only. */
#pragma once

#include "runtime/engine/engine.h"

/* Another name, and other labels in place of all that it has (NULL: as they are), both at once. 0
 * also where it has them already. -EEXIST when the name is taken. */
int change_identity(struct engine *engine, const struct engine_container *container,
		    const char *name, const struct labels *labels, struct err *err);
