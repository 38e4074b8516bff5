/* SPDX-License-Identifier: Apache-2.0 */
/* The table of ps(1), narrowed to the processes of a container. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Runs ps with the person's options and prints its title and the lines of those pids. */
int ps_table_print(char **options, size_t options_count, const pid_t *pids, size_t pids_count,
		   struct err *err);
