/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell whose master is elsewhere: `ctr --cell URL`, or the variable CELLAR_CELL, with the key
 * that `celld join` got for a person, in ~/.config/cellar/cell or where CELLAR_CELL_KEYS says.
 */
#pragma once

#include "base/http/client.h"
#include "scheduler/link/keys.h"

#define REMOTE_HOST "https://" PKI_MASTER_HOST /* what its paths go behind */

struct remote {
	char *address;
	struct keys keys;
	struct http_trust trust;
};

/* url: of --cell, or NULL. 1: it is a remote cell, in *ret, which must not move; 0: it is the one
 * of this machine. */
int remote_find(const char *url, struct remote *ret, struct err *err);
void remote_deinit(struct remote *remote);

#define _cleanup_remote_ _cleanup_(remote_deinit)
