/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/proto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Eight times the largest frame: more than any honest message needs. */
#define UNPACK_BUDGET (32u << 20)

static void *budget_alloc(void *data, size_t size)
{
	size_t *left = data;

	if (size > *left)
		return NULL;
	*left -= size;
	return malloc(size);
}

static void budget_free(void *data, void *p)
{
	(void)data;
	free(p);
}

int proto_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t len, void *ret,
		 struct err *err)
{
	size_t left = UNPACK_BUDGET;
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &left };
	ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, len, data);

	if (!message)
		return err_say(err, EBADMSG, "not a valid %s message (%zu bytes)", type->name, len);
	*(void **)ret = message;
	return 0;
}

void proto_free(void *message)
{
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
}

void proto_pack(const void *message, struct strbuf *out)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	_cleanup_free_ uint8_t *data = malloc(size ? size : 1);

	if (!data) {
		out->failed = true;
		return;
	}
	protobuf_c_message_pack(message, data);
	strbuf_add(out, data, size);
}

int proto_pack_any(const void *message, const char *type_url, Pb__Any *ret)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *data = malloc(size ? size : 1);

	if (!data)
		return -ENOMEM;
	protobuf_c_message_pack(message, data);
	*ret = (Pb__Any)PB__ANY__INIT;
	ret->type_url = proto_string(type_url);
	ret->value.data = data;
	ret->value.len = size;
	return 0;
}

int proto_any_is(const Pb__Any *any, const char *type_name)
{
	const char *slash = any ? strrchr(any->type_url, '/') : NULL;

	return any && !strcmp(slash ? slash + 1 : any->type_url, type_name);
}

void proto_set_time(Pb__Timestamp *timestamp, int64_t realtime_ns)
{
	timestamp->seconds = realtime_ns / 1000000000;
	timestamp->nanos = (int32_t)(realtime_ns % 1000000000);
}

int64_t proto_get_time(const Pb__Timestamp *timestamp)
{
	if (!timestamp || timestamp->seconds <= 0 ||
	    timestamp->seconds > INT64_MAX / 1000000000 - 1)
		return 0;
	return timestamp->seconds * 1000000000 + timestamp->nanos;
}
