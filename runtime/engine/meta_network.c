/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/meta_network.h"

#include "base/cleanup.h"

void meta_network_format(struct json_writer *w, const struct meta_network *net)
{
	if (!net->address6 && !net->mac && !net->aliases && !net->joined)
		return;
	json_key(w, "net");
	json_open_object(w);
	json_field_string(w, "address6", net->address6);
	json_field_string(w, "gateway6", net->gateway6);
	json_field_string(w, "mac", net->mac);
	if (net->aliases)
		json_field_strings(w, "aliases", net->aliases);
	json_field_string(w, "joined", net->joined);
	json_close_object(w);
}

int meta_network_read(const struct json_node *root, struct arena *arena, struct meta_network *ret,
		      struct err *err)
{
	const struct {
		const char *key;
		const char **field;
	} strings[] = {
		{ "address6", &ret->address6 },
		{ "gateway6", &ret->gateway6 },
		{ "mac", &ret->mac },
		{ "joined", &ret->joined },
	};
	struct json_node net;
	size_t count;
	int r = json_get_object(root, "net", &net, err);

	if (r <= 0)
		return r;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(strings); i++)
		r = json_get_string(&net, strings[i].key, arena, strings[i].field, err);
	if (r >= 0)
		r = json_get_strings(&net, "aliases", arena, &ret->aliases, &count, err);
	return r < 0 ? r : 0;
}
