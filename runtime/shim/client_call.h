/* SPDX-License-Identifier: Apache-2.0 */
/* One blocking call of the Task API; what client*.c is made of. */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"
#include "runtime/shim/client.h"
#include "runtime/shim/task.pb-c.h"

/* A Create that points into the options it was made of. */
struct shim_create_request {
	Task__CreateRequest message;
	Pb__Any options;
	Task__Mount *mounts, **list;
};

/* Released also after a failure. */
int shim_create_fill(const struct shim_create_options *options, struct shim_create_request *ret,
		     struct err *err);
void shim_create_release(struct shim_create_request *request);

/* type NULL: the answer's message is not wanted. ret: a message for proto_free(). */
int shim_call(struct shim_client *client, const char *method, const void *request,
	      const ProtobufCMessageDescriptor *type, void *ret, struct err *err);

/* A method of cellar.shim.v1.Supervisor; a shim that is older than it says -ENOSYS. */
int shim_call_own(struct shim_client *client, const char *method, const void *request,
		  int patience_s, struct err *err);

/* The two halves of it. patience_s: how long each may take; 0: for ever. */
int shim_call_begin(struct shim_client *client, const char *method, const void *request,
		    int patience_s, struct err *err);
int shim_call_finish(struct shim_client *client, const ProtobufCMessageDescriptor *type, void *ret,
		     struct err *err);
