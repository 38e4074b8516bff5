/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroups/cgroup_lists.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

static int set_line(const struct cgroup_target *t, const char *field, const char *file,
		    struct err *err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static int set_line(const struct cgroup_target *t, const char *field, const char *file,
		    struct err *err, const char *fmt, ...)
{
	struct cgroup_setting s = { .field = field, .file = file };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s.text = text;
	return cgroup_limit_set(t, &s, err);
}

/* ---- blockIO ---- */

static int apply_throttles(const struct cgroup_target *t, const struct oci_block_io *io, bool v2,
			   struct err *err)
{
	static const struct {
		const char *file_v1, *word_v2;
	} names[OCI_THROTTLES] = {
		[OCI_THROTTLE_READ_BPS] = { "blkio.throttle.read_bps_device", "rbps" },
		[OCI_THROTTLE_WRITE_BPS] = { "blkio.throttle.write_bps_device", "wbps" },
		[OCI_THROTTLE_READ_IOPS] = { "blkio.throttle.read_iops_device", "riops" },
		[OCI_THROTTLE_WRITE_IOPS] = { "blkio.throttle.write_iops_device", "wiops" },
	};
	char field[64];

	for (int kind = 0; kind < OCI_THROTTLES; kind++) {
		snprintf(field, sizeof(field), "blockIO.%s",
			 oci_throttle_name((enum oci_throttle_kind)kind));
		for (size_t i = 0; i < io->throttles_count[kind]; i++) {
			const struct oci_throttle *d = &io->throttles[kind][i];

			/* 0 takes a limit away. */
			if (v2 && d->rate == 0)
				err_try(set_line(t, field, "io.max", err,
						 "%" PRId64 ":%" PRId64 " %s=max", d->major,
						 d->minor, names[kind].word_v2));
			else if (v2)
				err_try(set_line(t, field, "io.max", err,
						 "%" PRId64 ":%" PRId64 " %s=%" PRIu64, d->major,
						 d->minor, names[kind].word_v2, d->rate));
			else
				err_try(set_line(t, field, names[kind].file_v1, err,
						 "%" PRId64 ":%" PRId64 " %" PRIu64, d->major,
						 d->minor, d->rate));
		}
	}
	return 0;
}

int cgroup_lists_io_v1(const struct cgroup_target *t, const struct oci_resources *res,
		       struct err *err)
{
	const struct oci_block_io *io = &res->block_io;
	bool bfq = cgroup_file_exists(t->cgroup, t->hierarchy, "blkio.bfq.weight_device");

	if (io->leaf_weight.set && io->leaf_weight.value)
		err_try(set_line(t, "blockIO.leafWeight", "blkio.leaf_weight", err, "%u",
				 io->leaf_weight.value));
	for (size_t i = 0; i < io->weight_devices_count; i++) {
		const struct oci_weight_device *d = &io->weight_devices[i];

		if (d->weight.set && d->weight.value)
			err_try(set_line(t, "blockIO.weightDevice",
					 bfq ? "blkio.bfq.weight_device" : "blkio.weight_device",
					 err, "%" PRId64 ":%" PRId64 " %u", d->major, d->minor,
					 d->weight.value));
		if (d->leaf_weight.set && d->leaf_weight.value)
			err_try(set_line(t, "blockIO.weightDevice", "blkio.leaf_weight_device", err,
					 "%" PRId64 ":%" PRId64 " %u", d->major, d->minor,
					 d->leaf_weight.value));
	}
	return apply_throttles(t, io, false, err);
}

int cgroup_lists_io_v2(const struct cgroup_target *t, const struct oci_resources *res,
		       struct err *err)
{
	const struct oci_block_io *io = &res->block_io;
	bool bfq = cgroup_file_exists(t->cgroup, t->hierarchy, "io.bfq.weight");

	if (io->leaf_weight.set && io->leaf_weight.value)
		log_warn("linux.resources.blockIO.leafWeight: cgroup v2 has none; ignored");
	for (size_t i = 0; i < io->weight_devices_count; i++) {
		const struct oci_weight_device *d = &io->weight_devices[i];
		uint64_t weight = bfq ? d->weight.value : cgroup_weight_of_blkio(d->weight.value);

		if (d->weight.set && d->weight.value)
			err_try(set_line(
				t, "blockIO.weightDevice", bfq ? "io.bfq.weight" : "io.weight", err,
				"%" PRId64 ":%" PRId64 " %" PRIu64, d->major, d->minor, weight));
	}
	return apply_throttles(t, io, true, err);
}

/* ---- hugepageLimits ---- */

/* With the pages that are reserved and not yet used, where the kernel (5.7) counts them. */
static int apply_hugetlb(const struct cgroup_target *t, const struct oci_resources *res,
			 const char *word, struct err *err)
{
	for (size_t i = 0; i < res->hugepages_count; i++) {
		const struct oci_hugepage_limit *l = &res->hugepages[i];
		char file[64], reserved[64];

		snprintf(file, sizeof(file), "hugetlb.%.20s.%s", l->page_size, word);
		snprintf(reserved, sizeof(reserved), "hugetlb.%.20s.rsvd.%s", l->page_size, word);
		err_try(set_line(t, "hugepageLimits", file, err, "%" PRIu64, l->limit));
		if (cgroup_file_exists(t->cgroup, t->hierarchy, reserved))
			err_try(set_line(t, "hugepageLimits", reserved, err, "%" PRIu64, l->limit));
	}
	return 0;
}

int cgroup_lists_hugetlb_v1(const struct cgroup_target *t, const struct oci_resources *res,
			    struct err *err)
{
	return apply_hugetlb(t, res, "limit_in_bytes", err);
}

int cgroup_lists_hugetlb_v2(const struct cgroup_target *t, const struct oci_resources *res,
			    struct err *err)
{
	return apply_hugetlb(t, res, "max", err);
}

/* ---- rdma, network ---- */

int cgroup_lists_rdma(const struct cgroup_target *t, const struct oci_resources *res,
		      struct err *err)
{
	for (size_t i = 0; i < res->rdma_count; i++) {
		const struct oci_rdma_limit *l = &res->rdma[i];
		char handles[32] = "max", objects[32] = "max";

		if (l->handles.set)
			snprintf(handles, sizeof(handles), "%u", l->handles.value);
		if (l->objects.set)
			snprintf(objects, sizeof(objects), "%u", l->objects.value);
		err_try(set_line(t, "rdma", "rdma.max", err, "%.200s hca_handle=%s hca_object=%s",
				 l->device, handles, objects));
	}
	return 0;
}

int cgroup_lists_net_class(const struct cgroup_target *t, const struct oci_resources *res,
			   struct err *err)
{
	return set_line(t, "network.classID", "net_cls.classid", err, "%u",
			res->network_class.value);
}

int cgroup_lists_net_priority(const struct cgroup_target *t, const struct oci_resources *res,
			      struct err *err)
{
	for (size_t i = 0; i < res->priorities_count; i++)
		err_try(set_line(t, "network.priorities", "net_prio.ifpriomap", err, "%.200s %u",
				 res->priorities[i].name, res->priorities[i].priority));
	return 0;
}
