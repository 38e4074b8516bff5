/* SPDX-License-Identifier: Apache-2.0 */
/* A container's place in the network: its namespace, NIC, addresses and published ports. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "netns/network.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/layout.h"

/* ---- before anything is made ---- */

static bool covers(const struct publish_port *have, const struct publish_port *want)
{
	return have->udp == want->udp && have->host >= want->host &&
	       have->host <= want->host_last &&
	       (!*have->address || !*want->address || strcmp(have->address, want->address) == 0);
}

struct search {
	const struct engine_network_options *options;
	char name[256];
};

static int look_for_holder(void *data, const struct engine_container *container)
{
	struct search *search = data;

	for (size_t i = 0; i < container->ports.count; i++)
		for (size_t j = 0; container->pid && j < search->options->ports_count; j++)
			if (covers(&container->ports.items[i], &search->options->ports[j]))
				snprintf(search->name, sizeof(search->name), "%s", container->name);
	return 0;
}

/* Who has it, if that is one of ours. */
static void name_holder(struct creation *c, struct err *err)
{
	struct search search = { .options = &c->options->net };
	struct err plain = *err;

	if (engine_each(c->engine, look_for_holder, &search, NULL) == 0 && *search.name)
		err_say(err, EADDRINUSE, "%s, by container %s", plain.text, search.name);
}

int creation_check_network(struct creation *c, struct err *err)
{
	const struct engine_network_options *net = &c->options->net;
	struct publish_list list = { .items = (struct publish_port *)(uintptr_t)net->ports,
				     .count = net->ports_count };
	int r;

	if (!net->ports_count)
		return 0;
	if (c->options->network == ENGINE_NETWORK_HOST) {
		log_warn("--publish does nothing with --network host: its ports are the host's");
		return 0;
	}
	if (c->options->network == ENGINE_NETWORK_NONE)
		return err_say(err, EINVAL, "--publish: with --network none nothing can come in");
	r = publish_probe(&list, err);
	if (r == -EADDRINUSE && err)
		name_holder(c, err);
	return r < 0 ? err_add(err, "--publish") : 0;
}

/* ---- namespace and NIC ---- */

static int note_lease(struct creation *c, const struct network_lease *lease, struct err *err)
{
	char text[INET_ADDRSTRLEN], gateway[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &lease->address, text, sizeof(text));
	inet_ntop(AF_INET, &lease->gateway, gateway, sizeof(gateway));
	c->meta.address = arena_printf(c->arena, "%s/%u", text, lease->prefix_len);
	c->meta.gateway = arena_strdup(c->arena, gateway);
	return c->meta.address && c->meta.gateway ? 0 : err_set(err, ENOMEM, "make network");
}

int creation_make_network(struct creation *c, struct err *err)
{
	const char *runroot = c->engine->runroot;
	struct network_lease lease;
	char dir[PATH_MAX];
	int r;

	if (c->options->network != ENGINE_NETWORK_BRIDGE)
		return 0;
	c->netns_path = arena_printf(c->arena, "%s/" LAYOUT_NETNS "/%s", runroot, c->id);
	if (!c->netns_path)
		return err_set(err, ENOMEM, "make network");
	r = layout_path(dir, runroot, LAYOUT_NETNS, NULL, err);
	if (r == 0)
		r = dir_create(AT_FDCWD, dir, 0700, err);
	if (r == 0)
		r = network_namespace_create(c->netns_path, err);
	if (r == 0)
		r = layout_path(dir, c->engine->root, LAYOUT_NETWORKS, NULL, err);
	if (r == 0)
		r = network_attach(dir, c->id, c->netns_path, &lease, err);
	return r < 0 ? err_add(err, "network") : note_lease(c, &lease, err);
}

/* ---- published ports ---- */

int creation_write_ports(struct creation *c, struct err *err)
{
	const struct engine_network_options *net = &c->options->net;
	struct publish_list list = { .items = (struct publish_port *)(uintptr_t)net->ports,
				     .count = net->ports_count };

	if (!net->ports_count || !c->meta.address)
		return 0;
	snprintf(list.target, sizeof(list.target), "%.*s", (int)strcspn(c->meta.address, "/"),
		 c->meta.address);
	return publish_save(c->fd, &list, err);
}
