/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/lease.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>

#include "sandbox.h"

/* 10.9.0.0/29: hosts .1 (the gateway) to .6. */
static struct network_config small(void)
{
	return (struct network_config){
		.bridge = "b",
		.subnet.s_addr = htonl(0x0a090000),
		.gateway.s_addr = htonl(0x0a090001),
		.prefix_len = 29,
		.mtu = 1500,
	};
}

static struct network_config large(void)
{
	struct network_config c = small();

	c.prefix_len = 16;
	return c;
}

/* The last number of the address leased, or the error. */
static int take(const char *dir, const char *id, const struct network_config *config,
		struct err *err)
{
	struct in_addr a;
	int r = lease_take(dir, id, config, (struct in_addr){ 0 }, &a, err);

	return r < 0 ? r : (int)(ntohl(a.s_addr) - ntohl(config->subnet.s_addr));
}

static void put_link(const char *dir, const char *name, const char *target)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/leases/%s", dir, name);
	assert_int_equal(symlink(target, path), 0);
}

static int entries_of(const char *dir, const char *sub)
{
	char path[512];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/leases/%s", dir, sub);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.' && strcmp(e->d_name, "by-id") != 0;
	closedir(d);
	return n;
}

static void assert_empty(const char *dir)
{
	assert_int_equal(entries_of(dir, "."), 0);
	assert_int_equal(entries_of(dir, "by-id"), 0);
}

static void network_gateway_and_broadcast_are_never_leased(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	for (int i = 2; i <= 6; i++) {
		char id[8];

		snprintf(id, sizeof(id), "c%d", i);
		assert_int_equal(take(*state, id, &c, &err), i);
	}
}

static void exhaustion_is_said_clearly(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	network_gateway_and_broadcast_are_never_leased(state);
	assert_int_equal(take(*state, "more", &c, &err), -EADDRNOTAVAIL);
	assert_string_equal(err.text, "no address is free in 10.9.0.0/29: all 5 are leased");
	assert_ok(network_lease_release(*state, "c4", &err));
	assert_int_equal(take(*state, "more", &c, &err), 4);
}

static void a_released_address_rests(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_ok(network_lease_release(*state, "a", &err));
	assert_int_equal(take(*state, "b", &c, &err), 3);
	assert_int_equal(take(*state, "c", &c, &err), 4);
	assert_int_equal(take(*state, "d", &c, &err), 5);
	assert_int_equal(take(*state, "e", &c, &err), 6);
	assert_int_equal(take(*state, "f", &c, &err), 2);
}

static void the_same_id_gets_the_same_address(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_int_equal(entries_of(*state, "."), 1);
}

static void a_lease_of_another_subnet_is_replaced(void **state)
{
	struct network_config c = small(), other = small();
	struct err err = { 0 };

	other.subnet.s_addr = htonl(0x0a0a0000);
	other.gateway.s_addr = htonl(0x0a0a0001);
	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_int_equal(take(*state, "a", &other, &err), 1 + 1);
	assert_int_equal(entries_of(*state, "."), 1);
	assert_int_equal(entries_of(*state, "by-id"), 1);
}

static void release_leaves_nothing(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_ok(network_lease_release(*state, "a", &err));
	assert_empty(*state);
}

static void releasing_what_is_not_there_is_fine(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(network_lease_release(*state, "a", &err), 0);
	assert_int_equal(network_lease_release("/nonexistent/cellar", "a", &err), 0);
	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_int_equal(network_lease_release(*state, "b", &err), 0);
	assert_int_equal(entries_of(*state, "."), 1);
}

static void an_id_that_is_a_path_is_refused(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(take(*state, "../x", &c, &err), -EINVAL);
	assert_int_equal(take(*state, "", &c, &err), -EINVAL);
	assert_int_equal(network_lease_release(*state, "../../x", &err), -EINVAL);
}

static void a_damaged_hint_is_ignored(void **state)
{
	static const char *const hints[] = { "", "rubbish", "192.0.2.7\n", "10.9.0.7\n\n",
					     "999999999999999999999999999" };
	struct network_config c = small();
	struct err err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/lock", (char *)*state);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		assert_ok(file_replace(AT_FDCWD, path, hints[i], strlen(hints[i]), 0600, false,
				       &err));
		assert_int_equal(take(*state, "a", &c, &err), 2);
		assert_ok(network_lease_release(*state, "a", &err));
	}
}

/* ---- what a kill leaves ---- */

static int release_it(void *data, const char *id, struct in_addr address)
{
	struct err err;

	(void)address;
	return network_lease_release(data, id, &err);
}

