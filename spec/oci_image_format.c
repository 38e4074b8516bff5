/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image documents as text. Each is written twice where it was read before: as it would have been
 * then, and as it is now; the difference goes into the text that was read (base/json_merge.h).
 */
#include "spec/oci_image.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/json_merge.h"

static void put_annotations(struct json_writer *w, const char *key,
			    const struct oci_annotation *list, size_t count)
{
	if (!list)
		return;
	json_key(w, key);
	json_open_object(w);
	for (size_t i = 0; i < count; i++)
		json_field_string(w, list[i].key, list[i].value);
	json_close_object(w);
}

static void put_platform(struct json_writer *w, const struct oci_descriptor *d)
{
	if (!d->architecture && !d->os && !d->variant && !d->os_version && !d->os_features)
		return;
	json_key(w, "platform");
	json_open_object(w);
	json_field_string(w, "architecture", d->architecture);
	json_field_string(w, "os", d->os);
	json_field_string(w, "os.version", d->os_version);
	json_field_strings(w, "os.features", d->os_features);
	json_field_string(w, "variant", d->variant);
	json_close_object(w);
}

static void put_descriptor(struct json_writer *w, const struct oci_descriptor *d)
{
	json_open_object(w);
	json_field_string(w, "mediaType", d->media_type);
	json_field_string(w, "digest", d->digest);
	json_field_i64(w, "size", d->size_bytes);
	json_field_strings(w, "urls", d->urls);
	put_annotations(w, "annotations", d->annotations, d->annotations_count);
	json_field_string(w, "data", d->data);
	json_field_string(w, "artifactType", d->artifact_type);
	put_platform(w, d);
	json_close_object(w);
}

static void put_descriptors(struct json_writer *w, const char *key,
			    const struct oci_descriptor *list, size_t count)
{
	json_key(w, key);
	json_open_array(w);
	for (size_t i = 0; i < count; i++)
		put_descriptor(w, &list[i]);
	json_close_array(w);
}

static void put_head(struct json_writer *w, const char *media_type, const char *artifact_type)
{
	json_field_i64(w, "schemaVersion", 2);
	json_field_string(w, "mediaType", media_type);
	json_field_string(w, "artifactType", artifact_type);
}

static void put_subject(struct json_writer *w, const struct oci_descriptor *subject)
{
	if (!subject)
		return;
	json_key(w, "subject");
	put_descriptor(w, subject);
}

static void put_index(struct json_writer *w, const void *document)
{
	const struct oci_index *index = document;

	json_open_object(w);
	put_head(w, index->media_type, index->artifact_type);
	put_descriptors(w, "manifests", index->manifests, index->manifests_count);
	put_subject(w, index->subject);
	put_annotations(w, "annotations", index->annotations, index->annotations_count);
	json_close_object(w);
}

static void put_manifest(struct json_writer *w, const void *document)
{
	const struct oci_manifest *m = document;

	json_open_object(w);
	put_head(w, m->media_type, m->artifact_type);
	json_key(w, "config");
	put_descriptor(w, &m->config);
	put_descriptors(w, "layers", m->layers, m->layers_count);
	put_subject(w, m->subject);
	put_annotations(w, "annotations", m->annotations, m->annotations_count);
	json_close_object(w);
}

/* {"/data": {}} */
static void put_name_set(struct json_writer *w, const char *key, const char *const *names)
{
	if (!names)
		return;
	json_key(w, key);
	json_open_object(w);
	for (; *names; names++) {
		json_key(w, *names);
		json_open_object(w);
		json_close_object(w);
	}
	json_close_object(w);
}

static void put_duration(struct json_writer *w, const char *key, int64_t n)
{
	if (n)
		json_field_i64(w, key, n);
}

static void put_healthcheck(struct json_writer *w, const struct oci_healthcheck *h)
{
	if (!h->test && !h->interval_ns && !h->timeout_ns && !h->start_period_ns &&
	    !h->start_interval_ns && !h->retries)
		return;
	json_key(w, "Healthcheck");
	json_open_object(w);
	json_field_strings(w, "Test", h->test);
	put_duration(w, "Interval", h->interval_ns);
	put_duration(w, "Timeout", h->timeout_ns);
	put_duration(w, "StartPeriod", h->start_period_ns);
	put_duration(w, "StartInterval", h->start_interval_ns);
	put_duration(w, "Retries", h->retries);
	json_close_object(w);
}

