/* SPDX-License-Identifier: Apache-2.0 */
/* Create, put down for later, and sent again: BUNDLE/shim.create is the request as it was. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/shim/client_call.h"
#include "runtime/shim/journal.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/task.pb-c.h"

int shim_create_note(const struct shim_create_options *options, struct err *err)
{
	static const uint64_t no_pipes[3];
	_cleanup_(shim_create_release) struct shim_create_request request = { 0 };
	int r = shim_create_fill(options, &request, err);

	if (r == 0)
		r = journal_write_create(options->bundle, &request.message, no_pipes, err);
	return r;
}

/* Packed anew, because who stays with it is another. */
static int change_options(const Pb__Any *from, const struct shim_again_options *options,
			  Pb__Any *ret, struct err *err)
{
	_cleanup_proto_ Options__Cellar *own = NULL;
	char *criu;
	int r = proto_unpack(&options__cellar__descriptor, from->value.data, from->value.len, &own,
			     err);

	if (r < 0)
		return r;
	own->keep_stdin = options->keep_stdin;
	criu = own->criu_path;
	if (options->criu)
		own->criu_path = proto_string(options->criu);
	r = proto_pack_any(own, "cellar.shim.v1.Options", ret);
	own->criu_path = criu;
	return r < 0 ? err_set(err, ENOMEM, "create container") : 0;
}

int shim_create_again(struct shim_client *client, const struct shim_again_options *options,
		      pid_t *ret_pid, struct err *err)
{
	_cleanup_proto_ Journal__Create *create = NULL;
	_cleanup_proto_ Task__PidResponse *response = NULL;
	Pb__Any any = PB__ANY__INIT;
	Task__CreateRequest request;
	int r = journal_read_create(options->bundle, &create, err);

	if (r == 0 && !proto_any_is(create->request->options, "cellar.shim.v1.Options"))
		r = err_say(err, EBADMSG, "%s/" JOURNAL_CREATE " is not of a container of ctr",
			    options->bundle);
	if (r == 0)
		r = change_options(create->request->options, options, &any, err);
	if (r < 0)
		return r;
	request = *create->request;
	request.stdin = proto_string(options->stdin_path);
	request.stdout = proto_string(options->stdout_path);
	request.stderr = proto_string(options->stderr_path);
	request.options = &any;
	request.checkpoint = proto_string(options->checkpoint);
	r = shim_call(client, "Create", &request, &task__pid_response__descriptor, &response, err);
	free(any.value.data);
	if (r == 0)
		*ret_pid = (pid_t)response->pid;
	return r;
}
