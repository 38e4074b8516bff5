/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts as people write them. Results live in the arena; sentences quote the text.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_mounts.h"

/*
 * -v "SOURCE:TARGET[:OPTIONS]", or "TARGET" for an anonymous volume. SOURCE is a path of the host
 * ("/x", "./x", "../x", "."), or the name of a volume. Options: ro, rw, nocopy (volumes); z, Z;
 * private, rprivate, shared, rshared, slave, rslave (paths); cached, delegated and consistent mean
 * nothing on Linux.
 */
int mount_text_volume(const char *text, struct arena *arena, struct engine_mount *ret,
		      struct err *err);

/* --tmpfs "TARGET[:OPTIONS]". */
int mount_text_tmpfs(const char *text, struct arena *arena, struct engine_mount *ret,
		     struct err *err);

/*
 * --mount "type=bind,source=/x,target=/y,readonly": keys by commas, a field with a comma in it in
 * quotes ("source=/a,b", with a quote doubled). Without a type it is a volume. A bind's source must
 * exist.
 */
int mount_text_mount(const char *text, struct arena *arena, struct engine_mount *ret,
		     struct err *err);

/* For the files that read mounts. */

/* Cleans a target in place; -EINVAL where it is none. */
int mount_text_target(const char *text, char *target, struct err *err);

/* "./x" and ".." from where we stand, "/x" cleaned: absolute, in the arena. */
int mount_text_host_path(const char *text, const char *path, struct arena *arena, const char **ret,
			 struct err *err);

/* One of the six words, or NULL. */
const char *mount_text_propagation(const char *word);
#define MOUNT_TEXT_PROPAGATIONS "private, rprivate, shared, rshared, slave and rslave"
