/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/skip.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/loop.h"
#include "base/path.h"
#include "base/process.h"
#include "base/strbuf.h"

static char dir[] = "/tmp/cellar-unit-base.XXXXXX";
static int dirfd_ = -1;

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0 ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void)state;
	close(dirfd_);
	return tree_remove(AT_FDCWD, dir, NULL);
}

static void error_is_one_sentence(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ENOENT, "open %s", "x"), -ENOENT);
	assert_int_equal(err_add(&err, "bundle %s", "b"), -ENOENT);
	assert_string_equal(err.text, "bundle b: open x: No such file or directory");
	assert_int_equal(err_set(NULL, ENOENT, "open"), -ENOENT);
	assert_int_equal(err_set(&err, 0, "open"), -EIO);
}

static void long_errors_are_cut_not_overrun(void **state)
{
	struct err err = { 0 };
	char text[3000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, EIO, "%s", text);
	err_add(&err, "%s", text);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void paths_are_cleaned(void **state)
{
	static const char *const table[][2] = {
		{ "/a/../b", "/b" },	{ "/../..", "/" },	  { "//a//b/", "/a/b" },
		{ "/a/./b/.", "/a/b" }, { "a/../..", ".." },	  { "", "." },
		{ "../a/..", ".." },	{ "/a/b/../../c", "/c" }, { "/", "/" },
		{ "a/b/../c", "a/c" },	{ "../../a", "../../a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char path[64];

		strcpy(path, table[i][0]);
		path_clean(path);
		assert_string_equal(path, table[i][1]);
	}
	assert_true(path_is_name("a..b"));
	assert_false(path_is_name(".."));
	assert_false(path_is_name("a/b"));
	assert_false(path_is_name(""));
}

static void a_root_is_never_left(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdirat(dirfd_, "root", 0700), 0);
	assert_int_equal(mkdirat(dirfd_, "root/etc", 0700), 0);
	assert_int_equal(symlinkat("/etc", dirfd_, "root/abs"), 0);
	assert_int_equal(symlinkat("../../../..", dirfd_, "root/up"), 0);
	int root = openat(dirfd_, "root", O_PATH | O_CLOEXEC);

	assert_true(path_open_in_root(root, "up/etc/passwd", O_RDONLY, 0) == -ENOENT);
	assert_true(path_open_in_root(root, "/abs/passwd", O_RDONLY, 0) == -ENOENT);
	fd = path_open_in_root(root, "abs/x", O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(dirfd_, "root/etc/x", F_OK, 0), 0);
	close(root);
}

static void files_are_replaced_whole(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(file_replace(dirfd_, "f", "one", 3, 0600, true, NULL), 0);
	assert_int_equal(file_replace(dirfd_, "f", "three", 5, 0600, false, NULL), 0);
	assert_int_equal(file_read(dirfd_, "f", 100, &text, &len, NULL), 0);
	assert_string_equal(text, "three");
	assert_int_equal(len, 5);
	char *none = NULL;

	assert_int_equal(file_read(dirfd_, "f", 4, &none, NULL, NULL), -EFBIG);
	assert_null(none);
}

static void trees_are_removed_without_following(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(dir_create(dirfd_, "t/a/b/c", 0700, NULL), 0);
	assert_int_equal(dir_create(dirfd_, "t/a/b/c", 0700, NULL), 0);
	assert_int_equal(mkdirat(dirfd_, "kept", 0700), 0);
	assert_int_equal(symlinkat("../kept", dirfd_, "t/link"), 0);
	assert_int_equal(tree_remove(dirfd_, "t", NULL), 0);
	assert_int_equal(tree_remove(dirfd_, "t", NULL), 0);
	assert_int_equal(fstatat(dirfd_, "kept", &st, 0), 0);
	assert_true(fstatat(dirfd_, "t", &st, 0) < 0);
}

/* As a container can make them: deeper than a path, a stack or the descriptors allow. */
static void deep_trees_are_removed(void **state)
{
	struct rlimit limit, few;
	int fd, r;

	(void)state;
	assert_int_equal(mkdirat(dirfd_, "deep", 0700), 0);
	fd = openat(dirfd_, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "folder", 0700), 0);
		next = openat(fd, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = tree_remove(dirfd_, "deep", NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, 0);
}

/* Exit status: the step that went wrong, or 77. */
static int remove_around_a_mount(void)
{
	struct err err = { 0 };
	char from[128], to[128];
	struct stat st;

	snprintf(from, sizeof(from), "%s/data", dir);
	snprintf(to, sizeof(to), "%s/mounts/a/b", dir);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(from, to, NULL, MS_BIND, NULL) < 0)
		return 77;
	if (tree_remove(dirfd_, "mounts", &err) != -EBUSY ||
	    !strstr(err.text, "mounts: remove a/b"))
		return 1;
	if (tree_remove(dirfd_, "mounts/a/b", &err) != -EBUSY)
		return 2;
	return fstatat(dirfd_, "data/file", &st, 0) < 0 ? 3 : 0;
}

static void what_is_mounted_in_a_tree_is_spared(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(dir_create(dirfd_, "data", 0700, NULL), 0);
	assert_int_equal(file_replace(dirfd_, "data/file", "x", 1, 0600, false, NULL), 0);
	assert_int_equal(dir_create(dirfd_, "mounts/a/b", 0700, NULL), 0);
	pid = fork();
	if (pid == 0)
		_exit(remove_around_a_mount());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("no mount namespace may be made here");
	assert_int_equal(status, 0);
	assert_int_equal(tree_remove(dirfd_, "mounts", NULL), 0);
}

