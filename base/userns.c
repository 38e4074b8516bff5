/* SPDX-License-Identifier: Apache-2.0 */
#include "base/userns.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool read_initial(void)
{
	_cleanup_fd_ int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned inside, outside, size;
	char text[128];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return sscanf(text, "%u %u %u", &inside, &outside, &size) == 3 && inside == 0 &&
	       outside == 0 && size == UINT32_MAX;
}

bool userns_is_initial(void)
{
	static int known; /* 1: yes, -1: no */

	if (known == 0)
		known = read_initial() ? 1 : -1;
	return known > 0;
}

bool userns_maps_group(unsigned gid)
{
	_cleanup_file_ FILE *f = fopen("/proc/self/gid_map", "re");
	unsigned inside, outside, size;

	while (f && fscanf(f, "%u %u %u", &inside, &outside, &size) == 3)
		if (gid >= inside && gid - inside < size)
			return true;
	return false;
}

bool userns_is_rootless(void)
{
	return geteuid() != 0 || !userns_is_initial();
}
