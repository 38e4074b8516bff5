/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a peer may send: the bytes go through a socket into the server, whose answers and those
 * of the methods are thrown away. The backend refuses to create anything.
 * LINK: shim
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/ttrpc.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A request may name a log file, or a logger to execute: as nobody, with room for no process, and
 * on the read-only root that tests/fuzz/run.sh gives, none of that comes to be.
 */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
			       setresuid(65534, 65534, 65534) < 0))
		abort();
	return 0;
}

/* While an input is tried. libFuzzer's and LeakSanitizer's own threads start in between. */
static void allow_processes(bool allow)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NPROC, &limit) < 0)
		abort();
	limit.rlim_cur = allow ? limit.rlim_max : 0;
	if (setrlimit(RLIMIT_NPROC, &limit) < 0)
		abort();
}

static int no_create(const struct backend_create *options, void **ret_handle,
		     struct backend_process *ret, struct err *err)
{
	(void)options;
	(void)ret_handle;
	(void)ret;
	return err_say(err, EPERM, "a fuzzer creates nothing");
}

static int no_mount(const char *bundle, const struct rootfs_mount *mounts, size_t count,
		    struct err *err)
{
	(void)bundle;
	(void)mounts;
	(void)count;
	return err_say(err, EPERM, "a fuzzer mounts nothing");
}

static const struct backend_ops backend = { .create = no_create, .mount = no_mount };
static const struct shim_options options = { .namespace_ = "fuzz", .backend = &backend };

static int on_time(void *data)
{
	loop_quit(data, 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct shim shim;
	struct loop *loop;
	int listener, client;

	allow_processes(false);
	snprintf(path, sizeof(path), "%s/ttrpc-%d", getenv("TMPDIR") ?: "/tmp", getpid());
	unlink(path);
	listener = ttrpc_listen(path, NULL);
	if (listener < 0 || loop_new(&loop, NULL) < 0)
		abort();
	if (shim_init(&shim, loop, &options, listener, NULL) < 0)
		abort();
	client = ttrpc_connect(path, true, NULL);
	if (client < 0)
		abort();
	if (send(client, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		abort();
	/* The shim has no container: it ends when its only client has gone. */
	close(client);
	loop_add_time(loop, clock_monotonic_ns() + 2000000000, on_time, loop, NULL, NULL);
	loop_run(loop, NULL);
	shim_deinit(&shim);
	loop_free(loop);
	unlink(path);
	allow_processes(true);
	return 0;
}
