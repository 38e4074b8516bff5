/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/fd.h"

#define ENABLED "/sys/module/apparmor/parameters/enabled"
#define FOLDER "/sys/kernel/security/apparmor"
#define SMALL_FILE 4096
#define LIST_LIMIT (4 << 20)

extern const char apparmor_profile_start[], apparmor_profile_end[];

bool apparmor_is_on(void)
{
	_cleanup_free_ char *text = NULL;

	return file_read(AT_FDCWD, ENABLED, SMALL_FILE, &text, NULL, NULL) == 0 && text[0] == 'Y';
}

/* AppArmor's folder; where nobody has mounted securityfs, of a mount that only we see. */
static int open_folder(struct err *err)
{
	_cleanup_fd_ int fs = -1, mount = -1;
	int fd = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : err_set(err, errno, "open " FOLDER);
	fs = (int)syscall(SYS_fsopen, "securityfs", FSOPEN_CLOEXEC);
	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_set(err, errno, "open securityfs");
	mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mount >= 0)
		fd = openat(mount, "apparmor", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_set(err, errno, "open apparmor in securityfs");
}

/* A line each: "NAME (enforce)". */
static bool has_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line; line += strspn(line, "\n")) {
		if (strncmp(line, name, len) == 0 && strncmp(line + len, " (", 2) == 0)
			return true;
		line += strcspn(line, "\n");
	}
	return false;
}

static int is_loaded_in(int folder, const char *name, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	err_try(file_read(folder, "profiles", LIST_LIMIT, &text, NULL, err));
	return has_line(text, name);
}

int apparmor_is_loaded(const char *name, struct err *err)
{
	_cleanup_fd_ int folder = open_folder(err);

	return folder < 0 ? folder : is_loaded_in(folder, name, err);
}

/* In one write, as the kernel wants it. */
static int load(int folder, struct err *err)
{
	size_t len = (size_t)(apparmor_profile_end - apparmor_profile_start);
	_cleanup_fd_ int fd = openat(folder, ".replace", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, apparmor_profile_start, len) != (ssize_t)len)
		return err_set(err, errno, "load the AppArmor profile " APPARMOR_DEFAULT);
	return 0;
}

int apparmor_load_default(const char *mark, struct err *err)
{
	size_t len = (size_t)(apparmor_profile_end - apparmor_profile_start);
	_cleanup_free_ char *last = NULL;
	_cleanup_fd_ int folder = -1;
	char digest[DIGEST_HEX_SIZE];
	int r;

	if (!len)
		return err_say(err, ENOTSUP,
			       "Cellar was built without apparmor_parser, so it has no AppArmor "
			       "profile");
	folder = open_folder(err);
	if (folder < 0)
		return folder;
	digest_of(apparmor_profile_start, len, digest);
	r = is_loaded_in(folder, APPARMOR_DEFAULT, err);
	if (r < 0 || (r > 0 && file_read(AT_FDCWD, mark, SMALL_FILE, &last, NULL, NULL) == 0 &&
		      strcmp(last, digest) == 0))
		return r < 0 ? r : 0;
	err_try(load(folder, err));
	return file_replace(AT_FDCWD, mark, digest, strlen(digest), 0600, false, err);
}
