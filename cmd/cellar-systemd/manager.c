/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar-systemd/manager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SYSTEM_SOCKET "/run/systemd/private"

static uint64_t left_us(const struct manager *m)
{
	int64_t left = (m->deadline_ns - clock_monotonic_ns()) / 1000;

	return left > 0 ? (uint64_t)left : 0;
}

/* systemd's own socket: for a root without a bus, or a user whose manager has none. */
static int open_direct(const char *path, struct manager *m)
{
	char address[512];
	int r = sd_bus_new(&m->bus);

	if (r < 0)
		return r;
	if (snprintf(address, sizeof(address), "unix:path=%s", path) >= (int)sizeof(address))
		return -ENAMETOOLONG;
	r = sd_bus_set_address(m->bus, address);
	if (r >= 0)
		r = sd_bus_start(m->bus);
	if (r < 0)
		m->bus = sd_bus_unref(m->bus);
	m->direct = true;
	return r;
}

static int open_user(struct manager *m)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[400];
	int r = sd_bus_open_user(&m->bus);

	if (r >= 0 || !runtime)
		return r;
	if (snprintf(path, sizeof(path), "%s/systemd/private", runtime) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return open_direct(path, m);
}

static int open_system(struct manager *m)
{
	int r = sd_bus_open_system(&m->bus);

	return r >= 0 ? r : open_direct(SYSTEM_SOCKET, m);
}

int manager_open(bool user, struct manager *ret, struct err *err)
{
	struct manager m = {
		.deadline_ns = clock_monotonic_ns() + MANAGER_TIMEOUT_S * 1000000000LL,
	};
	int r = user ? open_user(&m) : open_system(&m);

	if (r < 0 && user)
		return err_say(err, ENOTCONN,
			       "no systemd of the user's answers (%s): is its bus at "
			       "$XDG_RUNTIME_DIR/bus or in DBUS_SESSION_BUS_ADDRESS? Without one, "
			       "use the cgroupfs driver",
			       strerror(-r));
	if (r < 0)
		return err_say(err, ENOTCONN,
			       "systemd not running on this host, cannot use the systemd cgroup "
			       "driver (%s: %s); use the cgroupfs driver",
			       SYSTEM_SOCKET, strerror(-r));
	sd_bus_set_method_call_timeout(m.bus, MANAGER_TIMEOUT_S * UINT64_C(1000000));
	*ret = m;
	return 0;
}

void manager_deinit(struct manager *m)
{
	sd_bus_flush_close_unref(m->bus);
	m->bus = NULL;
}

unsigned manager_version(struct manager *m)
{
	char *text = NULL;

	if (m->version == 0 &&
	    sd_bus_get_property_string(m->bus, MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE,
				       "Version", NULL, &text) >= 0)
		m->version = (unsigned)strtoul(text + strcspn(text, "0123456789"), NULL, 10);
	free(text);
	return m->version;
}

int manager_message(struct manager *m, const char *method, sd_bus_message **ret, struct err *err)
{
	int r = sd_bus_message_new_method_call(m->bus, ret, MANAGER_SERVICE, MANAGER_PATH,
					       MANAGER_INTERFACE, method);

	return r < 0 ? err_set(err, -r, "write a message to systemd") : 0;
}

int manager_call(struct manager *m, sd_bus_message *message, sd_bus_error *error,
		 sd_bus_message **ret)
{
	uint64_t left = left_us(m);

	/* 0 would be the library's own patience. */
	return left ? sd_bus_call(m->bus, message, left, error, ret) : -ETIMEDOUT;
}

int manager_failed(const char *what, const char *unit, int r, const sd_bus_error *error,
		   struct err *err)
{
	if (r == -ETIMEDOUT || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY))
		return err_say(err, ETIMEDOUT, "%s %s: systemd gave no answer within %d seconds",
			       what, unit, MANAGER_TIMEOUT_S);
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		return err_say(err, ENOTCONN,
			       "%s %s: there is a bus, but no systemd on it; use the cgroupfs "
			       "driver",
			       what, unit);
	if (error && error->message)
		return err_say(err, -r, "%s %s: systemd: %s", what, unit, error->message);
	return err_set(err, -r, "%s %s: talk to systemd", what, unit);
}

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct manager *m = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (strcmp(path, m->job) == 0)
		snprintf(m->result, sizeof(m->result), "%s", result);
	return 0;
}

int manager_wait_job(struct manager *m, const char *unit, sd_bus_message *answer, struct err *err)
{
	const char *path;
	int r = sd_bus_message_read(answer, "o", &path);

	if (r < 0)
		return err_set(err, -r, "read systemd's answer");
	snprintf(m->job, sizeof(m->job), "%s", path);
	while (!m->result[0]) {
		r = sd_bus_process(m->bus, NULL);
		if (r == 0 && left_us(m) == 0)
			r = -ETIMEDOUT;
		if (r == 0)
			r = sd_bus_wait(m->bus, left_us(m));
		if (r < 0 && r != -EINTR)
			return manager_failed("wait for", unit, r, NULL, err);
	}
	if (strcmp(m->result, "done") != 0)
		return err_say(err, EIO, "systemd could not do it: its job for %s ended as '%s'",
			       unit, m->result);
	return 0;
}

int manager_watch_jobs(struct manager *m, struct err *err)
{
	sd_bus_message *message = NULL, *answer = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = sd_bus_match_signal(m->bus, NULL, m->direct ? NULL : MANAGER_SERVICE, MANAGER_PATH,
				MANAGER_INTERFACE, "JobRemoved", on_job_removed, m);
	if (r < 0)
		return err_set(err, -r, "listen to systemd");
	r = manager_message(m, "Subscribe", &message, err);
	if (r == 0) {
		r = manager_call(m, message, &error, &answer);
		if (r < 0)
			manager_failed("subscribe to", "jobs", r, &error, err);
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(answer);
	sd_bus_message_unref(message);
	return r < 0 ? r : 0;
}
