/* SPDX-License-Identifier: Apache-2.0 */
/* uid= and gid= among the options of a mount, which a user namespace has to map. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "isolation/plan_builder.h"

static bool is_mapped(const struct oci_id_map *maps, size_t count, const char *text)
{
	unsigned long id = strtoul(text, NULL, 10);

	for (size_t i = 0; i < count; i++)
		if (id >= maps[i].container_id && id - maps[i].container_id < maps[i].size)
			return true;
	return false;
}

int plan_check_owner(struct plan_builder *b, const struct oci_mount *mount, size_t index,
		     const char *option, struct err *err)
{
	const struct oci_config *c = b->config;
	const struct oci_namespace *user = &c->namespaces[OCI_NS_USER];
	bool devpts = mount->type && strcmp(mount->type, "devpts") == 0;
	bool uid = strncmp(option, "uid=", 4) == 0, gid = strncmp(option, "gid=", 4) == 0;

	if (!user->present && b->options->no_tty_group && devpts && strcmp(option, "gid=5") == 0)
		return 1;
	if (!b->options->rootless || !user->present || user->path || !(uid || gid) ||
	    is_mapped(uid ? c->uid_maps : c->gid_maps, uid ? c->uid_maps_count : c->gid_maps_count,
		      option + 4))
		return 0;
	if (gid && devpts) {
		log_debug("mounts[%zu].options: %s is left out, as it is not mapped", index,
			  option);
		return 1;
	}
	return err_say(err, EINVAL,
		       "mounts[%zu].options: cannot specify %s= mount options for unmapped %s in "
		       "rootless containers",
		       index, uid ? "uid" : "gid", uid ? "uid" : "gid");
}
