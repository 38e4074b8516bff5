/* SPDX-License-Identifier: Apache-2.0 */
/* linux.intelRdt: classes of service for caches and memory bandwidth. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "spec/oci_parse.h"

static int parse_line(const struct json_node *node, const char *key, struct arena *arena,
		      const char **ret, struct err *err)
{
	struct json_node bad;
	int r = json_get_string(node, key, arena, ret, err);

	if (r <= 0 || !strchr(*ret, '\n'))
		return r;
	json_get(node, key, &bad, err);
	return json_bad(&bad, err, "a line end is not allowed here");
}

/* It becomes the name of a folder. "/" alone is the root of the tree, the default class. */
static int parse_clos_id(const struct json_node *node, struct arena *arena,
			 struct oci_intel_rdt *rdt, struct err *err)
{
	struct json_node bad;
	int r = json_get_string(node, "closID", arena, &rdt->clos_id, err);
	const char *id = rdt->clos_id;

	if (r <= 0)
		return r;
	if (id[0] == '\0') {
		rdt->clos_id = NULL;
		return 0;
	}
	if (strcmp(id, "/") == 0 || (strcmp(id, ".") != 0 && strcmp(id, "..") != 0 &&
				     !strpbrk(id, "/\n") && strlen(id) <= NAME_MAX))
		return 0;
	json_get(node, "closID", &bad, err);
	return json_bad(&bad, err, "\"%s\" cannot be the name of a folder", id);
}

static int parse_schemata(const struct json_node *node, struct arena *arena,
			  struct oci_intel_rdt *rdt, struct err *err)
{
	struct json_node array;
	size_t count;
	int r = json_get_strings(node, "schemata", arena, &rdt->schemata, NULL, err);

	if (r <= 0)
		return r;
	err_try(json_get_array(node, "schemata", &array, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		if (strchr(rdt->schemata[i], '\n'))
			return json_bad(&item, err, "a line end is not allowed here");
	}
	return 0;
}

int oci_parse_intel_rdt(const struct json_node *node, struct arena *arena,
			struct oci_intel_rdt *rdt, struct err *err)
{
	struct json_node child, bad;
	int r = json_get_object(node, "intelRdt", &child, err);

	if (r <= 0)
		return r;
	rdt->set = true;
	err_try(parse_clos_id(&child, arena, rdt, err));
	err_try(parse_schemata(&child, arena, rdt, err));
	err_try(json_get_string(&child, "l3CacheSchema", arena, &rdt->l3_cache_schema, err));
	err_try(parse_line(&child, "memBwSchema", arena, &rdt->mem_bw_schema, err));
	if (rdt->mem_bw_schema && rdt->mem_bw_schema[0] &&
	    strncmp(rdt->mem_bw_schema, "MB:", 3) != 0) {
		json_get(&child, "memBwSchema", &bad, err);
		return json_bad(&bad, err, "\"%s\" does not begin with \"MB:\"",
				rdt->mem_bw_schema);
	}
	err_try(oci_parse_opt_bool(&child, "enableMonitoring", &rdt->enable_monitoring, err));
	err_try(oci_parse_opt_bool(&child, "enableCMT", &rdt->enable_cmt, err));
	return oci_parse_opt_bool(&child, "enableMBM", &rdt->enable_mbm, err);
}

static void put_flag(struct json_writer *w, const char *key, struct oci_bool flag)
{
	if (flag.set)
		json_field_bool(w, key, flag.value);
}

void oci_put_intel_rdt(struct json_writer *w, const struct oci_intel_rdt *rdt)
{
	if (!rdt->set)
		return;
	json_key(w, "intelRdt");
	json_open_object(w);
	json_field_string(w, "closID", rdt->clos_id);
	json_field_strings(w, "schemata", rdt->schemata);
	json_field_string(w, "l3CacheSchema", rdt->l3_cache_schema);
	json_field_string(w, "memBwSchema", rdt->mem_bw_schema);
	put_flag(w, "enableMonitoring", rdt->enable_monitoring);
	put_flag(w, "enableCMT", rdt->enable_cmt);
	put_flag(w, "enableMBM", rdt->enable_mbm);
	json_close_object(w);
}
