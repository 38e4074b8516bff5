/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-image import: the images of an archive into the store. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "cmd/cellar-image/progress.h"
#include "cmd/cellar-image/verbs.h"
#include "cmd/options.h"
#include "runtime/engine/event_log.h"
#include "storage/import.h"

struct report {
	struct store *store;
	struct progress *progress;
	const char *runroot; /* NULL: nobody is told */
	bool json, failed;
};

static void print_json(const struct store_image *image)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;

	if (!w)
		return;
	json_open_object(w);
	json_field_string(w, "name", image->name);
	json_field_string(w, "id", image->id);
	json_field_string(w, "digest", image->manifest.digest);
	json_field_u64(w, "layers", image->layers_count);
	json_field_i64(w, "size", image->size_bytes);
	json_close_object(w);
	text = json_writer_take(w, NULL);
	if (text)
		puts(text);
}

static void print_named(void *data, const char *name, const char *id)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	struct report *report = data;
	struct err err = { 0 };

	progress_end(report->progress);
	if (report->runroot)
		event_tell_image(report->runroot, "import", name, id);
	if (store_image_find(report->store, name, &image, &err) < 0) {
		fprintf(stderr, "%s import: image %s (%s) was imported, but: %s\n", verbs_prefix(),
			name, id, err.text);
		report->failed = true;
		return;
	}
	if (report->json)
		print_json(image);
	else
		printf("Imported %s (%.19s, %zu layer%s, %.1f MB)\n", image->name, image->id,
		       image->layers_count, image->layers_count == 1 ? "" : "s",
		       (double)image->size_bytes / 1e6);
}

struct import_args {
	const char *name, *platform, *runroot;
	bool json;
	int64_t max_size_gib, max_files, max_ratio;
};

static int run(const char *root, const char *path, const struct import_args *args)
{
	_cleanup_store_ struct store *store = NULL;
	struct progress progress;
	struct report report = { .progress = &progress,
				 .json = args->json,
				 .runroot = args->runroot };
	struct import_options options = {
		.path = path,
		.name = args->name,
		.platform = args->platform,
		.entries_max = (uint64_t)args->max_files,
		.bytes_max = (uint64_t)args->max_size_gib << 30,
		.ratio_max = (uint64_t)args->max_ratio,
		.progress = progress_show,
		.progress_data = &progress,
	};
	struct err err = { 0 };
	int r;

	progress_start(&progress);
	r = store_open(root, &store, &err);
	report.store = store;
	if (r == 0)
		r = import_layout(store, &options, print_named, &report, &err);
	progress_end(&progress);
	if (r < 0) {
		fprintf(stderr, "%s import %s: %s\n", verbs_prefix(), path, err.text);
		return 1;
	}
	if (fflush(stdout) != 0) {
		perror("cellar-image: write to stdout");
		return 1;
	}
	return report.failed;
}

/* clang-format off */
static const struct option_entry import_options[] = {
	OPTION_STRING(struct import_args, name, 0, "name", "NAME", "name of the image (default: those in the archive)"),
	OPTION_STRING(struct import_args, platform, 0, "platform", "PLATFORM", "images for OS/ARCHITECTURE[/VARIANT] (default: this machine's)"),
	OPTION_STRING(struct import_args, runroot, 0, "runroot", "DIR", "where ctr events reads that it was imported"),
	OPTION_BOOL(struct import_args, json, 0, "json", "print one JSON object an image"),
	OPTION_INT(struct import_args, max_size_gib, 0, "max-layer-size", 1, 1 << 20, "GIB", "what a layer may unpack to (default 256)"),
	OPTION_INT(struct import_args, max_files, 0, "max-layer-files", 1, INT64_MAX, "NUMBER", "files in a layer (default 2000000)"),
	OPTION_INT(struct import_args, max_ratio, 0, "max-layer-ratio", 1, INT64_MAX, "NUMBER", "unpacked to packed bytes of a layer (default 200)"),
	OPTION_END,
};
/* clang-format on */

static const struct options_command import_command = {
	.name = "cellar-image import",
	.args = "PATH",
	.summary =
		"bring in the images of an OCI layout or of docker save, a folder, a tar, or - (stdin)",
	.options = import_options,
	.args_min = 1,
	.args_max = 1,
};

int verb_import(const char *root, int argc, char **argv)
{
	struct import_args args = { 0 };
	struct err err = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&import_command, argc - 1, argv + 1, &args, &words, &count, &err);

	if (r > 0) {
		options_help(&import_command, stdout);
		return 0;
	}
	if (r < 0) {
		fprintf(stderr, "%s import: %s\n", verbs_prefix(), err.text);
		return 1;
	}
	return run(root, words[0], &args);
}
