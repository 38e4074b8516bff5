/* SPDX-License-Identifier: Apache-2.0 */
/* What the containers' kernel counters say, from whichever hierarchy has them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup_folder.h"
#include "cgroups/cgroup_stat_text.h"
#include "cgroups/cgroup_text.h"

#define STAT_MAX (1 << 20)

/* Everything that is read goes through here: a missing file or line leaves *ret as it is. */
static void get_number(const struct cgroup *c, int i, const char *file, uint64_t *ret)
{
	char text[64];

	if (cgroup_file_read(c, i, file, text, sizeof(text)) > 0)
		stat_text_number(text, ret);
}

static char *get_text(const struct cgroup *c, int i, const char *file)
{
	char path[CGROUP_PATH_MAX], *text = NULL;

	file_read(AT_FDCWD, cgroup_file_path(c, i, file, path), STAT_MAX, &text, NULL, NULL);
	return text;
}

static void get_line(const struct cgroup *c, int i, const char *file, const char *key,
		     uint64_t *ret)
{
	_cleanup_free_ char *text = get_text(c, i, file);

	if (text)
		stat_text_find(text, key, ret);
}

static void memory_v1(const struct cgroup *c, int i, struct cgroup_stats *s)
{
	get_number(c, i, "memory.usage_in_bytes", &s->memory_usage_bytes);
	get_number(c, i, "memory.limit_in_bytes", &s->memory_limit_bytes);
	get_number(c, i, "memory.max_usage_in_bytes", &s->memory_peak_bytes);
	get_line(c, i, "memory.stat", "total_inactive_file", &s->memory_inactive_file_bytes);
	get_line(c, i, "memory.oom_control", "oom_kill", &s->oom_kills);
}

static void memory_v2(const struct cgroup *c, int i, struct cgroup_stats *s)
{
	get_number(c, i, "memory.current", &s->memory_usage_bytes);
	get_number(c, i, "memory.max", &s->memory_limit_bytes);
	get_number(c, i, "memory.peak", &s->memory_peak_bytes);
	get_line(c, i, "memory.stat", "inactive_file", &s->memory_inactive_file_bytes);
	get_line(c, i, "memory.events", "oom_kill", &s->oom_kills);
}

static void throttling(const struct cgroup *c, int i, struct cgroup_stats *s)
{
	_cleanup_free_ char *text = get_text(c, i, "cpu.stat");

	if (!text)
		return;
	stat_text_find(text, "nr_periods", &s->cpu_periods);
	stat_text_find(text, "nr_throttled", &s->cpu_throttled_periods);
	stat_text_find(text, "throttled_time", &s->cpu_throttled_ns);
}

/* Kernels before 4.6 have user and system time in ticks only. */
static void cpuacct(const struct cgroup *c, int i, struct cgroup_stats *s)
{
	_cleanup_free_ char *text = NULL;
	uint64_t tick_ns = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);

	get_number(c, i, "cpuacct.usage", &s->cpu_usage_ns);
	if (cgroup_file_exists(c, i, "cpuacct.usage_user")) {
		get_number(c, i, "cpuacct.usage_user", &s->cpu_user_ns);
		get_number(c, i, "cpuacct.usage_sys", &s->cpu_system_ns);
		return;
	}
	text = get_text(c, i, "cpuacct.stat");
	if (text && stat_text_find(text, "user", &s->cpu_user_ns) &&
	    stat_text_find(text, "system", &s->cpu_system_ns)) {
		s->cpu_user_ns *= tick_ns;
		s->cpu_system_ns *= tick_ns;
	}
}

static void cpu_v2(const struct cgroup *c, int i, struct cgroup_stats *s)
{
	_cleanup_free_ char *text = get_text(c, i, "cpu.stat");
	struct {
		const char *key;
		uint64_t *ret_ns;
	} times[] = { { "usage_usec", &s->cpu_usage_ns },
		      { "user_usec", &s->cpu_user_ns },
		      { "system_usec", &s->cpu_system_ns },
		      { "throttled_usec", &s->cpu_throttled_ns } };

	if (!text)
		return;
	for (size_t k = 0; k < ARRAY_SIZE(times); k++)
		if (stat_text_find(text, times[k].key, times[k].ret_ns))
			*times[k].ret_ns *= 1000;
	stat_text_find(text, "nr_periods", &s->cpu_periods);
	stat_text_find(text, "nr_throttled", &s->cpu_throttled_periods);
}

static void cpu(const struct cgroup *c, struct cgroup_stats *s)
{
	int v1 = c->mounts->v1[CGROUP_CPU], acct = c->mounts->v1[CGROUP_CPUACCT];

	/* cgroup2 counts time in every folder, even where v1 has the controller. */
	if (c->mounts->v2 >= 0 && (v1 < 0 || acct < 0))
		cpu_v2(c, c->mounts->v2, s);
	if (v1 >= 0)
		throttling(c, v1, s);
	if (acct >= 0)
		cpuacct(c, acct, s);
}

static void io(const struct cgroup *c, struct cgroup_stats *s)
{
	int v1 = c->mounts->v1[CGROUP_IO];
	_cleanup_free_ char *text = NULL;

	if (v1 < 0) {
		text = get_text(c, c->mounts->v2, "io.stat");
		if (text)
			stat_text_io_v2(text, &s->io_read_bytes, &s->io_write_bytes);
		return;
	}
	text = get_text(c, v1, "blkio.throttle.io_service_bytes_recursive");
	if (!text)
		text = get_text(c, v1, "blkio.throttle.io_service_bytes");
	if (text)
		stat_text_io_v1(text, &s->io_read_bytes, &s->io_write_bytes);
}

int cgroup_stats(const struct cgroup *cgroup, struct cgroup_stats *ret, struct err *err)
{
	const struct cgroup_mounts *m = cgroup->mounts;
	struct cgroup_stats s = { 0 };
	int pids = m->v1[CGROUP_PIDS] >= 0 ? m->v1[CGROUP_PIDS] : m->v2;

	if (cgroup_is_none(cgroup))
		return err_say(err, EOPNOTSUPP, "a container without a cgroup has no statistics");
	if (m->v1[CGROUP_MEMORY] >= 0)
		memory_v1(cgroup, m->v1[CGROUP_MEMORY], &s);
	else if (m->v2 >= 0)
		memory_v2(cgroup, m->v2, &s);
	cpu(cgroup, &s);
	if (pids >= 0) {
		get_number(cgroup, pids, "pids.current", &s.pids_current);
		get_number(cgroup, pids, "pids.max", &s.pids_limit);
	}
	if (m->v1[CGROUP_IO] >= 0 || m->v2 >= 0)
		io(cgroup, &s);
	*ret = s;
	return 0;
}

char *cgroup_text(const struct cgroup *cgroup, enum cgroup_controller controller, const char *v1,
		  const char *v2)
{
	int i = cgroup->mounts->v1[controller];
	const char *file = i >= 0 ? v1 : v2;

	if (i < 0)
		i = cgroup->mounts->v2;
	return i >= 0 && file ? get_text(cgroup, i, file) : NULL;
}
