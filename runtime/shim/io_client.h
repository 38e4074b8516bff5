/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that come later: the stdin of each is copied to the process's on its own, its outputs are
 * sinks beside the others, and go together.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

struct fanout;
struct io_input;

/* fd: the client's, taken over also on failure. to: the process's, of which a copy is taken; -1: it
 * has none that others may write to (-EBUSY). Those that have ended are forgotten. */
int io_input_add(struct io_input **list, struct loop *loop, int fd, int to, struct err *err);
/* The descriptors that they read from; ret is freed by the caller. */
int io_input_save(const struct io_input *list, int32_t **ret, size_t *ret_count);
void io_input_free_all(struct io_input **list);

/* fds: stdout and stderr, taken over also on failure; -1: none. One that is lost takes the other
 * along. */
int io_client_add_outputs(struct fanout *const fanouts[2], const int fds[2], struct err *err);
