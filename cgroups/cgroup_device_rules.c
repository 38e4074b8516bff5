/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules as data: put in order, reduced, checked, made a set. */
#include "cgroups/cgroup_device_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct device_rule container_rules[] = {
	{ true, 'c', -1, -1, DEVICE_MKNOD }, { true, 'b', -1, -1, DEVICE_MKNOD },
	{ true, 'c', 1, 3, DEVICE_ALL },     { true, 'c', 1, 5, DEVICE_ALL },
	{ true, 'c', 1, 7, DEVICE_ALL },     { true, 'c', 1, 8, DEVICE_ALL },
	{ true, 'c', 1, 9, DEVICE_ALL },     { true, 'c', 5, 0, DEVICE_ALL },
	{ true, 'c', 5, 2, DEVICE_ALL },     { true, 'c', 136, -1, DEVICE_ALL },
	{ true, 'c', 10, 200, DEVICE_ALL }, /* /dev/net/tun, as runc and crun have it */
};

void device_rules_deinit(struct device_rules *list)
{
	free(list->rules);
	*list = (struct device_rules){ 0 };
}

static bool number_covers(int32_t a, int32_t b)
{
	return a < 0 || a == b;
}

static bool number_overlaps(int32_t a, int32_t b)
{
	return a < 0 || b < 0 || a == b;
}

/* Every device that b names is named by a. */
static bool covers(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && number_covers(a->major, b->major) &&
	       number_covers(a->minor, b->minor);
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && number_overlaps(a->major, b->major) &&
	       number_overlaps(a->minor, b->minor) && (a->access & b->access);
}

static void append(struct device_rules *list, const struct oci_device_rule *rule, char type)
{
	struct device_rule *r = &list->rules[list->count++];

	*r = (struct device_rule){ .allow = rule->allow,
				   .type = type,
				   .major = (int32_t)rule->major,
				   .minor = (int32_t)rule->minor };
	r->access = (rule->mknod ? DEVICE_MKNOD : 0) | (rule->read ? DEVICE_READ : 0) |
		    (rule->write ? DEVICE_WRITE : 0);
	if (r->access == 0)
		r->access = DEVICE_ALL; /* "access" left out */
}

static void append_rule(struct device_rules *list, const struct oci_device_rule *rule)
{
	bool all = rule->read == rule->write && rule->write == rule->mknod;

	if (rule->type != 'a') {
		append(list, rule, rule->type);
	} else if (all && rule->major < 0 && rule->minor < 0) {
		/* Nothing before it matters any more. */
		list->default_allow = rule->allow;
		list->count = 0;
	} else {
		append(list, rule, 'c');
		append(list, rule, 'b');
	}
}

/* A later rule decides about all that this one could. */
static bool is_shadowed(const struct device_rules *list, size_t i)
{
	const struct device_rule *rule = &list->rules[i];
	unsigned left = rule->access;

	for (size_t j = i + 1; j < list->count && left; j++)
		if (covers(&list->rules[j], rule))
			left &= ~list->rules[j].access;
	return left == 0;
}

/* It says what the default says, and takes nothing back. */
static bool is_redundant(const struct device_rules *list, size_t i)
{
	const struct device_rule *rule = &list->rules[i];

	if (rule->allow != list->default_allow)
		return false;
	for (size_t j = 0; j < i; j++)
		if (list->rules[j].allow != rule->allow && overlaps(&list->rules[j], rule))
			return false;
	return true;
}

static void drop(struct device_rules *list, bool (*needless)(const struct device_rules *, size_t))
{
	for (size_t i = 0; i < list->count;) {
		if (!needless(list, i)) {
			i++;
			continue;
		}
		memmove(&list->rules[i], &list->rules[i + 1],
			(list->count - i - 1) * sizeof(list->rules[0]));
		list->count--;
	}
}

int device_rules_build(const struct oci_device_rule *rules, size_t count, struct device_rules *ret,
		       struct err *err)
{
	_cleanup_device_rules_ struct device_rules list = { 0 };

