/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/frozen.h"

#include <errno.h>
#include <signal.h>

#include "runtime/container_struct.h"

int frozen_check(void *container, pid_t pid, struct err *err)
{
	struct container *c = container;
	char path[CGROUP_PATH_MAX];
	struct cgroup *cgroup;

	if (container_load_cgroup(c, &cgroup, NULL) < 0 || cgroup_is_none(cgroup) ||
	    !cgroup_holds_frozen(cgroup, pid, path))
		return 0;
	/* It is a child that nobody has waited for, so the pid is still its own. */
	kill(pid, SIGKILL);
	cgroup_release_killed(cgroup, pid);
	return err_say(err, EBUSY,
		       "container %s: the cgroup %s is frozen, and no process can start in it",
		       c->id, path);
}
