/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>

#include "sandbox.h"

#define GOOD                                                                 \
	"{\"version\":1,\"bridge\":\"cellar0\",\"subnet\":\"10.80.0.0/20\"," \
	"\"gateway\":\"10.80.0.1\",\"mtu\":1400}"

static void a_good_document_is_read_whole(void **state)
{
	struct network_config c;
	struct err err = { 0 };
	char gateway[INET_ADDRSTRLEN];

	(void)state;
	assert_ok(config_parse(GOOD, strlen(GOOD), &c, &err));
	assert_string_equal(c.bridge, "cellar0");
	assert_int_equal(c.subnet.s_addr, htonl(0x0a500000));
	assert_string_equal(inet_ntop(AF_INET, &c.gateway, gateway, sizeof(gateway)), "10.80.0.1");
	assert_int_equal(c.prefix_len, 20);
	assert_int_equal(c.mtu, 1400);
}

static void what_is_written_reads_the_same(void **state)
{
	struct network_config a = { 0 }, b = { 0 };
	struct err err = { 0 };
	char *text = NULL;

	(void)state;
	assert_ok(config_parse(GOOD, strlen(GOOD), &a, &err));
	assert_ok(config_format(&a, &text, &err));
	assert_ok(config_parse(text, strlen(text), &b, &err));
	assert_memory_equal(&a, &b, sizeof(a));
	free(text);
}

static const struct bad {
	const char *text, *says;
} bad[] = {
	{ "{}", "version: missing" },
	{ "[]", "an array where an object belongs" },
	{ "{\"version\":2,\"future\":1}", "newer Cellar" },
	{ "{\"version\":0}", "version: 0 is not" },
	{ "{\"version\":1,\"subnet\":\"10.0.0.0/16\"}", "bridge: missing" },
	{ "{\"version\":1,\"bridge\":\"a/b\"}", "bridge: 'a/b' cannot name" },
	{ "{\"version\":1,\"bridge\":\"br%d\"}", "bridge: 'br%d' cannot name" },
	{ "{\"version\":1,\"bridge\":\"sixteencharacter\"}", "bridge: 'sixteencharacter' cannot" },
	{ "{\"version\":1,\"bridge\":7}", "bridge: a number where a string belongs" },
	{ "{\"version\":1,\"bridge\":\"b\"}", "subnet: missing" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0\"}", "not a subnet" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/\"}", "not a subnet" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/016\"}", "not a subnet" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/1x\"}", "not a subnet" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0/16\"}", "not a subnet" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/99999999999999999\"}",
	  "not a subnet" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"fd00::/64\"}", "not a subnet" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/31\"}", "not from /8 to /30" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"0.0.0.0/7\"}", "not from /8 to /30" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.1/16\"}", "bits set behind" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/16\"}", "gateway: missing" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/16\",\"gateway\":\"x\"}",
	  "gateway: 'x' is not an IPv4" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/16\",\"gateway\":\"10.0.0.0\"}",
	  "not an address for a host" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/16\","
	  "\"gateway\":\"10.0.255.255\"}",
	  "not an address for a host" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.1.0.0/16\",\"gateway\":\"10.0.0.1\"}",
	  "not an address for a host" },
	{ "{\"version\":1,\"bridge\":\"b\",\"subnet\":\"10.0.0.0/16\",\"gateway\":\"10.0.0.1\","
	  "\"mtu\":70000}",
	  "mtu: 70000 is not" },
};

static void a_wrong_field_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct network_config c = { .mtu = 4711 };
		struct err err = { 0 };

		if (config_parse(bad[i].text, strlen(bad[i].text), &c, &err) >= 0)
			fail_msg("accepted: %s", bad[i].text);
		if (!strstr(err.text, bad[i].says))
			fail_msg("%s: '%s' does not say '%s'", bad[i].text, err.text, bad[i].says);
		assert_int_equal(c.mtu, 4711);
	}
}

static void each_folder_has_a_bridge_of_its_own(void **state)
{
	char a[IFNAMSIZ], b[IFNAMSIZ], c[IFNAMSIZ];

	(void)state;
	config_name_bridge("/var/lib/cellar/networks", a);
	config_name_bridge("/srv/one/networks", b);
	config_name_bridge("/srv/two/networks", c);
	assert_string_equal(a, "cellar0");
	assert_memory_equal(b, "cl-", 3);
	assert_int_equal(strlen(b), 11);
	assert_string_not_equal(b, c);
}

static void a_file_that_is_not_there_is_no_error(void **state)
{
	struct network_config c;
	struct err err = { 0 };

	assert_int_equal(config_read(*state, &c, &err), 0);
	assert_int_equal(err.code, 0);
}

/* Choosing only reads the kernel's tables, so it needs no root. */
static void the_choice_is_made_once(void **state)
{
	struct network_config a = { 0 }, b = { 0 };
	struct err err = { 0 };
	char dir[256];

	snprintf(dir, sizeof(dir), "%s/deep/networks", (char *)*state);
	assert_ok(network_config_load(dir, &a, &err));
	assert_int_equal(ntohl(a.gateway.s_addr), ntohl(a.subnet.s_addr) + 1);
	assert_in_range(a.mtu, 576, 1500);
	assert_ok(network_config_load(dir, &b, &err));
	assert_memory_equal(&a, &b, sizeof(a));
}

static void a_broken_file_is_named_and_kept(void **state)
{
	struct network_config c;
	struct err err = { 0 };
	char path[256], *text = NULL;

	snprintf(path, sizeof(path), "%s/bridge.json", (char *)*state);
	assert_ok(file_replace(AT_FDCWD, path, "{", 1, 0644, false, &err));
	assert_int_equal(network_config_load(*state, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, path));
	assert_ok(file_read(AT_FDCWD, path, 100, &text, NULL, &err));
	assert_string_equal(text, "{");
	free(text);
}

#define with_folder(test) \
	cmocka_unit_test_setup_teardown(test, sandbox_make_folder, sandbox_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_document_is_read_whole),
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(a_wrong_field_is_named),
		cmocka_unit_test(each_folder_has_a_bridge_of_its_own),
		with_folder(a_file_that_is_not_there_is_no_error),
		with_folder(the_choice_is_made_once),
		with_folder(a_broken_file_is_named_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
