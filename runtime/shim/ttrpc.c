/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/ttrpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/shim/proto.h"
#include "runtime/shim/task.pb-c.h"

#define ERROR_DETAIL "cellar.shim.v1.ErrorDetail"

void ttrpc_header_parse(const void *data, struct ttrpc_header *ret)
{
	const uint8_t *p = data;
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	ret->length = ntohl(word);
	memcpy(&word, p + 4, sizeof(word));
	ret->stream = ntohl(word);
	ret->type = p[8];
	ret->flags = p[9];
}

void ttrpc_header_format(const struct ttrpc_header *header, uint8_t buf[static TTRPC_HEADER_SIZE])
{
	uint32_t word = htonl(header->length);

	memcpy(buf, &word, sizeof(word));
	word = htonl(header->stream);
	memcpy(buf + 4, &word, sizeof(word));
	buf[8] = header->type;
	buf[9] = header->flags;
}

enum ttrpc_code ttrpc_fail(struct err *err, enum ttrpc_code code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
		err->code = EIO;
	}
	return code;
}

static int pack_frame(const void *message, uint32_t stream, uint8_t type, struct strbuf *out)
{
	uint8_t header[TTRPC_HEADER_SIZE];
	size_t length = message ? protobuf_c_message_get_packed_size(message) : 0;

	if (length > TTRPC_MESSAGE_MAX)
		return -EMSGSIZE;
	ttrpc_header_format(&(struct ttrpc_header){ (uint32_t)length, stream, type, 0 }, header);
	strbuf_add(out, header, sizeof(header));
	if (length)
		proto_pack(message, out);
	return strbuf_ok(out) ? 0 : -ENOMEM;
}

int ttrpc_pack_request(const struct ttrpc_call *call, uint32_t stream, struct strbuf *out,
		       struct err *err)
{
	_cleanup_strbuf_ struct strbuf payload = { 0 };
	Ttrpc__Metadata metadata = TTRPC__METADATA__INIT, *list[] = { &metadata };
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	int r;

	proto_pack(call->message, &payload);
	request.service = proto_string(call->service);
	request.method = proto_string(call->method);
	request.payload.data = (uint8_t *)payload.data;
	request.payload.len = payload.len;
	request.timeout_nano = call->timeout_ns;
	if (call->metadata_key) {
		metadata.key = proto_string(call->metadata_key);
		metadata.value = proto_string(call->metadata_value);
		request.metadata = list;
		request.n_metadata = 1;
	}
	r = strbuf_ok(&payload) ? pack_frame(&request, stream, TTRPC_REQUEST, out) : -ENOMEM;
	return r < 0 ? err_set(err, -r, "pack the call %s", call->method) : 0;
}

static int pack_error(uint32_t stream, enum ttrpc_code code, const struct err *why,
		      struct strbuf *out)
{
	uint8_t number[12];
	Task__ErrorDetail detail = TASK__ERROR_DETAIL__INIT;
	Pb__Any any = PB__ANY__INIT, *details[] = { &any };
	Pb__Status status = PB__STATUS__INIT;
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;

	detail.error_number = why ? why->code : EIO;
	any.type_url = proto_string(ERROR_DETAIL);
	any.value.data = number;
	any.value.len = task__error_detail__pack(&detail, number);
	status.code = code;
	status.message = proto_string(why ? why->text : "");
	status.details = details;
	status.n_details = 1;
	response.status = &status;
	return pack_frame(&response, stream, TTRPC_RESPONSE, out);
}

int ttrpc_pack_response(uint32_t stream, enum ttrpc_code code, const void *message,
			const struct err *why, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf payload = { 0 };
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;

	if (code != TTRPC_OK)
		return pack_error(stream, code, why, out);
	if (message)
		proto_pack(message, &payload);
	if (!strbuf_ok(&payload))
		return -ENOMEM;
	response.payload.data = (uint8_t *)payload.data;
	response.payload.len = payload.len;
	return pack_frame(&response, stream, TTRPC_RESPONSE, out);
}

/* The errno of a status: our own shims send it along, for others it follows from the code. */
static int status_errno(const Pb__Status *status)
{
	static const struct {
		int code, error;
	} known[] = {
		{ TTRPC_INVALID_ARGUMENT, EINVAL },   { TTRPC_DEADLINE_EXCEEDED, ETIMEDOUT },
		{ TTRPC_NOT_FOUND, ENOENT },	      { TTRPC_ALREADY_EXISTS, EEXIST },
		{ TTRPC_FAILED_PRECONDITION, EBUSY }, { TTRPC_UNIMPLEMENTED, ENOSYS },
	};
	int error = EIO;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (status->code == known[i].code)
			return known[i].error;
	for (size_t i = 0; i < status->n_details; i++) {
		_cleanup_proto_ Task__ErrorDetail *detail = NULL;

		if (proto_any_is(status->details[i], ERROR_DETAIL) &&
		    proto_unpack(&task__error_detail__descriptor, status->details[i]->value.data,
				 status->details[i]->value.len, &detail, NULL) == 0 &&
		    detail->error_number > 0 && detail->error_number < 4096)
			error = detail->error_number;
	}
	return error;
}

int ttrpc_check_response(const Ttrpc__Response *response, struct err *err)
{
	const Pb__Status *status = response->status;

	if (!status || status->code == TTRPC_OK)
		return 0;
	return err_say(err, status_errno(status), "%s",
		       *status->message ? status->message : "the shim gave no reason");
}

/* The deadline that the socket has. */
static int no_answer(struct err *err)
{
	return err_say(err, ETIMEDOUT, "its supervisor does not answer; is it stopped?");
}

int ttrpc_send(int fd, const void *data, size_t len, struct err *err)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return err_say(err, ECONNRESET, "the shim has ended");
		if (n < 0 && errno == EAGAIN)
			return no_answer(err);
		if (n < 0)
			return err_set(err, errno, "write to the shim");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive_exact(int fd, void *data, size_t len, struct err *err)
{
	char *p = data;

	while (len) {
		ssize_t n = recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return err_say(err, ECONNRESET, "the shim has ended");
		if (n < 0 && errno == EAGAIN)
			return no_answer(err);
		if (n < 0)
			return err_set(err, errno, "read from the shim");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int ttrpc_receive(int fd, struct ttrpc_header *ret, uint8_t **ret_data, struct err *err)
{
	uint8_t buf[TTRPC_HEADER_SIZE];
	struct ttrpc_header header;
	_cleanup_free_ uint8_t *data = NULL;
	int r = receive_exact(fd, buf, sizeof(buf), err);

	if (r < 0)
		return r;
	ttrpc_header_parse(buf, &header);
	if (header.length > TTRPC_MESSAGE_MAX)
		return err_say(err, EBADMSG, "the shim sent a frame of %u bytes", header.length);
	data = malloc(header.length + 1);
	if (!data)
		return err_set(err, ENOMEM, "read from the shim");
	r = receive_exact(fd, data, header.length, err);
	if (r < 0)
		return r;
	*ret = header;
	*ret_data = take_ptr(data);
	return 0;
}
