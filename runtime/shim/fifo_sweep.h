/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FIFOs of clients of ctr that were killed. Such a client makes NAME.{in,out,err} in the io folder
 * of the container (runtime/engine/fifos.h) and removes them when it leaves; nothing tells that it
 * has died but the end of its connections. So some time after every such end the folder is looked
 * at, and what nobody reads any more goes.
 */
#pragma once

struct shim;

/* Their name begins so; of the container's own process, for whom another client may come. */
#define FIFO_SWEEP_OWN "init."

/* While they are being made they have this in front, and are left alone. */
#define FIFO_SWEEP_HIDDEN "."

/* Looks at the io folders of all tasks soon, and some more times while FIFOs are left there: the
 * kernel closes the connections of one that dies before, or after, its other descriptors. */
void fifo_sweep_soon(struct shim *shim);

/* Removes those that no client has open. How many are left of others; 0 for no folder. */
int fifo_sweep_folder(const char *path);
