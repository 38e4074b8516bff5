/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a folder of the tree being unpacked: by openat2 where it is plain, else on foot. */
#include "storage/unpack_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "storage/disk.h"
#include "storage/opaque.h"
#include "storage/unpack.h"
#include "storage/unpack_lower.h"

#define LINKS_MAX 40

/* A walk in progress. */
struct walk {
	struct unpack_tree *tree;
	bool make;
	int fd;		     /* owned: the folder we stand in */
	char at[PATH_MAX];   /* its real path */
	char rest[PATH_MAX]; /* what is still to go */
	unsigned links;
	struct err *err;
};

int unpack_tree_init(struct unpack_tree *tree, int root_fd, const int *lower_fds,
		     size_t lower_count, const char *store_root, struct err *err)
{
	memset(tree, 0, sizeof(*tree));
	tree->folder_fd = -1;
	tree->stack_fds = calloc(lower_count + 1, sizeof(*tree->stack_fds));
	if (!tree->stack_fds)
		return err_set(err, ENOMEM, "unpack layer");
	tree->root_fd = tree->stack_fds[0] = root_fd;
	for (size_t i = 0; i < lower_count; i++)
		tree->stack_fds[i + 1] = lower_fds[i];
	tree->stack_count = lower_count + 1;
	tree->store_root = store_root;
	tree->made_max = UNPACK_ENTRIES_MAX;
	return 0;
}

int unpack_tree_count(struct unpack_tree *tree, struct err *err)
{
	if (tree->made++ < tree->made_max)
		return 0;
	return err_say(err, EFBIG, "more than the limit of %llu files in one layer",
		       (unsigned long long)tree->made_max);
}

static void forget_folder(struct unpack_tree *tree)
{
	cleanup_fd(&tree->folder_fd);
	tree->folder_fd = -1;
}

void unpack_tree_deinit(struct unpack_tree *tree)
{
	forget_folder(tree);
	for (size_t i = 0; i < tree->mtimes_count; i++)
		free(tree->mtimes[i].path);
	free(tree->mtimes);
	free(tree->stack_fds);
}

