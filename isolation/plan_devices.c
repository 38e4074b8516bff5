/* SPDX-License-Identifier: Apache-2.0 */
/* /dev of a plan: the nodes and links every container has, and those of linux.devices. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "isolation/mount_options.h"
#include "isolation/plan_builder.h"

static const struct {
	const char *path;
	uint32_t major, minor;
} defaults[] = {
	{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/ptmx", "pts/ptmx" },	      { "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },  { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/core", "/proc/kcore" },
};

static bool is_configured(const struct oci_config *c, const char *path)
{
	for (size_t i = 0; i < c->devices_count; i++)
		if (strcmp(c->devices[i].path, path) == 0)
			return true;
	return false;
}

static bool dev_is_bound(const struct oci_config *c)
{
	for (size_t i = 0; i < c->mounts_count; i++) {
		struct mount_options options = { 0 };
		const struct oci_mount *mount = &c->mounts[i];

		if (strcmp(mount->destination, "/dev") != 0)
			continue;
		for (size_t o = 0; o < mount->options_count; o++)
			mount_options_add(&options, mount->options[o]);
		if (options.bind || (mount->type && strcmp(mount->type, "bind") == 0))
			return true;
	}
	return false;
}

static int put_device(struct plan_builder *b, const struct oci_device *device, size_t index,
		      struct strbuf *records, struct err *err)
{
	struct plan_device record = {
		.mode = device->file_mode & 07777,
		.uid = device->uid,
		.gid = device->gid,
		.major = (uint32_t)device->major,
		.minor = (uint32_t)device->minor,
	};
	size_t len = strlen(device->path);
	char path[PATH_MAX];

	if (len >= sizeof(path))
		return err_say(err, EINVAL, "linux.devices[%zu].path: too long", index);
	memcpy(path, device->path, len + 1);
	path_clean(path);
	if (path[0] != '/' || !path[1])
		return err_say(err, EINVAL, "linux.devices[%zu].path: \"%s\" is no absolute path",
			       index, device->path);
	if (strcmp(path, "/dev/ptmx") == 0)
		return 0; /* that of the container's own devpts is linked there */
	switch (device->type) {
	case 'b':
		record.mode |= S_IFBLK;
		break;
	case 'p':
		record.mode |= S_IFIFO;
		break;
	default:
		record.mode |= S_IFCHR;
	}
	record.path = plan_put_string(b, path);
	strbuf_add(records, &record, sizeof(record));
	return 0;
}

int plan_put_devices(struct plan_builder *b, struct err *err)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };
	_cleanup_strbuf_ struct strbuf list = { 0 };
	const struct oci_config *c = b->config;

	if (dev_is_bound(c))
		return 0;
	b->head.flags |= PLAN_DEVICES;
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct plan_device device = { .mode = S_IFCHR | 0666,
					      .major = defaults[i].major,
					      .minor = defaults[i].minor };

		if (is_configured(c, defaults[i].path))
			continue;
		device.path = plan_put_string(b, defaults[i].path);
		strbuf_add(&records, &device, sizeof(device));
	}
	for (size_t i = 0; i < c->devices_count; i++)
		err_try(put_device(b, &c->devices[i], i, &records, err));
	b->head.devices = plan_put_list(b, &records, sizeof(struct plan_device));

	if (b->head.links.count > 0) /* of the cgroup mount */
		strbuf_add(&list, b->block.data + b->head.links.offset,
			   b->head.links.count * sizeof(struct plan_link));
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		struct plan_link link = { .path = plan_put_string(b, links[i].path),
					  .target = plan_put_string(b, links[i].target) };

		strbuf_add(&list, &link, sizeof(link));
	}
	b->head.links = plan_put_list(b, &list, sizeof(struct plan_link));
	return 0;
}
