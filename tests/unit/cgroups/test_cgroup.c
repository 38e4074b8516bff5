/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroups of the running kernel, on whatever layout it has. Each test works below folders named
 * after this process and leaves none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/skip.h"
#include "base/fd.h"
#include "base/process.h"
#include "cgroups/cgroup_folder.h"

#define MIB (1024L * 1024)

static char name[64];
static struct err err;

/* With the sentence of the failure in the output. */
#define ok(expr)                                                    \
	do {                                                        \
		int ok_ = (expr);                                   \
		if (ok_ < 0)                                        \
			fail_msg(#expr ": %s (%d)", err.text, ok_); \
	} while (0)

static struct cgroup *make(void)
{
	struct cgroup *c = NULL;

	ok(cgroup_create(name, "id", &c, &err));
	return c;
}

static void destroy(struct cgroup *c)
{
	ok(cgroup_destroy(c, &err));
	cgroup_free(c);
}

/* A child in the cgroup that runs the function and exits with its result. Returns when it joined.
 */
static pid_t start(const struct cgroup *c, int (*work)(void), int *ret_pidfd)
{
	int v2 = -1, tasks[CGROUP_HIERARCHIES_MAX];
	int joined[2];
	size_t count = 0;
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(joined, O_CLOEXEC), 0);
	ok(cgroup_join_fds(c, &v2, tasks, &count, &err));
	fflush(NULL);
	pid = process_clone(0, v2, ret_pidfd);
	assert_true(pid >= 0);
	if (pid == 0) {
		for (size_t i = 0; i < count; i++)
			if (write(tasks[i], "0", 1) != 1)
				_exit(99);
		close(joined[0]);
		close(joined[1]);
		_exit(work());
	}
	close(joined[1]);
	assert_int_equal(read(joined[0], &byte, 1), 0);
	close(joined[0]);
	cleanup_fd(&v2);
	for (size_t i = 0; i < count; i++)
		cleanup_fd(&tasks[i]);
	return pid;
}

static int finish(int pidfd)
{
	int status = 0;

	assert_int_equal(process_wait(pidfd, &status), 0);
	close(pidfd);
	return process_exit_code(status);
}

static int run(const struct cgroup *c, int (*work)(void))
{
	int pidfd;

	start(c, work, &pidfd);
	return finish(pidfd);
}

static bool has(const struct cgroup *c, enum cgroup_controller controller)
{
	char list[256] = "";
	const char *v2 = cgroup_controller_name(controller, true);

	if (c->mounts->v1[controller] >= 0)
		return true;
	if (c->mounts->v2 < 0 || !v2)
		return false;
	cgroup_file_read(c, c->mounts->v2, "cgroup.controllers", list, sizeof(list));
	return strstr(list, v2) != NULL;
}

static void read_limit(const struct cgroup *c, enum cgroup_controller controller, const char *v1,
		       const char *v2, char text[static 64])
{
	bool old = c->mounts->v1[controller] >= 0;
	int i = old ? c->mounts->v1[controller] : c->mounts->v2;

	text[0] = '\0';
	assert_true(cgroup_file_read(c, i, old ? v1 : v2, text, 64) > 0);
}

static bool exists_anywhere(const char *path)
{
	const struct cgroup_mounts *m;
	char buf[CGROUP_PATH_MAX];

	ok(cgroup_mounts_find(&m, &err));
	for (size_t i = 0; i < m->count; i++) {
		snprintf(buf, sizeof(buf), "%s%s", m->hierarchies[i].mountpoint, path);
		if (access(buf, F_OK) == 0)
			return true;
	}
	return false;
}

static int do_nothing(void)
{
	return 7;
}

static __attribute__((noreturn)) int do_pause(void)
{
	for (;;)
		pause();
}

/* The cgroup's path stands in every line of /proc/self/cgroup of a hierarchy that is mounted. */
static int count_memberships(void)
{
	_cleanup_free_ char *text = NULL;
	int count = 0;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", 65536, &text, NULL, NULL) < 0)
		return -1;
	for (char *p = text; (p = strstr(p, name)); p++)
		count += p[strlen(name)] == '\n';
	return count;
}

static void a_child_joins_every_hierarchy(void **state)
{
	struct cgroup *c = make();
	size_t count;

	(void)state;
	cgroup_hierarchies(c, &count);
	assert_int_equal(run(c, count_memberships), count);
	destroy(c);
	assert_false(exists_anywhere(name));
}

