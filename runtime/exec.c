/* SPDX-License-Identifier: Apache-2.0 */
/* One more process in a container that runs. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/userns.h"
#include "isolation/plan.h"
#include "runtime/check.h"
#include "runtime/console.h"
#include "runtime/container_struct.h"
#include "runtime/exec_cgroup.h"
#include "runtime/fd_socket.h"
#include "runtime/frozen.h"
#include "runtime/listener.h"
#include "runtime/rdt.h"

struct exec {
	struct launch launch;
	int console_socket;
	int v2_fd, task_fds[CGROUP_HIERARCHIES_MAX];
	size_t task_fds_count;
	struct plan *plan;
	bool launched;
};

/* A process that was launched and not handed out is killed and reaped. */
static void exec_undo(struct exec *x)
{
	int status;

	if (x->launched && x->launch.pidfd >= 0) {
		process_pidfd_signal(x->launch.pidfd, SIGKILL);
		process_wait(x->launch.pidfd, &status);
	}
	launch_deinit(&x->launch);
	cleanup_fd(&x->console_socket);
	cleanup_fd(&x->v2_fd);
	for (size_t i = 0; i < x->task_fds_count; i++)
		cleanup_fd(&x->task_fds[i]);
	plan_free(x->plan);
}

static int build(struct container *c, const struct container_exec_options *o, struct exec *x,
		 struct err *err)
{
	const struct oci_config *config;
	struct plan_options options = {
		.rootfs = c->record.rootfs,
		.bundle = c->record.bundle,
		.rootless = geteuid() != 0,
		.in_userns = !userns_is_initial(),
		.preserve_fds = o->preserve_fds,
		.id = c->id,
	};

	err_try(container_load_config(c, &config, err));
	return plan_build_exec(config, o->process, &options, &x->plan, err);
}

/* The child is born on the CPUs of its parent, us. ret_before: to go back to. */
static int move_to_cpus(const char *list, cpu_set_t *ret_before, struct err *err)
{
	uint64_t wanted[OCI_CPU_WORDS];

	_Static_assert(sizeof(wanted) == sizeof(*ret_before), "a set of CPUs of another size");
	if (oci_cpus_parse(list, wanted) < 0 ||
	    sched_getaffinity(0, sizeof(*ret_before), ret_before) < 0 ||
	    sched_setaffinity(0, sizeof(wanted), (const cpu_set_t *)(const void *)wanted) < 0)
		return err_set(err, errno ? errno : EINVAL, "set execCPUAffinity.initial to %s",
			       list);
	return 0;
}

static int give_listener(void *data, pid_t pid, int *ret_socket, char **ret_state, struct err *err)
{
	struct container *c = data;
	const struct oci_config *config;

	err_try(container_load_config(c, &config, err));
	return listener_open(c, config->seccomp, pid, container_status(c), ret_socket, ret_state,
			     err);
}

static int launch(struct container *c, const struct container_exec_options *o, struct exec *x,
		  struct err *err)
{
	struct launch_options options = {
		.plan = x->plan,
		.cgroup_fd = -1,
		.stdio = o->stdio,
		.exec_fifo_fd = -1,
		.target_pidfd = c->pidfd,
		.listener = give_listener,
		.stalled = o->ignore_paused ? NULL : frozen_check,
		.hooks_data = c,
	};
	const struct oci_config *config;
	struct cgroup *cgroup;
	cpu_set_t cpus;
	int r;

