/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that read config.json: one reader for each object of the document. */
#pragma once

#include "base/json.h"
#include "spec/oci_config.h"

int oci_parse_process(const struct json_node *node, struct arena *arena, struct oci_process *ret,
		      struct err *err);
int oci_parse_linux(const struct json_node *node, struct oci_config *config, struct err *err);
int oci_parse_resources(const struct json_node *node, struct arena *arena,
			struct oci_resources *ret, struct err *err);
int oci_parse_seccomp(const struct json_node *node, struct arena *arena,
		      const struct oci_seccomp **ret, struct err *err);
/* oci_scheduling.c: of process, of linux, and both as they are written. */
int oci_parse_scheduling(const struct json_node *process, struct arena *arena,
			 struct oci_process *ret, struct err *err);
int oci_parse_kernel_view(const struct json_node *linux_, struct oci_config *config,
			  struct err *err);
void oci_put_scheduling(struct json_writer *w, const struct oci_process *process);
void oci_put_kernel_view(struct json_writer *w, const struct oci_config *config);
/* oci_resource_lists.c */
int oci_parse_resource_lists(const struct json_node *resources, struct arena *arena,
			     struct oci_resources *ret, struct err *err);

/*
 * An array of objects, or the members of an object (whose key is the item's), into a list of
 * structs of that size: zeroed, filled one by one by item(). ret_list points to a pointer to them.
 * As the json_get family: 1, 0 when absent, <0.
 */
typedef int oci_parse_item(const struct json_node *node, struct arena *arena, void *ret,
			   struct err *err);
int oci_parse_list(const struct json_node *node, const char *key, struct arena *arena, size_t size,
		   oci_parse_item *item, void *ret_list, size_t *ret_count, struct err *err);
int oci_parse_map(const struct json_node *node, const char *key, struct arena *arena, size_t size,
		  oci_parse_item *item, void *ret_list, size_t *ret_count, struct err *err);

int oci_parse_id_maps(const struct json_node *node, const char *key, struct arena *arena,
		      const struct oci_id_map **ret, size_t *ret_count, struct err *err);
int oci_parse_net_devices(const struct json_node *linux_, struct oci_config *config,
			  struct err *err);
int oci_parse_intel_rdt(const struct json_node *linux_, struct arena *arena,
			struct oci_intel_rdt *ret, struct err *err);
int oci_parse_vm(const struct json_node *root, struct arena *arena, const struct oci_vm **ret,
		 struct err *err);
int oci_parse_annotations(const struct json_node *node, const char *key, struct arena *arena,
			  const struct oci_annotation **ret, size_t *ret_count, struct err *err);
/* A string that must be an absolute path. As the json_get family: 1, 0 when absent, <0. */
int oci_parse_path(const struct json_node *node, const char *key, struct arena *arena,
		   const char **ret, struct err *err);

int oci_parse_opt_i64(const struct json_node *node, const char *key, struct oci_i64 *ret,
		      struct err *err);
int oci_parse_opt_u64(const struct json_node *node, const char *key, struct oci_u64 *ret,
		      struct err *err);
int oci_parse_opt_u32(const struct json_node *node, const char *key, struct oci_u32 *ret,
		      struct err *err);
int oci_parse_opt_bool(const struct json_node *node, const char *key, struct oci_bool *ret,
		       struct err *err);

/* Writing: members of an object that is open. */
void oci_put_linux(struct json_writer *w, const struct oci_config *config);
void oci_put_resources(struct json_writer *w, const struct oci_resources *resources);
void oci_put_net_devices(struct json_writer *w, const struct oci_config *config);
void oci_put_intel_rdt(struct json_writer *w, const struct oci_intel_rdt *rdt);
void oci_put_vm(struct json_writer *w, const struct oci_vm *vm);
void oci_put_id_maps(struct json_writer *w, const char *key, const struct oci_id_map *maps,
		     size_t count);
