/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-image save: images of the store as a tar. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/cellar-image/verbs.h"
#include "cmd/options.h"
#include "storage/export.h"

struct save_args {
	const char *output;
};

/* What a file is written to: another beside it, renamed over it when it is whole. */
struct target {
	const char *path;
	char part[PATH_MAX]; /* "" once there is none */
	int fd;
};

static int target_open(struct target *target, struct err *err)
{
	struct stat st;

	target->fd = -1;
	target->part[0] = '\0';
	if (!target->path) {
		if (isatty(STDOUT_FILENO))
			return err_say(err, EINVAL,
				       "stdout is a terminal: write to a file (-o FILE) or a pipe");
		target->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	} else if (stat(target->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		target->fd = open(target->path, O_WRONLY | O_CLOEXEC);
	} else {
		snprintf(target->part, sizeof(target->part), "%s.%d.part", target->path,
			 (int)getpid());
		target->fd = open(target->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	}
	if (target->fd < 0) {
		target->part[0] = '\0';
		return err_set(err, errno, "write %s", target->path ? target->path : "stdout");
	}
	return 0;
}

static int target_commit(struct target *target, struct err *err)
{
	if (!target->part[0])
		return 0;
	if (fsync(target->fd) < 0 || rename(target->part, target->path) < 0)
		return err_set(err, errno, "write %s", target->path);
	target->part[0] = '\0';
	return 0;
}

static void target_close(struct target *target)
{
	if (target->part[0])
		unlink(target->part);
	cleanup_fd(&target->fd);
}

static int run(const char *root, const char *output, const char *const *names, struct err *err)
{
	_cleanup_store_ struct store *store = NULL;
	_cleanup_(target_close) struct target target = { .path = output, .fd = -1 };

	err_try(store_open(root, &store, err));
	err_try(target_open(&target, err));
	err_try(export_images(store, names, target.fd, err));
	return target_commit(&target, err);
}

static const struct option_entry save_options[] = {
	OPTION_STRING(struct save_args, output, 'o', "output", "FILE",
		      "write here instead of to stdout"),
	OPTION_END,
};

static const struct options_command save_command = {
	.name = "cellar-image save",
	.args = "IMAGE...",
	.summary = "write images as a tar that is an OCI layout and loads into Docker too",
	.options = save_options,
	.args_min = 1,
	.args_max = SIZE_MAX,
};

int verb_save(const char *root, int argc, char **argv)
{
	struct save_args args = { 0 };
	struct err err = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&save_command, argc - 1, argv + 1, &args, &words, &count, &err);

	if (r > 0) {
		options_help(&save_command, stdout);
		return 0;
	}
	if (r == 0)
		r = run(root, args.output, (const char *const *)words, &err);
	if (r < 0)
		fprintf(stderr, "%s save: %s\n", verbs_prefix(), err.text);
	return r < 0;
}
