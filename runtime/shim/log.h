/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a container's output. One record a line, as Kubernetes' CRI writes them:
 *
 *	2026-11-22T16:14:49.123456789Z stdout F a whole line
 *	2026-11-22T16:14:49.123456789Z stdout P a part, without the end of its line
 *
 * What has arrived is written at once: a piece without newline (a prompt, a part of a long line)
 * becomes a P record, and the F record that follows on the same stream completes it. So nothing is
 * buffered, `logs` shows what there is, and output is reproduced byte for byte.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* Creates with mode 0600 and appends. Returns an fd. */
int shim_log_open(const char *path, struct err *err);

/* Returns 0, or -errno where the disk took less than all (the rest is lost). */
int shim_log_append(int fd, const char *stream, const void *data, size_t len);
