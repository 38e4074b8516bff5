/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of an object, by key and type. */
#include <errno.h>

#include "base/json.h"

int json_get_object(const struct json_node *node, const char *key, struct json_node *ret,
		    struct err *err)
{
	struct json_node child;
	int r = json_get(node, key, &child, err);

	if (r <= 0)
		return r;
	r = json_object(&child, err);
	if (r > 0)
		*ret = child;
	return r;
}

int json_get_array(const struct json_node *node, const char *key, struct json_node *ret,
		   size_t *ret_count, struct err *err)
{
	struct json_node child;
	int r = json_get(node, key, &child, err);

	if (r <= 0)
		return r;
	err_try(json_array(&child, err));
	*ret = child;
	*ret_count = json_count(&child);
	return 1;
}

int json_get_string(const struct json_node *node, const char *key, struct arena *arena,
		    const char **ret, struct err *err)
{
	struct json_node child;
	int r = json_get(node, key, &child, err);

	return r <= 0 ? r : json_string(&child, arena, ret, err);
}

int json_get_bool(const struct json_node *node, const char *key, bool *ret, struct err *err)
{
	struct json_node child;
	int r = json_get(node, key, &child, err);

	return r <= 0 ? r : json_bool(&child, ret, err);
}

int json_get_range(const struct json_node *node, const char *key, int64_t min, int64_t max,
		   int64_t *ret, struct err *err)
{
	struct json_node child;
	int r = json_get(node, key, &child, err);

	return r <= 0 ? r : json_i64(&child, min, max, ret, err);
}

int json_get_i64(const struct json_node *node, const char *key, int64_t *ret, struct err *err)
{
	return json_get_range(node, key, INT64_MIN, INT64_MAX, ret, err);
}

int json_get_u64(const struct json_node *node, const char *key, uint64_t *ret, struct err *err)
{
	struct json_node child;
	int r = json_get(node, key, &child, err);

	return r <= 0 ? r : json_u64(&child, UINT64_MAX, ret, err);
}

int json_get_u32(const struct json_node *node, const char *key, uint32_t *ret, struct err *err)
{
	struct json_node child;
	uint64_t n;
	int r = json_get(node, key, &child, err);

	if (r <= 0)
		return r;
	r = json_u64(&child, UINT32_MAX, &n, err);
	if (r > 0)
		*ret = (uint32_t)n;
	return r;
}

int json_get_strings(const struct json_node *node, const char *key, struct arena *arena,
		     const char *const **ret, size_t *ret_count, struct err *err)
{
	struct json_node array;
	const char **list;
	size_t count;
	int r = json_get_array(node, key, &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read JSON");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		r = json_string(&item, arena, &list[i], err);
		if (r < 0)
			return r;
	}
	*ret = list;
	if (ret_count)
		*ret_count = count;
	return 1;
}
