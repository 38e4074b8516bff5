/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports, for people and for --format json. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd/ctr/show.h"

#define EVERY "0.0.0.0" /* as people know it from other programs; IPv6 is meant too */

static const char *kind_of(const struct publish_port *p)
{
	return p->udp ? "udp" : "tcp";
}

/* How many from the first on count up together. */
static size_t run_length(const struct publish_port *p, size_t count)
{
	size_t n = 1;

	while (n < count && p[n].host && p[n].host == p->host + n &&
	       p[n].container == p->container + n && p[n].udp == p->udp &&
	       strcmp(p[n].address, p->address) == 0)
		n++;
	return n;
}

char *show_ports(const struct publish_list *list)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	char host[PUBLISH_TEXT_SIZE];

	for (size_t i = 0, n; i < list->count; i += n) {
		struct publish_port p = list->items[i];

		n = run_length(&list->items[i], list->count - i);
		if (n > 1)
			p.host_last = (uint16_t)(p.host + n - 1);
		strbuf_addf(&sb, "%s%s->%u", i ? ", " : "", publish_format_host(&p, EVERY, host),
			    p.container);
		if (n > 1)
			strbuf_addf(&sb, "-%u", (unsigned)(p.container + n - 1));
		strbuf_addf(&sb, "/%s", kind_of(&p));
	}
	return strbuf_take(&sb);
}

void show_ports_json(struct json_writer *w, const struct publish_list *list)
{
	json_key(w, "ports");
	json_open_array(w);
	for (size_t i = 0; i < list->count; i++) {
		const struct publish_port *p = &list->items[i];

		json_open_object(w);
		json_field_string(w, "address", *p->address ? p->address : EVERY);
		json_field_u64(w, "host", p->host);
		json_field_u64(w, "container", p->container);
		json_field_string(w, "protocol", kind_of(p));
		json_close_object(w);
	}
	json_close_array(w);
}
