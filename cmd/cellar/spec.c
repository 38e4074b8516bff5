/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json to start from: a shell on a terminal in a read-only root. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "cgroups/cgroup.h"
#include "cmd/cellar/verbs.h"
#include "spec/oci_config.h"

struct args {
	const char *bundle, *file;
	bool rootless;
};

static const struct option_entry options[] = {
	OPTION_STRING(struct args, bundle, 'b', "bundle", "DIR",
		      "folder to write to (default: the current one)"),
	OPTION_STRING(struct args, file, 'f', "file", "FILE",
		      "name of the file in that folder (default config.json)"),
	OPTION_BOOL(struct args, rootless, 0, "rootless",
		    "for a user who is not root: a user namespace, and nothing that takes more"),
	OPTION_END,
};

#define CAPS "[\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]"

/*
 * A first letter R is for --rootless only, S for all but that; the rest is the line. %u and %g are
 * the caller's ids.
 */
static const char *const lines[] = {
	"{",
	"	\"ociVersion\": \"" OCI_VERSION "\",",
	"	\"process\": {",
	"		\"terminal\": true,",
	"		\"user\": { \"uid\": 0, \"gid\": 0 },",
	"		\"args\": [\"sh\"],",
	"		\"env\": [",
	"			\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",",
	"			\"TERM=xterm\"",
	"		],",
	"		\"cwd\": \"/\",",
	"		\"capabilities\": {",
	"			\"bounding\": " CAPS ",",
	"			\"effective\": " CAPS ",",
	"			\"permitted\": " CAPS,
	"		},",
	"		\"rlimits\": [",
	"			{ \"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024 }",
	"		],",
	"		\"noNewPrivileges\": true",
	"	},",
	"	\"root\": { \"path\": \"rootfs\", \"readonly\": true },",
	"	\"hostname\": \"cellar\",",
	"	\"mounts\": [",
	"		{ \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },",
	"		{",
	"			\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\",",
	"			\"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]",
	"		},",
	"		{",
	"			\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\",",
	"			\"options\": [",
	"S				\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"",
	"R				\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"",
	"			]",
	"		},",
	"		{",
	"			\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\",",
	"			\"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]",
	"		},",
	"		{",
	"			\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\",",
	"			\"options\": [\"nosuid\", \"noexec\", \"nodev\"]",
	"		},",
	"		{",
	"S			\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\",",
	"S			\"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]",
	"R			\"destination\": \"/sys\", \"type\": \"none\", \"source\": \"/sys\",",
	"R			\"options\": [\"rbind\", \"nosuid\", \"noexec\", \"nodev\", \"ro\"]",
	"		},",
	"		{",
	"			\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\",",
	"			\"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]",
	"		}",
	"	],",
	"	\"linux\": {",
	"S		\"resources\": {",
	"S			\"devices\": [{ \"allow\": false, \"access\": \"rwm\" }]",
	"S		},",
	"R		\"uidMappings\": [{ \"containerID\": 0, \"hostID\": %u, \"size\": 1 }],",
	"R		\"gidMappings\": [{ \"containerID\": 0, \"hostID\": %g, \"size\": 1 }],",
	"		\"namespaces\": [",
	"			{ \"type\": \"pid\" },",
	"S			{ \"type\": \"network\" },",
	"			{ \"type\": \"ipc\" },",
	"			{ \"type\": \"uts\" },",
	"			{ \"type\": \"mount\" }@",
	"R			,{ \"type\": \"user\" }",
	"		],",
	"		\"maskedPaths\": [",
	"			\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\",",
	"			\"/proc/latency_stats\", \"/proc/timer_list\", \"/proc/timer_stats\",",
	"			\"/proc/sched_debug\", \"/sys/firmware\", \"/proc/scsi\"",
	"		],",
	"		\"readonlyPaths\": [",
	"			\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", \"/proc/sysrq-trigger\"",
	"		]",
	"	}",
	"}",
};

/* "@" is where v2 adds a cgroup namespace: there the view from outside of it is of no use. */
static void print_line(const char *line, bool rootless, FILE *out)
{
	if ((line[0] == 'R' && !rootless) || (line[0] == 'S' && rootless))
		return;
	line += line[0] == 'R' || line[0] == 'S';
	for (; *line; line++) {
		if (*line == '@' && cgroup_layout() == CGROUP_V2)
			fputs(",\n\t\t\t{ \"type\": \"cgroup\" }", out);
		else if (line[0] == '%')
			fprintf(out, "%u", *++line == 'u' ? geteuid() : getegid());
		else if (*line != '@')
			putc(*line, out);
	}
	putc('\n', out);
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_file_ FILE *out = NULL;
	struct args a = { .bundle = ".", .file = "config.json" };
	char path[PATH_MAX], **args;
	size_t count;
	int r = verb_parse(&verb_spec, argc, argv, &a, &args, &count, err);

	(void)globals;
	if (r != 0)
		return r;
	if (a.file[0] == '/')
		a.bundle = "/";
	err_try(path_join(path, sizeof(path), a.bundle, a.file, err));
	out = fopen(path, "wxe");
	if (!out && errno == EEXIST)
		return err_say(err, EEXIST, "File %s exists. Remove it first", a.file);
	if (!out)
		return err_set(err, errno, "create %s", path);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		print_line(lines[i], a.rootless, out);
	if (fflush(out) != 0)
		return err_set(err, errno, "write %s", path);
	return 0;
}

const struct verb verb_spec = {
	.command = { .name = "cellar spec",
		     .summary = "write a config.json to start from",
		     .details = "A bundle from nothing:\n"
				"  mkdir -p box/rootfs/bin && cp /bin/busybox box/rootfs/bin/sh\n"
				"  cellar spec -b box && cellar run -b box box1",
		     .options = options,
		     .flags = VERB_OPTIONS },
	.run = run,
};
