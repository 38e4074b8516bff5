/* SPDX-License-Identifier: Apache-2.0 */
/* A container's place in the network: its namespace, NIC, addresses and published ports. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/userns.h"
#include "netns/network.h"
#include "netns/resolver_file.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/host_files.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/resolve.h"

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

/* What only a NIC of its own can have. */
static int check_words(const struct engine_run_options *o, struct err *err)
{
	const struct network_request *q = &o->net.request;
	const char *word = NULL;

	if (o->network == ENGINE_NETWORK_BRIDGE)
		return 0;
	if (q->address.s_addr)
		word = "--ip";
	else if (!IN6_IS_ADDR_UNSPECIFIED(&q->address6))
		word = "--ip6";
	else if (q->has_mac)
		word = "--mac-address";
	else if (o->net.aliases && *o->net.aliases)
		word = "--network-alias";
	return word ? err_say(err, EINVAL, "%s: only with --network bridge", word) : 0;
}

int creation_check_network(struct creation *c, struct err *err)
{
	const struct engine_network_options *net = &c->options->net;
	struct publish_list list = { .items = (struct publish_port *)(uintptr_t)net->ports,
				     .count = net->ports_count };
	int r;

	if (c->options->network == ENGINE_NETWORK_BRIDGE && userns_is_rootless())
		return err_say(
			err, EPERM,
			"--network bridge takes root, who alone may change the host's network: "
			"run it with --network host or --network none, or as root");
	r = check_words(c->options, err);
	if (r < 0 || !net->ports_count)
		return r;
	if (c->options->network == ENGINE_NETWORK_HOST) {
		log_warn("--publish does nothing with --network host: its ports are the host's");
		return 0;
	}
	if (c->options->network != ENGINE_NETWORK_BRIDGE)
		return err_say(err, EINVAL, "--publish: only with --network bridge%s",
			       c->options->network == ENGINE_NETWORK_NONE
				       ? ", nothing can come in without a network"
				       : ", the network is the other container's");
	r = publish_probe(&list, err);
	if (r == -EADDRINUSE && err)
		name_holder(c, err);
	return r < 0 ? err_add(err, "--publish") : 0;
}

/* ---- exposed ports ---- */

static bool has_port(const struct publish_list *list, const struct publish_port *port)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].container == port->container && list->items[i].udp == port->udp)
			return true;
	return false;
}

/* list: in an arena, and what goes beyond it is copied there. */
static int append_missing(struct publish_list *list, const char *const *words, struct arena *arena,
			  struct err *err)
{
	_cleanup_publish_list_ struct publish_list more = { 0 };
	struct publish_port *items;

	for (; words && *words; words++)
		if (publish_parse(*words, &more, err) < 0)
			return err_add(err, "--publish-all");
	items = arena_calloc(arena, list->count + more.count + 1, sizeof(*items));
	if (!items)
		return err_set(err, ENOMEM, "publish exposed ports");
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	list->items = items;
	for (size_t i = 0; i < more.count; i++)
		if (!has_port(list, &more.items[i]))
			items[list->count++] = more.items[i];
	return 0;
}

int creation_publish_exposed(struct creation *c, struct engine_run_options *options,
			     struct err *err)
{
	struct engine_network_options *net = &options->net;
	struct publish_list list = { .items = (struct publish_port *)(uintptr_t)net->ports,
				     .count = net->ports_count };
	int r;

	if (!net->publish_all || options->network == ENGINE_NETWORK_HOST)
		return 0;
	r = append_missing(&list, net->exposed, c->arena, err);
	if (r == 0)
		r = append_missing(&list, c->image->config.exposed_ports, c->arena, err);
	if (r < 0)
		return r;
	if (list.count > PUBLISH_MAX)
		return err_say(err, E2BIG,
			       "--publish-all: %zu ports are exposed, and %d is the most",
			       list.count, PUBLISH_MAX);
	net->ports = list.items;
	net->ports_count = list.count;
	return 0;
}

/* ---- namespace and NIC ---- */

static const char *text_of(struct arena *arena, int family, const void *address,
			   unsigned prefix_len)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, address, text, sizeof(text));
	return prefix_len ? arena_printf(arena, "%s/%u", text, prefix_len)
			  : arena_strdup(arena, text);
}

static int note_lease(struct creation *c, const struct network_lease *l, struct err *err)
{
	struct meta *m = &c->meta;
	const uint8_t *mac = l->mac;

	m->address = text_of(c->arena, AF_INET, &l->address, l->prefix_len);
	m->gateway = text_of(c->arena, AF_INET, &l->gateway, 0);
	m->net.mac = arena_printf(c->arena, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
				  mac[3], mac[4], mac[5]);
	if (l->ipv6) {
		m->net.address6 = text_of(c->arena, AF_INET6, &l->address6, 64);
		m->net.gateway6 = text_of(c->arena, AF_INET6, &l->gateway6, 0);
	}
	if (!m->address || !m->gateway || !m->net.mac ||
	    (l->ipv6 && (!m->net.address6 || !m->net.gateway6)))
		return err_set(err, ENOMEM, "make network");
	return 0;
}

