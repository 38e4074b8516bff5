/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans as text, compared with tests/unit/isolation/golden/NAME.plan for each NAME.json;
 * GOLDEN_WRITE=1 writes them anew. And what is refused, by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "isolation/init/plan_format.h"
#include "isolation/plan.h"

static const struct plan_cgroup v1[] = {
	{ "memory", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/c1", false },
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/c1", false },
	{ "", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/c1", true },
};

static const struct plan_cgroup v2[] = { { "", "/sys/fs/cgroup", "/sys/fs/cgroup/c1", true } };

static const struct plan_options on_v1 = { .rootfs = "/bundle/rootfs",
					   .bundle = "/bundle",
					   .cgroups = v1,
					   .cgroups_count = 3,
					   .id = "c1" };

static const struct plan_options on_v2 = { .rootfs = "/bundle/rootfs",
					   .bundle = "/bundle",
					   .cgroups = v2,
					   .cgroups_count = 1,
					   .id = "c1" };

static char *golden_path(const char *name, const char *suffix)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*sgolden/%s.%s",
		 (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__, name, suffix);
	return path;
}

static struct oci_config *load(const char *name)
{
	struct oci_config *config = NULL;
	struct err err = { 0 };

	if (oci_config_load(AT_FDCWD, golden_path(name, "json"), &config, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

static void assert_golden(const struct plan *plan, const char *name)
{
	_cleanup_free_ char *text = plan_print(plan), *golden = NULL;
	const char *path = golden_path(name, "plan");

	assert_non_null(text);
	if (getenv("GOLDEN_WRITE"))
		file_replace(AT_FDCWD, path, text, strlen(text), 0644, false, NULL);
	assert_return_code(file_read(AT_FDCWD, path, 1 << 20, &golden, NULL, NULL), EIO);
	assert_string_equal(text, golden);
}

static void check_container(const char *document, const struct plan_options *options,
			    const char *golden)
{
	_cleanup_oci_config_ struct oci_config *config = load(document);
	_cleanup_plan_ struct plan *plan = NULL;
	struct err err = { 0 };

	if (plan_build(config, options, &plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_golden(plan, golden);
}

static void rare_fields_are_golden(void **state)
{
	(void)state;
	check_container("rare", &on_v2, "rare");
}

static void the_default_bundle_is_golden(void **state)
{
	(void)state;
	check_container("default", &on_v1, "default-v1");
	check_container("default", &on_v2, "default-v2");
}

/* The host's hierarchies, mounted below, must be read-only as well (CVE-2023-25809). */
static void the_cgroup_tree_of_the_host_is_readonly_all_through(void **state)
{
	_cleanup_oci_config_ struct oci_config *config = load("default");
	_cleanup_plan_ struct plan *plan = NULL;
	struct plan_options options = on_v2;
	struct err err = { 0 };
	int found = 0;

	(void)state;
	options.cgroups_count = 0;
	if (plan_build(config, &options, &plan, &err) < 0)
		fail_msg("%s", err.text);
	PLAN_EACH(plan_mount, m, plan, plan->mounts)
	{
		if (strcmp(plan_string(plan, m->target), "/sys/fs/cgroup") != 0)
			continue;
		found++;
		assert_true(m->flags & PLAN_MOUNT_RECURSIVE);
		assert_true(m->set_recursive & MOUNT_ATTR_RDONLY);
	}
	assert_int_equal(found, 1);
}

static void everything_is_golden(void **state)
{
	struct plan_options options = on_v2;

	(void)state;
	options.no_pivot = true;
	options.no_new_keyring = true;
	options.preserve_fds = 2;
	options.rootless = true;
	check_container("everything", &options, "everything");
}

static void an_exec_is_golden(void **state)
{
	_cleanup_oci_config_ struct oci_config *config = load("everything");
	_cleanup_plan_ struct plan *plan = NULL;
	const char *args[] = { "ps", "-ef", NULL }, *env[] = { "HOME=/h", NULL };
	struct oci_process process = { .args = args,
				       .args_count = 2,
				       .env = env,
				       .env_count = 1,
				       .cwd = "/tmp",
				       .terminal = true };
	struct err err = { 0 };

	(void)state;
	if (plan_build_exec(config, &process, &on_v2, &plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_golden(plan, "exec");
}

static struct plan *plan_environment(const char **env, size_t count)
{
	_cleanup_oci_config_ struct oci_config *config = load("everything");
	const char *args[] = { "a", NULL };
	struct oci_process process = {
		.args = args, .args_count = 1, .env = env, .env_count = count, .cwd = "/"
	};
	struct plan *plan = NULL;
	struct err err = { 0 };

	if (plan_build_exec(config, &process, &on_v2, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

static const char *variable(const struct plan *plan, uint32_t i)
{
	const uint64_t *slots = (const void *)((const char *)plan + plan->env.offset);

	return (const char *)plan + slots[i];
}

static void of_one_variable_the_last_entry_stays_in_its_place(void **state)
{
	const char *env[] = { "A=1",  "AB=1", "A", "HOME=/h", "A=2", "B=x",
			      "A==3", "AB=",  "A", "B=y",     "C",   "HOME=" };
	static const char *const expected[] = { "A==3", "AB=", "A", "B=y", "C", "HOME=/" };
	_cleanup_plan_ struct plan *plan = plan_environment(env, ARRAY_SIZE(env));

	(void)state;
	assert_int_equal(plan->env.count, ARRAY_SIZE(expected));
	for (uint32_t i = 0; i < plan->env.count; i++)
		assert_string_equal(variable(plan, i), expected[i]);
}

/* 40,000 of them took 5 s when each was compared with each. */
static void many_variables_are_planned_in_no_time(void **state)
{
	enum { COUNT = 40000 };
	const char **env = calloc(COUNT, sizeof(*env));
	char(*texts)[16] = calloc(COUNT, sizeof(*texts));
	clock_t began = clock();
	_cleanup_plan_ struct plan *plan = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(texts[i], sizeof(texts[i]), "V%zu=%zu", i % (COUNT - 1), i);
		env[i] = texts[i];
	}
	plan = plan_environment(env, COUNT);
	/* Of the processor: others may have it for as long as they like. */
	assert_true(clock() - began < 2 * CLOCKS_PER_SEC);
	assert_int_equal(plan->env.count, COUNT); /* one is doubled, and HOME comes */
	assert_string_equal(variable(plan, 0), "V1=1");
	assert_string_equal(variable(plan, COUNT - 2), "V0=39999");
	free(texts);
	free(env);
}

static struct err refusal(const char *mounts, const char *rest)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_plan_ struct plan *plan = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };

	assert_true(
		asprintf(
			&text,
			"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":"
			"[\"a\"],\"cwd\":\"/\"},\"mounts\":[%s],\"linux\":{%s}}",
			mounts, rest) > 0);
	if (oci_config_parse(text, strlen(text), &config, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(plan_build(config, &on_v2, &plan, &err) < 0);
	assert_null(plan);
	return err;
}

static void nonsense_is_refused_by_name(void **state)
{
	static const char *const new_mount = "\"namespaces\":[{\"type\":\"mount\"}]";
	static const struct {
		const char *mount, *rest, *says;
	} rows[] = {
		{ "", "", "linux.namespaces: no mount namespace" },
		{ "{\"destination\":\"/proc/1\",\"type\":\"tmpfs\"}", NULL,
		  "mounts[0].destination: may not lie inside /proc" },
		{ "{\"destination\":\"/proc\",\"type\":\"tmpfs\"}", NULL,
		  "mounts[0].destination: only proc" },
		{ "{\"destination\":\"/\",\"type\":\"tmpfs\"}", NULL,
		  "may not be the root itself" },
		{ "{\"destination\":\"/x\"}", NULL, "mounts[0].type: missing" },
		{ "{\"destination\":\"/x\",\"options\":[\"bind\"]}", NULL,
		  "mounts[0].source: missing" },
		{ "{\"destination\":\"/x\",\"type\":\"proc\",\"options\":[\"tmpcopyup\"]}", NULL,
		  "tmpcopyup is for tmpfs only" },
		{ "{\"destination\":\"/x\",\"source\":\"/\",\"options\":[\"bind\",\"idmap\"]}",
		  NULL, "idmap needs uidMappings" },
		{ "{\"destination\":\"/x\",\"type\":\"tmpfs\",\"options\":[\"=1\"]}", NULL,
		  "one has no name before its '='" },
		{ "", "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]",
		  "linux.uidMappings and linux.gidMappings" },
		{ "", "\"namespaces\":[{\"type\":\"mount\"}],\"sysctl\":{\"vm.swappiness\":\"1\"}",
		  "linux.sysctl[\"vm.swappiness\"]: belongs to the whole host" },
		{ "",
		  "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"}],\"sysctl\":{\"net/../"
		  "kernel/panic\":\"1\"}",
		  "linux.sysctl[\"net/../kernel/panic\"]: no name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = refusal(rows[i].mount, rows[i].rest ? rows[i].rest : new_mount);

		if (!strstr(err.text, rows[i].says))
			fail_msg("row %zu: \"%s\", not \"%s\"", i, err.text, rows[i].says);
	}
}

/* Any one word of a plan may be wrong: plan_check() either sees it or it does no harm. */
static void damaged_plans_are_safe(void **state)
{
	static const uint32_t values[] = { 0, 1, 7, 8, 4096, 0x7fffffff, 0xfffffff8, 0xffffffff };
	_cleanup_oci_config_ struct oci_config *config = load("everything");
	_cleanup_plan_ struct plan *plan = NULL;
	size_t refused = 0;

	(void)state;
	assert_return_code(plan_build(config, &on_v1, &plan, NULL), EIO);
	for (size_t at = 0; at < plan->size; at += 4) {
		struct plan *copy = malloc(plan->size);
		uint32_t value = values[at / 4 % ARRAY_SIZE(values)];

		assert_non_null(copy);
		memcpy(copy, plan, plan->size);
		memcpy((char *)copy + at, &value, 4);
		if (plan_check(copy, plan->size, NULL) < 0)
			refused++;
		else
			free(plan_print(copy));
		free(copy);
	}
	assert_true(refused > 10);
	assert_true(plan_check(plan, plan->size - 8, NULL) < 0);
	assert_true(plan_check(plan, 16, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_bundle_is_golden),
		cmocka_unit_test(rare_fields_are_golden),
		cmocka_unit_test(everything_is_golden),
		cmocka_unit_test(an_exec_is_golden),
		cmocka_unit_test(of_one_variable_the_last_entry_stays_in_its_place),
		cmocka_unit_test(many_variables_are_planned_in_no_time),
		cmocka_unit_test(the_cgroup_tree_of_the_host_is_readonly_all_through),
		cmocka_unit_test(nonsense_is_refused_by_name),
		cmocka_unit_test(damaged_plans_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
