/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program itself with real containers of busybox, through client.h. Needs root, a static
 * busybox and the shim beside this test; skips otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/skip.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "runtime/shim/client.h"
#include "runtime/shim/client_call.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"

/* %1$s is the cgroup's name, %2$s the terminal, %3$s the command as JSON, %4$s a memory
 * limit, %5$s hooks with a comma. */
static const char config_form[] =
	"{\"ociVersion\":\"1.0.2\",%5$s\"process\":{\"terminal\":%2$s,\"user\":{\"uid\":0,\"gid\":0},"
	"\"args\":[\"/bin/busybox\",\"sh\",\"-c\",%3$s],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"},"
	"\"root\":{\"path\":\"rootfs\"},\"hostname\":\"shim\",\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"mode=755\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	"\"options\":[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}],"
	"\"linux\":{\"cgroupsPath\":\"/cellar/%1$s\",\"resources\":{\"memory\":{\"limit\":%4$s}},"
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},"
	"{\"type\":\"uts\"},{\"type\":\"network\"}]}}";

#define EXEC_JSON                                                                   \
	"{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/bin/busybox\",\"sh\",\"-c\"," \
	"\"hostname; cat; exit 5\"],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"}"

struct world {
	char dir[64], bundle[80], sockets[80], root[80], out[96], in[96], log[96], exit[96];
	char id[64], binary[4096], hooks[1024];
	char *address;
	struct shim_client *client;
	struct err err;
};

static struct world w;

static int group_setup(void **state)
{
	char *slash;
	ssize_t n = readlink("/proc/self/exe", w.binary, sizeof(w.binary) - 64);

	(void)state;
	if (n < 0)
		return -1;
	w.binary[n] = '\0';
	slash = strrchr(w.binary, '/');
	strcpy(slash, "/containerd-shim-cellar-v2");
	return 0;
}

static void join(char *buf, size_t size, const char *name)
{
	assert_return_code(path_join(buf, size, w.dir, name, NULL), 0);
}

