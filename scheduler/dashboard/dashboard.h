/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dashboard: a page for a browser on this host that shows the cell and changes nothing. It
 * listens on 127.0.0.1 alone.
 *
 * The page itself is public and the same everywhere. What it reads of the API wants the token,
 * a secret of 256 bits that is new with each start; whoever may read its file may see the cell. The
 * token stands behind the '#' of the page's address, so that no server, log or referrer gets it,
 * and goes into a header that no other site can send. A Host or Origin that is not this host's is
 * refused: a foreign name that is made to point to 127.0.0.1 opens nothing.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct api;
struct dashboard;
struct loop;

/*
 * port 0: one that is free. address_path: the file, for the owner alone, that gets the page's
 * address with the token; removed in the end. The API outlives the dashboard.
 */
int dashboard_new(struct loop *loop, struct api *api, uint16_t port, const char *address_path,
		  struct dashboard **ret, struct err *err);
struct dashboard *dashboard_free(struct dashboard *dashboard);

uint16_t dashboard_port(const struct dashboard *dashboard);

CLEANUP_DEFINE(struct dashboard, dashboard, dashboard_free);
#define _cleanup_dashboard_ _cleanup_(cleanup_dashboard)
