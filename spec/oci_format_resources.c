/* SPDX-License-Identifier: Apache-2.0 */
/* "linux.resources" of config.json as text. */
#include "spec/oci_parse.h"

static void put_device_rules(struct json_writer *w, const struct oci_resources *res)
{
	if (res->devices_count == 0)
		return;
	json_key(w, "devices");
	json_open_array(w);
	for (size_t i = 0; i < res->devices_count; i++) {
		const struct oci_device_rule *rule = &res->devices[i];
		char access[4], *p = access;

		if (rule->read)
			*p++ = 'r';
		if (rule->write)
			*p++ = 'w';
		if (rule->mknod)
			*p++ = 'm';
		*p = '\0';
		json_open_object(w);
		json_field_bool(w, "allow", rule->allow);
		json_field_string(w, "type", (char[]){ rule->type, '\0' });
		if (rule->major >= 0)
			json_field_i64(w, "major", rule->major);
		if (rule->minor >= 0)
			json_field_i64(w, "minor", rule->minor);
		json_field_string(w, "access", access);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_i64(struct json_writer *w, const char *key, struct oci_i64 n)
{
	if (n.set)
		json_field_i64(w, key, n.value);
}

static void put_u64(struct json_writer *w, const char *key, struct oci_u64 n)
{
	if (n.set)
		json_field_u64(w, key, n.value);
}

static void put_bool(struct json_writer *w, const char *key, struct oci_bool b)
{
	if (b.set)
		json_field_bool(w, key, b.value);
}

static void put_memory(struct json_writer *w, const struct oci_memory *m)
{
	if (!m->limit.set && !m->reservation.set && !m->swap.set && !m->swappiness.set &&
	    !m->disable_oom_killer.set && !m->use_hierarchy.set && !m->check_before_update.set)
		return;
	json_key(w, "memory");
	json_open_object(w);
	put_i64(w, "limit", m->limit);
	put_i64(w, "reservation", m->reservation);
	put_i64(w, "swap", m->swap);
	put_u64(w, "swappiness", m->swappiness);
	put_bool(w, "disableOOMKiller", m->disable_oom_killer);
	put_bool(w, "useHierarchy", m->use_hierarchy);
	put_bool(w, "checkBeforeUpdate", m->check_before_update);
	json_close_object(w);
}

static void put_cpu(struct json_writer *w, const struct oci_cpu *c)
{
	if (!c->shares.set && !c->quota_us.set && !c->period_us.set && !c->burst_us.set &&
	    !c->realtime_runtime_us.set && !c->realtime_period_us.set && !c->idle.set && !c->cpus &&
	    !c->mems)
		return;
	json_key(w, "cpu");
	json_open_object(w);
	put_u64(w, "shares", c->shares);
	put_i64(w, "quota", c->quota_us);
	put_u64(w, "burst", c->burst_us);
	put_u64(w, "period", c->period_us);
	put_i64(w, "realtimeRuntime", c->realtime_runtime_us);
	put_u64(w, "realtimePeriod", c->realtime_period_us);
	json_field_string(w, "cpus", c->cpus);
	json_field_string(w, "mems", c->mems);
	put_i64(w, "idle", c->idle);
	json_close_object(w);
}

static void put_u32(struct json_writer *w, const char *key, struct oci_u32 n)
{
	if (n.set)
		json_field_u64(w, key, n.value);
}

static void put_device(struct json_writer *w, int64_t major, int64_t minor)
{
	json_field_i64(w, "major", major);
	json_field_i64(w, "minor", minor);
}

static void put_weights(struct json_writer *w, const struct oci_block_io *io)
{
	if (io->weight_devices_count == 0)
		return;
	json_key(w, "weightDevice");
	json_open_array(w);
	for (size_t i = 0; i < io->weight_devices_count; i++) {
		const struct oci_weight_device *d = &io->weight_devices[i];

		json_open_object(w);
		put_device(w, d->major, d->minor);
		put_u32(w, "weight", d->weight);
		put_u32(w, "leafWeight", d->leaf_weight);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_throttle(struct json_writer *w, const char *key, const struct oci_throttle *list,
			 size_t count)
{
	if (count == 0)
		return;
	json_key(w, key);
	json_open_array(w);
	for (size_t i = 0; i < count; i++) {
		json_open_object(w);
		put_device(w, list[i].major, list[i].minor);
		json_field_u64(w, "rate", list[i].rate);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_block_io(struct json_writer *w, const struct oci_resources *res)
{
	const struct oci_block_io *io = &res->block_io;
	size_t lists = io->weight_devices_count;

	for (int kind = 0; kind < OCI_THROTTLES; kind++)
		lists += io->throttles_count[kind];
	if (!res->blkio_weight.set && !io->leaf_weight.set && lists == 0)
		return;
	json_key(w, "blockIO");
	json_open_object(w);
	put_u32(w, "weight", res->blkio_weight);
	put_u32(w, "leafWeight", io->leaf_weight);
	put_weights(w, io);
	for (int kind = 0; kind < OCI_THROTTLES; kind++)
		put_throttle(w, oci_throttle_name((enum oci_throttle_kind)kind),
			     io->throttles[kind], io->throttles_count[kind]);
	json_close_object(w);
}

static void put_network(struct json_writer *w, const struct oci_resources *res)
{
	if (!res->network_class.set && res->priorities_count == 0)
		return;
	json_key(w, "network");
	json_open_object(w);
	put_u32(w, "classID", res->network_class);
	if (res->priorities_count > 0) {
		json_key(w, "priorities");
		json_open_array(w);
		for (size_t i = 0; i < res->priorities_count; i++) {
			json_open_object(w);
			json_field_string(w, "name", res->priorities[i].name);
			json_field_u64(w, "priority", res->priorities[i].priority);
			json_close_object(w);
		}
		json_close_array(w);
	}
	json_close_object(w);
}

static void put_lists(struct json_writer *w, const struct oci_resources *res)
{
	if (res->hugepages_count > 0) {
		json_key(w, "hugepageLimits");
		json_open_array(w);
		for (size_t i = 0; i < res->hugepages_count; i++) {
			json_open_object(w);
			json_field_string(w, "pageSize", res->hugepages[i].page_size);
			json_field_u64(w, "limit", res->hugepages[i].limit);
			json_close_object(w);
		}
		json_close_array(w);
	}
	put_network(w, res);
	if (res->rdma_count > 0) {
		json_key(w, "rdma");
		json_open_object(w);
		for (size_t i = 0; i < res->rdma_count; i++) {
			json_key(w, res->rdma[i].device);
			json_open_object(w);
			put_u32(w, "hcaHandles", res->rdma[i].handles);
			put_u32(w, "hcaObjects", res->rdma[i].objects);
			json_close_object(w);
		}
		json_close_object(w);
	}
}

void oci_put_resources(struct json_writer *w, const struct oci_resources *res)
{
	json_key(w, "resources");
	json_open_object(w);
	put_device_rules(w, res);
	put_memory(w, &res->memory);
	put_cpu(w, &res->cpu);
	if (res->pids_limit.set) {
		json_key(w, "pids");
		json_open_object(w);
		json_field_i64(w, "limit", res->pids_limit.value);
		json_close_object(w);
	}
	put_block_io(w, res);
	put_lists(w, res);
	if (res->unified_count > 0) {
		json_key(w, "unified");
		json_open_object(w);
		for (size_t i = 0; i < res->unified_count; i++)
			json_field_string(w, res->unified[i].key, res->unified[i].value);
		json_close_object(w);
	}
	json_close_object(w);
}
