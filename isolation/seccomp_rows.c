/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the tables made at build time; the generator itself uses it to make the ready filters. */
#include "isolation/seccomp_tables.h"

#include <errno.h>
#include <string.h>

const struct seccomp_name *seccomp_tables_find(const struct seccomp_tables *tables,
					       const char *name)
{
	size_t low = 0, high = tables->names_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct seccomp_name *entry = &tables->names[middle];
		int order = strcmp(name, tables->texts + entry->text);

		if (order == 0)
			return entry;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool row_applies(const struct seccomp_row *row, uint64_t capabilities)
{
	if (row->capability < 0)
		return true;
	return (capabilities >> row->capability & 1) != row->without;
}

int seccomp_tables_compile(const struct seccomp_tables *tables, uint64_t capabilities,
			   struct sock_filter **ret, unsigned short *ret_count, struct err *err)
{
	_cleanup_seccomp_table_ struct seccomp_table *table =
		seccomp_table_new(tables->abis, tables->abis_count);

	if (!table)
		return err_set(err, ENOMEM, "compile the default seccomp profile");
	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct seccomp_row *row = &tables->rows[i];

		seccomp_table_know(table, row->abi, row->nr);
		if (!row_applies(row, capabilities))
			continue;
		if (seccomp_table_add(table, row->abi, row->nr, row->action,
				      tables->tests + row->first_test, row->tests_count) < 0)
			return err_set(err, ENOMEM, "compile the default seccomp profile");
	}
	return seccomp_table_compile(table, &tables->defaults, ret, ret_count, err);
}
