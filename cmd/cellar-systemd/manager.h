/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation with one systemd, the system's or a user's, that ends at a deadline. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/err.h"
#include "cgroups/systemd_request.h"

#define MANAGER_TIMEOUT_S 25

#define MANAGER_SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE MANAGER_SERVICE ".Manager"

struct manager {
	sd_bus *bus; /* owned */
	bool direct; /* systemd itself, without a bus between */
	int64_t deadline_ns;
	unsigned version; /* 0: not asked for yet */
	/* Of the job that is waited for. */
	char job[256], result[32];
};

/*
 * The bus of the system, or of the user (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR); else systemd's
 * own socket. -ENOTCONN when there is neither.
 */
int manager_open(bool user, struct manager *ret, struct err *err);
void manager_deinit(struct manager *m);

/* "252.39-1~deb12u2" is 252. 0 when it does not tell. */
unsigned manager_version(struct manager *m);

/* A method of the manager; what went wrong goes into error. New message to be filled and sent. */
int manager_message(struct manager *m, const char *method, sd_bus_message **ret, struct err *err);
int manager_call(struct manager *m, sd_bus_message *message, sd_bus_error *error,
		 sd_bus_message **ret);

/* Turns a failed call into our sentence. Returns -code. */
int manager_failed(const char *what, const char *unit, int r, const sd_bus_error *error,
		   struct err *err);

/* Before the first job is asked for. */
int manager_watch_jobs(struct manager *m, struct err *err);

/* Waits for the end of the job whose path is in an answer. -EIO when it came to nothing. */
int manager_wait_job(struct manager *m, const char *unit, sd_bus_message *answer, struct err *err);

/* cmd/cellar-systemd/unit.c: the verbs. ret_cgroup: for free(); NULL. */
int unit_start(struct manager *m, const struct systemd_request *request, char **ret_cgroup,
	       struct err *err);
int unit_set(struct manager *m, const struct systemd_request *request, struct err *err);
int unit_stop(struct manager *m, const struct systemd_request *request, struct err *err);

/* cmd/cellar-systemd/append.c: a(sv), without what this systemd is too old for. */
int append_properties(struct manager *m, sd_bus_message *message,
		      const struct systemd_request *request, struct err *err);
