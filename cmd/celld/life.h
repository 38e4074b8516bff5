/* SPDX-License-Identifier: Apache-2.0 */
/* What every daemon of celld does: it runs on a loop until it is told to end, in folders of its
 * own. */
#pragma once

#include "base/err.h"

struct life {
	struct loop *loop;
	struct loop_source *signals;
};

/* SIGTERM and SIGINT end the loop. */
int life_begin(struct life *life, struct err *err);
void life_end(struct life *life);

/* Makes both folders. */
int life_folders(const char *root, const char *runroot, struct err *err);

/* DIR/NAME. -ENAMETOOLONG. */
int life_path(char *ret, const char *dir, const char *name, struct err *err);

/* Says that it is ready: on stdout, and to systemd where that waits for it. */
void life_ready(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
