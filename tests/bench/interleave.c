/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs commands by turns, so that a slow moment of the machine hits all of them alike.
 *
 *	interleave N GAP_MS NAME=COMMAND...
 *
 * Each command runs N times after two warm-ups, in an order shuffled every round, after GAP_MS of
 * idle; "@" in a command becomes a fresh id. Prints one line a command: name, wall time (10th
 * percentile, median, 90th percentile), CPU time (10th percentile, median), in ms, and the largest
 * resident set of any of its processes in KiB. CPU and memory count the command, all it waited for,
 * and daemons it left behind (a shim), which are waited for too, though not in the wall time: a
 * command must not leave one that stays. A command that fails ends it with status 1.
 *
 * A child's ru_maxrss starts with its parent's: this program stays small by being static.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UPS 2
#define WORDS_MAX 64
#define COMMANDS_MAX 16

extern char **environ;

struct command {
	const char *name;
	char *words[WORDS_MAX + 1];
	double *wall_ms, *cpu_ms;
	long peak_kib;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double time_ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* A copy of a word with the id in place of "@". */
static char *expand(const char *word, int round)
{
	const char *at = strchr(word, '@');
	char *out;

	if (!at)
		return strdup(word);
	if (asprintf(&out, "%.*s%dx%d%s", (int)(at - word), word, getpid(), round, at + 1) < 0)
		exit(1);
	return out;
}

/* What one process and those it waited for took. */
static double account(struct command *c, const struct rusage *usage)
{
	if (usage->ru_maxrss > c->peak_kib)
		c->peak_kib = usage->ru_maxrss;
	return time_ms(usage->ru_utime) + time_ms(usage->ru_stime);
}

static void run(struct command *c, int round, int index)
{
	posix_spawn_file_actions_t actions;
	char *argv[WORDS_MAX + 1] = { NULL };
	struct rusage usage;
	double start, wall, cpu;
	int status;
	pid_t pid;

	for (int i = 0; c->words[i]; i++)
		argv[i] = expand(c->words[i], round);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	start = now_ms();
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0 ||
	    wait4(pid, &status, 0, &usage) < 0) {
		fprintf(stderr, "%s: cannot run %s\n", c->name, argv[0]);
		exit(1);
	}
	wall = now_ms() - start;
	if (status != 0) {
		fprintf(stderr, "%s: wait status %#x\n", c->name, (unsigned)status);
		exit(1);
	}
	cpu = account(c, &usage);
	while (wait4(-1, NULL, 0, &usage) > 0 || errno == EINTR)
		cpu += account(c, &usage);
	if (index >= 0) {
		c->wall_ms[index] = wall;
		c->cpu_ms[index] = cpu;
	}
	for (int i = 0; argv[i]; i++)
		free(argv[i]);
	posix_spawn_file_actions_destroy(&actions);
}

static void shuffle(int *order, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int j = (int)(random() % (i + 1)), t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(struct command *c, int n)
{
	qsort(c->wall_ms, (size_t)n, sizeof(double), by_value);
	qsort(c->cpu_ms, (size_t)n, sizeof(double), by_value);
	printf("%s %.3f %.3f %.3f %.3f %.3f %ld\n", c->name, c->wall_ms[n / 10], c->wall_ms[n / 2],
	       c->wall_ms[n * 9 / 10], c->cpu_ms[n / 10], c->cpu_ms[n / 2], c->peak_kib);
}

static void parse(struct command *c, char *text, int n)
{
	char *equals = strchr(text, '='), *save = NULL;
	int count = 0;

	if (!equals) {
		fprintf(stderr, "%s: NAME=COMMAND is wanted\n", text);
		exit(1);
	}
	*equals = '\0';
	c->name = text;
	for (char *w = strtok_r(equals + 1, " ", &save); w && count < WORDS_MAX;
	     w = strtok_r(NULL, " ", &save))
		c->words[count++] = w;
	c->wall_ms = calloc((size_t)n, sizeof(double));
	c->cpu_ms = calloc((size_t)n, sizeof(double));
	if (count == 0 || !c->wall_ms || !c->cpu_ms)
		exit(1);
}

int main(int argc, char **argv)
{
	static struct command commands[COMMANDS_MAX];
	int n = argc > 1 ? atoi(argv[1]) : 0, gap_ms = argc > 2 ? atoi(argv[2]) : 0;
	int count = argc - 3, order[COMMANDS_MAX];

	if (n < 1 || count < 1 || count > COMMANDS_MAX) {
		fprintf(stderr, "usage: interleave N GAP_MS NAME=COMMAND...\n");
		return 1;
	}
	for (int i = 0; i < count; i++) {
		parse(&commands[i], argv[3 + i], n);
		order[i] = i;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 1;
	for (int round = 0; round < n + WARM_UPS; round++) {
		shuffle(order, count);
		for (int i = 0; i < count; i++) {
			usleep((useconds_t)gap_ms * 1000);
			run(&commands[order[i]], round, round - WARM_UPS);
		}
	}
	for (int i = 0; i < count; i++)
		report(&commands[i], n);
	return 0;
}
