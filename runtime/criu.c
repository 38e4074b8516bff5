/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/process.h"

#define MESSAGE_BYTES_MAX 65536
#define LOG_BYTES_MAX (64u << 20)

/* The caller's PATH does not count: we run as root. */
static const char *find_program(void)
{
	static const char *const paths[] = { "/usr/local/sbin/criu", "/usr/local/bin/criu",
					     "/usr/sbin/criu",	     "/usr/bin/criu",
					     "/sbin/criu",	     "/bin/criu" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* ---- the child ---- */

/* A mount of its own in a namespace of its own: nothing of it is left when criu is gone. */
static int mount_root(const char *root)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount(root, root, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return mount(NULL, root, NULL, MS_PRIVATE | MS_REC, NULL) < 0 ? -errno : 0;
}

/* The folder at path under the number that fd has. */
static int reopen(const char *path, int fd)
{
	int again = open(path, O_RDONLY | O_DIRECTORY);

	return again < 0 || dup2(again, fd) < 0 ? -1 : 0;
}

/*
 * criu opens folders by the descriptors of whoever made the socket, and mounts on them, which must
 * be in its own mount namespace: so the child makes the socket itself and sends us our end.
 */
static int move_away(const struct criu_call *call, int socket)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int pair[2];

	if (mount_root(call->root) < 0 ||
	    reopen(call->images_path, call->request->opts->images_dir_fd) < 0 ||
	    reopen(call->work_path, call->request->opts->work_dir_fd) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[0], sizeof(int));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) < 0 ? -1 : pair[1];
}

/* Of what is to end anyway nobody goes on writing when we are gone, or hang. */
static bool ends_with_us(const Criu__Request *request)
{
	return request->type == CRIU__TYPE__DUMP && !request->opts->leave_running;
}

