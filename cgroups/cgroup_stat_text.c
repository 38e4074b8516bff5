/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of the kernel, read from text. */
#include "cgroups/cgroup_stat_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* v1 counts pages in a long, so that "none" is the largest multiple of a page: of 64 KiB at most.
 */
#define V1_UNLIMITED (INT64_MAX & ~(int64_t)0xffff)

bool stat_text_number(const char *text, uint64_t *ret)
{
	char *end;
	uint64_t n;

	if (strcmp(text, "max") == 0 || strcmp(text, "max\n") == 0) {
		*ret = UINT64_MAX;
		return true;
	}
	if (!isdigit((unsigned char)text[0]))
		return false;
	n = strtoull(text, &end, 10);
	if (*end != '\0' && *end != '\n')
		return false;
	*ret = n >= (uint64_t)V1_UNLIMITED ? UINT64_MAX : n;
	return true;
}

bool stat_text_find(const char *text, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || line[len] != ' ')
			continue;
		if (!isdigit((unsigned char)line[len + 1]))
			return false;
		*ret = strtoull(line + len + 1, NULL, 10);
		return true;
	}
	return false;
}

/* The sum of all numbers that directly follow the word. */
static uint64_t sum(const char *text, const char *word)
{
	size_t len = strlen(word);
	uint64_t total = 0;

	for (const char *p = text; (p = strstr(p, word)); p += len)
		total += strtoull(p + len, NULL, 10);
	return total;
}

void stat_text_io_v2(const char *text, uint64_t *ret_read, uint64_t *ret_write)
{
	*ret_read = sum(text, " rbytes=");
	*ret_write = sum(text, " wbytes=");
}

void stat_text_io_v1(const char *text, uint64_t *ret_read, uint64_t *ret_write)
{
	*ret_read = sum(text, " Read ");
	*ret_write = sum(text, " Write ");
}
