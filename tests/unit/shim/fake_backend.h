/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend of the shim whose containers are plain shell processes: the text of BUNDLE/script is
 * what init runs once it is started. Needs neither root nor namespaces. And an engine for ctr's
 * containers, which leaves notes.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/process.h"
#include "runtime/container.h"
#include "runtime/shim/shim.h"
#include "spec/oci_config.h"

struct fake {
	pid_t pid;
	int pidfd;
	char bundle[512], id[64];
};

/* The shim of this process; a child that it has for what is slow is another one. */
static pid_t fake_shim;

static inline void fake_exec(const int *stdio, int wait_fd, const char *script)
{
	sigset_t none;
	char byte;

	/* What a child of the shim makes outlives that; fixture_stop() ends the whole group. */
	if (getppid() == fake_shim)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 0; i < 3 && stdio; i++)
		dup2(stdio[i], i);
	if (wait_fd >= 0 && read(wait_fd, &byte, 1) != 1)
		_exit(1);
	execl("/bin/sh", "sh", "-c", script, NULL);
	_exit(127);
}

static inline bool fake_has(const char *bundle, const char *name)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", bundle, name);
	return access(path, F_OK) == 0;
}

/* Files of the bundle: `hold-WHAT` keeps it from going on until the test removes it, and by
 * `die-WHAT` a child of the shim that does it dies, once. */
static inline void fake_dwell(const char *bundle, const char *what)
{
	char name[64], path[600];

	snprintf(name, sizeof(name), "hold-%s", what);
	if (fake_has(bundle, name)) {
		snprintf(path, sizeof(path), "%s/held-%s", bundle, what);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	while (fake_has(bundle, name))
		usleep(1000);
	snprintf(path, sizeof(path), "%s/die-%s", bundle, what);
	/* A folder: whenever, not once. */
	if (getpid() != fake_shim && (unlink(path) == 0 || errno == EISDIR))
		kill(getpid(), SIGKILL);
}

static inline void fake_note(const char *bundle, const char *what)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/backend", bundle);
	f = fopen(path, "ae");
	fprintf(f, "%s\n", what);
	fclose(f);
}

/* The state on disk: "PID BUNDLE" of a container. Where BUNDLE/root leads to a folder it is there,
 * and may be another bundle's. */
static inline void fake_state(const char *bundle, const char *id, char path[static 600])
{
	snprintf(path, 600, "%s%s/pid-%s", bundle, fake_has(bundle, "root") ? "/root" : "", id);
}

/* Who is its init, of which bundle; 0: there is none. */
static inline pid_t fake_load_any(const char *bundle, const char *id, char ret_bundle[static 512])
{
	_cleanup_free_ char *text = NULL;
	char path[600];
	int pid = 0;

	fake_state(bundle, id, path);
	ret_bundle[0] = '\0';
	if (file_read(AT_FDCWD, path, 600, &text, NULL, NULL) < 0 ||
	    sscanf(text, "%d %511s", &pid, ret_bundle) != 2)
		return 0;
	return pid;
}

/* The same, of one that was made from this bundle. */
static inline pid_t fake_load(const char *bundle, const char *id)
{
	char made_from[512];
	pid_t pid = fake_load_any(bundle, id, made_from);

	return strcmp(made_from, bundle) ? 0 : pid;
}

static inline void fake_save(const struct fake *fake)
{
	char path[600], text[600];

	fake_state(fake->bundle, fake->id, path);
	snprintf(text, sizeof(text), "%d %s", fake->pid, fake->bundle);
	assert_return_code(file_replace(AT_FDCWD, path, text, strlen(text), 0600, false, NULL), 0);
}

/* A FIFO, since who starts it may be another process. */
static inline int fake_open_go(const char *bundle, const char *id, bool make)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/go-%s", bundle, id);
	if (make) {
		unlink(path);
		assert_return_code(mkfifo(path, 0600), errno);
	}
	return open(path, O_RDWR | O_CLOEXEC);
}

