/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>

#include "base/strbuf.h"
#include "runtime/shim/rootfs.h"

static const struct flag {
	const char *name;
	bool clear;
	unsigned long flag;
} flags[] = {
	{ "async", true, MS_SYNCHRONOUS },
	{ "atime", true, MS_NOATIME },
	{ "bind", false, MS_BIND },
	{ "defaults", false, 0 },
	{ "dev", true, MS_NODEV },
	{ "diratime", true, MS_NODIRATIME },
	{ "dirsync", false, MS_DIRSYNC },
	{ "exec", true, MS_NOEXEC },
	{ "lazytime", false, MS_LAZYTIME },
	{ "mand", false, MS_MANDLOCK },
	{ "noatime", false, MS_NOATIME },
	{ "nodev", false, MS_NODEV },
	{ "nodiratime", false, MS_NODIRATIME },
	{ "noexec", false, MS_NOEXEC },
	{ "nomand", true, MS_MANDLOCK },
	{ "norelatime", true, MS_RELATIME },
	{ "nostrictatime", true, MS_STRICTATIME },
	{ "nosuid", false, MS_NOSUID },
	{ "rbind", false, MS_BIND | MS_REC },
	{ "relatime", false, MS_RELATIME },
	{ "remount", false, MS_REMOUNT },
	{ "ro", false, MS_RDONLY },
	{ "rw", true, MS_RDONLY },
	{ "strictatime", false, MS_STRICTATIME },
	{ "suid", true, MS_NOSUID },
	{ "sync", false, MS_SYNCHRONOUS },
};

static const struct flag propagations[] = {
	{ "private", false, MS_PRIVATE },
	{ "rprivate", false, MS_PRIVATE | MS_REC },
	{ "rshared", false, MS_SHARED | MS_REC },
	{ "rslave", false, MS_SLAVE | MS_REC },
	{ "runbindable", false, MS_UNBINDABLE | MS_REC },
	{ "shared", false, MS_SHARED },
	{ "slave", false, MS_SLAVE },
	{ "unbindable", false, MS_UNBINDABLE },
};

static const struct flag *find(const struct flag *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

int rootfs_options_parse(const char *const *options, size_t count, struct rootfs_options *ret,
			 struct err *err)
{
	_cleanup_strbuf_ struct strbuf data = { 0 };
	struct rootfs_options parsed = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct flag *f = find(flags, ARRAY_SIZE(flags), options[i]);

		if (f && f->clear) {
			parsed.flags &= ~f->flag;
		} else if (f) {
			parsed.flags |= f->flag;
		} else if ((f = find(propagations, ARRAY_SIZE(propagations), options[i]))) {
			parsed.propagation = f->flag;
		} else if (!strcmp(options[i], "loop") || !strncmp(options[i], "uidmap=", 7) ||
			   !strncmp(options[i], "gidmap=", 7)) {
			return err_say(err, EINVAL,
				       "mount of rootfs: the option %s is not supported",
				       options[i]);
		} else if (*options[i]) {
			strbuf_addf(&data, "%s%s", data.len ? "," : "", options[i]);
		}
	}
	parsed.data = strbuf_take(&data);
	if (!parsed.data)
		return err_set(err, ENOMEM, "mount rootfs");
	*ret = parsed;
	return 0;
}

/* Length of the common folder of a list "a:b:c", without the slash at its end; 0: none. */
static size_t common_folder(const char *list, size_t len)
{
	const char *first_end = memchr(list, ':', len), *end = list + len;
	size_t common = first_end ? (size_t)(first_end - list) : len;

	for (const char *p = list; p < end;) {
		const char *stop = memchr(p, ':', (size_t)(end - p));
		size_t n = 0, here = (size_t)((stop ? stop : end) - p);

		while (n < common && n < here && p[n] == list[n])
			n++;
		common = n;
		p = stop ? stop + 1 : end;
	}
	/* A whole component, and something must be left of each. */
	while (common && list[common] != '/')
		common--;
	return common;
}

int rootfs_shorten_lowerdir(const char *data, char **ret_folder, char **ret_data)
{
	_cleanup_strbuf_ struct strbuf out = { 0 };
	const char *list = strstr(data, "lowerdir="), *end;
	size_t common;
	char *folder;

	if (!list || (list > data && list[-1] != ',') || strchr(list, '\\'))
		return 0;
	list += strlen("lowerdir=");
	end = strchr(list, ',');
	if (!end)
		end = list + strlen(list);
	common = list[0] == '/' ? common_folder(list, (size_t)(end - list)) : 0;
	if (!common)
		return 0;
	strbuf_add(&out, data, (size_t)(list - data));
	for (const char *p = list; p < end;) {
		const char *stop = memchr(p, ':', (size_t)(end - p));

		stop = stop ? stop + 1 : end;
		strbuf_add(&out, p + common + 1, (size_t)(stop - p) - common - 1);
		p = stop;
	}
	strbuf_adds(&out, end);
	folder = strndup(list, common);
	if (!folder || !strbuf_ok(&out)) {
		free(folder);
		return -ENOMEM;
	}
	*ret_folder = folder;
	*ret_data = strbuf_take(&out);
	return 1;
}
