/* SPDX-License-Identifier: Apache-2.0 */
/* What --device, --device-cgroup-rule, --sysctl and --security-opt take. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_security.h"

/* "/dev/sda", "/dev/sda:/dev/xvda", "/dev/sda:rw", "/dev/sda:/dev/xvda:r". */
int security_parse_device(const char *text, struct arena *arena, struct engine_device *ret,
			  struct err *err);

/* "c 1:3 rwm", "b 8:* r", "a *:* rwm". ret may be NULL. */
int security_parse_rule(const char *text, struct oci_device_rule *ret, struct err *err);

/* "seccomp=FILE", "no-new-privileges", "label=disable" ...: sets what the word is about. */
int security_parse_option(const char *text, struct arena *arena, struct engine_security *ret,
			  struct err *err);

/* "rwm" as it is given. buf is filled. */
#define SECURITY_ACCESS_SIZE 4
const char *security_access(const struct engine_device *device,
			    char buf[static SECURITY_ACCESS_SIZE]);
