/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_security.h"

#include <errno.h>
#include <string.h>

#include "runtime/engine/security_words.h"

/* clang-format off */
const struct option_entry run_security_table[] = {
	OPTION_LIST(struct run_security, cap_add, 0, "cap-add", "CAPABILITY", "add a capability, or ALL"),
	OPTION_LIST(struct run_security, cap_drop, 0, "cap-drop", "CAPABILITY", "drop a capability, or ALL"),
	OPTION_LIST(struct run_security, devices, 0, "device", "HOST[:CONTAINER[:rwm]]", "give a device, or a folder of them"),
	OPTION_LIST(struct run_security, device_rules, 0, "device-cgroup-rule", "RULE", "allow devices by number: \"c 189:* rwm\""),
	OPTION_LIST(struct run_security, sysctls, 0, "sysctl", "KEY=VALUE", "a kernel setting of its namespaces: net.core.somaxconn=1024"),
	OPTION_LIST(struct run_security, options, 0, "security-opt", "OPTION", "seccomp=FILE, apparmor=PROFILE, no-new-privileges, ... (docs/ctr.md)"),
	OPTION_BOOL(struct run_security, privileged, 0, "privileged", "no confinement: all capabilities and devices, no seccomp"),
	OPTION_BOOL(struct run_security, read_only, 0, "read-only", "mount the root filesystem read-only"),
	OPTION_END,
};
/* clang-format on */

static int fill_devices(const struct run_security *args, struct arena *arena,
			struct engine_security *ret, struct err *err)
{
	struct engine_device *list = arena_calloc(arena, args->devices.count + 1, sizeof(*list));

	if (!list)
		return err_set(err, ENOMEM, "read the command line");
	for (size_t i = 0; i < args->devices.count; i++)
		if (security_parse_device(args->devices.items[i], arena, &list[i], err) < 0)
			return err_add(err, "--device");
	for (size_t i = 0; i < args->device_rules.count; i++)
		if (security_parse_rule(args->device_rules.items[i], NULL, err) < 0)
			return err_add(err, "--device-cgroup-rule");
	ret->devices = list;
	ret->devices_count = args->devices.count;
	ret->device_rules = args->device_rules.items;
	return 0;
}

static int fill_sysctls(const struct options_list *words, struct arena *arena,
			struct engine_security *ret, struct err *err)
{
	struct oci_annotation *list = arena_calloc(arena, words->count + 1, sizeof(*list));

	if (!list)
		return err_set(err, ENOMEM, "read the command line");
	for (size_t i = 0; i < words->count; i++) {
		if (!strchr(words->items[i], '='))
			return err_say(err, EINVAL, "--sysctl: \"%s\" is not KEY=VALUE",
				       words->items[i]);
		if (labels_parse_word(words->items[i], arena, &list[i], err) < 0)
			return err_add(err, "--sysctl");
	}
	return labels_merge(&(struct labels){ 0 }, &(struct labels){ list, words->count }, arena,
			    &ret->sysctls, err);
}

int run_security_fill(const struct run_security *args, struct arena *arena,
		      struct engine_run_options *ret, struct err *err)
{
	struct engine_security security = {
		.privileged = args->privileged,
		.readonly_rootfs = args->read_only,
		.cap_add = args->cap_add.items,
		.cap_drop = args->cap_drop.items,
	};

	err_try(fill_devices(args, arena, &security, err));
	err_try(fill_sysctls(&args->sysctls, arena, &security, err));
	for (size_t i = 0; i < args->options.count; i++)
		if (security_parse_option(args->options.items[i], arena, &security, err) < 0)
			return err_add(err, "--security-opt");
	ret->security = security;
	return 0;
}
