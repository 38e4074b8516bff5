/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as they are before they are sent; none of this needs root. */
#include "netns/link.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "sandbox.h"

static int open_socket(void **state)
{
	struct netlink *nl = NULL;
	struct err err = { 0 };

	if (netlink_open(NETLINK_ROUTE, &nl, &err) < 0)
		return -1;
	*state = nl;
	return 0;
}

static int close_socket(void **state)
{
	netlink_close(*state);
	return 0;
}

static const struct nlattr *find_in(const struct nlattr *nest, size_t skip, uint16_t type)
{
	const void *start = (const char *)mnl_attr_get_payload(nest) + skip;
	const struct nlattr *attr;

	mnl_attr_for_each_payload(start,
				  mnl_attr_get_payload_len(nest) -
					  skip) if (mnl_attr_get_type(attr) == type) return attr;
	return NULL;
}

static const struct nlattr *find(const struct nlmsghdr *msg, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, sizeof(struct ifinfomsg)) if (mnl_attr_get_type(attr) ==
								   type) return attr;
	return NULL;
}

static void a_veth_is_born_on_the_bridge_and_its_peer_inside(void **state)
{
	static const uint8_t mac[6] = { 2, 0xce, 10, 77, 0, 2 };
	const struct link_veth veth = {
		.name = "veth0123",
		.master = 7,
		.master_name = "cellar0",
		.mtu = 1400,
		.peer_name = "eth0",
		.peer_netns_fd = 42,
		.peer_mac = mac,
	};
	struct netlink *nl = *state;
	const struct nlattr *peer;
	const struct nlmsghdr *msg;
	size_t len;

	link_put_veth(nl, &veth);
	msg = netlink_pending(nl, &len);
	assert_int_equal(msg->nlmsg_len, len);
	assert_int_equal(msg->nlmsg_type, RTM_NEWLINK);
	assert_true(msg->nlmsg_flags & NLM_F_EXCL);
	assert_string_equal(mnl_attr_get_str(find(msg, IFLA_IFNAME)), "veth0123");
	assert_int_equal(mnl_attr_get_u32(find(msg, IFLA_MASTER)), 7);
	assert_int_equal(mnl_attr_get_u32(find(msg, IFLA_MTU)), 1400);
	assert_null(find(msg, IFLA_NET_NS_FD));
	peer = find_in(find_in(find(msg, IFLA_LINKINFO), 0, IFLA_INFO_DATA), 0, VETH_INFO_PEER);
	assert_non_null(peer);
	len = sizeof(struct ifinfomsg);
	assert_string_equal(mnl_attr_get_str(find_in(peer, len, IFLA_IFNAME)), "eth0");
	assert_int_equal(mnl_attr_get_u32(find_in(peer, len, IFLA_NET_NS_FD)), 42);
	assert_int_equal(mnl_attr_get_u32(find_in(peer, len, IFLA_MTU)), 1400);
	assert_memory_equal(mnl_attr_get_payload(find_in(peer, len, IFLA_ADDRESS)), mac, 6);
}

static void a_batch_is_one_row_of_messages(void **state)
{
	struct netlink *nl = *state;
	const struct nlmsghdr *msg;
	size_t len;
	int rest, n = 0;

	link_put_alias(nl, "one", "cellar");
	link_put_no_ipv6_address(nl, "one");
	link_put_up(nl, "one");
	msg = netlink_pending(nl, &len);
	for (rest = (int)len; mnl_nlmsg_ok(msg, rest); msg = mnl_nlmsg_next(msg, &rest), n++) {
		assert_int_equal(msg->nlmsg_type, RTM_NEWLINK);
		assert_true(msg->nlmsg_flags & NLM_F_ACK);
		assert_false(msg->nlmsg_flags & NLM_F_CREATE);
		assert_string_equal(mnl_attr_get_str(find(msg, IFLA_IFNAME)), "one");
	}
	assert_int_equal(n, 3);
	assert_int_equal(rest, 0);
}

static void loopback_is_found(void **state)
{
	struct link link = { 0 };
	struct err err = { 0 };

	assert_int_equal(link_find(*state, "lo", 0, &link, &err), 1);
	assert_int_equal(link.index, 1);
	assert_string_equal(link.kind, "");
	assert_int_equal(link_find(*state, NULL, 1, &link, &err), 1);
	assert_true(link.mtu > 0);
}

static void a_missing_link_is_no_error(void **state)
{
	struct link link = { .index = 4711 };
	struct err err = { 0 };

	assert_int_equal(link_find(*state, "cellar-none", 0, &link, &err), 0);
	assert_int_equal(link.index, 4711);
	assert_int_equal(err.code, 0);
}

/* Without privileges or with: a link that is not there cannot be set up. */
static void a_refusal_says_what_was_attempted(void **state)
{
	struct err err = { 0 };

	link_put_up(*state, "cellar-none");
	assert_true(netlink_commit(*state, &err) < 0);
	assert_ptr_equal(strstr(err.text, "set interface cellar-none up: "), err.text);
	/* And the socket goes on working. */
	loopback_is_found(state);
}

#define with_socket(test) cmocka_unit_test_setup_teardown(test, open_socket, close_socket)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_socket(a_veth_is_born_on_the_bridge_and_its_peer_inside),
		with_socket(a_batch_is_one_row_of_messages),
		with_socket(loopback_is_found),
		with_socket(a_missing_link_is_no_error),
		with_socket(a_refusal_says_what_was_attempted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
