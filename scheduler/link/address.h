/* SPDX-License-Identifier: Apache-2.0 */
/* Where a master is. */
#pragma once

#include "base/err.h"

#define LINK_PORT "7643"

/* "HOST:PORT" of "https://HOST[:PORT]"; owned by the caller. -EINVAL. */
int link_address(const char *url, char **ret, struct err *err);
