/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a shim that holds a container: the input is a list of (method, length, message), each
 * of which becomes a well-formed frame, so that what lies behind the parser of frames is reached in
 * every order. The container is named "c" and is a backend that does nothing; a method beyond the
 * table ends one of its processes instead.
 * LINK: shim
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/shim/end.h"
#include "runtime/shim/flat_toml.h"
#include "runtime/shim/settle.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/ttrpc.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TASK "containerd.task.v3.Task"
#define OWN "cellar.shim.v1.Supervisor"
#define LAST_STREAM 0x7fffffff

static const struct {
	const char *service, *method;
} methods[] = {
	{ TASK, "CloseIO" },	{ TASK, "Connect" }, { TASK, "Create" },   { TASK, "Delete" },
	{ TASK, "Exec" },	{ TASK, "Kill" },    { TASK, "Pause" },	   { TASK, "Pids" },
	{ TASK, "ResizePty" },	{ TASK, "Resume" },  { TASK, "Shutdown" }, { TASK, "Start" },
	{ TASK, "State" },	{ TASK, "Stats" },   { TASK, "Update" },   { TASK, "Wait" },
	{ TASK, "Checkpoint" }, { OWN, "Attach" },   { OWN, "Deadline" },  { OWN, "Restart" },
};

/* See fuzz_ttrpc.c: requests may name files and programs. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
			       setresuid(65534, 65534, 65534) < 0))
		abort();
	return 0;
}

static void allow_processes(bool allow)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NPROC, &limit) < 0)
		abort();
	limit.rlim_cur = allow ? limit.rlim_max : 0;
	if (setrlimit(RLIMIT_NPROC, &limit) < 0)
		abort();
}

/* ---- a container that is nothing; pids beyond what the kernel gives ---- */

#define NO_PID (1 << 28)

static int no_create(const struct backend_create *options, void **ret_handle,
		     struct backend_process *ret, struct err *err)
{
	(void)options;
	(void)err;
	*ret_handle = malloc(1);
	*ret = (struct backend_process){ NO_PID, -1, -1, false };
	return 0;
}

static int no_start(void *handle, struct err *err)
{
	(void)handle;
	(void)err;
	return 0;
}

static int no_exec(void *handle, const struct backend_exec *o, struct backend_process *ret,
		   struct err *err)
{
	static pid_t next;

	(void)handle;
	if (o->process_len % 8 == 7)
		return err_say(err, ENOENT, "not this one");
	*ret = (struct backend_process){ NO_PID + 1 + next++ % 1000, -1, -1, true };
	return 0;
}

static int no_kill(void *handle, int signal, bool all, struct err *err)
{
	(void)handle;
	(void)all;
	return signal == 1 ? err_say(err, ESRCH, "no such process") : 0;
}

static int no_freeze(void *handle, bool frozen, struct err *err)
{
	(void)handle;
	(void)frozen;
	(void)err;
	return 0;
}

static int no_update(void *handle, const char *json, size_t len, struct err *err)
{
	(void)handle;
	return len && json[len - 1] == '}' ? 0 : err_say(err, EINVAL, "no object");
}

static bool no_namespace(void *handle)
{
	(void)handle;
	return false;
}

static int no_stats(void *handle, struct backend_stats *ret, struct err *err)
{
	(void)handle;
	(void)err;
	*ret = (struct backend_stats){ .v2 = true, .oom_kills = 1 };
	return 0;
}

static int no_pids(void *handle, pid_t **ret, size_t *ret_count, struct err *err)
{
	(void)handle;
	(void)err;
	*ret = calloc(2, sizeof(pid_t));
	(*ret)[0] = NO_PID;
	(*ret)[1] = NO_PID + 1;
	*ret_count = 2;
	return 0;
}

static int no_destroy(void *handle, const char *bundle, bool hooks, struct err *err)
{
	(void)bundle;
	(void)hooks;
	(void)err;
	free(handle);
	return 0;
}

static int no_mount(const char *bundle, const struct rootfs_mount *mounts, size_t count,
		    struct err *err)
{
	(void)bundle;
	(void)mounts;
	return count > 3 ? err_say(err, EPERM, "too many") : 0;
}

static int no_unmount(const char *bundle, struct err *err)
{
	(void)bundle;
	(void)err;
	return 0;
}

static int no_checkpoint(void *handle, const struct container_criu_options *o, struct err *err)
{
	(void)handle;
	(void)o;
	return err_say(err, ENOSYS, "no checkpoint");
}

static int no_adopt(const struct backend_create *o, void **ret_handle, struct backend_process *ret,
		    struct err *err)
{
	(void)o;
	(void)ret_handle;
	(void)ret;
	return err_say(err, ENOENT, "there is none");
}

static void no_forget(void *handle)
{
	(void)handle;
}

static const struct backend_ops backend = {
	.adopt = no_adopt,
	.forget = no_forget,
	.checkpoint = no_checkpoint,
	.create = no_create,
	.start = no_start,
	.exec = no_exec,
	.kill = no_kill,
	.freeze = no_freeze,
	.update = no_update,
	.has_pid_namespace = no_namespace,
	.stats = no_stats,
	.pids = no_pids,
	.destroy = no_destroy,
	.mount = no_mount,
	.unmount = no_unmount,
};
static const struct shim_options options = { .namespace_ = "fuzz", .backend = &backend };

/* ---- one input ---- */

struct run {
	struct shim shim;
	struct loop *loop;
	struct loop_source *source;
	int client;
	uint32_t stream;
	struct strbuf in;
	bool finished;
};

