/* SPDX-License-Identifier: Apache-2.0 */
/* update: linux.resources as a document, or single limits as options. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"
#include "base/log.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

#define RESOURCES_BYTES_MAX (4u << 20)

struct args {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period,
		*cpu_rt_runtime, *cpu_idle, *cpus, *mems;
	const char *memory, *reservation, *swap, *kernel_memory, *kernel_memory_tcp, *pids_limit;
	const char *l3_cache_schema, *mem_bw_schema;
};

static const struct option_entry options[] = {
	OPTION_STRING(struct args, resources, 'r', "resources", "FILE",
		      "linux.resources as JSON, - for stdin; other options are ignored"),
	OPTION_STRING(struct args, blkio_weight, 0, "blkio-weight", "10-1000", "share of I/O"),
	OPTION_STRING(struct args, cpu_period, 0, "cpu-period", "USEC", "period of the CPU quota"),
	OPTION_STRING(struct args, cpu_quota, 0, "cpu-quota", "USEC",
		      "CPU time in a period, -1: any"),
	OPTION_STRING(struct args, cpu_burst, 0, "cpu-burst", "USEC",
		      "CPU time that may be saved up above the quota"),
	OPTION_STRING(struct args, cpu_share, 0, "cpu-share", "N", "share of CPU time"),
	OPTION_STRING(struct args, cpu_rt_period, 0, "cpu-rt-period", "USEC",
		      "period of the realtime quota"),
	OPTION_STRING(struct args, cpu_rt_runtime, 0, "cpu-rt-runtime", "USEC",
		      "realtime CPU time in a period"),
	OPTION_STRING(struct args, cpus, 0, "cpuset-cpus", "LIST", "CPUs to use: 0-2,7"),
	OPTION_STRING(struct args, mems, 0, "cpuset-mems", "LIST", "memory nodes to use"),
	OPTION_STRING(struct args, cpu_idle, 0, "cpu-idle", "0|1",
		      "1: run only when nothing else wants to"),
	OPTION_STRING(struct args, memory, 0, "memory", "BYTES",
		      "limit of memory, with k, m, g; -1: none"),
	OPTION_STRING(struct args, reservation, 0, "memory-reservation", "BYTES",
		      "memory that is protected when it runs short"),
	OPTION_STRING(struct args, swap, 0, "memory-swap", "BYTES",
		      "limit of memory and swap together, -1: none"),
	OPTION_STRING(struct args, kernel_memory, 0, "kernel-memory", "BYTES",
		      "ignored: kernels have no such limit any more"),
	OPTION_STRING(struct args, kernel_memory_tcp, 0, "kernel-memory-tcp", "BYTES",
		      "ignored, as the one above"),
	OPTION_STRING(struct args, pids_limit, 0, "pids-limit", "N",
		      "most processes, -1: any number"),
	OPTION_STRING(struct args, l3_cache_schema, 0, "l3-cache-schema", "L3:ID=MASK;...",
		      "part of the L3 cache to use (linux.intelRdt)"),
	OPTION_STRING(struct args, mem_bw_schema, 0, "mem-bw-schema", "MB:ID=N;...",
		      "memory bandwidth to use (linux.intelRdt)"),
	OPTION_END,
};

static int parse_i64(const char *option, const char *text, struct oci_i64 *ret, struct err *err)
{
	char *end;
	long long n;

	if (!text)
		return 0;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		return err_say(err, EINVAL, "--%s: '%s' is not a whole number", option, text);
	ret->set = true;
	ret->value = n;
	return 0;
}

static int parse_u64(const char *option, const char *text, struct oci_u64 *ret, struct err *err)
{
	struct oci_i64 n = { 0 };

	err_try(parse_i64(option, text, &n, err));
	if (n.set && n.value < 0)
		return err_say(err, EINVAL, "--%s: '%s' is negative", option, text);
	if (n.set)
		*ret = (struct oci_u64){ .set = true, .value = (uint64_t)n.value };
	return 0;
}

/* "64m", "1.5g", "512kib", "-1". */
static int parse_bytes(const char *option, const char *text, struct oci_i64 *ret, struct err *err)
{
	static const char units[] = "kmgtp";
	double n, factor = 1;
	const char *unit;
	char *end;

	if (!text)
		return 0;
	*ret = (struct oci_i64){ .set = true, .value = -1 };
	if (strcmp(text, "-1") == 0)
		return 0;
	n = strtod(text, &end);
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (end == text || text[0] < '0' || text[0] > '9' || strspn(text, "0123456789.") == 0)
		goto bad;
	for (const char *u = units; unit && u <= unit; u++)
		factor *= 1024;
	end += unit ? 1 : 0;
	if (*end && strcasecmp(end, "b") != 0 && (!unit || strcasecmp(end, "ib") != 0))
		goto bad;
	if (n * factor >= 9.2e18)
		goto bad;
	ret->value = (int64_t)(n * factor);
	return 0;
bad:
	return err_say(err, EINVAL, "--%s: '%s' is no size such as 64m or 2g", option, text);
}

