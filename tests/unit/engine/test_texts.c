/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/engine/capabilities.h"
#include "runtime/engine/environment.h"
#include "runtime/engine/host_files.h"
#include "runtime/engine/limit_words.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/platform.h"

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct fixture {
	struct arena *arena;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .arena = arena_new() };
	*state = &f;
	return f.arena ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	return 0;
}

static void later_assignments_replace_in_place(void **state)
{
	struct fixture *f = *state;
	struct environment env = { .arena = f->arena };

	for (int i = 0; i < 40; i++)
		assert_int_equal(
			environment_set(&env, arena_printf(f->arena, "V%d=%d", i, i), NULL), 0);
	assert_int_equal(environment_set(&env, "V3=new=x", NULL), 0);
	assert_int_equal(environment_default(&env, "V4=no", NULL), 0);
	assert_int_equal(environment_default(&env, "V=yes", NULL), 0);
	assert_int_equal(env.count, 41);
	assert_string_equal(env.items[3], "V3=new=x");
	assert_string_equal(environment_get(&env, "V4"), "4");
	assert_string_equal(environment_get(&env, "V"), "yes");
	assert_null(env.items[41]);
	assert_int_equal(environment_set(&env, "=x", &f->err), -EINVAL);
	assert_int_equal(environment_set(&env, "X", &f->err), -EINVAL);
}

static void name_alone_takes_our_value_or_takes_it_out(void **state)
{
	struct fixture *f = *state;
	struct environment env = { .arena = f->arena };

	setenv("TEST_TEXTS", "ours", 1);
	unsetenv("TEST_TEXTS_NOT");
	assert_int_equal(environment_set(&env, "TEST_TEXTS_NOT=image", NULL), 0);
	assert_int_equal(environment_ask(&env, "TEST_TEXTS", NULL), 0);
	assert_int_equal(environment_ask(&env, "TEST_TEXTS_NOT", NULL), 0);
	assert_int_equal(env.count, 1);
	assert_string_equal(env.items[0], "TEST_TEXTS=ours");
	assert_int_equal(environment_ask(&env, "", &f->err), -EINVAL);
}

static void capabilities_are_added_and_dropped(void **state)
{
	struct fixture *f = *state;
	uint64_t all = (UINT64_C(1) << 41) - 1, mask;

	assert_int_equal(__builtin_popcountll(capabilities_default), 14);
	assert_int_equal(capabilities_choose(NULL, NULL, all, &mask, NULL), 0);
	assert_int_equal(mask, capabilities_default);
	assert_int_equal(
		capabilities_choose(LIST("net_admin"), LIST("CAP_CHOWN"), all, &mask, NULL), 0);
	assert_int_equal(mask, (capabilities_default & ~UINT64_C(1)) | UINT64_C(1) << 12);
	assert_int_equal(capabilities_choose(LIST("KILL"), LIST("ALL"), all, &mask, NULL), 0);
	assert_int_equal(mask, UINT64_C(1) << 5);
	assert_int_equal(capabilities_choose(LIST("all"), LIST("SYS_ADMIN"), all, &mask, NULL), 0);
	assert_int_equal(mask, all & ~(UINT64_C(1) << 21));
	assert_int_equal(capabilities_choose(LIST("NOPE"), NULL, all, &mask, &f->err), -EINVAL);
	assert_int_equal(capabilities_choose(LIST("SYS_RESOURCE"), NULL, capabilities_default,
					     &mask, &f->err),
			 -EPERM);
	assert_non_null(strstr(f->err.text, "CAP_SYS_RESOURCE"));
	assert_int_equal(capabilities_choose(NULL, NULL, 1, &mask, NULL), 0);
	assert_int_equal(mask, 1);
}

static void loopback_nameservers_are_left_out(void **state)
{
	char *text;
	bool usable = true;
	(void)state;

	text = host_files_resolv("# c\nnameserver 127.0.0.53\nnameserver ::1\nsearch a b", &usable);
	assert_string_equal(text, "# c\nsearch a b\n");
	assert_false(usable);
	free(text);
	text = host_files_resolv(
		"nameserver 10.0.0.1\n nameserver\t127.1.2.3\nnameserver fe80::1%eth0\n", &usable);
	assert_string_equal(text, "nameserver 10.0.0.1\nnameserver fe80::1%eth0\n");
	assert_true(usable);
	free(text);
}

static void hosts_name_the_container(void **state)
{
	char *text;
	(void)state;

	text = host_files_hosts(
		&(struct host_files){ .hostname = "h1", .name = "web", .address = "10.0.0.2" });
	assert_non_null(strstr(text, "\n10.0.0.2\th1 web\n"));
	assert_int_equal(strncmp(text, "127.0.0.1\tlocalhost\n", 20), 0);
	free(text);
}