	list.rules = calloc(2 * count + ARRAY_SIZE(container_rules), sizeof(list.rules[0]));
	if (!list.rules)
		return err_set(err, ENOMEM, "read the device rules");
	for (size_t i = 0; i < count; i++) {
		if (rules[i].major > INT32_MAX || rules[i].minor > INT32_MAX)
			return err_say(err, EINVAL,
				       "linux.resources.devices[%zu]: no device has number %" PRId64
				       ":%" PRId64,
				       i, rules[i].major, rules[i].minor);
		append_rule(&list, &rules[i]);
	}
	memcpy(&list.rules[list.count], container_rules, sizeof(container_rules));
	list.count += ARRAY_SIZE(container_rules);
	drop(&list, is_shadowed);
	drop(&list, is_redundant);
	*ret = list;
	list.rules = NULL;
	return 0;
}

bool device_rules_check(const struct device_rules *list, char type, int32_t major, int32_t minor,
			unsigned access)
{
	struct device_rule asked = { .type = type, .major = major, .minor = minor };

	for (size_t i = list->count; i-- > 0;) {
		const struct device_rule *rule = &list->rules[i];

		if (!covers(rule, &asked))
			continue;
		if (!rule->allow && (access & rule->access))
			return false;
		if (rule->allow && (access &= ~rule->access) == 0)
			return true;
	}
	return list->default_allow;
}

static void add_exception(struct device_rules *set, const struct device_rule *rule)
{
	for (size_t i = 0; i < set->count; i++) {
		struct device_rule *r = &set->rules[i];

		if (r->type == rule->type && r->major == rule->major && r->minor == rule->minor) {
			r->access |= rule->access;
			return;
		}
	}
	set->rules[set->count++] = *rule;
}

static int take_back(struct device_rules *set, const struct device_rule *rule, struct err *err)
{
	char wide[DEVICE_RULE_SIZE], narrow[DEVICE_RULE_SIZE];

	for (size_t i = 0; i < set->count; i++) {
		struct device_rule *r = &set->rules[i];

		if (!overlaps(r, rule))
			continue;
		if (!covers(rule, r))
			return err_say(
				err, EOPNOTSUPP,
				"linux.resources.devices: cgroup v1 cannot except \"%s\" from the wider rule \"%s\"",
				device_rule_format(rule, narrow), device_rule_format(r, wide));
		r->access &= ~rule->access;
		if (r->access == 0)
			set->rules[i--] = set->rules[--set->count];
	}
	return 0;
}

int device_rules_flatten(const struct device_rules *list, struct device_rules *ret, struct err *err)
{
	_cleanup_device_rules_ struct device_rules set = { .default_allow = list->default_allow };

	set.rules = calloc(list->count + 1, sizeof(set.rules[0]));
	if (!set.rules)
		return err_set(err, ENOMEM, "read the device rules");
	for (size_t i = 0; i < list->count; i++) {
		const struct device_rule *rule = &list->rules[i];

		if (rule->allow != set.default_allow)
			add_exception(&set, rule);
		else if (take_back(&set, rule, err) < 0)
			return -EOPNOTSUPP;
	}
	*ret = set;
	set.rules = NULL;
	return 0;
}

static void format_number(int32_t n, char buf[static 12])
{
	if (n < 0)
		strcpy(buf, "*");
	else
		snprintf(buf, 12, "%" PRId32, n);
}

char *device_rule_format(const struct device_rule *rule, char buf[static DEVICE_RULE_SIZE])
{
	char major[12], minor[12];

	format_number(rule->major, major);
	format_number(rule->minor, minor);
	snprintf(buf, DEVICE_RULE_SIZE, "%c %s:%s %s%s%s", rule->type, major, minor,
		 rule->access & DEVICE_READ ? "r" : "", rule->access & DEVICE_WRITE ? "w" : "",
		 rule->access & DEVICE_MKNOD ? "m" : "");
	return buf;
}

bool device_rule_parse(const char *line, struct device_rule *ret)
{
	char major[12], minor[12], access[8];
	struct device_rule r = { .allow = true };

	if (sscanf(line, "%c %11[0-9*]:%11[0-9*] %7[rwm]", &r.type, major, minor, access) != 4 ||
	    (r.type != 'c' && r.type != 'b'))
		return false;
	r.major = major[0] == '*' ? -1 : (int32_t)strtol(major, NULL, 10);
	r.minor = minor[0] == '*' ? -1 : (int32_t)strtol(minor, NULL, 10);
	r.access = (strchr(access, 'r') ? DEVICE_READ : 0) |
		   (strchr(access, 'w') ? DEVICE_WRITE : 0) |
		   (strchr(access, 'm') ? DEVICE_MKNOD : 0);
	*ret = r;
	return true;
}
