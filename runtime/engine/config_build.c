/* SPDX-License-Identifier: Apache-2.0 */
/* A document built part by part; each function fills one part of it. */
#include "runtime/engine/config_build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/engine/capabilities.h"
#include "runtime/engine/config_init.h"
#include "runtime/engine/config_limits.h"
#include "runtime/engine/config_mounts.h"
#include "runtime/engine/config_namespaces.h"
#include "runtime/engine/environment.h"

static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
	NULL,
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static size_t count_strings(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

int config_command(const struct engine_run_options *options, const struct oci_image *image,
		   struct arena *arena, const char *const **ret_args, struct err *err)
{
	const char *const *entrypoint = options->entrypoint, *const *args = options->args;
	size_t first, second;
	const char **all;

	/* A new entrypoint does not want the arguments that were meant for the old one. */
	if (!entrypoint) {
		entrypoint = image->entrypoint;
		if (!count_strings(args))
			args = image->cmd;
	}
	first = count_strings(entrypoint);
	if (first == 1 && !entrypoint[0][0])
		first = 0;
	second = count_strings(args);
	if (!first && !second)
		return err_say(err, EINVAL,
			       "no program to run: the image names none, so write one after the "
			       "image's name");
	all = arena_calloc(arena, first + second + 1, sizeof(*all));
	if (!all)
		return err_set(err, ENOMEM, "build command");
	if (first)
		memcpy(all, entrypoint, first * sizeof(*all));
	if (second)
		memcpy(all + first, args, second * sizeof(*all));
	*ret_args = all;
	return 0;
}

static int build_env(const struct config_input *in, struct arena *arena, struct oci_process *ret,
		     struct err *err)
{
	struct environment env = { .arena = arena };
	int r = environment_set(&env, ENVIRONMENT_PATH, err);

	if (r == 0)
		r = environment_set(&env, arena_printf(arena, "HOSTNAME=%s", in->hostname), err);
	if (r == 0 && in->options->terminal)
		r = environment_set(&env, "TERM=xterm", err);
	for (const char *const *e = in->image->env; r == 0 && e && *e; e++)
		r = environment_set(&env, *e, err);
	for (const char *const *e = in->options->env; r == 0 && e && *e; e++)
		r = environment_ask(&env, *e, err);
	if (r == 0)
		r = environment_default(&env, arena_printf(arena, "HOME=%s", in->user->home), err);
	if (r < 0)
		return r;
	ret->env = env.items;
	ret->env_count = env.count;
	return 0;
}

static int build_capabilities(const struct config_input *in, struct oci_capabilities *ret,
			      struct err *err)
{
	uint64_t mask = in->host_capabilities;
	int r = 0;

	if (!in->options->privileged)
		r = capabilities_choose(in->options->cap_add, in->options->cap_drop,
					in->host_capabilities, &mask, err);
	if (r < 0)
		return r;
	ret->set = true;
	ret->bounding = mask;
	/* Nothing is inheritable or ambient, so execve leaves another user than root with nothing;
	 * setuid programs still get what is in the bounding set. */
	ret->permitted = ret->effective = in->user->user.uid == 0 ? mask : 0;
	return 0;
}

static int build_process(const struct config_input *in, struct oci_config *config, struct err *err)
{
	struct oci_process *p = &config->process;
	const char *cwd = in->options->workdir;
	int r;

	config->has_process = true;
	p->terminal = in->options->terminal;
	p->console_width = in->options->console_width;
	p->console_height = in->options->console_height;
	p->user = in->user->user;
	if (cwd && cwd[0] != '/')
		return err_say(err, EINVAL, "--workdir: \"%s\" must begin with /", cwd);
	if (!cwd)
		cwd = in->image->working_dir;
	p->cwd = cwd && cwd[0] == '/' ? cwd : "/";
	r = config_command(in->options, in->image, config->arena, &p->args, err);
	if (r < 0)
		return r;
	p->args_count = count_strings(p->args);
	r = build_env(in, config->arena, p, err);
	return r < 0 ? r : build_capabilities(in, &p->capabilities, err);
}

/* Devices that every container may use are the runtime's business; this is the rest. */
static int build_devices(const struct config_input *in, struct oci_config *config, struct err *err)
{
	struct oci_device_rule *rule = arena_calloc(config->arena, 1, sizeof(*rule));

	if (!rule)
		return err_set(err, ENOMEM, "build device rules");
	*rule = (struct oci_device_rule){
		.allow = in->options->privileged,
		.type = 'a',
		.major = -1,
		.minor = -1,
		.read = true,
		.write = true,
		.mknod = true,
	};
	config->resources.devices = rule;
	config->resources.devices_count = 1;
	if (in->options->privileged) {
		config->devices = in->host_devices;
		config->devices_count = in->host_devices_count;
	}
	return 0;
}

static int build_confinement(const struct config_input *in, struct oci_config *config,
			     struct err *err)
{
	static const struct oci_annotation seccomp = { CONFIG_ANNOTATION_SECCOMP, "default" };
	const struct labels *asked = &in->options->annotations;
	const struct labels ours = { &seccomp, in->options->privileged ? 0 : 1 };
	struct labels all;

	err_try(labels_merge(asked, &ours, config->arena, &all, err));
	config->annotations = all.items;
	config->annotations_count = all.count;
	if (in->options->privileged)
		return 0;
	config->masked_paths = masked_paths;
	config->readonly_paths = readonly_paths;
	return 0;
}

/* Without a network namespace of its own a container must not set the host's sysctls; Docker lets
 * unprivileged users bind low ports and ping in one that is its own. */
static void build_sysctls(const struct config_input *in, struct oci_config *config)
{
	static const struct oci_sysctl sysctls[] = {
		{ "net.ipv4.ip_unprivileged_port_start", "0" },
		{ "net.ipv4.ping_group_range", "0 2147483647" },
	};
	/* Where there are no more groups than these (engine/id_ranges.h). */
	static const struct oci_sysctl mapped[] = {
		{ "net.ipv4.ip_unprivileged_port_start", "0" },
		{ "net.ipv4.ping_group_range", "0 65535" },
	};

	if (in->options->network == ENGINE_NETWORK_HOST)
		return;
	config->sysctls = in->options->namespaces.user ? mapped : sysctls;
	config->sysctls_count = ARRAY_SIZE(sysctls);
}

int config_build(const struct config_input *in, struct oci_config **ret, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = oci_config_new();
	int r;

	if (!config)
		return err_set(err, ENOMEM, "build config.json");
	config->oci_version = OCI_VERSION;
	config->domainname = in->options->domainname;
	config->root.path = "rootfs";
	config->root.readonly = in->options->readonly_rootfs;
	config->rootfs_propagation = config_mounts_propagation(in);
	config->cgroups_path = arena_printf(config->arena, "/cellar-%s", in->id);
	if (!config->cgroups_path)
		return err_set(err, ENOMEM, "build config.json");
	config_namespaces_build(in, config);
	build_sysctls(in, config);
	r = build_process(in, config, err);
	if (r == 0)
		r = config_limits_build(&in->options->limits, config, err);
	if (r == 0)
		r = config_mounts_build(in, config->arena, &config->mounts, &config->mounts_count,
					err);
	if (r == 0 && in->options->init)
		r = config_init_build(in->dir, config, err);
	if (r == 0)
		r = build_devices(in, config, err);
	if (r == 0)
		r = build_confinement(in, config, err);
	if (r < 0)
		return r;
	*ret = take_ptr(config);
	return 0;
}