	/* In its class before it runs. */
	err_try(container_blur(container_load_config(c, &config, err), err));
	options.start_early = !rdt_is_wanted(config);
	err_try(container_blur(container_load_cgroup(c, &cgroup, err), err));
	if (cgroup_is_none(cgroup) && o->cgroups)
		return err_say(err, EINVAL, "--cgroup: container %s has no cgroup of its own",
			       c->id);
	if (o->cgroups)
		err_try(container_blur(exec_cgroup_join_fds(cgroup, o->cgroups, &x->v2_fd,
							    x->task_fds, &x->task_fds_count, err),
				       err));
	else
		err_try(container_blur(
			cgroup_join_fds(cgroup, &x->v2_fd, x->task_fds, &x->task_fds_count, err),
			err));
	options.cgroup_fd = x->v2_fd;
	options.task_fds = x->task_fds;
	options.task_fds_count = x->task_fds_count;
	if (o->process->exec_cpus_initial)
		err_try(container_blur(move_to_cpus(o->process->exec_cpus_initial, &cpus, err),
				       err));
	r = launch_create(&options, &x->launch, err);
	/* Where the container's processes have cgroups of their own, none may be above them. */
	if (r == -EBUSY && cgroup && !o->cgroups &&
	    exec_cgroup_is_divided(cgroup, c->record.pid, &x->v2_fd)) {
		err_clear(err);
		options.cgroup_fd = x->v2_fd;
		r = launch_create(&options, &x->launch, err);
	}
	if (o->process->exec_cpus_initial)
		sched_setaffinity(0, sizeof(cpus), &cpus);
	if (r < 0)
		return r;
	x->launched = true;
	return 0;
}

static int send_pidfd(const char *path, int pidfd, struct err *err)
{
	_cleanup_fd_ int socket = fd_socket_connect(path, "pidfd socket", err);
	int r;

	if (socket < 0)
		return socket;
	r = fd_socket_send(socket, pidfd, "setns", 5);
	return r < 0 ? err_set(err, -r, "send the pidfd to %s", path) : 0;
}

static int publish(const struct container_exec_options *o, struct exec *x, struct err *err)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", x->launch.pid);

	if (x->console_socket >= 0) {
		err_try(console_send(x->console_socket, x->launch.console_fd, err));
		cleanup_fd(&x->launch.console_fd);
		x->launch.console_fd = -1;
	}
	if (o->pidfd_socket)
		err_try(send_pidfd(o->pidfd_socket, x->launch.pidfd, err));
	if (o->pid_file)
		err_try(file_replace(AT_FDCWD, o->pid_file, text, (size_t)len, 0644, false, err));
	return 0;
}

static int join_rdt(struct container *c, pid_t pid, struct err *err)
{
	const struct oci_config *config;

	err_try(container_load_config(c, &config, err));
	return rdt_join(config, c->id, pid, err);
}

int container_exec(struct container *c, const struct container_exec_options *o,
		   struct container_process *ret, struct err *err)
{
	_cleanup_(exec_undo) struct exec x = { .launch = LAUNCH_NONE,
					       .console_socket = -1,
					       .v2_fd = -1 };
	enum oci_status status = container_status(c);

	if (status == OCI_STOPPED || status == OCI_CREATING || c->pidfd < 0)
		return err_say(err, ESRCH, "cannot exec in a %s container: %s",
			       oci_status_name(status), c->id);
	if (status == OCI_PAUSED && !o->ignore_paused)
		return err_say(err, EBUSY,
			       "cannot exec in a paused container (use --ignore-paused to "
			       "override): %s",
			       c->id);
	err_try(check_process(o->process, "", err));
	if (!o->process->terminal && o->console_socket)
		return err_say(
			err, EINVAL,
			"cannot use console socket if no tty is allocated: terminal is false");
	if (o->console_socket) {
		x.console_socket = console_connect(o->console_socket, err);
		if (x.console_socket < 0)
			return container_blur(x.console_socket, err);
	}
	err_try(container_blur(build(c, o, &x, err), err));
	err_try(launch(c, o, &x, err));
	err_try(container_blur(join_rdt(c, x.launch.pid, err), err));
	err_try(launch_release(&x.launch, o->ignore_paused ? NULL : frozen_check, c, err));
	err_try(container_blur(publish(o, &x, err), err));
	ret->pid = x.launch.pid;
	ret->pidfd = take_fd(&x.launch.pidfd);
	ret->console_fd = take_fd(&x.launch.console_fd);
	return 0;
}
