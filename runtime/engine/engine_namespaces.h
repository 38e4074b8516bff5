/* SPDX-License-Identifier: Apache-2.0 */
/* Whose namespaces a container is in, but for the network's. Plain data; meta.json keeps it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum engine_ns_mode {
	ENGINE_NS_PRIVATE,   /* one of its own */
	ENGINE_NS_HOST,	     /* the host's */
	ENGINE_NS_CONTAINER, /* another container's: pid, ipc */
	ENGINE_NS_SHAREABLE, /* ipc: of its own, which others may join, /dev/shm included */
	ENGINE_NS_NONE,	     /* ipc: of its own, without /dev/shm */
	ENGINE_NS_MODES
};

struct engine_ns {
	enum engine_ns_mode mode;
	const char *container; /* ENGINE_NS_CONTAINER: name or id; NULL */
};

struct engine_namespaces {
	struct engine_ns pid, ipc, uts, cgroup;
	bool user;	  /* a user namespace of its own; false: the host's */
	uint32_t id_base; /* what its root is on the host; 0: not made yet. Not to be asked for */
};

/* "private", "host", "container", "shareable", "none". */
const char *engine_ns_mode_name(enum engine_ns_mode mode);
