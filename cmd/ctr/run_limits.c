/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "runtime/engine/limit_words.h"
#include "runtime/engine/quantity.h"

/* clang-format off */
const struct option_entry run_limits_table[] = {
	OPTION_STRING(struct run_limits, memory, 'm', "memory", "SIZE", "limit of memory: 64m, 1.5g; with swap twice that"),
	OPTION_STRING(struct run_limits, memory_swap, 0, "memory-swap", "SIZE", "limit of memory and swap together; -1: none for swap"),
	OPTION_STRING(struct run_limits, memory_reservation, 0, "memory-reservation", "SIZE", "what is kept for it when memory is short"),
	OPTION_INT(struct run_limits, memory_swappiness, 0, "memory-swappiness", -1, 100, "NUMBER", "0: swap late, 100: early; cgroup v1 only"),
	OPTION_STRING(struct run_limits, cpus, 0, "cpus", "NUMBER", "limit of processors: 0.5, 2"),
	OPTION_INT(struct run_limits, cpu_shares, 'c', "cpu-shares", 0, 262144, "NUMBER", "share where processors are short (default 1024)"),
	OPTION_INT(struct run_limits, cpu_quota, 0, "cpu-quota", -1, INT64_MAX, "MICROSECONDS", "processor time in a period; -1: no limit"),
	OPTION_INT(struct run_limits, cpu_period, 0, "cpu-period", 0, 1000000, "MICROSECONDS", "length of a period (default 100000)"),
	OPTION_STRING(struct run_limits, cpuset_cpus, 0, "cpuset-cpus", "LIST", "run on these processors only: 0-2,7"),
	OPTION_STRING(struct run_limits, cpuset_mems, 0, "cpuset-mems", "LIST", "take memory of these NUMA nodes only"),
	OPTION_INT(struct run_limits, pids_limit, 0, "pids-limit", -1, INT_MAX, "NUMBER", "limit of processes and threads (default 2048); -1: none"),
	OPTION_INT(struct run_limits, blkio_weight, 0, "blkio-weight", 0, 1000, "NUMBER", "share of disks, 10 to 1000"),
	OPTION_LIST(struct run_limits, block[ENGINE_BLOCK_WEIGHT], 0, "blkio-weight-device", "DEVICE:NUMBER", "share of one disk"),
	OPTION_LIST(struct run_limits, block[OCI_THROTTLE_READ_BPS], 0, "device-read-bps", "DEVICE:SIZE", "bytes a second read from a disk: /dev/sda:1m"),
	OPTION_LIST(struct run_limits, block[OCI_THROTTLE_WRITE_BPS], 0, "device-write-bps", "DEVICE:SIZE", "bytes a second written to a disk"),
	OPTION_LIST(struct run_limits, block[OCI_THROTTLE_READ_IOPS], 0, "device-read-iops", "DEVICE:NUMBER", "reads a second from a disk"),
	OPTION_LIST(struct run_limits, block[OCI_THROTTLE_WRITE_IOPS], 0, "device-write-iops", "DEVICE:NUMBER", "writes a second to a disk"),
	OPTION_INT(struct run_limits, oom_score_adj, 0, "oom-score-adj", -1000, 1000, "NUMBER", "whom the OOM killer prefers: 1000 first, -1000 never"),
	OPTION_STRING(struct run_limits, shm_size, 0, "shm-size", "SIZE", "size of /dev/shm (default 64m)"),
	OPTION_LIST(struct run_limits, ulimits, 0, "ulimit", "NAME=SOFT[:HARD]", "resource limit: nofile=1024:4096, core=0; -1: none"),
	OPTION_END,
};
/* clang-format on */

/* Docker's 0 is no limit, everywhere. */
static int parse_size(const char *text, const char *option, int64_t *ret, struct err *err)
{
	if (!text || strcmp(text, "0") == 0)
		return 0;
	return quantity_parse_bytes(text, ret, err) < 0 ? err_add(err, "%s", option) : 0;
}

static int fill_memory(const struct run_limits *args, struct engine_limits *ret, struct err *err)
{
	err_try(parse_size(args->memory, "--memory", &ret->memory_bytes, err));
	err_try(parse_size(args->memory_reservation, "--memory-reservation",
			   &ret->memory_reservation_bytes, err));
	err_try(parse_size(args->shm_size, "--shm-size", &ret->shm_bytes, err));
	/* Docker's -1 is the kernel's own. */
	if (args->memory_swappiness >= 0)
		ret->memory_swappiness = (struct oci_i64){ true, args->memory_swappiness };
	if (args->memory_swap && strcmp(args->memory_swap, "-1") == 0)
		ret->memory_swap_bytes = -1;
	else
		err_try(parse_size(args->memory_swap, "--memory-swap", &ret->memory_swap_bytes,
				   err));
	return 0;
}

