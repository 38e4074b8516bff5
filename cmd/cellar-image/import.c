/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-image import: an OCI layout into the store. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "cmd/cellar-image/progress.h"
#include "cmd/cellar-image/verbs.h"
#include "storage/import.h"

struct report {
	struct store *store;
	struct progress *progress;
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
	if (store_image_find(report->store, name, &image, &err) < 0) {
		fprintf(stderr, "cellar-image: image %s (%s) was imported, but: %s\n", name, id,
			err.text);
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

static int run(const char *root, const char *path, const char *name, bool json)
{
	_cleanup_store_ struct store *store = NULL;
	struct progress progress;
	struct report report = { .progress = &progress, .json = json };
	struct import_options options = {
		.path = path,
		.name = name,
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
		fprintf(stderr, "cellar-image: import %s: %s\n", path, err.text);
		return 1;
	}
	if (fflush(stdout) != 0) {
		perror("cellar-image: write to stdout");
		return 1;
	}
	return report.failed;
}

int verb_import(const char *root, int argc, char **argv)
{
	const char *path = NULL, *name = NULL;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strncmp(argv[i], "--name=", 7) == 0) {
			name = argv[i] + 7;
		} else if (strcmp(argv[i], "--name") == 0 && i + 1 < argc) {
			name = argv[++i];
		} else if (argv[i][0] == '-' && argv[i][1]) {
			fprintf(stderr, "cellar-image: import: unknown option %s\n", argv[i]);
			return 1;
		} else if (path) {
			fprintf(stderr, "cellar-image: import: one PATH at a time, not %s too\n",
				argv[i]);
			return 1;
		} else {
			path = argv[i];
		}
	}
	if (!path) {
		fputs("cellar-image: import: which PATH? (an OCI layout: a folder or a tar)\n",
		      stderr);
		return 1;
	}
	return run(root, path, name, json);
}
