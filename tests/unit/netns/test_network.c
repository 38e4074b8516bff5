/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole attaches, in a network namespace of the program's own that plays the host. A second
 * namespace, reached by a veth pair of the test's own, plays the outside.
 */
#include "netns/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "netns/address.h"
#include "netns/bridge.h"
#include "netns/config.h"
#include "netns/ipv6.h"
#include "netns/link.h"
#include "netns/namespace.h"
#include "netns/nft.h"
#include "sandbox.h"
#include "traffic.h"

struct host {
	char base[64], dir[128], a[128], b[128], outside[128];
};

/* A fresh host for every test: an empty namespace and an empty folder. */
static int make_host(void **state)
{
	struct host *h = calloc(1, sizeof(*h));
	struct err err = { 0 };

	if (!h)
		return -1;
	*state = h;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	snprintf(h->base, sizeof(h->base), "/tmp/cellar-netns-test-XXXXXX");
	if (!mkdtemp(h->base))
		return -1;
	snprintf(h->dir, sizeof(h->dir), "%s/networks", h->base);
	snprintf(h->a, sizeof(h->a), "%s/a", h->base);
	snprintf(h->b, sizeof(h->b), "%s/b", h->base);
	snprintf(h->outside, sizeof(h->outside), "%s/outside", h->base);
	return network_namespace_create(h->a, &err) < 0 || network_namespace_create(h->b, &err) < 0;
}

static int remove_host(void **state)
{
	struct host *h = *state;
	int r;

	network_namespace_remove(h->a, NULL);
	network_namespace_remove(h->b, NULL);
	network_namespace_remove(h->outside, NULL);
	r = tree_remove(AT_FDCWD, h->base, NULL);
	free(h);
	return r;
}

static struct in_addr address(const char *text)
{
	struct in_addr in;

	assert_int_equal(inet_pton(AF_INET, text, &in), 1);
	return in;
}

static int count_links(const char *prefix)
{
	struct if_nameindex *list = if_nameindex();
	int n = 0;

	for (const struct if_nameindex *i = list; i->if_name; i++)
		n += strncmp(i->if_name, prefix, strlen(prefix)) == 0;
	if_freenameindex(list);
	return n;
}

/* The kernel takes a namespace down in its own time and tells nobody: so look, up to a minute. */
static void await_no_veth(void)
{
	for (int i = 0; i < 6000 && count_links("veth") > 0; i++)
		usleep(10000);
	assert_int_equal(count_links("veth"), 0);
}

static int count_lease(void *data, const char *id, struct in_addr a)
{
	(void)id;
	(void)a;
	++*(int *)data;
	return 0;
}

static int count_leases(const struct host *h)
{
	struct err err = { 0 };
	int n = 0;

	assert_ok(network_lease_each(h->dir, count_lease, &n, &err));
	return n;
}

static int count_rule(void *data, const struct nlmsghdr *msg)
{
	(void)msg;
	++*(int *)data;
	return 0;
}

/* Of all tables. */
static int count_rules(void)
{
	_cleanup_netlink_ struct netlink *nl = NULL;
	struct nfgenmsg *nfg;
	struct nlmsghdr *msg;
	struct err err = { 0 };
	int n = 0;

	assert_ok(netlink_open(NETLINK_NETFILTER, &nl, &err));
	msg = netlink_add(nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, "count");
	nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));
	nfg->version = NFNETLINK_V0;
	assert_ok(netlink_query(nl, count_rule, &n, &err));
	return n;
}

/* Of so many installations: masquerade and closed door of each, for IPv6 the same, and one guard by
 * the first; container's own rules are elsewhere. */
static int rules_of(int installations)
{
	return ipv6_is_on("lo") ? 4 * installations + 1 : 2 * installations;
}

/* What `nft flush ruleset` does. */
static void flush_rules(void)
{
	static const uint16_t types[] = { NFNL_MSG_BATCH_BEGIN,
					  NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
					  NFNL_MSG_BATCH_END };
	_cleanup_netlink_ struct netlink *nl = NULL;
	struct err err = { 0 };

	assert_ok(netlink_open(NETLINK_NETFILTER, &nl, &err));
	for (int i = 0; i < 3; i++) {
		struct nlmsghdr *msg = netlink_add(nl, types[i], 0, "flush");
		struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));

		nfg->version = NFNETLINK_V0;
		nfg->res_id = i == 1 ? 0 : htons(NFNL_SUBSYS_NFTABLES);
		if (i != 1)
			netlink_expect_no_ack(nl);
	}
	assert_ok(netlink_commit(nl, &err));
}