static int fill_cpu(const struct run_limits *args, struct engine_limits *ret, struct err *err)
{
	if (args->cpus && strcmp(args->cpus, "0") != 0 &&
	    quantity_parse_cpus(args->cpus, &ret->cpu_millicpu, err) < 0)
		return err_add(err, "--cpus");
	if (args->cpu_period && args->cpu_period < 1000)
		return err_say(err, EINVAL, "--cpu-period: at least 1000 microseconds");
	if (args->cpu_quota > 0 && args->cpu_quota < 1000)
		return err_say(err, EINVAL, "--cpu-quota: at least 1000 microseconds");
	if (args->cpu_shares == 1)
		return err_say(err, EINVAL, "--cpu-shares: at least 2");
	ret->cpu_shares = args->cpu_shares;
	ret->cpu_quota_us = args->cpu_quota;
	ret->cpu_period_us = args->cpu_period;
	ret->cpuset_cpus = args->cpuset_cpus && *args->cpuset_cpus ? args->cpuset_cpus : NULL;
	ret->cpuset_mems = args->cpuset_mems && *args->cpuset_mems ? args->cpuset_mems : NULL;
	return 0;
}

static int fill_block(const struct run_limits *args, struct arena *arena, struct engine_limits *ret,
		      struct err *err)
{
	static const char *const options[ENGINE_BLOCK_KINDS] = {
		[OCI_THROTTLE_READ_BPS] = "--device-read-bps",
		[OCI_THROTTLE_WRITE_BPS] = "--device-write-bps",
		[OCI_THROTTLE_READ_IOPS] = "--device-read-iops",
		[OCI_THROTTLE_WRITE_IOPS] = "--device-write-iops",
		[ENGINE_BLOCK_WEIGHT] = "--blkio-weight-device",
	};

	if (args->blkio_weight && args->blkio_weight < 10)
		return err_say(err, EINVAL, "--blkio-weight: from 10 to 1000");
	ret->blkio_weight = args->blkio_weight;
	for (int kind = 0; kind < ENGINE_BLOCK_KINDS; kind++) {
		const struct options_list *words = &args->block[kind];
		struct engine_block_limit *list =
			arena_calloc(arena, words->count + 1, sizeof(*list));

		if (!list)
			return err_set(err, ENOMEM, "read the command line");
		for (size_t i = 0; i < words->count; i++)
			if (limit_parse_block(words->items[i], kind, arena, &list[i], err) < 0)
				return err_add(err, "%s", options[kind]);
		ret->block[kind] = list;
		ret->block_count[kind] = words->count;
	}
	return 0;
}

/* Given twice the last counts, as for every option. */
static void set_ulimit(struct oci_rlimit *list, size_t *count, const struct oci_rlimit *limit)
{
	for (size_t i = 0; i < *count; i++)
		if (list[i].type == limit->type) {
			list[i] = *limit;
			return;
		}
	list[(*count)++] = *limit;
}

static int fill_ulimits(const struct options_list *words, struct arena *arena,
			struct oci_rlimit **ret_list, struct engine_limits *ret, struct err *err)
{
	struct oci_rlimit *list = arena_calloc(arena, words->count + 1, sizeof(*list)), limit;

	if (!list)
		return err_set(err, ENOMEM, "read the command line");
	for (size_t i = 0; i < words->count; i++) {
		if (limit_parse_ulimit(words->items[i], &limit, err) < 0)
			return err_add(err, "--ulimit");
		set_ulimit(list, &ret->ulimits_count, &limit);
	}
	ret->ulimits = *ret_list = list;
	return 0;
}

static void warn(const char *sentence)
{
	fprintf(stderr, "ctr: run: warning: %s\n", sentence);
}

int run_limits_fill(const struct run_limits *args, struct arena *arena,
		    struct engine_run_options *ret, struct err *err)
{
	struct engine_limits limits = { 0 };
	struct oci_rlimit *ulimits = NULL;

	err_try(fill_memory(args, &limits, err));
	err_try(fill_cpu(args, &limits, err));
	err_try(fill_block(args, arena, &limits, err));
	err_try(fill_ulimits(&args->ulimits, arena, &ulimits, &limits, err));
	if (args->pids_limit != RUN_UNSET)
		limits.pids_limit = args->pids_limit > 0 ? args->pids_limit : -1;
	if (args->oom_score_adj != RUN_UNSET)
		limits.oom_score_adj = (struct oci_i64){ true, args->oom_score_adj };
	engine_limits_fit(&limits, ulimits, warn);
	ret->limits = limits;
	return 0;
}