static void a_guard_that_is_not_kept_removes_all(void **state)
{
	struct cgroup *c = make();
	int pidfd;

	(void)state;
	start(c, do_pause, &pidfd);
	assert_true(exists_anywhere(name));
	cgroup_free(c);
	assert_false(exists_anywhere(name));
	assert_int_equal(finish(pidfd), 128 + SIGKILL);
}

static void an_empty_folder_is_taken_over_and_a_used_one_is_not(void **state)
{
	struct cgroup *c = make(), *again = NULL, *third = NULL;
	int pidfd;

	(void)state;
	cgroup_keep(c);
	ok(cgroup_create(name, "id", &again, &err));
	start(again, do_pause, &pidfd);
	assert_int_equal(cgroup_create(name, "id", &third, &err), -EBUSY);
	assert_non_null(strstr(err.text, "is in use: it holds 1 process"));
	assert_true(exists_anywhere(name));
	destroy(again);
	assert_int_equal(finish(pidfd), 128 + SIGKILL);
	cgroup_free(c);
}

static void paths_stay_inside(void **state)
{
	struct cgroup *c = NULL;
	char path[160], want[160];

	(void)state;
	snprintf(path, sizeof(path), "/../..%s/./x/../y//", name);
	snprintf(want, sizeof(want), "%s/y", name);
	ok(cgroup_create(path, "id", &c, &err));
	assert_string_equal(cgroup_path(c), want);
	destroy(c);
	assert_true(exists_anywhere(name)); /* not ours to remove: a caller named it */
	ok(cgroup_open(name, &c, &err));
	destroy(c);
	snprintf(path, sizeof(path), "../../%s/z", name + 1);
	snprintf(want, sizeof(want), "/cellar%s/z", name);
	ok(cgroup_create(path, "id", &c, &err));
	assert_string_equal(cgroup_path(c), want);
	destroy(c);
	snprintf(want, sizeof(want), "/cellar%s", name);
	assert_false(exists_anywhere(want));
	ok(cgroup_create(NULL, name + 1, &c, &err));
	snprintf(want, sizeof(want), "/cellar-%s", name + 1);
	assert_string_equal(cgroup_path(c), want);
	destroy(c);
	assert_int_equal(cgroup_create("/a/..", "id", &c, &err), -EINVAL);
	assert_int_equal(cgroup_open(name, &c, &err), -ENOENT);
}

static int hog_memory(void)
{
	char *p = mmap(NULL, 256 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 98;
	for (long i = 0; i < 256 * MIB; i += 4096)
		p[i] = 1;
	return 0;
}

static void a_memory_hog_is_killed_and_counted(void **state)
{
	struct oci_resources res = { .memory = { .limit = { true, 48 * MIB },
						 .swap = { true, 48 * MIB },
						 .reservation = { true, 16 * MIB } } };
	struct cgroup_stats s;
	struct cgroup *c = make();
	char text[64];

	(void)state;
	if (!has(c, CGROUP_MEMORY)) {
		destroy(c);
		skip_because("no memory controller");
	}
	ok(cgroup_apply(c, &res, &err));
	read_limit(c, CGROUP_MEMORY, "memory.soft_limit_in_bytes", "memory.low", text);
	assert_string_equal(text, "16777216");
	assert_int_equal(run(c, hog_memory), 128 + SIGKILL);
	ok(cgroup_stats(c, &s, &err));
	assert_int_equal(s.oom_kills, 1);
	assert_int_equal(s.memory_limit_bytes, 48 * MIB);
	assert_true(s.memory_peak_bytes > 16 * MIB || s.memory_peak_bytes == 0);
	destroy(c);
}

static void memory_is_raised_and_lowered(void **state)
{
	static const int64_t steps[][2] = { { 64, 96 },	 { 256, 300 }, { 32, 32 },
					    { 100, -1 }, { 50, 50 },   { -1, 0 } };
	struct cgroup *c = make(), *open = NULL;
	struct oci_resources res = { 0 };
	char text[64], want[64];

	(void)state;
	if (!has(c, CGROUP_MEMORY)) {
		destroy(c);
		skip_because("no memory controller");
	}
	ok(cgroup_open(name, &open, &err));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int64_t limit = steps[i][0], swap = steps[i][1];

		res.memory.limit = (struct oci_i64){ true, limit < 0 ? -1 : limit * MIB };
		res.memory.swap = (struct oci_i64){ swap != 0, swap < 0 ? -1 : swap * MIB };
		ok(cgroup_apply(i == 0 ? c : open, &res, &err));
		read_limit(c, CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max", text);
		snprintf(want, sizeof(want), "%" PRId64, limit * MIB);
		if (limit > 0)
			assert_string_equal(text, want);
	}
	/* swap alone, and impossible */
	res.memory = (struct oci_memory){ .limit = { true, 64 * MIB }, .swap = { true, 32 * MIB } };
	assert_int_equal(cgroup_apply(open, &res, &err), -EINVAL);
	assert_string_equal(err.text, "linux.resources.memory.swap: 33554432 is less than "
				      "memory.limit, which it includes");
	cgroup_free(open);
	destroy(c);
}

static int fork_ten(void)
{
	int forked = 0;

	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0)
			do_pause();
		forked += pid > 0;
	}
	return forked; /* and they stay behind */
}

