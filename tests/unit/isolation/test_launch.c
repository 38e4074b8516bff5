/* SPDX-License-Identifier: Apache-2.0 */
/* Real containers of busybox: what a plan asks for is what is seen from inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "tests/unit/skip.h"
#include "bench_rootfs.h"

static struct bench bench;

#define RUN(...) bench_run(&bench, &(struct spec){ __VA_ARGS__ })

/* Fails with what the container said. */
#define assert_ran(o, code)                                                                   \
	do {                                                                                  \
		if ((o).r < 0 || (o).exit_code != (code))                                     \
			fail_msg("%s; exit code %d; output: %s", (o).err.text, (o).exit_code, \
				 (o).out);                                                    \
	} while (0)

#define assert_says(o, text)                                             \
	do {                                                             \
		if (!strstr((o).out, text))                              \
			fail_msg("\"%s\" is not in: %s", text, (o).out); \
	} while (0)

#define assert_fails(o, c, t)                                                                     \
	do {                                                                                      \
		if ((o).r != -(c) || !strstr((o).err.text, t))                                    \
			fail_msg("%d \"%s\", not %d \"%s\"; output: %s", -(o).r, (o).err.text, c, \
				 t, (o).out);                                                     \
	} while (0)

static void is_pid_1_of_its_own_host(void **state)
{
	struct outcome o = RUN(.script = "echo $$ $(hostname); ip addr show lo; exit 42");

	(void)state;
	assert_ran(o, 42);
	assert_says(o, "1 cell\n");
	assert_says(o, "127.0.0.1/8");
}

static void has_no_descriptor_of_the_host(void **state)
{
	/* 0, 1, 2, and the folder that ls itself reads. */
	struct outcome o = RUN(.script = "ls /proc/self/fd | tr '\\\\n' ' '; readlink /proc/1/exe");

	(void)state;
	assert_ran(o, 0);
	assert_string_equal(o.out, "0 1 2 3 /bin/busybox\n");
}

static void starts_by_fifo(void **state)
{
	struct outcome o = RUN(.script = "id -u; exit 7", .by_fifo = true,
			       .process = "\"user\":{\"uid\":1000,\"gid\":1000}");

	(void)state;
	assert_int_equal(o.r, -EINVAL); /* the user stands twice */
	o = RUN(.script = "id -u; exit 7", .by_fifo = true);
	assert_ran(o, 7);
}

static void names_missing_programs(void **state)
{
	(void)state;
	assert_fails(RUN(.args = "[\"nope\"]"), ENOENT,
		     "exec: \"nope\": executable file not found in $PATH");
	assert_fails(RUN(.args = "[\"/nope\"]"), ENOENT,
		     "exec: \"/nope\": stat /nope: no such file or directory");
	assert_fails(RUN(.args = "[\"/bin\"]"), EACCES, "exec: \"/bin\": is a directory");
	assert_fails(RUN(.args = "[\"/proc/1/comm\"]"), EACCES, "permission denied");
}

static void names_failing_mounts(void **state)
{
	(void)state;
	assert_fails(RUN(.script = "true",
			 .mounts = "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":"
				   "[\"size=bad\"]}"),
		     EINVAL, "mount tmpfs at /m: ");
	assert_fails(RUN(.script = "true",
			 .mounts = "{\"destination\":\"/m\",\"source\":\"/no/such\",\"options\":"
				   "[\"bind\"]}"),
		     EIO, "bind /no/such at /m: No such file or directory");
	assert_fails(RUN(.script = "true", .mounts = "{\"destination\":\"/m\",\"type\":\"nofs\"}"),
		     ENODEV, "mount nofs at /m: this kernel has no such file system");
}

static void binds_with_options(void **state)
{
	struct outcome o =
		RUN(.script =
			    "grep -E ' /(e|f|new/deep) ' /proc/self/mountinfo; touch /e/x; cat /f",
		    .mounts =
			    "{\"destination\":\"/e\",\"source\":\"/etc\",\"options\":[\"rbind\",\"rro\","
			    "\"nosuid\",\"noexec\",\"rprivate\"]},{\"destination\":\"/new/deep\",\"source\":"
			    "\"/tmp\",\"options\":[\"bind\",\"noatime\"]},{\"destination\":\"/f\","
			    "\"source\":\"/etc/hostname\",\"options\":[\"bind\",\"ro\"]}");

	(void)state;
	assert_ran(o, 0);
	assert_says(o, "/etc /e ro,nosuid,noexec");
	assert_says(o, "/tmp /new/deep rw,noatime");
	assert_says(o, "/etc/hostname /f ro");
	assert_says(o, "touch: /e/x: Read-only file system");
}

