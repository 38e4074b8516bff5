/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container needs on the host while it lives: mounts in RUNROOT/.engine/pins/ID/, each by a
 * name: "user" (its user namespace), "pid" and "ipc" (namespaces it joins), "shm" (a /dev/shm to be
 * shared), "layerN" (id-mapped layers). As a mount, a namespace stays the one that was meant,
 * whatever happens to the number of a process. Linked into the shim too.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

/* Writes RUNROOT/.engine/pins/ID/NAME. */
int pins_path(const char *runroot, const char *id, const char *name, char ret[static PATH_MAX],
	      struct err *err);

/* Makes the place for a mount there, a folder or a file, and writes its path. */
int pins_make(const char *runroot, const char *id, const char *name, bool folder,
	      char ret[static PATH_MAX], struct err *err);

/* Makes a place and mounts what the descriptor stands for: a namespace's file. */
int pins_bind(const char *runroot, const char *id, const char *name, int fd,
	      char ret[static PATH_MAX], struct err *err);

/* Unmounts and removes all of a container. 0 also where there is nothing. */
int pins_remove(const char *runroot, const char *id, struct err *err);
