/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/next_shim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TRIES 200
#define PAUSE_NS 20000000

int next_shim_connect(const struct next_shim *next, const struct engine_container *container,
		      struct err *err)
{
	int r = engine_connect(next->engine, container, next->control, err);

	if (r == 0)
		r = engine_connect(next->engine, container, next->waiter, err);
	return r < 0 ? r : shim_wait_begin(*next->waiter, container->id, NULL, err);
}

/* What lies in the FIFOs stays there meanwhile, since our ends are open. */
static int attach_again(const struct next_shim *next)
{
	const struct engine_stdio *io = next->late;

	return shim_attach(*next->control,
			   &(struct shim_attach_options){
				   .id = next->container->id,
				   .stdin_path = io->stdin_fd >= 0 ? io->stdin_path : NULL,
				   .stdout_path = io->stdout_path,
				   .stderr_path = io->stderr_path },
			   NULL);
}

/* >0: it has ended, as ret tells. */
static int try_once(const struct next_shim *next, struct shim_exit *ret)
{
	/* What we know of it is of before its shim died. */
	_cleanup_engine_container_ struct engine_container *now = NULL;
	struct shim_state state;
	int r;

	*next->control = shim_close(*next->control);
	*next->waiter = shim_close(*next->waiter);
	r = engine_find(next->engine, next->container->id, &now, NULL);
	if (r < 0)
		return r;
	if (strcmp(now->status, "exited") == 0 && now->exit_code >= 0) {
		*ret = (struct shim_exit){ .status = (uint32_t)now->exit_code,
					   .oom_killed = now->oom_killed };
		return 1;
	}
	r = next_shim_connect(next, now, NULL);
	/* Once it answers it has opened our FIFOs. */
	if (r == 0)
		r = shim_state(*next->control, next->container->id, NULL, &state, NULL);
	return r == 0 && next->late ? attach_again(next) : r;
}

/*
 * Our connection ends before the dying shim has closed its socket and given up its lock, of which
 * nothing tells: so this is tried again for a while.
 */
int next_shim_find(const struct next_shim *next, struct shim_exit *ret)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int r = try_once(next, ret);

	for (int i = 0; r < 0 && r != -ENOENT && i < TRIES; i++) {
		nanosleep(&pause, NULL);
		r = try_once(next, ret);
	}
	if (r == 0)
		fprintf(stderr,
			"ctr: the supervisor of container %s died; another one has taken over\n",
			next->container->name);
	return r;
}
