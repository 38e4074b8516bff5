/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/subnet.h"

#include <arpa/inet.h>
#include <errno.h>

#include "sandbox.h"

static struct in_addr address(const char *text)
{
	struct in_addr in;

	assert_int_equal(inet_pton(AF_INET, text, &in), 1);
	return in;
}

static void use(struct subnet_list *used, const char *text, unsigned prefix_len)
{
	assert_int_equal(subnet_list_add(used, address(text), prefix_len), 0);
}

static void assert_choice(const struct subnet_list *used, const char *text, unsigned prefix_len)
{
	struct subnet subnet;
	char got[INET_ADDRSTRLEN];

	assert_int_equal(subnet_choose(used, &subnet), 0);
	inet_ntop(AF_INET, &subnet.address, got, sizeof(got));
	assert_string_equal(got, text);
	assert_int_equal(subnet.prefix_len, prefix_len);
}

static void mask_covers_the_prefix(void **state)
{
	(void)state;
	assert_int_equal(subnet_mask(0), 0);
	assert_int_equal(subnet_mask(8), 0xff000000);
	assert_int_equal(subnet_mask(31), 0xfffffffe);
	assert_int_equal(subnet_mask(32), 0xffffffff);
}

static void list_clears_host_bits(void **state)
{
	_cleanup_subnet_list_ struct subnet_list list = { 0 };

	(void)state;
	use(&list, "10.77.3.4", 16);
	assert_int_equal(list.items[0].address.s_addr, address("10.77.0.0").s_addr);
}

static void overlap_is_containment_either_way(void **state)
{
	struct subnet wide = { address("10.0.0.0"), 8 }, narrow = { address("10.77.1.0"), 24 };
	struct subnet other = { address("11.0.0.0"), 8 }, all = { address("0.0.0.0"), 0 };

	(void)state;
	assert_true(subnet_overlaps(&wide, &narrow));
	assert_true(subnet_overlaps(&narrow, &wide));
	assert_true(subnet_overlaps(&all, &narrow));
	assert_false(subnet_overlaps(&other, &narrow));
	assert_false(subnet_overlaps(&other, &wide));
}

static void first_choice_on_an_empty_host(void **state)
{
	struct subnet_list none = { 0 };

	(void)state;
	assert_choice(&none, "10.77.0.0", 16);
}

static void a_used_subnet_is_passed_over(void **state)
{
	_cleanup_subnet_list_ struct subnet_list used = { 0 };

	(void)state;
	use(&used, "10.77.0.1", 16);
	assert_choice(&used, "10.78.0.0", 16);
	use(&used, "10.78.200.3", 32); /* a mere host route is enough */
	assert_choice(&used, "10.79.0.0", 16);
}

static void default_routes_do_not_count(void **state)
{
	_cleanup_subnet_list_ struct subnet_list used = { 0 };

	(void)state;
	use(&used, "0.0.0.0", 0);
	use(&used, "0.0.0.0", 1);
	use(&used, "128.0.0.0", 1);
	assert_choice(&used, "10.77.0.0", 16);
}

static void other_private_ranges_are_the_fallback(void **state)
{
	_cleanup_subnet_list_ struct subnet_list used = { 0 };

	(void)state;
	use(&used, "10.0.0.0", 8);
	assert_choice(&used, "172.31.0.0", 16);
	use(&used, "172.24.0.0", 13);
	assert_choice(&used, "172.23.0.0", 16);
	use(&used, "172.16.0.0", 12);
	assert_choice(&used, "192.168.255.0", 24);
	use(&used, "192.168.254.0", 23);
	assert_choice(&used, "192.168.253.0", 24);
}

static void nothing_free_is_an_error(void **state)
{
	_cleanup_subnet_list_ struct subnet_list used = { 0 };
	struct subnet subnet;

	(void)state;
	use(&used, "10.0.0.0", 8);
	use(&used, "172.16.0.0", 12);
	use(&used, "192.168.0.0", 16);
	assert_int_equal(subnet_choose(&used, &subnet), -EADDRNOTAVAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mask_covers_the_prefix),
		cmocka_unit_test(list_clears_host_bits),
		cmocka_unit_test(overlap_is_containment_either_way),
		cmocka_unit_test(first_choice_on_an_empty_host),
		cmocka_unit_test(a_used_subnet_is_passed_over),
		cmocka_unit_test(default_routes_do_not_count),
		cmocka_unit_test(other_private_ranges_are_the_fallback),
		cmocka_unit_test(nothing_free_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