static void stays_inside_a_hostile_root(void **state)
{
	char path[PATH_MAX];
	struct outcome o;

	(void)state;
	snprintf(path, sizeof(path), "%s/escape", bench.rootfs);
	assert_return_code(symlink("../../../../../../etc", path), errno);
	snprintf(path, sizeof(path), "%s/dangling", bench.rootfs);
	assert_return_code(symlink("/made/late", path), errno);
	snprintf(path, sizeof(path), "%s/into-proc", bench.rootfs);
	assert_return_code(symlink("/proc/self", path), errno);
	o = RUN(.script = "ls -d /etc/new /made/late/x; grep -c cellar-launch /proc/self/mountinfo",
		.mounts = "{\"destination\":\"/escape/new\",\"type\":\"tmpfs\"},"
			  "{\"destination\":\"/dangling/x\",\"type\":\"tmpfs\"}");
	assert_ran(o, 0);
	assert_says(o, "/etc/new\n/made/late/x\n");
	assert_int_equal(access("/etc/new", F_OK), -1);
	o = RUN(.script = "true",
		.mounts = "{\"destination\":\"/into-proc/attr\",\"type\":\"tmpfs\"}");
	assert_fails(o, EPERM, "leads into /proc of the container");
	o = RUN(.script = "true", .mounts = "{\"destination\":\"/proc/sys\",\"type\":\"tmpfs\"}");
	assert_fails(o, EINVAL, "may not lie inside /proc");
	snprintf(path, sizeof(path), "%s/sys", bench.rootfs);
	assert_return_code(symlink("etc", path), errno);
	o = RUN(.script = "true", .mounts = "{\"destination\":\"/sys\",\"type\":\"sysfs\"}");
	assert_fails(o, ENOTDIR, "must be a folder, not a symlink");
	unlink(path);
}

static void makes_devices_and_links(void **state)
{
	struct outcome o =
		RUN(.script =
			    "stat -c '%n %t:%T %a' /dev/null /dev/my/node; readlink /dev/ptmx; readlink /dev/fd; "
			    "head -c 4 /dev/zero | wc -c; grep ' /dev ' /proc/self/mountinfo",
		    .linux_ = "\"devices\":[{\"path\":\"/dev/my/node\",\"type\":\"c\",\"major\":1,"
			      "\"minor\":5,\"fileMode\":432,\"uid\":3,\"gid\":4}]");

	(void)state;
	assert_ran(o, 0);
	assert_says(o, "/dev/null 1:3 666\n/dev/my/node 1:5 660\n");
	assert_says(o, "pts/ptmx");
	assert_says(o, "4\n");
}

static void masks_and_write_protects(void **state)
{
	struct outcome o =
		RUN(.script =
			    "wc -c </proc/keys; ls /proc/acpi | wc -l; grep -E ' /proc/(sys|keys) ' "
			    "/proc/self/mountinfo; touch /x; echo 1 >/proc/sys/vm/drop_caches",
		    .linux_ = "\"maskedPaths\":[\"/proc/keys\",\"/proc/acpi\",\"/no/such\"],"
			      "\"readonlyPaths\":[\"/proc/sys\",\"/no/such\"]",
		    .root = "\"readonly\":true");

	(void)state;
	assert_int_equal(o.r, 0);
	assert_says(o, "0\n0\n");
	assert_says(o, "/null /proc/keys");
	assert_says(o, "/sys /proc/sys ro");
	assert_says(o, "touch: /x: Read-only file system");
	assert_says(o, "drop_caches: Read-only file system");
}

/* Targets have to be there: the root of a user namespace owns nothing in our root. */
static void make_folder(const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", bench.rootfs, path);
	assert_true(mkdir(whole, 0755) == 0 || errno == EEXIST);
}

