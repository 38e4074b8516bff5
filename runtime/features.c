/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/features.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/program.h"
#include "isolation/mount_options.h"
#include "isolation/seccomp_tables.h"
#include "isolation/seccomp_words.h"
#include "spec/oci_features.h"

#define MOUNT_OPTIONS_MAX 128

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* NULL when out of memory. */
static const char *const *mount_options(struct arena *arena)
{
	const char **list = arena_calloc(arena, MOUNT_OPTIONS_MAX + 1, sizeof(*list));
	char name[MOUNT_OPTION_NAME_SIZE];
	size_t count = 0;

	while (list && count < MOUNT_OPTIONS_MAX && mount_option_name(count, name)) {
		list[count] = arena_strdup(arena, name);
		if (!list[count++])
			return NULL;
	}
	if (list)
		qsort(list, count, sizeof(list[0]), compare);
	return list;
}

/* What name() gives from index 0 on, up to NULL. */
static const char *const *words(struct arena *arena, const char *(*name)(size_t index))
{
	const char **list;
	size_t count = 0;

	while (name(count))
		count++;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	for (size_t i = 0; list && i < count; i++)
		list[i] = name(i);
	return list;
}

static const char *namespace_name(size_t index)
{
	return index < OCI_NS_COUNT ? oci_namespace_name((enum oci_namespace_type)index) : NULL;
}

static const char *capability_name(size_t index)
{
	return oci_capability_name((int)index);
}

static const char *hook_name(size_t index)
{
	static const char *const names[] = { "prestart",       "createRuntime", "createContainer",
					     "startContainer", "poststart",	"poststop" };

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

/* A flag that the kernel knows gets as far as to the missing filter. */
static const char *supported_flag(size_t index)
{
	size_t seen = 0;
	const char *name;

	for (size_t i = 0; (name = seccomp_flag_name(i)); i++) {
		uint32_t flag;

		if (seccomp_flag_parse(name, &flag) < 0)
			continue;
		/* This one goes with a listener only. */
		if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
			flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 &&
		    errno == EFAULT && seen++ == index)
			return name;
	}
	return NULL;
}

/* Several ABIs may share a name: x32 and x86-64 do not, the private calls of ARM do. */
static const char *arch_name(size_t index)
{
	size_t seen = 0;

	for (size_t i = 0; i < seccomp_tables.abis_count; i++) {
		const char *name = seccomp_tables.abis[i].oci_name;

		if ((i == 0 || strcmp(name, seccomp_tables.abis[i - 1].oci_name) != 0) &&
		    seen++ == index)
			return name;
	}
	return NULL;
}

static const struct oci_bool yes = { .set = true, .value = true };
static const struct oci_bool no = { .set = true, .value = false };

static void fill_seccomp(struct oci_features_seccomp *ret, struct arena *arena)
{
	ret->enabled = yes;
	ret->actions = words(arena, seccomp_action_name);
	ret->operators = words(arena, seccomp_op_name);
	ret->archs = words(arena, arch_name);
	ret->known_flags = words(arena, seccomp_flag_name);
	ret->supported_flags = words(arena, supported_flag);
}

static void fill(struct oci_features *ret, struct arena *arena)
{
	/* Of crun's annotations many reach out of the container, and ours decides on seccomp. */
	static const char *const unsafe[] = { "io.cellar.seccomp", "org.systemd.property.",
					      "run.oci.", NULL };
	static const struct oci_annotation annotations[] = {
		{ "io.cellar.version", CELLAR_VERSION },
		/* By this name, whoever the runtime is, callers ask whether they may checkpoint. */
		{ "org.opencontainers.runc.checkpoint.enabled", "true" },
	};

	char path[PATH_MAX];
	/* Its helper may not be installed. */
	const struct oci_bool systemd = program_find("cellar-systemd", path, NULL) == 0 ? yes : no;

	*ret = (struct oci_features){
		.version_min = "1.0.0",
		.version_max = OCI_VERSION,
		.hooks = words(arena, hook_name),
		.mount_options = mount_options(arena),
		.annotations = annotations,
		.annotations_count = ARRAY_SIZE(annotations),
		.unsafe_annotations = unsafe,
	};
	ret->linux_.set = true;
	ret->linux_.namespaces = words(arena, namespace_name);
	ret->linux_.capabilities = words(arena, capability_name);
	ret->linux_.cgroup_v1 = ret->linux_.cgroup_v2 = ret->linux_.cgroup_rdma = yes;
	ret->linux_.cgroup_systemd = ret->linux_.cgroup_systemd_user = systemd;
	fill_seccomp(&ret->linux_.seccomp, arena);
	ret->linux_.apparmor = ret->linux_.selinux = yes;
	ret->linux_.intel_rdt = ret->linux_.intel_rdt_schemata = yes;
	ret->linux_.intel_rdt_monitoring = yes;
	ret->linux_.memory_modes = words(arena, oci_memory_mode_name);
	ret->linux_.memory_flags = words(arena, oci_memory_flag_name);
	ret->linux_.idmap = ret->linux_.net_devices = yes;
}

int features_format(char **ret_json, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_features features;

	if (!arena)
		return err_set(err, ENOMEM, "features");
	fill(&features, arena);
	return oci_features_format(&features, ret_json, NULL, err);
}
