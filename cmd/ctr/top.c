/* SPDX-License-Identifier: Apache-2.0 */
/* ctr top: the processes of a container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/ctr/table.h"
#include "cmd/ctr/verbs.h"
#include "runtime/shim/client.h"

#define COMMAND_MAX 4096

/* argv with spaces, or "[name]" where there is none; nothing in it moves a cursor. */
static void read_command(pid_t pid, const char *name, char buf[static COMMAND_MAX])
{
	_cleanup_fd_ int fd = -1;
	ssize_t n = -1;

	snprintf(buf, COMMAND_MAX, "/proc/%d/cmdline", pid);
	fd = open(buf, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, buf, COMMAND_MAX - 1);
	if (n <= 0)
		n = snprintf(buf, COMMAND_MAX, "[%s]", name);
	buf[n] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)buf[i] < ' ' || buf[i] == 0x7f)
			buf[i] = buf[i] || i == n - 1 ? (buf[i] ? '?' : '\0') : ' ';
}

/* One that has ended meanwhile is left out. */
static void add_row(struct table *table, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64], state, command[COMMAND_MAX], *name, *end;
	unsigned long user, system;
	struct stat st;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (stat(path, &st) < 0 || file_read(AT_FDCWD, path, 65536, &text, NULL, NULL) < 0)
		return;
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end ||
	    sscanf(end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &parent,
		   &user, &system) != 4)
		return;
	*end = '\0';
	read_command(pid, name + 1, command);
	user = (user + system) / (unsigned long)sysconf(_SC_CLK_TCK);
	table_add(table, "%d", pid);
	table_add(table, "%d", parent);
	table_add(table, "%u", st.st_uid);
	table_add(table, "%c", state);
	table_add(table, "%lu:%02lu:%02lu", user / 3600, user / 60 % 60, user % 60);
	table_add(table, "%s", command);
}

static int print(const pid_t *pids, size_t count, struct err *err)
{
	static const char *const head[] = { "PID", "PPID", "UID", "STATE", "TIME", "COMMAND" };
	_cleanup_table_ struct table table = { .columns = ARRAY_SIZE(head) };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(head); i++)
		r = table_add(&table, "%s", head[i]);
	for (size_t i = 0; i < count; i++)
		add_row(&table, pids[i]);
	if (r < 0)
		return err_set(err, ENOMEM, "list processes");
	table_print(&table, stdout);
	return 0;
}

static int top_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	char **words;
	size_t count;
	int r = options_parse(&verb_top.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_find(engine, words[0], &c, err);
	if (r == 0)
		r = engine_connect(engine, c, &client, err);
	if (r == 0)
		r = shim_pids(client, c->id, &pids, &count, err);
	return r < 0 ? r : print(pids, count, err);
}

static const struct option_entry top_options[] = { OPTION_END };

const struct verb verb_top = {
	.command = {
		.name = "ctr top",
		.args = "CONTAINER",
		.summary = "list the processes of a container",
		.details = "Numbers are the host's.\n\n"
			   "Examples:\n"
			   "  ctr top web",
		.options = top_options,
		.args_min = 1,
		.args_max = 1,
	},

	.run = top_verb,
};