static void maps_users(void **state)
{
	struct outcome o;

	(void)state;
	make_folder("secret");
	make_folder("sys");
	o = RUN(.script =
			"id -u; cat /proc/self/uid_map; echo x >/dev/null; stat -c %t:%T /dev/null; "
			"touch /mine; ls /secret; grep -c . /proc/self/cgroup",
		.namespaces =
			"{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":"
			"\"uts\"},{\"type\":\"network\"},{\"type\":\"user\"},{\"type\":\"cgroup\"}",
		.mounts =
			"{\"destination\":\"/secret\",\"source\":\"/root\",\"options\":[\"rbind\"]},"
			"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"options\":[\"ro\"]}",
		.linux_ = "\"uidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":1000}],"
			  "\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":1000}]");

	assert_int_equal(o.r, 0);
	assert_says(o, "0\n         0     200000       1000\n");
	assert_says(o, "1:3\n");
	assert_says(o, "ls: can't open '/secret': Permission denied");
}

static void maps_users_of_a_mount(void **state)
{
	struct outcome o;
	char mounts[256], path[128];

	(void)state;
	make_folder("data");
	snprintf(path, sizeof(path), "%s/data", bench.dir);
	assert_return_code(mkdir(path, 0700), errno);
	snprintf(
		mounts, sizeof(mounts),
		"{\"destination\":\"/data\",\"source\":\"data\",\"options\":[\"bind\",\"idmap\"]}");
	o = RUN(.script = "stat -c %u /data; touch /data/x", .mounts = mounts,
		.namespaces =
			"{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":"
			"\"user\"}",
		.process =
			"\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],\"permitted\":[\"CAP_CHOWN\"],"
			"\"effective\":[\"CAP_CHOWN\"]}",
		.linux_ = "\"uidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":1000}],"
			  "\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":1000}]");
	if (o.r == -EINVAL && strstr(o.err.text, "idmap ")) {
		skip_because("no id maps on this file system (an overlay has none)");
	}
	assert_ran(o, 0);
	assert_says(o, "0\n");
	snprintf(path, sizeof(path), "%s/data/x", bench.dir);
	assert_return_code(access(path, F_OK), errno);
}

static void gives_capabilities(void **state)
{
	struct outcome o =
		RUN(.script = "grep -E '^(Cap|NoNew|Groups|Uid)' /proc/self/status; umask",
		    .process =
			    "\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_CHOWN\","
			    "\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],"
			    "\"inheritable\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}");

	(void)state;
	assert_ran(o, 0);
	assert_says(o, "CapAmb:\t0000000000000020");
	assert_says(o, "CapBnd:\t0000000000000021");
	assert_says(o, "CapEff:\t0000000000000020");
	assert_says(o, "NoNewPrivs:\t1");
	assert_says(o, "Groups:\t \n");
	assert_says(o, "0022");
	o = RUN(.script = "grep CapEff /proc/self/status",
		.process = "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"]}");
	assert_ran(o, 0);
	assert_says(o, "CapEff:\t0000000000000021"); /* root gains what it is bounded by */
}

/* It has said something and is about to execute another program, whenever it gets to that. */
static void await_name(pid_t pid, const char *expected)
{
	char path[64], line[32];
	bool is_there = false;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	snprintf(line, sizeof(line), "%s\n", expected);
	for (int i = 0; i < 6000 && !is_there; i++) {
		_cleanup_free_ char *text = NULL;

		is_there = file_read(AT_FDCWD, path, 64, &text, NULL, NULL) == 0 &&
			   strcmp(text, line) == 0;
		if (!is_there)
			usleep(10000);
	}
	assert_true(is_there);
}

