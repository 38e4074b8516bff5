/* SPDX-License-Identifier: Apache-2.0 */
/* The default profile: a filter made at build time where there is one, else compiled from rows. */
#include "isolation/seccomp.h"

#include <stdlib.h>
#include <linux/seccomp.h>

#include "isolation/seccomp_tables.h"

int seccomp_default(uint64_t capabilities, struct seccomp_program *ret, struct err *err)
{
	struct seccomp_program program = { .flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW };

	capabilities &= seccomp_tables.capabilities;
	for (size_t i = 0; i < seccomp_tables.ready_count; i++) {
		const struct seccomp_ready *ready = &seccomp_tables.ready[i];

		if (ready->capabilities != capabilities)
			continue;
		program.filter = (struct sock_filter *)ready->filter;
		program.count = ready->count;
		program.is_static = 1;
		*ret = program;
		return 0;
	}
	int r = seccomp_tables_compile(&seccomp_tables, capabilities, &program.filter,
				       &program.count, err);

	if (r < 0)
		return r;
	*ret = program;
	return 0;
}

void seccomp_deinit(struct seccomp_program *program)
{
	if (!program->is_static)
		free(program->filter);
	*program = (struct seccomp_program){ 0 };
}
