/* SPDX-License-Identifier: Apache-2.0 */
/* celld agent: a machine of a cell, whose master is elsewhere. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "cmd/celld/config.h"
#include "cmd/celld/life.h"
#include "cmd/celld/verbs.h"
#include "scheduler/agent/agent.h"
#include "scheduler/link/client.h"
#include "scheduler/link/keys.h"

struct agent_args {
	const char *config, *root, *runroot, *master, *rack, *cgroup;
	bool debug;
};

static const struct option_entry agent_options[] = {
	OPTION_STRING(struct agent_args, config, 'c', "config", "FILE",
		      "configuration; options go before what it says"),
	OPTION_STRING(struct agent_args, root, 0, "root", "DIR", "images, containers, keys"),
	OPTION_STRING(struct agent_args, runroot, 0, "runroot", "DIR",
		      "what does not outlive a reboot"),
	OPTION_STRING(struct agent_args, master, 0, "master", "URL",
		      "https://HOST:PORT (default: where it has joined)"),
	OPTION_STRING(struct agent_args, rack, 0, "rack", "NAME", "where the machine stands"),
	OPTION_STRING(struct agent_args, cgroup, 0, "cgroup", "PATH",
		      "around all tasks, like /cellar-machine (default: none)"),
	OPTION_BOOL(struct agent_args, debug, 0, "debug", "tell more"),
	OPTION_END,
};

struct room {
	struct life life;
	struct keys keys;
	struct link_client *link;
	struct agent *agent;
	const char *reach[AGENT_REACH_WORDS + 1];
	char keys_folder[PATH_MAX];
};

static void room_deinit(struct room *room)
{
	agent_free(room->agent);
	link_client_free(room->link);
	keys_deinit(&room->keys);
	life_end(&room->life);
}

static int load_keys(struct room *room, const struct celld_config *config, struct err *err)
{
	char folder[PATH_MAX];
	int r;

	err_try(life_path(folder, config->root, KEYS_FOLDER, err));
	r = keys_load(folder, PKI_ROLE_AGENT, &room->keys, err);
	if (r == -ENOENT)
		return err_say(err, ENOENT,
			       "this machine has joined no cell (%s); celld join --master URL "
			       "--token TOKEN",
			       folder);
	if (r < 0)
		return r;
	if (config->agent.machine && strcmp(config->agent.machine, room->keys.name) != 0)
		return err_say(err, EINVAL,
			       "this machine has joined as %s and not as %s; celld join gets "
			       "another certificate",
			       room->keys.name, config->agent.machine);
	return 0;
}

static void write_reach(struct room *room, const struct celld_config *config, const char *master)
{
	const char *words[] = { "celld",     "reach",	      "--root", config->root,
				"--runroot", config->runroot, "--keys", room->keys_folder,
				"--master",  master };

	memcpy(room->reach, words, sizeof(words));
}

static int start(struct room *room, const struct celld_config *config, struct err *err)
{
	char epoch[PATH_MAX];
	struct link_client_options link = { .master = config->agent.master };
	struct agent_options agent = {
		.root = config->root,
		.runroot = config->runroot,
		.cell = config->cell,
		.rack = config->agent.rack,
		.cpu_milli = config->agent.cpu_milli,
		.memory_bytes = config->agent.memory_bytes,
		.disk_bytes = config->agent.disk_bytes,
		.reserve_cpu_milli = config->agent.reserve_cpu_milli,
		.reserve_memory_bytes = config->agent.reserve_memory_bytes,
		.whole_cores = config->agent.whole_cores,
		.cgroup = config->agent.cgroup,
		.criu = config->agent.criu,
		.epoch_path = epoch,
		.reach_command = room->reach,
	};

	err_try(life_folders(config->root, config->runroot, err));
	err_try(load_keys(room, config, err));
	err_try(life_path(epoch, config->root, KEYS_FOLDER "/" KEYS_EPOCH, err));
	agent.machine = room->keys.name;
	link.trust = keys_trust(&room->keys);
	if (!link.master)
		link.master = room->keys.master;
	err_try(life_path(room->keys_folder, config->root, KEYS_FOLDER, err));
	write_reach(room, config, link.master);
	err_try(life_begin(&room->life, err));
	err_try(link_client_new(room->life.loop, &link, &room->link, err));
	err_try(agent_new(room->life.loop, &agent, link_client_link(room->link), &room->agent,
			  err));
	life_ready("agent %s is ready; its master is %s", agent.machine, link.master);
	return 0;
}

static int run_agent(int argc, char **argv, struct err *err)
{
	_cleanup_(room_deinit) struct room room = { 0 };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct agent_args args = { 0 };
	struct celld_config config;
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_agent.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (!arena)
		return err_set(err, ENOMEM, "start");
	err_try(config_load(args.config, arena, &config, err));
	config.root = args.root ? args.root : config.root;
	config.runroot = args.runroot ? args.runroot : config.runroot;
	config.agent.master = args.master ? args.master : config.agent.master;
	config.agent.rack = args.rack ? args.rack : config.agent.rack;
	config.agent.cgroup = args.cgroup ? args.cgroup : config.agent.cgroup;
	err_try(config_check_cgroup("--cgroup", config.agent.cgroup, err));
	if (args.debug)
		log_set_level(LOG_LEVEL_DEBUG);
	err_try(start(&room, &config, err));
	return loop_run(room.life.loop, err);
}

const struct verb verb_agent = {
	.command = {
		.name = "celld agent",
		.summary = "this machine as a part of a cell",
		.details = "Runs until SIGTERM or SIGINT; the tasks run on, and the next one takes them up.\n"
			   "The machine must have joined before: celld join.",
		.options = agent_options,
	},
	.run = run_agent,
};
