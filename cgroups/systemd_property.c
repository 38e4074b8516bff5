/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as properties of a unit. */
#include "cgroups/systemd_property.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroups/cgroup_device_rules.h"
#include "cgroups/cgroup_limit.h"
#include "cgroups/systemd_list.h"

#define PERIOD_DEFAULT_US 100000
#define PERCENT_US 10000 /* of a second */

static int add_u64(struct systemd_properties *list, const char *name, uint64_t value,
		   unsigned since, struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	err_try(systemd_property_add(list, name, "t", text, err));
	list->list[list->count - 1].since = since;
	return 0;
}

/* Below zero: no limit, which systemd writes as the largest number. */
static int add_limit(struct systemd_properties *list, const char *name, int64_t value,
		     struct err *err)
{
	return add_u64(list, name, value < 0 ? UINT64_MAX : (uint64_t)value, 0, err);
}

static int add_memory(const struct oci_memory *m, bool v2, const struct systemd_now *now,
		      struct systemd_properties *list, struct err *err)
{
	int64_t limit = now ? now->memory_limit_bytes : -1;

	if (cgroup_given(m->limit)) {
		limit = m->limit.value;
		err_try(add_limit(list, v2 ? "MemoryMax" : "MemoryLimit", limit, err));
	}
	if (!v2)
		return 0;
	if (cgroup_given(m->reservation))
		err_try(add_limit(list, "MemoryLow", m->reservation.value, err));
	/* Ours counts memory in, systemd's does not; what makes no sense cgroup_apply() refuses. */
	if (cgroup_given(m->swap) && m->swap.value < 0)
		return add_limit(list, "MemorySwapMax", -1, err);
	if (cgroup_given(m->swap) && limit >= 0 && m->swap.value >= limit)
		return add_limit(list, "MemorySwapMax", m->swap.value - limit, err);
	if (cgroup_given(m->limit) && limit < 0 && now)
		return add_limit(list, "MemorySwapMax", -1, err);
	return 0;
}

/*
 * systemd keeps whole percents; rounded up, so that it never takes away what was given. update: the
 * unit may have another period than the default.
 */
static int add_quota(int64_t quota_us, uint64_t period_us, bool update,
		     struct systemd_properties *list, struct err *err)
{
	uint64_t per_second = UINT64_MAX;

	if (period_us == 0)
		period_us = PERIOD_DEFAULT_US;
	if (quota_us > 0 && (uint64_t)quota_us < UINT64_MAX / 1000000) {
		per_second = (uint64_t)quota_us * 1000000 / period_us;
		per_second = (per_second + PERCENT_US - 1) / PERCENT_US * PERCENT_US;
	}
	err_try(add_u64(list, "CPUQuotaPerSecUSec", per_second, 0, err));
	if (update || period_us != PERIOD_DEFAULT_US)
		err_try(add_u64(list, "CPUQuotaPeriodUSec", period_us, 242, err));
	return 0;
}

static int add_cpu(const struct oci_cpu *cpu, bool v2, const struct systemd_now *now,
		   struct systemd_properties *list, struct err *err)
{
	bool idle = cpu->idle.set && cpu->idle.value == 1;
	int64_t quota_us = now ? now->cpu_quota_us : -1;
	uint64_t period_us = now ? now->cpu_period_us : 0;

	if (v2 && idle)
		err_try(add_u64(list, "CPUWeight", 0, 252, err));
	else if (cgroup_given_u(cpu->shares) && !idle)
		err_try(add_u64(list, v2 ? "CPUWeight" : "CPUShares",
				v2 ? cgroup_weight_of_shares(cpu->shares.value) : cpu->shares.value,
				0, err));
	if (!cgroup_given(cpu->quota_us) && !cgroup_given_u(cpu->period_us))
		return 0;
	if (cgroup_given(cpu->quota_us))
		quota_us = cpu->quota_us.value;
	if (cgroup_given_u(cpu->period_us))
		period_us = cpu->period_us.value;
	return add_quota(quota_us, period_us, now != NULL, list, err);
}

static int add_set(const char *name, const char *text, struct systemd_properties *list,
		   struct err *err)
{
	uint64_t bits[OCI_CPU_WORDS] = { 0 };
	char bytes[sizeof(bits) * 4 + 1], *at = bytes;
	size_t used = 0;

	if (!text || !*text || oci_cpus_parse(text, bits) < 0)
		return 0; /* the kernel will say what is wrong with it */
	for (size_t i = 0; i < sizeof(bits); i++)
		if (bits[i / 8] >> (i % 8 * 8) & 0xff)
			used = i + 1;
	for (size_t i = 0; i < used; i++)
		at += sprintf(at, "%s%u", i ? " " : "",
			      (unsigned)(bits[i / 8] >> (i % 8 * 8) & 0xff));
	err_try(systemd_list_add_words(list, name, "ay", bytes, err));
	list->list[list->count - 1].since = 244;
	return 0;
}

