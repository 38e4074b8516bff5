/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf-c with bounds and ownership: messages from outside are unpacked with a budget of memory,
 * because a frame of 4 MiB can describe millions of empty sub-messages.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "runtime/shim/common.pb-c.h"

/* A message of the given type, freed with proto_free(); -EBADMSG when the bytes are none. */
int proto_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t len, void *ret,
		 struct err *err);
void proto_free(void *message); /* takes NULL */

/* Appends the packed message; failure sticks to the strbuf. */
void proto_pack(const void *message, struct strbuf *out);

/* An Any that holds the message; any->value.data belongs to the caller. -ENOMEM. */
int proto_pack_any(const void *message, const char *type_url, Pb__Any *ret);

/* Compares the name behind the last '/' of a type URL. */
int proto_any_is(const Pb__Any *any, const char *type_name);

/* 0 (never) leaves the fields zero. */
void proto_set_time(Pb__Timestamp *timestamp, int64_t realtime_ns);
int64_t proto_get_time(const Pb__Timestamp *timestamp); /* takes NULL: 0 */

/* protobuf's strings are never NULL, and not const. */
static inline char *proto_string(const char *s)
{
	return (char *)(uintptr_t)(s ? s : "");
}

static inline void cleanup_proto(void *p)
{
	proto_free(*(void **)p);
}

#define _cleanup_proto_ _cleanup_(cleanup_proto)
