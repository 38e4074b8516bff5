/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every child of the shim ends here: those somebody watches are reported, orphans that the kernel
 * gave to the shim (it is a child subreaper) are just reaped. SIGCHLD is read in the loop, so a
 * child that dies before its watch is set is found in the next round, not lost. Code that waits
 * for a child by itself (hooks, a failed create) has done so before the loop runs again.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"

struct reaper;

/* wait_status as in waitpid(2). The watch is gone when this is called. */
typedef void (*reaper_fn)(void *data, pid_t pid, int wait_status);

int reaper_new(struct loop *loop, struct reaper **ret, struct err *err);
struct reaper *reaper_free(struct reaper *reaper);

/* -ENOMEM */
int reaper_watch(struct reaper *reaper, pid_t pid, reaper_fn fn, void *data);
void reaper_forget(struct reaper *reaper, pid_t pid);
