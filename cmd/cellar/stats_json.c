/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/stats_json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroups/cgroup_stat_text.h"
#include "cgroups/cgroup_text.h"

static uint64_t number(const struct cgroup *c, enum cgroup_controller controller, const char *v1,
		       const char *v2)
{
	_cleanup_free_ char *text = cgroup_text(c, controller, v1, v2);
	uint64_t n = 0;

	if (text)
		stat_text_number(text, &n);
	return n;
}

/* "0-2,7" as [0,1,2,7]. */
static void put_list(struct json_writer *w, const char *key, const char *text)
{
	char *end;

	json_key(w, key);
	json_open_array(w);
	for (const char *p = text; isdigit((unsigned char)*p); p = end + (*end == ',')) {
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && last < 1 << 16; first++)
			json_put_u64(w, first);
	}
	json_close_array(w);
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for "full". */
static void put_pressure(struct json_writer *w, const struct cgroup *c,
			 enum cgroup_controller controller, const char *file)
{
	_cleanup_free_ char *text = cgroup_text(c, controller, NULL, file);
	const char *const kinds[] = { "some", "full" };

	if (!text)
		return;
	json_key(w, "psi");
	json_open_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *line = strstr(text, kinds[i]);
		double avg[3];
		uint64_t total;

		if (!line || sscanf(line + 4, " avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64,
				    &avg[0], &avg[1], &avg[2], &total) != 4)
			continue;
		json_key(w, kinds[i]);
		json_open_object(w);
		json_field_double(w, "avg10", avg[0]);
		json_field_double(w, "avg60", avg[1]);
		json_field_double(w, "avg300", avg[2]);
		json_field_u64(w, "total", total);
		json_close_object(w);
	}
	json_close_object(w);
}

static void put_cpu(struct json_writer *w, const struct cgroup *c, const struct cgroup_stats *s)
{
	_cleanup_free_ char *each = cgroup_text(c, CGROUP_CPUACCT, "cpuacct.usage_percpu", NULL);
	char *end;

	json_key(w, "cpu");
	json_open_object(w);
	json_key(w, "usage");
	json_open_object(w);
	json_field_u64(w, "total", s->cpu_usage_ns);
	if (each) {
		json_key(w, "percpu");
		json_open_array(w);
		for (const char *p = each; isdigit((unsigned char)*p); p = end + (*end == ' '))
			json_put_u64(w, strtoull(p, &end, 10));
		json_close_array(w);
	}
	json_field_u64(w, "kernel", s->cpu_system_ns);
	json_field_u64(w, "user", s->cpu_user_ns);
	json_close_object(w);
	json_key(w, "throttling");
	json_open_object(w);
	json_field_u64(w, "periods", s->cpu_periods);
	json_field_u64(w, "throttledPeriods", s->cpu_throttled_periods);
	json_field_u64(w, "throttledTime", s->cpu_throttled_ns);
	json_close_object(w);
	put_pressure(w, c, CGROUP_CPU, "cpu.pressure");
	json_close_object(w);
}

static void put_cpuset(struct json_writer *w, const struct cgroup *c)
{
	_cleanup_free_ char *cpus =
		cgroup_text(c, CGROUP_CPUSET, "cpuset.cpus", "cpuset.cpus.effective");
	_cleanup_free_ char *mems =
		cgroup_text(c, CGROUP_CPUSET, "cpuset.mems", "cpuset.mems.effective");
	static const char *const files[] = {
		"cpu_exclusive",      "mem_hardwall",	    "mem_exclusive",   "memory_migrate",
		"memory_spread_page", "memory_spread_slab", "memory_pressure", "sched_load_balance",
	};

	if (!cpus && !mems)
		return;
	json_key(w, "cpuset");
	json_open_object(w);
	put_list(w, "cpus", cpus ? cpus : "");
	put_list(w, "mems", mems ? mems : "");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char name[64];

		snprintf(name, sizeof(name), "cpuset.%s", files[i]);
		json_field_u64(w, files[i], number(c, CGROUP_CPUSET, name, NULL));
	}
	json_close_object(w);
}

/* One of the counters of memory; names: usage, limit, most, failures of v1, then of v2. */
static void put_counter(struct json_writer *w, const struct cgroup *c, const char *key,
			const char *const names[8])
{
	json_key(w, key);
	json_open_object(w);
	json_field_u64(w, "limit", number(c, CGROUP_MEMORY, names[1], names[5]));
	json_field_u64(w, "usage", number(c, CGROUP_MEMORY, names[0], names[4]));
	json_field_u64(w, "max", number(c, CGROUP_MEMORY, names[2], names[6]));
	json_field_u64(w, "failcnt", number(c, CGROUP_MEMORY, names[3], names[7]));
	json_close_object(w);
}

