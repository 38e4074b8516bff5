/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/celld/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "runtime/engine/engine.h"
#include "spec/job/field.h"

#define FILE_MAX ((size_t)1 << 20)
#define CELL_DEFAULT "cell"
#define DETECTION_MIN_MS 1500 /* the beat is a second */
#define FENCE_MIN_MS 2000
#define DETECTION_MAX_MS (10 * 60 * 1000)
#define CGROUP_MAX 200
#define AT(type, member) .offset = offsetof(struct type, member)

/* clang-format off */
static const struct field master_fields[] = {
	{ "listen", FIELD_TEXT, AT(celld_master_config, listen), .help = "ADDRESS:PORT for agents and people; the address a number" },
	{ "detection", FIELD_DURATION, AT(celld_master_config, detection_ms), .help = "a machine that was silent so long is given up", .min = DETECTION_MIN_MS, .max = DETECTION_MAX_MS },
	{ "fence", FIELD_DURATION, AT(celld_master_config, fence_ms), .help = "a single instance runs so long without its master", .min = FENCE_MIN_MS, .max = DETECTION_MAX_MS },
	{ "production_percent", FIELD_NUMBER, AT(celld_master_config, production_percent), .help = "of the cell that production may be promised", .min = 1, .max = 100 },
	FIELD_END,
};
static const struct field agent_fields[] = {
	{ "master", FIELD_TEXT, AT(celld_agent_config, master), .help = "https://HOST:PORT" },
	{ "machine", FIELD_TEXT, AT(celld_agent_config, machine), .help = "its name; that of its certificate when left out" },
	{ "rack", FIELD_NAME, AT(celld_agent_config, rack), .help = "where it stands" },
	{ "cpu", FIELD_CPU, AT(celld_agent_config, cpu_milli), .help = "that the cell may use; all when left out" },
	{ "memory", FIELD_BYTES, AT(celld_agent_config, memory_bytes), .help = "that the cell may use; all when left out" },
	{ "disk", FIELD_BYTES, AT(celld_agent_config, disk_bytes), .help = "that the cell may use; all when left out" },
	{ "reserve_cpu", FIELD_CPU, AT(celld_agent_config, reserve_cpu_milli), .help = "of that, kept for what is no task" },
	{ "reserve_memory", FIELD_BYTES, AT(celld_agent_config, reserve_memory_bytes), .help = "of that, kept for what is no task" },
	{ "whole_cores", FIELD_BOOL, AT(celld_agent_config, whole_cores), .help = "latency-sensitive tasks that ask for whole processors have them to themselves" },
	{ "cgroup", FIELD_TEXT, AT(celld_agent_config, cgroup), .help = "around all tasks: a path below where cgroups are mounted, that begins with a /" },
	{ "criu", FIELD_TEXT, AT(celld_agent_config, criu), .help = "the program for checkpoints; the system's when left out" },
	FIELD_END,
};
static const struct field fields[] = {
	{ "cell", FIELD_NAME, AT(celld_config, cell), .help = "its name, with which its containers begin" },
	{ "root", FIELD_TEXT, AT(celld_config, root), .help = "images, containers, the cell's store, keys" },
	{ "runroot", FIELD_TEXT, AT(celld_config, runroot), .help = "what does not outlive a reboot" },
	{ "master", FIELD_OBJECT, AT(celld_config, master), .help = "of celld master", .fields = master_fields },
	{ "agent", FIELD_OBJECT, AT(celld_config, agent), .help = "of celld agent", .fields = agent_fields },
	FIELD_END,
};
/* clang-format on */

static int check_path(const char *file, const char *key, const char *path, struct err *err)
{
	return path[0] == '/'
		       ? 0
		       : err_say(err, EINVAL, "%s: %s: \"%s\" is no path that begins with a /",
				 file, key, path);
}

/* Everywhere below the mount point, and of a length that leaves room for names of tasks. */
int config_check_cgroup(const char *where, const char *path, struct err *err)
{
	size_t len = path ? strlen(path) : 0;

	if (!path || (path[0] == '/' && len > 1 && len <= CGROUP_MAX && path[len - 1] != '/' &&
		      !strstr(path, "/.") && !strstr(path, "//")))
		return 0;
	return err_say(err, EINVAL, "%s: \"%s\" is no path of a cgroup, like /cellar-machine",
		       where, path);
}

/* Comments alone: all of it is left out. */
static bool is_blank(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *first = line + strspn(line, " \t\r");

		if (*first && *first != '\n' && *first != '#')
			return false;
	}
	return true;
}

int config_load(const char *path, struct arena *arena, struct celld_config *ret, struct err *err)
{
	struct celld_config config = {
		.cell = CELL_DEFAULT,
		.root = ENGINE_ROOT_DEFAULT,
		.runroot = ENGINE_RUNROOT_DEFAULT,
		.master = { .listen = CONFIG_LISTEN_DEFAULT, .production_percent = 100 },
	};
	_cleanup_yaml_ struct yaml *doc = NULL;
	_cleanup_free_ char *text = NULL;
	struct yaml_node root;
	size_t len = 0;

	if (!path) {
		*ret = config;
		return 0;
	}
	err_try(file_read(AT_FDCWD, path, FILE_MAX, &text, &len, err));
	if (is_blank(text)) {
		*ret = config;
		return 0;
	}
	err_try(yaml_parse(path, text, len, &doc, err));
	root = yaml_root(doc);
	err_try(fields_read(&root, fields, arena, &config, err));
	err_try(check_path(path, "root", config.root, err));
	err_try(check_path(path, "runroot", config.runroot, err));
	err_try(config_check_cgroup("agent.cgroup", config.agent.cgroup, err));
	*ret = config;
	return 0;
}
