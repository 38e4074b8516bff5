/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps in crun's idmap option: "idmap=uids=0-1-10#10-11-10;gids=@0-100-10". Three numbers are
 * one range: first id on the file system, first id on the host, how many. Behind an '@' the second
 * counts inside the container's user namespace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/plan_builder.h"

static int parse_number(const char **at, char end, uint32_t *ret)
{
	unsigned long long n;
	char *stop;

	if (**at < '0' || **at > '9')
		return -EINVAL;
	n = strtoull(*at, &stop, 10);
	if (n > UINT32_MAX || (end && *stop != end))
		return -EINVAL;
	*ret = (uint32_t)n;
	*at = end ? stop + 1 : stop;
	return 0;
}

/* The host's id for one that the container sees; first tells which of its ranges is meant. */
static int shift(const struct oci_id_map *maps, size_t count, uint32_t first, uint32_t *id)
{
	for (size_t i = 0; i < count; i++) {
		if (first < maps[i].container_id || first - maps[i].container_id >= maps[i].size)
			continue;
		*id += maps[i].host_id - maps[i].container_id;
		return 0;
	}
	return -EINVAL;
}

/* Ends at ';' or at the end of the text. */
static int parse_ranges(const char **at, const struct oci_id_map *maps, size_t count,
			struct strbuf *ret)
{
	for (;;) {
		bool relative = **at == '@';
		struct oci_id_map map = { 0 };

		*at += relative;
		if (parse_number(at, '-', &map.container_id) < 0 ||
		    parse_number(at, '-', &map.host_id) < 0 ||
		    parse_number(at, '\0', &map.size) < 0 || map.size == 0 ||
		    (relative && shift(maps, count, map.container_id, &map.host_id) < 0))
			return -EINVAL;
		strbuf_add(ret, &map, sizeof(map));
		if (**at != '#')
			return **at == ';' || **at == '\0' ? 0 : -EINVAL;
		(*at)++;
	}
}

int plan_put_idmap(struct plan_builder *b, const char *text, struct plan_mount *ret)
{
	const struct oci_config *c = b->config;
	_cleanup_strbuf_ struct strbuf uids = { 0 }, gids = { 0 };
	const size_t one = sizeof(struct oci_id_map);
	int r = 0;

	while (*text && r == 0) {
		const char *ranges = text + strlen("uids=");

		if (strncmp(text, "uids=", 5) == 0)
			r = parse_ranges(&ranges, c->uid_maps, c->uid_maps_count, &uids);
		else if (strncmp(text, "gids=", 5) == 0)
			r = parse_ranges(&ranges, c->gid_maps, c->gid_maps_count, &gids);
		else
			return -EINVAL;
		text = ranges + (*ranges == ';');
	}
	if (r < 0 || uids.len == 0 || gids.len == 0 || !strbuf_ok(&uids) || !strbuf_ok(&gids))
		return -EINVAL;
	plan_put_maps(b, (const void *)uids.data, uids.len / one, &ret->uid_maps);
	plan_put_maps(b, (const void *)gids.data, gids.len / one, &ret->gid_maps);
	return 0;
}
