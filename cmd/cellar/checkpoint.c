/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint: a container written to disk, and deleted unless it is to run on. */
#include <fcntl.h>

#include "cmd/cellar/criu_options.h"

struct args {
	struct criu_args criu;
	const char *parent_path, *page_server;
	int64_t status_fd;
	bool leave_running, pre_dump, tcp_skip_in_flight, link_remap;
};

static const struct option_entry options[] = {
	CRIU_OPTIONS(struct args, criu.),
	OPTION_STRING(struct args, parent_path, 0, "parent-path", "DIR",
		      "images of an earlier --pre-dump, relative to --image-path"),
	OPTION_BOOL(struct args, leave_running, 0, "leave-running",
		    "it runs on and is not deleted"),
	OPTION_BOOL(struct args, tcp_skip_in_flight, 0, "tcp-skip-in-flight",
		    "connections that are being made are left out"),
	OPTION_BOOL(struct args, link_remap, 0, "link-remap",
		    "files without a name get one while they are away"),
	OPTION_INT(struct args, status_fd, 0, "status-fd", 0, 1 << 20, "FD",
		   "descriptor that criu writes to when lazy pages can be asked for"),
	OPTION_STRING(struct args, page_server, 0, "page-server", "ADDRESS:PORT",
		      "send the memory there"),
	OPTION_BOOL(struct args, pre_dump, 0, "pre-dump",
		    "only its memory, while it runs, for a later checkpoint to build on"),
	OPTION_END,
};

static int checkpoint(const struct args *a, const struct cellar_globals *globals, const char *id,
		      struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	struct container_criu_options o;

	err_try(criu_args_fill(&a->criu, globals, &o, err));
	o.parent_path = a->parent_path;
	o.page_server = a->page_server;
	o.leave_running = a->leave_running;
	o.pre_dump = a->pre_dump;
	o.tcp_skip_in_flight = a->tcp_skip_in_flight;
	o.link_remap = a->link_remap;
	o.has_status_fd = a->status_fd >= 0;
	o.status_fd = (int)a->status_fd;
	if (o.has_status_fd && fcntl(o.status_fd, F_GETFD) < 0)
		return err_set(err, errno, "--status-fd %d", o.status_fd);
	err_try(container_open(globals->root, id, &c, err));
	err_try(container_checkpoint(c, &o, err));
	return o.leave_running || o.pre_dump ? 0 : container_delete(c, true, err);
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	struct args a = { .status_fd = -1 };
	char **args;
	size_t count;
	int r = verb_parse(&verb_checkpoint, argc, argv, &a, &args, &count, err);

	if (r == 0)
		r = checkpoint(&a, globals, args[0], err);
	options_deinit(options, &a);
	return r;
}

const struct verb verb_checkpoint = {
	.command = { .name = "cellar checkpoint",
		     .args = "ID",
		     .summary = "write a running container to disk (by criu)",
		     .details = "Its processes end and it is deleted, unless --leave-running is "
				"given. 'cellar\nrestore' goes on from there.",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
