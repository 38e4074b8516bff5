/* SPDX-License-Identifier: Apache-2.0 */
/* Which HTTP status an error is told by, to people and to tasks alike. */
#pragma once

#include "base/err.h"

unsigned status_of_error(const struct err *err);
