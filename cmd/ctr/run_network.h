/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: how a container is reached, and what it is called. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_network {
	const char *network, *hostname, *ip, *ip6, *mac;
	bool publish_all;
	struct options_list publish, exposed, alias, dns, dns_search, dns_option, add_host;
};

extern const struct option_entry run_network_table[];

/* What is made lives in the arena. */
int run_network_fill(const struct run_network *args, struct arena *arena,
		     struct engine_run_options *ret, struct err *err);
