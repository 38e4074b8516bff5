/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/path.h"
#include "netns/address.h"
#include "netns/ipv6.h"
#include "netns/link.h"
#include "netns/route.h"
#include "netns/subnet.h"

#define DIR_DEFAULT "/var/lib/cellar/networks"
#define BRIDGE_DEFAULT "cellar0"
#define FILE_NAME "bridge.json"
#define FILE_SIZE_MAX 65536
#define VERSION 1
#define MTU_DEFAULT 1500
#define MTU_MIN 576 /* what every IPv4 host must take */
#define MTU_MAX 65535

/* ---- text ---- */

static int parse_subnet(const struct json_node *root, struct arena *arena,
			struct network_config *config, struct err *err)
{
	struct json_node node = { 0 };
	const char *text, *slash;
	char address[INET_ADDRSTRLEN] = "", *end = NULL;
	int r = json_need(json_get(root, "subnet", &node, err), root, "subnet", err);

	if (r < 0)
		return r;
	r = json_string(&node, arena, &text, err);
	if (r <= 0)
		return r;
	slash = strchr(text, '/');
	if (slash && slash[1] >= '1' && slash[1] <= '9' &&
	    (size_t)(slash - text) < sizeof(address)) {
		memcpy(address, text, (size_t)(slash - text));
		config->prefix_len = (unsigned)strtoul(slash + 1, &end, 10);
	}
	if (!end || *end || end - slash > 3 || inet_pton(AF_INET, address, &config->subnet) != 1)
		return json_bad(&node, err, "'%s' is not a subnet such as 10.77.0.0/16", text);
	if (config->prefix_len < CONFIG_PREFIX_MIN || config->prefix_len > CONFIG_PREFIX_MAX)
		return json_bad(&node, err, "'%s' is not from /%d to /%d", text, CONFIG_PREFIX_MIN,
				CONFIG_PREFIX_MAX);
	if (ntohl(config->subnet.s_addr) & ~subnet_mask(config->prefix_len))
		return json_bad(&node, err, "'%s' has bits set behind its prefix", text);
	return 0;
}

static int parse_gateway(const struct json_node *root, struct arena *arena,
			 struct network_config *config, struct err *err)
{
	struct json_node node = { 0 };
	uint32_t host, hosts = ~subnet_mask(config->prefix_len);
	const char *text;
	int r = json_need(json_get(root, "gateway", &node, err), root, "gateway", err);

	if (r > 0)
		r = json_string(&node, arena, &text, err);
	if (r <= 0)
		return r;
	if (inet_pton(AF_INET, text, &config->gateway) != 1)
		return json_bad(&node, err, "'%s' is not an IPv4 address", text);
	host = ntohl(config->gateway.s_addr) - ntohl(config->subnet.s_addr);
	if (host == 0 || host >= hosts)
		return json_bad(&node, err, "%s is not an address for a host of the subnet", text);
	return 0;
}

/* Without the field there is the one that follows from the folder; "" is none. */
static int parse_subnet6(const struct json_node *root, struct arena *arena,
			 struct network_config *config, struct err *err)
{
	struct json_node node = { 0 };
	char address[INET6_ADDRSTRLEN] = "";
	const char *text, *slash;
	int r = json_get(root, "subnet6", &node, err);

	config->ipv6 = r == 0;
	if (r > 0)
		r = json_string(&node, arena, &text, err);
	if (r <= 0 || !*text)
		return r;
	slash = strchr(text, '/');
	if (slash && (size_t)(slash - text) < sizeof(address))
		memcpy(address, text, (size_t)(slash - text));
	if (!slash || strcmp(slash, "/64") != 0 ||
	    inet_pton(AF_INET6, address, &config->subnet6) != 1 ||
	    memcmp(&config->subnet6.s6_addr[8], (char[8]){ 0 }, 8) != 0 ||
	    IN6_IS_ADDR_MULTICAST(&config->subnet6) || IN6_IS_ADDR_LINKLOCAL(&config->subnet6) ||
	    IN6_IS_ADDR_UNSPECIFIED(&config->subnet6))
		return json_bad(&node, err, "'%s' is not an IPv6 subnet such as fd00:1:2:3::/64",
				text);
	config->ipv6 = true;
	return 0;
}

