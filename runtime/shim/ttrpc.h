/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttrpc: unary calls over a unix stream socket. A frame is a header of ten bytes (length, stream,
 * type, flags; big endian) and one protobuf message. Streams are odd numbers chosen by the client;
 * answers may come in any order. This file has what both sides share, and the blocking client side.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "runtime/shim/ttrpc.pb-c.h"

#define TTRPC_HEADER_SIZE 10
#define TTRPC_MESSAGE_MAX (4u << 20)

enum ttrpc_type { TTRPC_REQUEST = 1, TTRPC_RESPONSE = 2, TTRPC_DATA = 3 };

struct ttrpc_header {
	uint32_t length, stream;
	uint8_t type, flags;
};

void ttrpc_header_parse(const void *data, struct ttrpc_header *ret);
void ttrpc_header_format(const struct ttrpc_header *header, uint8_t buf[static TTRPC_HEADER_SIZE]);

/* The codes of google.rpc that this API uses. */
enum ttrpc_code {
	TTRPC_OK = 0,
	TTRPC_UNKNOWN = 2,
	TTRPC_INVALID_ARGUMENT = 3,
	TTRPC_DEADLINE_EXCEEDED = 4,
	TTRPC_NOT_FOUND = 5,
	TTRPC_ALREADY_EXISTS = 6,
	TTRPC_RESOURCE_EXHAUSTED = 8,
	TTRPC_FAILED_PRECONDITION = 9,
	TTRPC_UNIMPLEMENTED = 12,
};

/* Sets the sentence and returns the code, for handlers of calls. */
enum ttrpc_code ttrpc_fail(struct err *err, enum ttrpc_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One frame appended to out. timeout_ns 0: none. metadata_key NULL: none. */
struct ttrpc_call {
	const char *service, *method;
	const void *message; /* protobuf-c message */
	int64_t timeout_ns;
	const char *metadata_key, *metadata_value;
};

int ttrpc_pack_request(const struct ttrpc_call *call, uint32_t stream, struct strbuf *out,
		       struct err *err);

/* message NULL with TTRPC_OK: the empty answer. With another code err's text and errno go out. */
int ttrpc_pack_response(uint32_t stream, enum ttrpc_code code, const void *message,
			const struct err *why, struct strbuf *out);

/* Turns an answer into success (0) or its error as client.h describes. */
int ttrpc_check_response(const Ttrpc__Response *response, struct err *err);

/*
 * "unix://PATH" or an absolute path; abstract sockets are refused. Paths longer than a sockaddr
 * holds work too. connect: an O_NONBLOCK fd where asked; else it waits ten seconds at most while
 * the listener's queue is full (-ETIMEDOUT). listen: mode 0600, -EADDRINUSE as it is.
 */
int ttrpc_connect(const char *address, bool nonblock, struct err *err);
int ttrpc_listen(const char *path, struct err *err);

/* Blocking: writes a packed frame, reads the next one. -ECONNRESET when the other side has gone,
 * -ETIMEDOUT after the time that the socket was given (SO_RCVTIMEO, SO_SNDTIMEO).
 * ret_data (owned by the caller) may hold 0 bytes. */
int ttrpc_send(int fd, const void *data, size_t len, struct err *err);
int ttrpc_receive(int fd, struct ttrpc_header *ret, uint8_t **ret_data, struct err *err);
