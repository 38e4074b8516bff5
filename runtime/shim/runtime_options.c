/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/runtime_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/shim/flat_toml.h"
#include "runtime/shim/proto.h"

#define FILE_BYTES_MAX 65536

/* clang-format off */
static const struct key {
	const char *name;
	enum { IS_BOOL, IS_ID, IS_STRING, IS_IGNORED } kind;
	size_t offset; /* in Options__Runc */
} keys[] = {
	{ "NoPivotRoot", IS_BOOL, offsetof(Options__Runc, no_pivot_root) },
	{ "NoNewKeyring", IS_BOOL, offsetof(Options__Runc, no_new_keyring) },
	{ "SystemdCgroup", IS_BOOL, offsetof(Options__Runc, systemd_cgroup) },
	{ "ShimCgroup", IS_STRING, offsetof(Options__Runc, shim_cgroup) },
	{ "IoUid", IS_ID, offsetof(Options__Runc, io_uid) },
	{ "IoGid", IS_ID, offsetof(Options__Runc, io_gid) },
	{ "BinaryName", IS_STRING, offsetof(Options__Runc, binary_name) },
	{ "Root", IS_STRING, offsetof(Options__Runc, root) },
	{ "CriuPath", IS_STRING, offsetof(Options__Runc, criu_path) },
	{ "CriuImagePath", IS_STRING, offsetof(Options__Runc, criu_image_path) },
	{ "CriuWorkPath", IS_STRING, offsetof(Options__Runc, criu_work_path) },
	{ "TaskApiAddress", IS_STRING, offsetof(Options__Runc, task_api_address) },
	/* CRI passes the whole section on, these with it. */
	{ "TypeUrl", IS_IGNORED, 0 },
	{ "ConfigPath", IS_IGNORED, 0 },
	{ "TaskApiVersion", IS_IGNORED, 0 },
};
/* clang-format on */

static int set_string(char **field, const char *value, struct err *err)
{
	char *copy = strdup(value);

	if (!copy)
		return err_set(err, ENOMEM, "read options");
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = copy;
	return 0;
}

static int set(Options__Runc *o, const struct key *key, const struct toml_value *value,
	       struct err *err)
{
	char *field = (char *)o + key->offset;

	switch (key->kind) {
	case IS_IGNORED:
		return 0;
	case IS_BOOL:
		if (value->type != TOML_BOOLEAN)
			return err_say(err, EINVAL, "%s is true or false", key->name);
		*(protobuf_c_boolean *)field = value->boolean;
		return 0;
	case IS_ID:
		if (value->type != TOML_NUMBER || value->number < 0 || value->number >= UINT32_MAX)
			return err_say(err, EINVAL, "%s is a number of a user or group", key->name);
		*(uint32_t *)field = (uint32_t)value->number;
		return 0;
	case IS_STRING:
		if (value->type != TOML_STRING)
			return err_say(err, EINVAL, "%s is a \"string\"", key->name);
		return set_string((char **)field, value->string, err);
	}
	return 0;
}

static int on_pair(void *data, const char *name, const struct toml_value *value, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcasecmp(keys[i].name, name))
			return set(data, &keys[i], value, err);
	return err_say(err, EINVAL,
		       "%s is no option of this shim; there are those of containerd's section for "
		       "runc, such as SystemdCgroup, Root, ShimCgroup",
		       name);
}

static int read_text(const char *text, size_t len, Options__Runc *o, struct err *err)
{
	return toml_each(text, len, on_pair, o, err);
}

static int read_file(const char *path, Options__Runc *o, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (path[0] != '/')
		return err_say(err, EINVAL, "options.config_path: %s is no absolute path", path);
	if (file_read(AT_FDCWD, path, FILE_BYTES_MAX, &text, &len, err) < 0)
		return err_add(err, "options.config_path");
	return read_text(text, len, o, err) < 0 ? err_add(err, "options.config_path: %s", path) : 0;
}

static int read_generic(const Options__Runtime *generic, Options__Runc *o, struct err *err)
{
	if (*generic->config_path)
		return read_file(generic->config_path, o, err);
	if (read_text((const char *)generic->config_body.data, generic->config_body.len, o, err) <
	    0)
		return err_add(err, "options.config_body");
	return 0;
}

static int translate(const Pb__Any *any, Options__Runc **ret, struct err *err)
{
	_cleanup_proto_ Options__Runtime *generic = NULL;
	_cleanup_proto_ Options__Runc *o = NULL;

	err_try(proto_unpack(&options__runtime__descriptor, any->value.data, any->value.len,
			     &generic, err));
	o = malloc(sizeof(*o));
	if (!o)
		return err_set(err, ENOMEM, "read options");
	*o = (Options__Runc)OPTIONS__RUNC__INIT;
	err_try(read_generic(generic, o, err));
	*ret = take_ptr(o);
	return 0;
}

int runtime_options_read(const Pb__Any *any, Options__Runc **ret, struct err *err)
{
	*ret = NULL;
	if (any && proto_any_is(any, "containerd.runc.v1.Options"))
		return proto_unpack(&options__runc__descriptor, any->value.data, any->value.len,
				    ret, err);
	if (any && proto_any_is(any, "runtimeoptions.v1.Options"))
		return translate(any, ret, err);
	return 0;
}
