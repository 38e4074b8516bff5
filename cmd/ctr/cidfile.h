/* SPDX-License-Identifier: Apache-2.0 */
/* --cidfile: a file of the person's that gets a container's id. */
#pragma once

#include "base/err.h"

/* Before anything is made: -EEXIST when there is such a file. */
int cidfile_check(const char *path, struct err *err);

/* Makes it appear with the id in it, whole; -EEXIST when somebody was faster. */
int cidfile_write(const char *path, const char *id, struct err *err);
