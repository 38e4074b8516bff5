/* SPDX-License-Identifier: Apache-2.0 */
/* Names of units. */
#include "cgroups/systemd_unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SLICE_SUFFIX ".slice"

bool systemd_unit_is_slice(const char *name)
{
	size_t len = strlen(name), end = strlen(SLICE_SUFFIX);

	return len > end && strcmp(name + len - end, SLICE_SUFFIX) == 0;
}

bool systemd_unit_is_meant(const char *path)
{
	const char *prefix = path ? strchr(path, ':') : NULL;
	size_t end = strlen(SLICE_SUFFIX);

	return prefix && prefix - path > (ptrdiff_t)end &&
	       !memchr(path, '/', (size_t)(prefix - path)) &&
	       memcmp(prefix - end, SLICE_SUFFIX, end) == 0 && strchr(prefix + 1, ':');
}

/* systemd.unit(5): letters, digits, ":-_.\@". Others would be names of another unit, or none. */
static bool has_good_letters(const char *name)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";

	return name[0] && strspn(name, good) == strlen(name);
}

/* "a-b.slice" lies in "a.slice": dashes separate names, none of which may be empty. */
static bool is_slice_name(const char *slice)
{
	return systemd_unit_is_slice(slice) && has_good_letters(slice) &&
	       (strcmp(slice, "-.slice") == 0 ||
		(slice[0] != '-' && !strstr(slice, "--") && !strstr(slice, "-.slice")));
}

static int put(char ret[static SYSTEMD_NAME_MAX], const char *path, int len, struct err *err)
{
	if (len >= SYSTEMD_NAME_MAX)
		return err_say(err, EINVAL,
			       "linux.cgroupsPath: \"%.64s...\" is longer than a name of "
			       "systemd's may be (%d bytes)",
			       path, SYSTEMD_NAME_MAX - 1);
	if (!has_good_letters(ret))
		return err_say(err, EINVAL, "linux.cgroupsPath: \"%s\" is no name for systemd",
			       ret);
	return 0;
}

static int parse_parts(const char *path, bool user, struct systemd_unit *ret, struct err *err)
{
	const char *prefix = strchr(path, ':'), *name = prefix ? strchr(prefix + 1, ':') : NULL;
	int slice_len = prefix ? (int)(prefix - path) : 0, len;

	if (!name || strchr(name + 1, ':') || !name[1])
		return err_say(err, EINVAL,
			       "linux.cgroupsPath: \"%s\" is not slice:prefix:name, as it has to "
			       "be where systemd makes the cgroups",
			       path);
	if (slice_len > 0)
		len = snprintf(ret->slice, sizeof(ret->slice), "%.*s", slice_len, path);
	else
		len = snprintf(ret->slice, sizeof(ret->slice), "%s",
			       user ? "user.slice" : "system.slice");
	err_try(put(ret->slice, path, len, err));
	if (!is_slice_name(ret->slice))
		return err_say(err, EINVAL, "linux.cgroupsPath: \"%s\" is no slice of systemd's",
			       ret->slice);
	name++;
	if (systemd_unit_is_slice(name))
		len = snprintf(ret->name, sizeof(ret->name), "%s", name);
	else
		len = snprintf(ret->name, sizeof(ret->name), "%.*s-%s.scope",
			       (int)(name - 1 - (prefix + 1)), prefix + 1, name);
	return put(ret->name, path, len, err);
}

int systemd_unit_parse(const char *path, const char *id, bool user, struct systemd_unit *ret,
		       struct err *err)
{
	struct systemd_unit unit = { 0 };
	char usual[2 * SYSTEMD_NAME_MAX];

	snprintf(usual, sizeof(usual), ":cellar:%s", id);
	if (parse_parts(path && *path ? path : usual, user, &unit, err) < 0)
		return -EINVAL;
	*ret = unit;
	return 0;
}