static _Noreturn void child(const struct criu_call *call, const char *program, int socket,
			    pid_t parent)
{
	char number[16], *args[] = { (char[]){ "criu" }, (char[]){ "swrk" }, number, NULL };
	char *env[] = {
		(char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
		NULL
	};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < call->task_fds_count; i++)
		if (write(call->task_fds[i], "0", 1) < 0)
			_exit(1);
	for (size_t i = 0; i < call->keep_fds_count; i++)
		fcntl(call->keep_fds[i], F_SETFD, 0);
	if (call->root)
		socket = move_away(call, socket);
	if (socket < 0)
		_exit(1);
	fcntl(socket, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", socket);
	if (ends_with_us(call->request)) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	execve(program, args, env);
	_exit(127);
}

/* ---- messages ---- */

static int send_request(int socket, const Criu__Request *request, struct err *err)
{
	_cleanup_free_ uint8_t *data = malloc(criu__request__get_packed_size(request) + 1);
	size_t len;

	if (!data)
		return err_set(err, ENOMEM, "ask criu");
	len = criu__request__pack(request, data);
	if (send(socket, data, len, MSG_NOSIGNAL) < 0)
		return err_set(err, errno, "talk to criu");
	return 0;
}

/* Bytes, 0 at the end, or -errno. ret_fd: -1 or owned. */
static ssize_t receive_bytes(int socket, uint8_t *data, size_t size, int *ret_fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 && errno != ECONNRESET ? -errno : 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	return n;
}

/* NULL at the end, or with *ret_r below 0. ret_fd: -1 or owned. */
static Criu__Response *receive(int socket, int *ret_fd, int *ret_r, struct err *err)
{
	static uint8_t data[MESSAGE_BYTES_MAX];
	ssize_t n = receive_bytes(socket, data, sizeof(data), ret_fd);
	Criu__Response *response;

	*ret_r = n < 0 ? err_set(err, (int)-n, "hear from criu") : 0;
	if (n <= 0)
		return NULL;
	response = criu__response__unpack(NULL, (size_t)n, data);
	if (!response) {
		cleanup_fd(ret_fd);
		*ret_fd = -1;
		*ret_r = err_say(err, EPROTO, "criu said what nobody understands");
	}
	return response;
}

/* ---- why not ---- */

/* criu looks around before it begins, and calls an error what it then does without. */
static bool is_harmless(const char *text)
{
	return strncmp(text, "tun: ", 5) == 0 || strncmp(text, "rlimit: ", 8) == 0;
}

/* The first thing that went wrong: what follows it in the log are its consequences. Lines are
 * "(00.01) Error (criu/mount.c:1088): mnt: ...". */
static char *find_error(const char *log)
{
	while ((log = strstr(log, "Error ("))) {
		const char *text = strstr(log, "): ");

		if (!text)
			break;
		if (!is_harmless(text + 3))
			return strndup(text + 3, strcspn(text + 3, "\n"));
		log = text;
	}
	return NULL;
}

static int explain(const struct criu_call *call, const char *message, int status, struct err *err)
{
	_cleanup_free_ char *log = NULL, *line = NULL;

	if (file_read(call->work_fd, call->log, LOG_BYTES_MAX, &log, NULL, NULL) == 0)
		line = find_error(log);
	if (line)
		return err_say(err, EIO, "criu: %s (%s in the work folder tells more)", line,
			       call->log);
	if (message)
		return err_say(err, EIO, "criu: %s", message);
	return err_say(err, EIO,
		       "criu ended with status %d and without a word; `criu check` may tell why",
		       process_exit_code(status));
}

/* ---- the conversation ---- */

/* 1: go on. */
static int on_notify(const struct criu_call *call, int socket, const Criu__Response *said, int fd,
		     struct err *err)
{
	Criu__Request answer = CRIU__REQUEST__INIT;
	pid_t pid = said->notify && said->notify->has_pid ? said->notify->pid : 0;
	const char *step = said->notify && said->notify->script ? said->notify->script : "";
	int r = call->notify(call->data, step, pid, fd, err);

	answer.type = CRIU__TYPE__NOTIFY;
	answer.has_notify_success = 1;
	answer.notify_success = r >= 0;
	if (send_request(socket, &answer, r < 0 ? NULL : err) < 0 && r >= 0)
		return -err->code;
	return r < 0 ? r : 1;
}

/* 0: done; <0; ret_message: what criu said of its failure, owned; *ret_failed: it was criu's. */
static int converse(const struct criu_call *call, int socket, pid_t *ret_pid, char **ret_message,
		    bool *ret_failed, struct err *err)
{
	int first = 0;

	for (;;) {
		int fd, r;
		Criu__Response *said = receive(socket, &fd, &r, err);

		if (!said) {
			*ret_failed = r == 0 && first == 0;
			return first < 0 ? first : r;
		}
		if (said->type == CRIU__TYPE__NOTIFY) {
			r = on_notify(call, socket, said, fd, first < 0 ? NULL : err);
			criu__response__free_unpacked(said, NULL);
			if (r < 0 && first == 0)
				first = r;
			continue;
		}
		cleanup_fd(&fd);
		*ret_failed = !said->success && first == 0;
		if (said->cr_errmsg)
			*ret_message = strdup(said->cr_errmsg);
		if (said->success && said->restore && ret_pid)
			*ret_pid = said->restore->pid;
		criu__response__free_unpacked(said, NULL);
		return first;
	}
}

/* The end of its own socket that the child sends, in place of the one that we have. */
static int take_socket(int *socket, struct err *err)
{
	uint8_t byte;
	int fd;
	ssize_t n = receive_bytes(*socket, &byte, 1, &fd);

	if (n <= 0 || fd < 0)
		return err_say(err, EIO,
			       "criu could not be started in a mount namespace of its own");
	close(*socket);
	*socket = fd;
	return 0;
}

int criu_call(const struct criu_call *call, pid_t *ret_pid, struct err *err)
{
	const char *program = call->program ? call->program : find_program();
	_cleanup_fd_ int pidfd = -1, ours = -1, theirs = -1;
	_cleanup_free_ char *message = NULL;
	int pair[2], status = 0, r;
	pid_t parent = getpid();
	bool failed = false;
	struct err own = { 0 };
	pid_t pid;

	if (!err)
		err = &own;
	if (!program)
		return err_say(err, ENOTSUP,
			       "this takes the program criu, which is not installed (looked for in "
			       "/usr/local/sbin, /usr/sbin and their like)");
	if (access(program, X_OK) < 0)
		return err_set(err, errno, "criu at %s", program);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = process_clone(0, call->cgroup_fd, &pidfd);
	if (pid == 0)
		child(call, program, theirs, parent);
	if (pid < 0)
		return err_set(err, -pid, "start criu");
	close(take_fd(&theirs));
	r = call->root ? take_socket(&ours, err) : 0;
	if (r == 0)
		r = send_request(ours, call->request, err);
	if (r == 0)
		r = converse(call, ours, ret_pid, &message, &failed, err);
	close(take_fd(&ours));
	if (process_wait(pidfd, &status) < 0 && r == 0)
		return err_set(err, ECHILD, "wait for criu");
	return failed ? explain(call, message, status, err) : r;
}
