/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes and tmpfs mounts as people write them: "-v data:/srv:ro", "--tmpfs /run:size=64m". */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine.h"

/*
 * "SOURCE:TARGET[:OPTIONS]"; SOURCE is an absolute path, or the name of a volume; options are "ro"
 * and "rw". A relative path ("./x") is refused with the advice to write it whole.
 */
int volume_parse(const char *text, struct arena *arena, struct engine_volume *ret, struct err *err);

/* "TARGET[:OPTIONS]". */
int volume_parse_tmpfs(const char *text, struct arena *arena, struct engine_tmpfs *ret,
		       struct err *err);

/*
 * The folder or file on the host that a volume stands for, absolute and in the arena. Where it is
 * missing a folder is made: ROOT/volumes/NAME/data, or the path that was given, as Docker does.
 */
int volume_prepare(const char *root, const struct engine_volume *volume, struct arena *arena,
		   const char **ret_path, struct err *err);
