/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of containers: symlinks CONTAINERS/.names/NAME -> ID. Making the link is taking the name;
 * a link whose container is gone was left by a crash and may be taken over. Unlinking happens under
 * CONTAINERS/.names/.lock, so that nobody removes a link that was made anew meanwhile.
 *
 * containers_fd is the open folder ROOT/containers everywhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "runtime/engine/layout.h"

#define NAMES_MAX 128

/* A letter or digit, then letters, digits, '_', '.', '-'; at most NAMES_MAX characters. */
bool names_is_valid(const char *name);

/* A name for a container that got none: "bright_lantern"; random chooses. Not unique. */
void names_make_up(uint32_t random, char ret[static NAMES_MAX + 1]);

/* -EEXIST with the owner's id in the sentence where the name is taken. */
int names_take(int containers_fd, const char *name, const char *id, struct err *err);

/* Only where the name is still that id's. 0 also when it is not. */
int names_release(int containers_fd, const char *name, const char *id, struct err *err);

/* A name that stands for the id, for a container that cannot tell its own: 0 or -ENOENT. */
int names_find_of(int containers_fd, const char *id, char ret[static NAMES_MAX + 1]);

/* The id a name stands for: 0 or -ENOENT. Whether that container exists is not looked at. */
int names_find(int containers_fd, const char *name, char ret[static LAYOUT_ID_SIZE]);
