/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/config_devices.h"

#include <errno.h>
#include <string.h>

#include "runtime/engine/security_words.h"

static size_t count_strings(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/*
 * Devices that every container may use are the runtime's business; this is the rest. Of rules the
 * later one counts.
 */
static int build_rules(const struct config_input *in, struct oci_config *config, struct err *err)
{
	const struct engine_security *security = &in->options->security;
	size_t asked = count_strings(security->device_rules), count = 1;
	struct oci_device_rule *rules =
		arena_calloc(config->arena, 1 + in->asked_devices_count + asked, sizeof(*rules));

	if (!rules)
		return err_set(err, ENOMEM, "build device rules");
	rules[0] = (struct oci_device_rule){
		.allow = security->privileged,
		.type = 'a',
		.major = -1,
		.minor = -1,
		.read = true,
		.write = true,
		.mknod = true,
	};
	for (size_t i = 0; i < in->asked_devices_count; i++) {
		const struct host_device *d = &in->asked_devices[i];

		rules[count++] = (struct oci_device_rule){
			.allow = true,
			.type = d->node.type,
			.major = d->node.major,
			.minor = d->node.minor,
			.read = d->read,
			.write = d->write,
			.mknod = d->mknod,
		};
	}
	for (size_t i = 0; i < asked; i++)
		err_try(security_parse_rule(security->device_rules[i], &rules[count++], err));
	config->resources.devices = rules;
	config->resources.devices_count = count;
	return 0;
}

int config_devices_build(const struct config_input *in, struct oci_config *config, struct err *err)
{
	size_t all = in->options->security.privileged ? in->host_devices_count : 0, count = 0;
	struct oci_device *nodes =
		arena_calloc(config->arena, all + in->asked_devices_count + 1, sizeof(*nodes));

	if (!nodes)
		return err_set(err, ENOMEM, "build devices");
	for (; count < all; count++)
		nodes[count] = in->host_devices[count];
	for (size_t i = 0; i < in->asked_devices_count; i++) {
		size_t at = 0;

		while (at < count && strcmp(nodes[at].path, in->asked_devices[i].node.path) != 0)
			at++;
		nodes[at] = in->asked_devices[i].node;
		count += at == count;
	}
	config->devices = nodes;
	config->devices_count = count;
	return build_rules(in, config, err);
}
