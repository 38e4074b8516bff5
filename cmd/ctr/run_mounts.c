/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_mounts.h"

#include <errno.h>
#include <string.h>

#include "runtime/engine/volume.h"

/* clang-format off */
const struct option_entry run_mounts_table[] = {
	OPTION_LIST(struct run_mounts, volumes, 'v', "volume", "SOURCE:TARGET[:ro]", "mount a path of the host, or a named volume"),
	OPTION_LIST(struct run_mounts, tmpfs, 0, "tmpfs", "TARGET[:OPTIONS]", "mount an empty tmpfs (size=64m,mode=1777)"),
	OPTION_END,
};
/* clang-format on */

/* Of both lists together. */
static const char *target_at(const struct engine_run_options *o, size_t i)
{
	return i < o->volumes_count ? o->volumes[i].target : o->tmpfs[i - o->volumes_count].target;
}

static int check_targets(const struct engine_run_options *o, struct err *err)
{
	for (size_t i = 1; i < o->volumes_count + o->tmpfs_count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(target_at(o, i), target_at(o, j)) == 0)
				return err_say(err, EINVAL,
					       "--volume, --tmpfs: two are to be mounted at %s",
					       target_at(o, i));
	return 0;
}

int run_mounts_fill(const struct run_mounts *args, struct arena *arena,
		    struct engine_run_options *ret, struct err *err)
{
	struct engine_volume *volumes =
		arena_calloc(arena, args->volumes.count + 1, sizeof(*volumes));
	struct engine_tmpfs *tmpfs = arena_calloc(arena, args->tmpfs.count + 1, sizeof(*tmpfs));

	if (!volumes || !tmpfs)
		return err_set(err, ENOMEM, "read the command line");
	for (size_t i = 0; i < args->volumes.count; i++)
		if (volume_parse(args->volumes.items[i], arena, &volumes[i], err) < 0)
			return err_add(err, "--volume");
	for (size_t i = 0; i < args->tmpfs.count; i++)
		if (volume_parse_tmpfs(args->tmpfs.items[i], arena, &tmpfs[i], err) < 0)
			return err_add(err, "--tmpfs");
	ret->volumes = volumes;
	ret->volumes_count = args->volumes.count;
	ret->tmpfs = tmpfs;
	ret->tmpfs_count = args->tmpfs.count;
	return check_targets(ret, err);
}
