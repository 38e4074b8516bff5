/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/pocket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "scheduler/agent/inside.h"

#define FOLDER ".cell"
/* Never to the disk, where the kernel has a word for that (6.4). */
#define TMPFS_OPTIONS "mode=0700,size=16m"

static int path_of(const struct agent *agent, uint64_t incarnation, char path[static PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/" FOLDER "/%" PRIu64, agent->options.runroot,
			incarnation) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

static int mount_memory(const char *path)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount("cellar", path, "tmpfs", flags, TMPFS_OPTIONS ",noswap") == 0 ||
	    mount("cellar", path, "tmpfs", flags, TMPFS_OPTIONS) == 0)
		return 0;
	return -errno;
}

static void unmake(const struct agent *agent, uint64_t incarnation)
{
	char path[PATH_MAX];

	if (path_of(agent, incarnation, path) < 0)
		return;
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	rmdir(path);
	/* It goes with the last one. */
	strrchr(path, '/')[0] = '\0';
	rmdir(path);
}

static int open_pocket(const struct box *box, struct err *err)
{
	char path[PATH_MAX];

	if (path_of(box->agent, box->incarnation, path) < 0)
		return err_set(err, ENAMETOOLONG, "open the folder of task %s", box->task);
	return dir_open(AT_FDCWD, path, err);
}

/* ---- secrets ---- */

static int write_secret(int dirfd, size_t i, const struct want_secret *secret, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	char name[32];

	if (!secret->value)
		return err_say(
			err, EBADMSG,
			"the master cannot read the secret for %s: it was sealed with another "
			"key",
			secret->target);
	snprintf(name, sizeof(name), "secrets/%zu", i);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0 || fd_write_all(fd, secret->value, secret->len) < 0 ||
	    ftruncate(fd, (off_t)secret->len) < 0)
		return err_set(err, errno, "write the secret for %s", secret->target);
	return 0;
}

static int write_secrets(int dirfd, const struct want *want, struct err *err)
{
	for (size_t i = 0; i < want->secret_count; i++)
		err_try(write_secret(dirfd, i, &want->secrets[i], err));
	return 0;
}

static int note_targets(struct box *box, const struct want *want)
{
	const char **targets = arena_calloc(box->arena, want->secret_count + 1, sizeof(*targets));

	for (size_t i = 0; targets && i < want->secret_count; i++)
		if (!(targets[i] = arena_strdup(box->arena, want->secrets[i].target)))
			return -ENOMEM;
	box->secret_targets = targets;
	box->secret_count = want->secret_count;
	return targets ? 0 : -ENOMEM;
}

/* ---- making ---- */

static int fill(struct box *box, const struct want *want, struct err *err)
{
	_cleanup_fd_ int dirfd = open_pocket(box, err);

	if (dirfd < 0)
		return dirfd;
	if (mkdirat(dirfd, "secrets", 0700) < 0 || mkdirat(dirfd, "api", 0755) < 0)
		return err_set(err, errno, "make the folder of task %s", box->task);
	if (note_targets(box, want) < 0)
		return err_set(err, ENOMEM, "make the folder of task %s", box->task);
	return write_secrets(dirfd, want, err);
}

int pocket_make(struct box *box, const struct want *want, struct err *err)
{
	char path[PATH_MAX];
	int r;

	if (!want->secret_count && !want->program->api)
		return 0;
	/* What an earlier agent did not come to start. */
	unmake(box->agent, box->incarnation);
	if (path_of(box->agent, box->incarnation, path) < 0)
		return err_set(err, ENAMETOOLONG, "make the folder of task %s", box->task);
	err_try(dir_create(AT_FDCWD, path, 0700, err));
	r = mount_memory(path);
	if (r < 0)
		err_set(err, -r, "mount a tmpfs at %s", path);
	else
		r = fill(box, want, err);
	if (r < 0) {
		unmake(box->agent, box->incarnation);
		return r;
	}
	box->has_pocket = true;
	box->secrets = want->secrets_version;
	return 0;
}

