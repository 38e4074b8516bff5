/* SPDX-License-Identifier: Apache-2.0 */
/* What a container is to be, by its config.json and by its caller: judged before anything is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/annotations.h"
#include "runtime/check.h"
#include "runtime/creation.h"

#define CONFIG_BYTES_MAX (8u << 20)

int creation_make_absolute(const char *path, char *buf, size_t size, struct err *err)
{
	char cwd[PATH_MAX];

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return err_set(err, errno, "get current folder");
	if (path[0] == '/')
		cwd[0] = '\0';
	err_try(path_join(buf, size, cwd, path, err));
	path_clean(buf);
	return 0;
}

static int load_config(struct creation *cr, struct err *err)
{
	char path[PATH_MAX];
	int r;

	cr->config = cr->options->config;
	if (cr->config)
		return 0;
	if (cr->options->config_file)
		err_try(creation_make_absolute(cr->options->config_file, path, sizeof(path), err));
	else
		err_try(path_join(path, sizeof(path), cr->bundle, "config.json", err));
	r = file_read(AT_FDCWD, path, CONFIG_BYTES_MAX, &cr->config_text, &cr->config_len, err);
	if (r == -ENOENT)
		return err_say(err, ENOENT, "JSON specification file %s not found in %s",
			       strrchr(path, '/') + 1, cr->bundle);
	if (r < 0)
		return r;
	if (oci_config_parse(cr->config_text, cr->config_len, &cr->own_config, err) < 0)
		return err_add(err, "%s", path);
	cr->config = cr->own_config;
	if (annotations_check(cr->own_config, err) < 0 ||
	    annotations_apply(cr->own_config, err) < 0)
		return err_add(err, "%s", path);
	return 0;
}

static int find_rootfs(struct creation *cr, struct err *err)
{
	const char *path = cr->config->root.path;
	struct stat st;

	if (!path || !path[0])
		return err_say(err, EINVAL, "root.path: missing");
	if (path[0] == '/')
		err_try(path_join(cr->rootfs, sizeof(cr->rootfs), "", path, err));
	else
		err_try(path_join(cr->rootfs, sizeof(cr->rootfs), cr->bundle, path, err));
	path_clean(cr->rootfs);
	if (stat(cr->rootfs, &st) < 0)
		return err_set(err, errno, "invalid rootfs (root.path): folder %s", cr->rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_say(err, ENOTDIR, "invalid rootfs (root.path): %s: not a directory",
			       cr->rootfs);
	return 0;
}

static int check_terminal(const struct creation *cr, struct err *err)
{
	const struct container_create_options *o = cr->options;
	bool terminal = cr->config->process.terminal;

	if (terminal && !o->console_socket && !o->want_console)
		return err_say(
			err, EINVAL,
			"process.terminal: cannot allocate tty if the runtime will detach without setting console socket (--console-socket)");
	if (!terminal && o->console_socket)
		return err_say(
			err, EINVAL,
			"cannot use console socket if the runtime will not detach or allocate tty: process.terminal is false");
	return 0;
}

int creation_judge(struct creation *cr, struct err *err)
{
	const struct container_create_options *o = cr->options;
	struct stat st;

	if (!o->id[0])
		return err_say(err, EINVAL, "container id cannot be empty");
	if (!container_id_is_valid(o->id))
		return err_say(
			err, EINVAL,
			"invalid container ID format: '%s': letters, digits and _+.- are allowed, and no dot in front",
			o->id);
	err_try(creation_make_absolute(o->bundle ? o->bundle : ".", cr->bundle, sizeof(cr->bundle),
				       err));
	if (stat(cr->bundle, &st) < 0)
		return err_set(err, errno, "bundle %s", cr->bundle);
	err_try(load_config(cr, err));
	err_try(check_config(cr->config, err));
	err_try(find_rootfs(cr, err));
	return check_terminal(cr, err);
}
