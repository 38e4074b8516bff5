/* SPDX-License-Identifier: Apache-2.0 */
/* Other limits for a container that is there already. */
#include <errno.h>

#include "runtime/container_struct.h"
#include "runtime/rdt.h"

int container_update(struct container *c, const struct oci_resources *resources, struct err *err)
{
	struct oci_resources wanted = *resources;
	enum oci_status status = container_status(c);
	struct cgroup *cgroup;

	if (status == OCI_STOPPED || status == OCI_CREATING)
		return err_say(err, ESRCH, "container not running: %s is %s", c->id,
			       oci_status_name(status));
	/* Callers send a whole linux.resources, whose rules need not be those the container has. */
	wanted.devices = NULL;
	wanted.devices_count = 0;
	err_try(container_load_cgroup(c, &cgroup, err));
	return cgroup_apply(cgroup, &wanted, err);
}

int container_update_rdt(struct container *c, const char *l3_cache_schema,
			 const char *mem_bw_schema, struct err *err)
{
	const struct oci_config *config;
	enum oci_status status = container_status(c);

	if (status == OCI_STOPPED || status == OCI_CREATING)
		return err_say(err, ESRCH, "container not running: %s is %s", c->id,
			       oci_status_name(status));
	err_try(container_load_config(c, &config, err));
	return rdt_update(config, c->id, l3_cache_schema, mem_bw_schema, err);
}