static int count(void *data, const char *id, struct in_addr address)
{
	(void)id;
	(void)address;
	++*(int *)data;
	return 0;
}

static void each_names_every_lease(void **state)
{
	struct network_config c = large();
	struct err err = { 0 };
	char id[16];
	int n = 0;

	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		assert_true(take(*state, id, &c, &err) > 0);
	}
	assert_ok(network_lease_each(*state, count, &n, &err));
	assert_int_equal(n, 100);
	assert_ok(network_lease_each(*state, release_it, *state, &err));
	assert_empty(*state);
}

static void each_without_leases_is_fine(void **state)
{
	struct err err = { 0 };
	int n = 0;

	assert_ok(network_lease_each("/nonexistent/cellar", count, &n, &err));
	assert_ok(network_lease_each(*state, count, &n, &err));
	assert_int_equal(n, 0);
}

static int stop(void *data, const char *id, struct in_addr address)
{
	count(data, id, address);
	return -ECANCELED;
}

static void each_ends_where_fn_says(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };
	int n = 0;

	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_int_equal(take(*state, "b", &c, &err), 3);
	assert_int_equal(network_lease_each(*state, stop, &n, &err), -ECANCELED);
	assert_int_equal(n, 1);
}

/* Killed between the two symlinks of a take, or of a release. */
static void half_a_lease_is_mended_by_release(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };
	int n = 0;

	assert_int_equal(take(*state, "a", &c, &err), 2);
	put_link(*state, "by-id/killed", "10.9.0.3");
	assert_ok(network_lease_each(*state, count, &n, &err));
	assert_int_equal(n, 2);
	assert_ok(network_lease_release(*state, "killed", &err));
	assert_int_equal(entries_of(*state, "by-id"), 1);
}

static void half_a_lease_is_mended_by_take(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(take(*state, "a", &c, &err), 2);
	put_link(*state, "by-id/killed", "10.9.0.5");
	assert_int_equal(take(*state, "killed", &c, &err), 3);
	assert_int_equal(entries_of(*state, "by-id"), 2);
}

/* By then the address may be somebody else's: that lease must stay. */
static void half_a_lease_takes_nothing_from_another(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(take(*state, "a", &c, &err), 2);
	put_link(*state, "by-id/killed", "10.9.0.2");
	assert_ok(network_lease_release(*state, "killed", &err));
	assert_int_equal(take(*state, "b", &c, &err), 3);
	assert_int_equal(take(*state, "a", &c, &err), 2);
	assert_int_equal(entries_of(*state, "."), 2);
}

static void a_lease_without_its_index_is_mended_by_each(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };
	int n = 0;

	assert_int_equal(take(*state, "a", &c, &err), 2);
	put_link(*state, "10.9.0.4", "lost");
	put_link(*state, "10.9.0.5", "a");
	put_link(*state, "10.9.0.6", "../../etc");
	assert_ok(network_lease_each(*state, count, &n, &err));
	assert_int_equal(n, 2);
	assert_ok(network_lease_each(*state, release_it, *state, &err));
	assert_empty(*state);
}

static void an_index_that_is_a_path_is_never_followed(void **state)
{
	struct network_config c = small();
	struct err err = { 0 };

	assert_int_equal(take(*state, "a", &c, &err), 2);
	put_link(*state, "by-id/evil", "../lock");
	assert_int_equal(network_lease_release(*state, "evil", &err), -EINVAL);
	assert_non_null(strstr(err.text, "by-id/evil"));
}

/* ---- many at once ---- */

#define PROCESSES 20
#define LEASES_EACH 10

static int lease_many(void *data)
{
	struct network_config c = large();
	struct err err;
	char id[32];

	for (int i = 0; i < LEASES_EACH; i++) {
		snprintf(id, sizeof(id), "p%d-%d", getpid(), i);
		if (take(data, id, &c, &err) < 0)
			return 1;
		if (i % 2 && network_lease_release(data, id, &err) < 0)
			return 2;
	}
	return 0;
}

