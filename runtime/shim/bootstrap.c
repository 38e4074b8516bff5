/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/bootstrap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/shim/bootstrap.pb-c.h"
#include "runtime/shim/daemon.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/ttrpc.h"
#include "runtime/shim/upgrade.h"

#define SOCKET_DIR "/run/containerd/s"
#define INPUT_MAX (4u << 20)
#define CONFIG_MAX (8u << 20)

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#define PR_SCHED_CORE_CREATE 1
#endif
#define SCHED_CORE_PROCESS 1 /* PIDTYPE_TGID */

/* Containers of one pod share a shim. A config.json that cannot be read is Create's matter. */
static const char *find_group(const char *id, struct arena *arena)
{
	static const char *const keys[] = { "io.containerd.runc.v2.group",
					    "io.kubernetes.cri.sandbox-id" };
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_node root, annotations;
	const char *group;
	size_t len;

	if (file_read(AT_FDCWD, "config.json", CONFIG_MAX, &text, &len, NULL) < 0 ||
	    json_parse(text, len, &doc, NULL) < 0)
		return id;
	root = json_root(doc);
	if (json_object(&root, NULL) < 0 ||
	    json_get_object(&root, "annotations", &annotations, NULL) <= 0)
		return id;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_get_string(&annotations, keys[i], arena, &group, NULL) > 0 && *group)
			return group;
	return id;
}

/* >0: an fd that listens; -EADDRINUSE: another shim serves there already. */
static int listen_at(const char *path, struct err *err)
{
	for (int tries = 0; tries < 3; tries++) {
		int fd = ttrpc_listen(path, err);

		if (fd != -EADDRINUSE)
			return fd;
		fd = ttrpc_connect(path, true, NULL);
		if (fd >= 0) {
			close(fd);
			return -EADDRINUSE;
		}
		if (fd != -ECONNREFUSED && fd != -ENOENT)
			return err_set(err, -fd, "connect to the shim at %s", path);
		/* Its shim is dead. */
		unlink(path);
	}
	return err_say(err, EADDRINUSE, "the socket %s is fought over", path);
}

static int make_socket_dir(const char *dir, struct err *err)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(dir, '/');
	struct stat st;

	if (dir[0] != '/' || (size_t)(slash - dir) >= sizeof(parent))
		return err_say(err, EINVAL, "socket folder %s is not an absolute path", dir);
	if (mkdir(dir, 0700) < 0 && errno == ENOENT) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - dir), dir);
		if (dir_create(AT_FDCWD, parent, 0711, err) < 0)
			return err_add(err, "make the socket folder %s", dir);
		mkdir(dir, 0700);
	}
	if (lstat(dir, &st) < 0)
		return err_set(err, errno, "make the socket folder %s", dir);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return err_say(err, EPERM, "socket folder %s must be ours alone", dir);
	return 0;
}

/*
 * The file `address` of the bundle is how callers find the shim again after a restart of theirs,
 * and how they find the socket that a shim left which was killed.
 */
static int write_address(const char *socket_path, struct err *err)
{
	char address[BOOTSTRAP_SOCKET_SIZE + 8];

	snprintf(address, sizeof(address), "unix://%s", socket_path);
	return file_replace(AT_FDCWD, "address", address, strlen(address), 0644, false, err);
}

/* The answer: text for containerd up to 2.2, a message for later ones and ctr. */
static int answer(const char *socket_path, bool as_message, struct err *err)
{
	_cleanup_strbuf_ struct strbuf out = { 0 };
	char address[BOOTSTRAP_SOCKET_SIZE + 8];
	int r;

	snprintf(address, sizeof(address), "unix://%s", socket_path);
	if (as_message) {
		Bootstrap__Result result = BOOTSTRAP__RESULT__INIT;

		result.version = 3;
		result.address = address;
		result.protocol = proto_string("ttrpc");
		proto_pack(&result, &out);
	} else {
		strbuf_adds(&out, address);
	}
	if (!strbuf_ok(&out))
		return err_set(err, ENOMEM, "answer");
	r = fd_write_all(STDOUT_FILENO, out.data, out.len);
	return r < 0 ? err_set(err, -r, "write the address of the shim") : 0;
}

