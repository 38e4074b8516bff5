/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of linux.resources: limits a device, a page size, an interface at a time.
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
	err_try(json_need(json_get_range(item, "major", 0, UINT32_MAX, major, err), item, "major",
			  err));
	return json_need(json_get_range(item, "minor", 0, UINT32_MAX, minor, err), item, "minor",
			 err);
}

static int parse_throttle(const struct json_node *item, struct arena *arena, void *ret,
			  struct err *err)
{
	struct oci_throttle *throttle = ret;

	(void)arena;
	err_try(get_device(item, &throttle->major, &throttle->minor, err));
	return json_need(json_get_u64(item, "rate", &throttle->rate, err), item, "rate", err);
}

static int parse_weight(const struct json_node *item, struct arena *arena, void *ret,
			struct err *err)
{
	struct oci_weight_device *device = ret;

	(void)arena;
	err_try(get_device(item, &device->major, &device->minor, err));
	err_try(oci_parse_opt_u32(item, "weight", &device->weight, err));
	return oci_parse_opt_u32(item, "leafWeight", &device->leaf_weight, err);
}

static int parse_block_io(const struct json_node *node, struct arena *arena,
			  struct oci_resources *res, struct err *err)
{
	struct oci_block_io *ret = &res->block_io;
	struct json_node io;
	int r = json_get_object(node, "blockIO", &io, err);

	if (r <= 0)
		return r;
	err_try(oci_parse_opt_u32(&io, "weight", &res->blkio_weight, err));
	err_try(oci_parse_opt_u32(&io, "leafWeight", &ret->leaf_weight, err));
	err_try(oci_parse_list(&io, "weightDevice", arena, sizeof(struct oci_weight_device),
			       parse_weight, &ret->weight_devices, &ret->weight_devices_count,
			       err));
	for (int kind = 0; kind < OCI_THROTTLES; kind++)
		err_try(oci_parse_list(&io, throttle_keys[kind], arena, sizeof(struct oci_throttle),
				       parse_throttle, &ret->throttles[kind],
				       &ret->throttles_count[kind], err));
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

static int parse_hugepage(const struct json_node *item, struct arena *arena, void *ret,
			  struct err *err)
{
	struct oci_hugepage_limit *limit = ret;

	err_try(json_need(json_get_string(item, "pageSize", arena, &limit->page_size, err), item,
			  "pageSize", err));
	err_try(check_page_size(item, limit->page_size, err));
	return json_need(json_get_u64(item, "limit", &limit->limit, err), item, "limit", err);
}

static int parse_priority(const struct json_node *item, struct arena *arena, void *ret,
			  struct err *err)
{
	struct oci_interface_priority *priority = ret;

	err_try(json_need(json_get_string(item, "name", arena, &priority->name, err), item, "name",
			  err));
	return json_need(json_get_u32(item, "priority", &priority->priority, err), item, "priority",
			 err);
}

static int parse_network(const struct json_node *node, struct arena *arena,
			 struct oci_resources *ret, struct err *err)
{
	struct json_node network;
	int r = json_get_object(node, "network", &network, err);

	if (r <= 0)
		return r;
	err_try(oci_parse_opt_u32(&network, "classID", &ret->network_class, err));
	return oci_parse_list(&network, "priorities", arena, sizeof(struct oci_interface_priority),
			      parse_priority, &ret->priorities, &ret->priorities_count, err);
}

static int parse_rdma(const struct json_node *item, struct arena *arena, void *ret, struct err *err)
{
	struct oci_rdma_limit *limit = ret;

	err_try(json_object(item, err));
	limit->device = arena_strdup(arena, item->key);
	if (!limit->device)
		return err_set(err, ENOMEM, "read resources");
	err_try(oci_parse_opt_u32(item, "hcaHandles", &limit->handles, err));
	return oci_parse_opt_u32(item, "hcaObjects", &limit->objects, err);
}

int oci_parse_resource_lists(const struct json_node *node, struct arena *arena,
			     struct oci_resources *ret, struct err *err)
{
	err_try(parse_block_io(node, arena, ret, err));
	err_try(oci_parse_list(node, "hugepageLimits", arena, sizeof(struct oci_hugepage_limit),
			       parse_hugepage, &ret->hugepages, &ret->hugepages_count, err));
	err_try(parse_network(node, arena, ret, err));
	return oci_parse_map(node, "rdma", arena, sizeof(struct oci_rdma_limit), parse_rdma,
			     &ret->rdma, &ret->rdma_count, err);
}
