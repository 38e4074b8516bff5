/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/features.h"

#include <errno.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "base/program.h"
#include "isolation/mount_options.h"
#include "isolation/seccomp_tables.h"
#include "isolation/seccomp_words.h"
#include "spec/oci_config.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void put_mount_options(struct json_writer *w)
{
	char names[128][MOUNT_OPTION_NAME_SIZE];
	size_t count = 0;

	while (count < ARRAY_SIZE(names) && mount_option_name(count, names[count]))
		count++;
	qsort(names, count, sizeof(names[0]), compare);
	json_key(w, "mountOptions");
	json_open_array(w);
	for (size_t i = 0; i < count; i++)
		json_put_string(w, names[i]);
	json_close_array(w);
}

static void put_words(struct json_writer *w, const char *key, const char *(*name)(size_t index))
{
	json_key(w, key);
	json_open_array(w);
	for (size_t i = 0; name(i); i++)
		json_put_string(w, name(i));
	json_close_array(w);
}

static const char *namespace_name(size_t index)
{
	return index < OCI_NS_COUNT ? oci_namespace_name((enum oci_namespace_type)index) : NULL;
}

static const char *capability_name(size_t index)
{
	return oci_capability_name((int)index);
}

static const char *hook_name(size_t index)
{
	static const char *const names[] = { "prestart",       "createRuntime", "createContainer",
					     "startContainer", "poststart",	"poststop" };

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

/* A flag that the kernel knows gets as far as to the missing filter. */
static const char *supported_flag(size_t index)
{
	size_t seen = 0;
	const char *name;

	for (size_t i = 0; (name = seccomp_flag_name(i)); i++) {
		uint32_t flag;

		if (seccomp_flag_parse(name, &flag) < 0)
			continue;
		/* This one goes with a listener only. */
		if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
			flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 &&
		    errno == EFAULT && seen++ == index)
			return name;
	}
	return NULL;
}

/* Several ABIs may share a name: x32 and x86-64 do not, the private calls of ARM do. */
static const char *arch_name(size_t index)
{
	size_t seen = 0;

	for (size_t i = 0; i < seccomp_tables.abis_count; i++) {
		const char *name = seccomp_tables.abis[i].oci_name;

		if ((i == 0 || strcmp(name, seccomp_tables.abis[i - 1].oci_name) != 0) &&
		    seen++ == index)
			return name;
	}
	return NULL;
}

static void put_switch(struct json_writer *w, const char *key, bool enabled)
{
	json_key(w, key);
	json_open_object(w);
	json_field_bool(w, "enabled", enabled);
	json_close_object(w);
}

static void put_linux(struct json_writer *w)
{
	char path[PATH_MAX];
	/* Its helper may not be installed. */
	bool systemd = program_find("cellar-systemd", path, NULL) == 0;

	json_key(w, "linux");
	json_open_object(w);
	put_words(w, "namespaces", namespace_name);
	put_words(w, "capabilities", capability_name);
	json_key(w, "cgroup");
	json_open_object(w);
	json_field_bool(w, "v1", true);
	json_field_bool(w, "v2", true);
	json_field_bool(w, "systemd", systemd);
	json_field_bool(w, "systemdUser", systemd);
	json_field_bool(w, "rdma", true);
	json_close_object(w);
	json_key(w, "seccomp");
	json_open_object(w);
	json_field_bool(w, "enabled", true);
	put_words(w, "actions", seccomp_action_name);
	put_words(w, "operators", seccomp_op_name);
	put_words(w, "archs", arch_name);
	put_words(w, "knownFlags", seccomp_flag_name);
	put_words(w, "supportedFlags", supported_flag);
	json_close_object(w);
	put_switch(w, "apparmor", true);
	put_switch(w, "selinux", true);
	put_switch(w, "intelRdt", false);
	json_key(w, "memoryPolicy");
	json_open_object(w);
	put_words(w, "modes", oci_memory_mode_name);
	put_words(w, "flags", oci_memory_flag_name);
	json_close_object(w);
	json_key(w, "mountExtensions");
	json_open_object(w);
	put_switch(w, "idmap", true);
	json_close_object(w);
	put_switch(w, "netDevices", false);
	json_close_object(w);
}

int features_format(char **ret_json, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	char *text;

	if (!w)
		return err_set(err, ENOMEM, "features");
	json_open_object(w);
	json_field_string(w, "ociVersionMin", "1.0.0");
	json_field_string(w, "ociVersionMax", OCI_VERSION);
	put_words(w, "hooks", hook_name);
	put_mount_options(w);
	put_linux(w);
	json_key(w, "annotations");
	json_open_object(w);
	json_field_string(w, "io.cellar.version", CELLAR_VERSION);
	json_close_object(w);
	json_key(w, "potentiallyUnsafeConfigAnnotations");
	json_open_array(w);
	json_put_string(w, "io.cellar.seccomp");
	json_close_array(w);
	json_close_object(w);
	text = json_writer_take(w, NULL);
	if (!text)
		return err_set(err, ENOMEM, "features");
	*ret_json = text;
	return 0;
}
