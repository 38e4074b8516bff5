/* SPDX-License-Identifier: Apache-2.0 */
/* Job files that come together: a walk along what each starts after, depth first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/intake/intake.h"

enum mark { UNSEEN, ON_THE_WAY, DONE };

struct walk {
	const struct job_file *files;
	size_t count;
	uint8_t *marks;
	size_t *order, ordered;
	struct err *err;
};

static const char *name_of(const struct job_file *file)
{
	return file->job ? file->job : file->alloc_set;
}

static int fail(const struct walk *w, size_t i, const struct job_place *at, int error,
		const char *what, const char *name)
{
	return err_say(w->err, error, "%s:%d:%d: %s: %s %s", w->files[i].file, at->line, at->column,
		       name_of(&w->files[i]), what, name);
}

static size_t find(const struct walk *w, const char *name)
{
	size_t i = 0;

	while (i < w->count && strcmp(name_of(&w->files[i]), name) != 0)
		i++;
	return i;
}

static int visit(struct walk *w, size_t i);

static int visit_named(struct walk *w, size_t i, const char *name, const struct job_place *at)
{
	size_t other = find(w, name);

	/* It may be in the cell already. */
	if (other == w->count || w->marks[other] == DONE)
		return 0;
	if (w->marks[other] == ON_THE_WAY)
		return fail(w, i, at, ELOOP, "it starts after itself, in a circle through", name);
	return visit(w, other);
}

static int visit(struct walk *w, size_t i)
{
	const struct job_file *file = &w->files[i];

	w->marks[i] = ON_THE_WAY;
	for (const char *const *after = file->after; after && *after; after++)
		err_try(visit_named(w, i, *after, &file->after_at));
	if (file->in)
		err_try(visit_named(w, i, file->in, &file->name_at));
	w->marks[i] = DONE;
	w->order[w->ordered++] = i;
	return 0;
}

int intake_order(const struct job_file *files, size_t count, size_t *ret_order, struct err *err)
{
	_cleanup_free_ uint8_t *marks = calloc(count + 1, sizeof(*marks));
	struct walk w = { files, count, marks, ret_order, 0, err };

	if (!marks)
		return err_set(err, ENOMEM, "put job files in order");
	for (size_t i = 0; i < count; i++)
		if (find(&w, name_of(&files[i])) != i)
			return fail(&w, i, &files[i].name_at, EEXIST,
				    "a second job of this name, after that in",
				    files[find(&w, name_of(&files[i]))].file);
	for (size_t i = 0; i < count; i++)
		if (w.marks[i] == UNSEEN)
			err_try(visit(&w, i));
	return 0;
}