/* memory.stat, a number a line. */
static void put_raw(struct json_writer *w, const struct cgroup *c, const struct cgroup_stats *s)
{
	_cleanup_free_ char *text = cgroup_text(c, CGROUP_MEMORY, "memory.stat", "memory.stat");
	char *next;

	json_key(w, "raw");
	json_open_object(w);
	for (char *line = text; line && *line; line = next) {
		char *blank = strchr(line, ' ');

		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		if (!blank || !isdigit((unsigned char)blank[1]))
			continue;
		*blank = '\0';
		json_field_u64(w, line, strtoull(blank + 1, NULL, 10));
	}
	json_field_u64(w, "oom_kill", s->oom_kills);
	json_close_object(w);
}

static void put_memory(struct json_writer *w, const struct cgroup *c, const struct cgroup_stats *s)
{
	static const char *const counters[][8] = {
		{ "memory.memsw.usage_in_bytes", "memory.memsw.limit_in_bytes",
		  "memory.memsw.max_usage_in_bytes", "memory.memsw.failcnt", "memory.swap.current",
		  "memory.swap.max", "memory.swap.peak", NULL },
		{ "memory.kmem.usage_in_bytes", "memory.kmem.limit_in_bytes",
		  "memory.kmem.max_usage_in_bytes", "memory.kmem.failcnt", NULL, NULL, NULL, NULL },
		{ "memory.kmem.tcp.usage_in_bytes", "memory.kmem.tcp.limit_in_bytes",
		  "memory.kmem.tcp.max_usage_in_bytes", "memory.kmem.tcp.failcnt", NULL, NULL, NULL,
		  NULL },
	};

	json_key(w, "memory");
	json_open_object(w);
	json_key(w, "usage");
	json_open_object(w);
	json_field_u64(w, "limit", s->memory_limit_bytes);
	json_field_u64(w, "usage", s->memory_usage_bytes);
	json_field_u64(w, "max", s->memory_peak_bytes);
	json_field_u64(w, "failcnt", number(c, CGROUP_MEMORY, "memory.failcnt", NULL));
	json_close_object(w);
	put_counter(w, c, "swap", counters[0]);
	put_counter(w, c, "kernel", counters[1]);
	put_counter(w, c, "kernelTCP", counters[2]);
	put_raw(w, c, s);
	put_pressure(w, c, CGROUP_MEMORY, "memory.pressure");
	json_close_object(w);
}

static void put_pids(struct json_writer *w, const struct cgroup_stats *s)
{
	json_key(w, "pids");
	json_open_object(w);
	json_field_u64(w, "current", s->pids_current);
	if (s->pids_limit != UINT64_MAX)
		json_field_u64(w, "limit", s->pids_limit);
	json_close_object(w);
}

static void put_io(struct json_writer *w, const struct cgroup *c, const struct cgroup_stats *s)
{
	const struct {
		const char *op;
		uint64_t value;
	} rows[] = { { "Read", s->io_read_bytes }, { "Write", s->io_write_bytes } };

	json_key(w, "blkio");
	json_open_object(w);
	json_key(w, "ioServiceBytesRecursive");
	json_open_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_open_object(w);
		json_field_string(w, "op", rows[i].op);
		json_field_u64(w, "value", rows[i].value);
		json_close_object(w);
	}
	json_close_array(w);
	put_pressure(w, c, CGROUP_IO, "io.pressure");
	json_close_object(w);
}

/* The sizes that most kernels have; the others are seldom used. */
static void put_hugetlb(struct json_writer *w, const struct cgroup *c)
{
	static const char *const sizes[] = { "64KB", "2MB", "32MB", "512MB", "1GB" };

	json_key(w, "hugetlb");
	json_open_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char v1[64], v2[64];
		_cleanup_free_ char *text = NULL;
		uint64_t usage = 0;

		snprintf(v1, sizeof(v1), "hugetlb.%s.usage_in_bytes", sizes[i]);
		snprintf(v2, sizeof(v2), "hugetlb.%s.current", sizes[i]);
		text = cgroup_text(c, CGROUP_HUGETLB, v1, v2);
		if (!text || !stat_text_number(text, &usage))
			continue;
		json_key(w, sizes[i]);
		json_open_object(w);
		json_field_u64(w, "usage", usage);
		snprintf(v1, sizeof(v1), "hugetlb.%s.max_usage_in_bytes", sizes[i]);
		json_field_u64(w, "max", number(c, CGROUP_HUGETLB, v1, NULL));
		snprintf(v1, sizeof(v1), "hugetlb.%s.failcnt", sizes[i]);
		json_field_u64(w, "failcnt", number(c, CGROUP_HUGETLB, v1, NULL));
		json_close_object(w);
	}
	json_close_object(w);
}

void stats_json_put(struct json_writer *w, const struct cgroup *cgroup,
		    const struct cgroup_stats *stats)
{
	json_open_object(w);
	put_cpu(w, cgroup, stats);
	put_cpuset(w, cgroup);
	put_memory(w, cgroup, stats);
	put_pids(w, stats);
	put_io(w, cgroup, stats);
	put_hugetlb(w, cgroup);
	/* runc's callers find these two in every answer, empty as here. */
	json_key(w, "intel_rdt");
	json_open_object(w);
	json_close_object(w);
	json_key(w, "network_interfaces");
	json_put_null(w);
	json_close_object(w);
}
