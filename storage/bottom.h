/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer below every image's: the empty folders and files that the mounts of a container cover.
 * Most images have no /etc/hosts; without this layer each container would copy its /etc up into its
 * own folder to make one, only to cover it and to remove it again.
 */
#pragma once

#include "base/err.h"

struct store;

/* Below the store's root, among the links, so that a mounter shortens its path like theirs. */
#define BOTTOM_LAYER "l/bottom"

/* Makes it where it is missing. */
int bottom_make(struct store *store, struct err *err);
