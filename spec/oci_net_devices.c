/* SPDX-License-Identifier: Apache-2.0 */
/* linux.netDevices: interfaces of the host that move into the container. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "spec/oci_parse.h"

/* As the kernel judges names. */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strcspn(name, "/: \t\n\v\f\r") == len;
}

/* With one %d the kernel chooses the number. */
static bool is_template(const char *name)
{
	const char *percent = strchr(name, '%');

	return !percent || (percent[1] == 'd' && !strchr(percent + 1, '%'));
}

static int parse_device(const struct json_node *node, struct arena *arena, void *ret,
			struct err *err)
{
	struct oci_net_device *device = ret;
	struct json_node name;
	int r;

	err_try(json_object(node, err));
	if (!is_name(node->key) || strchr(node->key, '%'))
		return json_bad(node, err, "\"%s\" cannot be the name of an interface", node->key);
	device->host_name = arena_strdup(arena, node->key);
	if (!device->host_name)
		return err_set(err, ENOMEM, "read netDevices");
	r = json_get_string(node, "name", arena, &device->name, err);
	if (r <= 0)
		return r;
	if (device->name[0] == '\0') {
		device->name = NULL;
		return 0;
	}
	if (is_name(device->name) && is_template(device->name))
		return 0;
	json_get(node, "name", &name, err);
	return json_bad(&name, err,
			"\"%s\" cannot be the name of an interface (1 to 15 bytes, no '/', ':' or "
			"white space, at most one %%d)",
			device->name);
}

int oci_parse_net_devices(const struct json_node *node, struct oci_config *c, struct err *err)
{
	return oci_parse_map(node, "netDevices", c->arena, sizeof(struct oci_net_device),
			     parse_device, &c->net_devices, &c->net_devices_count, err);
}

void oci_put_net_devices(struct json_writer *w, const struct oci_config *c)
{
	if (c->net_devices_count == 0)
		return;
	json_key(w, "netDevices");
	json_open_object(w);
	for (size_t i = 0; i < c->net_devices_count; i++) {
		json_key(w, c->net_devices[i].host_name);
		json_open_object(w);
		json_field_string(w, "name", c->net_devices[i].name);
		json_close_object(w);
	}
	json_close_object(w);
}
