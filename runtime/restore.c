/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. criu starts in a mount namespace of its own where the root file system is a
 * mount. It clones the first process as its sibling, so that this becomes our child, as after a
 * launch; tells us when the namespaces are there (hooks run) and gives us the master of the
 * terminal; and ends when all of them run.
 */
#include "runtime/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/criu.h"
#include "runtime/criu_options.h"

#define LOG "restore.log"
#define STDIO_BYTES_MAX 65536
#define KEEP_MAX 8

struct restore {
	const struct restore_job *job;
	struct criu_options options;
	int v2_fd, task_fds[CGROUP_HIERARCHIES_MAX]; /* owned */
	size_t task_fds_count;
	int keep[KEEP_MAX]; /* owned */
	size_t keep_count;
	int console_fd; /* owned, or -1 */
};

static void restore_deinit(struct restore *r)
{
	criu_options_close(&r->options);
	cleanup_fd(&r->v2_fd);
	for (size_t i = 0; i < r->task_fds_count; i++)
		cleanup_fd(&r->task_fds[i]);
	for (size_t i = 0; i < r->keep_count; i++)
		cleanup_fd(&r->keep[i]);
	cleanup_fd(&r->console_fd);
}

/* ---- what is external ---- */

/* fd becomes ours; it gets a number that is in nobody's way. */
static int give(struct restore *r, const char *key, int fd, struct err *err)
{
	Criu__Options *m = &r->options.message;
	Criu__InheritFd *item = arena_alloc(r->options.arena, sizeof(*item));
	int high;

	if (r->keep_count == KEEP_MAX)
		return err_say(err, E2BIG, "too many descriptors for criu");
	high = fcntl(fd, F_DUPFD_CLOEXEC, 64);
	if (high < 0)
		return err_set(err, errno, "duplicate %s", key);
	r->keep[r->keep_count++] = high;
	if (item) {
		criu__inherit_fd__init(item);
		item->key = arena_strdup(r->options.arena, key);
		item->fd = high;
	}
	return criu_options_add(&r->options, &m->inherit_fd, &m->n_inherit_fd, item, err);
}

static int give_stdio(struct restore *r, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	size_t len;

	/* Images of others have none. */
	if (faccessat(r->options.images_fd, CRIU_STDIO_FILE, F_OK, 0) < 0)
		return 0;
	err_try(file_read(r->options.images_fd, CRIU_STDIO_FILE, STDIO_BYTES_MAX, &text, &len,
			  err));
	if (json_parse(text, len, &doc, err) < 0)
		return err_add(err, CRIU_STDIO_FILE);
	root = json_root(doc);
	for (size_t i = 0; json_kind(&root) == JSON_ARRAY && i < json_count(&root) && i < 3; i++) {
		struct json_node item = json_at(&root, i);
		const char *name;

		err_try(json_string(&item, r->options.arena, &name, err));
		if (strncmp(name, "pipe:[", 6) == 0 || strncmp(name, "file[", 5) == 0)
			err_try(give(r, name, r->job->stdio ? r->job->stdio[i] : (int)i, err));
	}
	return 0;
}

static int join(struct restore *r, const char *name, const char *path, struct err *err)
{
	Criu__Options *m = &r->options.message;
	Criu__JoinNamespace *item = arena_alloc(r->options.arena, sizeof(*item));

	if (item) {
		criu__join_namespace__init(item);
		item->ns = (char *)(uintptr_t)name;
		item->ns_file = (char *)(uintptr_t)path;
	}
	return criu_options_add(&r->options, &m->join_ns, &m->n_join_ns, item, err);
}