static void put_image_config(struct json_writer *w, const struct oci_image *image)
{
	json_key(w, "config");
	json_open_object(w);
	json_field_string(w, "User", image->user);
	put_name_set(w, "ExposedPorts", image->exposed_ports);
	json_field_strings(w, "Env", image->env);
	json_field_strings(w, "Entrypoint", image->entrypoint);
	json_field_strings(w, "Cmd", image->cmd);
	put_name_set(w, "Volumes", image->volumes);
	json_field_string(w, "WorkingDir", image->working_dir);
	put_annotations(w, "Labels", image->labels, image->labels_count);
	json_field_string(w, "StopSignal", image->stop_signal);
	put_healthcheck(w, &image->healthcheck);
	json_field_strings(w, "Shell", image->shell);
	json_close_object(w);
}

static void put_history(struct json_writer *w, const struct oci_image *image)
{
	if (!image->history)
		return;
	json_key(w, "history");
	json_open_array(w);
	for (size_t i = 0; i < image->history_count; i++) {
		const struct oci_history *h = &image->history[i];

		json_open_object(w);
		json_field_string(w, "created", h->created);
		json_field_string(w, "created_by", h->created_by);
		json_field_string(w, "author", h->author);
		json_field_string(w, "comment", h->comment);
		if (h->empty_layer)
			json_field_bool(w, "empty_layer", true);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_image(struct json_writer *w, const void *document)
{
	const struct oci_image *image = document;

	json_open_object(w);
	json_field_string(w, "created", image->created);
	json_field_string(w, "author", image->author);
	json_field_string(w, "architecture", image->architecture);
	json_field_string(w, "os", image->os);
	json_field_string(w, "os.version", image->os_version);
	json_field_strings(w, "os.features", image->os_features);
	json_field_string(w, "variant", image->variant);
	put_image_config(w, image);
	json_key(w, "rootfs");
	json_open_object(w);
	json_field_string(w, "type", "layers");
	json_field_strings(w, "diff_ids", image->diff_ids);
	json_close_object(w);
	put_history(w, image);
	json_close_object(w);
}

static char *write_plain(void (*put)(struct json_writer *w, const void *document),
			 const void *document, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	put(w, document);
	return json_writer_take(w, ret_len);
}

/* parsed: source read anew, NULL where there is none. */
static int write_back(void (*put)(struct json_writer *w, const void *document),
		      const void *document, const void *parsed, const struct oci_kept *source,
		      char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_free_ char *after = NULL, *before = NULL;

	after = write_plain(put, document, ret_len);
	if (after && !parsed) {
		*ret = take_ptr(after);
		return 0;
	}
	before = after ? write_plain(put, parsed, NULL) : NULL;
	if (!before)
		return err_set(err, ENOMEM, "write image");
	return json_merge(source->json, before, after, false, ret, ret_len, err);
}

int oci_index_format(const struct oci_index *index, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *json = index->source.json;
	struct oci_index before;

	if (!arena)
		return err_set(err, ENOMEM, "write image");
	if (json)
		err_try(oci_index_parse(json, strlen(json), arena, &before, err));
	return write_back(put_index, index, json ? &before : NULL, &index->source, ret, ret_len,
			  err);
}

int oci_manifest_format(const struct oci_manifest *manifest, char **ret, size_t *ret_len,
			struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *json = manifest->source.json;
	struct oci_manifest before;

	if (!arena)
		return err_set(err, ENOMEM, "write image");
	if (json)
		err_try(oci_manifest_parse(json, strlen(json), arena, &before, err));
	return write_back(put_manifest, manifest, json ? &before : NULL, &manifest->source, ret,
			  ret_len, err);
}

int oci_image_format(const struct oci_image *image, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *json = image->source.json;
	struct oci_image before;

	if (!arena)
		return err_set(err, ENOMEM, "write image");
	if (json)
		err_try(oci_image_parse(json, strlen(json), arena, &before, err));
	return write_back(put_image, image, json ? &before : NULL, &image->source, ret, ret_len,
			  err);
}
