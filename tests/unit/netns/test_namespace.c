/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/namespace.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "netns/network.h"
#include "sandbox.h"

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static int loopback_is_up(void *data)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo" };

	(void)data;
	return ioctl(fd, SIOCGIFFLAGS, &req) < 0 || !(req.ifr_flags & IFF_UP);
}

static void a_new_namespace_has_a_name_and_loopback(void **state)
{
	ino_t own = inode("/proc/self/ns/net");
	struct err err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(network_namespace_create(path, &err));
	assert_int_not_equal(inode(path), own);
	assert_int_equal(inode("/proc/self/ns/net"), own);
	assert_int_equal(sandbox_run_in(path, loopback_is_up, NULL), 0);
	assert_ok(network_namespace_remove(path, &err));
	assert_int_equal(access(path, F_OK), -1);
}

static void a_name_in_use_is_left_alone(void **state)
{
	struct err err = { 0 };
	char path[256];
	ino_t before;

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(network_namespace_create(path, &err));
	before = inode(path);
	assert_int_equal(network_namespace_create(path, &err), -EEXIST);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(inode(path), before);
	assert_ok(network_namespace_remove(path, &err));
}

static void a_missing_folder_is_named(void **state)
{
	struct err err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/none/ns", (char *)*state);
	assert_int_equal(network_namespace_create(path, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
}

static int create_without_proc(void *data)
{
	struct err err = { 0 };

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		return 1;
	if (network_namespace_create(data, &err) != -ENOENT || access(data, F_OK) == 0)
		return 2;
	return strstr(err.text, "mount network namespace on") ? 0 : 3;
}

static void failure_in_the_child_is_told_and_leaves_nothing(void **state)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_int_equal(sandbox_run_in(NULL, create_without_proc, path), 0);
}

static void removing_what_is_gone_is_fine(void **state)
{
	struct err err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(network_namespace_remove(path, &err));
	assert_ok(network_namespace_create(path, &err));
	assert_ok(network_namespace_remove(path, &err));
	assert_ok(network_namespace_remove(path, &err));
}

/* What a kill between the creation of the file and the mount leaves. */
static void a_name_without_a_mount_is_removed(void **state)
{
	struct err err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(file_replace(AT_FDCWD, path, "", 0, 0444, false, &err));
	assert_ok(network_namespace_remove(path, &err));
	assert_int_equal(access(path, F_OK), -1);
}

/* Another mount namespace, with a copy of the mount, as a container's set-up has for a moment. */
static void copies_of_the_mount_go_too(void **state)
{
	struct err err = { 0 };
	int ready[2], status;
	char path[256], buf[300], byte;
	_cleanup_free_ char *mounts = NULL;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(network_namespace_create(path, &err));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		unshare(CLONE_NEWNS);
		status = (int)write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_ok(network_namespace_remove(path, &err));
	snprintf(buf, sizeof(buf), "/proc/%d/mountinfo", pid);
	assert_ok(file_read(AT_FDCWD, buf, 1 << 20, &mounts, NULL, &err));
	assert_null(strstr(mounts, path));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ready[0]);
	close(ready[1]);
}

static void what_is_no_network_namespace_is_refused(void **state)
{
	struct err err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/file", (char *)*state);
	assert_ok(file_replace(AT_FDCWD, path, "", 0, 0444, false, &err));
	assert_int_equal(namespace_open(path, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is not a network namespace"));
	/* A namespace, but of another kind. */
	unlink(path);
	assert_ok(file_replace(AT_FDCWD, path, "", 0, 0444, false, &err));
	assert_int_equal(mount("/proc/self/ns/uts", path, NULL, MS_BIND, NULL), 0);
	assert_int_equal(namespace_open(path, &err), -EINVAL);
	assert_ok(network_namespace_remove(path, &err));
}

static void a_socket_is_of_the_namespace_it_was_made_in(void **state)
{
	ino_t own = inode("/proc/self/ns/net");
	_cleanup_fd_ int netns_fd = -1, fd = -1, of_socket = -1;
	struct err err = { 0 };
	struct stat st;
	char path[256];

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(network_namespace_create(path, &err));
	assert_ok(netns_fd = namespace_open(path, &err));
	assert_ok(fd = namespace_socket(netns_fd, AF_INET, SOCK_DGRAM, 0, &err));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	of_socket = ioctl(fd, SIOCGSKNS);
	assert_int_equal(fstat(of_socket, &st), 0);
	assert_int_equal(st.st_ino, inode(path));
	assert_int_equal(inode("/proc/self/ns/net"), own);
	assert_ok(network_namespace_remove(path, &err));
}

static void a_refusal_inside_is_told(void **state)
{
	_cleanup_fd_ int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(namespace_socket(fd, AF_INET, SOCK_DGRAM, 0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "enter the container's network namespace"));
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

/* Neither SIGCHLD for a child that the caller never made, nor a mask that stays changed. */
static void signals_of_the_caller_are_left_alone(void **state)
{
	struct err err = { 0 };
	sigset_t before, after;
	char path[256];

	signals = 0;
	signal(SIGCHLD, on_signal);
	sigprocmask(SIG_SETMASK, NULL, &before);
	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(network_namespace_create(path, &err));
	sigprocmask(SIG_SETMASK, NULL, &after);
	assert_memory_equal(&before, &after, 8);
	assert_int_equal(signals, 0);
	signal(SIGCHLD, SIG_IGN);
	assert_ok(network_namespace_remove(path, &err));
	assert_ok(network_namespace_create(path, &err));
	signal(SIGCHLD, SIG_DFL);
	assert_ok(network_namespace_remove(path, &err));
}

static int try_lock(void *data)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	(void)data;
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : 2;
}

static void the_lock_is_as_wide_as_the_namespace(void **state)
{
	struct err err = { 0 };
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/ns", (char *)*state);
	assert_ok(network_namespace_create(path, &err));
	assert_ok(fd = namespace_lock(&err));
	assert_int_equal(sandbox_run_in(NULL, try_lock, NULL), 1);
	assert_int_equal(sandbox_run_in(path, try_lock, NULL), 0);
	close(fd);
	assert_int_equal(sandbox_run_in(NULL, try_lock, NULL), 0);
	assert_ok(network_namespace_remove(path, &err));
}

#define with_folder(test) \
	cmocka_unit_test_setup_teardown(test, sandbox_make_folder, sandbox_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(a_new_namespace_has_a_name_and_loopback),
		with_folder(a_name_in_use_is_left_alone),
		with_folder(a_missing_folder_is_named),
		with_folder(failure_in_the_child_is_told_and_leaves_nothing),
		with_folder(removing_what_is_gone_is_fine),
		with_folder(a_name_without_a_mount_is_removed),
		with_folder(copies_of_the_mount_go_too),
		with_folder(what_is_no_network_namespace_is_refused),
		with_folder(a_socket_is_of_the_namespace_it_was_made_in),
		cmocka_unit_test(a_refusal_inside_is_told),
		with_folder(signals_of_the_caller_are_left_alone),
		with_folder(the_lock_is_as_wide_as_the_namespace),
	};

	sandbox_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
