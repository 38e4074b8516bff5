/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/rdt.h"

#include <errno.h>

#include "base/log.h"
#include "cgroups/resctrl.h"

bool rdt_is_wanted(const struct oci_config *config)
{
	const struct oci_intel_rdt *rdt = &config->intel_rdt;

	return rdt->set &&
	       (rdt->clos_id || (rdt->schemata && rdt->schemata[0]) ||
		(rdt->l3_cache_schema && rdt->l3_cache_schema[0]) ||
		(rdt->mem_bw_schema && rdt->mem_bw_schema[0]) || rdt->enable_monitoring.value);
}

static int prepare(const struct oci_intel_rdt *rdt, const char *id,
		   char mountpoint[static PATH_MAX], struct resctrl_plan *ret, struct err *err)
{
	err_try(resctrl_mountpoint("/proc/self/mountinfo", mountpoint, err));
	return resctrl_plan_build(rdt, id, ret, err);
}

int rdt_create(const struct oci_config *config, const char *id, pid_t pid, struct err *err)
{
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };
	char mountpoint[PATH_MAX];
	int r;

	if (!rdt_is_wanted(config))
		return 0;
	err_try(prepare(&config->intel_rdt, id, mountpoint, &plan, err));
	err_try(resctrl_apply(mountpoint, &plan, err));
	r = resctrl_join(mountpoint, &plan, pid, err);
	if (r < 0)
		resctrl_remove(mountpoint, &plan, NULL);
	return r;
}

int rdt_join(const struct oci_config *config, const char *id, pid_t pid, struct err *err)
{
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };
	char mountpoint[PATH_MAX];

	if (!rdt_is_wanted(config))
		return 0;
	err_try(prepare(&config->intel_rdt, id, mountpoint, &plan, err));
	return resctrl_join(mountpoint, &plan, pid, err);
}

int rdt_update(const struct oci_config *config, const char *id, const char *l3_cache_schema,
	       const char *mem_bw_schema, struct err *err)
{
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };
	struct oci_intel_rdt rdt = { .set = true,
				     .clos_id = config->intel_rdt.clos_id,
				     .l3_cache_schema = l3_cache_schema,
				     .mem_bw_schema = mem_bw_schema };
	char mountpoint[PATH_MAX];

	err_try(resctrl_mountpoint("/proc/self/mountinfo", mountpoint, err));
	if (!rdt_is_wanted(config))
		return err_say(
			err, EINVAL,
			"container %s was created without linux.intelRdt, so it has no class "
			"of its own whose schemata could change",
			id);
	err_try(resctrl_plan_build(&rdt, id, &plan, err));
	return resctrl_update(mountpoint, &plan, err);
}

void rdt_remove(const struct oci_config *config, const char *id)
{
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };
	char mountpoint[PATH_MAX];
	struct err err = { 0 };

	if (!rdt_is_wanted(config) || prepare(&config->intel_rdt, id, mountpoint, &plan, NULL) < 0)
		return;
	if (resctrl_remove(mountpoint, &plan, &err) < 0)
		log_warn("%s", err.text);
}
