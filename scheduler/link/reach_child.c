/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/reach_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/process.h"
#include "base/program.h"

#define WORDS 16 /* of ctr's own */

struct plan {
	struct arena *arena;
	struct json_node root;
	const char **argv;
	size_t count;
	bool interactive, tty;
	struct winsize size;
};

/* Ends of the child's, which are closed here when it has them. */
struct ends {
	int in, out, err;
};

static void close_ends(struct ends *ends)
{
	if (ends->err != ends->out)
		cleanup_fd(&ends->err);
	if (ends->out != ends->in)
		cleanup_fd(&ends->out);
	cleanup_fd(&ends->in);
}

/* ---- what is called ---- */

static void add(struct plan *plan, const char *word)
{
	plan->argv[plan->count++] = word;
}

static void add_flag(struct plan *plan, const char *key)
{
	bool is_set = false;

	json_get_bool(&plan->root, key, &is_set, NULL);
	if (is_set)
		add(plan, arena_printf(plan->arena, "--%s", key));
}

/* In one word, so that no value is taken for an option. */
static void add_value(struct plan *plan, const char *key)
{
	const char *text = NULL;

	json_get_string(&plan->root, key, plan->arena, &text, NULL);
	if (text)
		add(plan, arena_printf(plan->arena, "--%s=%s", key, text));
}

static int make_plan(struct plan *plan, const char *root, const char *runroot, struct err *err)
{
	const char *container = NULL, *const *command = NULL;
	int64_t rows = 0, columns = 0;
	size_t count = 0;

	err_try(json_object(&plan->root, err));
	err_try(json_need(json_get_string(&plan->root, "container", plan->arena, &container, err),
			  &plan->root, "container", err));
	err_try(json_get_strings(&plan->root, "command", plan->arena, &command, &count, err));
	err_try(json_get_bool(&plan->root, "interactive", &plan->interactive, err));
	err_try(json_get_bool(&plan->root, "tty", &plan->tty, err));
	err_try(json_get_range(&plan->root, "rows", 0, UINT16_MAX, &rows, err));
	err_try(json_get_range(&plan->root, "columns", 0, UINT16_MAX, &columns, err));
	plan->size = (struct winsize){ .ws_row = (unsigned short)rows,
				       .ws_col = (unsigned short)columns };
	plan->argv = arena_calloc(plan->arena, count + WORDS + 1, sizeof(*plan->argv));
	if (!plan->argv)
		return err_set(err, ENOMEM, "read what is asked for");
	add(plan, "ctr");
	if (root)
		add(plan, arena_printf(plan->arena, "--root=%s", root));
	if (runroot)
		add(plan, arena_printf(plan->arena, "--runroot=%s", runroot));
	add(plan, command ? "exec" : "logs");
	add_flag(plan, "follow");
	add_flag(plan, "timestamps");
	add_value(plan, "tail");
	add_value(plan, "since");
	add_flag(plan, "interactive");
	add_flag(plan, "tty");
	add_value(plan, "user");
	add_value(plan, "workdir");
	add(plan, container);
	for (size_t i = 0; i < count; i++)
		add(plan, command[i]);
	for (size_t i = 0; i < plan->count; i++)
		if (!plan->argv[i])
			return err_set(err, ENOMEM, "read what is asked for");
	return 0;
}

/* ---- its stdio ---- */

static int make_pipe(int *ret_read, int *ret_write, bool ours_is_read)
{
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = fcntl(fds[ours_is_read ? 0 : 1], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	*ret_read = fds[0];
	*ret_write = fds[1];
	return r;
}

static int make_pipes(const struct plan *plan, struct reach_child *child, struct ends *ends)
{
	int r = make_pipe(&child->stdout_fd, &ends->out, true);

	if (r == 0)
		r = make_pipe(&child->stderr_fd, &ends->err, true);
	if (r == 0 && plan->interactive)
		r = make_pipe(&ends->in, &child->stdin_fd, false);
	else if (r == 0 && (ends->in = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	return r;
}

/* Raw: what is typed and written is for the terminal inside the container to treat. */
static int make_terminal(const struct plan *plan, struct reach_child *child, struct ends *ends)
{
	struct termios raw;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), end;

	if (fd < 0)
		return -errno;
	child->stdout_fd = fd;
	if (grantpt(fd) < 0 || unlockpt(fd) < 0)
		return -errno;
	end = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (end < 0)
		return -errno;
	*ends = (struct ends){ end, end, end };
	if (tcgetattr(end, &raw) < 0)
		return -errno;
	cfmakeraw(&raw);
	if (tcsetattr(end, TCSANOW, &raw) < 0)
		return -errno;
	if (plan->size.ws_row && plan->size.ws_col)
		ioctl(fd, TIOCSWINSZ, &plan->size);
	/* The loop watches each direction by a descriptor of its own. */
	child->stdin_fd = plan->interactive ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
	return plan->interactive && child->stdin_fd < 0 ? -errno : 0;
}

/* ---- its life ---- */

static void run(const char *program, const struct plan *plan, const struct ends *ends)
{
	sigset_t none;

	setsid();
	if (plan->tty)
		ioctl(ends->in, TIOCSCTTY, 0);
	if (dup2(ends->in, STDIN_FILENO) < 0 || dup2(ends->out, STDOUT_FILENO) < 0 ||
	    dup2(ends->err, STDERR_FILENO) < 0)
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program, (char *const *)(uintptr_t)plan->argv);
	_exit(127);
}

static int start(const struct plan *plan, struct reach_child *child, struct err *err)
{
	struct ends ends = { -1, -1, -1 };
	char program[PATH_MAX];
	int r;

	err_try(program_find("ctr", program, err));
	r = plan->tty ? make_terminal(plan, child, &ends) : make_pipes(plan, child, &ends);
	if (r == 0) {
		child->pid = process_clone(0, -1, &child->pidfd);
		if (child->pid == 0)
			run(program, plan, &ends);
		r = child->pid < 0 ? (int)child->pid : 0;
	}
	close_ends(&ends);
	return r < 0 ? err_set(err, -r, "start %s", program) : 0;
}

int reach_child_start(const char *root, const char *runroot, const char *task, size_t len,
		      struct reach_child *ret, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct reach_child child = REACH_CHILD_NONE;
	struct plan plan = { .arena = arena };
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read what is asked for");
	err_try(json_parse(task, len, &doc, err));
	plan.root = json_root(doc);
	err_try(make_plan(&plan, root, runroot, err));
	child.terminal = plan.tty;
	r = start(&plan, &child, err);
	if (r < 0)
		reach_child_deinit(&child);
	else
		*ret = child;
	return r;
}

void reach_child_resize(const struct reach_child *child, const char *window)
{
	struct winsize size = { 0 };

	if (child->terminal && child->stdout_fd >= 0 &&
	    sscanf(window, "%hu %hu", &size.ws_row, &size.ws_col) == 2)
		ioctl(child->stdout_fd, TIOCSWINSZ, &size);
}

void reach_child_deinit(struct reach_child *child)
{
	cleanup_fd(&child->pidfd);
	cleanup_fd(&child->stdin_fd);
	cleanup_fd(&child->stdout_fd);
	cleanup_fd(&child->stderr_fd);
}