static int add_unified(const struct oci_unified *u, bool update, struct systemd_properties *list,
		       struct err *err)
{
	static const struct {
		const char *key, *name;
	} numbers[] = {
		{ "memory.max", "MemoryMax" }, { "memory.high", "MemoryHigh" },
		{ "memory.low", "MemoryLow" }, { "memory.min", "MemoryMin" },
		{ "pids.max", "TasksMax" },    { "memory.swap.max", "MemorySwapMax" },
		{ "cpu.weight", "CPUWeight" },
	};
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t n = UINT64_MAX;

		if (strcmp(u->key, numbers[i].key) != 0)
			continue;
		errno = 0;
		if (strcmp(u->value, "max") != 0 &&
		    ((n = strtoull(u->value, &end, 10)), errno || end == u->value || *end))
			return 0;
		return add_u64(list, numbers[i].name, n, 0, err);
	}
	if (strcmp(u->key, "cpuset.cpus") == 0)
		return add_set("AllowedCPUs", u->value, list, err);
	if (strcmp(u->key, "cpuset.mems") == 0)
		return add_set("AllowedMemoryNodes", u->value, list, err);
	if (strcmp(u->key, "cpu.max") == 0) {
		bool max = strncmp(u->value, "max", 3) == 0;
		int64_t quota = max ? -1 : strtoll(u->value, &end, 10);

		if (max)
			end = (char *)(uintptr_t)u->value + 3;
		if (end != u->value && (*end == '\0' || *end == ' '))
			return add_quota(quota, strtoull(end, NULL, 10), update, list, err);
	}
	return 0;
}

int systemd_properties_of_limits(const struct oci_resources *res, bool v2,
				 const struct systemd_now *now, struct systemd_properties *list,
				 struct err *err)
{
	uint32_t weight = res->blkio_weight.set ? res->blkio_weight.value : 0;

	err_try(add_memory(&res->memory, v2, now, list, err));
	err_try(add_cpu(&res->cpu, v2, now, list, err));
	if (cgroup_given(res->pids_limit))
		err_try(add_limit(list, "TasksMax", res->pids_limit.value, err));
	if (weight > 0)
		err_try(add_u64(list, v2 ? "IOWeight" : "BlockIOWeight",
				v2 ? cgroup_weight_of_blkio(weight) : weight, 0, err));
	/* On v1 systemd keeps them in mind, but the folders of cpuset are ours. */
	err_try(add_set("AllowedCPUs", res->cpu.cpus, list, err));
	err_try(add_set("AllowedMemoryNodes", res->cpu.mems, list, err));
	for (size_t i = 0; v2 && i < res->unified_count; i++)
		err_try(add_unified(&res->unified[i], now != NULL, list, err));
	return 0;
}

/* "/dev/char/1:3", "char-136" for a whole major number, "char-*". */
static const char *device_node(const struct device_rule *rule, struct arena *arena)
{
	const char *class = rule->type == 'c' ? "char" : "block";

	if (rule->major < 0)
		return arena_printf(arena, "%s-*", class);
	if (rule->minor < 0)
		return arena_printf(arena, "%s-%d", class, rule->major);
	return arena_printf(arena, "/dev/%s/%d:%d", class, rule->major, rule->minor);
}

int systemd_properties_of_devices(const struct oci_resources *res, struct systemd_properties *list,
				  struct err *err)
{
	_cleanup_device_rules_ struct device_rules rules = { 0 }, set = { 0 };
	const char **values;

	err_try(device_rules_build(res->devices, res->devices_count, &rules, err));
	err_try(device_rules_flatten(&rules, &set, err));
	if (set.default_allow)
		return systemd_property_add(list, "DevicePolicy", "s", "auto", err);
	values = arena_calloc(list->arena, 2 * set.count + 1, sizeof(*values));
	if (!values)
		return err_set(err, ENOMEM, "list devices for systemd");
	for (size_t i = 0; i < set.count; i++) {
		const struct device_rule *r = &set.rules[i];

		values[2 * i] = device_node(r, list->arena);
		values[2 * i + 1] = arena_printf(
			list->arena, "%s%s%s", r->access & DEVICE_READ ? "r" : "",
			r->access & DEVICE_WRITE ? "w" : "", r->access & DEVICE_MKNOD ? "m" : "");
		if (!values[2 * i] || !values[2 * i + 1])
			return err_set(err, ENOMEM, "list devices for systemd");
	}
	err_try(systemd_property_add(list, "DevicePolicy", "s", "strict", err));
	return systemd_list_add(list, "DeviceAllow", "a(ss)", values, 2 * set.count, err);
}
