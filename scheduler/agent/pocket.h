/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's pocket: a folder in memory on the host, RUNROOT/.cell/INCARNATION, a tmpfs of its own,
 * of which parts are bound into the task's container. It outlives the agent, and goes with the box.
 *
 *	secrets/0, 1, ...	of the task's user, mode 0400; bound read-only to their targets
 *	api/			bound read-only to /run/cellar, see socket.h
 */
#pragma once

#include "base/err.h"
#include "runtime/engine/engine.h"
#include "scheduler/agent/agent.h"

struct box;

#define POCKET_API_TARGET "/run/cellar"

/* Makes it for a box that is new, with the secrets in it. Nothing is left when it fails. */
int pocket_make(struct box *box, const struct want *want, struct err *err);
/* Gives the box that has one other secrets, where the master sent some: the files stay the same. */
void pocket_update(struct box *box, const struct want *want);
/* Mounts for the container; mounts has room for pocket_mount_count(). Strings are of the arena. */
size_t pocket_mount_count(const struct box *box);
int pocket_add_mounts(const struct box *box, struct arena *arena, struct engine_mount *mounts);
/* To the user that config.json in that folder names, before the container starts. */
int pocket_give(const struct box *box, const char *dir, struct err *err);
/* The open folder api/, O_PATH. */
int pocket_open_api(const struct box *box, struct err *err);

/* Takes boxes without one. */
void pocket_remove(struct box *box);
/* An earlier agent made one for the box, which is adopted? */
bool pocket_find(const struct box *box);
/* Removes those of which no box of the agent knows. */
void pocket_sweep(struct agent *agent);
