/* SPDX-License-Identifier: Apache-2.0 */
/* A container on its way, for the files that make it: create.c tells in which order. */
#pragma once

#include <limits.h>

#include "isolation/plan.h"
#include "runtime/container_struct.h"
#include "runtime/net_devices.h"

struct creation {
	const struct container_create_options *options;
	struct container *c; /* owned; NULL until the folder is there */
	char bundle[PATH_MAX], rootfs[PATH_MAX];
	char *config_text; /* owned; as read from the bundle, or NULL */
	size_t config_len;
	struct oci_config *own_config; /* owned; NULL when the caller gave one */
	const struct oci_config *config;
	struct plan *plan;	    /* owned */
	int console_socket;	    /* owned, or -1 */
	int fifo_fd;		    /* owned, or -1 */
	struct net_devices devices; /* that the container has got from us */
	bool launching, launched, hooks_began;
};

/* create_judge.c, 1: reads what is asked for and refuses what cannot be; nothing is made. */
int creation_judge(struct creation *creation, struct err *err);

/* A path, from the current folder where it is relative, without dots. */
int creation_make_absolute(const char *path, char *buf, size_t size, struct err *err);

/* create_launch.c, 6 and 7: plan, limits, the process; hooks run in between. */
int creation_launch(struct creation *creation, struct err *err);

/* The same of one whose processes are there already, in images. */
int creation_restore(struct creation *creation, struct err *err);
