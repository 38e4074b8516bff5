/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a process is: "-u name", "-u 1000:1000", an image's "User", looked up in the container's own
 * etc/passwd and etc/group. Pure: the texts of both files are given.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

struct user_files {
	const char *passwd, *group; /* texts; NULL where the image has none */
};

struct user_identity {
	struct oci_user user;
	const char *home; /* "/" where passwd does not tell */
};

/*
 * spec: "", NULL (root), "USER" or "USER:GROUP", each a name or a number; digits are a number.
 * Without GROUP the user's own group and those that list him count. A number needs no entry, a name
 * that is not there is -EINVAL. Results live in the arena.
 */
int user_resolve(const char *spec, const struct user_files *files, struct arena *arena,
		 struct user_identity *ret, struct err *err);

/* --group-add: names or numbers, NULL-terminated or NULL, behind the groups that user has. -EINVAL
 * for a name that is not in etc/group. */
int user_add_groups(const char *const *groups, const struct user_files *files, struct arena *arena,
		    struct user_identity *user, struct err *err);
