/* SPDX-License-Identifier: Apache-2.0 */
/* The actions that serve nothing: delete, -v and -info. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/container.h"
#include "runtime/features.h"
#include "runtime/shim/bootstrap.h"
#include "runtime/shim/bootstrap.pb-c.h"
#include "runtime/shim/bundle_file.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/rootfs.h"
#include "runtime/shim/task.pb-c.h"
#include "runtime/shim/ttrpc.h"

#define HOOKS_S 2 /* containerd kills us after five seconds, and then the rootfs stayed */

static int print(const void *message, struct err *err)
{
	_cleanup_strbuf_ struct strbuf out = { 0 };
	int r;

	proto_pack(message, &out);
	if (!strbuf_ok(&out))
		return err_set(err, ENOMEM, "answer");
	r = fd_write_all(STDOUT_FILENO, out.data, out.len);
	return r < 0 ? err_set(err, -r, "write the answer") : 0;
}

/* What containerd had asked the shim with; without the file nothing was ever created. */
static int delete_container(const char *bundle, const char *id, struct err *err)
{
	const struct container_delete_options options = {
		.force = true,
		.bundle = bundle,
		.hooks_s = HOOKS_S,
	};
	_cleanup_container_ struct container *container = NULL;
	_cleanup_free_ char *root = NULL;
	struct err why = { 0 };
	int r = bundle_file_read(bundle, &root, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = container_open_damaged(root, id, &container, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = container_delete_with(container, &options, &why);
	/* It had the id first, and our Create failed. */
	if (r == -ESTALE)
		return 0;
	return r < 0 ? err_say(err, -r, "%s", why.text) : 0;
}

/* The socket of a shim that was killed. One that still answers serves others of its pod. */
static void remove_dead_socket(const char *bundle)
{
	_cleanup_free_ char *address = NULL;
	char path[PATH_MAX];
	int fd;

	if (path_join(path, sizeof(path), bundle, "address", NULL) < 0 ||
	    file_read(AT_FDCWD, path, 4096, &address, NULL, NULL) < 0 ||
	    strncmp(address, "unix:///", 8) != 0)
		return;
	fd = ttrpc_connect(address, true, NULL);
	if (fd >= 0)
		close(fd);
	else if (fd == -ECONNREFUSED)
		unlink(address + strlen("unix://"));
}

int bootstrap_delete(const struct bootstrap_args *args, struct err *err)
{
	Task__DeleteResponse response = TASK__DELETE_RESPONSE__INIT;
	Pb__Timestamp now = PB__TIMESTAMP__INIT;
	char cwd[PATH_MAX];
	const char *bundle = args->bundle;
	int r;

	if (!args->id || !*args->id)
		return err_say(err, EINVAL, "delete needs -id");
	if (!bundle || !*bundle)
		bundle = getcwd(cwd, sizeof(cwd));
	if (!bundle)
		return err_set(err, errno, "find the bundle");
	r = delete_container(bundle, args->id, err);
	if (r == 0)
		r = rootfs_unmount(bundle, err);
	if (r < 0)
		return r;
	remove_dead_socket(bundle);
	proto_set_time(&now, clock_realtime_ns());
	response.exit_status = 128 + SIGKILL;
	response.exited_at = &now;
	return print(&response, err);
}

int bootstrap_version(struct err *err)
{
	static const char text[] = "containerd-shim-cellar-v2:\n  Version:  " CELLAR_VERSION "\n";
	int r = fd_write_all(STDOUT_FILENO, text, sizeof(text) - 1);

	return r < 0 ? err_set(err, -r, "write the version") : 0;
}

/* containerd passes id-mapped mounts on only to a runtime whose features have them. */
int bootstrap_info(struct err *err)
{
	static const char type[] =
		"types.containerd.io/opencontainers/runtime-spec/1/features/Features";
	Bootstrap__RuntimeInfo info = BOOTSTRAP__RUNTIME_INFO__INIT;
	Bootstrap__RuntimeVersion version = BOOTSTRAP__RUNTIME_VERSION__INIT;
	Pb__Any features = PB__ANY__INIT;
	_cleanup_free_ char *json = NULL;
	int r = features_format(&json, err);

	if (r < 0)
		return r;
	features.type_url = proto_string(type);
	features.value.data = (uint8_t *)json;
	features.value.len = strlen(json);
	info.features = &features;
	version.version = proto_string(CELLAR_VERSION);
	info.name = proto_string("io.containerd.cellar.v2");
	info.version = &version;
	return print(&info, err);
}