static void joins_namespaces(void **state)
{
	struct spec first = { .script = "echo up; exec sleep 100" };
	struct launch l = LAUNCH_NONE;
	struct err err;
	struct outcome o;
	int out[2], status;
	char names[512], byte;

	(void)state;
	assert_return_code(pipe2(out, O_CLOEXEC), errno);
	assert_return_code(bench_start(&bench, &first, out[1], &l, &err), -err.code);
	assert_int_equal(read(out[0], &byte, 1), 1);
	snprintf(names, sizeof(names),
		 "{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"/proc/%d/ns/pid\"},{\"type\":"
		 "\"network\",\"path\":\"/proc/%d/ns/net\"},{\"type\":\"uts\"}",
		 l.pid, l.pid);
	o = RUN(.script = "readlink /proc/1/ns/net; readlink /proc/self/ns/net; echo $$",
		.namespaces = names,
		.process = "\"capabilities\":{\"bounding\":[\"CAP_SYS_PTRACE\"],\"permitted\":["
			   "\"CAP_SYS_PTRACE\"],\"effective\":[\"CAP_SYS_PTRACE\"]}");
	assert_ran(o, 0);
	assert_memory_equal(o.out, strchr(o.out, '\n') + 1, 16);
	snprintf(
		names, sizeof(names),
		"{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"/proc/%d/ns/net\"},{\"type\":\"uts\"}",
		l.pid);
	assert_fails(RUN(.script = "true", .namespaces = names), EINVAL,
		     "is a network namespace, not a pid namespace");

	await_name(l.pid, "sleep");
	o = RUN(.script = "hostname; cat /proc/1/comm; ls /proc/self/fd | wc -l; test $$ != 1",
		.exec_of = l.pidfd);
	assert_ran(o, 0);
	assert_string_equal(o.out, "cell\nsleep\n4\n");
	assert_fails(RUN(.args = "[\"nope\"]", .exec_of = l.pidfd), ENOENT, "not found in $PATH");
	o = RUN(.script = "tty; stty -a | head -1; ls -l /dev/console", .exec_of = l.pidfd,
		.process = "\"terminal\":true,\"consoleSize\":{\"height\":11,\"width\":33}");
	assert_int_equal(o.r, 0);
	assert_says(o, "/dev/pts/0");
	assert_says(o, "rows 11; columns 33");
	process_pidfd_signal(l.pidfd, SIGKILL);
	process_wait(l.pidfd, &status);
	launch_deinit(&l);
	close(out[0]);
	close(out[1]);
}

#define PTRACE                                                                                    \
	"\"capabilities\":{\"bounding\":[\"CAP_SYS_PTRACE\"],\"permitted\":[\"CAP_SYS_PTRACE\"]," \
	"\"effective\":[\"CAP_SYS_PTRACE\"]}"

/* CVE-2019-5736 and its kind: what a process sees of an init that waits beside it. */
static void init_is_sealed_and_opaque(void **state)
{
	_cleanup_plan_ struct plan *plan = NULL;
	struct spec first = { .script = "true" };
	struct launch_options options = { .cgroup_fd = -1, .exec_fifo_fd = -1, .target_pidfd = -1 };
	struct launch l = LAUNCH_NONE;
	struct err err = { 0 };
	struct outcome o;
	int status;

	(void)state;
	assert_return_code(bench_plan(&bench, &first, &plan, &err), EINVAL);
	options.plan = plan;
	if (launch_create(&options, &l, &err) < 0)
		fail_msg("%s", err.text);
	o = RUN(.script =
			"cat /proc/1/comm; readlink /proc/1/exe; readlink /proc/1/cwd; ls /proc/1/root/ /proc/1/fd/4/; "
			"cat /proc/1/maps",
		.exec_of = l.pidfd);
	assert_int_equal(o.r, 0);
	assert_says(o, "cellar-init\n");
	assert_says(o, "/proc/1/root/: Permission denied");
	assert_says(o, "/proc/1/fd/4/: Permission denied");
	assert_says(o, "can't open '/proc/1/maps': Permission denied");
	assert_null(strstr(o.out, "memfd"));
	/* A container that may trace sees it, and still cannot change it. */
	o = RUN(.script = "readlink /proc/1/exe; echo x >/proc/1/exe; readlink /proc/self/exe",
		.exec_of = l.pidfd, .process = PTRACE);
	assert_int_equal(o.r, 0);
	assert_says(o, "memfd:cellar-init (deleted)");
	assert_says(o, "can't create /proc/1/exe");
	assert_says(o, "/bin/busybox\n");
	process_pidfd_signal(l.pidfd, SIGKILL);
	process_wait(l.pidfd, &status);
	launch_deinit(&l);
}

