/* SPDX-License-Identifier: Apache-2.0 */
/* ctr cell status, top, backup, restore. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/cellar-cell/verbs.h"

#define DASHBOARD_ADDRESS_MAX 4096
#define CLEAR "\033[H\033[2J"

struct cell_args {
	struct verb_args common;
	int64_t times;
};

static const struct option_entry output_options[] = {
	OUTPUT_OPTION(struct cell_args),
	OPTION_END,
};

/* ---- status ---- */

static int64_t share_of(const struct json_node *root, const char *used, const char *all)
{
	int64_t of = cell_number(root, all);

	return of ? cell_number(root, used) * 100 / of : 0;
}

static void print_status(const struct ask *ask, const struct json_node *root)
{
	struct json_node machines = *root, tasks = *root;

	json_get_object(root, "machines", &machines, NULL);
	json_get_object(root, "tasks", &tasks, NULL);
	printf("master since %s, epoch %" PRId64 "\n",
	       print_time(ask, cell_number(root, "started_ms")), cell_number(root, "epoch"));
	printf("machines: %" PRId64 " up, %" PRId64 " cordoned, %" PRId64 " draining, %" PRId64
	       " down\n",
	       cell_number(&machines, "up"), cell_number(&machines, "cordoned"),
	       cell_number(&machines, "draining"), cell_number(&machines, "down"));
	printf("%" PRId64 " jobs, %" PRId64 " alloc sets\n", cell_number(root, "jobs"),
	       cell_number(root, "alloc_sets"));
	printf("tasks: %" PRId64 " running, %" PRId64 " starting, %" PRId64 " pending, %" PRId64
	       " paused, %" PRId64 " over\n",
	       cell_number(&tasks, "running"), cell_number(&tasks, "starting"),
	       cell_number(&tasks, "pending"), cell_number(&tasks, "paused"),
	       cell_number(&tasks, "over"));
	printf("promised: CPU %s of %s (%" PRId64 " %%), memory %s of %s (%" PRId64 " %%)\n",
	       print_cpu(ask, cell_number(root, "cpu_used_milli")),
	       print_cpu(ask, cell_number(root, "cpu_milli")),
	       share_of(root, "cpu_used_milli", "cpu_milli"),
	       print_bytes(ask, cell_number(root, "memory_used_bytes")),
	       print_bytes(ask, cell_number(root, "memory_bytes")),
	       share_of(root, "memory_used_bytes", "memory_bytes"));
}

