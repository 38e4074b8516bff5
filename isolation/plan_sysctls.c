/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: only keys whose value belongs to a namespace, and only when that namespace is the
 * container's own; anything else would change the host.
 */
#include <errno.h>
#include <string.h>

#include "isolation/plan_builder.h"

static const struct {
	const char *key; /* ending in '.': all below it */
	enum oci_namespace_type ns;
} namespaced[] = {
	{ "net.", OCI_NS_NETWORK },	     { "fs.mqueue.", OCI_NS_IPC },
	{ "kernel.msgmax", OCI_NS_IPC },     { "kernel.msgmnb", OCI_NS_IPC },
	{ "kernel.msgmni", OCI_NS_IPC },     { "kernel.sem", OCI_NS_IPC },
	{ "kernel.shmall", OCI_NS_IPC },     { "kernel.shmmax", OCI_NS_IPC },
	{ "kernel.shmmni", OCI_NS_IPC },     { "kernel.shm_rmid_forced", OCI_NS_IPC },
	{ "kernel.domainname", OCI_NS_UTS }, { "user.", OCI_NS_USER },
};

/* sysctl(8)'s rule: where '/' comes first, it separates and '.' is part of a name. */
static void to_dots(char *key)
{
	size_t first = strcspn(key, "./");

	if (key[first] != '/')
		return;
	for (char *p = key; *p; p++)
		*p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
}

static void to_path(char *key)
{
	for (char *p = key; *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
}

static int check(const struct oci_config *c, const char *key, const char *dots, struct err *err)
{
	if (strcmp(dots, "kernel.hostname") == 0)
		return err_say(err, EINVAL,
			       "linux.sysctl[\"%s\"]: sysctl \"%s\" is not allowed as it conflicts "
			       "with the OCI \"hostname\" field",
			       key, key);
	for (size_t i = 0; i < ARRAY_SIZE(namespaced); i++) {
		const char *known = namespaced[i].key;
		size_t len = strlen(known);
		bool all_below = known[len - 1] == '.';

		if (strncmp(dots, known, len) != 0 || (!all_below && dots[len] != '\0'))
			continue;
		if (c->namespaces[namespaced[i].ns].present)
			return 0;
		return err_say(err, EINVAL,
			       "linux.sysctl[\"%s\"]: would change the host; needs a %s namespace",
			       key, oci_namespace_name(namespaced[i].ns));
	}
	return err_say(err, EINVAL,
		       "linux.sysctl[\"%s\"]: belongs to the whole host, not to a namespace", key);
}

static int put_sysctl(struct plan_builder *b, const struct oci_sysctl *sysctl,
		      struct strbuf *records, struct err *err)
{
	_cleanup_strbuf_ struct strbuf path = { 0 };
	struct plan_sysctl record = { 0 };

	strbuf_adds(&path, "sys/");
	strbuf_adds(&path, sysctl->key);
	if (!strbuf_ok(&path))
		return err_set(err, ENOMEM, "plan sysctls");
	to_dots(path.data + 4);
	if (check(b->config, sysctl->key, path.data + 4, err) < 0)
		return -EINVAL;
	to_path(path.data + 4);
	if (strstr(path.data, "//") || strstr(path.data, "/../") || strstr(path.data, "/./"))
		return err_say(err, EINVAL, "linux.sysctl[\"%s\"]: no name of a kernel setting",
			       sysctl->key);
	record.key = plan_put_string(b, sysctl->key);
	record.path = plan_put_string(b, path.data);
	record.value = plan_put_string(b, sysctl->value);
	strbuf_add(records, &record, sizeof(record));
	return 0;
}

int plan_put_sysctls(struct plan_builder *b, struct err *err)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };

	for (size_t i = 0; i < b->config->sysctls_count; i++) {
		int r = put_sysctl(b, &b->config->sysctls[i], &records, err);

		if (r < 0)
			return r;
	}
	b->head.sysctls = plan_put_list(b, &records, sizeof(struct plan_sysctl));
	return 0;
}