static void meta_survives_being_written(void **state)
{
	struct fixture *f = *state;
	struct meta meta = {
		.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.name = "web",
		.image = "localhost/bb:latest",
		.image_id = "sha256:1",
		.hostname = "h1",
		.address = "10.77.0.2/16",
		.layers = LIST("aa", "bb"),
		.command = LIST("sh", "-c", "echo \"x\""),
		.terminal = true,
		.network = ENGINE_NETWORK_NONE,
		.limits.memory_bytes = 64 << 20,
		.limits.pids_limit = -1,
		.created_ns = 1700000000123456789,
	}, back;
	char *text = NULL;
	size_t len;

	assert_int_equal(meta_format(&meta, &text, &len, &f->err), 0);
	assert_int_equal(meta_parse(text, len, f->arena, &back, &f->err), 0);
	assert_string_equal(back.id, meta.id);
	assert_string_equal(back.layers[1], "bb");
	assert_string_equal(back.command[2], "echo \"x\"");
	assert_null(back.command[3]);
	assert_null(back.gateway);
	assert_true(back.terminal);
	assert_int_equal(back.network, ENGINE_NETWORK_NONE);
	assert_int_equal(back.created_ns, meta.created_ns);
	assert_int_equal(back.limits.pids_limit, -1);
	free(text);
}

static void mounts_and_namespaces_survive_being_written(void **state)
{
	static const struct engine_mount mounts[] = {
		{ .source = "/a",
		  .target = "/b",
		  .readonly = true,
		  .propagation = "rslave",
		  .below = ENGINE_BELOW_WRITABLE },
		{ .type = ENGINE_MOUNT_VOLUME, .source = "v", .target = "/v", .anonymous = true },
		{ .type = ENGINE_MOUNT_TMPFS, .target = "/t", .tmpfs_options = "size=1m" },
	};
	struct fixture *f = *state;
	struct meta meta = {
		.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.name = "web",
		.image = "bb",
		.hostname = "h1",
		.layers = LIST("aa"),
		.command = LIST("sh"),
		.mounts = mounts,
		.mounts_count = 3,
		.namespaces = { .pid = { ENGINE_NS_CONTAINER, "db" },
				.ipc = { ENGINE_NS_NONE, NULL },
				.user = true },
	}, back;
	char *text = NULL;
	size_t len;

	assert_int_equal(meta_format(&meta, &text, &len, &f->err), 0);
	assert_int_equal(meta_parse(text, len, f->arena, &back, &f->err), 0);
	assert_int_equal(back.mounts_count, 3);
	assert_true(back.mounts[0].readonly && back.mounts[0].below == ENGINE_BELOW_WRITABLE);
	assert_string_equal(back.mounts[0].propagation, "rslave");
	assert_true(back.mounts[1].anonymous && back.mounts[1].type == ENGINE_MOUNT_VOLUME);
	assert_string_equal(back.mounts[2].tmpfs_options, "size=1m");
	assert_string_equal(back.namespaces.pid.container, "db");
	assert_int_equal(back.namespaces.ipc.mode, ENGINE_NS_NONE);
	assert_int_equal(back.namespaces.uts.mode, ENGINE_NS_PRIVATE);
	assert_true(back.namespaces.user);
	free(text);
}

static void limits_survive_being_written(void **state)
{
	static const struct oci_rlimit ulimits[] = { { RLIMIT_CORE, 0, RLIM_INFINITY } };
	static const struct engine_block_limit rates[] = { { "/dev/sda", 8, 0, 1000 } };
	struct fixture *f = *state;
	struct meta meta = {
		.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.name = "web",
		.image = "bb",
		.hostname = "h1",
		.limits = { .memory_swap_bytes = -1,
			    .memory_swappiness = { true, 0 },
			    .cpuset_cpus = "0-1",
			    .block[OCI_THROTTLE_WRITE_IOPS] = rates,
			    .block_count[OCI_THROTTLE_WRITE_IOPS] = 1,
			    .ulimits = ulimits,
			    .ulimits_count = 1 },
	}, back;
	char *text = NULL;
	size_t len;

	assert_int_equal(meta_format(&meta, &text, &len, &f->err), 0);
	assert_int_equal(meta_parse(text, len, f->arena, &back, &f->err), 0);
	assert_int_equal(back.limits.memory_swap_bytes, -1);
	assert_true(back.limits.memory_swappiness.set);
	assert_false(back.limits.oom_score_adj.set);
	assert_string_equal(back.limits.cpuset_cpus, "0-1");
	assert_int_equal(back.limits.block_count[OCI_THROTTLE_READ_BPS], 0);
	assert_string_equal(back.limits.block[OCI_THROTTLE_WRITE_IOPS]->device, "/dev/sda");
	assert_int_equal(back.limits.block[OCI_THROTTLE_WRITE_IOPS]->value, 1000);
	assert_int_equal(back.limits.ulimits->type, RLIMIT_CORE);
	assert_true(back.limits.ulimits->hard == RLIM_INFINITY);
	free(text);
}