static void a_fork_bomb_stays_inside_and_goes_with_the_cgroup(void **state)
{
	struct oci_resources res = { .pids_limit = { true, 5 } };
	_cleanup_free_ pid_t *pids = NULL;
	struct cgroup *c = make();
	struct cgroup_stats s;
	size_t count = 0;
	int pidfds[4];

	(void)state;
	if (!has(c, CGROUP_PIDS)) {
		destroy(c);
		skip_because("no pids controller");
	}
	ok(cgroup_apply(c, &res, &err));
	assert_int_equal(run(c, fork_ten), 4);
	ok(cgroup_pids(c, &pids, &count, &err));
	assert_int_equal(count, 4);
	ok(cgroup_stats(c, &s, &err));
	assert_int_equal(s.pids_current, 4);
	assert_int_equal(s.pids_limit, 5);
	for (size_t i = 0; i < count; i++) {
		pidfds[i] = process_pidfd_open(pids[i]);
		assert_true(pidfds[i] >= 0);
	}
	destroy(c);
	/* A dying process leaves its cgroup a moment before it is dead. */
	for (size_t i = 0; i < count; i++) {
		struct pollfd end = { .fd = pidfds[i], .events = POLLIN };

		assert_int_equal(poll(&end, 1, 60000), 1);
		close(pidfds[i]);
	}
}

static void a_signal_reaches_all_and_not_the_frozen(void **state)
{
	struct cgroup *c = make();
	int first, second;

	(void)state;
	start(c, do_pause, &first);
	start(c, do_pause, &second);
	ok(cgroup_freeze(c, true, &err));
	assert_int_equal(cgroup_is_frozen(c), 1);
	ok(cgroup_freeze(c, false, &err));
	assert_int_equal(cgroup_is_frozen(c), 0);
	ok(cgroup_signal(c, SIGTERM, &err));
	assert_int_equal(finish(first), 128 + SIGTERM);
	assert_int_equal(finish(second), 128 + SIGTERM);
	destroy(c);
}

static void sigkill_reaches_the_frozen(void **state)
{
	struct cgroup *c = make();
	int pidfd;

	(void)state;
	start(c, do_pause, &pidfd);
	ok(cgroup_freeze(c, true, &err));
	ok(cgroup_signal(c, SIGKILL, &err));
	assert_int_equal(finish(pidfd), 128 + SIGKILL);
	destroy(c);
}

/* Also where another program has used the other freezer. */
static void destroy_takes_the_frozen_and_the_nested(void **state)
{
	struct cgroup *c = make(), *below = NULL;
	int freezer = c->mounts->v1[CGROUP_FREEZER], pidfd, nested;
	char path[160];

	(void)state;
	/* Before the inner ones: after them, cgroup2 lets nobody join the outer. */
	start(c, do_pause, &pidfd);
	snprintf(path, sizeof(path), "%s/a/b", name);
	ok(cgroup_create(path, "id", &below, &err));
	start(below, do_pause, &nested);
	ok(cgroup_freeze(c, true, &err));
	if (freezer >= 0)
		cgroup_file_write(below, freezer, "freezer.state", "FROZEN");
	cgroup_keep(below);
	cgroup_free(below);
	destroy(c);
	assert_int_equal(finish(pidfd), 128 + SIGKILL);
	assert_int_equal(finish(nested), 128 + SIGKILL);
	assert_false(exists_anywhere(name));
}

