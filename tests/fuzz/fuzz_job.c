/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: job base
 *
 * The input is a job file. Whatever is taken keeps to its bounds; whatever is refused is refused in
 * one line that names the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/job/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct job_file f;
	struct err err = { 0 };

	if (!arena)
		return 0;
	if (job_file_parse("job", (const char *)data, size, arena, &f, &err) < 0) {
		demand(strncmp(err.text, "job:", 4) == 0 && !strchr(err.text, '\n'));
		return 0;
	}
	demand(!f.job != !f.alloc_set);
	demand(f.priority >= 0 && f.priority <= JOB_PRIORITY_MAX);
	demand(f.tasks.count >= 1 && f.tasks.count <= JOB_TASKS_MAX);
	demand(f.allocs >= 1 && f.allocs <= JOB_TASKS_MAX);
	demand(f.tasks.resources.cpu_milli >= 0 && f.tasks.resources.memory_bytes >= 0);
	return 0;
}
