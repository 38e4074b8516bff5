/* SPDX-License-Identifier: Apache-2.0 */
/* Limits against each other, and against what this host lets us give. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/engine/engine_limits.h"
#include "runtime/engine/limit_words.h"

#define CPUS_ONLINE "/sys/devices/system/cpu/online"
#define NODES_ONLINE "/sys/devices/system/node/online"
#define OOM_SCORE_ADJ "/proc/self/oom_score_adj"
#define SMALL_FILE 4096
#define SENTENCE_SIZE 256

/* ---- against each other ---- */

static int check_memory(const struct engine_limits *l, struct err *err)
{
	if (l->memory_swap_bytes && !l->memory_bytes)
		return err_say(err, EINVAL,
			       "--memory-swap: it includes the memory, so --memory is needed too");
	if (l->memory_swap_bytes > 0 && l->memory_swap_bytes < l->memory_bytes)
		return err_say(err, EINVAL,
			       "--memory-swap: %" PRId64 " bytes is less than --memory, %" PRId64
			       ", which it includes",
			       l->memory_swap_bytes, l->memory_bytes);
	if (l->memory_bytes && l->memory_reservation_bytes > l->memory_bytes)
		return err_say(err, EINVAL,
			       "--memory-reservation: %" PRId64
			       " bytes is more than --memory, %" PRId64,
			       l->memory_reservation_bytes, l->memory_bytes);
	return 0;
}

static int check_cpu(const struct engine_limits *l, struct err *err)
{
	if (l->cpu_millicpu && (l->cpu_quota_us || l->cpu_period_us))
		return err_say(err, EINVAL,
			       "--cpus is another way to write --cpu-quota and --cpu-period; give "
			       "one of the two");
	return 0;
}

static int check_set(const char *option, const char *list, const char *path, const char *things,
		     struct err *err)
{
	uint64_t wanted[OCI_CPU_WORDS], online[OCI_CPU_WORDS];
	_cleanup_free_ char *text = NULL;

	if (!list)
		return 0;
	if (oci_cpus_parse(list, wanted) < 0)
		return err_say(err, EINVAL, "%s: \"%s\" is not a list such as 0-3,7", option, list);
	/* Without NUMA there is node 0 and no such file. */
	if (file_read(AT_FDCWD, path, SMALL_FILE, &text, NULL, NULL) < 0)
		text = strdup("0");
	if (!text)
		return err_set(err, ENOMEM, "%s", option);
	text[strcspn(text, "\n")] = '\0';
	if (oci_cpus_parse(text, online) < 0)
		return 0;
	for (size_t i = 0; i < OCI_CPU_WORDS; i++)
		if (wanted[i] & ~online[i])
			return err_say(err, EINVAL, "%s: \"%s\": this host has the %s %s", option,
				       list, things, text);
	return 0;
}

int engine_limits_check(const struct engine_limits *limits, struct err *err)
{
	err_try(check_memory(limits, err));
	err_try(check_cpu(limits, err));
	err_try(check_set("--cpuset-cpus", limits->cpuset_cpus, CPUS_ONLINE, "processors", err));
	return check_set("--cpuset-mems", limits->cpuset_mems, NODES_ONLINE, "memory nodes", err);
}

/* ---- against the host ---- */

static bool may_raise(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective & CAP_TO_MASK(CAP_SYS_RESOURCE);
}

static void fit_ulimit(struct oci_rlimit *limit, void (*warn)(const char *sentence))
{
	char sentence[SENTENCE_SIZE], name[LIMIT_NAME_SIZE];
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)limit->type, &now) < 0 || limit->hard <= now.rlim_max)
		return;
	snprintf(sentence, sizeof(sentence),
		 "--ulimit %s: without CAP_SYS_RESOURCE at most %llu can be given, so that it is",
		 limit_ulimit_name(limit->type, name), (unsigned long long)now.rlim_max);
	warn(sentence);
	limit->hard = now.rlim_max;
	if (limit->soft > limit->hard)
		limit->soft = limit->hard;
}

/* The kernel tells nobody how low we may go: so it is tried, and taken back. */
static bool may_lower_score(int64_t score)
{
	_cleanup_free_ char *before = NULL;
	char text[32];

	if (file_read(AT_FDCWD, OOM_SCORE_ADJ, SMALL_FILE, &before, NULL, NULL) < 0 ||
	    score >= strtoll(before, NULL, 10))
		return true;
	snprintf(text, sizeof(text), "%" PRId64, score);
	if (file_write(AT_FDCWD, OOM_SCORE_ADJ, text, NULL) < 0)
		return false;
	file_write(AT_FDCWD, OOM_SCORE_ADJ, before, NULL);
	return true;
}

/* A root cgroup has no such file that could be looked for. */
static bool has_idle(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 15));
}

void engine_limits_fit(struct engine_limits *limits, struct oci_rlimit *ulimits,
		       void (*warn)(const char *sentence))
{
	if (limits->memory_swappiness.set &&
	    access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
		limits->memory_swappiness.set = false;
		warn("--memory-swappiness: cgroup v2 has no such setting, so it is left out");
	}
	if (limits->cpu_idle && !has_idle()) {
		limits->cpu_idle = false;
		warn("this kernel is older than 5.15 and has no cpu.idle, so it is left out");
	}
	if (may_raise())
		return;
	for (size_t i = 0; i < limits->ulimits_count; i++)
		fit_ulimit(&ulimits[i], warn);
	if (limits->oom_score_adj.set && !may_lower_score(limits->oom_score_adj.value)) {
		limits->oom_score_adj.set = false;
		warn("--oom-score-adj: without CAP_SYS_RESOURCE it cannot be that low, so it is "
		     "left as it is");
	}
}
