/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces of the caller's network namespace that move into another one, as linux.netDevices of
 * the runtime specification asks: with their MTU, MAC and permanent global addresses, under another
 * name if wanted, and set up. Written without libmnl, for programs that are linked statically.
 */
#pragma once

#include <net/if.h>

#include "base/err.h"

/*
 * Moves interface host_name into netns_fd and calls it name there; NULL: as it was; with one "%d"
 * the lowest free number is put in. A name that is taken there is -EEXIST, before anything is done;
 * after a failure the interface may be on either side. ret_name: what it is called there, also
 * after a failure, "" before a name was chosen.
 */
int device_move(int netns_fd, const char *host_name, const char *name,
		char ret_name[static IFNAMSIZ], struct err *err);