static void limits_of_the_first_version_are_read(void **state)
{
	static const char text[] = "{\"version\": 1, \"id\": "
				   "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
				   "cdef\", \"name\": \"web\", \"image\": \"bb\", \"hostname\": "
				   "\"h\", \"created\": \"2026-11-22T17:27:17Z\", \"network\": "
				   "\"none\", \"memory_bytes\": 5, \"pids_limit\": -1}";
	struct fixture *f = *state;
	struct meta back;

	assert_int_equal(meta_parse(text, strlen(text), f->arena, &back, &f->err), 0);
	assert_int_equal(back.limits.memory_bytes, 5);
	assert_int_equal(back.limits.pids_limit, -1);
	assert_int_equal(back.limits.cpu_millicpu, 0);
}

static void ulimits_are_read_as_docker_reads_them(void **state)
{
	static const char *const bad[] = { "",		 "nofile",     "nofile=",  "nofile=1:",
					   "=1",	 "NOFILE=1",   "nofile=x", "nofile=-2",
					   "nofile=2:1", "nofile=-1:5" };
	struct fixture *f = *state;
	struct oci_rlimit limit;

	assert_int_equal(limit_parse_ulimit("nofile=7", &limit, &f->err), 0);
	assert_true(limit.type == RLIMIT_NOFILE && limit.soft == 7 && limit.hard == 7);
	assert_int_equal(limit_parse_ulimit("core=0:-1", &limit, &f->err), 0);
	assert_true(limit.type == RLIMIT_CORE && !limit.soft && limit.hard == RLIM_INFINITY);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(limit_parse_ulimit(bad[i], &limit, &f->err), -EINVAL);
}

static void labels_are_merged_and_survive(void **state)
{
	const struct oci_annotation image[] = { { "a", "1" }, { "b", "2" } },
				    asked[] = { { "b", "3" }, { "c", "" }, { "c", "4" } };
	const struct labels under = { image, 2 }, over = { asked, 3 };
	struct fixture *f = *state;
	struct meta meta = {
		.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.name = "web",
		.image = "bb",
		.hostname = "h1",
		.stop_timeout_s = -1,
	}, back;
	char *text = NULL;
	size_t len;

	assert_int_equal(labels_merge(&under, &over, f->arena, &meta.labels, &f->err), 0);
	assert_int_equal(meta_format(&meta, &text, &len, &f->err), 0);
	assert_int_equal(meta_parse(text, len, f->arena, &back, &f->err), 0);
	assert_int_equal(back.labels.count, 3);
	assert_string_equal(back.labels.items[0].key, "a");
	assert_string_equal(back.labels.items[1].value, "3");
	assert_string_equal(back.labels.items[2].value, "4");
	assert_int_equal(back.annotations.count, 0);
	assert_int_equal(back.stop_timeout_s, -1);
	free(text);
}

static void platforms_are_compared(void **state)
{
	static const char *const good[] = { "linux/arm64", "linux/arm64/v8", "arm64", "aarch64",
					    "linux" };
	static const char *const other[] = { "linux/amd64", "x86_64", "windows/arm64",
					     "linux/arm64/v9" };
	static const char *const bad[] = {
		"", "/", "linux/", "vax", "linux/arm64/v8/x", "linux//v8", "arm64/linux"
	};
	const struct oci_image image = { .os = "linux", .architecture = "arm64", .variant = "v8" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(platform_check_image(good[i], "bb", &image, &f->err), 0);
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		assert_int_equal(platform_check_image(other[i], "bb", &image, &f->err), -ENOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(platform_check_word(bad[i], &f->err), -EINVAL);
}

static void newer_and_broken_meta_is_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"version\": 2}",
		"{\"version\": 1, \"id\": \"x\"}",
		"",
	};
	struct fixture *f = *state;
	struct meta meta;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(meta_parse(bad[i], strlen(bad[i]), f->arena, &meta, &f->err) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(later_assignments_replace_in_place, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(name_alone_takes_our_value_or_takes_it_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(capabilities_are_added_and_dropped, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(loopback_nameservers_are_left_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(hosts_name_the_container, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mounts_and_namespaces_survive_being_written, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(meta_survives_being_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_survive_being_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_of_the_first_version_are_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(ulimits_are_read_as_docker_reads_them, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(labels_are_merged_and_survive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(platforms_are_compared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(newer_and_broken_meta_is_refused, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
