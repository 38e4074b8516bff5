/* SPDX-License-Identifier: Apache-2.0 */
/* -v and --tmpfs. */
#include "runtime/engine/mount_text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "storage/volume.h"

int mount_text_target(const char *text, char *target, struct err *err)
{
	if (target[0] != '/')
		return err_say(err, EINVAL, "\"%s\": the path in the container must begin with /",
			       text);
	path_clean(target);
	if (strcmp(target, "/") == 0)
		return err_say(err, EINVAL, "\"%s\": cannot be mounted on the container's /", text);
	return 0;
}

int mount_text_host_path(const char *text, const char *path, struct arena *arena, const char **ret,
			 struct err *err)
{
	char cwd[PATH_MAX] = "";
	char *whole;

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return err_set(err, errno, "\"%s\": find the folder we are in", text);
	whole = path[0] == '/' ? arena_strdup(arena, path)
			       : arena_printf(arena, "%s/%s", cwd, path);
	if (!whole)
		return err_set(err, ENOMEM, "read \"%s\"", text);
	path_clean(whole);
	*ret = whole;
	return 0;
}

const char *mount_text_propagation(const char *word)
{
	static const char *const words[] = { "private", "rprivate", "shared",
					     "rshared", "slave",    "rslave" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0)
			return words[i];
	return NULL;
}

/* A path begins with / or is "." or ".." or begins with one of these and a /. */
static bool is_path(const char *source)
{
	const char *s = source + strspn(source, ".");

	return (source[0] == '/' || source[0] == '.') && s - source <= 2 && (!*s || *s == '/');
}

static int parse_source(const char *text, const char *source, struct arena *arena,
			struct engine_mount *ret, struct err *err)
{
	if (is_path(source)) {
		ret->type = ENGINE_MOUNT_BIND;
		return mount_text_host_path(text, source, arena, &ret->source, err);
	}
	if (strchr(source, '/'))
		return err_say(err, EINVAL,
			       "\"%s\": a path on the host begins with / or ./, and the name of a "
			       "volume has no /",
			       text);
	if (!volume_name_is_valid(source))
		return err_say(err, EINVAL,
			       "\"%s\": \"%s\" is neither a path nor the name of a volume", text,
			       source);
	ret->type = ENGINE_MOUNT_VOLUME;
	ret->source = source;
	return 0;
}

struct options {
	const char *access, *propagation;
	bool no_copy, relabel;
};

static int add_option(const char *text, const char *word, struct options *o, struct err *err)
{
	const char **place = NULL, *propagation = mount_text_propagation(word);

	if (strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0)
		place = &o->access;
	else if (propagation)
		place = &o->propagation;
	if (place && *place)
		return err_say(err, EINVAL, "\"%s\": it cannot be %s and %s", text, *place, word);
	if (place)
		*place = propagation ? propagation : word;
	else if (strcmp(word, "nocopy") == 0)
		o->no_copy = true;
	else if (strcmp(word, "z") == 0 || strcmp(word, "Z") == 0)
		o->relabel = true;
	else if (strcmp(word, "cached") != 0 && strcmp(word, "delegated") != 0 &&
		 strcmp(word, "consistent") != 0)
		return err_say(err, EINVAL,
			       "\"%s\": option \"%s\" is unknown; there are ro, rw, nocopy, z, "
			       "Z, " MOUNT_TEXT_PROPAGATIONS,
			       text, word);
	return 0;
}

static int parse_options(const char *text, char *options, struct engine_mount *ret, struct err *err)
{
	struct options o = { 0 };
	char *save = NULL;

	for (char *word = strtok_r(options, ",", &save); word; word = strtok_r(NULL, ",", &save))
		err_try(add_option(text, word, &o, err));
	if (o.no_copy && ret->type == ENGINE_MOUNT_BIND)
		return err_say(err, EINVAL,
			       "\"%s\": nocopy is for volumes; a path of the host gets no copy",
			       text);
	if (o.propagation && ret->type == ENGINE_MOUNT_VOLUME)
		return err_say(err, EINVAL,
			       "\"%s\": %s is for paths of the host; nothing is mounted below a "
			       "volume",
			       text, o.propagation);
	ret->readonly = o.access && strcmp(o.access, "ro") == 0;
	ret->propagation = o.propagation;
	ret->no_copy = o.no_copy;
	ret->relabel = o.relabel;
	return 0;
}

int mount_text_volume(const char *text, struct arena *arena, struct engine_mount *ret,
		      struct err *err)
{
	struct engine_mount mount = { .type = ENGINE_MOUNT_VOLUME };
	char *source = arena_strdup(arena, text), *target, *options = NULL;

	if (!source)
		return err_set(err, ENOMEM, "read volume %s", text);
	target = strchr(source, ':');
	if (target)
		*target++ = '\0';
	options = target ? strchr(target, ':') : NULL;
	if (options)
		*options++ = '\0';
	if (!*source || (target && !*target))
		return err_say(err, EINVAL,
			       "\"%s\" is not a volume; write it as SOURCE:TARGET, "
			       "SOURCE:TARGET:ro, or TARGET",
			       text);
	if (target)
		err_try(parse_source(text, source, arena, &mount, err));
	mount.target = target ? target : source;
	err_try(mount_text_target(text, (char *)mount.target, err));
	if (options)
		err_try(parse_options(text, options, &mount, err));
	*ret = mount;
	return 0;
}

int mount_text_tmpfs(const char *text, struct arena *arena, struct engine_mount *ret,
		     struct err *err)
{
	char *target = arena_strdup(arena, text), *options;

	if (!target)
		return err_set(err, ENOMEM, "read tmpfs %s", text);
	options = strchr(target, ':');
	if (options)
		*options++ = '\0';
	err_try(mount_text_target(text, target, err));
	*ret = (struct engine_mount){ .type = ENGINE_MOUNT_TMPFS,
				      .target = target,
				      .tmpfs_options = options && *options ? options : NULL };
	return 0;
}
