/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell whose master is elsewhere: `ctr --cell URL`, or the variable CELLAR_CELL, with the key
 * that `celld join` got for a person, in ~/.config/cellar/cell or where CELLAR_CELL_KEYS says.
 */
#pragma once

#include <limits.h>

#include "base/http/client.h"
#include "cmd/cellar-cell/verbs.h"
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

/* Where a cell's questions go: to a socket of this machine, or elsewhere. It must not move. */
struct place {
	bool elsewhere;
	struct remote remote;
	char socket[PATH_MAX];
};

#define PLACE_URL_SIZE 4096

int place_find(const struct cellar_cell *cell, struct place *ret, struct err *err);
void place_deinit(struct place *place);
/* Fills in where the call goes; both texts outlive it. */
int place_call(const struct place *place, const char *path, char url[static PLACE_URL_SIZE],
	       struct http_call *call, struct err *err);
/* Nobody listens there: -ECONNREFUSED with the sentence. */
int place_refused(const struct place *place, struct err *err);

#define _cleanup_place_ _cleanup_(place_deinit)
#define _cleanup_remote_ _cleanup_(remote_deinit)
