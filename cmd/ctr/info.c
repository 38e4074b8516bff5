/* SPDX-License-Identifier: Apache-2.0 */
/* ctr info: the host, and what is on it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroups/cgroup.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/quantity.h"
#include "storage/store.h"

struct info_args {
	const char *format;
};

struct info {
	size_t containers, running, images;
	int64_t images_bytes;
	const char *cgroups;
	struct utsname host;
	long cpus;
	uint64_t memory_bytes;
	bool blocked; /* by a packet filter of somebody else */
	struct network_obstacle obstacle;
};

static int count_container(void *data, const struct engine_container *container)
{
	struct info *info = data;

	info->containers++;
	info->running += container->pid && strcmp(container->status, "created") != 0;
	return 0;
}

static int count_image(void *data, const struct store_image *image)
{
	struct info *info = data;

	info->images++;
	info->images_bytes += image->size_bytes;
	return 0;
}

static int gather(struct engine *engine, struct info *info, struct err *err)
{
	static const char *const layouts[] = {
		[CGROUP_V2] = "v2",
		[CGROUP_V1] = "v1",
		[CGROUP_HYBRID] = "hybrid",
	};
	_cleanup_store_ struct store *store = NULL;
	struct sysinfo memory;
	int r = engine_each(engine, count_container, info, err);

	if (r == 0 && access(engine_root(engine), F_OK) == 0) {
		r = store_open(engine_root(engine), &store, err);
		if (r == 0)
			r = store_image_each(store, count_image, info, err);
	}
	if (r < 0)
		return r;
	info->cgroups = layouts[cgroup_layout()];
	info->blocked = engine_find_obstacle(engine, &info->obstacle, NULL) > 0;
	uname(&info->host);
	info->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (sysinfo(&memory) == 0)
		info->memory_bytes = (uint64_t)memory.totalram * memory.mem_unit;
	return 0;
}

static int print_json(struct engine *engine, const struct info *info, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);

	if (!w)
		return err_set(err, ENOMEM, "print info");
	json_open_object(w);
	json_field_string(w, "version", CELLAR_VERSION);
	json_field_string(w, "root", engine_root(engine));
	json_field_string(w, "runroot", engine_runroot(engine));
	json_field_u64(w, "containers", info->containers);
	json_field_u64(w, "running", info->running);
	json_field_u64(w, "images", info->images);
	json_field_i64(w, "images_bytes", info->images_bytes);
	json_field_string(w, "cgroups", info->cgroups);
	json_field_string(w, "kernel", info->host.release);
	json_field_string(w, "architecture", info->host.machine);
	json_field_string(w, "hostname", info->host.nodename);
	json_field_i64(w, "cpus", info->cpus);
	json_field_u64(w, "memory_bytes", info->memory_bytes);
	json_field_string(w, "network_blocked_by", info->blocked ? info->obstacle.chain : NULL);
	json_field_string(w, "network_advice", info->blocked ? info->obstacle.advice : NULL);
	json_close_object(w);
	return show_json(w, err);
}

static void print_text(struct engine *engine, const struct info *info)
{
	char size[QUANTITY_TEXT_SIZE];

	printf("version       %s\n", CELLAR_VERSION);
	printf("root          %s\n", engine_root(engine));
	printf("runroot       %s\n", engine_runroot(engine));
	printf("containers    %zu, %zu of them running\n", info->containers, info->running);
	printf("images        %zu, %s\n", info->images,
	       quantity_format_bytes((uint64_t)info->images_bytes, size));
	printf("cgroups       %s\n", info->cgroups);
	printf("kernel        %s %s\n", info->host.release, info->host.machine);
	printf("host          %s, %ld processors, %s\n", info->host.nodename, info->cpus,
	       quantity_format_bytes(info->memory_bytes, size));
	if (info->blocked)
		printf("network       blocked by %s; let it through: %s\n", info->obstacle.chain,
		       info->obstacle.advice);
}

static int info_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	struct info_args args = { 0 };
	struct info info = { 0 };
	char **words;
	size_t count;
	bool json;
	int r = options_parse(&verb_info.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = show_parse_format(args.format, &json, err);
	if (r == 0)
		r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = gather(engine, &info, err);
	if (r < 0)
		return r;
	if (json)
		return print_json(engine, &info, err);
	print_text(engine, &info);
	return 0;
}

static const struct option_entry info_options[] = {
	OPTION_STRING(struct info_args, format, 0, "format", "FORMAT", "table (default) or json"),
	OPTION_END,
};

const struct verb verb_info = {
	.command = {
		.name = "ctr info",
		.summary = "show the host and what is on it",
		.options = info_options,
	},
	.run = info_verb,
};
