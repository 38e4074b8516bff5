/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/foreign_words.h"

#include <string.h>

#define NO_PULL "Cellar pulls nothing yet; leave it out"
#define NO_REGISTRY                                                                 \
	"there is no client for registries yet; bring an image in by `skopeo copy " \
	"docker://NAME oci-archive:FILE` and `ctr image import FILE`"
#define NO_PUSH "there is no client for registries yet; `ctr image save -o FILE IMAGE` writes a tar"
#define NO_REAL_TIME "Cellar sets no real-time limits; leave it out, or use --cpus"
#define OF_WINDOWS "it is Windows' own; leave it out"
#define NO_BUILD \
	"Cellar builds no images; build with docker, buildah or BuildKit, then `ctr image import`"

/* clang-format off */
const struct option_hint foreign_run_options[] = {
	{ "gpus", "give devices by name, as --device /dev/nvidia0, and what else is needed by -v" },
	{ "link", "containers on the bridge find each other by name; leave it out, and run the other with --network-alias where it shall have one more name" },
	{ "runtime", "Cellar is the runtime; leave it out" },
	{ "storage-opt", "Cellar limits no root filesystem; leave it out" },
	{ "cgroup-parent", "containers have cgroups of their own at the top; leave it out" },
	{ "kernel-memory", "Linux has no such limit any more; use --memory" },
	{ "oom-kill-disable", "use --oom-score-adj -1000, which spares it when the host has no memory left" },
	{ "a", "run it with -d and watch by `ctr logs -f`, or redirect its output" },
	{ "attach", "run it with -d and watch by `ctr logs -f`, or redirect its output" },
	{ "sig-proxy", "signals always go to the container; to watch it alone run it with -d, and `ctr logs -f`" },
	{ "volume-driver", "volumes are folders of this host; leave it out" },
	{ "disable-content-trust", NO_PULL },
	{ "q", NO_PULL },
	{ "quiet", NO_PULL },
	{ "cpu-rt-runtime", NO_REAL_TIME },
	{ "cpu-rt-period", NO_REAL_TIME },
	{ "link-local-ip", "use --ip or --ip6" },
	{ "isolation", OF_WINDOWS },
	{ "cpu-count", OF_WINDOWS },
	{ "cpu-percent", OF_WINDOWS },
	{ "io-maxbandwidth", OF_WINDOWS },
	{ "io-maxiops", OF_WINDOWS },
	{ "replace", "remove the other one before: `ctr rm -f NAME`" },
	{ "pod", "Cellar has no pods; share by --network, --ipc and --pid container:NAME" },
	{ 0 },
};

const struct option_hint foreign_exec_options[] = {
	{ "privileged", "a process has what its container has; run that with --privileged, or with --cap-add" },
	{ 0 },
};

const struct option_hint foreign_events_options[] = {
	{ "no-stream", "write --until 0s" },
	{ "stream", "write --until 0s in place of --stream=false" },
	{ 0 },
};

#define PICK_BY_JQ "pick by `ctr ps -a --format json | jq`"
const struct option_hint foreign_ps_options[] = {
	{ "f", PICK_BY_JQ },
	{ "filter", PICK_BY_JQ },
	{ "l", "the newest comes first: `ctr ps -aq | head -n 1`" },
	{ "latest", "the newest comes first: `ctr ps -aq | head -n 1`" },
	{ "n", "the newest come first: `ctr ps -aq | head -n NUMBER`" },
	{ "last", "the newest come first: `ctr ps -aq | head -n NUMBER`" },
	{ "s", "use `du -sh` on upper/ in the \"dir\" that `ctr inspect` tells" },
	{ "size", "use `du -sh` on upper/ in the \"dir\" that `ctr inspect` tells" },
	{ 0 },
};

const struct option_hint foreign_inspect_options[] = {
	{ "type", "`ctr inspect` is for containers, `ctr image inspect` and `ctr volume inspect` for the others" },
	{ "s", "use `du -sh` on upper/ in the \"dir\" that it tells" },
	{ "size", "use `du -sh` on upper/ in the \"dir\" that it tells" },
	{ 0 },
};

