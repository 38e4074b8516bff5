/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/meta_limits.h"

#include <errno.h>
#include <stdbool.h>

#include "base/cleanup.h"

/* clang-format off */
static const struct {
	const char *key;
	size_t offset;
	bool old; /* the first Cellar had it */
} numbers[] = {
	{ "memory_bytes", offsetof(struct engine_limits, memory_bytes), true },
	{ "memory_swap_bytes", offsetof(struct engine_limits, memory_swap_bytes), false },
	{ "memory_reservation_bytes", offsetof(struct engine_limits, memory_reservation_bytes), false },
	{ "cpu_millicpu", offsetof(struct engine_limits, cpu_millicpu), true },
	{ "cpu_shares", offsetof(struct engine_limits, cpu_shares), false },
	{ "cpu_quota_us", offsetof(struct engine_limits, cpu_quota_us), false },
	{ "cpu_period_us", offsetof(struct engine_limits, cpu_period_us), false },
	{ "pids_limit", offsetof(struct engine_limits, pids_limit), true },
	{ "blkio_weight", offsetof(struct engine_limits, blkio_weight), false },
	{ "shm_bytes", offsetof(struct engine_limits, shm_bytes), false },
};

static const char *const block_keys[ENGINE_BLOCK_KINDS] = {
	[OCI_THROTTLE_READ_BPS] = "device_read_bps",
	[OCI_THROTTLE_WRITE_BPS] = "device_write_bps",
	[OCI_THROTTLE_READ_IOPS] = "device_read_iops",
	[OCI_THROTTLE_WRITE_IOPS] = "device_write_iops",
	[ENGINE_BLOCK_WEIGHT] = "blkio_weight_device",
};
/* clang-format on */

static int64_t *number(struct engine_limits *limits, size_t i)
{
	return (int64_t *)((char *)limits + numbers[i].offset);
}

static void format_block(struct json_writer *w, const struct engine_block_limit *list, size_t count)
{
	json_open_array(w);
	for (size_t i = 0; i < count; i++) {
		json_open_object(w);
		json_field_string(w, "device", list[i].device);
		json_field_i64(w, "major", list[i].major);
		json_field_i64(w, "minor", list[i].minor);
		json_field_u64(w, "value", list[i].value);
		json_close_object(w);
	}
	json_close_array(w);
}

static void format_ulimits(struct json_writer *w, const struct engine_limits *limits)
{
	json_key(w, "ulimits");
	json_open_array(w);
	for (size_t i = 0; i < limits->ulimits_count; i++) {
		json_open_object(w);
		json_field_string(w, "type", oci_rlimit_name(limits->ulimits[i].type));
		json_field_u64(w, "soft", limits->ulimits[i].soft);
		json_field_u64(w, "hard", limits->ulimits[i].hard);
		json_close_object(w);
	}
	json_close_array(w);
}

void meta_limits_format(struct json_writer *w, const struct engine_limits *limits)
{
	struct engine_limits copy = *limits;

	json_key(w, "limits");
	json_open_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_field_i64(w, numbers[i].key, *number(&copy, i));
	if (limits->memory_swappiness.set)
		json_field_i64(w, "memory_swappiness", limits->memory_swappiness.value);
	if (limits->oom_score_adj.set)
		json_field_i64(w, "oom_score_adj", limits->oom_score_adj.value);
	if (limits->cpu_idle)
		json_field_bool(w, "cpu_idle", true);
	json_field_string(w, "cpuset_cpus", limits->cpuset_cpus);
	json_field_string(w, "cpuset_mems", limits->cpuset_mems);
	for (size_t kind = 0; kind < ENGINE_BLOCK_KINDS; kind++) {
		if (!limits->block_count[kind])
			continue;
		json_key(w, block_keys[kind]);
		format_block(w, limits->block[kind], limits->block_count[kind]);
	}
	if (limits->ulimits_count)
		format_ulimits(w, limits);
	json_close_object(w);
}

static int parse_optional(const struct json_node *node, const char *key, struct oci_i64 *ret,
			  struct err *err)
{
	int r = json_get_i64(node, key, &ret->value, err);

	ret->set = r > 0;
	return r;
}

static int parse_block(const struct json_node *node, int kind, struct arena *arena,
		       struct engine_limits *ret, struct err *err)
{
	struct engine_block_limit *list;
	struct json_node array;
	size_t count;
	int r = json_get_array(node, block_keys[kind], &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read limits");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(json_object(&item, err));
		err_try(json_get_string(&item, "device", arena, &list[i].device, err));
		err_try(json_get_i64(&item, "major", &list[i].major, err));
		err_try(json_get_i64(&item, "minor", &list[i].minor, err));
		err_try(json_get_u64(&item, "value", &list[i].value, err));
	}
	ret->block[kind] = list;
	ret->block_count[kind] = count;
	return 0;
}

static int parse_ulimits(const struct json_node *node, struct arena *arena,
			 struct engine_limits *ret, struct err *err)
{
	struct oci_rlimit *list;
	struct json_node array;
	size_t count;
	int r = json_get_array(node, "ulimits", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read limits");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);
		const char *type = "";

		err_try(json_object(&item, err));
		err_try(json_get_string(&item, "type", arena, &type, err));
		list[i].type = oci_rlimit_parse(type);
		if (list[i].type < 0)
			return json_bad(&item, err, "there is no limit \"%s\"", type);
		err_try(json_get_u64(&item, "soft", &list[i].soft, err));
		err_try(json_get_u64(&item, "hard", &list[i].hard, err));
	}
	ret->ulimits = list;
	ret->ulimits_count = count;
	return 0;
}

int meta_limits_parse(const struct json_node *root, struct arena *arena, struct engine_limits *ret,
		      struct err *err)
{
	struct engine_limits limits = { 0 };
	struct json_node node;
	int r = json_get_object(root, "limits", &node, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (r > 0 || numbers[i].old)
			err_try(json_get_i64(r > 0 ? &node : root, numbers[i].key,
					     number(&limits, i), err));
	if (r > 0) {
		err_try(parse_optional(&node, "memory_swappiness", &limits.memory_swappiness, err));
		err_try(parse_optional(&node, "oom_score_adj", &limits.oom_score_adj, err));
		err_try(json_get_bool(&node, "cpu_idle", &limits.cpu_idle, err));
		err_try(json_get_string(&node, "cpuset_cpus", arena, &limits.cpuset_cpus, err));
		err_try(json_get_string(&node, "cpuset_mems", arena, &limits.cpuset_mems, err));
		for (int kind = 0; kind < ENGINE_BLOCK_KINDS; kind++)
			err_try(parse_block(&node, kind, arena, &limits, err));
		err_try(parse_ulimits(&node, arena, &limits, err));
	}
	*ret = limits;
	return 0;
}
