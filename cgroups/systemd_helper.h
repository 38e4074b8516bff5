/* SPDX-License-Identifier: Apache-2.0 */
/* Asking systemd, by way of cellar-systemd. */
#pragma once

#include "cgroups/systemd_request.h"

/*
 * Runs the helper for one request and waits for its answer, half a minute at most. ret_cgroup, of
 * the arena, NULL where none is told; may be NULL. -ENOTCONN when no systemd is there.
 */
int systemd_ask(const struct systemd_request *request, struct arena *arena, const char **ret_cgroup,
		struct err *err);