static void cpu_limits_arrive(void **state)
{
	struct oci_resources res = { .cpu = { .shares = { true, 1024 },
					      .quota_us = { true, 50000 },
					      .period_us = { true, 100000 } } };
	struct cgroup *c = make(), *open = NULL;
	char text[64];

	(void)state;
	if (!has(c, CGROUP_CPU)) {
		destroy(c);
		skip_because("no cpu controller");
	}
	ok(cgroup_apply(c, &res, &err));
	read_limit(c, CGROUP_CPU, "cpu.shares", "cpu.weight", text);
	assert_string_equal(text, c->mounts->v1[CGROUP_CPU] >= 0 ? "1024" : "100");
	read_limit(c, CGROUP_CPU, "cpu.cfs_quota_us", "cpu.max", text);
	assert_string_equal(text, c->mounts->v1[CGROUP_CPU] >= 0 ? "50000" : "50000 100000");
	ok(cgroup_open(name, &open, &err));
	res = (struct oci_resources){ .cpu = { .period_us = { true, 200000 } } };
	ok(cgroup_apply(open, &res, &err));
	read_limit(c, CGROUP_CPU, "cpu.cfs_quota_us", "cpu.max", text);
	assert_string_equal(text, c->mounts->v1[CGROUP_CPU] >= 0 ? "50000" : "50000 200000");
	res = (struct oci_resources){ .cpu = { .burst_us = { true, 40000 } } };
	if (cgroup_apply(open, &res, &err) == 0) {
		res.cpu.quota_us = (struct oci_i64){ true, 10000 };
		res.cpu.burst_us = (struct oci_u64){ true, 10000 };
		ok(cgroup_apply(open, &res, &err));
	} else {
		assert_non_null(strstr(err.text, "this kernel has no cpu."));
	}
	res = (struct oci_resources){ .cpu = { .quota_us = { true, -1 } } };
	ok(cgroup_apply(open, &res, &err));
	read_limit(c, CGROUP_CPU, "cpu.cfs_quota_us", "cpu.max", text);
	assert_string_equal(text, c->mounts->v1[CGROUP_CPU] >= 0 ? "-1" : "max 200000");
	cgroup_free(open);
	destroy(c);
}

static int spin(void)
{
	for (volatile long i = 0; i < 30000000; i++)
		;
	return 0;
}

static void cpu_time_is_counted(void **state)
{
	struct cgroup *c = make();
	struct cgroup_stats s = { 0 };

	(void)state;
	/* On v1 these two are counted in ticks, which on a busy machine may all be somebody else's.
	 */
	for (int i = 0; i < 200 && s.cpu_user_ns + s.cpu_system_ns == 0; i++) {
		assert_int_equal(run(c, spin), 0);
		ok(cgroup_stats(c, &s, &err));
	}
	assert_true(s.cpu_usage_ns > 1000000);
	assert_true(s.cpu_user_ns + s.cpu_system_ns > 0);
	assert_true(!has(c, CGROUP_MEMORY) || s.memory_limit_bytes == UINT64_MAX);
	assert_true(!has(c, CGROUP_PIDS) || s.pids_limit == UINT64_MAX);
	destroy(c);
}

static void cpuset_is_set_and_a_wrong_one_named(void **state)
{
	struct oci_resources res = { .cpu = { .cpus = "0", .mems = "0" } };
	struct cgroup *c = make();
	char text[64];

	(void)state;
	if (!has(c, CGROUP_CPUSET)) {
		destroy(c);
		skip_because("no cpuset controller");
	}
	ok(cgroup_apply(c, &res, &err));
	read_limit(c, CGROUP_CPUSET, "cpuset.cpus", "cpuset.cpus", text);
	assert_string_equal(text, "0");
	assert_int_equal(run(c, do_nothing), 7);
	res.cpu.cpus = "nonsense";
	assert_int_equal(cgroup_apply(c, &res, &err), -EINVAL);
	assert_non_null(strstr(err.text, "linux.resources.cpu.cpus: write 'nonsense' to "));
	destroy(c);
}

static void a_limit_without_its_controller_names_both(void **state)
{
	struct oci_resources res = { .memory.limit = { true, 64 * MIB } };
	struct cgroup *c = make();

	(void)state;
	if (has(c, CGROUP_MEMORY)) {
		destroy(c);
		skip_because("the host has the memory controller");
	}
	assert_int_equal(cgroup_apply(c, &res, &err), -EOPNOTSUPP);
	/* The second: in a container whose own processes sit in the root that it sees. */
	assert_true(
		strcmp(err.text,
		       "linux.resources.memory.limit: the memory controller is not available on this host") ==
			0 ||
		strcmp(err.text,
		       "linux.resources.memory.limit: the memory controller cannot be enabled in /sys/fs/cgroup: processes live in that cgroup itself") ==
			0);
	destroy(c);
}

