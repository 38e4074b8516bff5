/* SPDX-License-Identifier: Apache-2.0 */
/* What a dump and a restore say to criu alike. */
#pragma once

#include "base/arena.h"
#include "cgroups/cgroup.h"
#include "runtime/container.h"
#include "runtime/criu.pb-c.h"
#include "runtime/criu_mounts.h"

#define CRIU_STDIO_FILE "descriptors.json" /* among the images: what the standard files were */
#define CRIU_NET_KEY "extRootNetNS"	   /* a network namespace that is not the container's own */

/* Open folders, and the message that names them. */
struct criu_options {
	Criu__Options message;
	struct arena *arena; /* of all that the message points to; owned */
	int images_fd, work_fd;
};

#define CRIU_OPTIONS_NONE ((struct criu_options){ .images_fd = -1, .work_fd = -1 })

/* create: make the folders where there are none. log: a file's name. */
int criu_options_open(const struct container_criu_options *from, const struct oci_config *config,
		      bool create, const char *log, struct criu_options *ret, struct err *err);
void criu_options_close(struct criu_options *options);

/* One more of a repeated field; list and count are its two. -ENOMEM. */
int criu_options_add(struct criu_options *options, void *list, size_t *count, void *item,
		     struct err *err);
int criu_options_add_mounts(struct criu_options *options, const struct criu_mounts *mounts,
			    struct err *err);

#define _cleanup_criu_options_ _cleanup_(criu_options_close)
