/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "scheduler/core/state.h"

/* Can anybody ask for that? -ERANGE or -EINVAL with a sentence about the job. */
int admit_check_request(const char *job, const struct request *request, struct err *err);
