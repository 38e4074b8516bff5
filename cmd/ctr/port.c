/* SPDX-License-Identifier: Apache-2.0 */
/* ctr port: where a container's ports are published. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctr/verbs.h"

/* One port of the container, or all. */
struct wanted {
	unsigned port; /* 0: all */
	bool udp, any_protocol;
};

static int parse_wanted(const char *word, struct wanted *ret, struct err *err)
{
	size_t digits = strspn(word, "0123456789");
	const char *slash = word + digits;
	unsigned long port = digits && digits <= 5 ? strtoul(word, NULL, 10) : 0;

	if (port < 1 || port > 65535 ||
	    (*slash && strcmp(slash, "/tcp") != 0 && strcmp(slash, "/udp") != 0))
		return err_say(err, EINVAL, "\"%s\" is not a port such as 80 or 53/udp", word);
	*ret = (struct wanted){ (unsigned)port, strcmp(slash, "/udp") == 0, !*slash };
	return 0;
}

static void print(const struct publish_port *p, const char *every, bool with_port)
{
	char host[PUBLISH_TEXT_SIZE];

	if (with_port)
		printf("%u/%s -> ", p->container, p->udp ? "udp" : "tcp");
	puts(publish_format_host(p, every, host));
}

static int print_ports(const struct engine_container *c, const struct wanted *wanted,
		       struct err *err)
{
	bool ipv6 = access("/proc/net/if_inet6", F_OK) == 0;
	size_t count = 0;

	for (size_t i = 0; i < c->ports.count; i++) {
		const struct publish_port *p = &c->ports.items[i];

		if (wanted->port && (wanted->port != p->container ||
				     (!wanted->any_protocol && wanted->udp != p->udp)))
			continue;
		count++;
		print(p, "0.0.0.0", !wanted->port);
		if (!*p->address && ipv6)
			print(p, "::", !wanted->port);
	}
	if (wanted->port && !count)
		return err_say(err, ENOENT, "container %s does not publish port %u", c->name,
			       wanted->port);
	return 0;
}

static int port_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	struct wanted wanted = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_port.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (count > 1)
		r = parse_wanted(words[1], &wanted, err);
	if (r == 0)
		r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_find(engine, words[0], &c, err);
	if (r < 0)
		return r;
	if (!c->pid)
		return err_say(err, ESRCH, "container %s is not running", c->name);
	return print_ports(c, &wanted, err);
}

static const struct option_entry port_options[] = { OPTION_END };

const struct verb verb_port = {
	.command = {
		.name = "ctr port",
		.args = "CONTAINER [PORT[/tcp|udp]]",
		.summary = "show where a container's ports are published",
		.details = "Examples:\n"
			   "  ctr port web\n"
			   "  curl http://$(ctr port web 80 | head -n 1)/",
		.options = port_options,
		.args_min = 1,
		.args_max = 2,
	},
	.run = port_verb,
};
