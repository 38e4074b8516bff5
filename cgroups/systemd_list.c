/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroups/systemd_list.h"

#include <errno.h>
#include <string.h>

int systemd_list_add(struct systemd_properties *list, const char *name, const char *type,
		     const char *const *values, size_t count, struct err *err)
{
	if (list->count == SYSTEMD_PROPERTIES_MAX)
		return err_say(err, E2BIG, "more than %d properties for systemd",
			       SYSTEMD_PROPERTIES_MAX);
	list->list[list->count++] = (struct systemd_property){
		.name = name,
		.type = type,
		.values = values,
		.count = count,
	};
	return 0;
}

int systemd_property_add(struct systemd_properties *list, const char *name, const char *type,
			 const char *value, struct err *err)
{
	const char **values = arena_calloc(list->arena, 1, sizeof(*values));

	if (!values || !(values[0] = arena_strdup(list->arena, value)))
		return err_set(err, ENOMEM, "set %s of systemd", name);
	return systemd_list_add(list, name, type, values, 1, err);
}

int systemd_list_add_words(struct systemd_properties *list, const char *name, const char *type,
			   const char *words, struct err *err)
{
	const char **values = arena_calloc(list->arena, strlen(words) / 2 + 1, sizeof(*values));
	char *copy = arena_strdup(list->arena, words), *save = NULL;
	size_t count = 0;

	if (!values || !copy)
		return err_set(err, ENOMEM, "set %s of systemd", name);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		values[count++] = w;
	return systemd_list_add(list, name, type, values, count, err);
}
