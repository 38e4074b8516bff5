/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/ps_table.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define OUTPUT_BYTES_MAX (64u << 20)

extern char **environ;

static int run_ps(char **options, size_t count, char **ret, struct err *err)
{
	_cleanup_free_ char **words = calloc(count + 2, sizeof(*words));
	posix_spawn_file_actions_t actions;
	_cleanup_fd_ int out = -1;
	int pipe_fds[2], r, status = 0;
	pid_t pid;

	if (!words)
		return err_set(err, ENOMEM, "run ps");
	words[0] = (char *)"ps";
	memcpy(words + 1, options, count * sizeof(*words));
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	out = pipe_fds[0];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	r = posix_spawnp(&pid, "ps", &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[1]);
	if (r != 0)
		return err_set(err, r, "run ps");
	r = fd_read_all(out, OUTPUT_BYTES_MAX, ret, NULL, err);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == 0 && status != 0) {
		free(take_ptr(*ret));
		return err_say(err, EINVAL, "ps ended with status %d",
			       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	return r;
}

/* The index of the column with that title, or -1. */
static int find_column(const char *line, const char *title)
{
	size_t len = strlen(title);

	for (int i = 0;; i++) {
		line += strspn(line, " \t");
		if (!*line || *line == '\n')
			return -1;
		if (strcspn(line, " \t\n") == len && memcmp(line, title, len) == 0)
			return i;
		line += strcspn(line, " \t\n");
	}
}

static bool is_shown(const char *line, int column, const pid_t *pids, size_t count)
{
	char *end;
	long pid;

	for (; column > 0; column--) {
		line += strspn(line, " \t");
		line += strcspn(line, " \t");
	}
	line += strspn(line, " \t");
	pid = strtol(line, &end, 10);
	for (size_t i = 0; end != line && i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

int ps_table_print(char **options, size_t options_count, const pid_t *pids, size_t pids_count,
		   struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char *line, *next;
	int column, r = run_ps(options, options_count, &text, err);

	if (r < 0)
		return r;
	column = find_column(text, "PID");
	if (column < 0)
		return err_say(err, EINVAL, "the options of ps leave out the PID column");
	for (line = text; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		if (line == text || is_shown(line, column, pids, pids_count))
			puts(line);
	}
	return 0;
}
