/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/engine/meta.h"
#include "runtime/engine/names.h"

/* clang-format off */
const struct option_entry run_network_table[] = {
	OPTION_STRING(struct run_network, network, 0, "network", "NETWORK", "bridge (default), none, host, or container:NAME for that of another"),
	OPTION_STRING(struct run_network, network, 0, "net", "NETWORK", NULL),
	OPTION_STRING(struct run_network, hostname, 'h', "hostname", "NAME", "host name (default: the beginning of the id)"),
	OPTION_LIST(struct run_network, publish, 'p', "publish", "[[ADDR:]HOST:]PORT[/udp]", "publish a port, or range of ports, on the host"),
	OPTION_BOOL(struct run_network, publish_all, 'P', "publish-all", "publish all exposed ports on free ones"),
	OPTION_LIST(struct run_network, exposed, 0, "expose", "PORT[/udp]", "name a port, or range of ports, for -P"),
	OPTION_LIST(struct run_network, alias, 0, "network-alias", "NAME", "a further name that other containers know it by"),
	OPTION_LIST(struct run_network, alias, 0, "net-alias", "NAME", NULL),
	OPTION_STRING(struct run_network, ip, 0, "ip", "ADDRESS", "its IPv4 address, of the bridge's subnet"),
	OPTION_STRING(struct run_network, ip6, 0, "ip6", "ADDRESS", "its IPv6 address, of the bridge's subnet"),
	OPTION_STRING(struct run_network, mac, 0, "mac-address", "ADDRESS", "its hardware address: 02:00:00:00:00:01"),
	OPTION_LIST(struct run_network, dns, 0, "dns", "ADDRESS", "name server, instead of the host's"),
	OPTION_LIST(struct run_network, dns_search, 0, "dns-search", "DOMAIN", "domain to look for names in; . for none"),
	OPTION_LIST(struct run_network, dns_option, 0, "dns-option", "OPTION", "option for resolv.conf, as ndots:2"),
	OPTION_LIST(struct run_network, dns_option, 0, "dns-opt", "OPTION", NULL),
	OPTION_LIST(struct run_network, add_host, 0, "add-host", "NAME:ADDRESS", "a line for /etc/hosts; host-gateway is the host's address"),
	OPTION_END,
};
/* clang-format on */

static int no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "read the command line");
}

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
		return no_memory(err);
	if (list.count)
		memcpy(ports, list.items, list.count * sizeof(*ports));
	ret->ports = ports;
	ret->ports_count = list.count;
	return 0;
}

static int check_exposed(const struct options_list *words, struct err *err)
{
	_cleanup_publish_list_ struct publish_list list = { 0 };

	for (size_t i = 0; i < words->count; i++)
		if (strchr(words->items[i], ':') || publish_parse(words->items[i], &list, NULL) < 0)
			return err_say(
				err, EINVAL,
				"--expose: \"%.100s\" is not a port of the container, as 80, "
				"53/udp or 8000-8010; -p publishes one on the host",
				words->items[i]);
	return 0;
}

static bool is_address(const char *text)
{
	struct in6_addr in;

	return inet_pton(AF_INET, text, &in) == 1 || inet_pton(AF_INET6, text, &in) == 1;
}

static bool is_multicast_mac(const uint8_t mac[static 6])
{
	return mac[0] & 1;
}

static int fill_request(const struct run_network *args, struct network_request *ret,
			struct err *err)
{
	static const uint8_t zero[6];
	uint8_t *m = ret->mac;
	char rest;

	if (args->ip && (inet_pton(AF_INET, args->ip, &ret->address) != 1 || !ret->address.s_addr))
		return err_say(err, EINVAL, "--ip: \"%s\" is not an IPv4 address", args->ip);
	if (args->ip6 && (inet_pton(AF_INET6, args->ip6, &ret->address6) != 1 ||
			  IN6_IS_ADDR_UNSPECIFIED(&ret->address6)))
		return err_say(err, EINVAL, "--ip6: \"%s\" is not an IPv6 address", args->ip6);
	if (!args->mac)
		return 0;
	if (strlen(args->mac) != 17 || sscanf(args->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", m,
					      m + 1, m + 2, m + 3, m + 4, m + 5, &rest) != 6)
		return err_say(err, EINVAL,
			       "--mac-address: \"%s\" is not one, as 02:00:00:00:00:01", args->mac);
	if (is_multicast_mac(m) || memcmp(m, zero, 6) == 0)
		return err_say(err, EINVAL,
			       "--mac-address: %s is for groups; the first number must be even, "
			       "best 02",
			       args->mac);
	ret->has_mac = true;
	return 0;
}