/* That of a running container: by its process, so of whatever kind it is. */
static int join_network(struct creation *c, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *other = NULL;
	int r = engine_find(c->engine, c->options->net.join, &other, err);

	if (r < 0)
		return err_add(err, "--network");
	if (!other->pid)
		return err_say(err, ESRCH, "--network: container %s is not running", other->name);
	r = creation_hold_namespace(c, other, "net", &c->netns_path, err);
	if (r < 0)
		return err_add(err, "--network");
	c->joined_dir = arena_strdup(c->arena, other->dir);
	c->meta.net.joined = arena_strdup(c->arena, other->id);
	return c->netns_path && c->joined_dir && c->meta.net.joined
		       ? 0
		       : err_set(err, ENOMEM, "make network");
}

int engine_find_obstacle(struct engine *engine, struct network_obstacle *ret, struct err *err)
{
	char dir[PATH_MAX];
	int r = layout_path(dir, engine->root, LAYOUT_NETWORKS, NULL, err);

	return r < 0 ? r : network_find_obstacle(dir, ret, err);
}

/* Said once, and again when it has changed: the file tells what was said last. */
static void warn_of_obstacle(struct creation *c)
{
	_cleanup_free_ char *said = NULL;
	struct network_obstacle found;
	char path[PATH_MAX];
	int r = engine_find_obstacle(c->engine, &found, NULL);

	if (layout_path(path, c->engine->root, LAYOUT_NETWORKS, "warned", NULL) < 0)
		return;
	if (r <= 0) {
		unlink(path);
		return;
	}
	if (file_read(AT_FDCWD, path, sizeof(found.chain), &said, NULL, NULL) == 0 &&
	    strcmp(said, found.chain) == 0)
		return;
	file_replace(AT_FDCWD, path, found.chain, strlen(found.chain), 0600, false, NULL);
	log_warn("containers cannot reach the outside, because %s drops what is forwarded; let "
		 "them through: %s",
		 found.chain, found.advice);
}

int creation_make_network(struct creation *c, struct err *err)
{
	const char *runroot = c->engine->runroot;
	struct network_lease lease;
	char dir[PATH_MAX];
	int r;

	if (c->options->network == ENGINE_NETWORK_CONTAINER)
		return join_network(c, err);
	if (c->options->network != ENGINE_NETWORK_BRIDGE)
		return 0;
	c->netns_path = arena_printf(c->arena, "%s/" LAYOUT_NETNS "/%s", runroot, c->id);
	if (!c->netns_path)
		return err_set(err, ENOMEM, "make network");
	r = layout_path(dir, runroot, LAYOUT_NETNS, NULL, err);
	if (r == 0)
		r = dir_create(AT_FDCWD, dir, 0700, err);
	if (r == 0)
		r = c->ns.user_path ? 0 : network_namespace_create(c->netns_path, err);
	if (r == 0)
		r = layout_path(dir, c->engine->root, LAYOUT_NETWORKS, NULL, err);
	if (r == 0)
		r = network_attach(dir, c->id, c->netns_path, &c->options->net.request, &lease,
				   err);
	if (r == 0)
		r = resolve_index_add(c->engine->root, &c->meta, err);
	if (r < 0)
		return err_add(err, "network");
	warn_of_obstacle(c);
	return note_lease(c, &lease, err);
}

/* ---- names ---- */

int creation_collect_names(struct creation *c, struct err *err)
{
	const struct engine_run_options *o = c->options;
	const char **names;
	size_t count = 0;

	if (o->network != ENGINE_NETWORK_BRIDGE || (!o->net.aliases && !o->hostname))
		return 0;
	while (o->net.aliases && o->net.aliases[count])
		count++;
	names = arena_calloc(c->arena, count + 2, sizeof(*names));
	if (!names)
		return err_set(err, ENOMEM, "make network");
	for (size_t i = 0; i < count; i++)
		names[i] = o->net.aliases[i];
	/* One that was made up is the beginning of the id, which is known anyway. */
	names[count] = o->hostname;
	c->meta.net.aliases = names;
	return 0;
}

/* ---- for the shim ---- */

static int write_resolver(struct creation *c, struct err *err)
{
	struct resolver_settings settings = { .netns = c->netns_path };

	if (c->options->net.dns)
		settings.servers = c->options->net.dns;
	else if (host_files_servers(c->arena, &settings.servers) < 0)
		return err_set(err, ENOMEM, "find name servers");
	return resolver_settings_save(c->fd, &settings, err);
}

static int write_ports(struct creation *c, struct err *err)
{
	const struct engine_network_options *net = &c->options->net;
	struct publish_list list = { .items = (struct publish_port *)(uintptr_t)net->ports,
				     .count = net->ports_count };

	if (!net->ports_count)
		return 0;
	snprintf(list.target, sizeof(list.target), "%.*s", (int)strcspn(c->meta.address, "/"),
		 c->meta.address);
	if (c->meta.net.address6)
		snprintf(list.target6, sizeof(list.target6), "%.*s",
			 (int)strcspn(c->meta.net.address6, "/"), c->meta.net.address6);
	return publish_save(c->fd, &list, err);
}

int creation_write_network(struct creation *c, struct err *err)
{
	int r;

	if (!c->meta.address)
		return 0;
	r = write_resolver(c, err);
	return r < 0 ? r : write_ports(c, err);
}
