/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/oci_state.h"

#include <errno.h>

#include "base/json.h"

int oci_state_format(const struct oci_state *s, bool pretty, char **ret, size_t *ret_len,
		     struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(pretty);
	char *text;

	if (!w)
		return err_set(err, ENOMEM, "write state");
	json_open_object(w);
	json_field_string(w, "ociVersion", s->oci_version ? s->oci_version : OCI_VERSION);
	json_field_string(w, "id", s->id);
	json_field_string(w, "status", oci_status_name(s->status));
	/* runc prints "pid": 0 for a stopped container, and its callers read it. */
	json_field_i64(w, "pid", s->status == OCI_STOPPED ? 0 : s->pid);
	json_field_string(w, "bundle", s->bundle);
	json_field_string(w, "rootfs", s->rootfs);
	json_field_string(w, "created", s->created);
	if (s->annotations_count > 0) {
		json_key(w, "annotations");
		json_open_object(w);
		for (size_t i = 0; i < s->annotations_count; i++)
			json_field_string(w, s->annotations[i].key, s->annotations[i].value);
		json_close_object(w);
	}
	json_field_string(w, "owner", s->owner);
	json_close_object(w);
	text = json_writer_take(w, ret_len);
	if (!text)
		return err_set(err, ENOMEM, "write state");
	*ret = text;
	return 0;
}
