/* SPDX-License-Identifier: Apache-2.0 */
/* What the tasks of a machine use, read from their cgroups every few seconds. */
#pragma once

#include "scheduler/agent/box.h"

#define USAGE_NS INT64_C(5000000000)

/* Of all that run. The first look at one tells nothing of its CPU yet. */
void usage_read(struct agent *agent);
