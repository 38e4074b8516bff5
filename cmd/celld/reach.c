/* SPDX-License-Identifier: Apache-2.0 */
/* celld reach: what an agent starts for each `ctr job logs` and `ctr job exec`; not for people. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "cmd/celld/verbs.h"
#include "scheduler/link/address.h"
#include "scheduler/link/keys.h"
#include "scheduler/link/reach.h"

struct reach_args {
	const char *root, *runroot, *socket, *keys, *master;
};

static const struct option_entry reach_options[] = {
	OPTION_STRING(struct reach_args, root, 0, "root", "DIR", "of ctr"),
	OPTION_STRING(struct reach_args, runroot, 0, "runroot", "DIR", "of ctr"),
	OPTION_STRING(struct reach_args, socket, 0, "socket", "PATH", "of a master that is here"),
	OPTION_STRING(struct reach_args, keys, 0, "keys", "DIR", "of this machine"),
	OPTION_STRING(struct reach_args, master, 0, "master", "URL", "where the master is"),
	OPTION_END,
};

/* libcurl would start a thread for a name. "HOST:PORT" becomes "NUMBER:PORT". */
static int look_up(const char *host_port, char *ret, size_t size, struct err *err)
{
	_cleanup_free_ char *host = strdup(host_port);
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char number[64], *port = host ? strrchr(host, ':') : NULL, *name = host;
	int r;

	if (!port)
		return err_set(err, ENOMEM, "look %s up", host_port);
	*port++ = '\0';
	if (*name == '[') {
		name++;
		name[strcspn(name, "]")] = '\0';
	}
	if (getaddrinfo(name, port, &hints, &found) != 0)
		return err_say(err, EHOSTUNREACH, "%s has no address", name);
	r = getnameinfo(found->ai_addr, found->ai_addrlen, number, sizeof(number), NULL, 0,
			NI_NUMERICHOST);
	freeaddrinfo(found);
	if (r != 0)
		return err_say(err, EHOSTUNREACH, "%s has no address", name);
	snprintf(ret, size, strchr(number, ':') ? "[%s]:%s" : "%s:%s", number, port);
	return 0;
}

static int reach_remote(const struct reach_args *args, struct reach_options *options,
			struct err *err)
{
	_cleanup_keys_ struct keys keys = { 0 };
	_cleanup_free_ char *host_port = NULL;
	char address[128];

	err_try(keys_load(args->keys, PKI_ROLE_AGENT, &keys, err));
	err_try(link_address(args->master ? args->master : keys.master, &host_port, err));
	err_try(look_up(host_port, address, sizeof(address), err));
	options->host_port = address;
	options->trust = keys_trust(&keys);
	return reach_run(options, err);
}

static int run_reach(int argc, char **argv, struct err *err)
{
	struct reach_args args = { 0 };
	struct reach_options options = { 0 };
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_reach.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (!args.socket == !args.keys)
		return err_say(err, EINVAL, "one of --socket and --keys");
	options = (struct reach_options){ .root = args.root,
					  .runroot = args.runroot,
					  .socket = args.socket,
					  .stream = words[0] };
	return args.socket ? reach_run(&options, err) : reach_remote(&args, &options, err);
}

const struct verb verb_reach = {
	.command = {
		.name = "celld reach",
		.args = "STREAM",
		.options = reach_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = run_reach,
};
