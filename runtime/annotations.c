/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/annotations.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

static const char *const supported[] = {
	"run.oci.keep_original_groups",
	"run.oci.seccomp.receiver",
	ANNOTATION_PIDFD_RECEIVER,
	ANNOTATION_HOOKS_STDOUT,
	ANNOTATION_HOOKS_STDERR,
	ANNOTATION_SUBGROUP,
	ANNOTATION_DELEGATE,
};

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

int annotations_check(const struct oci_config *config, struct err *err)
{
	const char *handler = oci_config_annotation(config, "run.oci.handler");

	if (handler)
		return err_say(err, ENOTSUP,
			       "annotations[\"run.oci.handler\"]: \"%s\" is no handler of this "
			       "runtime, which runs containers only",
			       handler);
	warn_of_others(config);
	return 0;
}

static int set_listener(struct oci_config *config, const char *path, struct err *err)
{
	struct oci_seccomp *seccomp;

	if (!config->seccomp || config->seccomp->listener_path)
		return 0;
	seccomp = arena_alloc(config->arena, sizeof(*seccomp));
	if (!seccomp)
		return err_set(err, ENOMEM, "set the seccomp receiver");
	*seccomp = *config->seccomp;
	seccomp->listener_path = path;
	config->seccomp = seccomp;
	return 0;
}

int annotations_apply(struct oci_config *config, struct err *err)
{
	const char *receiver = oci_config_annotation(config, "run.oci.seccomp.receiver");

	if (receiver)
		err_try(set_listener(config, receiver, err));
	if (oci_config_annotation(config, "run.oci.keep_original_groups"))
		err_try(keep_groups(config, err));
	return 0;
}