/* A stage and the process it cloned speak over one socket: neither may overtake the other. */
static void every_exec_is_known_and_reaped(void **state)
{
	struct spec first = { .script = "echo up; exec sleep 1000" };
	struct launch l = LAUNCH_NONE;
	struct err err = { 0 };
	int out[2], status;
	char byte;

	(void)state;
	assert_return_code(pipe2(out, O_CLOEXEC), errno);
	if (bench_start(&bench, &first, out[1], &l, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(read(out[0], &byte, 1), 1);
	for (int i = 0; i < 100; i++) {
		struct outcome o = RUN(.script = "exit 5", .exec_of = l.pidfd);

		assert_ran(o, 5);
		assert_true(o.pid > 0);
	}
	process_pidfd_signal(l.pidfd, SIGKILL);
	process_wait(l.pidfd, &status);
	launch_deinit(&l);
	close(out[0]);
	close(out[1]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child of ours is left */
}

static void joins_a_user_namespace(void **state)
{
	static const char *const names =
		"{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"user\"}";
	static const char *const maps =
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":1000}],"
		"\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":1000}]";
	struct spec first = { .script = "echo up; exec sleep 100",
			      .namespaces = names,
			      .linux_ = maps };
	struct launch l = LAUNCH_NONE;
	struct err err = { 0 };
	int out[2], status;
	struct outcome o;
	char byte, joined[256];

	(void)state;
	assert_return_code(pipe2(out, O_CLOEXEC), errno);
	if (bench_start(&bench, &first, out[1], &l, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(read(out[0], &byte, 1), 1);
	o = RUN(.script = "id -u; tty; stat -c %u $(tty); cat /proc/self/uid_map",
		.exec_of = l.pidfd, .namespaces = names, .linux_ = maps,
		.process = "\"terminal\":true");
	assert_ran(o, 0);
	assert_says(o, "0\r\n/dev/pts/0\r\n0\r\n         0     200000");
	snprintf(joined, sizeof(joined),
		 "{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"user\","
		 "\"path\":\"/proc/%d/ns/user\"}",
		 l.pid);
	o = RUN(.script = "id -u; cat /proc/self/uid_map; echo $$", .namespaces = joined);
	assert_ran(o, 0);
	assert_string_equal(o.out, "0\n         0     200000       1000\n1\n");
	process_pidfd_signal(l.pidfd, SIGKILL);
	process_wait(l.pidfd, &status);
	launch_deinit(&l);
	close(out[0]);
	close(out[1]);
}

/* In a child, which gives its privileges up: 0, or what went wrong is printed. */
static int run_without_privileges(void)
{
	struct outcome o;

	if (setresgid(12345, 12345, 12345) < 0 || setresuid(12345, 12345, 12345) < 0 ||
	    prctl(PR_SET_DUMPABLE, 1) < 0)
		return 1;
	o = RUN(.script = "id -u; cat /proc/self/uid_map; touch /dev/x",
		.namespaces =
			"{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":"
			"\"user\"}",
		.linux_ = "\"uidMappings\":[{\"containerID\":0,\"hostID\":12345,\"size\":1}],"
			  "\"gidMappings\":[{\"containerID\":0,\"hostID\":12345,\"size\":1}]",
		.options = { .rootless = true }, .no_tty_group = true);
	if (o.r == 0 && o.exit_code == 0 && strstr(o.out, "0\n         0      12345          1"))
		return 0;
	fprintf(stderr, "%s; output: %s\n", o.err.text, o.out);
	return 1;
}

static void runs_without_privileges(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	make_folder("proc");
	make_folder("dev");
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0)
			_exit(1);
		_exit(run_without_privileges());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void gives_a_terminal(void **state)
{
	struct outcome o = RUN(.script = "tty; stat -c '%t:%T' /dev/console; echo hi >/dev/tty",
			       .process = "\"terminal\":true");

	(void)state;
	assert_ran(o, 0);
	assert_says(o, "/dev/pts/0\r\n88:0\r\nhi\r\n");
}

static void copies_up(void **state)
{
	char path[PATH_MAX];
	struct outcome o;

	(void)state;
	snprintf(path, sizeof(path), "%s/up/sub", bench.rootfs);
	assert_return_code(dir_create(AT_FDCWD, path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "%s/up/sub/file", bench.rootfs);
	assert_return_code(file_replace(AT_FDCWD, path, "text\n", 5, 0640, false, NULL), 0);
	snprintf(path, sizeof(path), "%s/up/link", bench.rootfs);
	assert_return_code(symlink("sub/file", path), errno);
	snprintf(path, sizeof(path), "%s/up", bench.rootfs);
	assert_return_code(chmod(path, 0711), errno);
	o = RUN(.script = "cat /up/link; stat -c %a /up/sub/file /up; touch /up/new",
		.mounts =
			"{\"destination\":\"/up\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\"]}");
	assert_ran(o, 0);
	assert_string_equal(o.out, "text\n640\n711\n");
	snprintf(path, sizeof(path), "%s/up/new", bench.rootfs);
	assert_int_equal(access(path, F_OK), -1);
}

static int hook_state(void *data, pid_t pid, enum oci_status status, char **ret, struct err *err)
{
	(void)data;
	if (asprintf(ret, "{\"pid\":%d,\"status\":\"%s\"}\n", pid, oci_status_name(status)) < 0)
		return err_set(err, ENOMEM, "state");
	return 0;
}

static void runs_hooks_inside(void **state)
{
	struct spec s = { .script = "cat /created /started",
			  .launch = { .hook_state = hook_state } };
	char top[1024];
	struct outcome o;

	(void)state;
	snprintf(top, sizeof(top),
		 "\"hooks\":{\"createContainer\":[{\"path\":\"%s/bin/sh\",\"args\":[\"sh\",\"-c\","
		 "\"%s/bin/cat >%s/created\"]}],\"startContainer\":[{\"path\":\"/bin/sh\",\"args\":"
		 "[\"sh\",\"-c\",\"/bin/cat >/started\"]}]}",
		 bench.rootfs, bench.rootfs, bench.rootfs);
	s.top = top;
	o = bench_run(&bench, &s);
	assert_ran(o, 0);
	assert_says(o, "\"status\":\"creating\"");
	assert_says(o, "\"status\":\"created\"");
	snprintf(top, sizeof(top),
		 "\"hooks\":{\"createContainer\":[{\"path\":\"%s/bin/sh\",\"args\":[\"sh\",\"-c\","
		 "\"echo sad >&2; exit 3\"]}]}",
		 bench.rootfs);
	assert_fails(bench_run(&bench, &s), EIO, "exit status 3: sad");
	snprintf(top, sizeof(top),
		 "\"hooks\":{\"createContainer\":[{\"path\":\"%s/bin/sleep\",\"args\":[\"sleep\","
		 "\"1000\"],\"timeout\":1}]}",
		 bench.rootfs);
	assert_fails(bench_run(&bench, &s), ETIMEDOUT, "hook ran past specified timeout of 1.0s");
}

static void sets_kernel_settings(void **state)
{
	struct outcome o =
		RUN(.script = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni",
		    .linux_ = "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\","
			      "\"kernel.shmmni\":\"123\"}");

	(void)state;
	assert_ran(o, 0);
	assert_string_equal(o.out, "1\n123\n");
	assert_fails(RUN(.script = "true", .linux_ = "\"sysctl\":{\"kernel.panic\":\"1\"}"), EINVAL,
		     "linux.sysctl[\"kernel.panic\"]");
	assert_fails(RUN(.script = "true",
			 .namespaces = "{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"}",
			 .linux_ = "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"),
		     EINVAL, "needs a network namespace");
}

static void limits_resources(void **state)
{
	struct outcome o = RUN(.script = "ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj",
			       .process = "\"oomScoreAdj\":500,\"rlimits\":[{\"type\":"
					  "\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":200}]");

	(void)state;
	assert_ran(o, 0);
	assert_string_equal(o.out, "100\n200\n500\n");
}

static void filters_calls(void **state)
{
	static const char *const seccomp =
		"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\","
		"\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]}";
	struct outcome o =
		RUN(.script = "mkdir /x; grep Seccomp: /proc/self/status", .linux_ = seccomp);

	(void)state;
	assert_ran(o, 0);
	assert_says(o, "Function not implemented");
	assert_says(o, "Seccomp:\t2");
	o = RUN(.script = "mkdir /x; grep -E 'Seccomp:|Cap' /proc/self/status", .linux_ = seccomp,
		.process = "\"noNewPrivileges\":true");
	assert_ran(o, 0);
	assert_says(o, "Seccomp:\t2");
}

static void moves_root_without_pivot(void **state)
{
	struct outcome o = RUN(.script = "ls -d /bin; ls /root; test -d /proc/1 && exit 9",
			       .options = { .no_pivot = true });

	(void)state;
	assert_ran(o, 9);
	assert_says(o, "/bin\n");
}

static void propagates_as_asked(void **state)
{
	struct outcome o = RUN(.script = "grep -E ' / / |/rootfs / ' /proc/self/mountinfo",
			       .linux_ = "\"rootfsPropagation\":\"rshared\"");

	(void)state;
	assert_ran(o, 0);
	assert_says(o, "shared:");
	o = RUN(.script = "grep -E '/rootfs / ' /proc/self/mountinfo",
		.linux_ = "\"rootfsPropagation\":\"rprivate\"");
	assert_ran(o, 0);
	assert_null(strstr(o.out, "master:"));
}

static void carries_large_plans(void **state)
{
	_cleanup_free_ char *process = NULL;
	char value[100001];
	struct outcome o;

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_true(asprintf(&process, "\"selinuxLabel\":\"\",\"apparmorProfile\":\"\"") > 0);
	free(process);
	assert_true(asprintf(&process, "\"args\":[\"sh\",\"-c\",\"echo ${#1}\",\"x\",\"%s\"]",
			     value) > 0);
	o = RUN(.args = strchr(process, '['));
	assert_ran(o, 0);
	assert_string_equal(o.out, "100000\n");
}

static void preserves_descriptors(void **state)
{
	int null = open("/dev/zero", O_RDONLY), r;
	struct outcome o;

	(void)state;
	r = fcntl(3, F_GETFD);
	if (null != 3 && r >= 0) {
		close(null);
		skip_because("fd 3 is taken by the caller");
	}
	if (null != 3)
		dup2(null, 3);
	o = RUN(.script = "readlink /proc/self/fd/3; ls /proc/self/fd | wc -l",
		.options = { .preserve_fds = 1 });
	assert_ran(o, 0);
	assert_string_equal(o.out, "/dev/zero\n5\n");
	close(3);
	if (null != 3)
		close(null);
}

static void finds_home(void **state)
{
	static const char passwd[] = "a:x:5:5::/five:/x\nroot:x:0:0:r:/roothome:/bin/sh\n";
	char path[PATH_MAX];
	struct outcome o;

	(void)state;
	snprintf(path, sizeof(path), "%s/etc", bench.rootfs);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/etc/passwd", bench.rootfs);
	assert_return_code(file_replace(AT_FDCWD, path, passwd, strlen(passwd), 0644, false, NULL),
			   0);
	o = RUN(.script = "echo $HOME");
	assert_ran(o, 0);
	assert_string_equal(o.out, "/roothome\n");
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	return bench_init(&bench);
}

static int teardown(void **state)
{
	(void)state;
	bench_deinit(&bench);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preserves_descriptors),
		cmocka_unit_test(is_pid_1_of_its_own_host),
		cmocka_unit_test(has_no_descriptor_of_the_host),
		cmocka_unit_test(starts_by_fifo),
		cmocka_unit_test(names_missing_programs),
		cmocka_unit_test(names_failing_mounts),
		cmocka_unit_test(binds_with_options),
		cmocka_unit_test(stays_inside_a_hostile_root),
		cmocka_unit_test(makes_devices_and_links),
		cmocka_unit_test(masks_and_write_protects),
		cmocka_unit_test(maps_users),
		cmocka_unit_test(maps_users_of_a_mount),
		cmocka_unit_test(gives_capabilities),
		cmocka_unit_test(joins_namespaces),
		cmocka_unit_test(init_is_sealed_and_opaque),
		cmocka_unit_test(every_exec_is_known_and_reaped),
		cmocka_unit_test(joins_a_user_namespace),
		cmocka_unit_test(runs_without_privileges),
		cmocka_unit_test(gives_a_terminal),
		cmocka_unit_test(copies_up),
		cmocka_unit_test(runs_hooks_inside),
		cmocka_unit_test(sets_kernel_settings),
		cmocka_unit_test(limits_resources),
		cmocka_unit_test(filters_calls),
		cmocka_unit_test(moves_root_without_pivot),
		cmocka_unit_test(propagates_as_asked),
		cmocka_unit_test(carries_large_plans),
		cmocka_unit_test(finds_home),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0) {
		printf("needs root and mount namespaces\n");
		return 77;
	}
	if (access("/bin/busybox", X_OK) < 0) {
		printf("needs busybox-static\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
