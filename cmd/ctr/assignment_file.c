/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/assignment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define FILE_LIMIT (1 << 20)
#define BLANKS " \t\v\f\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct reader {
	struct arena *arena;
	enum assignment_bare bare;
	const char **items;
	size_t count, size;
};

static int append(struct reader *reader, const char *text, struct err *err)
{
	if (reader->count + 1 >= reader->size) {
		size_t size = reader->size ? 2 * reader->size : 32;
		const char **items = arena_calloc(reader->arena, size, sizeof(*items));

		if (!items)
			return err_set(err, ENOMEM, "read variables");
		if (reader->count)
			memcpy(items, reader->items, reader->count * sizeof(*items));
		reader->items = items;
		reader->size = size;
	}
	reader->items[reader->count++] = text;
	return 0;
}

static int take_bare(struct reader *reader, const char *name, struct err *err)
{
	const char *value;

	if (reader->bare == ASSIGNMENT_BARE_KEPT)
		return append(reader, name, err);
	value = getenv(name);
	if (!value)
		return 0;
	name = arena_printf(reader->arena, "%s=%s", name, value);
	return name ? append(reader, name, err) : err_set(err, ENOMEM, "read variables");
}

static int take_line(struct reader *reader, char *line, struct err *err)
{
	size_t len = strlen(line), name_len;

	if (len && line[len - 1] == '\r')
		line[len - 1] = '\0';
	line += strspn(line, BLANKS);
	if (!*line || *line == '#')
		return 0;
	name_len = strcspn(line, "=");
	if (!name_len)
		return err_say(err, EINVAL, "there is no name in front of the '='");
	if (strcspn(line, BLANKS) < name_len)
		return err_say(err, EINVAL, "there is a blank in the name '%.*s'", (int)name_len,
			       line);
	return line[name_len] ? append(reader, line, err) : take_bare(reader, line, err);
}

static int read_file(struct reader *reader, const char *path, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len, number = 1;
	char *copy, *line;

	err_try(file_read(AT_FDCWD, path, FILE_LIMIT, &text, &len, err));
	if (strlen(text) != len)
		return err_say(err, EINVAL, "%s: there is a NUL in it: it is no text", path);
	copy = arena_strdup(reader->arena, text);
	if (!copy)
		return err_set(err, ENOMEM, "read %s", path);
	if (strncmp(copy, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		copy += strlen(BYTE_ORDER_MARK);
	while ((line = strsep(&copy, "\n"))) {
		if (take_line(reader, line, err) < 0)
			return err_add(err, "%s: line %zu", path, number);
		number++;
	}
	return 0;
}

int assignment_files_read(const struct options_list *files, const struct options_list *words,
			  enum assignment_bare bare, struct arena *arena, const char *const **ret,
			  struct err *err)
{
	struct reader reader = { .arena = arena, .bare = bare };

	for (size_t i = 0; i < files->count; i++)
		err_try(read_file(&reader, files->items[i], err));
	for (size_t i = 0; i < words->count; i++)
		err_try(append(&reader, words->items[i], err));
	*ret = reader.items;
	return 0;
}
