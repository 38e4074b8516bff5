/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a volume: containers, by id. Linked into the shim too. */
#pragma once

#include "base/err.h"
#include "runtime/engine/meta.h"
#include "storage/volume.h"

/* A user lives as long as there is a folder of that container. containers_fd may hold -1. */
struct volume_judge volume_users_judge(const int *containers_fd);

/*
 * What a container had lets go of it; anonymous volumes go with it when remove. Failures are
 * logged: what stays is a volume nobody uses, which `ctr volume prune` finds.
 */
void volume_users_release(const char *root, const char *runroot, const int *containers_fd,
			  const struct meta *meta, bool remove);