static int setup(void **state)
{
	static int number;
	char path[256];

	(void)state;
	w.hooks[0] = '\0';
	strcpy(w.dir, "/tmp/cellar-shimc-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	/* The container's id names its cgroup, so it is unique on the machine. */
	snprintf(w.id, sizeof(w.id), "test-%d-%d", getpid(), number++);
	join(w.bundle, sizeof(w.bundle), "b");
	join(w.sockets, sizeof(w.sockets), "s");
	join(w.root, sizeof(w.root), "root");
	join(w.out, sizeof(w.out), "out");
	join(w.in, sizeof(w.in), "in");
	join(w.log, sizeof(w.log), "log");
	join(w.exit, sizeof(w.exit), "exit.json");
	assert_return_code(mkfifo(w.out, 0600), errno);
	assert_return_code(mkfifo(w.in, 0600), errno);
	snprintf(path, sizeof(path), "%s/lower/bin", w.dir);
	assert_return_code(dir_create(AT_FDCWD, path, 0755, &w.err), 0);
	snprintf(path, sizeof(path), "%s/lower/proc", w.dir);
	assert_return_code(mkdir(path, 0755), errno);
	snprintf(path, sizeof(path), "%s/lower/dev", w.dir);
	assert_return_code(mkdir(path, 0755), errno);
	assert_return_code(mkdir(w.bundle, 0755), errno);
	return 0;
}

static void copy_busybox(void)
{
	static const char *const names[] = { "cat", "echo", "hostname", "sleep", "stty", "tty" };
	_cleanup_free_ char *data = NULL;
	char path[256];
	size_t len;

	assert_return_code(file_read(AT_FDCWD, "/bin/busybox", 16 << 20, &data, &len, &w.err), 0);
	snprintf(path, sizeof(path), "%s/lower/bin/busybox", w.dir);
	assert_return_code(file_replace(AT_FDCWD, path, data, len, 0755, false, &w.err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/lower/bin/%s", w.dir, names[i]);
		assert_return_code(symlink("busybox", path), errno);
	}
}

static void write_config(const char *command_json, bool terminal, const char *memory)
{
	char *config, path[256];

	if (geteuid() != 0 || access(w.binary, X_OK) < 0 || access("/bin/busybox", X_OK) < 0)
		skip_because("needs root, busybox-static and the built shim");
	copy_busybox();
	snprintf(path, sizeof(path), "%s/config.json", w.bundle);
	assert_true(asprintf(&config, config_form, w.id, terminal ? "true" : "false", command_json,
			     memory, w.hooks) > 0);
	assert_return_code(
		file_replace(AT_FDCWD, path, config, strlen(config), 0600, false, &w.err), 0);
	free(config);
}

static void start_shim(void)
{
	struct shim_start_options start = { .binary = w.binary,
					    .namespace_ = "test",
					    .id = w.id,
					    .bundle = w.bundle,
					    .socket_dir = w.sockets };

	if (shim_start_process(&start, &w.address, &w.err) < 0 ||
	    shim_connect(w.address, &w.client, &w.err) < 0)
		fail_msg("%s", w.err.text);
}

/* Starts a shim and creates the container on a bind mount of the folder `lower`. */
static void create(const char *command_json, bool terminal, const char *memory,
		   struct shim_create_options *options)
{
	static const char *const bind[] = { "rbind", NULL };
	char lower[256];
	struct shim_mount rootfs = { .type = "bind", .source = lower, .options = bind };

	write_config(command_json, terminal, memory);
	snprintf(lower, sizeof(lower), "%s/lower", w.dir);
	options->id = w.id;
	options->bundle = w.bundle;
	options->runtime_root = w.root;
	options->terminal = terminal;
	options->rootfs = &rootfs;
	options->rootfs_count = 1;
	start_shim();
	if (shim_create(w.client, options, NULL, &w.err) < 0)
		fail_msg("%s", w.err.text);
}

static void start(void)
{
	if (shim_start(w.client, w.id, NULL, NULL, &w.err) < 0)
		fail_msg("%s", w.err.text);
}

static struct shim_exit wait_exit(const char *exec_id)
{
	struct shim_exit exit;

	if (shim_wait_begin(w.client, w.id, exec_id, &w.err) < 0 ||
	    shim_wait_finish(w.client, &exit, &w.err) < 0)
		fail_msg("%s", w.err.text);
	return exit;
}

/* Nothing may be left: the shim with its socket, mounts, cgroup, state. */
static int teardown(void **state)
{
	char path[256];
	int r;

	(void)state;
	free(take_ptr(w.address));
	if (w.client) {
		shim_kill(w.client, w.id, NULL, SIGKILL, true, NULL);
		wait_exit(NULL);
		w.client = shim_close(w.client);
		/* The socket goes with the shim; nothing tells the end but that. */
		for (int i = 0; i < 6000 && rmdir(w.sockets) < 0; i++)
			usleep(10000);
		assert_int_equal(access(w.sockets, F_OK), -1);
	}
	snprintf(path, sizeof(path), "/sys/fs/cgroup/memory/cellar/%s", w.id);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/cellar/%s", w.id);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/%s", w.root, w.id);
	assert_int_equal(access(path, F_OK), -1);
	r = tree_remove(AT_FDCWD, w.dir, &w.err); /* fails where something is mounted */
	if (r < 0)
		print_error("%s\n", w.err.text);
	return r;
}

static int open_reader(void)
{
	int fd = open(w.out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	assert_return_code(fd, errno);
	assert_return_code(fcntl(fd, F_SETFL, 0), errno);
	return fd;
}

static void assert_output(int fd, const char *expected)
{
	char *text;

	assert_return_code(fd_read_all(fd, 1 << 20, &text, NULL, NULL), 0);
	close(fd);
	assert_string_equal(text, expected);
	free(text);
}

static void test_runs_logs_and_leaves_nothing(void **state)
{
	struct shim_create_options o = { .log_path = w.log, .stdout_path = w.out };
	int out = open_reader();
	struct shim_state st;
	char *text;

	(void)state;
	o.exit_path = w.exit;
	create("\"echo $$ $(hostname); exit 42\"", false, "67108864", &o);
	assert_return_code(shim_state(w.client, w.id, NULL, &st, &w.err), 0);
	assert_int_equal(st.status, SHIM_CREATED);
	start();
	assert_int_equal(wait_exit(NULL).status, 42);
	assert_output(out, "1 shim\n");
	assert_return_code(file_read(AT_FDCWD, w.log, 65536, &text, NULL, &w.err), 0);
	assert_non_null(strstr(text, " stdout F 1 shim\n"));
	free(text);
	assert_return_code(file_read(AT_FDCWD, w.exit, 65536, &text, NULL, &w.err), 0);
	assert_non_null(strstr(text, "\"exit_code\":42,\"oom_killed\":false"));
	free(text);
}

static void test_exec_with_stdin(void **state)
{
	struct shim_create_options o = { .exit_path = w.exit };
	struct shim_stats stats;
	int out, in;

	(void)state;
	create("\"exec sleep 1000\"", false, "67108864", &o);
	start();
	out = open_reader();
	if (shim_exec(w.client,
		      &(struct shim_exec_options){ .id = w.id,
						   .exec_id = "e",
						   .stdin_path = w.in,
						   .stdout_path = w.out,
						   .process_json = EXEC_JSON },
		      &w.err) < 0 ||
	    shim_start(w.client, w.id, "e", NULL, &w.err) < 0)
		fail_msg("%s", w.err.text);
	in = open(w.in, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(in, "hello\n", 6), 6);
	close(in);
	assert_int_equal(wait_exit("e").status, 5);
	assert_output(out, "shim\nhello\n");
	assert_return_code(shim_delete(w.client, w.id, "e", NULL, &w.err), 0);
	assert_return_code(shim_stats(w.client, w.id, &stats, &w.err), 0);
	assert_int_equal(stats.memory_limit_bytes, 67108864);
	assert_true(stats.pids_current >= 1);
	assert_return_code(shim_kill(w.client, w.id, NULL, SIGKILL, false, &w.err), 0);
	assert_int_equal(wait_exit(NULL).status, 137);
}

static void test_terminal(void **state)
{
	struct shim_create_options o = { .exit_path = w.exit,
					 .stdout_path = w.out,
					 .stdin_path = w.in };
	int out = open_reader(), in;

	(void)state;
	create("\"read x; stty size; tty; exit 3\"", true, "67108864", &o);
	in = open(w.in, O_WRONLY | O_CLOEXEC);
	start();
	assert_return_code(shim_resize(w.client, w.id, NULL, 100, 30, &w.err), 0);
	assert_int_equal(write(in, "go\n", 3), 3);
	assert_int_equal(wait_exit(NULL).status, 3);
	assert_output(out, "go\r\n30 100\r\n/dev/pts/0\r\n");
	close(in);
}

static void test_program_that_is_not_there(void **state)
{
	struct shim_create_options o = { .exit_path = w.exit };
	char path[256], *text, *at;

	(void)state;
	create("\"exit 0\"", false, "67108864", &o);
	/* The container exists; its program goes before it starts. */
	snprintf(path, sizeof(path), "%s/lower/bin/busybox", w.dir);
	assert_return_code(unlink(path), errno);
	assert_int_equal(shim_start(w.client, w.id, NULL, NULL, &w.err), -ENOENT);
	assert_int_equal(wait_exit(NULL).status, 127);
	assert_return_code(file_read(AT_FDCWD, w.exit, 65536, &text, NULL, &w.err), 0);
	at = strstr(text, "\"exit_code\":127");
	free(text);
	assert_non_null(at);
}

static void test_out_of_memory_is_told(void **state)
{
	struct shim_create_options o = { .exit_path = w.exit };
	struct shim_exit exit;

	(void)state;
	create("\"x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done\"", false, "8388608", &o);
	start();
	exit = wait_exit(NULL);
	assert_int_equal(exit.status, 137);
	assert_true(exit.oom_killed);
}

/* Each hook notes its name, and waits for a file of its name in the test's folder. */
#define HOOK(name)                                                                 \
	"\"" name "\":[{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"echo " name \
	" >>%1$s/ran; until [ -e %1$s/" name " ]; do sleep 0.01; done\"]}]"

static void let_go(const char *hook)
{
	char path[256];

	join(path, sizeof(path), hook);
	assert_return_code(file_replace(AT_FDCWD, path, "", 0, 0600, false, &w.err), 0);
}

static void await_hooks(const char *expected)
{
	char path[256], *text = NULL;

	join(path, sizeof(path), "ran");
	for (int i = 0; i < 6000; i++) {
		free(text);
		text = NULL;
		if (file_read(AT_FDCWD, path, 4096, &text, NULL, NULL) == 0 &&
		    strcmp(text, expected) == 0)
			break;
		usleep(10000);
	}
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

/* A call that waits for a hook; somebody else is served meanwhile. */
static void call_meanwhile(const char *method, const void *request, const char *hook,
			   const char *ran, int status)
{
	struct shim_client *caller = w.client;
	struct shim_state seen;
	int r;

	assert_return_code(shim_call_begin(caller, method, request, 0, &w.err), 0);
	await_hooks(ran);
	assert_return_code(shim_connect(w.address, &w.client, &w.err), 0);
	r = shim_state(w.client, w.id, NULL, &seen, &w.err);
	assert_int_equal(status < 0 ? r : (int)seen.status, status);
	let_go(hook);
	if (shim_call_finish(caller, NULL, NULL, &w.err) < 0)
		fail_msg("%s: %s", method, w.err.text);
	shim_close(caller);
}

static void test_others_are_served_while_hooks_run(void **state)
{
	Task__CreateRequest create = TASK__CREATE_REQUEST__INIT;
	Task__ProcessRequest process = TASK__PROCESS_REQUEST__INIT;
	Task__Mount mount = TASK__MOUNT__INIT, *mounts[] = { &mount };
	char lower[256], *options[] = { (char *)"rbind" };

	(void)state;
	snprintf(
		w.hooks, sizeof(w.hooks),
		"\"hooks\":{" HOOK("createRuntime") "," HOOK("poststart") "," HOOK("poststop") "},",
		w.dir);
	write_config("\"exit 7\"", false, "67108864");
	start_shim();
	snprintf(lower, sizeof(lower), "%s/lower", w.dir);
	mount.type = (char *)"bind";
	mount.source = lower;
	mount.options = options;
	mount.n_options = 1;
	create.id = process.id = w.id;
	create.bundle = w.bundle;
	create.rootfs = mounts;
	create.n_rootfs = 1;
	call_meanwhile("Create", &create, "createRuntime", "createRuntime\n", -ENOENT);
	/* It ends at once, which is told once Start is answered. */
	call_meanwhile("Start", &process, "poststart", "createRuntime\npoststart\n", SHIM_CREATED);
	assert_int_equal(wait_exit(NULL).status, 7);
	call_meanwhile("Delete", &process, "poststop", "createRuntime\npoststart\npoststop\n",
		       SHIM_STOPPED);
	assert_return_code(shim_shutdown(w.client, w.id, &w.err), 0);
	w.client = shim_close(w.client);
	for (int i = 0; i < 6000 && rmdir(w.sockets) < 0; i++)
		usleep(10000);
}

static void test_hook_that_fails_leaves_nothing(void **state)
{
	struct shim_create_options o = { .exit_path = w.exit };
	static const char *const bind[] = { "rbind", NULL };
	char lower[256];
	struct shim_mount rootfs = { .type = "bind", .source = lower, .options = bind };

	(void)state;
	strcpy(w.hooks, "\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/sh\",\"args\":"
			"[\"sh\",\"-c\",\"echo no luck >&2; exit 3\"]}]},");
	write_config("\"exit 7\"", false, "67108864");
	start_shim();
	snprintf(lower, sizeof(lower), "%s/lower", w.dir);
	o.id = w.id;
	o.bundle = w.bundle;
	o.runtime_root = w.root;
	o.rootfs = &rootfs;
	o.rootfs_count = 1;
	assert_int_equal(shim_create(w.client, &o, NULL, &w.err), -EIO);
	assert_string_equal(w.err.text,
			    "error running createRuntime hook #0: /bin/sh: exit status 3: no luck");
	w.client = shim_close(w.client);
	for (int i = 0; i < 6000 && rmdir(w.sockets) < 0; i++)
		usleep(10000);
	assert_int_equal(access(w.sockets, F_OK), -1);
}

/* By its timeout; with $CELLAR_TEST_FULL it has none, and gets a minute. */
static void test_hook_that_hangs_is_ended(void **state)
{
	const char *full = getenv("CELLAR_TEST_FULL");
	struct shim_create_options o = { 0 };

	(void)state;
	snprintf(w.hooks, sizeof(w.hooks),
		 "\"hooks\":{\"poststop\":[{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\","
		 "\"exec sleep 100000\"]%s}]},",
		 full && *full ? "" : ",\"timeout\":1");
	create("\"exit 7\"", false, "67108864", &o);
	start();
	assert_int_equal(wait_exit(NULL).status, 7);
	if (shim_delete(w.client, w.id, NULL, NULL, &w.err) < 0)
		fail_msg("%s", w.err.text);
	assert_int_equal(shim_delete(w.client, w.id, NULL, NULL, &w.err), -ENOENT);
	assert_return_code(shim_shutdown(w.client, w.id, &w.err), 0);
	w.client = shim_close(w.client);
	for (int i = 0; i < 6000 && rmdir(w.sockets) < 0; i++)
		usleep(10000);
}

/* ---- checkpoint and restore ---- */

/* A criu that works here, or NULL. */
static const char *find_criu(void)
{
	const char *program = getenv("CELLAR_TEST_CRIU");
	int pidfd, status = 1;
	pid_t pid;

	program = program && *program ? program : "/usr/sbin/criu";
	if (access(program, X_OK) < 0)
		return NULL;
	pid = process_clone(0, -1, &pidfd);
	if (pid == 0) {
		dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDOUT_FILENO);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execl(program, program, "check", NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	process_wait(pidfd, &status);
	close(pidfd);
	return status == 0 ? program : NULL;
}

static long counted(void)
{
	_cleanup_free_ char *text = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s/lower/count", w.dir);
	return file_read(AT_FDCWD, path, 64, &text, NULL, NULL) < 0 ? 0 : atol(text);
}

static void await_count(long beyond)
{
	for (int i = 0; i < 6000 && counted() <= beyond; i++)
		usleep(10000);
	assert_true(counted() > beyond);
}

static void call(const char *method, const void *request)
{
	if (shim_call(w.client, method, request, NULL, NULL, &w.err) < 0)
		fail_msg("%s: %s", method, w.err.text);
}

static void test_checkpoint_is_restored_at_start(void **state)
{
	Task__CreateRequest create = TASK__CREATE_REQUEST__INIT;
	Task__CheckpointRequest checkpoint = TASK__CHECKPOINT_REQUEST__INIT;
	Task__ProcessRequest process = TASK__PROCESS_REQUEST__INIT;
	Options__RuncCheckpoint how = OPTIONS__RUNC_CHECKPOINT__INIT;
	Options__Runc runc = OPTIONS__RUNC__INIT;
	Task__Mount mount = TASK__MOUNT__INIT, *mounts[] = { &mount };
	char lower[256], images[256], *options[] = { (char *)"rbind" };
	const char *criu = geteuid() == 0 ? find_criu() : NULL;
	struct shim_state seen;
	Pb__Any create_options, checkpoint_options;
	long before;

	(void)state;
	if (!criu)
		skip_because("needs a criu that works on this kernel");
	write_config(
		"\"n=0; while :; do n=$((n+1)); echo $n >/c; busybox mv /c /count; busybox sleep 0.1; done\"",
		false, "67108864");
	start_shim();
	snprintf(lower, sizeof(lower), "%s/lower", w.dir);
	snprintf(images, sizeof(images), "%s/images", w.dir);
	runc.criu_path = proto_string(criu);
	how.exit = true;
	assert_return_code(proto_pack_any(&runc, "containerd.runc.v1.Options", &create_options), 0);
	assert_return_code(
		proto_pack_any(&how, "containerd.runc.v1.CheckpointOptions", &checkpoint_options),
		0);
	mount.type = (char *)"bind";
	mount.source = lower;
	mount.options = options;
	mount.n_options = 1;
	create.id = process.id = checkpoint.id = w.id;
	create.bundle = w.bundle;
	create.rootfs = mounts;
	create.n_rootfs = 1;
	create.options = &create_options;
	call("Create", &create);
	call("Start", &process);
	await_count(3);
	checkpoint.path = images;
	checkpoint.options = &checkpoint_options;
	call("Checkpoint", &checkpoint);
	assert_int_equal(wait_exit(NULL).status, 137);
	call("Delete", &process);
	before = counted();
	create.checkpoint = images;
	call("Create", &create);
	assert_return_code(shim_state(w.client, w.id, NULL, &seen, &w.err), 0);
	assert_int_equal(seen.status, SHIM_CREATED);
	call("Start", &process);
	await_count(before + 3);
	assert_true(counted() < before + 1000); /* from where it was */
	assert_return_code(shim_state(w.client, w.id, NULL, &seen, &w.err), 0);
	assert_int_equal(seen.status, SHIM_RUNNING);
	assert_return_code(shim_kill(w.client, w.id, NULL, SIGKILL, true, &w.err), 0);
	assert_int_equal(wait_exit(NULL).status, 137);
	call("Delete", &process);
	assert_return_code(shim_shutdown(w.client, w.id, &w.err), 0);
	w.client = shim_close(w.client);
	for (int i = 0; i < 6000 && rmdir(w.sockets) < 0; i++)
		usleep(10000);
	free(create_options.value.data);
	free(checkpoint_options.value.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runs_logs_and_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_with_stdin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_program_that_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_memory_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_are_served_while_hooks_run, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_hook_that_fails_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_hook_that_hangs_is_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checkpoint_is_restored_at_start, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
