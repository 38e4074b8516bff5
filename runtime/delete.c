/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a container: what it left is killed, taken away and forgotten, in that order. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/container_struct.h"
#include "runtime/folder.h"
#include "runtime/hooks.h"
#include "runtime/rdt.h"

static bool is_empty(const struct cgroup *cgroup)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t count = 0;

	return cgroup_pids(cgroup, &pids, &count, NULL) < 0 || count == 0;
}

/*
 * The cgroup as recorded. A creator that died between making the cgroup and recording it left its
 * config.json, which tells the same; so it does where the record is damaged. Nothing runs before
 * the record is written: what runs in a cgroup that was not recorded is somebody else's, whose
 * cgroup it is.
 */
static int find_cgroup(struct container *c, struct cgroup **ret, struct err *err)
{
	const char *path = c->record.cgroup_path;
	const struct oci_config *config;
	char usual[NAME_MAX + sizeof("/cellar-")];

	if (path)
		return container_load_cgroup(c, ret, err);
	snprintf(usual, sizeof(usual), "/cellar-%s", c->id);
	if (container_load_config(c, &config, NULL) == 0)
		path = config->cgroups_path;
	/* What path is refused now was refused then. */
	if (!c->cache->cgroup && cgroup_open(path ? path : usual, &c->cache->cgroup, NULL) < 0)
		return err_say(err, ENOENT, "no cgroup");
	if (!c->record.damage && !is_empty(c->cache->cgroup))
		return err_say(err, ENOENT, "no cgroup");
	*ret = c->cache->cgroup;
	return 0;
}

static int kill_all(struct container *c, struct err *err)
{
	struct cgroup *cgroup;
	int r;

	if (container_is_alive(c)) {
		process_pidfd_signal(c->pidfd, SIGKILL);
		/* A v1 freezer holds even the dying. */
		if (container_load_cgroup(c, &cgroup, NULL) == 0 && cgroup_is_frozen(cgroup) > 0)
			cgroup_freeze(cgroup, false, NULL);
	}
	r = container_wait_dead(c, err);
	if (r < 0)
		return r;
	r = find_cgroup(c, &cgroup, NULL);
	if (r == -ENOENT && c->record.systemd_unit)
		return cgroup_forget_unit(c->record.systemd_unit, c->record.systemd_user, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return find_cgroup(c, &cgroup, err);
	return cgroup_destroy(cgroup, err);
}

static void run_poststop(const struct container *c)
{
	const struct oci_config *config;
	struct hooks_place place;
	struct err err = { 0 };
	char *state = NULL;
	size_t len;

	if (container_load_config(c, &config, NULL) < 0 || config->hooks.poststop.count == 0)
		return;
	place = hooks_place(config, c->record.bundle);
	/* "If any poststop hook fails, the runtime MUST log a warning" and go on with the rest. */
	for (size_t i = 0; i < config->hooks.poststop.count; i++) {
		const struct oci_hook_list one = { .hooks = &config->hooks.poststop.hooks[i],
						   .count = 1 };

		if (!state && container_state_as(c, OCI_STOPPED, false, &state, &len, &err) < 0)
			break;
		if (hooks_run("poststop", &one, &place, state, len, &err) < 0)
			log_warn("%s", err.text);
	}
	free(state);
}

int container_destroy(struct container *c, bool poststop, struct err *err)
{
	const struct oci_config *config;
	int r = kill_all(c, err);

	/* A folder that is gone while processes are left would lose them: stop here. */
	if (r < 0)
		return r;
	if ((poststop || c->rdt_made) && container_load_config(c, &config, NULL) == 0)
		rdt_remove(config, c->id);
	if (poststop && c->record.bundle)
		run_poststop(c);
	return folder_remove(c->root, c->id, c->dirfd, err);
}

/* A creator at work notices that its processes die, and cleans up by itself. */
static void disturb_creator(struct container *c)
{
	struct cgroup *cgroup;

	if (c->pidfd >= 0)
		process_pidfd_signal(c->pidfd, SIGKILL);
	if (container_load_cgroup(c, &cgroup, NULL) == 0)
		cgroup_signal(cgroup, SIGKILL, NULL);
}

static int check_status(struct container *c, bool force, struct err *err)
{
	enum oci_status status = container_status(c);

	if (force || status == OCI_STOPPED || status == OCI_CREATED)
		return 0;
	return err_say(err, EBUSY, "cannot delete container %s that is not stopped: %s", c->id,
		       oci_status_name(status));
}

int container_delete(struct container *c, bool force, struct err *err)
{
	int r;

	err_try(check_status(c, force, err));
	if (container_status(c) == OCI_CREATING)
		disturb_creator(c);
	r = container_lock(c, err);
	if (r == -ENOENT && force) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return err_add(err, "container %s", c->id);
	/* It may have been started while we waited for the lock. */
	r = check_status(c, force, err);
	if (r == 0)
		r = container_destroy(c, true, err);
	folder_unlock(c->dirfd);
	return r < 0 ? err_add(err, "delete container %s", c->id) : 0;
}
