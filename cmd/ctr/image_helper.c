/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/image_helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "base/program.h"

#define HELPER "cellar-image"
/* Its complaints begin so (cmd/cellar-image/verbs.h). */
#define HELPER_NAMED "ctr: image"

static int execute(const struct ctr *ctr, const char *program, const char *const *words,
		   struct err *err)
{
	_cleanup_free_ const char **command = NULL;
	size_t count = 0;

	while (words[count])
		count++;
	command = calloc(count + 4, sizeof(*command));
	if (!command)
		return err_set(err, ENOMEM, "execute %s", program);
	command[0] = HELPER_NAMED;
	command[1] = "--root";
	command[2] = ctr->root ? ctr->root : ENGINE_ROOT_DEFAULT;
	memcpy(command + 3, words, (count + 1) * sizeof(*command));
	execv(program, (char *const *)(uintptr_t)command);
	return err_set(err, errno, "execute %s", program);
}

int image_helper_exec(const struct ctr *ctr, const char *const *words, struct err *err)
{
	char program[PATH_MAX];

	err_try(program_find(HELPER, program, err));
	return execute(ctr, program, words, err);
}

int image_helper_run(const struct ctr *ctr, const char *const *words, struct err *err)
{
	_cleanup_fd_ int pidfd = -1;
	char program[PATH_MAX];
	pid_t parent = getpid(), pid;
	int status;

	err_try(program_find(HELPER, program, err));
	pid = process_clone(0, -1, &pidfd);
	if (pid < 0)
		return err_set(err, -pid, "start %s", program);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() == parent)
			execute(ctr, program, words, err);
		_exit(127);
	}
	if (process_wait(pidfd, &status) < 0 || process_exit_code(status) == 127)
		return err_say(err, ECHILD, "%s could not be executed", program);
	return process_exit_code(status) == 0
		       ? 0
		       : err_say(err, EIO, "the archive was not unpacked, as was said above");
}

struct search {
	const char *image_id; /* looked for, or */
	const char *layer;
	char user[IMAGE_USER_SIZE]; /* id of a container that needs it, or "" */
};

static int look_at(void *data, const struct engine_container *c)
{
	struct search *search = data;
	bool found = search->image_id && c->image_id && strcmp(c->image_id, search->image_id) == 0;

	for (const char *const *layer = c->layers; search->layer && layer && *layer; layer++)
		found |= strcmp(*layer, search->layer) == 0;
	/* A damaged one may need anything. */
	found |= !c->layers;
	if (found)
		snprintf(search->user, sizeof(search->user), "%s", c->id);
	return 0;
}

bool image_layer_in_use(void *data, const char *chain_id)
{
	struct search search = { .layer = chain_id };

	return engine_each(data, look_at, &search, NULL) < 0 || search.user[0];
}

int image_find_user(struct engine *engine, const char *image_id, char ret[static IMAGE_USER_SIZE],
		    struct err *err)
{
	struct search search = { .image_id = image_id };

	err_try(engine_each(engine, look_at, &search, err));
	memcpy(ret, search.user, sizeof(search.user));
	return 0;
}
