/* SPDX-License-Identifier: Apache-2.0 */
/* Documents are compared with tests/unit/engine/golden/; GOLDEN_WRITE=1 writes them anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "runtime/engine/capabilities.h"
#include "runtime/engine/config_build.h"

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	struct engine_run_options options;
	struct oci_image image;
	struct user_identity user;
	struct config_input input;
	struct oci_config *config;
	struct err err;
};

static int set_up(void **state)
{
	static const char *const env[] = { "PATH=/bin", "LANG=C", NULL }, *const cmd[] = { "sh",
											   NULL };
	static struct fixture f;

	f = (struct fixture){
		.image = { .env = env, .cmd = cmd },
		.user = { .home = "/root" },
	};
	f.input = (struct config_input){
		.options = &f.options,
		.image = &f.image,
		.id = ID,
		.hostname = "0123456789ab",
		.dir = "/var/lib/cellar/containers/" ID,
		.netns_path = "/run/cellar/.engine/netns/" ID,
		.user = &f.user,
		.host_capabilities = (UINT64_C(1) << 41) - 1,
	};
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	oci_config_free(f->config);
	return 0;
}

static void build(struct fixture *f)
{
	assert_int_equal(config_build(&f->input, &f->config, &f->err), 0);
}

static void assert_golden(const struct oci_config *config, const char *name)
{
	_cleanup_free_ char *text = NULL, *want = NULL;
	char path[1024];
	size_t len;

	snprintf(path, sizeof(path), "%.*sgolden/%s", (int)(strrchr(__FILE__, '/') + 1 - __FILE__),
		 __FILE__, name);
	assert_int_equal(oci_config_format(config, &text, &len, NULL), 0);
	if (getenv("GOLDEN_WRITE"))
		assert_int_equal(file_replace(AT_FDCWD, path, text, len, 0644, false, NULL), 0);
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &want, NULL, NULL), 0);
	assert_string_equal(text, want);
}

static const struct oci_mount *mount_at(const struct fixture *f, const char *destination)
{
	for (size_t i = 0; i < f->config->mounts_count; i++)
		if (strcmp(f->config->mounts[i].destination, destination) == 0)
			return &f->config->mounts[i];
	return NULL;
}

static bool has_option(const struct oci_mount *mount, const char *option)
{
	for (size_t i = 0; i < mount->options_count; i++)
		if (strcmp(mount->options[i], option) == 0)
			return true;
	return false;
}

static const char *env_of(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->config->process.env_count; i++)
		if (strncmp(f->config->process.env[i], name, strlen(name)) == 0)
			return f->config->process.env[i] + strlen(name);
	return NULL;
}

static void defaults_are_golden(void **state)
{
	struct fixture *f = *state;

	build(f);
	assert_golden(f->config, "default.json");
}

static void mount_all(struct fixture *f, const struct engine_mount *mounts, size_t count)
{
	f->input.mounts = mounts;
	f->input.mounts_count = count;
}

static void everything_asked_for_is_golden(void **state)
{
	static const struct engine_mount mounts[] = {
		{ .type = ENGINE_MOUNT_TMPFS, .target = "/run", .tmpfs_options = "size=1m,exec" },
		{ .type = ENGINE_MOUNT_VOLUME, .source = "data", .target = "/srv/data/x" },
		{ .source = "/etc/ssl", .target = "/srv", .readonly = true },
	};
	struct fixture *f = *state;

	f->options = (struct engine_run_options){
		.args = LIST("top", "-d1"),
		.env = LIST("LANG=de", "A=b"),
		.workdir = "/srv",
		.terminal = true,
		.limits = { .memory_bytes = 64 << 20, .cpu_millicpu = 1500, .pids_limit = 32 },
		.security = { .readonly_rootfs = true,
			      .cap_add = LIST("NET_ADMIN"),
			      .cap_drop = LIST("MKNOD") },
		.console_width = 80,
		.console_height = 24,
	};
	mount_all(f, mounts, ARRAY_SIZE(mounts));
	f->input.mount_paths = LIST("", "/var/lib/cellar/volumes/data/data", "/etc/ssl");
	f->user.user.uid = 1000;
	build(f);
	assert_golden(f->config, "asked.json");
}

static void written_document_is_read_back(void **state)
{
	struct fixture *f = *state;
	_cleanup_oci_config_ struct oci_config *back = NULL;
	_cleanup_free_ char *text = NULL, *again = NULL;
	size_t len;

	build(f);
	assert_int_equal(oci_config_format(f->config, &text, &len, NULL), 0);
	assert_int_equal(oci_config_parse(text, len, &back, &f->err), 0);
	assert_int_equal(oci_config_format(back, &again, &len, NULL), 0);
	assert_string_equal(text, again);
}

static void privileged_has_all_and_no_confinement(void **state)
{
	static const struct oci_device device = { .path = "/dev/sda", .type = 'b', .major = 8 };
	struct fixture *f = *state;

	f->options.security.privileged = true;
	f->input.host_devices = &device;
	f->input.host_devices_count = 1;
	build(f);
	assert_int_equal(f->config->process.capabilities.effective, f->input.host_capabilities);
	assert_null(f->config->masked_paths);
	assert_null(f->config->readonly_paths);
	assert_null(oci_config_annotation(f->config, CONFIG_ANNOTATION_SECCOMP));
	assert_false(has_option(mount_at(f, "/sys"), "ro"));
	assert_false(has_option(mount_at(f, "/sys/fs/cgroup"), "ro"));
	assert_true(f->config->resources.devices[0].allow);
	assert_int_equal(f->config->devices_count, 1);
}

static void host_network_has_no_namespace_and_no_sysctl(void **state)
{
	struct fixture *f = *state;

	f->options.network = ENGINE_NETWORK_HOST;
	build(f);
	assert_false(f->config->namespaces[OCI_NS_NETWORK].present);
	assert_int_equal(f->config->sysctls_count, 0);
	/* Never a bind of the host's, with all that is mounted below it. */
	assert_string_equal(mount_at(f, "/sys")->type, "sysfs");
	assert_true(has_option(mount_at(f, "/sys"), "ro"));
}

