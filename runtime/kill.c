/* SPDX-License-Identifier: Apache-2.0 */
/* Signals and the freezer. */
#include <errno.h>
#include <signal.h>

#include "base/process.h"
#include "runtime/container_struct.h"
#include "runtime/processes.h"

/* v1 keeps a killed process frozen; v2 lets it die. */
static void thaw_the_killed(const struct cgroup *cgroup, int signal)
{
	if (signal == SIGKILL && cgroup_is_frozen(cgroup) > 0)
		cgroup_freeze(cgroup, false, NULL);
}

static int kill_every(struct container *c, int signal, struct err *err)
{
	struct cgroup *cgroup;
	int r = container_load_cgroup(c, &cgroup, err);

	/* Nothing left to signal is what was asked for. */
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	if (cgroup_is_none(cgroup))
		return processes_signal(c, signal, err);
	err_try(cgroup_signal(cgroup, signal, err));
	thaw_the_killed(cgroup, signal);
	return 0;
}

/* What waits for `start` is the first of its pid namespace and has no handlers, so the kernel keeps
 * from it what would end any program. Who asks it to end is not to wait for his own SIGKILL. */
static int for_what_waits(int signal)
{
	bool ends = signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;

	return ends ? SIGKILL : signal;
}

int container_kill(struct container *c, int signal, bool all, struct err *err)
{
	enum oci_status status = container_status(c);
	struct cgroup *cgroup;
	int r;

	if (status == OCI_CREATED)
		signal = for_what_waits(signal);
	if (all)
		return kill_every(c, signal, err);
	if (c->pidfd < 0 || status == OCI_STOPPED)
		return err_say(err, ESRCH, "container not running");
	r = process_pidfd_signal(c->pidfd, signal);
	if (r == -ESRCH)
		return err_say(err, ESRCH, "container not running");
	if (r < 0)
		return err_set(err, -r, "send signal %d to process %d", signal, c->record.pid);
	if (status == OCI_PAUSED && container_load_cgroup(c, &cgroup, NULL) == 0)
		thaw_the_killed(cgroup, signal);
	return 0;
}

int container_pause(struct container *c, struct err *err)
{
	enum oci_status status = container_status(c);
	struct cgroup *cgroup;

	if (status != OCI_RUNNING && status != OCI_CREATED)
		return err_say(err, EINVAL, "container not running: %s is %s", c->id,
			       oci_status_name(status));
	err_try(container_load_cgroup(c, &cgroup, err));
	return cgroup_freeze(cgroup, true, err);
}

int container_resume(struct container *c, struct err *err)
{
	enum oci_status status = container_status(c);
	struct cgroup *cgroup;

	if (status != OCI_PAUSED)
		return err_say(err, EINVAL, "container not paused: %s is %s", c->id,
			       oci_status_name(status));
	err_try(container_load_cgroup(c, &cgroup, err));
	return cgroup_freeze(cgroup, false, err);
}
