/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/config_limits.h"

#include <errno.h>

#include "runtime/engine/config_build.h"

static void set_i64(struct oci_i64 *ret, int64_t value)
{
	*ret = (struct oci_i64){ .set = value != 0, .value = value };
}

static void set_u64(struct oci_u64 *ret, int64_t value)
{
	*ret = (struct oci_u64){ .set = value != 0, .value = (uint64_t)value };
}

static void build_memory(const struct engine_limits *l, struct oci_memory *ret)
{
	set_i64(&ret->limit, l->memory_bytes);
	set_i64(&ret->swap, l->memory_swap_bytes ? l->memory_swap_bytes : 2 * l->memory_bytes);
	set_i64(&ret->reservation, l->memory_reservation_bytes);
	if (l->memory_swappiness.set)
		ret->swappiness = (struct oci_u64){ .set = true,
						    .value = (uint64_t)l->memory_swappiness.value };
}

static void build_cpu(const struct engine_limits *l, struct oci_cpu *ret)
{
	set_u64(&ret->shares, l->cpu_shares);
	set_i64(&ret->quota_us, l->cpu_quota_us);
	set_u64(&ret->period_us, l->cpu_period_us);
	if (l->cpu_millicpu) {
		set_u64(&ret->period_us, CONFIG_CPU_PERIOD_US);
		set_i64(&ret->quota_us, l->cpu_millicpu * CONFIG_CPU_PERIOD_US / 1000);
	}
	set_i64(&ret->idle, l->cpu_idle);
	ret->cpus = l->cpuset_cpus;
	ret->mems = l->cpuset_mems;
}

static int build_weights(const struct engine_limits *l, struct oci_config *config, struct err *err)
{
	size_t count = l->block_count[ENGINE_BLOCK_WEIGHT];
	struct oci_weight_device *list = arena_calloc(config->arena, count + 1, sizeof(*list));

	if (!list)
		return err_set(err, ENOMEM, "build limits");
	for (size_t i = 0; i < count; i++) {
		const struct engine_block_limit *b = &l->block[ENGINE_BLOCK_WEIGHT][i];

		list[i] = (struct oci_weight_device){ .major = b->major,
						      .minor = b->minor,
						      .weight = { true, (uint32_t)b->value } };
	}
	config->resources.block_io.weight_devices = list;
	config->resources.block_io.weight_devices_count = count;
	return 0;
}

static int build_throttles(const struct engine_limits *l, int kind, struct oci_config *config,
			   struct err *err)
{
	struct oci_throttle *list =
		arena_calloc(config->arena, l->block_count[kind] + 1, sizeof(*list));

	if (!list)
		return err_set(err, ENOMEM, "build limits");
	for (size_t i = 0; i < l->block_count[kind]; i++)
		list[i] = (struct oci_throttle){ .major = l->block[kind][i].major,
						 .minor = l->block[kind][i].minor,
						 .rate = l->block[kind][i].value };
	config->resources.block_io.throttles[kind] = list;
	config->resources.block_io.throttles_count[kind] = l->block_count[kind];
	return 0;
}

static int build_block_io(const struct engine_limits *l, struct oci_config *config, struct err *err)
{
	if (l->blkio_weight)
		config->resources.blkio_weight =
			(struct oci_u32){ .set = true, .value = (uint32_t)l->blkio_weight };
	for (int kind = 0; kind < OCI_THROTTLES; kind++)
		err_try(build_throttles(l, kind, config, err));
	return build_weights(l, config, err);
}

int config_limits_build(const struct engine_limits *limits, struct oci_config *config,
			struct err *err)
{
	int64_t pids = limits->pids_limit ? limits->pids_limit : CONFIG_PIDS_LIMIT_DEFAULT;

	config->resources.pids_limit =
		(struct oci_i64){ .set = true, .value = pids < 0 ? -1 : pids };
	build_memory(limits, &config->resources.memory);
	build_cpu(limits, &config->resources.cpu);
	config->process.rlimits = limits->ulimits;
	config->process.rlimits_count = limits->ulimits_count;
	config->process.oom_score_adj.set = limits->oom_score_adj.set;
	config->process.oom_score_adj.value = (int)limits->oom_score_adj.value;
	return build_block_io(limits, config, err);
}