/* cgroup2's own rules, which a person has to be told about. */
static void a_parent_with_processes_gives_no_controllers(void **state)
{
	struct oci_resources res = { .pids_limit = { true, 5 } };
	struct cgroup *c = make(), *below = NULL;
	char path[160], want[512];
	int pidfd;

	(void)state;
	if (c->mounts->v1[CGROUP_PIDS] >= 0 || !has(c, CGROUP_PIDS)) {
		destroy(c);
		skip_because("needs the pids controller on cgroup v2");
	}
	start(c, do_pause, &pidfd);
	snprintf(path, sizeof(path), "%s/y", name);
	ok(cgroup_create(path, "id", &below, &err));
	assert_int_equal(run(below, do_nothing), 7);
	assert_int_equal(cgroup_apply(below, &res, &err), -EOPNOTSUPP);
	snprintf(want, sizeof(want),
		 "linux.resources.pids.limit: the pids controller cannot be enabled in "
		 "/sys/fs/cgroup%s: processes live in that cgroup itself",
		 name);
	assert_string_equal(err.text, want);
	destroy(below);
	destroy(c);
	assert_int_equal(finish(pidfd), 128 + SIGKILL);
}

static void a_threaded_parent_is_refused(void **state)
{
	static const char *const domain_only[] = { "-memory", "-io", "-hugetlb", "-rdma", "-misc" };
	struct cgroup *c = make(), *x = NULL, *y = NULL;
	char path[160], list[16] = "";

	(void)state;
	if (c->mounts->layout != CGROUP_V2 ||
	    cgroup_file_read(c, 0, "cgroup.controllers", list, sizeof(list)) <= 0) {
		destroy(c);
		skip_because("needs cgroup v2 with controllers");
	}
	snprintf(path, sizeof(path), "%s/x", name);
	ok(cgroup_create(path, "id", &x, &err));
	for (size_t i = 0; i < ARRAY_SIZE(domain_only); i++)
		cgroup_file_write(c, 0, "cgroup.subtree_control", domain_only[i]);
	assert_int_equal(cgroup_file_write(x, 0, "cgroup.type", "threaded"), 0);
	snprintf(path, sizeof(path), "%s/x/y", name);
	assert_int_equal(cgroup_create(path, "id", &y, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "because a cgroup above it is threaded"));
	destroy(x);
	destroy(c);
}

static void a_unified_key_must_be_a_file(void **state)
{
	struct oci_unified u[] = { { "cgroup.max.depth", "5" }, { "no.such", "1" } };
	struct oci_resources res = { .unified = u, .unified_count = 2 };
	struct cgroup *c = make();
	char text[64];

	(void)state;
	if (c->mounts->v2 < 0) {
		assert_int_equal(cgroup_apply(c, &res, &err), -EOPNOTSUPP);
		destroy(c);
		return;
	}
	assert_int_equal(cgroup_apply(c, &res, &err), -ENOENT);
	assert_non_null(strstr(err.text, "unified resource \"no.such\" can't be set"));
	assert_true(cgroup_file_read(c, c->mounts->v2, "cgroup.max.depth", text, 64) > 0);
	assert_string_equal(text, "5");
	u[0].key = "../cgroup.max.depth";
	assert_int_equal(cgroup_apply(c, &res, &err), -EINVAL);
	destroy(c);
}

static char node_null[64], node_kmsg[64];

/* 1: null opens, 2: kmsg opens, 4: a node can be made. */
static int try_devices(void)
{
	int null = open(node_null, O_RDWR), kmsg = open(node_kmsg, O_RDONLY | O_NONBLOCK);
	char made[80];

	snprintf(made, sizeof(made), "%s.made", node_kmsg);
	return (null >= 0 ? 1 : 0) | (kmsg >= 0 ? 2 : 0) |
	       (mknod(made, S_IFCHR | 0600, makedev(1, 11)) == 0 && unlink(made) == 0 ? 4 : 0);
}