static int give_namespaces(struct restore *r, struct err *err)
{
	const struct oci_namespace *all = r->job->config->namespaces;
	const struct oci_namespace *net = &all[OCI_NS_NETWORK];

	if (net->present && net->path) {
		_cleanup_fd_ int fd = open(net->path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return err_set(err, errno, "open network namespace %s", net->path);
		err_try(give(r, CRIU_NET_KEY, fd, err));
	}
	if (all[OCI_NS_IPC].path)
		err_try(join(r, "ipc", all[OCI_NS_IPC].path, err));
	if (all[OCI_NS_UTS].path)
		err_try(join(r, "uts", all[OCI_NS_UTS].path, err));
	return 0;
}

static int add_cgroups(struct restore *r, struct err *err)
{
	Criu__Options *m = &r->options.message;
	size_t count;
	const struct cgroup_hierarchy *h;

	if (!r->job->cgroup)
		return 0;
	h = cgroup_hierarchies(r->job->cgroup, &count);
	/* Else criu puts the processes in, and is itself free of their limits. */
	if (m->manage_cgroups_mode == 0)
		err_try(cgroup_join_fds(r->job->cgroup, &r->v2_fd, r->task_fds, &r->task_fds_count,
					err));
	for (size_t i = 0; i < count; i++) {
		Criu__CgroupRoot *item = arena_alloc(r->options.arena, sizeof(*item));

		if (item) {
			criu__cgroup_root__init(item);
			item->path = (char *)(uintptr_t)cgroup_path(r->job->cgroup);
			if (!h[i].v2)
				item->ctrl = (char *)(uintptr_t)h[i].name;
		}
		err_try(criu_options_add(&r->options, &m->cg_root, &m->n_cg_root, item, err));
	}
	return 0;
}

static int add_mounts(struct restore *r, struct err *err)
{
	const struct restore_job *job = r->job;
	struct criu_mounts mounts = { 0 };

	err_try(criu_mounts_make_targets(job->config, job->bundle, job->rootfs, err));
	err_try(criu_mounts_plan(job->config, job->bundle, job->rootfs, job->cgroup,
				 r->options.arena, &mounts, err));
	return criu_options_add_mounts(&r->options, &mounts, err);
}

/* ---- the restore ---- */

static int on_step(void *data, const char *step, pid_t pid, int fd, struct err *err)
{
	struct restore *r = data;

	log_debug("criu: %s", step);
	if (strcmp(step, "orphan-pts-master") == 0) {
		cleanup_fd(&r->console_fd);
		r->console_fd = fd;
		return 0;
	}
	cleanup_fd(&fd);
	if (strcmp(step, "setup-namespaces") == 0 && r->job->on_namespaces)
		return r->job->on_namespaces(r->job->data, pid, err);
	return 0;
}

static int ask(struct restore *r, pid_t *ret_pid, struct err *err)
{
	Criu__Request request = CRIU__REQUEST__INIT;
	Criu__Options *m = &r->options.message;
	struct criu_call call = {
		.program = r->job->options->program,
		.request = &request,
		.cgroup_fd = r->v2_fd,
		.task_fds = r->task_fds,
		.task_fds_count = r->task_fds_count,
		.keep_fds = r->keep,
		.keep_fds_count = r->keep_count,
		.root = r->job->rootfs,
		.images_path = r->job->options->image_path,
		.work_path = r->job->options->work_path ? r->job->options->work_path
							: r->job->options->image_path,
		.work_fd = r->options.work_fd,
		.log = LOG,
		.notify = on_step,
		.data = r,
	};

	request.type = CRIU__TYPE__RESTORE;
	request.opts = m;
	m->root = (char *)(uintptr_t)r->job->rootfs;
	m->has_rst_sibling = m->rst_sibling = 1;
	m->has_evasive_devices = m->evasive_devices = 1;
	m->lsm_profile = (char *)(uintptr_t)r->job->options->lsm_profile;
	m->lsm_mount_context = (char *)(uintptr_t)r->job->options->lsm_mount_context;
	return criu_call(&call, ret_pid, err);
}

int restore_run(const struct restore_job *job, struct launch *ret, struct err *err)
{
	_cleanup_(restore_deinit) struct restore r = {
		.job = job, .options = CRIU_OPTIONS_NONE, .v2_fd = -1, .console_fd = -1
	};
	struct launch launch = LAUNCH_NONE;

	err_try(criu_options_open(job->options, job->config, false, LOG, &r.options, err));
	err_try(add_mounts(&r, err));
	err_try(give_stdio(&r, err));
	err_try(give_namespaces(&r, err));
	err_try(add_cgroups(&r, err));
	if (ask(&r, &launch.pid, err) < 0)
		return err_add(err, "restore");
	launch.pidfd = process_pidfd_open(launch.pid);
	if (launch.pidfd < 0)
		return err_set(err, -launch.pidfd, "find the restored process %d", launch.pid);
	launch.console_fd = take_fd(&r.console_fd);
	*ret = launch;
	return 0;
}