static inline int fake_create(const struct backend_create *o, void **ret_handle,
			      struct backend_process *ret, struct err *err)
{
	_cleanup_free_ char *script = NULL;
	_cleanup_fd_ int go = -1;
	struct fake *fake;
	char path[600], other[512];

	fake_dwell(o->bundle, "create");
	if (!strcmp(o->id, "no-create") || fake_has(o->bundle, "no-create"))
		return err_say(err, ENOENT, "no create today");
	if (fake_load_any(o->bundle, o->id, other))
		return err_say(err, EEXIST, "container with given ID already exists");
	fake = calloc(1, sizeof(*fake));
	snprintf(fake->bundle, sizeof(fake->bundle), "%s", o->bundle);
	snprintf(fake->id, sizeof(fake->id), "%s", o->id);
	snprintf(path, sizeof(path), "%s/script", o->bundle);
	assert_return_code(file_read(AT_FDCWD, path, 65536, &script, NULL, err), 0);
	go = fake_open_go(o->bundle, o->id, true);
	assert_true(go >= 0);
	fake->pid = process_clone(0, -1, &fake->pidfd);
	if (fake->pid == 0)
		fake_exec(o->stdio, o->restore ? -1 : go, script);
	fake_save(fake);
	fake_dwell(o->bundle, "created");
	*ret = (struct backend_process){ fake->pid, -1, -1, false };
	*ret_handle = fake;
	return 0;
}

/* As another process sees it. */
static inline int fake_adopt(const struct backend_create *o, void **ret_handle,
			     struct backend_process *ret, struct err *err)
{
	pid_t pid = fake_load(o->bundle, o->id);
	struct fake *fake;

	if (!pid)
		return err_say(err, ENOENT, "container does not exist");
	if (fake_has(o->bundle, "no-adopt") && !o->for_removal)
		return err_say(err, EMFILE, "no adoption today");
	fake = calloc(1, sizeof(*fake));
	snprintf(fake->bundle, sizeof(fake->bundle), "%s", o->bundle);
	snprintf(fake->id, sizeof(fake->id), "%s", o->id);
	fake->pid = pid;
	fake->pidfd = process_pidfd_open(pid);
	*ret = (struct backend_process){ pid, -1, -1, true, fake_has(o->bundle, "frozen") };
	*ret_handle = fake;
	return 0;
}

static inline void fake_forget(void *handle)
{
	struct fake *fake = handle;

	if (fake->pidfd >= 0)
		close(fake->pidfd);
	free(fake);
}

static inline int fake_start(void *handle, struct err *err)
{
	struct fake *fake = handle;
	_cleanup_fd_ int go = -1;

	fake_dwell(fake->bundle, "start");
	if (strstr(fake->bundle, "no-start"))
		return err_say(err, ENOENT, "exec /nothing: No such file or directory");
	go = fake_open_go(fake->bundle, fake->id, false);
	return write(go, "", 1) == 1 ? 0 : -errno;
}

static inline int fake_run(void *handle, const struct backend_exec *o, struct backend_process *ret,
			   struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_process process = { 0 };
	pid_t pid;
	int pidfd;

	(void)handle;
	assert_return_code(oci_process_parse(o->process_json, o->process_len, arena, &process, err),
			   0);
	if (!strcmp(process.args[0], "nothing"))
		return err_say(err, ENOENT, "exec nothing: No such file or directory");
	pid = process_clone(0, -1, &pidfd);
	if (pid == 0)
		fake_exec(o->stdio, -1, process.args[0]);
	*ret = (struct backend_process){ pid, pidfd, -1, true };
	return 0;
}

static inline int fake_kill(void *handle, int signal, bool all, struct err *err)
{
	struct fake *fake = handle;
	int r = process_pidfd_signal(fake->pidfd, signal);

	(void)all;
	return r < 0 ? err_say(err, -r, "container not running") : 0;
}

static inline int fake_freeze(void *handle, bool frozen, struct err *err)
{
	(void)handle;
	(void)frozen;
	(void)err;
	return 0;
}

