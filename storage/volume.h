/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: folders that outlive the containers that use them.
 *
 *	volumes/NAME/volume.json  version, when it was made, whether it is anonymous, labels
 *	volumes/NAME/data/        what containers see
 *	volumes/NAME/users/USER   empty files: who uses it; one that the caller calls dead is stale
 *	volumes/NAME/copy/        a content in the making: tree/, and links/ (storage/tree_copy.h)
 *	volumes/NAME/ready/       a content that is whole, on its way into data/
 *	volumes/.tmp/             volumes in removal
 *
 * A volume is open only while its folder is locked by flock(2), so one process at a time makes,
 * fills or removes it. Each state on disk that a kill leaves is one that volume_open() mends:
 *
 *	1. Without volume.json or data/: they are made.
 *	2. copy/ never counts: it is dropped. So a content is in data/ whole or not at all, except
 *	3. when ready/ is there: then its names go on into data/, which never replace one that is.
 *	   Who locked the volume sees all; a container that has it mounted sees names appear whole.
 *	4. What is in .tmp and not locked is removed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define VOLUME_NAME_MAX 128
#define VOLUME_USER_MAX 64

struct volume;

struct volume_info {
	const char *name;
	const char *data_path;	   /* absolute when root is */
	const char *const *labels; /* "KEY=VALUE", NULL-terminated; may be NULL */
	int64_t created_ns;	   /* 0: unknown */
	bool anonymous;		   /* made for one container, and to go with it */
};

/* A letter or digit, then letters, digits, '_', '.', '-'; at most VOLUME_NAME_MAX characters. */
bool volume_name_is_valid(const char *name);

/* ROOT/volumes/NAME/data, in the arena; NULL when out of memory. Looks at no disk. */
const char *volume_data_path(const char *root, const char *name, struct arena *arena);

/*
 * Opens and locks a volume, waiting for its turn; mends it. make: what to make it as (labels and
 * anonymous count) where it is missing; NULL: -ENOENT then. Returns 0, or 1 when it was made.
 */
int volume_open(const char *root, const char *name, const struct volume_info *make,
		struct volume **ret, struct err *err);
struct volume *volume_close(struct volume *volume); /* unlocks */

/* The strings live in the arena. */
int volume_read(struct volume *volume, struct arena *arena, struct volume_info *ret,
		struct err *err);

int volume_add_user(struct volume *volume, const char *user, struct err *err);

/* 1 when data/ is empty, 0 when not. */
int volume_is_empty(struct volume *volume, struct err *err);

/* Folders for tree_copy(); the caller closes them. What is filled counts from the end on. */
int volume_fill_begin(struct volume *volume, int *ret_tree_fd, int *ret_links_fd, struct err *err);
int volume_fill_end(struct volume *volume, struct err *err);
int volume_fill_drop(struct volume *volume, struct err *err); /* instead of the end */

/* Who of the users still lives: 1, 0 or <0. */
struct volume_judge {
	int (*is_alive)(void *data, const char *user);
	void *data;
};

/* Fills ret with the users that live; each may be freed with the arena. */
int volume_users(struct volume *volume, const struct volume_judge *judge, struct arena *arena,
		 const char *const **ret, struct err *err);

/* One user less. 0 also when there is no such volume. */
int volume_drop_user(const char *root, const char *name, const char *user, struct err *err);

/* -ENOENT; -EBUSY when somebody who lives uses it. */
int volume_remove(const char *root, const char *name, const struct volume_judge *judge,
		  struct err *err);

/* Calls fn for each name, in their order, until it returns other than 0, which is returned. */
int volume_each(const char *root, int (*fn)(void *data, const char *name), void *data,
		struct err *err);

CLEANUP_DEFINE(struct volume, volume, volume_close);
#define _cleanup_volume_ _cleanup_(cleanup_volume)
