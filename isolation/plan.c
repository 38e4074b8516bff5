/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/mount_options.h"
#include "isolation/plan_builder.h"

/* env: of the hooks that have none of their own. */
static struct plan_list put_hooks(struct plan_builder *b, const struct oci_hook_list *hooks,
				  struct plan_list env)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };

	for (size_t i = 0; i < hooks->count; i++) {
		const struct oci_hook *hook = &hooks->hooks[i];
		const char *const only_path[] = { hook->path, NULL };
		struct plan_hook record = { .path = plan_put_string(b, hook->path),
					    .timeout_s = (uint32_t)hook->timeout_s };

		record.args = plan_put_strings(b, hook->args ? hook->args : only_path);
		record.env = hook->env ? plan_put_strings(b, hook->env) : env;
		strbuf_add(&records, &record, sizeof(record));
	}
	return plan_put_list(b, &records, sizeof(struct plan_hook));
}

static int put_root(struct plan_builder *b, struct err *err)
{
	const struct oci_config *c = b->config;
	bool recursive = false;

	if (!b->options->rootfs || b->options->rootfs[0] != '/')
		return err_say(err, EINVAL, "root.path: no absolute path was made of it");
	b->head.rootfs = plan_put_string(b, b->options->rootfs);
	if (c->root.readonly)
		b->head.flags |= PLAN_ROOT_READONLY;
	if (b->options->no_pivot)
		b->head.flags |= PLAN_NO_PIVOT;
	if (c->rootfs_propagation && *c->rootfs_propagation) {
		b->head.root_propagation =
			mount_propagation_parse(c->rootfs_propagation, &recursive);
		b->head.root_propagation_recursive = recursive;
		if (!b->head.root_propagation)
			return err_say(err, EINVAL,
				       "linux.rootfsPropagation: \"%s\" is none of private, "
				       "shared, slave, unbindable",
				       c->rootfs_propagation);
	}
	return 0;
}

static int put_container(struct plan_builder *b, struct err *err)
{
	const struct oci_config *c = b->config;

	err_try(plan_put_namespaces(b, err));
	err_try(put_root(b, err));
	err_try(plan_put_mounts(b, err));
	err_try(plan_put_devices(b, err));
	err_try(plan_put_sysctls(b, err));
	b->head.hostname = plan_put_string(b, c->hostname);
	b->head.domainname = plan_put_string(b, c->domainname);
	err_try(plan_put_process(b, &c->process, err));
	b->head.create_hooks = put_hooks(b, &c->hooks.create_container, (struct plan_list){ 0 });
	b->head.start_hooks = put_hooks(b, &c->hooks.start_container, b->head.env);
	return 0;
}

int plan_build(const struct oci_config *config, const struct plan_options *options,
	       struct plan **ret, struct err *err)
{
	struct plan_builder b;
	int r;

	plan_begin(&b, config, options);
	r = put_container(&b, err);
	if (r == 0)
		r = plan_finish(&b, ret, err);
	strbuf_deinit(&b.block);
	return r;
}

int plan_build_exec(const struct oci_config *config, const struct oci_process *process,
		    const struct plan_options *options, struct plan **ret, struct err *err)
{
	struct plan_builder b;
	int r;

	plan_begin(&b, config, options);
	b.head.flags |= PLAN_EXEC | PLAN_STAGE;
	for (enum oci_namespace_type type = 0; type < OCI_NS_COUNT; type++)
		if (config->namespaces[type].present)
			b.head.join_flags |= oci_namespace_flag(type);
	r = plan_put_process(&b, process, err);
	if (r == 0)
		r = plan_finish(&b, ret, err);
	strbuf_deinit(&b.block);
	return r;
}

struct plan *plan_free(struct plan *plan)
{
	free(plan);
	return NULL;
}