static int open_plain(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static unsigned depth_of(const char *path)
{
	unsigned depth = *path != '\0';

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

int unpack_set_opaque(int dir_fd)
{
	return fsetxattr(dir_fd, opaque_mark(), "y", 1, 0) < 0 ? -errno : 0;
}

static int walk_fail(struct walk *walk, int code, const char *name)
{
	if (!walk->make && (code == ENOENT || code == ENOTDIR))
		return -code;
	return store_set_error(walk->err, walk->tree->store_root, code, "make folder %s%s%s",
			       walk->at, *walk->at ? "/" : "", name);
}

static int walk_up(struct walk *walk)
{
	char *slash = strrchr(walk->at, '/');
	int fd;

	if (slash)
		*slash = '\0';
	else
		walk->at[0] = '\0';
	fd = open_plain(walk->tree->root_fd, walk->at);
	if (fd < 0)
		return walk_fail(walk, -fd, "..");
	close(walk->fd);
	walk->fd = fd;
	return 0;
}

static int walk_down(struct walk *walk, const char *name)
{
	int fd = openat(walk->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = strlen(walk->at);

	if (fd < 0)
		return walk_fail(walk, errno, name);
	close(walk->fd);
	walk->fd = fd;
	if (len + strlen(name) + 2 > sizeof(walk->at) || depth_of(walk->at) >= UNPACK_DEPTH_MAX)
		return walk_fail(walk, ENAMETOOLONG, name);
	sprintf(walk->at + len, "%s%s", len ? "/" : "", name);
	return 0;
}

/* A symlink's target goes in front of what is left; "/" is the tree. */
static int walk_link(struct walk *walk, const char *target, const char *name)
{
	char rest[PATH_MAX];

	if (++walk->links > LINKS_MAX)
		return walk_fail(walk, ELOOP, name);
	if ((size_t)snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest) >= sizeof(rest))
		return walk_fail(walk, ENAMETOOLONG, name);
	memcpy(walk->rest, rest, sizeof(rest));
	if (*target != '/')
		return 0;
	walk->at[0] = '\0';
	return walk_up(walk);
}

/* Makes a folder that no entry was given for; a folder of the layers below is its model. */
static int walk_make(struct walk *walk, const char *name, const struct stat *model, bool opaque)
{
	int r;

	if (!walk->make)
		return -ENOENT;
	err_try(unpack_tree_count(walk->tree, walk->err));
	if (mkdirat(walk->fd, name, 0700) < 0)
		return walk_fail(walk, errno, name);
	r = walk_down(walk, name);
	if (r < 0)
		return r;
	if (model && fchown(walk->fd, model->st_uid, model->st_gid) < 0)
		return walk_fail(walk, errno, ".");
	if (fchmod(walk->fd, model ? model->st_mode & 07777 : 0755) < 0)
		return walk_fail(walk, errno, ".");
	if (opaque && (r = unpack_set_opaque(walk->fd)) < 0)
		return walk_fail(walk, -r, ".");
	return 0;
}

static int walk_missing(struct walk *walk, const char *name)
{
	struct unpack_lower lower;
	char path[PATH_MAX];
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s%s%s", walk->at, *walk->at ? "/" : "", name) >=
	    sizeof(path))
		return walk_fail(walk, ENAMETOOLONG, name);
	r = unpack_lower_find(walk->tree->stack_fds, walk->tree->stack_count, path, &lower);
	if (r < 0)
		return walk_fail(walk, -r, name);
	if (r == 1 && S_ISLNK(lower.st.st_mode))
		return walk_link(walk, lower.target, name);
	if (r == 0 || !S_ISDIR(lower.st.st_mode))
		return walk_make(walk, name, NULL, false);
	r = walk_make(walk, name, &lower.st, false);
	if (r < 0)
		return r;
	return unpack_tree_note_mtime(walk->tree, walk->at, "", lower.st.st_mtim, walk->err);
}

static int walk_step(struct walk *walk, const char *name)
{
	struct stat st;

	if (strcmp(name, "..") == 0)
		return walk_up(walk);
	if (fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? walk_missing(walk, name) : walk_fail(walk, errno, name);
	if (S_ISLNK(st.st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(walk->fd, name, target, sizeof(target) - 1);

		if (n < 0)
			return walk_fail(walk, errno, name);
		target[n] = '\0';
		return walk_link(walk, target, name);
	}
	/* A whiteout of this layer, and now something below it: the folder is a new one. */
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0) && walk->make) {
		if (unlinkat(walk->fd, name, 0) < 0)
			return walk_fail(walk, errno, name);
		return walk_make(walk, name, NULL, true);
	}
	return walk_down(walk, name);
}

static int walk_run(struct walk *walk)
{
	while (walk->rest[0]) {
		size_t skip = strspn(walk->rest, "/"), len = strcspn(walk->rest + skip, "/");
		char name[NAME_MAX + 1];

		if (len > NAME_MAX)
			return walk_fail(walk, ENAMETOOLONG, walk->rest);
		memcpy(name, walk->rest + skip, len);
		name[len] = '\0';
		memmove(walk->rest, walk->rest + skip + len, strlen(walk->rest + skip + len) + 1);
		if (len > 0 && strcmp(name, ".") != 0) {
			int r = walk_step(walk, name);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int find_on_foot(struct unpack_tree *tree, const char *path, bool make, struct err *err)
{
	struct walk walk = { .tree = tree, .make = make, .err = err };
	int r;

	walk.fd = open_plain(tree->root_fd, "");
	if (walk.fd < 0)
		return err_set(err, -walk.fd, "open the layer's folder");
	snprintf(walk.rest, sizeof(walk.rest), "%s", path);
	r = walk_run(&walk);
	if (r < 0) {
		close(walk.fd);
		return r;
	}
	memcpy(tree->folder_path, walk.at, sizeof(walk.at));
	return walk.fd;
}

int unpack_tree_folder(struct unpack_tree *tree, const char *path, bool make, struct err *err)
{
	int fd;

	if (tree->folder_fd >= 0 && strcmp(tree->folder_asked, path) == 0)
		return tree->folder_fd;
	forget_folder(tree);
	if (strlen(path) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "folder %.100s...", path);
	fd = depth_of(path) <= UNPACK_DEPTH_MAX ? open_plain(tree->root_fd, path) : -1;
	if (fd >= 0) {
		memcpy(tree->folder_path, path, strlen(path) + 1);
	} else {
		fd = find_on_foot(tree, path, make, err);
		if (fd < 0)
			return fd;
	}
	memcpy(tree->folder_asked, path, strlen(path) + 1);
	tree->folder_fd = fd;
	return fd;
}

int unpack_tree_note_mtime(struct unpack_tree *tree, const char *folder, const char *name,
			   struct timespec mtime, struct err *err)
{
	char *path;

	if (tree->mtimes_count == tree->mtimes_size) {
		size_t size = tree->mtimes_size ? tree->mtimes_size * 2 : 256;
		void *grown = reallocarray(tree->mtimes, size, sizeof(*tree->mtimes));

		if (!grown)
			return err_set(err, ENOMEM, "unpack layer");
		tree->mtimes = grown;
		tree->mtimes_size = size;
	}
	if (asprintf(&path, "%s%s%s", folder, *folder && *name ? "/" : "", name) < 0)
		return err_set(err, ENOMEM, "unpack layer");
	tree->mtimes[tree->mtimes_count++] = (struct unpack_mtime){ path, mtime };
	return 0;
}

int unpack_tree_set_mtimes(struct unpack_tree *tree, struct err *err)
{
	for (size_t i = 0; i < tree->mtimes_count; i++) {
		const struct unpack_mtime *m = &tree->mtimes[i];
		struct timespec times[2] = { m->mtime, m->mtime };
		_cleanup_fd_ int fd = open_plain(tree->root_fd, m->path);

		/* A later entry may have replaced it by what is no folder. */
		if (fd < 0)
			continue;
		if (futimens(fd, times) < 0)
			return err_set(err, errno, "set the time of %s", m->path);
	}
	return 0;
}
