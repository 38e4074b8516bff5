/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to owners: secrets, quotas, and the policy about them; for the table in routes.c. */
#pragma once

#include "scheduler/api/routes.h"

/* What the query must have: -EINVAL with a sentence. */
int call_need(const struct call *call, const char *query, const char **ret, struct err *err);

int get_secrets(const struct call *call, struct err *err);
int put_secret(const struct call *call, struct err *err);
int delete_secret(const struct call *call, struct err *err);
