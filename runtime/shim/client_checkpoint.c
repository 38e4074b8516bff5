/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "runtime/shim/client_call.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"

int shim_checkpoint(struct shim_client *client, const char *id, const char *folder, int patience_s,
		    struct err *err)
{
	Task__CheckpointRequest request = TASK__CHECKPOINT_REQUEST__INIT;
	Options__RuncCheckpoint how = OPTIONS__RUNC_CHECKPOINT__INIT;
	Pb__Any any = PB__ANY__INIT;
	int r;

	how.exit = true;
	how.file_locks = true;
	if (proto_pack_any(&how, "containerd.runc.v1.CheckpointOptions", &any) < 0)
		return err_set(err, ENOMEM, "checkpoint container %s", id);
	request.id = proto_string(id);
	request.path = proto_string(folder);
	request.options = &any;
	r = shim_call_begin(client, "Checkpoint", &request, patience_s, err);
	free(any.value.data);
	return r < 0 ? r : shim_call_finish(client, NULL, NULL, err);
}