static int check_all(const struct options_list *list, bool (*is_good)(const char *text),
		     const char *option, const char *what, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (!is_good(list->items[i]))
			return err_say(err, EINVAL, "%s: \"%.100s\" is not %s", option,
				       list->items[i], what);
	return 0;
}

/* It becomes part of a line. */
static bool is_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '#' || *c == ';')
			return false;
	return *text && strlen(text) <= 255;
}

static int fill_hosts(const struct options_list *words, struct arena *arena,
		      struct engine_network_options *ret, struct err *err)
{
	struct engine_host *hosts = arena_calloc(arena, words->count + 1, sizeof(*hosts));

	if (!hosts)
		return no_memory(err);
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i], *end = strpbrk(word, ":=");
		char *name = arena_strndup(arena, word, end ? (size_t)(end - word) : 0);
		char *address = arena_strdup(arena, end ? end + 1 : "");
		size_t len = address ? strlen(address) : 0;

		if (!name || !address)
			return no_memory(err);
		if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
			address[len - 1] = '\0';
			address++;
		}
		if (!names_is_valid(name) ||
		    (strcmp(address, "host-gateway") != 0 && !is_address(address)))
			return err_say(
				err, EINVAL,
				"--add-host: \"%.100s\" is not NAME:ADDRESS, as db:10.0.0.5 or "
				"host:host-gateway",
				word);
		hosts[i].name = name;
		hosts[i].address = strcmp(address, "host-gateway") == 0 ? NULL : address;
	}
	ret->hosts = hosts;
	ret->hosts_count = words->count;
	return 0;
}

static int fill_network(const char *word, struct engine_run_options *ret, struct err *err)
{
	static const char other[] = "container:";

	if (!word)
		return 0;
	if (strncmp(word, other, sizeof(other) - 1) == 0) {
		ret->network = ENGINE_NETWORK_CONTAINER;
		ret->net.join = word + sizeof(other) - 1;
		return 0;
	}
	if (meta_network_parse(word, &ret->network, err) < 0 ||
	    ret->network == ENGINE_NETWORK_CONTAINER)
		return err_say(err, EINVAL,
			       "--network: \"%.100s\" is unknown; there are bridge, none, host "
			       "and container:NAME",
			       word);
	return 0;
}

int run_network_fill(const struct run_network *args, struct arena *arena,
		     struct engine_run_options *ret, struct err *err)
{
	int r = fill_network(args->network, ret, err);

	ret->hostname = args->hostname;
	ret->net.dns = args->dns.items;
	ret->net.dns_search = args->dns_search.items;
	ret->net.dns_options = args->dns_option.items;
	ret->net.aliases = args->alias.items;
	ret->net.exposed = args->exposed.items;
	ret->net.publish_all = args->publish_all;
	if (r == 0)
		r = check_all(&args->dns, is_address, "--dns", "an address", err);
	if (r == 0)
		r = check_all(&args->dns_search, is_word, "--dns-search", "a domain", err);
	if (r == 0)
		r = check_all(&args->dns_option, is_word, "--dns-option", "an option", err);
	if (r == 0)
		r = check_all(&args->alias, names_is_valid, "--network-alias", "a name", err);
	if (r == 0)
		r = fill_request(args, &ret->net.request, err);
	if (r == 0)
		r = fill_hosts(&args->add_host, arena, &ret->net, err);
	if (r == 0)
		r = check_exposed(&args->exposed, err);
	return r < 0 ? r : fill_ports(&args->publish, arena, &ret->net, err);
}
