/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_network.h"

#include "runtime/engine/meta.h"

/* clang-format off */
const struct option_entry run_network_table[] = {
	OPTION_STRING(struct run_network, network, 0, "network", "NETWORK", "bridge (default), none, or host"),
	OPTION_STRING(struct run_network, network, 0, "net", "NETWORK", NULL),
	OPTION_STRING(struct run_network, hostname, 0, "hostname", "NAME", "host name (default: the beginning of the id)"),
	OPTION_END,
};
/* clang-format on */

int run_network_fill(const struct run_network *args, struct arena *arena,
		     struct engine_run_options *ret, struct err *err)
{
	(void)arena;
	ret->hostname = args->hostname;
	if (args->network && meta_network_parse(args->network, &ret->network, err) < 0)
		return err_add(err, "--network");
	return 0;
}