static void volume_replaces_default_on_same_place(void **state)
{
	static const struct engine_mount mount = { .source = "/x", .target = "/etc/hosts" };
	struct fixture *f = *state;

	mount_all(f, &mount, 1);
	f->input.mount_paths = LIST("/x");
	build(f);
	assert_string_equal(mount_at(f, "/etc/hosts")->source, "/x");
}

static void mounts_below_a_bind_are_as_asked(void **state)
{
	static const struct engine_mount mounts[] = {
		{ .source = "/x", .target = "/a", .readonly = true },
		{ .source = "/x",
		  .target = "/b",
		  .readonly = true,
		  .below = ENGINE_BELOW_WRITABLE },
		{ .source = "/x", .target = "/c", .below = ENGINE_BELOW_NOTHING },
		{ .source = "/x", .target = "/d", .propagation = "rshared" },
	};
	struct fixture *f = *state;

	mount_all(f, mounts, ARRAY_SIZE(mounts));
	f->input.mount_paths = LIST("/x", "/x", "/x", "/x");
	build(f);
	assert_true(has_option(mount_at(f, "/a"), "rro") && has_option(mount_at(f, "/a"), "rbind"));
	assert_true(has_option(mount_at(f, "/b"), "ro") && !has_option(mount_at(f, "/b"), "rro"));
	assert_true(has_option(mount_at(f, "/c"), "bind") &&
		    !has_option(mount_at(f, "/c"), "rbind"));
	assert_true(has_option(mount_at(f, "/d"), "rshared"));
	assert_false(has_option(mount_at(f, "/d"), "rprivate"));
}

static void namespaces_are_shared_as_asked(void **state)
{
	struct fixture *f = *state;

	f->options.namespaces = (struct engine_namespaces){
		.pid = { ENGINE_NS_HOST, NULL },
		.ipc = { ENGINE_NS_CONTAINER, "x" },
		.uts = { ENGINE_NS_HOST, NULL },
		.cgroup = { ENGINE_NS_HOST, NULL },
	};
	f->input.ns = (struct config_namespaces){ .ipc_path = "/pins/ipc",
						  .shm_path = "/pins/shm",
						  .cgroup2 = true };
	build(f);
	assert_false(f->config->namespaces[OCI_NS_PID].present);
	assert_false(f->config->namespaces[OCI_NS_UTS].present);
	assert_false(f->config->namespaces[OCI_NS_CGROUP].present);
	assert_string_equal(f->config->namespaces[OCI_NS_IPC].path, "/pins/ipc");
	assert_null(f->config->hostname);
	assert_string_equal(mount_at(f, "/dev/shm")->source, "/pins/shm");
	assert_true(has_option(mount_at(f, "/sys/fs/cgroup"), "rro"));
}

