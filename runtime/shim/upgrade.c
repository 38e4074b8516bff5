/* SPDX-License-Identifier: Apache-2.0 */
/* The old program's side of a live upgrade: the message goes, and the new program comes. */
#include "runtime/shim/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/upgrade_save.h"

#define STATE_MAX (64u << 20)
#define CHECK_MS 5000
#define ARGS_MAX 64
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

extern char **environ;

static int write_state(const Upgrade__State *state, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	_cleanup_fd_ int fd = memfd_create("cellar-shim", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return err_set(err, errno, "make room for the state of the shim");
	proto_pack(state, &text);
	r = strbuf_ok(&text) ? fd_write_all(fd, text.data, text.len) : -ENOMEM;
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	return r < 0 ? err_set(err, -r, "write the state of the shim") : take_fd(&fd);
}

int upgrade_load(int fd, Upgrade__State **ret, struct err *err)
{
	_cleanup_proto_ Upgrade__State *state = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r, seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS || lseek(fd, 0, SEEK_SET) < 0)
		return err_say(err, EBADF, "descriptor %d holds no state of a shim", fd);
	r = fd_read_all(fd, STATE_MAX, &text, &len, err);
	if (r == 0)
		r = proto_unpack(&upgrade__state__descriptor, text, len, &state, err);
	if (r < 0)
		return err_add(err, "read the state of the shim");
	if (state->version != UPGRADE_VERSION || (!state->init && !state->n_tasks))
		return err_say(err, EPROTO,
			       "the shim's state has version %u, and this program knows %u",
			       state->version, UPGRADE_VERSION);
	*ret = take_ptr(state);
	return 0;
}

/* ---- the new program ---- */

struct args {
	char text[8192], number[16];
	char *argv[ARGS_MAX + 4];
	size_t action; /* where it stands */
};

/* As we were started, but for what concerned that start. */
static int make_args(struct args *a, const char *binary, int fd, struct err *err)
{
	_cleanup_fd_ int self = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = self < 0 ? -1 : read(self, a->text, sizeof(a->text) - 1);
	size_t count = 0;

	if (n <= 0 || n == (ssize_t)sizeof(a->text) - 1)
		return err_say(err, E2BIG, "the shim's command line cannot be read");
	a->text[n] = '\0';
	snprintf(a->number, sizeof(a->number), "%d", fd);
	for (char *word = a->text; word < a->text + n && count < ARGS_MAX;
	     word += strlen(word) + 1) {
		if (strcmp(word, "-upgrade") == 0)
			word += strlen(word) + 1;
		else if (strcmp(word, "-adopt") != 0 && strcmp(word, "start") != 0)
			a->argv[count++] = word;
	}
	a->argv[0] = (char *)(uintptr_t)binary;
	a->argv[count++] = (char *)"-upgrade";
	a->argv[count++] = a->number;
	a->action = count;
	a->argv[count++] = (char *)"check";
	return 0;
}

static _Noreturn void run_check(const struct args *a, int fd)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fcntl(fd, F_SETFD, 0);
	execve(a->argv[0], a->argv, environ);
	_exit(127);
}

/* The loop stands still meanwhile: some milliseconds. */
static int check(const struct args *a, int fd, struct err *err)
{
	_cleanup_fd_ int pidfd = -1;
	pid_t pid = process_clone(0, -1, &pidfd);
	int status = 0, r;

	if (pid < 0)
		return err_set(err, -pid, "try %s", a->argv[0]);
	if (pid == 0)
		run_check(a, fd);
	r = poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, CHECK_MS);
	if (r <= 0)
		process_pidfd_signal(pidfd, SIGKILL);
	process_wait(pidfd, &status);
	if (r <= 0)
		return err_say(err, ETIMEDOUT, "%s does not answer", a->argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_say(err, ENOEXEC, "%s cannot take over from this shim", a->argv[0]);
	return 0;
}

static int execute(const Upgrade__State *state, const char *binary, struct err *err)
{
	_cleanup_fd_ int fd = write_state(state, err);
	struct args args = { 0 };
	int r;

	if (fd < 0)
		return fd;
	r = make_args(&args, binary, fd, err);
	if (r == 0)
		r = check(&args, fd, err);
	if (r < 0)
		return r;
	args.argv[args.action] = (char *)"start";
	upgrade_pass_fds(state, true);
	fcntl(fd, F_SETFD, 0);
	execve(binary, args.argv, environ);
	r = err_set(err, errno, "execute %s", binary);
	upgrade_pass_fds(state, false);
	return r;
}

static bool is_at_rest(const struct task *task)
{
	const struct process *init = &task->init;
	bool ended = init->status == PROCESS_STOPPED && init->reported && task->durable;

	return (init->status == PROCESS_RUNNING || ended) && !task->work && !init->starting &&
	       !task->restart.pending && !task->restart.asking && !task->adopted;
}

static int check_rest(const struct shim *shim, struct err *err)
{
	const struct task *first = shim->tasks;

	if (!first)
		return err_say(err, shim->creating ? EBUSY : EINVAL, "the shim holds no container");
	for (const struct task *task = first; task; task = task->next) {
		if (!task->durable && (!task->io_dir || first->next))
			return err_say(err, EINVAL,
				       "only shims of containerd and of containers of ctr can be "
				       "upgraded");
		if (shim->ending || shim->unlisted || shim->creating || !is_at_rest(task))
			return err_say(err, EBUSY,
				       "container %s is being started, restarted or ended",
				       task->id);
	}
	return 0;
}

static int run(struct shim *shim, struct err *err)
{
	struct upgrade_saved saved = { 0 };
	int r = check_rest(shim, err);

	if (r < 0)
		return r;
	r = upgrade_save(shim, &saved);
	if (r < 0)
		err_say(err, -r, "a process of container %s is being started or ended",
			shim->tasks->id);
	else
		r = execute(&saved.state, shim->upgrade_binary, err);
	upgrade_unsave(&saved);
	return r;
}

static int on_turn(void *data)
{
	struct shim *shim = data;
	struct err err = { 0 };
	int r;

	shim->upgrade_turn = NULL;
	r = run(shim, &err);
	log_warn("the shim goes on as it is: %s", err.text);
	free(take_ptr(shim->upgrade_binary));
	rpc_fail(take_ptr(shim->upgrade), r == -EBUSY ? TTRPC_FAILED_PRECONDITION : TTRPC_UNKNOWN,
		 &err);
	return 0;
}

int upgrade_begin(struct shim *shim, const char *binary, struct rpc_call *call, struct err *err)
{
	int r = check_rest(shim, err);

	if (r < 0)
		return r;
	if (shim->upgrade)
		return err_say(err, EBUSY, "the shim is being upgraded");
	if (binary[0] != '/' || access(binary, X_OK) < 0)
		return err_say(err, EINVAL, "%s is no program that can be executed", binary);
	shim->upgrade_binary = strdup(binary);
	/* Behind all that is under way in this round. */
	if (!shim->upgrade_binary || loop_add_time(shim->loop, clock_monotonic_ns(), on_turn, shim,
						   &shim->upgrade_turn, NULL) < 0) {
		free(take_ptr(shim->upgrade_binary));
		return err_set(err, ENOMEM, "upgrade the shim");
	}
	shim->upgrade = call;
	return 0;
}
