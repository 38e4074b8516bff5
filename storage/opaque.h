/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark of a folder that hides what the layers below have at its place. The trusted one takes
 * privileges over the host; in a user namespace overlay is told by `userxattr` to take the other.
 */
#pragma once

#include "base/userns.h"

static inline const char *opaque_mark(void)
{
	return userns_is_initial() ? "trusted.overlay.opaque" : "user.overlay.opaque";
}

/* What overlay's options need for it. */
static inline const char *opaque_option(void)
{
	return userns_is_initial() ? "" : ",userxattr";
}
