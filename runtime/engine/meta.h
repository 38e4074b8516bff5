/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.json: what was asked for when a container was made, and what it got. It says nothing about
 * how the container is: that follows from what is alive.
 *
 * Carries "version": 1; a newer one is refused, unknown fields are ignored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/meta_network.h"

#define META_VERSION 1

struct meta {
	const char *id, *name, *image, *image_id, *hostname;
	const char *address;	 /* "10.77.0.2/16", or NULL */
	const char *gateway;	 /* or NULL */
	const char *stop_signal; /* as asked for, or as the image says it, or NULL */
	const char *domainname;	 /* or NULL */
	struct labels labels, annotations;
	int64_t stop_timeout_s;	     /* -1: for ever */
	const char *restart;	     /* "on-failure:3", ...; NULL: no */
	struct engine_health health; /* test NULL: none; else whole */
	const char *const *layers;   /* chain ids, NULL-terminated */
	const char *const *command;  /* argv, NULL-terminated */
	bool terminal, interactive, auto_remove, init;
	enum engine_network network;
	struct engine_limits limits;
	struct engine_security security; /* apparmor: what it came to be; NULL: none */
	int64_t created_ns;
	struct meta_network net;
	const struct engine_mount *mounts; /* all but the defaults of every container */
	size_t mounts_count;
	struct engine_namespaces namespaces;
};

/* "bridge", "none", "host", "container". */
const char *meta_network_name(enum engine_network network);
int meta_network_parse(const char *name, enum engine_network *ret, struct err *err);

/* Text owned by the caller. */
int meta_format(const struct meta *meta, char **ret, size_t *ret_len, struct err *err);
int meta_parse(const char *text, size_t len, struct arena *arena, struct meta *ret,
	       struct err *err);

/* dirfd: the container's folder. Loading where there is no file is -ENOENT. */
int meta_save(int dirfd, const struct meta *meta, struct err *err);
int meta_load(int dirfd, struct arena *arena, struct meta *ret, struct err *err);
