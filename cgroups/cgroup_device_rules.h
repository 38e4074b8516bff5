/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may do with devices, as a list of rules of which the last that matches decides,
 * for each kind of access (read, write, mknod) by itself. Pure data: both ways to enforce it start
 * here.
 */
#pragma once

#include "base/cleanup.h"
#include "spec/oci_config.h"

enum device_access { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 };

struct device_rule {
	bool allow;
	char type;     /* 'c' or 'b' */
	int32_t major; /* -1: all */
	int32_t minor;
	unsigned access; /* enum device_access, never 0 */
};

struct device_rules {
	bool default_allow;	   /* where no rule matches */
	struct device_rule *rules; /* in order, the last that matches decides; owned */
	size_t count;
};

/*
 * The rules of config.json, then those that every container needs: mknod of all devices (a node
 * that cannot be opened harms nobody, and unpacking an image makes some), and the use of null,
 * zero, full, random, urandom, tty, ptmx and the pts. Before the first rule everything is denied.
 * Rules that cannot matter are left out. -EINVAL for a number that no device can have.
 */
int device_rules_build(const struct oci_device_rule *rules, size_t count, struct device_rules *ret,
		       struct err *err);
void device_rules_deinit(struct device_rules *list);

/* Whether all of access is allowed. What the kernel is made to do, said in C. */
bool device_rules_check(const struct device_rules *list, char type, int32_t major, int32_t minor,
			unsigned access);

/*
 * The same as a set without order, which is all that cgroup v1 knows: every rule of the result is
 * an exception from the default. -EOPNOTSUPP when a hole would have to be cut in a wider rule.
 */
int device_rules_flatten(const struct device_rules *list, struct device_rules *ret,
			 struct err *err);

/* "c 1:3 rwm", "b *:* m". Returns buf. */
#define DEVICE_RULE_SIZE 48
char *device_rule_format(const struct device_rule *rule, char buf[static DEVICE_RULE_SIZE]);
/* Reads such a line (without "a *:* rwm", which is a default). */
bool device_rule_parse(const char *line, struct device_rule *ret);

#define _cleanup_device_rules_ _cleanup_(device_rules_deinit)
