/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/secrets: their values come in, and never go out. */
#include <errno.h>

#include "scheduler/api/routes_owner.h"
#include "scheduler/master/master.h"

int call_need(const struct call *call, const char *query, const char **ret, struct err *err)
{
	*ret = http_query(call->request, query);
	return *ret ? 0
		    : err_say(err, EINVAL, "%s: ?%s= is missing", http_path(call->request), query);
}

static void answer_name(const struct call *call)
{
	json_open_object(call->w);
	json_field_string(call->w, "secret", call->name);
	json_close_object(call->w);
}

int get_secrets(const struct call *call, struct err *err)
{
	(void)err;
	master_write_secrets(call->master, call->w);
	return 0;
}

int put_secret(const struct call *call, struct err *err)
{
	const char *owner, *value;
	size_t len;

	err_try(call_need(call, "owner", &owner, err));
	value = http_body(call->request, &len);
	err_try(master_set_secret(call->master, call->caller, owner, call->name, value, len, err));
	answer_name(call);
	return 0;
}

int delete_secret(const struct call *call, struct err *err)
{
	const char *owner;

	err_try(call_need(call, "owner", &owner, err));
	err_try(master_remove_secret(call->master, call->caller, owner, call->name, err));
	answer_name(call);
	return 0;
}
