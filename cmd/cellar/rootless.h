/* SPDX-License-Identifier: Apache-2.0 */
/* What is different when the caller has no privileges over the host. */
#pragma once

#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

/* --rootless, whose word was checked. */
enum container_rootless rootless_mode(const struct cellar_globals *globals);

/*
 * The state folder without --root, where the usual one is not for us: $XDG_RUNTIME_DIR/cellar. With
 * `make` it is made, so that no one who tidies up takes it away. An error says what is missing.
 */
int rootless_set_root(struct cellar_globals *globals, bool make, struct err *err);
