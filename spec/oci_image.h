/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image-spec 1.1 documents as plain data, in an arena given by the caller: index, manifest,
 * configuration. Docker's schema-2 media types are read as their OCI equals.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

struct oci_descriptor {
	const char *media_type;
	const char *digest; /* validated: "sha256:" and 64 hex digits */
	int64_t size_bytes;
	const char *artifact_type, *data;	 /* data: base64 of the content; NULL when absent */
	const char *const *urls;		 /* NULL when absent */
	const char *architecture, *os, *variant; /* platform; NULL when absent */
	const char *os_version;
	const char *const *os_features;
	const struct oci_annotation *annotations;
	size_t annotations_count;
};

/* source: the document as it was read, in which formatting finds what is not looked into here. */
struct oci_index {
	const char *media_type, *artifact_type; /* NULL when absent */
	const struct oci_descriptor *manifests;
	size_t manifests_count;
	const struct oci_descriptor *subject; /* NULL when absent */
	const struct oci_annotation *annotations;
	size_t annotations_count;
	struct oci_kept source;
};

struct oci_manifest {
	const char *media_type, *artifact_type; /* NULL when absent */
	struct oci_descriptor config;
	const struct oci_descriptor *layers;
	size_t layers_count;
	const struct oci_descriptor *subject; /* NULL when absent */
	const struct oci_annotation *annotations;
	size_t annotations_count;
	struct oci_kept source;
};

struct oci_healthcheck {
	const char *const *test; /* NULL when absent */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns, retries;
};

struct oci_history {
	const char *created, *created_by, *author, *comment; /* NULL when absent */
	bool empty_layer;
};

struct oci_image {
	const char *architecture, *os, *variant, *created, *author;
	const char *os_version;
	const char *const *os_features;
	const char *user, *working_dir, *stop_signal;		 /* "" or NULL when absent */
	const char *const *env, *const *entrypoint, *const *cmd; /* NULL when absent */
	const char *const *volumes, *const *exposed_ports;	 /* names; NULL when absent */
	const struct oci_annotation *labels;
	size_t labels_count;
	struct oci_healthcheck healthcheck;
	const char *const *shell;    /* Docker's: what runs commands in its shell form; NULL */
	const char *const *diff_ids; /* validated digests, NULL-terminated */
	size_t diff_ids_count;
	const struct oci_history *history;
	size_t history_count;
	struct oci_kept source;
};

bool oci_media_is_index(const char *media_type); /* OCI's or Docker's */
bool oci_media_is_manifest(const char *media_type);
bool oci_media_is_image_config(const char *media_type);
bool oci_media_is_foreign(const char *media_type); /* a layer that is kept elsewhere */
/* "" for a plain tar, "gzip", "zstd"; NULL for what is no layer. */
const char *oci_media_compression(const char *media_type);

int oci_index_parse(const char *text, size_t len, struct arena *arena, struct oci_index *ret,
		    struct err *err);
int oci_manifest_parse(const char *text, size_t len, struct arena *arena, struct oci_manifest *ret,
		       struct err *err);
int oci_image_parse(const char *text, size_t len, struct arena *arena, struct oci_image *ret,
		    struct err *err);

/*
 * The documents as text, owned by the caller. What was parsed comes out with all it had, but for
 * members that were changed since; what was built in code has no source and comes out as it is.
 */
int oci_index_format(const struct oci_index *index, char **ret, size_t *ret_len, struct err *err);
int oci_manifest_format(const struct oci_manifest *manifest, char **ret, size_t *ret_len,
			struct err *err);
int oci_image_format(const struct oci_image *image, char **ret, size_t *ret_len, struct err *err);

const char *oci_descriptor_annotation(const struct oci_descriptor *descriptor, const char *key);
