/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole shim in a child process, over a backend whose containers are plain shell processes: the
 * text of BUNDLE/script is what init runs once it is started. So the Task API, stdio and the end of
 * things are tested with real processes, but without root and namespaces.
 *
 * Behind it, an events service as containerd's: each event becomes a line "TOPIC ID" of the file
 * BUNDLE/events.
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/process.h"
#include "runtime/container.h"
#include "runtime/shim/client.h"
#include "runtime/shim/client_call.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/shim.h"
#include "spec/oci_config.h"

/* Of what tells nobody: looked at every 10 ms for a minute, for the machine may be busy. */
#define POLL_US 10000
#define POLLS 6000

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

static inline void on_event(void *data, struct rpc_call *call, const Ttrpc__Request *request)
{
	Event__ForwardRequest *forward;
	/* Every event has the container's id first; an exit has the process's next. */
	Event__TaskExit *exit;
	FILE *f = fopen(data, "ae");

	assert_string_equal(request->method, "Forward");
	assert_return_code(proto_unpack(&event__forward_request__descriptor, request->payload.data,
					request->payload.len, &forward, NULL),
			   0);
	if (!strcmp(forward->envelope->topic, "/tasks/exit")) {
		Pb__Any *any = forward->envelope->event;

		assert_return_code(proto_unpack(&event__task_exit__descriptor, any->value.data,
						any->value.len, &exit, NULL),
				   0);
		fprintf(f, "exit %s %u\n", exit->id, exit->exit_status);
		proto_free(exit);
	} else {
		fprintf(f, "%s\n", forward->envelope->topic + strlen("/tasks/"));
	}
	fclose(f);
	proto_free(forward);
	rpc_reply(call, NULL);
}

static inline void on_event_client_closed(void *data)
{
	(void)data;
}

struct fixture {
	char dir[64], bundle[96], socket[96], address[112], events[96], events_file[128];
	pid_t shim_pid, events_pid;
	int shim_pidfd;
	struct shim_client *client;
	struct err err;
};

static inline void serve_events(const struct fixture *f, int listener)
{
	static const struct server_ops ops = { on_event, on_event_client_closed };
	struct server *server;
	struct loop *loop;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (loop_new(&loop, NULL) < 0 ||
	    server_new(loop, listener, &ops, (void *)f->events_file, &server, NULL) < 0)
		_exit(1);
	loop_run(loop, NULL);
	_exit(1);
}

/* The child leaves without the check that sanitizers do at exit. */
#ifdef __SANITIZE_ADDRESS__
int __lsan_do_recoverable_leak_check(void);

static inline bool leaks(void)
{
	return __lsan_do_recoverable_leak_check();
}
#else
static inline bool leaks(void)
{
	return false;
}
#endif

/* In the shim, before it serves; NULL. */
static void (*fixture_prepare)(const struct fixture *f, struct shim_options *options);

static inline void fixture_start(struct fixture *f, const char *name, const char *script,
				 bool with_events)
{
	struct shim_options options = { .namespace_ = "test",
					.backend = &fake_ops,
					.engine = &fake_engine };
	char path[200];
	int fd, unused;

	memset(f, 0, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/cellar-shim-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->bundle, sizeof(f->bundle), "%s/%s", f->dir, name);
	snprintf(f->socket, sizeof(f->socket), "%s/s", f->dir);
	snprintf(f->address, sizeof(f->address), "unix://%s", f->socket);
	snprintf(f->events, sizeof(f->events), "%s/e", f->dir);
	snprintf(f->events_file, sizeof(f->events_file), "%s/events", f->bundle);
	assert_return_code(mkdir(f->bundle, 0700), errno);
	snprintf(path, sizeof(path), "%s/script", f->bundle);
	assert_return_code(file_replace(AT_FDCWD, path, script, strlen(script), 0600, false, NULL),
			   0);
	if (with_events) {
		options.ttrpc_address = f->events;
		/* Before there is a shim, which looks for it every two seconds only. */
		fd = ttrpc_listen(f->events, &f->err);
		assert_return_code(fd, -fd);
		f->events_pid = process_clone(0, -1, &unused);
		if (f->events_pid == 0)
			serve_events(f, fd);
		close(unused);
		close(fd);
	}
	options.socket_path = f->socket;
	fd = ttrpc_listen(f->socket, &f->err);
	assert_return_code(fd, -fd);
	f->shim_pid = process_clone(0, -1, &f->shim_pidfd);
	if (f->shim_pid == 0) {
		setpgid(0, 0);
		fake_shim = getpid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		if (fixture_prepare)
			fixture_prepare(f, &options);
		_exit(shim_serve(&options, fd, &f->err) < 0 || leaks());
	}
	close(fd);
	assert_return_code(shim_connect(f->address, &f->client, &f->err), 0);
}

