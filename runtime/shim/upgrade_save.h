/* SPDX-License-Identifier: Apache-2.0 */
/* The message of an upgrade, made from a shim: it points into that, which must stay as it is. */
#pragma once

#include "runtime/shim/ports.h"
#include "runtime/shim/upgrade.h"

struct upgrade_saved_task;

struct upgrade_saved {
	Upgrade__State state;
	struct upgrade_saved_task *tasks;
	Upgrade__Task **list;
	size_t count;
	struct ports_saved ports;
};

/* *ret all zero before. -EBUSY: something is under way. upgrade_unsave() also after a failure. */
int upgrade_save(const struct shim *shim, struct upgrade_saved *ret);
void upgrade_unsave(struct upgrade_saved *saved);
