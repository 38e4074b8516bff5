/* SPDX-License-Identifier: Apache-2.0 */
/* A list of CPUs or memory nodes, as the kernel writes it: 0-3,7. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spec/oci_config.h"

int oci_cpus_parse(const char *text, uint64_t ret[static OCI_CPU_WORDS])
{
	memset(ret, 0, OCI_CPU_WORDS * sizeof(*ret));
	for (;;) {
		unsigned long first, last;
		char *end;

		text += strspn(text, " \n");
		if (*text < '0' || *text > '9')
			return -EINVAL;
		first = last = strtoul(text, &end, 10);
		if (*end == '-') {
			if (end[1] < '0' || end[1] > '9')
				return -EINVAL;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last >= OCI_CPU_WORDS * 64)
			return -EINVAL;
		for (unsigned long i = first; i <= last; i++)
			ret[i / 64] |= UINT64_C(1) << i % 64;
		text = end + strspn(end, " \n");
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}
