/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a container: what it left is killed, taken away and forgotten, in that order. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/container_struct.h"
#include "runtime/folder.h"
#include "runtime/hooks.h"
#include "runtime/rdt.h"

#define SECOND_NS INT64_C(1000000000)

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

/* Its creator died before it could write down what systemd made. */
static int forget_asked(struct container *c, struct err *err)
{
	const struct oci_config *config;

	err_try(container_load_config(c, &config, err));
	return cgroup_forget_asked_unit(config->cgroups_path, c->id, err);
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
	if (!c->record.cgroup_path && faccessat(c->dirfd, FOLDER_UNIT_ASKED, F_OK, 0) == 0)
		return forget_asked(c, err);
	r = find_cgroup(c, &cgroup, NULL);
	if (r == -ENOENT && c->record.systemd_unit)
		return cgroup_forget_unit(c->record.systemd_unit, c->record.systemd_user, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return find_cgroup(c, &cgroup, err);
	return cgroup_destroy(cgroup, err);
}

/* Seconds for the next hook; 0: for ever, -1: none are left. */
static int hook_seconds(const struct oci_hook *hook, const struct container_delete_options *o,
			int64_t began_ns)
{
	int own = hook->timeout_s > 0 ? hook->timeout_s : o->hook_s;
	int64_t left_ns;

	if (!o->hooks_s)
		return own;
	left_ns = began_ns + o->hooks_s * SECOND_NS - clock_monotonic_ns();
	if (left_ns <= 0)
		return -1;
	if (own && own * SECOND_NS < left_ns)
		return own;
	return (int)((left_ns + SECOND_NS - 1) / SECOND_NS);
}

static int run_hook(const struct oci_hook *hook, int seconds, const struct hooks_place *place,
		    const char *state, size_t len, struct err *err)
{
	struct oci_hook bounded = *hook;
	const struct oci_hook_list one = { .hooks = &bounded, .count = 1 };

	if (seconds < 0)
		return err_say(err, ETIMEDOUT, "poststop hook %s was not run: its time was over",
			       hook->path);
	bounded.timeout_s = seconds;
	return hooks_run("poststop", &one, place, state, len, err);
}

static void run_poststop(const struct container *c, const struct container_delete_options *o)
{
	int64_t began_ns = clock_monotonic_ns();
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
		const struct oci_hook *hook = &config->hooks.poststop.hooks[i];

		if (!state && container_state_as(c, OCI_STOPPED, false, &state, &len, &err) < 0)
			break;
		if (run_hook(hook, hook_seconds(hook, o, began_ns), &place, state, len, &err) < 0)
			log_warn("%s", err.text);
	}
	free(state);
}

int container_destroy(struct container *c, bool made, const struct container_delete_options *o,
		      struct err *err)
{
	const struct oci_config *config;
	int r = kill_all(c, err);

	/* A folder that is gone while processes are left would lose them: stop here. */
	if (r < 0)
		return r;
	if ((made || c->rdt_made) && container_load_config(c, &config, NULL) == 0)
		rdt_remove(config, c->id);
	if (made && !o->no_hooks && c->record.bundle)
		run_poststop(c, o);
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

/* Two names of one folder are the same one. */
static bool is_same_folder(const char *a, const char *b)
{
	struct stat first, second;

	return !strcmp(a, b) || (stat(a, &first) == 0 && stat(b, &second) == 0 &&
				 first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

bool container_may_be_of(const struct container *c, const char *bundle)
{
	return !c->record.bundle || is_same_folder(c->record.bundle, bundle);
}

static int refuse_other(const struct container *c, struct err *err)
{
	return err_say(err, ESTALE, "container %s is another one, of %s", c->id,
		       c->record.bundle ? c->record.bundle : "nobody knows whom");
}

int container_delete_with(struct container *c, const struct container_delete_options *o,
			  struct err *err)
{
	int r;

	if (o->bundle && !container_may_be_of(c, o->bundle))
		return refuse_other(c, err);
	err_try(check_status(c, o->force, err));
	/* Whose it is does not show before there is a record: then its creator is left in peace. */
	if (container_status(c) == OCI_CREATING && (!o->bundle || c->record.bundle))
		disturb_creator(c);
	r = container_lock(c, err);
	if (r == -ENOENT && o->force) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return err_add(err, "container %s", c->id);
	/* It may have been made, and started, while we waited for the lock. */
	if (o->bundle && !container_may_be_of(c, o->bundle))
		r = refuse_other(c, err);
	if (r == 0)
		r = check_status(c, o->force, err);
	if (r == 0)
		r = container_destroy(c, true, o, err);
	folder_unlock(c->dirfd);
	return r < 0 ? err_add(err, "delete container %s", c->id) : 0;
}

int container_delete(struct container *c, bool force, struct err *err)
{
	return container_delete_with(c, &(struct container_delete_options){ .force = force }, err);
}