static void ipc_none_has_no_shared_memory(void **state)
{
	struct fixture *f = *state;

	f->options.namespaces.ipc.mode = ENGINE_NS_NONE;
	build(f);
	assert_true(f->config->namespaces[OCI_NS_IPC].present);
	assert_null(mount_at(f, "/dev/shm"));
}

static void outer_mounts_come_first(void **state)
{
	static const struct engine_mount mounts[] = { { .source = "/x", .target = "/a/b/c" },
						      { .source = "/y", .target = "/a" } };
	struct fixture *f = *state;
	size_t outer = 0, inner = 0;

	mount_all(f, mounts, ARRAY_SIZE(mounts));
	f->input.mount_paths = LIST("/x", "/y");
	build(f);
	for (size_t i = 0; i < f->config->mounts_count; i++) {
		if (strcmp(f->config->mounts[i].destination, "/a") == 0)
			outer = i;
		if (strcmp(f->config->mounts[i].destination, "/a/b/c") == 0)
			inner = i;
	}
	assert_true(outer < inner);
}

static void another_user_than_root_has_no_effective_capability(void **state)
{
	struct fixture *f = *state;

	f->user.user.uid = 1;
	build(f);
	assert_int_equal(f->config->process.capabilities.effective, 0);
	assert_int_equal(f->config->process.capabilities.permitted, 0);
	assert_int_equal(f->config->process.capabilities.bounding, capabilities_default);
	assert_int_equal(f->config->process.capabilities.ambient, 0);
}

static void environment_comes_from_defaults_image_and_person(void **state)
{
	struct fixture *f = *state;

	f->options.env = LIST("HOME=/h", "LANG=x");
	f->options.terminal = true;
	build(f);
	assert_string_equal(env_of(f, "PATH="), "/bin");
	assert_string_equal(env_of(f, "HOSTNAME="), "0123456789ab");
	assert_string_equal(env_of(f, "TERM="), "xterm");
	assert_string_equal(env_of(f, "LANG="), "x");
	assert_string_equal(env_of(f, "HOME="), "/h");
}

static void command_is(struct fixture *f, const char *const *entrypoint, const char *const *args,
		       const char *want)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *const *argv;
	char got[128] = "";

	f->options.entrypoint = entrypoint;
	f->options.args = args;
	assert_int_equal(config_command(&f->options, &f->image, arena, &argv, &f->err), 0);
	for (; *argv; argv++) {
		strcat(got, *argv);
		strcat(got, " ");
	}
	assert_string_equal(got, want);
}

static void command_follows_docker(void **state)
{
	struct fixture *f = *state;
	const char *const *argv = NULL;

	command_is(f, NULL, NULL, "sh ");
	command_is(f, NULL, LIST("ls", "-l"), "ls -l ");
	command_is(f, LIST("e"), NULL, "e ");
	command_is(f, LIST("e"), LIST("a"), "e a ");
	f->image.entrypoint = LIST("/entry", "x");
	command_is(f, NULL, NULL, "/entry x sh ");
	command_is(f, NULL, LIST("a"), "/entry x a ");
	command_is(f, LIST(""), LIST("a"), "a ");
	f->options.entrypoint = LIST("");
	f->options.args = NULL;
	assert_int_equal(config_command(&f->options, &f->image, NULL, &argv, &f->err), -EINVAL);
	assert_null(argv);
}

static void relative_workdir_is_refused(void **state)
{
	struct fixture *f = *state;

	f->options.workdir = "x";
	assert_int_equal(config_build(&f->input, &f->config, &f->err), -EINVAL);
	assert_null(f->config);
}

static void limits_are_off_unless_asked_for(void **state)
{
	struct fixture *f = *state;

	f->options.limits.pids_limit = -1;
	build(f);
	assert_false(f->config->resources.memory.limit.set);
	assert_false(f->config->resources.cpu.quota_us.set);
	assert_int_equal(f->config->resources.pids_limit.value, -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_are_golden, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_asked_for_is_golden, set_up, tear_down),
		cmocka_unit_test_setup_teardown(written_document_is_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(privileged_has_all_and_no_confinement, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(host_network_has_no_namespace_and_no_sysctl, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(volume_replaces_default_on_same_place, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(mounts_below_a_bind_are_as_asked, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(namespaces_are_shared_as_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ipc_none_has_no_shared_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(outer_mounts_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_user_than_root_has_no_effective_capability,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(environment_comes_from_defaults_image_and_person,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(command_follows_docker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(relative_workdir_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_are_off_unless_asked_for, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
