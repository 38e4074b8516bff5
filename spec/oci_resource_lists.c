/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of linux.resources: limits a device, a page size, an interface at a time. Read and
 * written here, next to each other.
 */
#include <errno.h>
#include <string.h>

#include "spec/oci_parse.h"

static const char *const throttle_keys[OCI_THROTTLES] = {
	[OCI_THROTTLE_READ_BPS] = "throttleReadBpsDevice",
	[OCI_THROTTLE_WRITE_BPS] = "throttleWriteBpsDevice",
	[OCI_THROTTLE_READ_IOPS] = "throttleReadIOPSDevice",
	[OCI_THROTTLE_WRITE_IOPS] = "throttleWriteIOPSDevice",
};

const char *oci_throttle_name(enum oci_throttle_kind kind)
{
	return throttle_keys[kind];
}

static int get_device(const struct json_node *item, int64_t *major, int64_t *minor, struct err *err)
{
	err_try(json_object(item, err));
	err_try(json_need(json_get_range(item, "major", 0, UINT32_MAX, major, err), item, "major",
			  err));
	return json_need(json_get_range(item, "minor", 0, UINT32_MAX, minor, err), item, "minor",
			 err);
}

static int parse_throttle(const struct json_node *io, enum oci_throttle_kind kind,
			  struct arena *arena, struct oci_block_io *ret, struct err *err)
{
	struct json_node array;
	struct oci_throttle *list;
	size_t count;
	int r = json_get_array(io, throttle_keys[kind], &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read resources");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(get_device(&item, &list[i].major, &list[i].minor, err));
		err_try(json_need(json_get_u64(&item, "rate", &list[i].rate, err), &item, "rate",
				  err));
	}
	ret->throttles[kind] = list;
	ret->throttles_count[kind] = count;
	return 1;
}

static int parse_weights(const struct json_node *io, struct arena *arena, struct oci_block_io *ret,
			 struct err *err)
{
	struct json_node array;
	struct oci_weight_device *list;
	size_t count;
	int r = json_get_array(io, "weightDevice", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read resources");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(get_device(&item, &list[i].major, &list[i].minor, err));
		err_try(oci_parse_opt_u32(&item, "weight", &list[i].weight, err));
		err_try(oci_parse_opt_u32(&item, "leafWeight", &list[i].leaf_weight, err));
	}
	ret->weight_devices = list;
	ret->weight_devices_count = count;
	return 1;
}

static int parse_block_io(const struct json_node *node, struct arena *arena,
			  struct oci_block_io *ret, struct err *err)
{
	struct json_node io;
	int r = json_get_object(node, "blockIO", &io, err);

	if (r <= 0)
		return r;
	err_try(oci_parse_opt_u32(&io, "leafWeight", &ret->leaf_weight, err));
	err_try(parse_weights(&io, arena, ret, err));
	for (int kind = 0; kind < OCI_THROTTLES; kind++)
		err_try(parse_throttle(&io, (enum oci_throttle_kind)kind, arena, ret, err));
	return 1;
}

/* "2MB": it becomes part of a file's name. */
static int check_page_size(const struct json_node *item, const char *size, struct err *err)
{
	struct json_node bad;
	size_t digits = strspn(size, "0123456789");

	if (digits > 0 && strlen(size) == digits + 2 && strchr("KMGT", size[digits]) &&
	    size[digits + 1] == 'B')
		return 0;
	json_get(item, "pageSize", &bad, err);
	return json_bad(&bad, err, "\"%s\" is no size of pages such as 2MB", size);
}

static int parse_hugepages(const struct json_node *node, struct arena *arena,
			   struct oci_resources *ret, struct err *err)
{
	struct json_node array;
	struct oci_hugepage_limit *list;
	size_t count;
	int r = json_get_array(node, "hugepageLimits", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read resources");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(json_object(&item, err));
		err_try(json_need(
			json_get_string(&item, "pageSize", arena, &list[i].page_size, err), &item,
			"pageSize", err));
		err_try(check_page_size(&item, list[i].page_size, err));
		err_try(json_need(json_get_u64(&item, "limit", &list[i].limit, err), &item, "limit",
				  err));
	}
	ret->hugepages = list;
	ret->hugepages_count = count;
	return 1;
}

static int parse_network(const struct json_node *node, struct arena *arena,
			 struct oci_resources *ret, struct err *err)
{
	struct json_node network, array;
	struct oci_interface_priority *list;
	size_t count;
	int r = json_get_object(node, "network", &network, err);

	if (r <= 0)
		return r;
	err_try(oci_parse_opt_u32(&network, "classID", &ret->network_class, err));
	r = json_get_array(&network, "priorities", &array, &count, err);
	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read resources");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(json_object(&item, err));
		err_try(json_need(json_get_string(&item, "name", arena, &list[i].name, err), &item,
				  "name", err));
		err_try(json_need(json_get_u32(&item, "priority", &list[i].priority, err), &item,
				  "priority", err));
	}
	ret->priorities = list;
	ret->priorities_count = count;
	return 1;
}

static int parse_rdma(const struct json_node *node, struct arena *arena, struct oci_resources *ret,
		      struct err *err)
{
	struct json_node map;
	struct oci_rdma_limit *list;
	int r = json_get_object(node, "rdma", &map, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, json_count(&map) + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read resources");
	for (size_t i = 0; i < json_count(&map); i++) {
		struct json_node item = json_member(&map, i);

		err_try(json_object(&item, err));
		list[i].device = arena_strdup(arena, item.key);
		if (!list[i].device)
			return err_set(err, ENOMEM, "read resources");
		err_try(oci_parse_opt_u32(&item, "hcaHandles", &list[i].handles, err));
		err_try(oci_parse_opt_u32(&item, "hcaObjects", &list[i].objects, err));
	}
	ret->rdma = list;
	ret->rdma_count = json_count(&map);
	return 1;
}

int oci_parse_resource_lists(const struct json_node *node, struct arena *arena,
			     struct oci_resources *ret, struct err *err)
{
	err_try(parse_block_io(node, arena, &ret->block_io, err));
	err_try(parse_hugepages(node, arena, ret, err));
	err_try(parse_network(node, arena, ret, err));
	return parse_rdma(node, arena, ret, err);
}

/* ---- written ---- */

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

void oci_put_block_io(struct json_writer *w, const struct oci_resources *res)
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
		put_throttle(w, throttle_keys[kind], io->throttles[kind],
			     io->throttles_count[kind]);
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

void oci_put_resource_lists(struct json_writer *w, const struct oci_resources *res)
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
