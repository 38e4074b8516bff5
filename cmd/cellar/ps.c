/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container, with their pids as the host sees them. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

/* What /proc tells of a process, times in ticks of the clock. */
struct process {
	char state;
	int ppid, tty;
	unsigned long long user, system, start;
};

/* The account's name as ps shows it: a long one, or one that passwd lacks, as a number. Reads the
 * file itself: a static program has no name service. */
static void print_user(uid_t uid)
{
	_cleanup_file_ FILE *f = fopen("/etc/passwd", "re");
	struct passwd *entry;

	while (f && (entry = fgetpwent(f))) {
		if (entry->pw_uid == uid && strlen(entry->pw_name) <= 8) {
			printf("%-8s ", entry->pw_name);
			return;
		}
	}
	printf("%-8u ", uid);
}

/* "14:05" of today, else "Nov23", else the year. */
static void print_start(time_t start)
{
	time_t now = time(NULL);
	struct tm then, today;
	char text[16];

	localtime_r(&start, &then);
	localtime_r(&now, &today);
	strftime(text, sizeof(text),
		 then.tm_year != today.tm_year	 ? " %Y"
		 : then.tm_yday != today.tm_yday ? "%b%d"
						 : "%H:%M",
		 &then);
	printf("%5s ", text);
}

static void print_tty(int tty)
{
	unsigned number = (unsigned)((tty & 0xff) | (tty >> 12 & 0xfff00)),
		 class = tty >> 8 & 0xfff;
	char text[24] = "?";

	if (class >= 136 && class <= 143)
		snprintf(text, sizeof(text), "pts/%u", (class - 136) * 256 + number);
	else if (class == 4 && number < 64)
		snprintf(text, sizeof(text), "tty%u", number);
	printf("%-8s ", text);
}

/* A row as that of `ps -ef`. A process that ended meanwhile is left out. */
static void print_row(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	unsigned long long hz = (unsigned long long)sysconf(_SC_CLK_TCK), ticks, seconds;
	struct process p;
	struct timespec up;
	const char *rest;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read(AT_FDCWD, path, 4096, &text, NULL, NULL) < 0 || stat(path, &st) < 0)
		return;
	rest = strrchr(text, ')');
	if (!rest ||
	    sscanf(rest + 1,
		   " %c %d %*d %*d %d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d "
		   "%*d %llu",
		   &p.state, &p.ppid, &p.tty, &p.user, &p.system, &p.start) != 6)
		return;
	clock_gettime(CLOCK_BOOTTIME, &up);
	ticks = (unsigned long long)up.tv_sec * hz;
	ticks = ticks > p.start ? ticks - p.start : 0;
	seconds = (p.user + p.system) / hz;
	print_user(st.st_uid);
	printf("%7d %7d %2llu ", pid, p.ppid, ticks ? (p.user + p.system) * 100 / ticks % 100 : 0);
	print_start(time(NULL) - (time_t)(ticks / hz));
	print_tty(p.tty);
	printf("%02llu:%02llu:%02llu ", seconds / 3600, seconds / 60 % 60, seconds % 60);
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
		return err_say(err, EINVAL, "--format: invalid format option '%s' (table, json)",
			       a.format);
	err_try(container_open(globals->root, args[0], &c, err));
	count = 0;
	if (container_cgroup(c))
		err_try(container_pids(c, &pids, &count, err));
	if (words > 1 && strcmp(a.format, "table") == 0)
		return ps_table_print(args + 1, words - 1, pids, count, err);
	if (strcmp(a.format, "table") == 0)
		puts("UID          PID    PPID  C STIME TTY          TIME CMD");
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
