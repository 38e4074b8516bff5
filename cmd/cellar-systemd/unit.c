/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a unit: started, set, stopped. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cgroups/systemd_unit.h"
#include "cmd/cellar-systemd/manager.h"

#define ERROR_EXISTS MANAGER_SERVICE ".UnitExists"
#define ERROR_NONE MANAGER_SERVICE ".NoSuchUnit"

CLEANUP_DEFINE(sd_bus_message, message, sd_bus_message_unref);
#define _cleanup_message_ _cleanup_(cleanup_message)
#define _cleanup_error_ _cleanup_(sd_bus_error_free)

/* Also serves as a barrier: systemd puts new limits in force before it reads the next message. */
static int get_cgroup(struct manager *m, const char *unit, char **ret, struct err *err)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL;
	int r = sd_bus_path_encode(MANAGER_PATH "/unit", unit, &path);

	if (r >= 0)
		r = sd_bus_get_property_string(m->bus, MANAGER_SERVICE, path,
					       systemd_unit_is_slice(unit)
						       ? MANAGER_SERVICE ".Slice"
						       : MANAGER_SERVICE ".Scope",
					       "ControlGroup", &error, ret);
	return r < 0 ? manager_failed("find the cgroup of", unit, r, &error, err) : 0;
}

/* A failure of the last one of this name keeps it loaded. */
static int forget_failure(struct manager *m, const char *unit)
{
	_cleanup_message_ sd_bus_message *message = NULL, *answer = NULL;
	int r = manager_message(m, "ResetFailedUnit", &message, NULL);

	if (r >= 0)
		r = sd_bus_message_append(message, "s", unit);
	return r < 0 ? r : manager_call(m, message, NULL, &answer);
}

static int try_start(struct manager *m, const struct systemd_request *request, sd_bus_error *error,
		     sd_bus_message **ret, struct err *err)
{
	_cleanup_message_ sd_bus_message *message = NULL;
	int r;

	err_try(manager_message(m, "StartTransientUnit", &message, err));
	r = sd_bus_message_append(message, "ss", request->unit, "replace");
	if (r < 0)
		return err_set(err, -r, "write a message to systemd");
	err_try(append_properties(m, message, request, err));
	r = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (r < 0)
		return err_set(err, -r, "write a message to systemd");
	r = manager_call(m, message, error, ret);
	return r < 0 ? manager_failed("start", request->unit, r, error, err) : 0;
}

int unit_start(struct manager *m, const struct systemd_request *request, char **ret_cgroup,
	       struct err *err)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *answer = NULL;
	int r;

	err_try(manager_watch_jobs(m, err));
	r = try_start(m, request, &error, &answer, err);
	if (r < 0 && sd_bus_error_has_name(&error, ERROR_EXISTS) &&
	    forget_failure(m, request->unit) >= 0) {
		sd_bus_error_free(&error);
		err_clear(err);
		r = try_start(m, request, &error, &answer, err);
	}
	if (r < 0 && sd_bus_error_has_name(&error, ERROR_EXISTS))
		return err_say(err, EBUSY, "start %s: systemd has a unit of this name already",
			       request->unit);
	if (r < 0)
		return r;
	err_try(manager_wait_job(m, request->unit, answer, err));
	return get_cgroup(m, request->unit, ret_cgroup, err);
}

int unit_set(struct manager *m, const struct systemd_request *request, struct err *err)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *message = NULL, *answer = NULL;
	_cleanup_free_ char *cgroup = NULL;
	int r;

	err_try(manager_message(m, "SetUnitProperties", &message, err));
	r = sd_bus_message_append(message, "sb", request->unit, 1);
	if (r < 0)
		return err_set(err, -r, "write a message to systemd");
	err_try(append_properties(m, message, request, err));
	r = manager_call(m, message, &error, &answer);
	if (r < 0)
		return manager_failed("set limits of", request->unit, r, &error, err);
	return get_cgroup(m, request->unit, &cgroup, err);
}

int unit_stop(struct manager *m, const struct systemd_request *request, struct err *err)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *message = NULL, *answer = NULL;
	int r;

	err_try(manager_watch_jobs(m, err));
	err_try(manager_message(m, "StopUnit", &message, err));
	r = sd_bus_message_append(message, "ss", request->unit, "replace");
	if (r < 0)
		return err_set(err, -r, "write a message to systemd");
	r = manager_call(m, message, &error, &answer);
	if (r < 0 && sd_bus_error_has_name(&error, ERROR_NONE))
		return 0;
	if (r < 0)
		return manager_failed("stop", request->unit, r, &error, err);
	err_try(manager_wait_job(m, request->unit, answer, err));
	/* Mostly it is gone by now, and there is nothing to forget. */
	forget_failure(m, request->unit);
	return 0;
}
