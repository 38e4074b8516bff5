/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/inspect_each.h"

#include <errno.h>

#include "base/json.h"
#include "cmd/ctr/show.h"

int inspect_each(const struct verb *verb, const struct ctr *ctr, char **names, const char *format,
		 int (*fn)(struct engine *engine, const char *name, void *data, struct err *err),
		 struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	bool json;
	int status;

	err_try(show_parse_format(format, &json, err));
	if (!json)
		return err_say(err, EINVAL, "--format: only json makes sense here");
	if (!w)
		return err_set(err, ENOMEM, "inspect");
	json_open_array(w);
	status = ctr_for_names(verb, ctr, names, fn, w, err);
	if (status < 0)
		return status;
	json_close_array(w);
	err_try(show_json(w, err));
	return status;
}
