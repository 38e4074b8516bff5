/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shim is to do with its container while nobody watches, as asked for when it is created.
 * Plain data; zero is what containerd and the cell's agent want: nothing but the log's defaults.
 */
#pragma once

#include <stdint.h>

#include "runtime/shim/health_check.h"

enum shim_restart {
	SHIM_RESTART_NO,
	SHIM_RESTART_ON_FAILURE, /* when its status is not 0 */
	SHIM_RESTART_ALWAYS,
	SHIM_RESTART_UNLESS_STOPPED,
};

struct shim_policy {
	int64_t log_max_bytes;	/* of one file; 0: the default (10 MiB), -1: no limit */
	unsigned log_max_files; /* 0: the default (3) */
	enum shim_restart restart;
	unsigned restart_max;	   /* on failure: so many restarts; 0: any number */
	struct shim_health health; /* its texts are the caller's */
};