static void devices_are_denied_allowed_and_updated(void **state)
{
	const struct oci_device_rule deny = { false, 'a', -1, -1, true, true, true };
	const struct oci_device_rule kmsg[] = { deny, { true, 'c', 1, 11, true, false, false } };
	const struct oci_device_rule all = { true, 'a', -1, -1, true, true, true };
	struct oci_resources res = { .devices = &deny, .devices_count = 1 };
	char dir[] = "/run/cellar-unit-XXXXXX";
	struct cgroup *c = make(), *open = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(node_null, sizeof(node_null), "%s/null", dir);
	snprintf(node_kmsg, sizeof(node_kmsg), "%s/kmsg", dir);
	assert_int_equal(mknod(node_null, S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknod(node_kmsg, S_IFCHR | 0600, makedev(1, 11)), 0);
	if (try_devices() != 7) {
		tree_remove(AT_FDCWD, dir, NULL);
		destroy(c);
		skip_because("device files cannot be opened here (nodev)");
	}
	assert_int_equal(run(c, try_devices), 7);
	ok(cgroup_apply(c, &res, &err));
	assert_int_equal(run(c, try_devices), 5);
	ok(cgroup_open(name, &open, &err));
	res = (struct oci_resources){ 0 };
	ok(cgroup_apply(open, &res, &err));
	assert_int_equal(run(c, try_devices), 5);
	res = (struct oci_resources){ .devices = kmsg, .devices_count = 2 };
	ok(cgroup_apply(open, &res, &err));
	assert_int_equal(run(c, try_devices), 7);
	res.devices_count = 1;
	ok(cgroup_apply(open, &res, &err));
	assert_int_equal(run(c, try_devices), 5);
	res.devices = &all;
	ok(cgroup_apply(open, &res, &err));
	assert_int_equal(run(c, try_devices), 7);
	cgroup_free(open);
	tree_remove(AT_FDCWD, dir, NULL);
	destroy(c);
	c = make();
	res = (struct oci_resources){ 0 };
	ok(cgroup_apply(c, &res, &err)); /* no rule: all but the container's own are denied */
	destroy(c);
}

static void make_and_remove(int number)
{
	char path[96];

	for (int i = 0; i < 20; i++) {
		struct cgroup *c = NULL;

		/* Relative: all share /cellar, which comes and goes under them. */
		snprintf(path, sizeof(path), "%s-%d", name + 1, number);
		if (cgroup_create(path, "id", &c, &err) < 0 || run(c, do_nothing) != 7 ||
		    cgroup_destroy(c, &err) < 0) {
			fprintf(stderr, "round %d of %d: %s\n", i, number, err.text);
			_exit(1);
		}
		cgroup_free(c);
	}
	_exit(0);
}

static void many_at_once_do_not_disturb_each_other(void **state)
{
	pid_t pids[8];

	(void)state;
	fflush(NULL);
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			make_and_remove(i);
	}
	for (int i = 0; i < 8; i++) {
		int status = -1;

		waitpid(pids[i], &status, 0);
		assert_int_equal(status, 0);
	}
}

static void two_may_destroy_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct cgroup *c = make();
		int status = -1;
		pid_t pid;

		fflush(NULL);
		pid = fork();
		if (pid == 0)
			_exit(cgroup_destroy(c, &err) < 0);
		ok(cgroup_destroy(c, &err));
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
		cgroup_free(c);
	}
	assert_false(exists_anywhere(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_joins_every_hierarchy),
		cmocka_unit_test(a_guard_that_is_not_kept_removes_all),
		cmocka_unit_test(an_empty_folder_is_taken_over_and_a_used_one_is_not),
		cmocka_unit_test(paths_stay_inside),
		cmocka_unit_test(a_memory_hog_is_killed_and_counted),
		cmocka_unit_test(memory_is_raised_and_lowered),
		cmocka_unit_test(a_fork_bomb_stays_inside_and_goes_with_the_cgroup),
		cmocka_unit_test(a_signal_reaches_all_and_not_the_frozen),
		cmocka_unit_test(sigkill_reaches_the_frozen),
		cmocka_unit_test(destroy_takes_the_frozen_and_the_nested),
		cmocka_unit_test(cpu_limits_arrive),
		cmocka_unit_test(cpu_time_is_counted),
		cmocka_unit_test(cpuset_is_set_and_a_wrong_one_named),
		cmocka_unit_test(a_limit_without_its_controller_names_both),
		cmocka_unit_test(a_parent_with_processes_gives_no_controllers),
		cmocka_unit_test(a_threaded_parent_is_refused),
		cmocka_unit_test(a_unified_key_must_be_a_file),
		cmocka_unit_test(devices_are_denied_allowed_and_updated),
		cmocka_unit_test(many_at_once_do_not_disturb_each_other),
		cmocka_unit_test(two_may_destroy_at_once),
	};
	struct cgroup *probe = NULL;

	snprintf(name, sizeof(name), "/cellar-unit-%d", (int)getpid());
	if (cgroup_create(name, "id", &probe, &err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	cgroup_free(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
