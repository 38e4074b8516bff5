/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live upgrade: a shim executes another binary in its place, on request.
 *
 * Theory of operation. The process stays the same, so it stays its children's parent, subreaper and
 * holder of its descriptors. All that lives in memory only goes as one message into a sealed memfd:
 * descriptors of stdio and of those who listen to it, executed processes, connections with what is
 * half read and half written, and the requests that wait for their answer, which are made again in
 * the new program; published ports, with the connections that go through them by TCP. What stands
 * in the journal (options, restarts, deadline) is read from there; of a container of containerd,
 * which has no journal, the Create request goes along, and events that containerd has not got yet.
 * The name server is opened again, and what a UDP port passes on goes by new sockets.
 *
 *	old	refuses unless all is at rest: -EBUSY, and the client asks again
 *	old	writes the message; lets the new binary check it in a child (action `check`)
 *	old	opens its descriptors to exec, and executes; where that fails it closes them and
 *goes on new	closes them to exec, takes over, answers the call that asked
 *	new	where it cannot take over after all it adopts, as after a kill -9 (adopt.h)
 */
#pragma once

#include "base/err.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/upgrade.pb-c.h"

#define UPGRADE_VERSION 1

/* Answers call when it is done, by the new program or with what failed; -EBUSY: not now. */
int upgrade_begin(struct shim *shim, const char *binary, struct rpc_call *call, struct err *err);

/* What the old program left; owned by the caller (proto_free). -EPROTO: another version. */
int upgrade_load(int fd, Upgrade__State **ret, struct err *err);

/* Of all descriptors of the message: whether they go with an exec. */
void upgrade_pass_fds(const Upgrade__State *state, bool pass);

int upgrade_restore(struct shim *shim, const Upgrade__State *state, struct err *err);
