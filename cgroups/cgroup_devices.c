/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules put in force. */
#include "cgroups/cgroup_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/userns.h"
#include "cgroups/cgroup_device_bpf.h"

static int write_rule(const struct cgroup *c, int fd, const char *file, const char *rule,
		      struct err *err)
{
	char path[CGROUP_PATH_MAX];
	int i = c->mounts->v1[CGROUP_DEVICES];

	if (fd < 0 || write(fd, rule, strlen(rule)) < 0) {
		err_set(err, fd < 0 ? -fd : errno, "write '%s' to %s", rule,
			cgroup_file_path(c, i, file, path));
		return err_add(err, "linux.resources.devices");
	}
	return 0;
}

static int write_default(const struct cgroup *c, bool allow, struct err *err)
{
	const char *file = allow ? "devices.allow" : "devices.deny";
	_cleanup_fd_ int fd = cgroup_file_open(c, c->mounts->v1[CGROUP_DEVICES], file, O_WRONLY);

	return write_rule(c, fd, file, "a", err);
}

static int write_exceptions(const struct cgroup *c, const struct device_rules *set, bool allow,
			    struct err *err)
{
	const char *file = allow ? "devices.allow" : "devices.deny";
	_cleanup_fd_ int fd = -1;
	char text[DEVICE_RULE_SIZE];

	if (set->count == 0)
		return 0;
	fd = cgroup_file_open(c, c->mounts->v1[CGROUP_DEVICES], file, O_WRONLY);
	for (size_t i = 0; i < set->count; i++) {
		int r = write_rule(c, fd, file, device_rule_format(&set->rules[i], text), err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What of access no rule of the set has for exactly these devices. */
static unsigned surplus(const struct device_rules *set, const struct device_rule *rule)
{
	unsigned access = rule->access;

	for (size_t i = 0; i < set->count; i++) {
		const struct device_rule *r = &set->rules[i];

		if (r->type == rule->type && r->major == rule->major && r->minor == rule->minor)
			access &= ~r->access;
	}
	return access;
}

/*
 * A running container must not lose the devices it keeps, even for a moment: when it has a list of
 * allowed devices before and after, that list is changed entry by entry. -EAGAIN otherwise.
 */
static int change_list(const struct cgroup *c, const struct device_rules *set, struct err *err)
{
	_cleanup_device_rules_ struct device_rules gone = { 0 };
	_cleanup_free_ char *list = NULL;
	char path[CGROUP_PATH_MAX], *save = NULL;
	size_t len;
	int r;

	cgroup_file_path(c, c->mounts->v1[CGROUP_DEVICES], "devices.list", path);
	r = file_read(AT_FDCWD, path, 1 << 20, &list, &len, err);
	if (r < 0)
		return err_add(err, "linux.resources.devices");
	if (set->default_allow || list[0] == 'a')
		return -EAGAIN;
	gone.rules = calloc(len / 4 + 1, sizeof(gone.rules[0]));
	if (!gone.rules)
		return err_set(err, ENOMEM, "linux.resources.devices");
	for (char *l = strtok_r(list, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct device_rule *rule = &gone.rules[gone.count];

		if (device_rule_parse(l, rule) && (rule->access = surplus(set, rule)))
			gone.count++;
	}
	r = write_exceptions(c, set, true, err);
	return r < 0 ? r : write_exceptions(c, &gone, false, err);
}

static int apply_v1(const struct cgroup *c, const struct device_rules *rules, struct err *err)
{
	_cleanup_device_rules_ struct device_rules set = { 0 };
	bool fresh = cgroup_is_fresh(c, c->mounts->v1[CGROUP_DEVICES]);
	int r = device_rules_flatten(rules, &set, err);

	if (r < 0)
		return r;
	if (!fresh) {
		r = change_list(c, &set, err);
		if (r != -EAGAIN)
			return r;
	}
	/* A new folder has its parent's rights, and can have no more. */
	if (!fresh || !set.default_allow)
		r = write_default(c, set.default_allow, err);
	return r < 0 ? r : write_exceptions(c, &set, !set.default_allow, err);
}

static int apply_v2(const struct cgroup *c, const struct device_rules *rules, struct err *err)
{
	bool fresh = cgroup_is_fresh(c, c->mounts->v2);
	_cleanup_fd_ int fd = -1;
	int r;

	if (fresh && rules->default_allow && rules->count == 0)
		return 0;
	fd = cgroup_file_open(c, c->mounts->v2, "", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return err_set(err, -fd, "linux.resources.devices: open cgroup %s", c->path);
	r = device_bpf_apply(fd, rules, !fresh, err);
	return r < 0 ? err_add(err, "linux.resources.devices") : 0;
}

int cgroup_devices_apply(const struct cgroup *c, const struct oci_device_rule *rules, size_t count,
			 struct err *err)
{
	_cleanup_device_rules_ struct device_rules list = { 0 };
	bool v1 = c->mounts->v1[CGROUP_DEVICES] >= 0;
	int r;

	if (count == 0 && !c->created)
		return 0;
	/* Who has no privileges over the host can make no device, and opens none by being root. */
	if (!v1 && c->mounts->v2 < 0 && (cgroup_is_none(c) || userns_is_rootless()))
		return 0;
	if (!v1 && c->mounts->v2 < 0)
		return err_say(
			err, EOPNOTSUPP,
			"linux.resources.devices: the devices controller is not mounted on this host");
	r = device_rules_build(rules, count, &list, err);
	if (r < 0)
		return r;
	r = v1 ? apply_v1(c, &list, err) : apply_v2(c, &list, err);
	if ((r == -EPERM || r == -EACCES) && userns_is_rootless()) {
		log_debug("device rules are not in force: not permitted to the rootless");
		err_clear(err);
		r = 0;
	}
	return r;
}
