/* SPDX-License-Identifier: Apache-2.0 */
/* celld master: the master of a cell, for agents on other machines. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "cmd/celld/config.h"
#include "cmd/celld/life.h"
#include "cmd/celld/verbs.h"
#include "scheduler/api/api.h"
#include "scheduler/dashboard/dashboard.h"
#include "scheduler/link/joining.h"
#include "scheduler/link/keys.h"
#include "scheduler/link/server.h"
#include "scheduler/master/master.h"

struct master_args {
	const char *config, *root, *runroot, *listen;
	int64_t dashboard_port;
	bool debug;
};

static const struct option_entry master_options[] = {
	OPTION_STRING(struct master_args, config, 'c', "config", "FILE",
		      "configuration; options go before what it says"),
	OPTION_STRING(struct master_args, root, 0, "root", "DIR", "the cell's store and keys"),
	OPTION_STRING(struct master_args, runroot, 0, "runroot", "DIR",
		      "where the socket for root is"),
	OPTION_STRING(struct master_args, listen, 0, "listen", "ADDRESS:PORT",
		      "for agents and people (default " CONFIG_LISTEN_DEFAULT ")"),
	OPTION_INT(struct master_args, dashboard_port, 0, "dashboard", 0, UINT16_MAX, "PORT",
		   "show the cell to a browser on this host (0: any free port)"),
	OPTION_BOOL(struct master_args, debug, 0, "debug", "tell more"),
	OPTION_END,
};

struct room {
	struct life life;
	struct pki_pair ca, own;
	struct master *master;
	struct api *api;
	struct dashboard *dashboard;
	struct link_joining *joining;
	struct link_server *link;
	int listen_fd; /* until the API has it */
};

static void room_deinit(struct room *room)
{
	cleanup_fd(&room->listen_fd);
	api_close(room->api);
	dashboard_free(room->dashboard);
	/* Whoever waited for the API was answered before the connections go; it hears of their end.
	 */
	link_server_close(room->link);
	api_free(room->api);
	link_joining_free(room->joining);
	master_free(room->master);
	link_server_free(room->link);
	pki_pair_deinit(&room->ca);
	pki_pair_deinit(&room->own);
	life_end(&room->life);
}

static int start_master(struct room *room, const struct celld_config *config, struct err *err)
{
	char store[PATH_MAX], who[HOST_NAME_MAX + 32], host[HOST_NAME_MAX + 1];
	struct master_options options = {
		.store_path = store,
		.who = who,
		.detection_ms = config->master.detection_ms,
		.fence_ms = config->master.fence_ms,
		.production_share = config->master.production_percent == 100
					    ? 0
					    : (double)config->master.production_percent / 100,
	};

	if (gethostname(host, sizeof(host)) < 0)
		return err_set(err, errno, "read the host's name");
	snprintf(who, sizeof(who), "%s:%d", host, getpid());
	err_try(life_path(store, config->root, "cell.db", err));
	return master_new(room->life.loop, &options, &room->master, err);
}

static int start_link(struct room *room, const struct celld_config *config, struct err *err)
{
	struct link_server_options options = {
		.listen = config->master.listen,
		.key = room->own.key,
		.certificate = room->own.certificate,
		.ca = room->ca.certificate,
		.api = room->api,
	};

	err_try(link_joining_new(room->master, room->api, &room->ca, &room->joining, err));
	api_set_first(room->api, link_joining_serve, room->joining);
	options.joining = room->joining;
	return link_server_new(room->life.loop, room->master, &options, &room->link, err);
}

/* The address has a secret in it, which belongs into no log. */
static int start_dashboard(struct room *room, const char *runroot, int64_t port, struct err *err)
{
	char path[PATH_MAX];

	if (port < 0)
		return 0;
	err_try(life_path(path, runroot, "dashboard", err));
	err_try(dashboard_new(room->life.loop, room->api, (uint16_t)port, path, &room->dashboard,
			      err));
	printf("dashboard at port %u; its address, for a browser on this host, is in %s\n",
	       dashboard_port(room->dashboard), path);
	return 0;
}

static int start(struct room *room, const struct celld_config *config, int64_t dashboard,
		 struct err *err)
{
	char socket[PATH_MAX], keys[PATH_MAX];

	err_try(life_path(socket, config->runroot, "cell.sock", err));
	err_try(life_path(keys, config->root, KEYS_FOLDER, err));
	err_try(life_folders(config->root, config->runroot, err));
	room->listen_fd = api_listen(socket, err);
	if (room->listen_fd < 0)
		return room->listen_fd;
	err_try(keys_of_master(keys, &room->ca, &room->own, err));
	err_try(life_begin(&room->life, err));
	err_try(start_master(room, config, err));
	err_try(api_new(room->life.loop, room->master, take_fd(&room->listen_fd), socket,
			&room->api, err));
	err_try(start_link(room, config, err));
	err_try(start_dashboard(room, config->runroot, dashboard, err));
	life_ready("master of %s is ready at %s: celld token create", config->cell,
		   config->master.listen);
	return 0;
}

static int run_master(int argc, char **argv, struct err *err)
{
	_cleanup_(room_deinit) struct room room = { .listen_fd = -1 };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct master_args args = { .dashboard_port = -1 };
	struct celld_config config;
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_master.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (!arena)
		return err_set(err, ENOMEM, "start");
	err_try(config_load(args.config, arena, &config, err));
	config.root = args.root ? args.root : config.root;
	config.runroot = args.runroot ? args.runroot : config.runroot;
	config.master.listen = args.listen ? args.listen : config.master.listen;
	if (args.debug)
		log_set_level(LOG_LEVEL_DEBUG);
	err_try(start(&room, &config, args.dashboard_port, err));
	r = loop_run(room.life.loop, err);
	return r == -ESTALE ? err_say(err, ESTALE, "another master was elected; this one ends") : r;
}

const struct verb verb_master = {
	.command = {
		.name = "celld master",
		.summary = "the master of a cell of several machines",
		.details = "Runs until SIGTERM or SIGINT. The machines join it:\n"
			   "\n"
			   "  celld master --listen 0.0.0.0:7643 &\n"
			   "  celld token create                                      # on the master\n"
			   "  celld join --master https://HOST:7643 --token TOKEN     # on each machine\n"
			   "  celld agent",
		.options = master_options,
	},
	.run = run_master,
};