void pocket_update(struct box *box, const struct want *want)
{
	_cleanup_fd_ int dirfd = -1;
	struct err err = { 0 };

	if (!box->has_pocket || !want->secret_count || box->secrets == want->secrets_version)
		return;
	dirfd = open_pocket(box, &err);
	/* Told or not, it is tried again by the next answer. */
	if (dirfd < 0 || write_secrets(dirfd, want, &err) < 0) {
		log_warn("task %s: %s", box->task, err.text);
		return;
	}
	box->secrets = want->secrets_version;
	agent_changed(box->agent);
}

/* ---- into the container ---- */

size_t pocket_mount_count(const struct box *box)
{
	return box->has_pocket ? box->secret_count + box->program->api : 0;
}

int pocket_add_mounts(const struct box *box, struct arena *arena, struct engine_mount *mounts)
{
	char path[PATH_MAX];

	if (!box->has_pocket)
		return 0;
	if (path_of(box->agent, box->incarnation, path) < 0)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < pocket_mount_count(box); i++) {
		bool is_api = i == box->secret_count;

		mounts[i] = (struct engine_mount){
			.type = ENGINE_MOUNT_BIND,
			.source = is_api ? arena_printf(arena, "%s/api", path)
					 : arena_printf(arena, "%s/secrets/%zu", path, i),
			.target = is_api ? POCKET_API_TARGET : box->secret_targets[i],
			.readonly = true,
			.must_exist = true,
		};
		if (!mounts[i].source)
			return -ENOMEM;
	}
	return 0;
}

static int give_one(int dirfd, const char *name, const struct oci_config *config, struct err *err)
{
	const struct oci_user *user = &config->process.user;

	if (fchownat(dirfd, name, user->uid, user->gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
		return err_set(err, errno, "give %s to user %u", name, user->uid);
	return 0;
}

int pocket_give(const struct box *box, const char *dir, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_fd_ int dirfd = -1, bundle = -1;

	if (!box->has_pocket)
		return 0;
	bundle = dir_open(AT_FDCWD, dir, err);
	if (bundle < 0)
		return bundle;
	err_try(oci_config_load(bundle, "config.json", &config, err));
	dirfd = open_pocket(box, err);
	if (dirfd < 0)
		return dirfd;
	for (size_t i = 0; i < box->secret_count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "secrets/%zu", i);
		err_try(give_one(dirfd, name, config, err));
	}
	return give_one(dirfd, "api/token", config, err);
}

int pocket_open_api(const struct box *box, struct err *err)
{
	_cleanup_fd_ int dirfd = open_pocket(box, err);

	return dirfd < 0 ? dirfd : dir_open(dirfd, "api", err);
}

/* ---- the end ---- */

void pocket_remove(struct box *box)
{
	if (box->has_pocket)
		unmake(box->agent, box->incarnation);
	box->has_pocket = false;
}

bool pocket_find(const struct box *box)
{
	char path[PATH_MAX];
	struct stat st;

	return path_of(box->agent, box->incarnation, path) == 0 && stat(path, &st) == 0;
}

static bool is_of_a_box(const struct agent *agent, uint64_t incarnation)
{
	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->incarnation == incarnation)
			return true;
	return false;
}

void pocket_sweep(struct agent *agent)
{
	_cleanup_dir_ DIR *dir = NULL;
	char path[PATH_MAX];
	struct dirent *entry;

	if (snprintf(path, sizeof(path), "%s/" FOLDER, agent->options.runroot) >= PATH_MAX ||
	    !(dir = opendir(path)))
		return;
	while ((entry = readdir(dir))) {
		char *end;
		uint64_t incarnation = strtoull(entry->d_name, &end, 10);

		if (!*end && end != entry->d_name && !is_of_a_box(agent, incarnation))
			unmake(agent, incarnation);
	}
}
