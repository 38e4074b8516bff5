/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/annotations.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cgroups/cgroup.h"

#define KEEP_GROUPS "run.oci.keep_original_groups"
#define SECCOMP_RECEIVER "run.oci.seccomp.receiver"
#define SECCOMP_FAIL_UNKNOWN "run.oci.seccomp_fail_unknown_syscall"
#define SECCOMP_BPF_DATA "run.oci.seccomp_bpf_data"
#define TIMENS_OFFSET "run.oci.timens_offset"
#define FORCE_V1 "run.oci.systemd.force_cgroup_v1"
#define MOUNT_CONTEXT_TYPE "run.oci.mount_context_type"

static const char *const supported[] = {
	KEEP_GROUPS,
	SECCOMP_RECEIVER,
	SECCOMP_FAIL_UNKNOWN,
	SECCOMP_BPF_DATA,
	TIMENS_OFFSET,
	MOUNT_CONTEXT_TYPE,
	ANNOTATION_PIDFD_RECEIVER,
	ANNOTATION_HOOKS_STDOUT,
	ANNOTATION_HOOKS_STDERR,
	ANNOTATION_SUBGROUP,
	ANNOTATION_DELEGATE,
};

const char *annotations_name(size_t index)
{
	return index < ARRAY_SIZE(supported) ? supported[index] : NULL;
}

static int keep_groups(struct oci_config *config, struct err *err)
{
	struct oci_user *user = &config->process.user;
	int count = getgroups(0, NULL);
	uint32_t *all;

	if (count < 0)
		return err_set(err, errno, "read our supplementary groups");
	all = arena_calloc(config->arena, user->additional_gids_count + (size_t)count + 1,
			   sizeof(*all));
	if (!all)
		return err_set(err, ENOMEM, "keep supplementary groups");
	count = getgroups(count, all);
	if (count < 0)
		return err_set(err, errno, "read our supplementary groups");
	if (user->additional_gids_count > 0)
		memcpy(all + count, user->additional_gids,
		       user->additional_gids_count * sizeof(*all));
	user->additional_gids = all;
	user->additional_gids_count += (size_t)count;
	return 0;
}

static void warn_of_others(const struct oci_config *config)
{
	for (size_t i = 0; i < config->annotations_count; i++) {
		const char *key = config->annotations[i].key;
		bool known = strncmp(key, "run.oci.", 8) != 0;

		for (size_t j = 0; j < ARRAY_SIZE(supported); j++)
			known |= strcmp(key, supported[j]) == 0;
		if (!known)
			log_warn("annotations[\"%s\"]: nothing is done about it here", key);
	}
}

static int check_context_type(const char *type, struct err *err)
{
	static const char *const known[] = { "context", "fscontext", "defcontext", "rootcontext" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!type || strcmp(type, known[i]) == 0)
			return 0;
	return err_say(err, EINVAL,
		       "annotations[\"" MOUNT_CONTEXT_TYPE "\"]: \"%s\" is none of context, "
		       "fscontext, defcontext, rootcontext",
		       type);
}

int annotations_check(const struct oci_config *config, struct err *err)
{
	const char *handler = oci_config_annotation(config, "run.oci.handler");

	if (handler)
		return err_say(err, ENOTSUP,
			       "annotations[\"run.oci.handler\"]: \"%s\" is no handler of this "
			       "runtime, which runs containers only",
			       handler);
	if (oci_config_annotation(config, "run.oci.seccomp.plugins"))
		return err_say(err, ENOTSUP,
			       "annotations[\"run.oci.seccomp.plugins\"]: this runtime loads no "
			       "code of others; linux.seccomp.listenerPath gives the listener to a "
			       "program");
	if (oci_config_annotation(config, FORCE_V1) && cgroup_layout() == CGROUP_V2)
		return err_say(err, ENOTSUP,
			       "annotations[\"" FORCE_V1 "\"]: this host has cgroup v2 alone, and "
			       "its containers get no other; an older systemd inside needs a host "
			       "booted with systemd.unified_cgroup_hierarchy=0");
	err_try(check_context_type(oci_config_annotation(config, MOUNT_CONTEXT_TYPE), err));
	warn_of_others(config);
	return 0;
}

