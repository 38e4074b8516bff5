/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/detach_keys.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* One key of the list; its end, or NULL. */
static const char *parse_key(const char *text, char *ret)
{
	size_t len = strcspn(text, ",");

	if (len == 1) {
		*ret = *text;
		return text + 1;
	}
	if (len != 6 || strncmp(text, "ctrl-", 5) != 0 ||
	    !strchr("abcdefghijklmnopqrstuvwxyz@[\\]^_", text[5]))
		return NULL;
	*ret = (char)(text[5] & 0x1f);
	return text + len;
}

int detach_keys_parse(const char *text, struct detach_keys *ret, struct err *err)
{
	struct detach_keys keys = { 0 };
	const char *p = text;

	while (*p) {
		p = keys.count < DETACH_KEYS_MAX ? parse_key(p, &keys.keys[keys.count++]) : NULL;
		if (!p || (*p == ',' && !*++p))
			return err_say(
				err, EINVAL,
				"\"%s\" are no keys; write them as ctrl-p,ctrl-q, at most %d", text,
				DETACH_KEYS_MAX);
	}
	*ret = keys;
	return 0;
}

bool detach_keys_filter(struct detach_keys *keys, char *data, size_t *len)
{
	char in[PIPE_BUF];
	size_t count = *len, out = 0;

	if (!keys->count || count > sizeof(in))
		return false;
	memcpy(in, data, count);
	for (size_t i = 0; i < count; i++) {
		if (in[i] == keys->keys[keys->matched]) {
			if (++keys->matched == keys->count) {
				*len = out;
				return true;
			}
			continue;
		}
		memcpy(data + out, keys->keys, keys->matched);
		out += keys->matched;
		keys->matched = in[i] == keys->keys[0];
		if (!keys->matched)
			data[out++] = in[i];
	}
	*len = out;
	return false;
}
