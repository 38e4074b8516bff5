/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/security_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

#define SELINUX_STATE "/sys/fs/selinux/enforce"

/* ---- devices ---- */

/* Letters of "rwm", each once at most. */
static bool parse_access(const char *text, bool *read, bool *write, bool *mknod)
{
	*read = *write = *mknod = false;
	for (; *text; text++) {
		bool *given = *text == 'r'   ? read
			      : *text == 'w' ? write
			      : *text == 'm' ? mknod
					     : NULL;

		if (!given || *given)
			return false;
		*given = true;
	}
	return *read || *write || *mknod;
}

const char *security_access(const struct engine_device *device,
			    char buf[static SECURITY_ACCESS_SIZE])
{
	snprintf(buf, SECURITY_ACCESS_SIZE, "%s%s%s", device->read ? "r" : "",
		 device->write ? "w" : "", device->mknod ? "m" : "");
	return buf;
}

int security_parse_device(const char *text, struct arena *arena, struct engine_device *ret,
			  struct err *err)
{
	struct engine_device device = { .read = true, .write = true, .mknod = true };
	char *copy = arena_strdup(arena, text), *second, *third;

	if (!copy)
		return err_set(err, ENOMEM, "read the command line");
	second = strchr(copy, ':');
	if (second)
		*second++ = '\0';
	third = second ? strchr(second, ':') : NULL;
	if (third)
		*third++ = '\0';
	if (second && !third && second[0] != '/') {
		third = second;
		second = NULL;
	}
	if (third && !parse_access(third, &device.read, &device.write, &device.mknod))
		return err_say(err, EINVAL,
			       "\"%s\": the access \"%s\" is not made of the letters r, w and m",
			       text, third);
	device.source = copy;
	device.target = second ? second : copy;
	if (device.source[0] != '/' || device.target[0] != '/' || !device.target[1])
		return err_say(err, EINVAL,
			       "\"%s\" is not /dev/NAME[:/dev/NAME[:rwm]]: paths begin with /",
			       text);
	*ret = device;
	return 0;
}

/* "*" is -1. Returns where it ended, or NULL. */
static const char *parse_number(const char *text, int64_t *ret)
{
	char *end;

	if (*text == '*') {
		*ret = -1;
		return text + 1;
	}
	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno || *ret > UINT32_MAX ? NULL : end;
}

int security_parse_rule(const char *text, struct oci_device_rule *ret, struct err *err)
{
	struct oci_device_rule rule = { .allow = true, .type = text[0] };
	const char *rest = NULL;

	if (*text && strchr("abc", *text) && text[1] == ' ')
		rest = parse_number(text + 2, &rule.major);
	if (rest && *rest++ == ':')
		rest = parse_number(rest, &rule.minor);
	else
		rest = NULL;
	if (!rest || *rest != ' ' ||
	    !parse_access(rest + 1, &rule.read, &rule.write, &rule.mknod) ||
	    (rule.type == 'a' && (rule.major >= 0 || rule.minor >= 0)))
		return err_say(err, EINVAL,
			       "\"%s\" is no rule; write it as \"c 1:3 rwm\", \"b 8:* r\" or \"a "
			       "*:* rwm\"",
			       text);
	if (ret)
		*ret = rule;
	return 0;
}

/* ---- --security-opt ---- */

static int parse_switch(const char *name, const char *value, bool *ret, struct err *err)
{
	if (!value || strcmp(value, "true") == 0)
		*ret = true;
	else if (strcmp(value, "false") == 0)
		*ret = false;
	else
		return err_say(err, EINVAL, "%s is true or false, not \"%s\"", name, value);
	return 0;
}

/* The label that a policy for containers knows, with what was asked for in its place. */
static int parse_label(const char *value, struct arena *arena, struct engine_security *ret,
		       struct err *err)
{
	static const char *const words[] = { "user:", "role:", "type:", "level:" };
	const char *parts[] = { "system_u", "system_r", "container_t", "s0" };
	char *old;

	if (value && strcmp(value, "disable") == 0) {
		ret->selinux_label = NULL;
		return 0;
	}
	if (ret->selinux_label) {
		old = arena_strdup(arena, ret->selinux_label);
		for (size_t i = 0; i < ARRAY_SIZE(parts) && old; i++)
			parts[i] = i + 1 < ARRAY_SIZE(parts) ? strsep(&old, ":") : old;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]);

		if (!value || strncmp(value, words[i], len) != 0 || !value[len])
			continue;
		if (access(SELINUX_STATE, F_OK) < 0)
			return err_say(err, ENOTSUP,
				       "label: this kernel has no SELinux policy loaded");
		parts[i] = value + len;
		ret->selinux_label =
			arena_printf(arena, "%s:%s:%s:%s", parts[0], parts[1], parts[2], parts[3]);
		return ret->selinux_label ? 0 : err_set(err, ENOMEM, "read the command line");
	}
	return err_say(err, EINVAL,
		       "label is disable, user:USER, role:ROLE, type:TYPE or level:LEVEL, not "
		       "\"%s\"",
		       value ? value : "");
}

static int parse_unconfined(const char *name, const char *value, bool *ret, struct err *err)
{
	if (!value || strcmp(value, ENGINE_UNCONFINED) != 0)
		return err_say(err, EINVAL, "%s can only be " ENGINE_UNCONFINED, name);
	*ret = true;
	return 0;
}

/* A path is made absolute, as meta.json outlives our working folder. */
static int parse_seccomp(const char *value, struct arena *arena, struct engine_security *ret,
			 struct err *err)
{
	char cwd[PATH_MAX];

	if (strcmp(value, "builtin") == 0 || strcmp(value, "default") == 0) {
		ret->seccomp = NULL;
		return 0;
	}
	ret->seccomp = value;
	if (strcmp(value, ENGINE_UNCONFINED) == 0 || value[0] == '/')
		return 0;
	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(err, errno, "find the working folder");
	ret->seccomp = arena_printf(arena, "%s/%s", cwd, value);
	return ret->seccomp ? 0 : err_set(err, ENOMEM, "read the command line");
}

int security_parse_option(const char *text, struct arena *arena, struct engine_security *ret,
			  struct err *err)
{
	/* Docker's old separator is still in many scripts. */
	size_t len = strcspn(text, "=:");
	const char *value = text[len] ? text + len + 1 : NULL;
	const char *name = arena_strndup(arena, text, len);

	if (!name)
		return err_set(err, ENOMEM, "read the command line");
	if (strcmp(name, "no-new-privileges") == 0)
		return parse_switch(name, value, &ret->no_new_privileges, err);
	if (strcmp(name, "writable-cgroups") == 0)
		return parse_switch(name, value, &ret->writable_cgroups, err);
	if (strcmp(name, "systempaths") == 0)
		return parse_unconfined(name, value, &ret->systempaths_unconfined, err);
	if (strcmp(name, "label") == 0)
		return parse_label(value, arena, ret, err);
	if (strcmp(name, "seccomp") == 0 && value && *value)
		return parse_seccomp(value, arena, ret, err);
	if (strcmp(name, "apparmor") == 0 && value && *value) {
		ret->apparmor = value;
		return 0;
	}
	return err_say(err, EINVAL,
		       "\"%s\" is unknown; there are seccomp=FILE|unconfined, "
		       "apparmor=PROFILE|unconfined, no-new-privileges, label=disable, "
		       "systempaths=unconfined and writable-cgroups",
		       text);
}
