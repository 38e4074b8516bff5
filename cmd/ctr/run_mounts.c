/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_mounts.h"

#include <errno.h>
#include <string.h>

#include "runtime/engine/mount_text.h"

/* clang-format off */
const struct option_entry run_mounts_table[] = {
	OPTION_LIST(struct run_mounts, volumes, 'v', "volume", "[SOURCE:]TARGET[:OPTIONS]", "mount a path of the host, a named volume, or a new one"),
	OPTION_LIST(struct run_mounts, mounts, 0, "mount", "type=TYPE,KEY=VALUE...", "the same in words: bind, volume or tmpfs (docs/ctr.md)"),
	OPTION_LIST(struct run_mounts, tmpfs, 0, "tmpfs", "TARGET[:OPTIONS]", "mount an empty tmpfs (size=64m,mode=1777)"),
	OPTION_LIST(struct run_mounts, volumes_from, 0, "volumes-from", "CONTAINER[:ro]", "mount what another container has mounted"),
	OPTION_END,
};
/* clang-format on */

static int check_target(const struct engine_mount *mounts, size_t at, struct err *err)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(mounts[i].target, mounts[at].target) == 0)
			return err_say(err, EINVAL,
				       "two mounts are to be at %s; leave one of them out",
				       mounts[at].target);
	return 0;
}

struct option {
	const char *name;
	const struct options_list *list;
	int (*read)(const char *text, struct arena *arena, struct engine_mount *ret,
		    struct err *err);
};

int run_mounts_fill(const struct run_mounts *args, struct arena *arena,
		    struct engine_run_options *ret, struct err *err)
{
	const struct option options[] = {
		{ "volume", &args->volumes, mount_text_volume },
		{ "mount", &args->mounts, mount_text_mount },
		{ "tmpfs", &args->tmpfs, mount_text_tmpfs },
	};
	struct engine_mount *mounts;
	size_t size = 1, count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		size += options[i].list->count;
	mounts = arena_calloc(arena, size, sizeof(*mounts));
	if (!mounts)
		return err_set(err, ENOMEM, "read the command line");
	for (const struct option *o = options; o < options + ARRAY_SIZE(options); o++)
		for (size_t i = 0; i < o->list->count; i++, count++)
			if (o->read(o->list->items[i], arena, &mounts[count], err) < 0 ||
			    check_target(mounts, count, err) < 0)
				return err_add(err, "--%s", o->name);
	ret->mounts = (struct engine_mounts){ mounts, count, args->volumes_from.items };
	return 0;
}
