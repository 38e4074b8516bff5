/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/explain.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static bool explain_limit(struct err *err)
{
	/* clang-format off */
	static const struct {
		const char *field, *option;
	} names[] = {
		{ "blockIO.weightDevice", "--blkio-weight-device" },
		{ "blockIO.weight", "--blkio-weight" },
		{ "blockIO.throttleReadBpsDevice", "--device-read-bps" },
		{ "blockIO.throttleWriteBpsDevice", "--device-write-bps" },
		{ "blockIO.throttleReadIOPSDevice", "--device-read-iops" },
		{ "blockIO.throttleWriteIOPSDevice", "--device-write-iops" },
		{ "blockIO", "--device-read-bps, --device-write-bps, --device-read-iops, --device-write-iops" },
		{ "memory.limit", "--memory" },
		{ "memory.swap", "--memory-swap" },
		{ "memory.reservation", "--memory-reservation" },
		{ "memory.swappiness", "--memory-swappiness" },
		{ "cpu.shares", "--cpu-shares" },
		{ "cpu.quota", "--cpus, --cpu-quota" },
		{ "cpu.period", "--cpus, --cpu-period" },
		{ "cpu.cpus", "--cpuset-cpus" },
		{ "cpu.mems", "--cpuset-mems" },
		{ "pids.limit", "--pids-limit" },
	};
	/* clang-format on */
	static const char prefix[] = "linux.resources.";
	const char *field = strstr(err->text, prefix);
	char rest[ERR_TEXT_MAX];
	size_t len;

	if (!field)
		return false;
	field += strlen(prefix);
	len = strcspn(field, ":");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].field) == len && strncmp(field, names[i].field, len) == 0) {
			snprintf(rest, sizeof(rest), "%s", field + len);
			err_say(err, err->code, "%s%s", names[i].option, rest);
			return true;
		}
	return false;
}

/* linux.sysctl["KEY"] */
static void explain_sysctl(struct err *err)
{
	static const char prefix[] = "linux.sysctl[\"";
	const char *at = strstr(err->text, prefix), *key = at ? at + strlen(prefix) : NULL;
	const char *end = key ? strstr(key, "\"]") : NULL;
	char before[ERR_TEXT_MAX], rest[ERR_TEXT_MAX];

	if (!end)
		return;
	snprintf(before, sizeof(before), "%.*s", (int)(at - err->text), err->text);
	snprintf(rest, sizeof(rest), "%s", key);
	rest[end - key] = '\0';
	err_say(err, err->code, "%s--sysctl %s%s", before, rest, rest + (end - key) + 2);
}

void explain_options(struct err *err)
{
	if (err && !explain_limit(err))
		explain_sysctl(err);
}
