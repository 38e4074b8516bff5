/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/listener.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/container_struct.h"
#include "runtime/fd_socket.h"

static int format(const struct container *c, const struct oci_seccomp *profile, pid_t pid,
		  enum oci_status status, char **ret, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *state = NULL;
	struct json_node root;
	size_t len;

	err_try(container_state_as(c, status, false, &state, &len, err));
	err_try(json_parse(state, len, &doc, err));
	root = json_root(doc);
	if (!w)
		return err_set(err, ENOMEM, "describe the process to the seccomp agent");
	json_open_object(w);
	json_field_string(w, "ociVersion", OCI_VERSION);
	json_key(w, "fds");
	json_open_array(w);
	json_put_string(w, "seccompFd");
	json_close_array(w);
	json_field_i64(w, "pid", pid);
	json_field_string(w, "metadata", profile->listener_metadata);
	json_key(w, "state");
	json_put_value(w, &root);
	json_close_object(w);
	*ret = json_writer_take(w, &len);
	return *ret ? 0 : err_set(err, ENOMEM, "describe the process to the seccomp agent");
}

int listener_open(const struct container *c, const struct oci_seccomp *profile, pid_t pid,
		  enum oci_status status, int *ret_socket, char **ret_state, struct err *err)
{
	_cleanup_fd_ int socket =
		fd_socket_connect(profile->listener_path, "the seccomp agent", err);

	if (socket < 0)
		return err_add(err, "linux.seccomp.listenerPath");
	err_try(format(c, profile, pid, status, ret_state, err));
	*ret_socket = take_fd(&socket);
	return 0;
}
