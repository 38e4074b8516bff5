/* SPDX-License-Identifier: Apache-2.0 */
/* The unit of a new container, as properties. */
#include <stdio.h>

#include "cgroups/systemd_property.h"
#include "cgroups/systemd_unit.h"

static int add_flag(struct systemd_properties *list, const char *name, struct err *err)
{
	return systemd_property_add(list, name, "b", "true", err);
}

/* With accounting on, systemd hands the controllers down to where our folder is. */
static int add_accounting(bool v2, struct systemd_properties *list, struct err *err)
{
	err_try(add_flag(list, "MemoryAccounting", err));
	err_try(add_flag(list, "CPUAccounting", err));
	err_try(add_flag(list, v2 ? "IOAccounting" : "BlockIOAccounting", err));
	return add_flag(list, "TasksAccounting", err);
}

int systemd_properties_of_unit(const struct systemd_unit *unit, const char *id, bool v2,
			       struct systemd_properties *list, struct err *err)
{
	char text[512];

	snprintf(text, sizeof(text), "cellar container %s", id);
	err_try(systemd_property_add(list, "Description", "s", text, err));
	if (systemd_unit_is_slice(unit->name)) {
		err_try(systemd_property_add(list, "Wants", "as", unit->slice, err));
	} else {
		err_try(systemd_property_add(list, "Slice", "s", unit->slice, err));
		err_try(add_flag(list, "Delegate", err));
		err_try(systemd_property_add(list, "CollectMode", "s", "inactive-or-failed", err));
		list->list[list->count - 1].since = 236;
	}
	err_try(systemd_property_add(list, "DefaultDependencies", "b", "false", err));
	return add_accounting(v2, list, err);
}
