/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: text to struct, and the place on the host. */
#include "runtime/engine/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/names.h"

static int check_target(const char *text, char *target, struct err *err)
{
	if (target[0] != '/')
		return err_say(err, EINVAL, "\"%s\": the path in the container must begin with /",
			       text);
	path_clean(target);
	if (strcmp(target, "/") == 0)
		return err_say(err, EINVAL, "\"%s\": cannot be mounted on the container's /", text);
	return 0;
}

static int parse_options(const char *text, char *options, struct engine_volume *ret,
			 struct err *err)
{
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (strcmp(o, "ro") == 0)
			ret->readonly = true;
		else if (strcmp(o, "rw") == 0)
			ret->readonly = false;
		else
			return err_say(err, EINVAL,
				       "\"%s\": option \"%s\" is unknown; there are ro and rw",
				       text, o);
	}
	return 0;
}

int volume_parse(const char *text, struct arena *arena, struct engine_volume *ret, struct err *err)
{
	struct engine_volume volume = { 0 };
	char *source = arena_strdup(arena, text), *target, *options;
	int r;

	if (!source)
		return err_set(err, ENOMEM, "read volume %s", text);
	target = strchr(source, ':');
	if (!target || target == source || !target[1])
		return err_say(err, EINVAL,
			       "\"%s\" is not a volume; write it as SOURCE:TARGET or "
			       "SOURCE:TARGET:ro",
			       text);
	*target++ = '\0';
	options = strchr(target, ':');
	if (options)
		*options++ = '\0';
	if (source[0] != '/' && strchr(source, '/'))
		return err_say(err, EINVAL,
			       "\"%s\": write the path on the host whole, beginning with /", text);
	if (source[0] != '/' && !names_is_valid(source))
		return err_say(err, EINVAL,
			       "\"%s\": \"%s\" is neither a path nor the name of a volume", text,
			       source);
	r = check_target(text, target, err);
	if (r == 0 && options)
		r = parse_options(text, options, &volume, err);
	if (r < 0)
		return r;
	volume.source = source;
	volume.target = target;
	*ret = volume;
	return 0;
}

int volume_parse_tmpfs(const char *text, struct arena *arena, struct engine_tmpfs *ret,
		       struct err *err)
{
	char *target = arena_strdup(arena, text), *options;
	int r;

	if (!target)
		return err_set(err, ENOMEM, "read tmpfs %s", text);
	options = strchr(target, ':');
	if (options)
		*options++ = '\0';
	r = check_target(text, target, err);
	if (r < 0)
		return r;
	ret->target = target;
	ret->options = options && *options ? options : NULL;
	return 0;
}

/* The one above all volumes keeps others out: a container may put setuid programs into its own. */
static int make_volumes_folder(const char *root, struct err *err)
{
	char path[PATH_MAX];
	int r = layout_path(path, root, LAYOUT_VOLUMES, NULL, err);

	return r < 0 ? r : dir_create(AT_FDCWD, path, 0700, err);
}

int volume_prepare(const char *root, const struct engine_volume *volume, struct arena *arena,
		   const char **ret_path, struct err *err)
{
	const char *path = volume->source;
	struct stat st;
	int r;

	if (path[0] != '/')
		path = arena_printf(arena, "%s/" LAYOUT_VOLUMES "/%s/data", root, volume->source);
	if (!path)
		return err_set(err, ENOMEM, "volume %s", volume->source);
	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_set(err, errno, "volume %s", path);
		r = volume->source[0] == '/' ? 0 : make_volumes_folder(root, err);
		if (r == 0)
			r = dir_create(AT_FDCWD, path, 0755, err);
		if (r < 0)
			return err_add(err, "volume %s", volume->source);
	}
	*ret_path = path;
	return 0;
}