static int read_stdin(const struct bootstrap_args *args, struct arena *arena,
		      struct bootstrap_params *ret, struct err *err)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0;

	if (fd_read_all(STDIN_FILENO, INPUT_MAX, &data, &len, err) < 0)
		return err_add(err, "read the parameters of the shim");
	return bootstrap_parse_stdin(data, len, args, arena, ret, err);
}

/* In the daemon it returns 1 when that has served its time. */
static int launch(const struct bootstrap_args *args, const struct bootstrap_params *params,
		  const char *socket_path, int listen_fd, const struct shim_engine *engine,
		  struct err *err)
{
	const char *ttrpc_address =
		*params->ttrpc_address ? params->ttrpc_address : getenv("TTRPC_ADDRESS");
	const struct daemon_options daemon = { .debug = args->debug || params->debug };
	struct shim_options options = {
		.namespace_ = args->namespace_,
		.socket_path = socket_path,
		.ttrpc_address = ttrpc_address,
		.backend = &backend_runtime,
		.engine = engine,
	};
	_cleanup_fd_ int pidfd = -1;
	char bundle[PATH_MAX];
	pid_t pid;
	int r;

	if (getenv("SCHED_CORE") &&
	    prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, SCHED_CORE_PROCESS, 0) < 0)
		return err_set(err, errno, "enable core scheduling (SCHED_CORE is set)");
	if (args->adopt)
		options.adopt = getcwd(bundle, sizeof(bundle));
	pid = process_clone(0, -1, &pidfd);
	if (pid < 0)
		return err_set(err, -pid, "start the daemon");
	if (pid > 0) {
		close(listen_fd);
		r = answer(socket_path, params->is_params, err);
		if (r < 0)
			process_pidfd_signal(pidfd, SIGKILL);
		return r;
	}
	listen_fd = daemon_become(&daemon, listen_fd);
	r = shim_serve(&options, listen_fd, err);
	if (r < 0)
		log_error("%s", err->text);
	return 1;
}

int bootstrap_start(const struct bootstrap_args *args, const struct shim_engine *engine,
		    struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct bootstrap_params params;
	char path[BOOTSTRAP_SOCKET_SIZE];
	const char *dir;
	int r, fd;

	if (!args->id || !*args->id || !args->namespace_ || !*args->namespace_)
		return err_say(err, EINVAL, "start needs -id and -namespace");
	if (!arena)
		return err_set(err, ENOMEM, "start the shim");
	r = read_stdin(args, arena, &params, err);
	if (r < 0)
		return r;
	dir = *params.socket_dir ? params.socket_dir : SOCKET_DIR;
	r = make_socket_dir(dir, err);
	if (r < 0)
		return r;
	bootstrap_socket_path(dir, args->address ? args->address : "", args->namespace_,
			      find_group(args->id, arena), path);
	/* Before the socket exists, lest it were lost with us. */
	r = write_address(path, err);
	if (r < 0)
		return r;
	fd = listen_at(path, err);
	if (fd == -EADDRINUSE)
		return answer(path, params.is_params, err);
	if (fd < 0)
		return fd;
	return launch(args, &params, path, fd, engine, err);
}

static int load(const struct bootstrap_args *args, Upgrade__State **ret, struct err *err)
{
	int fd = args->upgrade ? atoi(args->upgrade) : -1;

	if (fd < 3 || !args->namespace_ || !args->id)
		return err_say(err, EINVAL, "an upgrade needs a descriptor, -id and -namespace");
	return upgrade_load(fd, ret, err);
}

int bootstrap_check(const struct bootstrap_args *args, struct err *err)
{
	_cleanup_proto_ Upgrade__State *state = NULL;

	return load(args, &state, err);
}

int bootstrap_upgrade(const struct bootstrap_args *args, const struct shim_engine *engine,
		      struct err *err)
{
	_cleanup_proto_ Upgrade__State *state = NULL;
	struct shim_options options = {
		.namespace_ = args->namespace_,
		.ttrpc_address = "",
		.backend = &backend_runtime,
		.engine = engine,
	};
	int r = load(args, &state, err);

	if (r < 0)
		return r;
	close(atoi(args->upgrade));
	if (args->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	options.socket_path = *state->socket_path ? state->socket_path : NULL;
	options.upgrade = state;
	options.ttrpc_address = state->ttrpc_address;
	r = shim_serve(&options, state->listen_fd, err);
	if (r < 0)
		log_error("%s", err->text);
	return r;
}