/* The shim is to end by itself. */
static inline void fixture_wait_end(struct fixture *f)
{
	int status;

	f->client = shim_close(f->client);
	assert_return_code(process_wait(f->shim_pidfd, &status), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(access(f->socket, F_OK), -1);
	close(f->shim_pidfd);
	f->shim_pidfd = -1;
}

static inline void fixture_stop(struct fixture *f)
{
	int status;

	shim_close(f->client);
	if (f->shim_pidfd >= 0) {
		process_pidfd_signal(f->shim_pidfd, SIGKILL);
		process_wait(f->shim_pidfd, &status);
		close(f->shim_pidfd);
	}
	/* What its containers left running is in its process group. */
	kill(-f->shim_pid, SIGKILL);
	if (f->events_pid) {
		kill(f->events_pid, SIGKILL);
		waitpid(f->events_pid, &status, 0);
	}
	/* Nobody tells when they have died; until then they may make a file. */
	for (int i = 0; i < POLLS && tree_remove(AT_FDCWD, f->dir, NULL) < 0; i++)
		usleep(POLL_US);
	assert_int_equal(access(f->dir, F_OK), -1);
}

/* Makes or replaces a file of the bundle. */
static inline void fixture_write(const struct fixture *f, const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->bundle, name);
	assert_return_code(file_replace(AT_FDCWD, path, text, strlen(text), 0600, false, NULL), 0);
}

static inline void fixture_unlink(const struct fixture *f, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->bundle, name);
	assert_return_code(unlink(path), errno);
}

/* A file of the bundle, "" when it does not exist; owned by the caller. */
static inline char *fixture_read(const struct fixture *f, const char *name)
{
	char path[200], *text;

	snprintf(path, sizeof(path), "%s/%s", f->bundle, name);
	if (file_read(AT_FDCWD, path, 1 << 20, &text, NULL, NULL) < 0)
		text = strdup("");
	return text;
}

static inline void assert_file(const struct fixture *f, const char *name, const char *expected)
{
	char *text = fixture_read(f, name);

	assert_string_equal(text, expected);
	free(text);
}

/* A Create as containerd sends it, without options of ours. */
static inline int create_durable(struct fixture *f, const char *id, const char *stdout_path)
{
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	_cleanup_proto_ Task__PidResponse *response = NULL;

	request.id = proto_string(id);
	request.bundle = f->bundle;
	request.stdout = proto_string(stdout_path);
	return shim_call(f->client, "Create", &request, &task__pid_response__descriptor, &response,
			 &f->err);
}

/* A container of ctr's, "c": with log, exit file and all else that outlives its shim. It runs. */
static inline void create_own(struct fixture *f, const char *script,
			      const struct shim_policy *policy)
{
	char log[160], exit[160];
	struct shim_create_options o = {
		.id = "c",
		.bundle = f->bundle,
		.log_path = log,
		.exit_path = exit,
		.engine_root = f->bundle,
		.engine_runroot = f->bundle,
		.io_dir = f->bundle,
		.policy = *policy,
	};

	fixture_write(f, "script", script);
	snprintf(log, sizeof(log), "%s/log", f->bundle);
	snprintf(exit, sizeof(exit), "%s/exit.json", f->bundle);
	assert_return_code(shim_create(f->client, &o, NULL, &f->err), 0);
	assert_return_code(shim_start(f->client, "c", NULL, NULL, &f->err), 0);
}

static inline void wait_exit(struct fixture *f, const char *id, const char *exec_id,
			     uint32_t expected)
{
	struct shim_exit exit;

	assert_return_code(shim_wait_begin(f->client, id, exec_id, &f->err), 0);
	assert_return_code(shim_wait_finish(f->client, &exit, &f->err), 0);
	assert_int_equal(exit.status, expected);
	assert_true(exit.exited_ns > 0);
}
