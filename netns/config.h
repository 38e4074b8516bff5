/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DIR/bridge.json: which bridge and which subnet an installation uses. Chosen once and then kept,
 * because running containers have addresses of it; a person may write it beforehand.
 */
#pragma once

#include "base/err.h"
#include "netns/netlink.h"
#include "netns/network.h"

#define CONFIG_PREFIX_MIN 8
#define CONFIG_PREFIX_MAX 30

/* 1: read; 0: there is none yet. */
int config_read(const char *dir, struct network_config *ret, struct err *err);

/*
 * Reads it, or chooses a subnet free in the current namespace and saves it. The namespace's lock is
 * to be held until the bridge has its address, lest two installations choose the same.
 */
int config_read_or_choose(const char *dir, struct netlink *nl, struct network_config *ret,
			  struct err *err);

/* Text to data and back; the text is owned by the caller. */
int config_parse(const char *text, size_t len, struct network_config *ret, struct err *err);
int config_format(const struct network_config *config, char **ret, struct err *err);

/* "cellar0" for the default folder, else "cl-" and eight digits of the folder's hash. */
void config_name_bridge(const char *absolute_dir, char name[static IFNAMSIZ]);