static void send_request(struct run *run, const char *service, const char *method, uint32_t stream,
			 const uint8_t *data, size_t len)
{
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	struct ttrpc_header header = { .stream = stream, .type = TTRPC_REQUEST };
	uint8_t head[TTRPC_HEADER_SIZE];
	struct strbuf frame = { 0 };

	request.service = proto_string(service);
	request.method = proto_string(method);
	request.payload.data = (uint8_t *)(uintptr_t)data;
	request.payload.len = len;
	proto_pack(&request, &frame);
	header.length = (uint32_t)frame.len;
	ttrpc_header_format(&header, head);
	/* What does not fit into the socket is cut off, and drops the connection. */
	if (send(run->client, head, sizeof(head), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ||
	    send(run->client, frame.data, frame.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		run->finished = true;
	strbuf_deinit(&frame);
}

static void end_a_process(struct run *run, unsigned which)
{
	struct task *task = run->shim.tasks;
	struct process *p = task ? &task->init : NULL;

	for (unsigned i = 0; p && i < which % 4; i++)
		p = p == &task->init ? task->execs : p->next;
	if (p && p->pid && p->status == PROCESS_RUNNING) {
		reaper_forget(run->shim.reaper, p->pid);
		process_end(p, which);
	}
}

/* Reads answers until the last one. */
static int on_client(void *data, uint32_t events)
{
	struct run *run = data;
	char buf[4096];
	ssize_t n = recv(run->client, buf, sizeof(buf), MSG_DONTWAIT);

	(void)events;
	if (n > 0)
		strbuf_add(&run->in, buf, (size_t)n);
	while (run->in.len >= TTRPC_HEADER_SIZE) {
		struct ttrpc_header header;
		size_t whole;

		ttrpc_header_parse(run->in.data, &header);
		whole = TTRPC_HEADER_SIZE + header.length;
		if (run->in.len < whole)
			break;
		if (header.stream == run->stream)
			loop_quit(run->loop, 0);
		memmove(run->in.data, run->in.data + whole, run->in.len - whole);
		run->in.len -= whole;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		run->finished = true;
		loop_quit(run->loop, 0);
	}
	return 0;
}

static int on_time(void *data)
{
	loop_quit(data, 0);
	return 0;
}

/* Until all that was sent is answered: a Connect is the last of it. */
static void settle(struct run *run)
{
	struct loop_source *timer = NULL;

	run->stream += 2;
	send_request(run, TASK, "Connect", run->stream, NULL, 0);
	loop_add_time(run->loop, clock_monotonic_ns() + 2000000000, on_time, run->loop, &timer,
		      NULL);
	if (!run->finished)
		loop_run(run->loop, NULL);
}

static void play(struct run *run, const uint8_t *data, size_t size)
{
	while (size >= 3 && !run->finished) {
		unsigned method = data[0];
		size_t len = (size_t)data[1] | (size_t)data[2] << 8;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (method >= ARRAY_SIZE(methods)) {
			settle(run);
			end_a_process(run, method);
			continue;
		}
		run->stream += 2;
		send_request(run, methods[method].service, methods[method].method, run->stream,
			     data, len);
		data += len;
		size -= len;
	}
	settle(run);
}

static void make_container(struct run *run)
{
	Task__CreateRequest create = TASK__CREATE_REQUEST__INIT;
	Task__ProcessRequest start = TASK__PROCESS_REQUEST__INIT;
	struct strbuf text = { 0 };

	create.id = start.id = proto_string("c");
	create.bundle = proto_string(getenv("TMPDIR") ?: "/tmp");
	proto_pack(&create, &text);
	send_request(run, TASK, "Create", 1, (uint8_t *)text.data, text.len);
	strbuf_deinit(&text);
	text = (struct strbuf){ 0 };
	proto_pack(&start, &text);
	send_request(run, TASK, "Start", 3, (uint8_t *)text.data, text.len);
	strbuf_deinit(&text);
	run->stream = 3;
	settle(run);
	if (!run->shim.tasks || run->shim.tasks->init.status != PROCESS_RUNNING)
		abort();
}

/* Options may come as text. */
static int on_pair(void *data, const char *key, const struct toml_value *value, struct err *err)
{
	size_t *sum = data;

	(void)err;
	*sum += strlen(key) + (value->type == TOML_STRING ? strlen(value->string) : 1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = { 0 };
	size_t sum = 0;
	char path[64];
	int listener;

	toml_each((const char *)data, size, on_pair, &sum, NULL);
	if (sum > 4 * size)
		abort();
	allow_processes(false);
	snprintf(path, sizeof(path), "%s/task-%d", getenv("TMPDIR") ?: "/tmp", getpid());
	unlink(path);
	listener = ttrpc_listen(path, NULL);
	if (listener < 0 || loop_new(&run.loop, NULL) < 0)
		abort();
	if (shim_init(&run.shim, run.loop, &options, listener, NULL) < 0)
		abort();
	run.client = ttrpc_connect(path, true, NULL);
	if (run.client < 0 ||
	    loop_add_fd(run.loop, run.client, EPOLLIN, on_client, &run, &run.source, NULL) < 0)
		abort();
	make_container(&run);
	play(&run, data, size);
	loop_remove(run.source);
	close(run.client);
	/* Handles are the backend's: what is left over goes as Delete would have it. */
	for (struct task *task = run.shim.tasks; task; task = task->next)
		task_destroy_container(task, NULL);
	shim_deinit(&run.shim);
	loop_free(run.loop);
	strbuf_deinit(&run.in);
	unlink(path);
	allow_processes(true);
	return 0;
}
