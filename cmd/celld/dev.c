/* SPDX-License-Identifier: Apache-2.0 */
/* celld dev: master and agent in one process, a cell of one machine. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "cmd/celld/life.h"
#include "cmd/celld/verbs.h"
#include "runtime/engine/engine.h"
#include "scheduler/agent/agent.h"
#include "scheduler/api/api.h"
#include "scheduler/dashboard/dashboard.h"
#include "scheduler/master/master.h"

#define CELL_NAME "dev"

struct dev_args {
	const char *root, *runroot, *criu;
	int64_t dashboard_port, production_share, fence_s;
	bool debug, whole_cores;
};

static const struct option_entry dev_options[] = {
	OPTION_STRING(struct dev_args, root, 0, "root", "DIR",
		      "images, containers and the cell's store (default " ENGINE_ROOT_DEFAULT ")"),
	OPTION_STRING(struct dev_args, runroot, 0, "runroot", "DIR",
		      "what does not outlive a reboot (default " ENGINE_RUNROOT_DEFAULT ")"),
	OPTION_INT(struct dev_args, dashboard_port, 0, "dashboard", 0, UINT16_MAX, "PORT",
		   "show the cell to a browser on this host (0: any free port)"),
	OPTION_INT(struct dev_args, production_share, 0, "production-share", 1, 100, "PERCENT",
		   "of the cell that production may ask for (default 100)"),
	OPTION_INT(struct dev_args, fence_s, 0, "fence", 2, 3600, "SECONDS",
		   "how long a single instance may run without its master (default 10)"),
	OPTION_BOOL(
		struct dev_args, whole_cores, 0, "whole-cores",
		"latency-sensitive tasks that ask for whole processors have them to themselves"),
	OPTION_STRING(struct dev_args, criu, 0, "criu", "FILE",
		      "the program for checkpoints (default: the system's)"),
	OPTION_BOOL(struct dev_args, debug, 0, "debug", "tell more"),
	OPTION_END,
};

struct dev {
	struct life life;
	struct master *master;
	struct agent *agent;
	struct api *api;
	struct dashboard *dashboard;
	struct agent_link link;
	struct master_contact contact;
	const char *reach[AGENT_REACH_WORDS + 1];
	char socket[PATH_MAX];
	int listen_fd; /* until the API has it */
};

static void dev_deinit(struct dev *dev)
{
	cleanup_fd(&dev->listen_fd);
	agent_free(dev->agent);
	api_close(dev->api);
	dashboard_free(dev->dashboard);
	api_free(dev->api);
	master_free(dev->master);
	life_end(&dev->life);
}

/* ---- the link within one process ---- */

static void send_report(void *data, const char *text, size_t len, struct agent *agent)
{
	struct dev *dev = data;
	_cleanup_free_ char *answer = NULL;
	struct err err = { 0 };
	size_t answer_len = 0;

	if (master_sync(dev->master, text, len, &dev->contact, &answer, &answer_len, &err) < 0) {
		log_warn("%s", err.text);
		agent_reply(agent, NULL, 0);
		return;
	}
	agent_reply(agent, answer, answer_len);
}

static void poke(void *data)
{
	struct dev *dev = data;

	if (dev->agent)
		agent_poke(dev->agent);
}

/* ---- life ---- */

/* The address has a secret in it, which belongs into no log. */
static int start_dashboard(struct dev *dev, const struct dev_args *args, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/dashboard", args->runroot) >= PATH_MAX)
		return err_say(err, ENAMETOOLONG, "the path of --runroot is too long");
	err_try(dashboard_new(dev->life.loop, dev->api, (uint16_t)args->dashboard_port, path,
			      &dev->dashboard, err));
	printf("dashboard at port %u; its address, for a browser on this host, is in %s\n",
	       dashboard_port(dev->dashboard), path);
	return 0;
}

static int start(struct dev *dev, const struct dev_args *args, struct err *err)
{
	char store[PATH_MAX], who[HOST_NAME_MAX + 32], machine[HOST_NAME_MAX + 1];
	const char *const reach[] = { "celld",	   "reach",	  "--root",   args->root,
				      "--runroot", args->runroot, "--socket", dev->socket };
	struct master_options master = { .store_path = store,
					 .who = who,
					 .fence_ms = args->fence_s * 1000,
					 .production_share = (double)args->production_share / 100 };
	struct agent_options agent = { .root = args->root,
				       .runroot = args->runroot,
				       .cell = CELL_NAME,
				       .machine = machine,
				       .whole_cores = args->whole_cores,
				       .criu = args->criu,
				       .reach_command = dev->reach };

	if (gethostname(machine, sizeof(machine)) < 0)
		return err_set(err, errno, "read the host's name");
	snprintf(who, sizeof(who), "%s:%d", machine, getpid());
	err_try(life_path(store, args->root, "cell.db", err));
	err_try(life_path(dev->socket, args->runroot, "cell.sock", err));
	err_try(life_folders(args->root, args->runroot, err));
	memcpy(dev->reach, reach, sizeof(reach));
	dev->link = (struct agent_link){ .data = dev, .send = send_report };
	dev->contact = (struct master_contact){ .data = dev, .poke = poke };
	dev->listen_fd = api_listen(dev->socket, err);
	if (dev->listen_fd < 0)
		return dev->listen_fd;
	err_try(life_begin(&dev->life, err));
	err_try(master_new(dev->life.loop, &master, &dev->master, err));
	err_try(agent_new(dev->life.loop, &agent, &dev->link, &dev->agent, err));
	err_try(api_new(dev->life.loop, dev->master, take_fd(&dev->listen_fd), dev->socket,
			&dev->api, err));
	if (args->dashboard_port >= 0)
		err_try(start_dashboard(dev, args, err));
	life_ready("cell %s is ready on %s: ctr job run FILE", CELL_NAME, machine);
	return 0;
}

static int run_dev(int argc, char **argv, struct err *err)
{
	struct dev_args args = { .root = ENGINE_ROOT_DEFAULT,
				 .runroot = ENGINE_RUNROOT_DEFAULT,
				 .dashboard_port = -1 };
	_cleanup_(dev_deinit) struct dev dev = { .listen_fd = -1 };
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_dev.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (args.debug)
		log_set_level(LOG_LEVEL_DEBUG);
	err_try(start(&dev, &args, err));
	r = loop_run(dev.life.loop, err);
	return r == -ESTALE ? err_say(err, ESTALE, "another master was elected; this one ends") : r;
}

const struct verb verb_dev = {
	.command = {
		.name = "celld dev",
		.summary = "master and agent in one process: a cell of this machine",
		.details = "Runs until SIGTERM or SIGINT; the tasks run on, and the next one takes them up.\n"
			   "\n"
			   "Example:\n"
			   "  celld dev &  ctr job run web.yaml  &&  ctr job status web",
		.options = dev_options,
	},
	.run = run_dev,
};
