/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_network.h"

#include <errno.h>
#include <string.h>

#include "runtime/engine/meta.h"

/* clang-format off */
const struct option_entry run_network_table[] = {
	OPTION_STRING(struct run_network, network, 0, "network", "NETWORK", "bridge (default), none, or host"),
	OPTION_STRING(struct run_network, network, 0, "net", "NETWORK", NULL),
	OPTION_STRING(struct run_network, hostname, 0, "hostname", "NAME", "host name (default: the beginning of the id)"),
	OPTION_LIST(struct run_network, publish, 'p', "publish", "[[ADDR:]HOST:]PORT[/udp]", "publish a port, or range of ports, on the host"),
	OPTION_END,
};
/* clang-format on */

static int fill_ports(const struct options_list *words, struct arena *arena,
		      struct engine_network_options *ret, struct err *err)
{
	_cleanup_publish_list_ struct publish_list list = { 0 };
	struct publish_port *ports;

	for (size_t i = 0; i < words->count; i++)
		if (publish_parse(words->items[i], &list, err) < 0)
			return err_add(err, "--publish");
	ports = arena_calloc(arena, list.count + 1, sizeof(*ports));
	if (!ports)
		return err_set(err, ENOMEM, "read the command line");
	if (list.count)
		memcpy(ports, list.items, list.count * sizeof(*ports));
	ret->ports = ports;
	ret->ports_count = list.count;
	return 0;
}

int run_network_fill(const struct run_network *args, struct arena *arena,
		     struct engine_run_options *ret, struct err *err)
{
	ret->hostname = args->hostname;
	if (args->network && meta_network_parse(args->network, &ret->network, err) < 0)
		return err_add(err, "--network");
	return fill_ports(&args->publish, arena, &ret->net, err);
}
