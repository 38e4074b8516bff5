/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs mounts that are nobody else's business: a child in a mount namespace of its own, which
 * passes nothing on, makes them, works and ends, and they end with it. It dies with its parent.
 */
#pragma once

#include "base/err.h"

/* fn runs in the child, with all descriptors that are open. Returns what fn returned; err crosses.
 */
int mount_child_run(int (*fn)(const void *data, struct err *err), const void *data,
		    struct err *err);
