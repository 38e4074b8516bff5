/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's tar into a folder: the loop over its entries. */
#include "storage/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "storage/unpack_entry.h"
#include "storage/unpack_stream.h"
#include "storage/unpack_tree.h"

struct unpack {
	struct unpack_stream *stream;
	struct archive *tar;
	struct unpack_tree tree;
	struct unpack_limits limits;
	struct err err; /* of the stream, behind libarchive's back, or of an entry */
};

CLEANUP_DEFINE(struct archive, archive, archive_read_free);

static la_ssize_t read_stream(struct archive *tar, void *data, const void **ret)
{
	struct unpack *u = data;
	ssize_t n = unpack_stream_read(u->stream, ret, &u->err);

	if (n < 0)
		archive_set_error(tar, u->err.code, "%s", u->err.text);
	return n;
}

static int fail(struct unpack *u)
{
	const char *text;

	if (u->err.code)
		return -u->err.code;
	text = archive_error_string(u->tar);
	return err_say(&u->err, EBADMSG, "no layer's tar: %s", text ? text : "damaged");
}

/* Names come from strangers and go to a terminal. */
static void printable(const char *name, char *ret, size_t size)
{
	size_t i = 0;

	for (; name && name[i] && i < size - 1; i++)
		ret[i] = (unsigned char)name[i] < 32 || name[i] == 127 ? '?' : name[i];
	ret[i] = '\0';
}

static int take_entry(struct unpack *u, struct archive_entry *entry)
{
	struct unpack_entry e;
	char shown[200];
	int r;

	err_try(unpack_tree_count(&u->tree, &u->err));
	r = unpack_entry_read(u->tar, entry, u->limits.bytes_max, &e, &u->err);
	if (r == 0)
		r = unpack_entry_apply(&u->tree, &e, &u->err);
	if (r < 0) {
		printable(archive_entry_pathname(entry), shown, sizeof(shown));
		/* A full disk is no matter of this one file. */
		if (r == -ENOSPC || r == -EDQUOT)
			return r;
		return err_add(&u->err, "%s", shown);
	}
	return 0;
}

static int run(struct unpack *u)
{
	struct archive_entry *entry;
	int r;

	while ((r = archive_read_next_header(u->tar, &entry)) != ARCHIVE_EOF) {
		if (r < ARCHIVE_WARN)
			return fail(u);
		r = take_entry(u, entry);
		if (r < 0)
			return r;
	}
	return unpack_tree_set_mtimes(&u->tree, &u->err);
}

/* A layer without an entry for its root has the root of the layers below, which overlay would show
 * with the topmost layer's attributes. */
static int inherit_root(struct unpack *u)
{
	struct stat st;

	if (u->tree.stack_count < 2)
		return 0;
	if (fstat(u->tree.stack_fds[1], &st) < 0 ||
	    fchown(u->tree.root_fd, st.st_uid, st.st_gid) < 0 ||
	    fchmod(u->tree.root_fd, st.st_mode & 07777) < 0)
		return err_set(&u->err, errno, "set mode and owner of the layer's root");
	return unpack_tree_note_mtime(&u->tree, "", "", st.st_mtim, &u->err);
}

static int open_tar(struct unpack *u)
{
	if (archive_read_support_format_tar(u->tar) != ARCHIVE_OK ||
	    archive_read_support_format_empty(u->tar) != ARCHIVE_OK ||
	    archive_read_open(u->tar, u, NULL, read_stream, NULL) != ARCHIVE_OK)
		return fail(u);
	return 0;
}

static int unpack_stream_into(struct unpack *u, int fs_fd, const struct unpack_options *options)
{
	_cleanup_(cleanup_archive) struct archive *tar = archive_read_new();
	int r;

	u->tar = tar;
	if (!tar)
		return err_set(&u->err, ENOMEM, "unpack layer");
	r = unpack_tree_init(&u->tree, fs_fd, options->lower_fds, options->lower_count,
			     options->root, &u->err);
	u->tree.made_max = u->limits.entries_max;
	u->tree.plain = options->plain;
	if (r == 0)
		r = inherit_root(u);
	if (r == 0)
		r = open_tar(u);
	if (r == 0)
		r = run(u);
	unpack_tree_deinit(&u->tree);
	return r;
}

int unpack_layer(int blob_fd, int fs_fd, const struct unpack_options *options,
		 char ret_diff_id[static DIGEST_TEXT_SIZE], struct err *err)
{
	_cleanup_unpack_stream_ struct unpack_stream *stream = NULL;
	struct unpack u = {
		.limits = {
			options->entries_max ? options->entries_max : UNPACK_ENTRIES_MAX,
			options->bytes_max ? options->bytes_max : UNPACK_BYTES_MAX,
			options->ratio_max ? options->ratio_max : UNPACK_RATIO_MAX,
		},
	};
	/* Names are bytes: in the C locale libarchive can convert none of them, and leaves them. */
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
	int r;

	if (c == (locale_t)0)
		return err_set(err, ENOMEM, "unpack layer");
	before = uselocale(c);
	r = unpack_stream_open(blob_fd, &u.limits, &stream, &u.err);
	u.stream = stream;
	if (r == 0)
		r = unpack_stream_into(&u, fs_fd, options);
	if (r == 0)
		r = unpack_stream_finish(stream, ret_diff_id, &u.err);
	uselocale(before);
	freelocale(c);
	return r < 0 ? err_say(err, -r, "%s", u.err.text) : 0;
}
