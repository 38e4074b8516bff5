/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/client_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "runtime/shim/proto.h"
#include "runtime/shim/ttrpc.h"

struct shim_client {
	int fd;
	int patience_s;
	uint32_t stream; /* of the call under way, or the last one */
};

int shim_connect(const char *address, struct shim_client **ret, struct err *err)
{
	struct shim_client *client;
	int fd = ttrpc_connect(address, false, err);

	if (fd < 0)
		return fd;
	client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return err_set(err, ENOMEM, "connect to %s", address);
	}
	client->fd = fd;
	*ret = client;
	return 0;
}

struct shim_client *shim_close(struct shim_client *client)
{
	if (!client)
		return NULL;
	close(client->fd);
	free(client);
	return NULL;
}

int shim_fd(const struct shim_client *client)
{
	return client->fd;
}

static void set_patience(struct shim_client *client, int seconds)
{
	struct timeval time = { .tv_sec = seconds };

	if (client->patience_s == seconds)
		return;
	client->patience_s = seconds;
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

static int begin(struct shim_client *client, const char *service, const char *method,
		 const void *request, int patience_s, struct err *err)
{
	_cleanup_strbuf_ struct strbuf frame = { 0 };
	struct ttrpc_call call = {
		.service = service,
		.method = method,
		.message = request,
	};
	int r;

	set_patience(client, patience_s);
	client->stream = client->stream ? client->stream + 2 : 1;
	r = ttrpc_pack_request(&call, client->stream, &frame, err);
	if (r < 0)
		return r;
	return ttrpc_send(client->fd, frame.data, frame.len, err);
}

int shim_call_begin(struct shim_client *client, const char *method, const void *request,
		    int patience_s, struct err *err)
{
	return begin(client, "containerd.task.v3.Task", method, request, patience_s, err);
}

int shim_call_own(struct shim_client *client, const char *method, const void *request,
		  int patience_s, struct err *err)
{
	int r = begin(client, "cellar.shim.v1.Supervisor", method, request, patience_s, err);

	return r < 0 ? r : shim_call_finish(client, NULL, NULL, err);
}

/* The answer to the call under way; those to calls that were given up are skipped. */
static int receive(struct shim_client *client, Ttrpc__Response **ret, struct err *err)
{
	for (;;) {
		_cleanup_free_ uint8_t *data = NULL;
		struct ttrpc_header header;
		int r = ttrpc_receive(client->fd, &header, &data, err);

		if (r < 0)
			return r;
		if (header.type == TTRPC_RESPONSE && header.stream == client->stream)
			return proto_unpack(&ttrpc__response__descriptor, data, header.length, ret,
					    err);
	}
}

int shim_call_finish(struct shim_client *client, const ProtobufCMessageDescriptor *type, void *ret,
		     struct err *err)
{
	_cleanup_proto_ Ttrpc__Response *response = NULL;
	int r = receive(client, &response, err);

	if (r < 0)
		return r;
	r = ttrpc_check_response(response, err);
	if (r < 0 || !type)
		return r;
	return proto_unpack(type, response->payload.data, response->payload.len, ret, err);
}

/* What sets up processes runs hooks and the kernel's slow paths; Delete waits for output. */
static int patience(const char *method)
{
	static const char *const slow[] = { "Create", "Start", "Delete" };

	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		if (strcmp(method, slow[i]) == 0)
			return 120;
	return 10;
}

int shim_call(struct shim_client *client, const char *method, const void *request,
	      const ProtobufCMessageDescriptor *type, void *ret, struct err *err)
{
	int r = shim_call_begin(client, method, request, patience(method), err);

	return r < 0 ? r : shim_call_finish(client, type, ret, err);
}
