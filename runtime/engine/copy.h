/* SPDX-License-Identifier: Apache-2.0 */
/* Files between the host and a container, as `ctr cp` does it. */
#pragma once

#include "base/err.h"
#include "runtime/engine/engine.h"

struct engine_copy {
	bool into;	     /* from the host into the container, not out of it */
	const char *inside;  /* path in the container */
	const char *outside; /* path on the host; NULL, out of it: a tar to tar_fd */
	int tar_fd;
	bool keep_owner, follow; /* -a, -L: a symlink that is the source itself */
};

/*
 * As cp -r: into a folder that is there, or to a name that is not. "/." at the source's end: the
 * content alone. Of a running container all it sees; of another one its root file system, volumes
 * and binds. Paths in the container are resolved there, and no symlink leads out of it.
 */
int engine_copy(struct engine *engine, const struct engine_container *container,
		const struct engine_copy *copy, struct err *err);

/* Its root file system as a tar: what is mounted in it are empty folders. */
int engine_export(struct engine *engine, const struct engine_container *container, int out_fd,
		  struct err *err);
