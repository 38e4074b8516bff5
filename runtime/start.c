/* SPDX-License-Identifier: Apache-2.0 */
/* Steps 7 to 9 of the life cycle: the program is executed, poststart hooks run. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/process.h"
#include "runtime/container_struct.h"
#include "runtime/folder.h"
#include "runtime/frozen.h"
#include "runtime/hooks.h"

/* The lock keeps a second starter and a deleter out until the fifo is gone. */
static int start_by_fifo(struct container *c, struct err *err)
{
	enum oci_status status;
	int r = container_blur(container_lock(c, err), err);

	if (r < 0)
		return r;
	status = container_status(c);
	if (status == OCI_RUNNING)
		r = err_say(err, EINVAL, "cannot start an already running container");
	else if (status == OCI_STOPPED)
		r = err_say(err, EINVAL, "cannot start a container that has stopped");
	else if (status != OCI_CREATED)
		r = err_say(err, EINVAL, "cannot start a container in the %s state",
			    oci_status_name(status));
	if (r == 0)
		r = launch_start(c->dirfd, FOLDER_FIFO, c->pidfd, err);
	if (r == 0)
		unlinkat(c->dirfd, FOLDER_FIFO, 0);
	folder_unlock(c->dirfd);
	return r;
}

static int run_poststart(struct container *c, struct err *err)
{
	const struct oci_config *config;
	struct hooks_place place;
	char *state = NULL;
	size_t len;
	int r = container_load_config(c, &config, err);

	if (r < 0 || config->hooks.poststart.count == 0)
		return r;
	place = hooks_place(config, c->record.bundle);
	r = container_state_as(c, OCI_RUNNING, false, &state, &len, err);
	if (r == 0)
		r = hooks_run("poststart", &config->hooks.poststart, &place, state, len, err);
	free(state);
	/* Runtime-spec, life cycle, step 9: stop the container; deleting it is the caller's. */
	if (r < 0) {
		process_pidfd_signal(c->pidfd, SIGKILL);
		container_wait_dead(c, NULL);
	}
	return r;
}

int container_start(struct container *c, struct err *err)
{
	int r;

	if (c->start_here)
		r = launch_release(&c->launch, frozen_check, c, err);
	else
		r = start_by_fifo(c, err);
	if (r < 0)
		return err_add(err, "start container %s", c->id);
	return container_blur(run_poststart(c, err), err);
}
