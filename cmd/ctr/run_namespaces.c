/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_namespaces.h"

#include <errno.h>
#include <string.h>

#define CONTAINER "container:"
#define MODE(mode) (1u << (mode))

/* clang-format off */
const struct option_entry run_namespaces_table[] = {
	OPTION_STRING(struct run_namespaces, pid, 0, "pid", "MODE", "private (default), host, or container:NAME"),
	OPTION_STRING(struct run_namespaces, ipc, 0, "ipc", "MODE", "private (default), shareable, host, none, or container:NAME"),
	OPTION_STRING(struct run_namespaces, uts, 0, "uts", "MODE", "private (default), or host"),
	OPTION_STRING(struct run_namespaces, cgroupns, 0, "cgroupns", "MODE", "private (default), or host"),
	OPTION_STRING(struct run_namespaces, userns, 0, "userns", "MODE", "host (default), or auto: users of its own"),
	OPTION_LIST(struct run_namespaces, group_add, 0, "group-add", "GROUP", "one more group of its user, by name or number"),
	OPTION_END,
};
/* clang-format on */

/* modes: bits that the namespace knows; words: how the sentence lists them. */
static int parse(const char *text, const char *option, unsigned modes, const char *words,
		 struct engine_ns *ret, struct err *err)
{
	if (!text || !*text)
		return 0;
	for (int mode = 0; mode < ENGINE_NS_MODES; mode++)
		if (mode != ENGINE_NS_CONTAINER && modes & MODE(mode) &&
		    strcmp(text, engine_ns_mode_name((enum engine_ns_mode)mode)) == 0) {
			ret->mode = (enum engine_ns_mode)mode;
			return 0;
		}
	if (modes & MODE(ENGINE_NS_CONTAINER) && strncmp(text, CONTAINER, strlen(CONTAINER)) == 0) {
		ret->mode = ENGINE_NS_CONTAINER;
		ret->container = text + strlen(CONTAINER);
		return *ret->container
			       ? 0
			       : err_say(err, EINVAL,
					 "%s: which container? write it as " CONTAINER "NAME",
					 option);
	}
	return err_say(err, EINVAL, "%s: \"%s\" is unknown; there are %s", option, text, words);
}

int run_namespaces_fill(const struct run_namespaces *args, struct engine_run_options *ret,
			struct err *err)
{
	const unsigned plain = MODE(ENGINE_NS_PRIVATE) | MODE(ENGINE_NS_HOST);
	struct engine_namespaces ns = { 0 };

	err_try(parse(args->pid, "--pid", plain | MODE(ENGINE_NS_CONTAINER),
		      "private, host and " CONTAINER "NAME", &ns.pid, err));
	err_try(parse(args->ipc, "--ipc",
		      plain | MODE(ENGINE_NS_CONTAINER) | MODE(ENGINE_NS_SHAREABLE) |
			      MODE(ENGINE_NS_NONE),
		      "private, shareable, host, none and " CONTAINER "NAME", &ns.ipc, err));
	err_try(parse(args->uts, "--uts", plain, "private and host", &ns.uts, err));
	err_try(parse(args->cgroupns, "--cgroupns", plain, "private and host", &ns.cgroup, err));
	if (args->userns && strcmp(args->userns, "auto") != 0 && strcmp(args->userns, "host") != 0)
		return err_say(err, EINVAL, "--userns: \"%s\" is unknown; there are host and auto",
			       args->userns);
	ns.user = args->userns && strcmp(args->userns, "auto") == 0;
	ret->namespaces = ns;
	ret->group_add = args->group_add.items;
	return 0;
}
