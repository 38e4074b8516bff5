/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "runtime/shim/bootstrap.h"
#include "runtime/shim/bootstrap.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/runtime_options.h"

static const struct option {
	const char *name;
	bool flag; /* takes no value */
	size_t offset;
} options[] = {
	{ "address", false, offsetof(struct bootstrap_args, address) },
	{ "adopt", true, offsetof(struct bootstrap_args, adopt) },
	{ "bundle", false, offsetof(struct bootstrap_args, bundle) },
	{ "debug", true, offsetof(struct bootstrap_args, debug) },
	{ "id", false, offsetof(struct bootstrap_args, id) },
	{ "info", true, offsetof(struct bootstrap_args, info) },
	{ "namespace", false, offsetof(struct bootstrap_args, namespace_) },
	{ "publish-binary", false, SIZE_MAX }, /* events go to TTRPC_ADDRESS */
	{ "upgrade", false, offsetof(struct bootstrap_args, upgrade) },
	{ "v", true, offsetof(struct bootstrap_args, version) },
	{ "version", true, offsetof(struct bootstrap_args, version) },
};

static const struct option *find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i].name) == len && !strncmp(options[i].name, name, len))
			return &options[i];
	return NULL;
}

static void set(struct bootstrap_args *args, const struct option *option, const char *value)
{
	char *field = (char *)args + option->offset;

	if (option->offset == SIZE_MAX)
		return;
	if (option->flag)
		*(bool *)field = !value || strcmp(value, "false") != 0;
	else
		*(const char **)field = value;
}

int bootstrap_parse(int argc, char *const *argv, struct bootstrap_args *ret, struct err *err)
{
	struct bootstrap_args args = { 0 };

	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *value;
		const struct option *option;

		if (name[0] != '-') {
			if (args.action)
				return err_say(err, EINVAL, "two actions: %s and %s", args.action,
					       name);
			args.action = name;
			continue;
		}
		name += name[1] == '-' ? 2 : 1;
		value = strchr(name, '=');
		option = find(name, value ? (size_t)(value - name) : strlen(name));
		if (!option)
			return err_say(err, EINVAL, "unknown option %s", argv[i]);
		if (value)
			value++;
		else if (!option->flag && ++i < argc)
			value = argv[i];
		else if (!option->flag)
			return err_say(err, EINVAL, "option -%s needs a value", option->name);
		set(&args, option, value);
	}
	*ret = args;
	return 0;
}

static int read_options(const Pb__Any *any, struct arena *arena, struct bootstrap_params *ret,
			struct err *err)
{
	_cleanup_proto_ Options__Runc *o = NULL;

	err_try(runtime_options_read(any, &o, err));
	if (!o)
		return 0;
	ret->shim_cgroup = arena_strdup(arena, o->shim_cgroup);
	return ret->shim_cgroup ? 0 : err_set(err, ENOMEM, "read the parameters of the shim");
}

/*
 * An Any of runtime options parses as Params too, and the other way round; what tells them apart is
 * that Params repeat the id and the namespace of the command line.
 */
int bootstrap_parse_stdin(const void *data, size_t len, const struct bootstrap_args *args,
			  struct arena *arena, struct bootstrap_params *ret, struct err *err)
{
	_cleanup_proto_ Bootstrap__Params *p = NULL;
	struct bootstrap_params params = { .socket_dir = "",
					   .ttrpc_address = "",
					   .shim_cgroup = "" };
	_cleanup_proto_ Pb__Any *any = NULL;

	if (len && proto_unpack(&bootstrap__params__descriptor, data, len, &p, NULL) == 0 &&
	    !strcmp(p->instance_id, args->id) && !strcmp(p->namespace_, args->namespace_)) {
		params.is_params = true;
		params.debug = p->log_level < 0;
		params.socket_dir = arena_strdup(arena, p->socket_dir);
		params.ttrpc_address = arena_strdup(arena, p->ttrpc_address);
		if (!params.socket_dir || !params.ttrpc_address)
			return err_set(err, ENOMEM, "read the parameters of the shim");
		for (size_t i = 0; i < p->n_extensions; i++)
			err_try(read_options(p->extensions[i]->value, arena, &params, err));
	} else if (len && proto_unpack(&pb__any__descriptor, data, len, &any, NULL) == 0) {
		err_try(read_options(any, arena, &params, err));
	}
	*ret = params;
	return 0;
}

char *bootstrap_socket_path(const char *dir, const char *address, const char *namespace_,
			    const char *group, char buf[static BOOTSTRAP_SOCKET_SIZE])
{
	struct digest_state *state = digest_new();
	const char *parts[] = { address, "/", namespace_, "/", group };
	char hex[DIGEST_HEX_SIZE] = "";

	if (state) {
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			digest_update(state, parts[i], strlen(parts[i]));
		digest_final(state, hex);
		digest_free(state);
	}
	snprintf(buf, BOOTSTRAP_SOCKET_SIZE, "%s/%s", dir, hex);
	return buf;
}