/* A copy of the profile that may be changed; an empty one where there is none. */
static struct oci_seccomp *own_seccomp(struct oci_config *config)
{
	struct oci_seccomp *seccomp = arena_calloc(config->arena, 1, sizeof(*seccomp));

	if (seccomp && config->seccomp)
		*seccomp = *config->seccomp;
	return seccomp;
}

static int set_listener(struct oci_config *config, const char *path, struct err *err)
{
	struct oci_seccomp *seccomp;

	if (!config->seccomp || config->seccomp->listener_path)
		return 0;
	seccomp = own_seccomp(config);
	if (!seccomp)
		return err_set(err, ENOMEM, "set the seccomp receiver");
	seccomp->listener_path = path;
	config->seccomp = seccomp;
	return 0;
}

static int fail_unknown_calls(struct oci_config *config, struct err *err)
{
	struct oci_seccomp *seccomp;

	if (!config->seccomp)
		return 0;
	seccomp = own_seccomp(config);
	if (!seccomp)
		return err_set(err, ENOMEM, "read the seccomp profile");
	seccomp->fail_unknown_call = true;
	config->seccomp = seccomp;
	return 0;
}

/* The profile of config.json does not count beside it. */
static int take_filter(struct oci_config *config, const char *text, struct err *err)
{
	struct oci_seccomp *seccomp = own_seccomp(config);
	uint8_t *data = arena_alloc(config->arena, BASE64_ROOM(strlen(text)) + 1);
	ssize_t len;

	if (!seccomp || !data)
		return err_set(err, ENOMEM, "read the seccomp filter");
	len = base64_read(text, data);
	if (len <= 0 || (size_t)len % sizeof(struct sock_filter) != 0 ||
	    (size_t)len / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return err_say(err, EINVAL,
			       "annotations[\"" SECCOMP_BPF_DATA "\"]: no program of BPF "
			       "instructions in base64");
	seccomp->ready_filter = data;
	seccomp->ready_count = (size_t)len / sizeof(struct sock_filter);
	config->seccomp = seccomp;
	return 0;
}

/* "boottime 1000 0" or by the clock's number, a line each, as /proc/PID/timens_offsets has it. */
static int set_time_offsets(struct oci_config *config, const char *text, struct err *err)
{
	char clock[16];
	long long secs;
	unsigned nanosecs;
	int used = 0;

	for (; *text; text += used, text += strspn(text, " \n")) {
		bool boot, monotonic;

		if (sscanf(text, "%15s %lld %u%n", clock, &secs, &nanosecs, &used) != 3 ||
		    nanosecs >= 1000000000)
			clock[0] = '\0';
		monotonic = strcmp(clock, "monotonic") == 0 || strcmp(clock, "1") == 0;
		boot = strcmp(clock, "boottime") == 0 || strcmp(clock, "7") == 0;
		if (!boot && !monotonic)
			return err_say(err, EINVAL,
				       "annotations[\"" TIMENS_OFFSET "\"]: \"%s\" is not of the "
				       "form \"boottime SECONDS NANOSECONDS\" (or monotonic)",
				       text);
		*(boot ? &config->boottime : &config->monotonic) =
			(struct oci_time_offset){ .set = true, .secs = secs, .nanosecs = nanosecs };
	}
	return 0;
}

int annotations_apply(struct oci_config *config, struct err *err)
{
	static const struct {
		const char *key;
		int (*apply)(struct oci_config *config, const char *value, struct err *err);
	} with_value[] = {
		{ SECCOMP_RECEIVER, set_listener },
		{ SECCOMP_BPF_DATA, take_filter },
		{ TIMENS_OFFSET, set_time_offsets },
	};

	for (size_t i = 0; i < ARRAY_SIZE(with_value); i++) {
		const char *value = oci_config_annotation(config, with_value[i].key);

		if (value)
			err_try(with_value[i].apply(config, value, err));
	}
	if (oci_config_annotation(config, SECCOMP_FAIL_UNKNOWN))
		err_try(fail_unknown_calls(config, err));
	if (oci_config_annotation(config, KEEP_GROUPS))
		err_try(keep_groups(config, err));
	return 0;
}
