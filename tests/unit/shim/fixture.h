/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole shim in a child process, over a backend whose containers are plain shell processes
 * (fake_backend.h). So the Task API, stdio and the end of things are tested with real processes,
 * but without root and namespaces.
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

#include "tests/unit/shim/fake_backend.h"
#include "base/fd.h"
#include "base/process.h"
#include "runtime/container.h"
#include "runtime/shim/client.h"
#include "runtime/shim/client_call.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/shim.h"
#include "spec/oci_config.h"
#include "tests/unit/scratch.h"

/* Of what tells nobody: looked at every 10 ms for a minute, for the machine may be busy. */
#define POLL_US 10000
#define POLLS 6000

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
					.engine = &fake_engine,
					.leave_ns = INT64_C(3600000000000),
					.flush_events_ms = 60000 };
	char path[200];
	int fd, unused;

	memset(f, 0, sizeof(*f));
	assert_return_code(scratch_make("shim", f->dir, sizeof(f->dir)), errno);
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