static void processes_never_share_an_address(void **state)
{
	struct err err = { 0 };
	int n = 0, status;

	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(lease_many(*state));
		assert_true(pid > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_ok(network_lease_each(*state, count, &n, &err));
	assert_int_equal(n, PROCESSES * LEASES_EACH / 2);
	assert_int_equal(entries_of(*state, "."), n);
	assert_int_equal(entries_of(*state, "by-id"), n);
}

/* ---- wanted addresses ---- */

static int take_wanted(const char *dir, const char *id, const struct network_config *config,
		       uint32_t offset, struct err *err)
{
	struct in_addr wanted = { htonl(ntohl(config->subnet.s_addr) + offset) }, a = { 0 };
	int r = lease_take(dir, id, config, wanted, &a, err);

	if (r == 0)
		assert_int_equal(a.s_addr, wanted.s_addr);
	return r;
}

static void a_wanted_address_is_leased_or_refused(void **state)
{
	struct network_config config = large();
	uint32_t gateway = ntohl(config.gateway.s_addr) - ntohl(config.subnet.s_addr);
	struct err err = { 0 };

	assert_ok(take_wanted(*state, "one", &config, 500, &err));
	assert_ok(take_wanted(*state, "one", &config, 500, &err));
	assert_int_equal(take_wanted(*state, "two", &config, 500, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "one"));
	assert_ok(take_wanted(*state, "one", &config, 501, &err));
	assert_ok(take_wanted(*state, "two", &config, 500, &err));
	assert_int_equal(take_wanted(*state, "three", &config, gateway, &err), -EINVAL);
	assert_int_equal(take_wanted(*state, "three", &config, 0, &err), -EINVAL);
	assert_int_equal(take_wanted(*state, "three", &config, 65535, &err), -EINVAL);
	assert_int_equal(take_wanted(*state, "three", &config, 65536, &err), -EINVAL);
	assert_int_equal(entries_of(*state, "by-id"), 2);
}

static void a_wanted_ipv6_address_is_worth_its_lease(void **state)
{
	struct network_config config = large();
	struct in_addr one, two;
	struct in6_addr wanted, own, other;
	struct err err = { 0 };

	inet_pton(AF_INET6, "fd00:1:2:3::", &config.subnet6);
	inet_pton(AF_INET6, "fd00:1:2:3:5::1", &wanted);
	assert_ok(lease_take(*state, "one", &config, (struct in_addr){ 0 }, &one, &err));
	assert_ok(lease_take(*state, "two", &config, (struct in_addr){ 0 }, &two, &err));
	own = lease_derive6(&config, one);
	other = lease_derive6(&config, two);
	assert_memory_not_equal(&own, &other, sizeof(own));
	assert_ok(lease_take6(*state, "one", &config, one, &wanted, &err));
	assert_ok(lease_take6(*state, "one", &config, one, &wanted, &err));
	assert_int_equal(lease_take6(*state, "two", &config, two, &wanted, &err), -EADDRINUSE);
	assert_ok(lease_take6(*state, "two", &config, two, &other, &err));
	assert_int_equal(lease_take6(*state, "one", &config, one, &other, &err), -EINVAL);
	inet_pton(AF_INET6, "fd00:1:2:4::1", &other);
	assert_int_equal(lease_take6(*state, "one", &config, one, &other, &err), -EINVAL);
	/* Given back, and also when that was cut off half-way. */
	assert_ok(network_lease_release(*state, "one", &err));
	assert_ok(lease_take6(*state, "two", &config, two, &wanted, &err));
	assert_ok(network_lease_release(*state, "two", &err));
	put_link(*state, "../leases6/fd00:1:2:3:5::1", "gone");
	assert_ok(lease_take(*state, "three", &config, (struct in_addr){ 0 }, &one, &err));
	assert_ok(lease_take6(*state, "three", &config, one, &wanted, &err));
}

#define with_folder(test) \
	cmocka_unit_test_setup_teardown(test, sandbox_make_folder, sandbox_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(network_gateway_and_broadcast_are_never_leased),
		with_folder(exhaustion_is_said_clearly),
		with_folder(a_released_address_rests),
		with_folder(the_same_id_gets_the_same_address),
		with_folder(a_lease_of_another_subnet_is_replaced),
		with_folder(release_leaves_nothing),
		with_folder(releasing_what_is_not_there_is_fine),
		with_folder(an_id_that_is_a_path_is_refused),
		with_folder(a_damaged_hint_is_ignored),
		with_folder(each_names_every_lease),
		with_folder(each_without_leases_is_fine),
		with_folder(each_ends_where_fn_says),
		with_folder(half_a_lease_is_mended_by_release),
		with_folder(half_a_lease_is_mended_by_take),
		with_folder(half_a_lease_takes_nothing_from_another),
		with_folder(a_lease_without_its_index_is_mended_by_each),
		with_folder(an_index_that_is_a_path_is_never_followed),
		with_folder(a_wanted_address_is_leased_or_refused),
		with_folder(a_wanted_ipv6_address_is_worth_its_lease),
		with_folder(processes_never_share_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
