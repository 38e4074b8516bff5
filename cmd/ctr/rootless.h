/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctr by a user who is not root: everything is done as root of a user namespace with the ids that
 * /etc/subuid gives the user, in a mount namespace of its own, and kept in the user's folders.
 */
#pragma once

#include "cmd/ctr/verbs.h"

/* Goes there, and fills in --root and --runroot where they were not given. */
int rootless_enter(struct ctr *ctr, struct err *err);
