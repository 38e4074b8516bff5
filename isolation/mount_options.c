/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/mount_options.h"

#include <stdio.h>
#include <string.h>
#include <linux/mount.h>
#include <stddef.h>

#include "base/cleanup.h"

#define ATIME MOUNT_ATTR__ATIME

/* Attributes. Those of atime exclude each other, so each clears all. */
static const struct {
	const char *name;
	uint64_t set, clear;
} attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
	{ "noatime", MOUNT_ATTR_NOATIME, ATIME },
	{ "atime", MOUNT_ATTR_RELATIME, ATIME },
	{ "relatime", MOUNT_ATTR_RELATIME, ATIME },
	{ "norelatime", 0, 0 }, /* takes back relatime, which is what mounts are without it, too */
	{ "strictatime", MOUNT_ATTR_STRICTATIME, ATIME },
	{ "nostrictatime", MOUNT_ATTR_RELATIME, ATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW },
};

static const struct {
	const char *name;
	uint64_t flag;
} propagations[] = {
	{ "private", MS_PRIVATE },
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "unbindable", MS_UNBINDABLE },
};

static const struct {
	const char *name;
	size_t at; /* of the bool */
} switches[] = {
	{ "bind", offsetof(struct mount_options, bind) },
	{ "rbind", offsetof(struct mount_options, recursive) },
	{ "remount", offsetof(struct mount_options, remount) },
	{ "tmpcopyup", offsetof(struct mount_options, copy_up) },
	{ "idmap", offsetof(struct mount_options, idmap) },
	{ "ridmap", offsetof(struct mount_options, idmap_recursive) },
	{ "copy-symlink", offsetof(struct mount_options, copy_symlink) },
	{ "src-nofollow", offsetof(struct mount_options, source_nofollow) },
	{ "dest-nofollow", offsetof(struct mount_options, target_nofollow) },
};

/* Defaults of every file system, and what the kernel has dropped. */
static const char *const ignored[] = { "defaults", "async",  "loud",	 "nomand",
				       "mand",	   "silent", "iversion", "noiversion" };

/* The kernel's own, of a file system as a whole: a bind has no say in them. */
static const char *const superblock[] = { "sync", "dirsync", "lazytime", "nolazytime" };

uint64_t mount_propagation_parse(const char *name, bool *ret_recursive)
{
	for (size_t i = 0; i < ARRAY_SIZE(propagations); i++) {
		if (strcmp(name, propagations[i].name) == 0) {
			*ret_recursive = false;
			return propagations[i].flag;
		}
		if (name[0] == 'r' && strcmp(name + 1, propagations[i].name) == 0) {
			*ret_recursive = true;
			return propagations[i].flag;
		}
	}
	return 0;
}

static void apply(uint64_t *set, uint64_t *clear, uint64_t s, uint64_t c)
{
	/* The atime bits stay in `clear`: the kernel wants the whole field cleared for a change. */
	*set = (*set & ~c) | s;
	*clear = (*clear & ~(s & ~(uint64_t)ATIME)) | c;
}

static bool add_attribute(struct mount_options *o, const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		uint64_t set = attributes[i].set, clear = attributes[i].clear;

		if (strcmp(option, attributes[i].name) == 0) {
			apply(&o->set, &o->clear, set, clear);
			return true;
		}
		if (option[0] == 'r' && strcmp(option + 1, attributes[i].name) == 0) {
			apply(&o->set_recursive, &o->clear_recursive, set, clear);
			return true;
		}
	}
	return false;
}

int mount_options_add(struct mount_options *options, const char *option)
{
	uint64_t propagation;
	bool recursive = false;

	if (add_attribute(options, option))
		return 0;
	if (strcmp(option, MOUNT_OPTION_REAL_SOURCE) == 0) {
		options->real_source = true;
		return 0;
	}
	if (strncmp(option, "idmap=", 6) == 0 || strncmp(option, "ridmap=", 7) == 0) {
		options->idmap_recursive |= option[0] == 'r';
		options->idmap = true;
		options->idmap_text = strchr(option, '=') + 1;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if (strcmp(option, switches[i].name) == 0) {
			*((bool *)((char *)options + switches[i].at)) = true;
			options->bind |= options->recursive;
			return 0;
		}
	}
	propagation = mount_propagation_parse(option, &recursive);
	if (propagation) {
		options->propagation = propagation;
		options->propagation_recursive = recursive;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (strcmp(option, ignored[i]) == 0)
			return 0;
	return 1;
}

bool mount_option_is_superblock(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(superblock); i++)
		if (strcmp(option, superblock[i]) == 0)
			return true;
	return false;
}

/* Attributes and propagations also exist with an r in front. */
const char *mount_option_name(size_t index, char buf[static MOUNT_OPTION_NAME_SIZE])
{
	const char *name, *recursive = "";

	if (index < 2 * ARRAY_SIZE(attributes)) {
		name = attributes[index / 2].name;
		recursive = index % 2 ? "r" : "";
	} else if ((index -= 2 * ARRAY_SIZE(attributes)) < 2 * ARRAY_SIZE(propagations)) {
		name = propagations[index / 2].name;
		recursive = index % 2 ? "r" : "";
	} else if ((index -= 2 * ARRAY_SIZE(propagations)) < ARRAY_SIZE(switches)) {
		name = switches[index].name;
	} else if ((index -= ARRAY_SIZE(switches)) < ARRAY_SIZE(ignored)) {
		name = ignored[index];
	} else if ((index -= ARRAY_SIZE(ignored)) < ARRAY_SIZE(superblock)) {
		name = superblock[index];
	} else {
		return NULL;
	}
	snprintf(buf, MOUNT_OPTION_NAME_SIZE, "%s%s", recursive, name);
	return buf;
}
