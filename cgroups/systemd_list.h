/* SPDX-License-Identifier: Apache-2.0 */
/* The list of a unit's properties, being put together. */
#pragma once

#include "cgroups/systemd_property.h"

/* values: of the arena, or for good. */
int systemd_list_add(struct systemd_properties *list, const char *name, const char *type,
		     const char *const *values, size_t count, struct err *err);

/* Copies words that stand between single blanks. "": an empty list. */
int systemd_list_add_words(struct systemd_properties *list, const char *name, const char *type,
			   const char *words, struct err *err);