static int parse_weight(const char *text, struct oci_u32 *ret, struct err *err)
{
	struct oci_i64 n = { 0 };

	err_try(parse_i64("blkio-weight", text, &n, err));
	if (n.set && (n.value < 0 || n.value > 1000))
		return err_say(err, EINVAL, "--blkio-weight: '%s' is not from 10 to 1000", text);
	if (n.set)
		*ret = (struct oci_u32){ .set = true, .value = (uint32_t)n.value };
	return 0;
}

static int parse_options(const struct args *a, struct oci_resources *r, struct err *err)
{
	err_try(parse_weight(a->blkio_weight, &r->blkio_weight, err));
	err_try(parse_u64("cpu-period", a->cpu_period, &r->cpu.period_us, err));
	err_try(parse_i64("cpu-quota", a->cpu_quota, &r->cpu.quota_us, err));
	err_try(parse_u64("cpu-burst", a->cpu_burst, &r->cpu.burst_us, err));
	err_try(parse_u64("cpu-share", a->cpu_share, &r->cpu.shares, err));
	err_try(parse_u64("cpu-rt-period", a->cpu_rt_period, &r->cpu.realtime_period_us, err));
	err_try(parse_i64("cpu-rt-runtime", a->cpu_rt_runtime, &r->cpu.realtime_runtime_us, err));
	err_try(parse_i64("cpu-idle", a->cpu_idle, &r->cpu.idle, err));
	r->cpu.cpus = a->cpus;
	r->cpu.mems = a->mems;
	err_try(parse_bytes("memory", a->memory, &r->memory.limit, err));
	err_try(parse_bytes("memory-reservation", a->reservation, &r->memory.reservation, err));
	err_try(parse_bytes("memory-swap", a->swap, &r->memory.swap, err));
	if (a->kernel_memory || a->kernel_memory_tcp)
		log_warn("Kernel memory settings are ignored and will be removed");
	return parse_i64("pids-limit", a->pids_limit, &r->pids_limit, err);
}

static int read_resources(const char *path, struct arena *arena, struct oci_resources *ret,
			  struct err *err)
{
	_cleanup_free_ char *text = NULL;
	bool from_stdin = strcmp(path, "-") == 0;
	size_t len;

	if (from_stdin)
		err_try(fd_read_all(STDIN_FILENO, RESOURCES_BYTES_MAX, &text, &len, err));
	else
		err_try(file_read(AT_FDCWD, path, RESOURCES_BYTES_MAX, &text, &len, err));
	if (oci_resources_parse(text, len, arena, ret, err) < 0)
		return err_add(err, "%s", from_stdin ? "stdin" : path);
	return 0;
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_resources resources = { 0 };
	struct args a = { 0 };
	char **args;
	size_t count;
	int r = verb_parse(&verb_update, argc, argv, &a, &args, &count, err);

	if (r != 0)
		return r;
	if (!arena)
		return err_set(err, ENOMEM, "update");
	err_try(container_open(globals->root, args[0], &c, err));
	if (a.resources)
		err_try(read_resources(a.resources, arena, &resources, err));
	else
		err_try(parse_options(&a, &resources, err));
	err_try(container_update(c, &resources, err));
	if (a.l3_cache_schema || a.mem_bw_schema)
		return container_update_rdt(c, a.l3_cache_schema, a.mem_bw_schema, err);
	return 0;
}

const struct verb verb_update = {
	.command = { .name = "cellar update",
		     .args = "ID",
		     .summary = "change the limits of a container",
		     .details = "What is not given stays as it is:\n"
				"  cellar update --memory 512m --pids-limit 100 web\n"
				"  echo '{\"cpu\": {\"quota\": 50000}}' | cellar update -r - web",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
