/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. Layers are put together by the kernel's overlay, not by us. So that the
 * mount is nobody's business and cannot be left behind, a child makes it (mount_child.h): 1 the
 * image, read-only; 2 the target found as the container will find it, symlinks staying inside; 3
 * copy. The parent holds the volume's lock, and the child dies with it.
 */
#include "runtime/engine/volume_fill.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/mount_child.h"
#include "storage/tree_copy.h"

struct job {
	const struct volume_fill *fill;
	const char *options; /* of the overlay, or the path of a single folder below the store */
	bool single;
	int tree_fd, links_fd;
};

/* Returns the image's root folder. */
static int mount_image(const struct job *job, struct err *err)
{
	const char *root = store_root(job->fill->store);
	int fd;

	if (chdir(root) < 0)
		return err_set(err, errno, "enter folder %s", root);
	if (job->single) {
		fd = open(job->options, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? err_set(err, errno, "open layer %s", job->options) : fd;
	}
	if (mount("overlay", job->fill->mountpoint, "overlay", MS_RDONLY | MS_NOEXEC | MS_NODEV,
		  job->options) < 0)
		return err_set(err, errno, "mount the image");
	return dir_open(AT_FDCWD, job->fill->mountpoint, err);
}

/* In the child. 1: there is nothing to copy. */
static int copy(const void *data, struct err *err)
{
	const struct job *job = data;
	const char *target = job->fill->target;
	_cleanup_fd_ int root = mount_image(job, err), found = -1, folder = -1;
	struct stat st;

	if (root < 0)
		return root;
	found = path_open_in_root(root, target, O_PATH, 0);
	if (found == -ENOENT || found == -ENOTDIR)
		return 1;
	if (found < 0 || fstat(found, &st) < 0)
		return err_set(err, found < 0 ? -found : errno, "find %s in the image", target);
	if (!S_ISDIR(st.st_mode))
		return err_say(err, ENOTDIR,
			       "%s is a file in the image, and a volume is a folder; mount a file "
			       "of the host there",
			       target);
	folder = dir_open(found, ".", err);
	return folder < 0 ? folder : tree_copy(folder, job->tree_fd, job->links_fd, err);
}

int volume_fill(struct volume *volume, const struct volume_fill *fill, struct arena *arena,
		struct err *err)
{
	_cleanup_fd_ int tree_fd = -1, links_fd = -1;
	struct job job = { .fill = fill };
	int r = store_overlay_lowers(fill->store, fill->image, arena, &job.options, err);

	if (r < 0)
		return r;
	job.single = r == 1;
	r = volume_fill_begin(volume, &tree_fd, &links_fd, err);
	if (r < 0)
		return r;
	job.tree_fd = tree_fd;
	job.links_fd = links_fd;
	r = mount_child_run(copy, &job, err);
	if (r == 0)
		return volume_fill_end(volume, err);
	/* What stays the next who opens the volume drops. */
	volume_fill_drop(volume, NULL);
	return r < 0 ? r : 0;
}