static inline int fake_update(void *handle, const char *json, size_t len, struct err *err)
{
	struct fake *fake = handle;
	char note[300];

	if (len < 2 || json[0] != '{')
		return err_say(err, EINVAL, "no object");
	snprintf(note, sizeof(note), "update %.*s", (int)len, json);
	fake_note(fake->bundle, note);
	return 0;
}

static inline int fake_checkpoint(void *handle, const struct container_criu_options *options,
				  struct err *err)
{
	struct fake *fake = handle;
	char note[300];

	(void)err;
	fake_dwell(fake->bundle, "checkpoint");
	snprintf(note, sizeof(note), "checkpoint %s%s%s", options->image_path,
		 options->leave_running ? " running" : "", options->tcp_established ? " tcp" : "");
	fake_note(fake->bundle, note);
	return 0;
}

static inline bool fake_has_pid_namespace(void *handle)
{
	(void)handle;
	return true;
}

static inline int fake_stats(void *handle, struct backend_stats *ret, struct err *err)
{
	struct fake *fake = handle;

	(void)err;
	*ret = (struct backend_stats){
		.v2 = strstr(fake->bundle, "v2") != NULL,
		.memory_usage_bytes = 1000,
		.memory_limit_bytes = 2000,
		.cpu_usage_ns = 3000000,
		.pids_current = 4,
		.pids_limit = 5,
		.io_read_bytes = 6,
		.io_write_bytes = 7,
		.oom_kills = strstr(fake->bundle, "oom") != NULL,
	};
	return 0;
}

static inline int fake_pids(void *handle, pid_t **ret, size_t *ret_count, struct err *err)
{
	struct fake *fake = handle;

	(void)err;
	*ret = malloc(sizeof(pid_t));
	**ret = fake->pid;
	*ret_count = 1;
	return 0;
}

static inline int fake_destroy(void *handle, const char *bundle, bool hooks, struct err *err)
{
	struct fake *fake = handle;
	char path[600];

	(void)err;
	assert_string_equal(fake->bundle, bundle);
	if (hooks)
		fake_dwell(fake->bundle, "destroy");
	fake_note(fake->bundle, hooks ? "destroy" : "destroy without hooks");
	if (fake->pidfd >= 0)
		process_pidfd_signal(fake->pidfd, SIGKILL);
	fake_state(fake->bundle, fake->id, path);
	unlink(path);
	fake_forget(fake);
	return 0;
}

static inline int fake_mount(const char *bundle, const struct rootfs_mount *mounts, size_t count,
			     struct err *err)
{
	(void)err;
	for (size_t i = 0; i < count; i++)
		fake_note(bundle, mounts[i].type);
	return 0;
}

static inline int fake_unmount(const char *bundle, struct err *err)
{
	(void)err;
	fake_note(bundle, "unmount");
	return 0;
}

static const struct backend_ops fake_ops = {
	.create = fake_create,
	.adopt = fake_adopt,
	.forget = fake_forget,
	.start = fake_start,
	.exec = fake_run,
	.kill = fake_kill,
	.freeze = fake_freeze,
	.update = fake_update,
	.checkpoint = fake_checkpoint,
	.has_pid_namespace = fake_has_pid_namespace,
	.stats = fake_stats,
	.pids = fake_pids,
	.destroy = fake_destroy,
	.mount = fake_mount,
	.unmount = fake_unmount,
};

/* The removal of a container of ctr: leaves a note. */
static inline int fake_remove(const char *root, const char *runroot, const char *id, bool ended,
			      struct err *err)
{
	(void)runroot;
	(void)id;
	(void)err;
	assert_true(ended);
	fake_note(root, "remove");
	return 0;
}

static inline void fake_release(const char *root, const char *runroot, const char *id)
{
	(void)runroot;
	(void)id;
	fake_note(root, "release");
}

static const struct shim_engine fake_engine = { .remove = fake_remove, .release = fake_release };