static int status(const struct ask *ask, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	bool ready = false;

	err_try(cell_ask(ask, "GET", "/v1/cell", NULL, 0, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	print_status(ask, &root);
	json_get_bool(&root, "ready", &ready, NULL);
	if (!ready)
		puts("the store does not take what is decided: nothing new starts");
	return 0;
}

const struct verb verb_cell_status = {
	.command = {
		.name = "ctr cell status",
		.summary = "show the cell as a whole",
		.options = output_options,
	},
	.run = status,
};

/* ---- top ---- */

static int compare_used(const void *a, const void *b)
{
	const struct json_node *x = a, *y = b;
	int64_t n = cell_number(x, "cpu_milli") - cell_number(x, "cpu_free_milli"),
		m = cell_number(y, "cpu_milli") - cell_number(y, "cpu_free_milli");

	return n < m ? 1 : n > m ? -1 : 0;
}

#define BAR 20

static void print_bar(const char *what, int64_t free, int64_t all)
{
	int64_t used = all ? (all - free) * 100 / all : 0;

	printf(" %s [", what);
	for (int64_t i = 0; i < BAR; i++)
		putchar(i < used * BAR / 100 ? '#' : '.');
	printf("] %3" PRId64 "%%", used);
}

static int print_machines(const struct ask *ask, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, *rows;
	size_t count;

	err_try(cell_ask(ask, "GET", "/v1/machines", NULL, 0, &doc, err));
	root = json_root(doc);
	count = json_count(&root);
	rows = arena_calloc(ask->arena, count + 1, sizeof(*rows));
	if (!rows)
		return err_set(err, ENOMEM, "list the machines");
	for (size_t i = 0; i < count; i++)
		rows[i] = json_at(&root, i);
	qsort(rows, count, sizeof(*rows), compare_used);
	for (size_t i = 0; i < count && i < 40; i++) {
		printf("%-20s %-9s", cell_text(ask, &rows[i], "name"),
		       cell_text(ask, &rows[i], "state"));
		print_bar("CPU", cell_number(&rows[i], "cpu_free_milli"),
			  cell_number(&rows[i], "cpu_milli"));
		print_bar("memory", cell_number(&rows[i], "memory_free_bytes"),
			  cell_number(&rows[i], "memory_bytes"));
		printf(" %3" PRId64 " tasks\n", cell_number(&rows[i], "tasks"));
	}
	return 0;
}

/* Again whenever something has happened, at least each minute. */
static int top(const struct ask *ask, struct err *err)
{
	const struct cell_args *args = ask->args;
	int64_t times = args->times ? args->times : isatty(STDOUT_FILENO) ? INT64_MAX : 1;
	char path[96] = "/v1/cell";

	for (int64_t i = 0; i < times; i++) {
		_cleanup_json_ struct json_doc *doc = NULL;
		struct json_node root;

		err_try(cell_ask(ask, "GET", path, NULL, 0, &doc, err));
		root = json_root(doc);
		fputs(isatty(STDOUT_FILENO) ? CLEAR : i ? "\n" : "", stdout);
		print_status(ask, &root);
		puts("");
		err_try(print_machines(ask, err));
		fflush(stdout);
		snprintf(path, sizeof(path), "/v1/cell?wait=60&index=%" PRId64,
			 cell_number(&root, "index"));
	}
	return 0;
}

static const struct option_entry top_options[] = {
	OPTION_INT(struct cell_args, times, 'n', "times", 1, 1000000, "N",
		   "show it so often, then end (default: once, on a terminal until it is ended)"),
	OPTION_END,
};

const struct verb verb_cell_top = {
	.command = {
		.name = "ctr cell top",
		.summary = "show what is promised on each machine, as it changes",
		.options = top_options,
	},
	.args_size = sizeof(struct cell_args),
	.run = top,
};

/* ---- backup ---- */

static int write_some(void *data, const char *bytes, size_t len)
{
	return fd_write_all(*(int *)data, bytes, len);
}

/* Beside its place first, so that there is never half of one there. */
static int backup(const struct ask *ask, struct err *err)
{
	const char *path = ask->words[0];
	char *beside = arena_printf(ask->arena, "%s.part", path);
	_cleanup_fd_ int fd = -1;
	int r;

	if (!beside)
		return err_set(err, ENOMEM, "back up the cell");
	if (access(path, F_OK) == 0)
		return err_say(err, EEXIST, "%s is there already", path);
	unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "write %s", beside);
	r = cell_ask_stream(ask, "/v1/cell/backup", 0, write_some, &fd, err);
	if (r == 0 && (fsync(fd) < 0 || rename(beside, path) < 0))
		r = err_set(err, errno, "write %s", path);
	if (r < 0) {
		unlink(beside);
		return r;
	}
	puts(path);
	return 0;
}

static const struct option_entry no_options[] = { OPTION_END };

const struct verb verb_cell_backup = {
	.command = {
		.name = "ctr cell backup",
		.args = "FILE",
		.summary = "copy all that the cell remembers to a new file",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = backup,
};

/* ---- restore ---- */

/* SQLite is in celld. */
static int restore(const struct ask *ask, struct err *err)
{
	const char *command[8] = { "celld", "restore" };
	size_t n = 2;

	if (ask->cell->root) {
		command[n++] = "--root";
		command[n++] = ask->cell->root;
	}
	if (ask->cell->runroot) {
		command[n++] = "--runroot";
		command[n++] = ask->cell->runroot;
	}
	command[n++] = ask->words[0];
	return cell_exec(ask, "celld", command, err);
}

const struct verb verb_cell_restore = {
	.command = {
		.name = "ctr cell restore",
		.args = "FILE",
		.summary = "put a backup in the place of the cell's store",
		.details = "On the master's host, while no celld is at work there. The backup is checked\n"
			   "first, and the store replaced at once or not at all.",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = restore,
};

/* ---- dashboard ---- */

static int dashboard(const struct ask *ask, struct err *err)
{
	const char *runroot = ask->cell->runroot ? ask->cell->runroot : RUNROOT_DEFAULT;
	_cleanup_free_ char *address = NULL;
	char path[PATH_MAX];
	size_t len;
	int r;

	if (snprintf(path, sizeof(path), "%s/dashboard", runroot) >= PATH_MAX)
		return err_say(err, ENAMETOOLONG, "the path of --runroot is too long");
	r = file_read(AT_FDCWD, path, DASHBOARD_ADDRESS_MAX, &address, &len, err);
	if (r == -ENOENT)
		return err_say(err, ENOENT,
			       "no dashboard is served here; start celld with --dashboard PORT");
	if (r < 0)
		return r;
	fputs(address, stdout);
	return 0;
}

const struct verb verb_cell_dashboard = {
	.command = {
		.name = "ctr cell dashboard",
		.summary = "print the dashboard's address, for a browser on the master's host",
		.details = "The address has a secret in it, which lets its reader see the cell.",
		.options = no_options,
	},
	.run = dashboard,
};
