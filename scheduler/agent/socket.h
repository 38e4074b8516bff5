/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's own way to its cell, for tasks with `api: true`: /run/cellar/cell.sock in the container,
 * HTTP and JSON, with the token of /run/cellar/token. What the task may ask is the master's to say
 * (scheduler/master/calls.c, docs/framework.md); here is only what keeps it from asking too much:
 * size, rate, and how many wait at once.
 *
 * A call goes along with each report until it is answered, and the master answers each once: a
 * message that is lost costs nothing here, either.
 */
#pragma once

#include "scheduler/agent/agent.h"

#define SOCKET_BODY_MAX ((size_t)256 << 10)
#define SOCKET_WAITING_MAX 8 /* calls of one task */
#define SOCKET_PER_S 20
#define SOCKET_BURST 50

struct box;
struct task_socket;

/* For a box with a pocket that has a token; others have no socket. */
int socket_open(struct box *box, struct err *err);
/* Answers what waits. Takes boxes without one. */
void socket_close(struct box *box);

/* Writes a new token for the folder api/ of a pocket. */
int socket_write_token(int api_fd, struct err *err);

/* All calls that wait, owned by the caller; NULL when out of memory. */
struct task_call *socket_calls(const struct agent *agent, size_t *ret_count);
void socket_heed(struct agent *agent, const struct machine_wants *wants);
