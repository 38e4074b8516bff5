/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of passwd(5) and group(5), read without libc: the files belong to a stranger's image. */
#include "runtime/engine/user.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 7
#define GROUPS_MAX 1024
#define ID_MAX 4294967294u /* 4294967295 is (uid_t)-1, "no change" */

struct field {
	const char *data;
	size_t len;
};

/* Cuts the next line at its colons; false at the end of the text. */
static bool next_line(const char **text, struct field fields[static FIELDS_MAX], size_t *ret_count)
{
	const char *p = *text, *end;
	size_t n = 0;

	if (!p || !*p)
		return false;
	end = p + strcspn(p, "\n");
	*text = *end ? end + 1 : end;
	for (;;) {
		size_t len = n < FIELDS_MAX - 1 ? strcspn(p, ":\n") : strcspn(p, "\n");

		fields[n++] = (struct field){ p, len };
		if (p + len >= end || n == FIELDS_MAX)
			break;
		p += len + 1;
	}
	*ret_count = n;
	return true;
}

static bool field_is(const struct field *f, const char *s)
{
	return strlen(s) == f->len && memcmp(f->data, s, f->len) == 0;
}

static bool parse_id(const char *text, size_t len, uint32_t *ret)
{
	uint64_t n = 0;

	if (!len || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	if (n > ID_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* Digits are a number and never a name: else an image's passwd could make root of "-u 1000", or of
 * a number that is too large for one. */
static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

struct passwd_entry {
	struct field name;
	uint32_t uid, gid;
	struct field home;
};

static bool find_user(const char *passwd, const char *who, struct passwd_entry *ret)
{
	struct field f[FIELDS_MAX];
	struct passwd_entry entry;
	bool by_number = is_number(who);
	uint32_t number;
	size_t n;

	if (by_number && !parse_id(who, strlen(who), &number))
		return false;
	while (next_line(&passwd, f, &n)) {
		if (n < 6 || !parse_id(f[2].data, f[2].len, &entry.uid) ||
		    !parse_id(f[3].data, f[3].len, &entry.gid))
			continue;
		entry.name = f[0];
		entry.home = f[5];
		if (by_number ? entry.uid == number : field_is(&f[0], who)) {
			*ret = entry;
			return true;
		}
	}
	return false;
}

static bool find_group(const char *group, const char *which, uint32_t *ret_gid)
{
	struct field f[FIELDS_MAX];
	uint32_t gid;
	size_t n;

	if (is_number(which))
		return parse_id(which, strlen(which), ret_gid);
	while (next_line(&group, f, &n)) {
		if (n < 3 || !field_is(&f[0], which) || !parse_id(f[2].data, f[2].len, &gid))
			continue;
		*ret_gid = gid;
		return true;
	}
	return false;
}

static bool lists_member(const struct field *members, const struct field *name)
{
	const char *p = members->data, *end = members->data + members->len;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t len = (size_t)((comma ? comma : end) - p);

		if (len == name->len && memcmp(p, name->data, len) == 0)
			return true;
		p += len + 1;
	}
	return false;
}

/* Groups that list the user as a member, without his own. */
static int find_memberships(const char *group, const struct passwd_entry *who, struct arena *arena,
			    struct oci_user *ret, struct err *err)
{
	struct field f[FIELDS_MAX];
	uint32_t gids[GROUPS_MAX], *copy, gid;
	size_t count = 0, n;

	while (next_line(&group, f, &n) && count < GROUPS_MAX) {
		if (n < 4 || !parse_id(f[2].data, f[2].len, &gid) || gid == who->gid)
			continue;
		if (lists_member(&f[3], &who->name))
			gids[count++] = gid;
	}
	if (!count)
		return 0;
	copy = arena_calloc(arena, count, sizeof(*copy));
	if (!copy)
		return err_set(err, ENOMEM, "read groups");
	memcpy(copy, gids, count * sizeof(*copy));
	ret->additional_gids = copy;
	ret->additional_gids_count = count;
	return 0;
}

static int resolve_user(const char *name, const struct user_files *files, bool with_groups,
			struct arena *arena, struct user_identity *ret, struct err *err)
{
	struct passwd_entry entry = { 0 };

	if (!find_user(files->passwd, name, &entry)) {
		if (!parse_id(name, strlen(name), &ret->user.uid))
			return err_say(err, EINVAL,
				       "user \"%s\" is not in the image's /etc/passwd, and not a "
				       "number from 0 to %u",
				       name, ID_MAX);
		return 0;
	}
	ret->user.uid = entry.uid;
	ret->user.gid = entry.gid;
	if (entry.home.len) {
		ret->home = arena_strndup(arena, entry.home.data, entry.home.len);
		if (!ret->home)
			return err_set(err, ENOMEM, "read user %s", name);
	}
	return with_groups ? find_memberships(files->group, &entry, arena, &ret->user, err) : 0;
}

int user_resolve(const char *spec, const struct user_files *files, struct arena *arena,
		 struct user_identity *ret, struct err *err)
{
	struct user_identity who = { .home = "/" };
	char *name = arena_strdup(arena, spec ? spec : ""), *group;
	int r;

	if (!name)
		return err_set(err, ENOMEM, "read user");
	group = strchr(name, ':');
	if (group)
		*group++ = '\0';
	if (group && !*group)
		return err_say(err, EINVAL, "user \"%s\": no group follows the colon", spec);
	r = resolve_user(*name ? name : "0", files, !group, arena, &who, err);
	if (r < 0)
		return r;
	if (group && !find_group(files->group, group, &who.user.gid))
		return err_say(err, EINVAL,
			       "group \"%s\" is not in the image's /etc/group, and not a number "
			       "from 0 to %u",
			       group, ID_MAX);
	*ret = who;
	return 0;
}

static bool has_group(const struct oci_user *user, uint32_t gid)
{
	for (size_t i = 0; i < user->additional_gids_count; i++)
		if (user->additional_gids[i] == gid)
			return true;
	return user->gid == gid;
}

int user_add_groups(const char *const *groups, const struct user_files *files, struct arena *arena,
		    struct user_identity *who, struct err *err)
{
	struct oci_user user = who->user;
	size_t count = 0;
	uint32_t *gids, gid;

	while (groups && groups[count])
		count++;
	if (!count)
		return 0;
	gids = arena_calloc(arena, user.additional_gids_count + count, sizeof(*gids));
	if (!gids)
		return err_set(err, ENOMEM, "read --group-add");
	if (user.additional_gids_count)
		memcpy(gids, user.additional_gids, user.additional_gids_count * sizeof(*gids));
	user.additional_gids = gids;
	for (; *groups; groups++) {
		if (!find_group(files->group, *groups, &gid))
			return err_say(err, EINVAL,
				       "--group-add: \"%s\" is not in the image's /etc/group, and "
				       "not a number from 0 to %u",
				       *groups, ID_MAX);
		if (!has_group(&user, gid))
			gids[user.additional_gids_count++] = gid;
	}
	who->user = user;
	return 0;
}
