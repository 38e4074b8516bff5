/* SPDX-License-Identifier: Apache-2.0 */
/* The options that `checkpoint` and `restore` share. */
#pragma once

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

struct criu_args {
	const char *image_path, *work_path, *cgroups_mode, *network_lock;
	struct options_list empty_ns;
	bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
};

/* clang-format off */
/* in: where in type the struct lies, with a dot behind. */
#define CRIU_OPTIONS(type, in) \
	OPTION_STRING(type, in image_path, 0, "image-path", "DIR", \
		      "folder of the images (default: checkpoint)"), \
	OPTION_STRING(type, in work_path, 0, "work-path", "DIR", \
		      "folder of criu's log and statistics (default: that of the images)"), \
	OPTION_BOOL(type, in tcp_established, 0, "tcp-established", \
		    "connections that stand are kept, too"), \
	OPTION_STRING(type, in network_lock, 0, "network-lock", "METHOD", \
		      "who keeps packets out meanwhile: iptables (default), nftables, skip"), \
	OPTION_BOOL(type, in ext_unix_sk, 0, "ext-unix-sk", \
		    "UNIX sockets may be connected to the outside"), \
	OPTION_BOOL(type, in shell_job, 0, "shell-job", \
		    "the process belongs to a session of the outside"), \
	OPTION_BOOL(type, in file_locks, 0, "file-locks", "locks on files are kept, too"), \
	OPTION_STRING(type, in cgroups_mode, 0, "manage-cgroups-mode", "MODE", \
		      "what becomes of cgroups: soft (default), full, strict, ignore"), \
	OPTION_LIST(type, in empty_ns, 0, "empty-ns", "network", \
		    "a namespace whose content is not touched"), \
	OPTION_BOOL(type, in auto_dedup, 0, "auto-dedup", \
		    "memory that is in the images twice is there once"), \
	OPTION_BOOL(type, in lazy_pages, 0, "lazy-pages", \
		    "memory comes when it is asked for (criu lazy-pages)")
/* clang-format on */

static inline int criu_args_fill(const struct criu_args *a, const struct cellar_globals *globals,
				 struct container_criu_options *ret, struct err *err)
{
	*ret = (struct container_criu_options){
		.program = globals->criu,
		.image_path = a->image_path ? a->image_path : "checkpoint",
		.work_path = a->work_path,
		.network_lock = a->network_lock,
		.tcp_established = a->tcp_established,
		.ext_unix_sk = a->ext_unix_sk,
		.shell_job = a->shell_job,
		.file_locks = a->file_locks,
		.auto_dedup = a->auto_dedup,
		.lazy_pages = a->lazy_pages,
		.cgroups_mode = a->cgroups_mode,
	};
	for (size_t i = 0; i < a->empty_ns.count; i++) {
		if (strcmp(a->empty_ns.items[i], "network") != 0)
			return err_say(err, EINVAL, "--empty-ns: '%s' is not network",
				       a->empty_ns.items[i]);
		ret->empty_ns = CLONE_NEWNET;
	}
	return 0;
}
