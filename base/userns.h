/* SPDX-License-Identifier: Apache-2.0 */
/* What this process may do to its host: told from its user and its user namespace. */
#pragma once

#include <stdbool.h>

/*
 * True in the host's own user namespace, or in one that cannot be told from it: ids map to
 * themselves, all of them. Read once per process from /proc/self/uid_map; false where that cannot
 * be read.
 */
bool userns_is_initial(void);

/* Whether the group exists in our user namespace, so that a file can have it. */
bool userns_maps_group(unsigned gid);

/* No privileges over the host: not root at all, or root of a user namespace only. */
bool userns_is_rootless(void);