static void attach(const struct host *h, const char *id, const char *netns,
		   struct network_lease *lease)
{
	struct err err = { 0 };

	assert_ok(network_attach(h->dir, id, netns, NULL, lease, &err));
}

/* ---- what a container gets ---- */

static int has_eth0(void *data)
{
	const struct network_lease *lease = data;
	_cleanup_netlink_ struct netlink *nl = NULL;
	struct link link = { 0 };

	if (netlink_open(NETLINK_ROUTE, &nl, NULL) < 0 ||
	    link_find(nl, lease->interface, 0, &link, NULL) != 1)
		return 1;
	if (!link.up || strcmp(link.kind, "veth") != 0 || link.mtu != 1500)
		return 2;
	return address_first("eth0").s_addr == lease->address.s_addr ? 0 : 3;
}

static void a_container_gets_eth0(void **state)
{
	struct host *h = *state;
	struct network_lease lease = { 0 };

	attach(h, "one", h->a, &lease);
	assert_string_equal(lease.interface, "eth0");
	assert_int_equal(lease.prefix_len, 16);
	assert_int_equal(ntohl(lease.address.s_addr), 0x0a4d0002);
	assert_int_equal(ntohl(lease.gateway.s_addr), 0x0a4d0001);
	assert_int_equal(lease.mac[0] & 3, 2);
	assert_int_equal(sandbox_run_in(h->a, has_eth0, &lease), 0);
	assert_int_equal(count_links("veth"), 1);
	assert_int_equal(count_links("eth0"), 0);
}

static void two_containers_reach_each_other_and_the_gateway(void **state)
{
	struct host *h = *state;
	struct network_lease a, b;

	attach(h, "one", h->a, &a);
	attach(h, "two", h->b, &b);
	assert_int_not_equal(a.address.s_addr, b.address.s_addr);
	assert_memory_not_equal(a.mac, b.mac, 6);
	assert_int_equal(traffic_ping(h->a, b.address), 0);
	assert_int_equal(traffic_ping(h->b, a.address), 0);
	assert_int_equal(traffic_ping(h->a, a.gateway), 0);
	assert_int_equal(traffic_ping(NULL, b.address), 0);
}

/* ---- the way out ---- */

static void set_up_end(int netns_fd, const char *interface, const char *text)
{
	_cleanup_netlink_ struct netlink *nl = NULL;
	struct link link = { 0 };
	struct err err = { 0 };
	int fd = namespace_socket(netns_fd, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE,
				  &err);

	assert_ok(netlink_adopt(fd, &nl, &err));
	assert_int_equal(link_find(nl, interface, 0, &link, &err), 1);
	link_put_up(nl, interface);
	address_put(nl, link.index, address(text), 24);
	assert_ok(netlink_commit(nl, &err));
}

/* 192.0.2.1 (uplink, here) to 192.0.2.2 (outside), which knows no way back to containers. */
static void make_outside(const struct host *h)
{
	_cleanup_netlink_ struct netlink *nl = NULL;
	_cleanup_fd_ int outside = -1, own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	static const uint8_t mac[6] = { 2, 1, 1, 1, 1, 1 };
	struct err err = { 0 };

	assert_ok(network_namespace_create(h->outside, &err));
	assert_ok(outside = namespace_open(h->outside, &err));
	assert_ok(netlink_open(NETLINK_ROUTE, &nl, &err));
	link_put_veth(nl, &(struct link_veth){ .name = "uplink",
					       .master_name = "nothing",
					       .mtu = 1500,
					       .peer_name = "wan",
					       .peer_netns_fd = outside,
					       .peer_mac = mac });
	assert_ok(netlink_commit(nl, &err));
	set_up_end(own, "uplink", "192.0.2.1");
	set_up_end(outside, "wan", "192.0.2.2");
}

static void the_outside_sees_the_host_and_neighbours_see_the_container(void **state)
{
	struct host *h = *state;
	struct network_lease a, b;
	struct traffic_look out = { address("192.0.2.2"), "192.0.2.1", TRAFFIC_TRIES };
	struct traffic_look in = { .tries = TRAFFIC_TRIES };
	char text[INET_ADDRSTRLEN];
	pid_t mirrors[2];

	make_outside(h);
	attach(h, "one", h->a, &a);
	attach(h, "two", h->b, &b);
	mirrors[0] = traffic_mirror(h->outside);
	mirrors[1] = traffic_mirror(h->b);
	in.to = b.address;
	in.expected = inet_ntop(AF_INET, &a.address, text, sizeof(text));
	assert_int_equal(sandbox_run_in(h->a, traffic_look_child, &out), 0);
	assert_int_equal(sandbox_run_in(h->a, traffic_look_child, &in), 0);
	for (int i = 0; i < 2; i++) {
		kill(mirrors[i], SIGTERM);
		assert_int_equal(waitpid(mirrors[i], NULL, 0), mirrors[i]);
	}
}