static int parse_bridge(const struct json_node *root, struct arena *arena,
			struct network_config *config, struct err *err)
{
	struct json_node node = { 0 };
	const char *text;
	int r = json_need(json_get(root, "bridge", &node, err), root, "bridge", err);

	if (r > 0)
		r = json_string(&node, arena, &text, err);
	if (r <= 0)
		return r;
	if (!path_is_name(text) || strlen(text) >= IFNAMSIZ || strpbrk(text, ": \t\n\v\f\r%"))
		return json_bad(&node, err, "'%s' cannot name an interface", text);
	snprintf(config->bridge, sizeof(config->bridge), "%s", text);
	return 0;
}

static int parse_root(const struct json_node *root, struct arena *arena,
		      struct network_config *config, struct err *err)
{
	int64_t version, mtu = MTU_DEFAULT;
	int r = json_get_range(root, "version", 1, INT_MAX, &version, err);

	r = json_need(r, root, "version", err);
	if (r > 0 && version > VERSION)
		return err_say(err, EPROTONOSUPPORT,
			       "version %d was written by a newer Cellar; this one knows %d",
			       (int)version, VERSION);
	if (r > 0)
		r = parse_bridge(root, arena, config, err);
	if (r >= 0)
		r = parse_subnet(root, arena, config, err);
	if (r >= 0)
		r = parse_gateway(root, arena, config, err);
	if (r >= 0)
		r = parse_subnet6(root, arena, config, err);
	if (r >= 0)
		r = json_get_range(root, "mtu", MTU_MIN, MTU_MAX, &mtu, err);
	config->mtu = (unsigned)mtu;
	return r < 0 ? r : 0;
}

int config_parse(const char *text, size_t len, struct network_config *ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network_config config = { 0 };
	struct json_node root;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read JSON");
	r = json_parse(text, len, &doc, err);
	if (r < 0)
		return r;
	root = json_root(doc);
	r = parse_root(&root, arena, &config, err);
	if (r == 0)
		*ret = config;
	return r;
}

int config_format(const struct network_config *config, char **ret, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	char gateway[INET_ADDRSTRLEN], subnet[INET_ADDRSTRLEN + 3], *text;
	char subnet6[INET6_ADDRSTRLEN + 4] = "";
	size_t len;

	if (!w)
		return err_set(err, ENOMEM, "write JSON");
	inet_ntop(AF_INET, &config->gateway, gateway, sizeof(gateway));
	inet_ntop(AF_INET, &config->subnet, subnet, sizeof(subnet));
	len = strlen(subnet);
	snprintf(subnet + len, sizeof(subnet) - len, "/%u", config->prefix_len);
	json_open_object(w);
	json_field_i64(w, "version", VERSION);
	json_field_string(w, "bridge", config->bridge);
	json_field_string(w, "subnet", subnet);
	json_field_string(w, "gateway", gateway);
	if (config->ipv6) {
		inet_ntop(AF_INET6, &config->subnet6, subnet6, sizeof(subnet6));
		strcat(subnet6, "/64");
	}
	if (!config->ipv6 || !IN6_IS_ADDR_UNSPECIFIED(&config->subnet6))
		json_field_string(w, "subnet6", subnet6);
	json_field_u64(w, "mtu", config->mtu);
	json_close_object(w);
	text = json_writer_take(w, &len);
	if (!text)
		return err_set(err, ENOMEM, "write JSON");
	*ret = text;
	return 0;
}

/* ---- the file ---- */

/* Older files say nothing of it. */
static void complete6(const char *dir, struct network_config *config)
{
	char absolute[PATH_MAX];

	if (!config->ipv6)
		return;
	if (IN6_IS_ADDR_UNSPECIFIED(&config->subnet6))
		config->subnet6 = ipv6_choose_subnet(realpath(dir, absolute) ? absolute : dir);
	config->gateway6 = config->subnet6;
	config->gateway6.s6_addr[15] = 1;
}

