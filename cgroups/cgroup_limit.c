/* SPDX-License-Identifier: Apache-2.0 */
/* Writing one limit, or two that bound each other. */
#include "cgroups/cgroup_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/cgroup_v2.h"

int cgroup_limit_bad(const char *field, struct err *err, int code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_say(err, code, "linux.resources.%s: %s", field, text);
}

struct cgroup_setting cgroup_setting_i64(const char *field, const char *file, int64_t value,
					 const char *unlimited)
{
	struct cgroup_setting s = { .field = field, .file = file };

	if (value < 0)
		snprintf(s.value, sizeof(s.value), "%s", unlimited);
	else
		snprintf(s.value, sizeof(s.value), "%" PRId64, value);
	return s;
}

struct cgroup_setting cgroup_setting_u64(const char *field, const char *file, uint64_t value)
{
	struct cgroup_setting s = { .field = field, .file = file };

	snprintf(s.value, sizeof(s.value), "%" PRIu64, value);
	return s;
}

static const char *text_of(const struct cgroup_setting *s)
{
	return s->text ? s->text : s->value;
}

static int limit_failed(const struct cgroup_target *t, const struct cgroup_setting *s, int code,
			struct err *err)
{
	char path[CGROUP_PATH_MAX];

	if (code == ENOENT)
		return cgroup_limit_bad(s->field, err, EOPNOTSUPP, "this kernel has no %s",
					s->file);
	err_set(err, code, "write '%s' to %s", text_of(s),
		cgroup_file_path(t->cgroup, t->hierarchy, s->file, path));
	return err_add(err, "linux.resources.%s", s->field);
}

/* ret_told: err holds the sentence already, because a controller could not be had. */
static int try_set(const struct cgroup_target *t, const struct cgroup_setting *s, bool *ret_told,
		   struct err *err)
{
	int r = cgroup_file_write(t->cgroup, t->hierarchy, s->file, text_of(s));

	*ret_told = false;
	if (r != -ENOENT || !t->cgroup->mounts->hierarchies[t->hierarchy].v2)
		return r;
	r = cgroup_v2_require(t->cgroup, t->controller, s->field, err);
	*ret_told = r < 0;
	return r < 0 ? r : cgroup_file_write(t->cgroup, t->hierarchy, s->file, text_of(s));
}

int cgroup_limit_set(const struct cgroup_target *t, const struct cgroup_setting *s, struct err *err)
{
	bool told = false;
	int r = s->field ? try_set(t, s, &told, err) : 0;

	return r < 0 && !told ? limit_failed(t, s, -r, err) : r;
}

int cgroup_limit_set_pair(const struct cgroup_target *t, const struct cgroup_setting *first,
			  const struct cgroup_setting *second, struct err *err)
{
	bool told = false;
	int r = first->field ? try_set(t, first, &told, err) : 0;

	if (r == -EINVAL && second->field) {
		r = cgroup_limit_set(t, second, err);
		return r < 0 ? r : cgroup_limit_set(t, first, err);
	}
	if (r < 0)
		return told ? r : limit_failed(t, first, -r, err);
	return cgroup_limit_set(t, second, err);
}