static void a_flushed_ruleset_is_mended_by_the_next_attach(void **state)
{
	struct host *h = *state;
	struct network_lease lease;

	attach(h, "one", h->a, &lease);
	assert_int_equal(count_rules(), rules_of(1));
	flush_rules();
	assert_int_equal(count_rules(), 0);
	attach(h, "two", h->b, &lease);
	assert_int_equal(count_rules(), rules_of(1));
}

static void more_containers_need_no_more_rules(void **state)
{
	struct host *h = *state;
	struct network_lease lease;

	attach(h, "one", h->a, &lease);
	attach(h, "two", h->b, &lease);
	assert_int_equal(count_rules(), rules_of(1));
	assert_int_equal(count_links("cl-"), 1);
}

static void forwarding_is_on(void **state)
{
	struct host *h = *state;
	_cleanup_free_ char *text = NULL;
	struct network_lease lease;
	struct err err = { 0 };

	attach(h, "one", h->a, &lease);
	assert_ok(file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", 16, &text, NULL, &err));
	assert_string_equal(text, "1\n");
}

/* ---- the bridge ---- */

static void the_bridge_is_ours_and_keeps_its_mac(void **state)
{
	struct host *h = *state;
	_cleanup_netlink_ struct netlink *nl = NULL;
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct network_config c;
	struct network_lease lease;
	struct link link = { 0 };
	struct err err = { 0 };
	char path[128];

	attach(h, "one", h->a, &lease);
	assert_ok(network_config_load(h->dir, &c, &err));
	assert_ok(netlink_open(NETLINK_ROUTE, &nl, &err));
	assert_int_equal(link_find(nl, c.bridge, 0, &link, &err), 1);
	assert_string_equal(link.kind, "bridge");
	assert_memory_equal(link.alias, "cellar", strlen("cellar"));
	assert_true(link.up);
	/* /sys shows the namespace that it was mounted in, so it is mounted anew. */
	snprintf(path, sizeof(path), "%s/sys", h->base);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mount("sysfs", path, "sysfs", MS_RDONLY, NULL), 0);
	snprintf(path, sizeof(path), "%s/sys/class/net/%s/address", h->base, c.bridge);
	assert_ok(file_read(AT_FDCWD, path, 64, &before, NULL, &err));
	assert_string_equal(before, "02:cb:0a:4d:00:01\n");
	attach(h, "two", h->b, &lease);
	assert_ok(network_namespace_remove(h->a, &err));
	assert_ok(file_read(AT_FDCWD, path, 64, &after, NULL, &err));
	assert_string_equal(before, after);
	snprintf(path, sizeof(path), "%s/sys", h->base);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

/* As after a reboot, or in another network namespace. */
static void a_lost_bridge_comes_back_with_its_subnet(void **state)
{
	struct host *h = *state;
	struct network_config before, after;
	struct network_lease lease;
	struct err err = { 0 };

	attach(h, "one", h->a, &lease);
	assert_ok(network_config_load(h->dir, &before, &err));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	attach(h, "two", h->b, &lease);
	assert_ok(network_config_load(h->dir, &after, &err));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(traffic_ping(h->b, lease.gateway), 0);
	assert_int_equal(count_rules(), rules_of(1));
}

static void a_bridge_set_down_is_set_up(void **state)
{
	struct host *h = *state;
	_cleanup_netlink_ struct netlink *nl = NULL;
	struct network_lease lease;
	struct network_config c;
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg;
	struct err err = { 0 };

	attach(h, "one", h->a, &lease);
	assert_ok(network_config_load(h->dir, &c, &err));
	assert_ok(netlink_open(NETLINK_ROUTE, &nl, &err));
	msg = netlink_add(nl, RTM_NEWLINK, 0, "set down");
	ifi = mnl_nlmsg_put_extra_header(msg, sizeof(*ifi));
	ifi->ifi_change = IFF_UP;
	mnl_attr_put_strz(msg, IFLA_IFNAME, c.bridge);
	assert_ok(netlink_commit(nl, &err));
	attach(h, "two", h->b, &lease);
	assert_int_equal(traffic_ping(h->b, lease.gateway), 0);
}

static void a_namesake_that_is_no_bridge_is_refused(void **state)
{
	struct host *h = *state;
	_cleanup_netlink_ struct netlink *nl = NULL;
	_cleanup_fd_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	static const uint8_t mac[6] = { 2, 1, 1, 1, 1, 1 };
	struct network_lease lease;
	struct err err = { 0 };
	char name[IFNAMSIZ];

	config_name_bridge(h->dir, name);
	assert_ok(netlink_open(NETLINK_ROUTE, &nl, &err));
	link_put_veth(nl, &(struct link_veth){ .name = name,
					       .master_name = "nothing",
					       .mtu = 1500,
					       .peer_name = "other",
					       .peer_netns_fd = own,
					       .peer_mac = mac });
	assert_ok(netlink_commit(nl, &err));
	assert_int_equal(network_attach(h->dir, "one", h->a, NULL, &lease, &err), -EEXIST);
	assert_non_null(strstr(err.text, name));
	assert_non_null(strstr(err.text, "is not a bridge but of kind veth"));
	assert_int_equal(count_leases(h), 0);
}

static void two_installations_share_a_host(void **state)
{
	struct host *h = *state, second = *h;
	struct network_lease a, b;

	snprintf(second.dir, sizeof(second.dir), "%s/other", h->base);
	attach(h, "same", h->a, &a);
	attach(&second, "same", h->b, &b);
	assert_int_not_equal(a.gateway.s_addr, b.gateway.s_addr);
	assert_int_equal(count_links("cl-"), 2);
	assert_int_equal(count_links("veth"), 2);
	assert_int_equal(count_rules(), rules_of(2));
	assert_int_equal(traffic_ping(h->a, a.gateway), 0);
	assert_int_equal(traffic_ping(h->b, b.gateway), 0);
}

static void addresses_of_the_host_are_kept_clear_of(void **state)
{
	struct host *h = *state;
	_cleanup_netlink_ struct netlink *nl = NULL;
	struct network_lease lease;
	struct err err = { 0 };

	assert_ok(netlink_open(NETLINK_ROUTE, &nl, &err));
	address_put(nl, 1, address("10.77.200.1"), 24);
	assert_ok(netlink_commit(nl, &err));
	attach(h, "one", h->a, &lease);
	assert_int_equal(ntohl(lease.gateway.s_addr), 0x0a4e0001);
}

/* ---- the end ---- */

static void a_removed_namespace_takes_its_veth_along(void **state)
{
	struct host *h = *state;
	struct network_lease lease;
	struct err err = { 0 };

	attach(h, "one", h->a, &lease);
	assert_int_equal(count_links("veth"), 1);
	assert_ok(network_namespace_remove(h->a, &err));
	assert_ok(network_lease_release(h->dir, "one", &err));
	await_no_veth();
	assert_int_equal(count_leases(h), 0);
	assert_int_equal(count_links("cl-"), 1);
}

/* The veth of before may still be there then, with the name that the id would have. */
static void an_id_may_come_back_at_once(void **state)
{
	struct host *h = *state;
	struct network_lease lease;
	struct err err = { 0 };

	for (int i = 0; i < 3; i++) {
		attach(h, "one", h->a, &lease);
		assert_ok(network_lease_release(h->dir, "one", &err));
		assert_ok(network_namespace_remove(h->a, &err));
		assert_ok(network_namespace_create(h->a, &err));
	}
	attach(h, "one", h->a, &lease);
	assert_int_equal(traffic_ping(h->a, lease.gateway), 0);
}

static void a_namespace_is_attached_once(void **state)
{
	struct host *h = *state;
	struct network_lease lease, untouched = { .prefix_len = 99 };
	struct err err = { 0 };

	attach(h, "one", h->a, &lease);
	assert_int_equal(network_attach(h->dir, "two", h->a, NULL, &untouched, &err), -EBUSY);
	assert_non_null(strstr(err.text, "has an interface eth0 already"));
	assert_int_equal(untouched.prefix_len, 99);
	assert_int_equal(count_leases(h), 1);
	assert_int_equal(count_links("veth"), 1);
}

static void a_wrong_namespace_costs_no_lease(void **state)
{
	struct host *h = *state;
	struct network_lease lease;
	struct err err = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/file", h->base);
	assert_ok(file_replace(AT_FDCWD, path, "", 0, 0444, false, &err));
	assert_int_equal(network_attach(h->dir, "one", path, NULL, &lease, &err), -EINVAL);
	assert_int_equal(network_attach(h->dir, "one", "/nonexistent", NULL, &lease, &err),
			 -ENOENT);
	assert_int_equal(count_leases(h), 0);
}

static int attach_unprivileged(void *data)
{
	struct host *h = data;
	struct network_lease lease;
	struct err err = { 0 };

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	return network_attach(h->dir, "two", h->b, NULL, &lease, &err) < 0 && err.text[0] ? 0 : 2;
}

static void without_privileges_it_fails_with_a_sentence(void **state)
{
	struct host *h = *state;

	assert_int_equal(chmod(h->base, 0777), 0);
	assert_int_equal(sandbox_run_in(NULL, attach_unprivileged, h), 0);
	assert_int_equal(count_leases(h), 0);
}

/* ---- many at once ---- */

#define AT_ONCE 50

static void name_of(const struct host *h, int i, char path[static 160], char id[static 16])
{
	snprintf(path, 160, "%s/n%d", h->base, i);
	snprintf(id, 16, "c%d", i);
}

static int create_and_attach(const struct host *h, int i)
{
	struct network_lease lease;
	struct err err = { 0 };
	char path[160], id[16];

	name_of(h, i, path, id);
	if (network_namespace_create(path, &err) == 0 &&
	    network_attach(h->dir, id, path, NULL, &lease, &err) == 0)
		return 0;
	print_error("%s: %s\n", id, err.text);
	return 1;
}

static void fifty_at_once_make_one_bridge(void **state)
{
	struct host *h = *state;
	struct err err = { 0 };
	char path[160], id[16];
	int status, failed = 0;
	struct network_config c;

	for (int i = 0; i < AT_ONCE; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(create_and_attach(h, i));
		assert_true(pid > 0);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		assert_true(wait(&status) > 0);
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
	assert_int_equal(count_leases(h), AT_ONCE);
	assert_int_equal(count_links("veth"), AT_ONCE);
	assert_int_equal(count_links("cl-"), 1);
	assert_int_equal(count_rules(), rules_of(1));
	assert_ok(network_config_load(h->dir, &c, &err));
	for (int i = 0; i < AT_ONCE; i++) {
		name_of(h, i, path, id);
		if (i % 10 == 0)
			assert_int_equal(traffic_ping(path, c.gateway), 0);
		assert_ok(network_lease_release(h->dir, id, &err));
		assert_ok(network_namespace_remove(path, &err));
	}
	assert_int_equal(count_leases(h), 0);
	await_no_veth();
}

/* ---- kill -9 ---- */

static int release_it(void *data, const char *id, struct in_addr a)
{
	(void)a;
	return network_lease_release(data, id, NULL);
}

static void a_kill_at_any_moment_is_mended(void **state)
{
	struct host *h = *state;
	struct network_lease lease;
	struct err err = { 0 };
	char path[160], id[16];

	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		name_of(h, i, path, id);
		if (pid == 0)
			_exit(create_and_attach(h, i));
		/* From before the first step to behind the last, on a machine of any speed. */
		usleep((useconds_t)(i * i * 4));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		/* Its own child may outlive it for a moment, and mount behind our back. */
		assert_ok(network_namespace_remove(path, &err));
	}
	attach(h, "after", h->a, &lease);
	assert_int_equal(traffic_ping(h->a, lease.gateway), 0);
	assert_ok(network_lease_each(h->dir, release_it, h->dir, &err));
	assert_int_equal(count_leases(h), 0);
	assert_int_equal(count_links("cl-"), 1);
	assert_int_equal(count_rules(), rules_of(1));
	assert_ok(network_namespace_remove(h->a, &err));
	await_no_veth();
}

#define on_host(test) cmocka_unit_test_setup_teardown(test, make_host, remove_host)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_host(a_container_gets_eth0),
		on_host(two_containers_reach_each_other_and_the_gateway),
		on_host(the_outside_sees_the_host_and_neighbours_see_the_container),
		on_host(a_flushed_ruleset_is_mended_by_the_next_attach),
		on_host(more_containers_need_no_more_rules),
		on_host(forwarding_is_on),
		on_host(the_bridge_is_ours_and_keeps_its_mac),
		on_host(a_lost_bridge_comes_back_with_its_subnet),
		on_host(a_bridge_set_down_is_set_up),
		on_host(a_namesake_that_is_no_bridge_is_refused),
		on_host(two_installations_share_a_host),
		on_host(addresses_of_the_host_are_kept_clear_of),
		on_host(a_removed_namespace_takes_its_veth_along),
		on_host(an_id_may_come_back_at_once),
		on_host(a_namespace_is_attached_once),
		on_host(a_wrong_namespace_costs_no_lease),
		on_host(without_privileges_it_fails_with_a_sentence),
		on_host(fifty_at_once_make_one_bridge),
		on_host(a_kill_at_any_moment_is_mended),
	};

	sandbox_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
