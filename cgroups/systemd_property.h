/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources in systemd's words: the properties of a unit that hold the same limits, so that
 * systemd, which writes them again whenever it likes, and the kernel agree. What systemd has no
 * word for is set in the delegated folder only. Pure: lists in an arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

#define SYSTEMD_PROPERTIES_MAX 64

struct systemd_property {
	const char *name;
	/* D-Bus signature: one of y n q i u x t d b s o, "as", "ay", "au" or "a(ss)". */
	const char *type;
	const char *const *values; /* as text; pairs follow one another; numbers in decimal */
	size_t count;
	unsigned since; /* version of systemd that knows it first; older ones do without. 0: all */
};

struct systemd_properties {
	struct arena *arena; /* the caller's */
	struct systemd_property list[SYSTEMD_PROPERTIES_MAX];
	size_t count;
};

/* Where an update gives half of a pair, the other half is what the cgroup has. -1: no limit. */
struct systemd_now {
	int64_t memory_limit_bytes, cpu_quota_us;
	uint64_t cpu_period_us; /* 0: unknown, taken as 100 ms */
};

/* One value. -ENOMEM, also when there are too many. */
int systemd_property_add(struct systemd_properties *list, const char *name, const char *type,
			 const char *value, struct err *err);

struct systemd_unit;

/*
 * What makes a unit a container's: its slice, Delegate, no dependencies that would end it or keep
 * it when the host shuts down, and accounting.
 */
int systemd_properties_of_unit(const struct systemd_unit *unit, const char *id, bool v2,
			       struct systemd_properties *list, struct err *err);

/*
 * The limits of res, with the words of cgroup v2 or of v1. As with cgroup_apply() 0 is "not given"
 * and -1 lifts a limit. now: NULL for a new cgroup.
 */
int systemd_properties_of_limits(const struct oci_resources *res, bool v2,
				 const struct systemd_now *now, struct systemd_properties *list,
				 struct err *err);

/* v1: DevicePolicy and DeviceAllow, or systemd would open all devices when it reloads. */
int systemd_properties_of_devices(const struct oci_resources *res, struct systemd_properties *list,
				  struct err *err);

/*
 * Annotations "org.systemd.property.NAME", with a value in the text form of GVariant: true, 5,
 * uint64 5, 1.5, 'text', ['a', 'b']. A NAME that ends in "Sec" with a number is a time in seconds
 * and becomes its "USec". -EINVAL names the annotation.
 */
int systemd_properties_of_annotations(const struct oci_annotation *annotations, size_t count,
				      struct systemd_properties *list, struct err *err);