const struct option_hint foreign_image_ls_options[] = {
	{ "a", "all images are shown; leave it out" },
	{ "all", "all images are shown; leave it out" },
	{ "f", "pick by `ctr image ls --format json | jq`" },
	{ "filter", "pick by `ctr image ls --format json | jq`" },
	{ "no-trunc", "`ctr image ls --format json` has whole ids" },
	{ "digests", "`ctr image inspect` has them" },
	{ 0 },
};

#define FOR_A_NEW_ONE "memory, processors and processes can be changed; for the rest make a new container"
const struct option_hint foreign_update_options[] = {
	{ "restart", FOR_A_NEW_ONE },
	{ "memory-", FOR_A_NEW_ONE },
	{ "cpu-", FOR_A_NEW_ONE },
	{ "cpuset-", FOR_A_NEW_ONE },
	{ "blkio-weight", FOR_A_NEW_ONE },
	{ 0 },
};

const struct option_hint foreign_cp_options[] = {
	{ "q", "nothing is printed; leave it out" },
	{ "quiet", "nothing is printed; leave it out" },
	{ 0 },
};

#define NO_CHECKPOINT "Cellar restores no checkpoints yet; leave it out"
const struct option_hint foreign_start_options[] = {
	{ "checkpoint", NO_CHECKPOINT },
	{ "checkpoint-dir", NO_CHECKPOINT },
	{ 0 },
};

const struct option_hint foreign_stop_options[] = {
	{ "s", "use `ctr kill -s SIGNAL`, or run the container with --stop-signal" },
	{ "signal", "use `ctr kill -s SIGNAL`, or run the container with --stop-signal" },
	{ 0 },
};

static const struct option_hint commands[] = {
	{ "images", "write `ctr image ls`" },
	{ "rmi", "write `ctr image rm`" },
	{ "load", "write `ctr image import PATH`" },
	{ "import", "write `ctr image import PATH`" },
	{ "save", "write `ctr image save`" },
	{ "tag", "write `ctr image tag`" },
	{ "history", "write `ctr image inspect`, which shows it" },
	{ "pull", NO_REGISTRY },
	{ "push", NO_PUSH },
	{ "login", NO_REGISTRY },
	{ "logout", NO_REGISTRY },
	{ "search", NO_REGISTRY },
	{ "build", NO_BUILD },
	{ "buildx", NO_BUILD },
	{ "commit", NO_BUILD },
	{ "network", "there is one bridge, and --network none, host and container:NAME" },
	{ "system", "write `ctr info`, `ctr image prune`, `ctr volume prune`" },
	{ "compose", "there is none; write a script of `ctr run`, where containers find each other by name" },
	{ "container", "leave the word out: `ctr ps`, `ctr run`, `ctr rm`" },
	{ "containers", "this is Cellar's ctr, not containerd's; write `ctr ps -a`" },
	{ "c", "this is Cellar's ctr, not containerd's; write `ctr ps -a`" },
	{ "tasks", "this is Cellar's ctr, not containerd's; write `ctr ps`" },
	{ "task", "this is Cellar's ctr, not containerd's; write `ctr ps`" },
	{ "t", "this is Cellar's ctr, not containerd's; write `ctr ps`" },
	{ "list", "write `ctr ps`" },
	{ "ls", "write `ctr ps`" },
	{ 0 },
};

static const struct option_hint image_commands[] = {
	{ "load", "write `ctr image import PATH`" },
	{ "list", "write `ctr image ls`" },
	{ "remove", "write `ctr image rm`" },
	{ "history", "write `ctr image inspect`, which shows it" },
	{ "export", "write `ctr image save`" },
	{ "pull", NO_REGISTRY },
	{ "push", NO_PUSH },
	{ "build", NO_BUILD },
	{ 0 },
};

static const struct option_hint volume_commands[] = {
	{ "list", "write `ctr volume ls`" },
	{ "remove", "write `ctr volume rm`" },
	{ 0 },
};
/* clang-format on */

const char *foreign_command(const char *group, const char *word)
{
	const struct option_hint *h = commands;

	if (group)
		h = strcmp(group, "image") == 0 ? image_commands : volume_commands;
	for (; h->name; h++)
		if (strcmp(h->name, word) == 0)
			return h->hint;
	return NULL;
}
