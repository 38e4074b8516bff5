/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container, with their pids as the host sees them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>

#include "base/fd.h"
#include "cmd/cellar/ps_table.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

struct args {
	const char *format;
};

static const struct option_entry options[] = {
	OPTION_STRING(struct args, format, 'f', "format", "table|json", "form (default table)"),
	OPTION_END,
};

/* The command line with blanks for its NULs; "[name]" where it has none, as ps shows it. */
static void print_command(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	if (file_read(AT_FDCWD, path, 1 << 16, &text, &len, NULL) == 0 && len > 0) {
		for (size_t i = 0; i + 1 < len; i++)
			putchar((unsigned char)text[i] < ' ' ? ' ' : text[i]);
		putchar('\n');
		return;
	}
	free(take_ptr(text));
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (file_read(AT_FDCWD, path, 256, &text, &len, NULL) == 0 && len > 0)
		printf("[%.*s]\n", (int)len - 1, text);
	else
		putchar('\n');
}

/* A process that ended meanwhile is left out. */
static void print_row(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	const char *rest;
	char path[64], state;
	struct stat st;
	int ppid;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read(AT_FDCWD, path, 4096, &text, NULL, NULL) < 0 || stat(path, &st) < 0)
		return;
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %c %d", &state, &ppid) != 2)
		return;
	printf("%-10u%-10d%-10d%-6c", st.st_uid, pid, ppid, state);
	print_command(pid);
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	struct args a = { .format = "table" };
	char **args;
	size_t count, words;
	int r = verb_parse(&verb_ps, argc, argv, &a, &args, &words, err);

	if (r != 0)
		return r;
	if (strcmp(a.format, "table") != 0 && strcmp(a.format, "json") != 0)
		return err_say(err, EINVAL, "--format: '%s' is neither table nor json", a.format);
	err_try(container_open(globals->root, args[0], &c, err));
	count = 0;
	if (container_cgroup(c))
		err_try(container_pids(c, &pids, &count, err));
	if (words > 1 && strcmp(a.format, "table") == 0)
		return ps_table_print(args + 1, words - 1, pids, count, err);
	if (strcmp(a.format, "table") == 0)
		puts("UID       PID       PPID      STATE CMD");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(a.format, "json") == 0)
			printf("%s%d", i ? "," : "[", pids[i]);
		else
			print_row(pids[i]);
	}
	if (strcmp(a.format, "json") == 0)
		puts(count ? "]" : "[]");
	return 0;
}

const struct verb verb_ps = {
	.command = { .name = "cellar ps",
		     .args = "ID [OPTION OF PS...]",
		     .summary = "list the processes of a container",
		     .details = "Options behind the id go to ps(1): cellar ps web -o pid,rss,args",
		     .options = options,
		     .flags = OPTIONS_SINGLE_DASH | OPTIONS_STOP_AT_ARG,
		     .args_min = 1,
		     .args_max = SIZE_MAX },
	.run = run,
};