int config_read(const char *dir, struct network_config *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int r = path_join(path, sizeof(path), dir, FILE_NAME, err);

	if (r < 0)
		return r;
	r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, &len, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	r = config_parse(text, len, ret, err);
	if (r < 0)
		return err_add(err, "%s", path);
	complete6(dir, ret);
	return 1;
}

static int config_save(int dir_fd, const struct network_config *config, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int r = config_format(config, &text, err);

	if (r < 0 || !text)
		return r;
	return file_replace(dir_fd, FILE_NAME, text, strlen(text), 0644, true, err);
}

/* ---- the choice ---- */

void config_name_bridge(const char *absolute_dir, char name[static IFNAMSIZ])
{
	char hex[DIGEST_HEX_SIZE];

	if (strcmp(absolute_dir, DIR_DEFAULT) == 0) {
		snprintf(name, IFNAMSIZ, "%s", BRIDGE_DEFAULT);
		return;
	}
	digest_of(absolute_dir, strlen(absolute_dir), hex);
	snprintf(name, IFNAMSIZ, "cl-%.8s", hex);
}

static int list_used(struct netlink *nl, unsigned except_index, struct subnet_list *used,
		     unsigned *ret_default_index, struct err *err)
{
	int r = address_list(nl, except_index, used, err);

	return r < 0 ? r : route_list(nl, except_index, used, ret_default_index, err);
}

/* Towards the outside nothing larger passes; a larger MTU there is no reason to go beyond ours. */
static unsigned choose_mtu(struct netlink *nl, unsigned default_index)
{
	struct link link;

	if (default_index && link_find(nl, NULL, default_index, &link, NULL) == 1 &&
	    link.mtu >= MTU_MIN && link.mtu < MTU_DEFAULT)
		return link.mtu;
	return MTU_DEFAULT;
}

static int choose(const char *absolute_dir, struct netlink *nl, struct network_config *ret,
		  struct err *err)
{
	_cleanup_subnet_list_ struct subnet_list used = { 0 };
	struct network_config config = { 0 };
	struct link own = { 0 };
	struct subnet subnet;
	unsigned default_index = 0;
	int r;

	config_name_bridge(absolute_dir, config.bridge);
	/* A bridge left by an installation that was deleted here does not block its own subnet. */
	r = link_find(nl, config.bridge, 0, &own, err);
	if (r < 0)
		return r;
	/* A dump is cut when something changes meanwhile; what was listed twice does no harm. */
	for (int tries = 0; tries < 10; tries++) {
		r = list_used(nl, own.index, &used, &default_index, err);
		if (r != -EAGAIN)
			break;
	}
	if (r < 0)
		return r;
	if (subnet_choose(&used, &subnet) < 0)
		return err_say(err, EADDRNOTAVAIL,
			       "every private subnet is in use here: write one into %s/%s by hand",
			       absolute_dir, FILE_NAME);
	err_clear(err);
	config.subnet = subnet.address;
	config.prefix_len = subnet.prefix_len;
	config.gateway.s_addr = htonl(ntohl(subnet.address.s_addr) + 1);
	config.mtu = choose_mtu(nl, default_index);
	config.ipv6 = true;
	complete6(absolute_dir, &config);
	*ret = config;
	return 0;
}

int config_read_or_choose(const char *dir, struct netlink *nl, struct network_config *ret,
			  struct err *err)
{
	_cleanup_fd_ int dir_fd = -1, lock_fd = -1;
	char absolute[PATH_MAX];
	int r = dir_create(AT_FDCWD, dir, 0700, err);

	if (r < 0)
		return r;
	if (!realpath(dir, absolute))
		return err_set(err, errno, "find folder %s", dir);
	dir_fd = dir_open(AT_FDCWD, absolute, err);
	if (dir_fd < 0)
		return dir_fd;
	lock_fd = lock_file(dir_fd, "lock", false, false, err);
	if (lock_fd < 0)
		return err_add(err, "%s", dir);
	r = config_read(absolute, ret, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = choose(absolute, nl, ret, err);
	if (r < 0)
		return r;
	r = config_save(dir_fd, ret, err);
	return r < 0 ? err_add(err, "%s", dir) : 0;
}