static void a_held_lock_is_seen(void **state)
{
	int a, b;

	(void)state;
	a = lock_file(dirfd_, "lock", false, false, NULL);
	assert_true(a >= 0);
	assert_int_equal(lock_file(dirfd_, "lock", false, true, NULL), -EWOULDBLOCK);
	close(a);
	b = lock_file(dirfd_, "lock", true, true, NULL);
	assert_true(b >= 0);
	close(b);
}

static void times_survive_their_text(void **state)
{
	char buf[CLOCK_RFC3339_SIZE];
	int64_t ns = 0;

	(void)state;
	assert_int_equal(clock_parse("2026-11-22T16:14:49.123456789Z", &ns, NULL), 0);
	assert_string_equal(clock_format(ns, buf), "2026-11-22T16:14:49.123456789Z");
	assert_int_equal(clock_parse("2026-11-22T18:14:49.5+02:00", &ns, NULL), 0);
	assert_string_equal(clock_format(ns, buf), "2026-11-22T16:14:49.500000000Z");
	assert_true(clock_parse("yesterday", &ns, NULL) < 0);
	assert_true(clock_parse("2026-11-22T16:14:49", &ns, NULL) < 0);
}

static void digests_are_sha256(void **state)
{
	char hex[DIGEST_HEX_SIZE], text[DIGEST_TEXT_SIZE + 8];

	(void)state;
	digest_of("abc", 3, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	snprintf(text, sizeof(text), "sha256:%s", hex);
	assert_true(digest_is_valid(text));
	text[10] = 'G';
	assert_false(digest_is_valid(text));
	assert_false(digest_is_valid("sha256:../../../../etc/passwd"));
}

static void buffers_and_arenas_grow(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&sb, "%d,", i);
	text = strbuf_take(&sb);
	assert_int_equal(strlen(text), 10 * 2 + 90 * 3 + 900 * 4);
	assert_string_equal(arena_printf(arena, "%s-%d", "x", 5), "x-5");
	char *big = arena_alloc(arena, 100000);

	assert_non_null(big);
	assert_int_equal(big[99999], 0);
	assert_null(arena_calloc(arena, SIZE_MAX, 2));
}

struct loop_seen {
	struct loop *loop;
	struct loop_source *source;
	int fd_events, timers, signals;
};

static int on_fd(void *data, uint32_t events)
{
	struct loop_seen *seen = data;

	assert_true(events & EPOLLIN);
	seen->fd_events++;
	seen->source = loop_remove(seen->source);
	return 0;
}

static int on_signal(void *data, int signal)
{
	struct loop_seen *seen = data;

	assert_int_equal(signal, SIGUSR1);
	seen->signals++;
	return 0;
}

static int on_time(void *data)
{
	struct loop_seen *seen = data;

	seen->timers++;
	loop_quit(seen->loop, 42);
	return 0;
}

static void the_loop_delivers_and_quits(void **state)
{
	struct loop_seen seen = { 0 };
	struct loop_source *signals = NULL;
	sigset_t set;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(loop_new(&seen.loop, NULL), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_add_signals(seen.loop, &set, on_signal, &seen, &signals, NULL), 0);
	assert_int_equal(loop_add_fd(seen.loop, fds[0], EPOLLIN, on_fd, &seen, &seen.source, NULL),
			 0);
	assert_int_equal(loop_add_time(seen.loop, clock_monotonic_ns() + 30000000, on_time, &seen,
				       NULL, NULL),
			 0);
	raise(SIGUSR1);
	assert_int_equal(loop_run(seen.loop, NULL), 42);
	assert_int_equal(seen.fd_events, 1);
	assert_int_equal(seen.signals, 1);
	assert_int_equal(seen.timers, 1);
	loop_remove(signals);
	loop_free(seen.loop);
	close(fds[0]);
	close(fds[1]);
}

static void children_are_named_by_pidfd(void **state)
{
	uint64_t ticks = 0;
	int pidfd = -1, status = 0;
	pid_t pid = process_clone(0, -1, &pidfd);

	(void)state;
	if (pid == 0) {
		pause();
		_exit(1);
	}
	assert_true(pid > 0);
	assert_int_equal(process_start_time(pid, &ticks), 0);
	assert_true(ticks > 0);
	assert_true(process_is_child(pid, pidfd));
	assert_false(process_is_child(getpid(), pidfd));
	assert_false(process_is_child(pid, 0));
	assert_int_equal(process_pidfd_signal(pidfd, SIGTERM), 0);
	assert_int_equal(process_wait(pidfd, &status), 0);
	assert_int_equal(process_exit_code(status), 128 + SIGTERM);
	assert_int_equal(process_start_time(pid, &ticks), -ESRCH);
	assert_false(process_is_child(pid, pidfd));
	close(pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_is_one_sentence),
		cmocka_unit_test(long_errors_are_cut_not_overrun),
		cmocka_unit_test(paths_are_cleaned),
		cmocka_unit_test(a_root_is_never_left),
		cmocka_unit_test(files_are_replaced_whole),
		cmocka_unit_test(trees_are_removed_without_following),
		cmocka_unit_test(deep_trees_are_removed),
		cmocka_unit_test(what_is_mounted_in_a_tree_is_spared),
		cmocka_unit_test(a_held_lock_is_seen),
		cmocka_unit_test(times_survive_their_text),
		cmocka_unit_test(digests_are_sha256),
		cmocka_unit_test(buffers_and_arenas_grow),
		cmocka_unit_test(the_loop_delivers_and_quits),
		cmocka_unit_test(children_are_named_by_pidfd),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
