/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of a document as arrays of structs. */
#include <errno.h>
#include <string.h>

#include "spec/oci_parse.h"

static int fill(const struct json_node *node, bool is_map, struct arena *arena, size_t size,
		oci_parse_item *item, void *ret_list, size_t *ret_count, struct err *err)
{
	size_t count = json_count(node);
	char *list = arena_calloc(arena, count + 1, size);

	if (!list)
		return err_set(err, ENOMEM, "read a list");
	for (size_t i = 0; i < count; i++) {
		struct json_node child = is_map ? json_member(node, i) : json_at(node, i);

		if (!is_map)
			err_try(json_object(&child, err));
		err_try(item(&child, arena, list + i * size, err));
	}
	memcpy(ret_list, &list, sizeof(list));
	*ret_count = count;
	return 1;
}

int oci_parse_list(const struct json_node *node, const char *key, struct arena *arena, size_t size,
		   oci_parse_item *item, void *ret_list, size_t *ret_count, struct err *err)
{
	struct json_node array;
	size_t count;
	int r = json_get_array(node, key, &array, &count, err);

	return r <= 0 ? r : fill(&array, false, arena, size, item, ret_list, ret_count, err);
}

int oci_parse_map(const struct json_node *node, const char *key, struct arena *arena, size_t size,
		  oci_parse_item *item, void *ret_list, size_t *ret_count, struct err *err)
{
	struct json_node map;
	int r = json_get_object(node, key, &map, err);

	return r <= 0 ? r : fill(&map, true, arena, size, item, ret_list, ret_count, err);
}
