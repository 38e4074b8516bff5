/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cellar-systemd, started by the runtime for one request to systemd (cgroups/systemd_request.h) and
 * by nobody else. What it needs from being root is only that the socket says so: it gives up all
 * capabilities first, and whatever happens it ends after half a minute.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/cellar-systemd/manager.h"

static int drop_privileges(struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, none) < 0)
		return err_set(err, errno, "give up capabilities");
	return 0;
}

static int serve(struct manager *m, const struct systemd_request *request, char **ret_cgroup,
		 struct err *err)
{
	switch (request->verb) {
	case SYSTEMD_START:
		return unit_start(m, request, ret_cgroup, err);
	case SYSTEMD_SET:
		return unit_set(m, request, err);
	case SYSTEMD_STOP:
		return unit_stop(m, request, err);
	default:
		return err_say(err, EINVAL, "no such verb");
	}
}

static int run(char **ret_cgroup, struct err *err)
{
	_cleanup_(manager_deinit) struct manager m = { 0 };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = NULL;
	struct systemd_request request;
	size_t len;

	if (!arena)
		return err_set(err, ENOMEM, "start");
	err_try(drop_privileges(err));
	err_try(fd_read_all(STDIN_FILENO, SYSTEMD_REQUEST_BYTES_MAX, &text, &len, err));
	if (systemd_request_parse(text, len, arena, &request, err) < 0)
		return err_add(err, "request");
	err_try(manager_open(request.user, &m, err));
	return serve(&m, &request, ret_cgroup, err);
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *cgroup = NULL, *answer = NULL;
	struct err err = { 0 };
	size_t len = 0;
	int r;

	(void)argv;
	if (argc > 1) {
		puts("cellar-systemd is started by cellar, with a request on its standard input.");
		return 2;
	}
	alarm(MANAGER_TIMEOUT_S + 5);
	r = run(&cgroup, &err);
	answer = systemd_answer_format(r < 0 ? NULL : cgroup, &err, &len);
	if (!answer || fd_write_all(STDOUT_FILENO, answer, len) < 0)
		return 1;
	return r < 0 ? 1 : 0;
}
