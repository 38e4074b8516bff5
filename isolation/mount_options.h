/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "options" of a mount in config.json, sorted into what the kernel calls need. What is no option of
 * the mount itself belongs to the file system and comes out through a callback, in order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mount_options {
	uint64_t set, clear;			 /* MOUNT_ATTR_*, of the mount itself */
	uint64_t set_recursive, clear_recursive; /* of all mounts below too */
	uint64_t propagation;			 /* MS_PRIVATE, ...; 0: none asked for */
	bool propagation_recursive;
	bool bind, recursive, remount;
	bool copy_up, idmap, idmap_recursive;
	bool real_source;
	const char *idmap_text; /* crun's maps: what follows "idmap="; NULL; part of the option */
	bool copy_symlink, source_nofollow, target_nofollow; /* crun's, of a bind */
};

/* Of a bind, ours alone: no symlink may be on the way to the source. ctr has followed them when it
 * made the container; what is there at a later start may have been put there from inside. */
#define MOUNT_OPTION_REAL_SOURCE "x-cellar.real-source"

/*
 * Takes one option in. 0: done; 1: not ours, an option of the file system's ("size=1m"). Later
 * options win over earlier ones.
 */
int mount_options_add(struct mount_options *options, const char *option);

/* Of those that mount_options_add() leaves: any file system takes it, and a bind does without. */
bool mount_option_is_superblock(const char *option);

/* Every option that is ours, by index from 0, in no order. Returns buf; NULL behind the last. */
#define MOUNT_OPTION_NAME_SIZE 24
const char *mount_option_name(size_t index, char buf[static MOUNT_OPTION_NAME_SIZE]);

/* "shared", "rslave", ... -> MS_SHARED, MS_SLAVE; 0 for anything else. */
uint64_t mount_propagation_parse(const char *name, bool *ret_recursive);
