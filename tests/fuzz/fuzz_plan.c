/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json to plan and back as text, and plan_check() against damaged plans: the first 8 bytes
 * of the input say where a finished plan is changed and to what; whatever plan_check() then lets
 * through must be safe to walk, which plan_print() does. LINK: isolation
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/init/plan_format.h"
#include "isolation/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void damage(const struct plan *plan, const uint8_t change[8])
{
	uint32_t at, value;
	struct plan *copy = malloc(plan->size);
	char *text;

	if (!copy)
		return;
	memcpy(copy, plan, plan->size);
	memcpy(&at, change, sizeof(at));
	memcpy(&value, change + 4, sizeof(value));
	at = at % (plan->size / 4) * 4;
	memcpy((char *)copy + at, &value, sizeof(value));
	if (plan_check(copy, plan->size, NULL) == 0) {
		text = plan_print(copy);
		free(text);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct plan_cgroup cgroups[] = {
		{ "memory", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/c", false },
		{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/c",
		  false },
		{ "", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/c", true },
	};
	struct plan_options options = { .rootfs = "/r", .bundle = "/b", .id = "id" };
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_plan_ struct plan *plan = NULL, *exec = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };

	if (size < 9)
		return 0;
	options.cgroups = cgroups;
	options.cgroups_count = data[0] % 4;
	options.no_pivot = data[1] & 1;
	options.rootless = data[1] & 2;
	if (oci_config_parse((const char *)data + 8, size - 8, &config, &err) < 0)
		return 0;
	if (plan_build(config, &options, &plan, &err) < 0) {
		assert(err.code > 0 && err.text[0]);
		return 0;
	}
	assert(plan_check(plan, plan->size, NULL) == 0);
	text = plan_print(plan);
	assert(text);
	damage(plan, data);
	if (plan_build_exec(config, &config->process, &options, &exec, &err) == 0)
		damage(exec, data);
	return 0;
}
