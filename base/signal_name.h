/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as people and images name them. */
#pragma once

#include "base/err.h"

/* The signal of "9", "KILL", "SIGKILL" or "RTMIN+3", any case. -EINVAL. */
int signal_parse(const char *text, int *ret, struct err *err);
