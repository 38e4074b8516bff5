/* SPDX-License-Identifier: Apache-2.0 */
/* One more process in a running container. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/exec_build.h"
#include "runtime/engine/fifos.h"
#include "runtime/engine/id.h"
#include "runtime/engine/layout.h"
#include "runtime/shim/client.h"

#define PASSWD_LIMIT (4 << 20)

/* Text in the arena; NULL where the container has no such file. */
static const char *read_inside(int rootfs_fd, const char *path, struct arena *arena)
{
	_cleanup_fd_ int fd = path_open_file_in_root(rootfs_fd, path);
	_cleanup_free_ char *text = NULL;

	if (fd < 0 || fd_read_all(fd, PASSWD_LIMIT, &text, NULL, NULL) < 0)
		return NULL;
	return arena_strdup(arena, text);
}

static int resolve_user(const struct engine_container *container, const char *spec,
			struct arena *arena, struct user_identity *ret, struct err *err)
{
	const char *path = arena_printf(arena, "%s/" LAYOUT_ROOTFS, container->dir);
	_cleanup_fd_ int rootfs_fd = -1;
	struct user_files files;

	if (!path)
		return err_set(err, ENOMEM, "find user %s", spec);
	rootfs_fd = dir_open(AT_FDCWD, path, err);
	if (rootfs_fd < 0)
		return rootfs_fd;
	files.passwd = read_inside(rootfs_fd, "/etc/passwd", arena);
	files.group = read_inside(rootfs_fd, "/etc/group", arena);
	return user_resolve(spec, &files, arena, ret, err);
}

static int build(const struct engine_container *container,
		 const struct engine_exec_options *options, char **ret_json, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int dirfd = dir_open(AT_FDCWD, container->dir, err);
	struct oci_process process;
	struct user_identity user;
	size_t len;
	int r;

	if (dirfd < 0)
		return dirfd;
	r = oci_config_load(dirfd, LAYOUT_CONFIG, &config, err);
	if (r == 0 && !arena)
		r = err_set(err, ENOMEM, "exec");
	if (r == 0 && options->user)
		r = resolve_user(container, options->user, arena, &user, err);
	if (r == 0)
		r = exec_build(config, options, options->user ? &user : NULL, arena, &process, err);
	return r < 0 ? r : oci_process_format(&process, ret_json, &len, err);
}

int engine_exec(struct engine *engine, const struct engine_container *container,
		struct shim_client *client, const struct engine_exec_options *options,
		char **ret_exec_id, struct engine_stdio *ret_io, struct err *err)
{
	_cleanup_engine_stdio_ struct engine_stdio io = ENGINE_STDIO_NONE;
	_cleanup_free_ char *json = NULL;
	char id[LAYOUT_ID_SIZE], *exec_id;
	int r = id_make(id, err);

	if (r == 0)
		r = build(container, options, &json, err);
	if (r < 0)
		return r;
	id[ID_SHORT_LEN] = '\0';
	if (!options->detach)
		r = fifos_make(&(struct fifos_options){ .runroot = engine->runroot,
							.id = container->id,
							.name = id,
							.want_stdin = options->interactive,
							.want_stdout = true,
							.want_stderr = !options->terminal },
			       &io, err);
	if (r == 0)
		r = shim_exec(client,
			      &(struct shim_exec_options){ .id = container->id,
							   .exec_id = id,
							   .terminal = options->terminal,
							   .stdin_path = io.stdin_path,
							   .stdout_path = io.stdout_path,
							   .stderr_path = io.stderr_path,
							   .process_json = json },
			      err);
	if (r < 0)
		return r;
	exec_id = strdup(id);
	if (!exec_id)
		return err_set(err, ENOMEM, "exec");
	*ret_exec_id = exec_id;
	if (!options->detach) {
		*ret_io = io;
		io = ENGINE_STDIO_NONE;
	}
	return 0;
}

int engine_attach(struct engine *engine, const struct engine_container *container,
		  struct shim_client *client, bool want_stdin, struct engine_stdio *ret_io,
		  struct err *err)
{
	_cleanup_engine_stdio_ struct engine_stdio io = ENGINE_STDIO_NONE;
	char id[LAYOUT_ID_SIZE];
	int r = id_make(id, err);

	if (r < 0)
		return r;
	id[ID_SHORT_LEN] = '\0';
	r = fifos_make(&(struct fifos_options){ .runroot = engine->runroot,
						.id = container->id,
						.name = id,
						.want_stdin = want_stdin,
						.want_stdout = true,
						.want_stderr = !container->terminal },
		       &io, err);
	if (r == 0)
		r = shim_attach(client,
				&(struct shim_attach_options){ .id = container->id,
							       .stdin_path = io.stdin_path,
							       .stdout_path = io.stdout_path,
							       .stderr_path = io.stderr_path },
				err);
	if (r < 0)
		return err_add(err, "container %s", container->name);
	*ret_io = io;
	io = ENGINE_STDIO_NONE;
	return 0;
}
