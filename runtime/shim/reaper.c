/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

struct watch {
	struct watch *next;
	pid_t pid;
	reaper_fn fn;
	void *data;
};

struct reaper {
	struct loop_source *source;
	struct watch *watches;
};

static struct watch *take_watch(struct reaper *reaper, pid_t pid)
{
	for (struct watch **at = &reaper->watches; *at; at = &(*at)->next)
		if ((*at)->pid == pid) {
			struct watch *found = *at;

			*at = found->next;
			return found;
		}
	return NULL;
}

static int on_child(void *data, int signal)
{
	struct reaper *reaper = data;
	int status;
	pid_t pid;

	(void)signal;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct watch *watch = take_watch(reaper, pid);

		if (watch)
			watch->fn(watch->data, pid, status);
		free(watch);
	}
	return 0;
}

int reaper_new(struct loop *loop, struct reaper **ret, struct err *err)
{
	struct reaper *reaper = calloc(1, sizeof(*reaper));
	sigset_t set;
	int r;

	if (!reaper)
		return err_set(err, ENOMEM, "watch children");
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	r = loop_add_signals(loop, &set, on_child, reaper, &reaper->source, err);
	if (r < 0) {
		free(reaper);
		return r;
	}
	*ret = reaper;
	return 0;
}

struct reaper *reaper_free(struct reaper *reaper)
{
	if (!reaper)
		return NULL;
	while (reaper->watches) {
		struct watch *watch = reaper->watches;

		reaper->watches = watch->next;
		free(watch);
	}
	loop_remove(reaper->source);
	free(reaper);
	return NULL;
}

int reaper_watch(struct reaper *reaper, pid_t pid, reaper_fn fn, void *data)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){ reaper->watches, pid, fn, data };
	reaper->watches = watch;
	return 0;
}

void reaper_forget(struct reaper *reaper, pid_t pid)
{
	free(take_watch(reaper, pid));
}
