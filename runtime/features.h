/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this runtime can do, as features.md of the runtime specification has it. The words come from
 * the tables that the parsers use, so that nothing is promised that they refuse.
 */
#pragma once

#include "base/err.h"

/* JSON, owned by the caller. */
int features_format(char **ret_json, struct err *err);
