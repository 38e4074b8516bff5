/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User, groups, capabilities, working folder. Two stages, because a seccomp filter may have to be
 * loaded in between: identity_assume() leaves permitted what the program gets and what loading the
 * filter takes, and only the program's effective; identity_seal() drops the rest for good.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <termios.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#define CAPABILITIES_MAX 63

static int get_permitted(uint64_t *ret, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return err_set(err, errno, "read capabilities");
	*ret = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable,
			    struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32),
		  (uint32_t)(inheritable >> 32) },
	};

	if (syscall(SYS_capset, &header, data) < 0)
		return err_set(err, errno, "set capabilities");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* new credentials may have changed it */
	return 0;
}

/* What of a set we can give: capabilities that this host does not have at all are left out. */
static uint64_t available(const struct init *in, enum plan_capability_set set, uint64_t held)
{
	return in->plan->capabilities[set] & held;
}

static int drop_bounding(uint64_t keep, struct err *err)
{
	for (int cap = 0; cap <= CAPABILITIES_MAX; cap++) {
		if (keep & (uint64_t)1 << cap)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break; /* behind the last the kernel knows */
		return err_set(err, errno, "drop capability %d from the bounding set", cap);
	}
	return 0;
}

/*
 * Only what talks to the outside; never a device of the host's such as its /dev/null, and no file
 * that was opened for reading only: its owner could open it anew for writing.
 */
static bool is_to_be_owned(int fd, const struct stat *st)
{
	struct termios termios;
	int flags = fcntl(fd, F_GETFL);

	if (S_ISREG(st->st_mode))
		return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
	return S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode) ||
	       (S_ISCHR(st->st_mode) && ioctl(fd, TCGETS, &termios) == 0);
}

/* So that the program may open /dev/stdout anew. A file we may not give away stays as it is. */
static void own_stdio(const struct init *in)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && st.st_uid != in->plan->uid && is_to_be_owned(fd, &st))
			(void)!fchown(fd, in->plan->uid, (gid_t)-1);
}

static int enter_cwd(struct init *in, bool again, struct err *err)
{
	const char *path = init_string(in, in->plan->cwd);
	_cleanup_fd_ int fd = -1;
	char cwd[4096];

	/* No magic links: /proc/self/fd/N would lead along our own descriptors. */
	fd = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);
	if (fd < 0 || fchdir(fd) < 0) {
		if (!again && (errno == EACCES || errno == EPERM))
			return 1;
		return err_set(err, errno, "chdir to cwd (\"%s\") set in config.json failed", path);
	}
	/* A folder that a leaked descriptor led to would lie outside of the root. */
	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0 || cwd[0] != '/')
		return err_say(err, EPERM, "process.cwd %s lies outside of the container", path);
	return 0;
}

static int set_groups(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;
	const gid_t *gids = plan_records(plan, plan->gids);

	if (syscall(SYS_setgroups, plan->gids.count, plan->gids.count ? gids : NULL) < 0 &&
	    !(errno == EPERM && plan->gids.count == 0 &&
	      plan->flags & (PLAN_ROOTLESS | PLAN_IN_USERNS)))
		return err_set(err, errno, "set process.user.additionalGids%s",
			       errno == EPERM	 ? " (its user namespace was made to deny that)"
			       : errno == EINVAL ? " (not all are in linux.gidMappings)"
						 : "");
	if (syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) < 0)
		return err_set(err, errno, "become group %u%s", plan->gid,
			       errno == EINVAL ? ", which linux.gidMappings does not map" : "");
	return 0;
}

static int set_user(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "keep capabilities");
	if (syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) < 0)
		return err_set(err, errno, "become user %u%s", plan->uid,
			       errno == EINVAL ? ", which linux.uidMappings does not map" : "");
	return 0;
}

/* Common, as the plan is (channel.c): behind the variables that every start touches. */
extern char init_user_file[];
__attribute__((common)) char init_user_file[65536];

/* HOME of the user in the container's /etc/passwd. */
static void find_home(struct init *in)
{
	_cleanup_fd_ int fd = sys_openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK, 0,
					  RESOLVE_NO_MAGICLINKS);
	char uid[16], *text = init_user_file, *save = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	n = read(fd, text, sizeof(init_user_file) - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	snprintf(uid, sizeof(uid), "%u", in->plan->uid);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *field[7] = { line };
		int count = 1;

		for (char *p = line; *p && count < 7; p++)
			if (*p == ':') {
				*p = '\0';
				field[count++] = p + 1;
			}
		if (count < 6 || strcmp(field[2], uid) != 0)
			continue;
		if (field[5][0] == '/' && strlen(field[5]) < sizeof(in->home) - 6)
			snprintf(in->home, sizeof(in->home), "HOME=%s", field[5]);
		return;
	}
}

/* We open files until the end, and a stage still clones: only raised at first, as that takes
 * privileges. */
static bool is_late(const struct init *in, const struct plan_rlimit *limit)
{
	return limit->type == RLIMIT_NOFILE ||
	       (limit->type == RLIMIT_NPROC && in->plan->flags & PLAN_EXEC);
}

/*
 * While we are still root: without CAP_SYS_RESOURCE the runtime may not set the limits of a process
 * of another user. What is refused here (raising a limit from within a user namespace) is left to
 * the runtime, which does it at READY.
 */
static void set_limits(struct init *in)
{
	PLAN_EACH(plan_rlimit, limit, in->plan, in->plan->rlimits)
	{
		struct rlimit wanted = { limit->soft, limit->hard }, now;

		if (is_late(in, limit) && getrlimit((int)limit->type, &now) == 0) {
			if (limit->hard < now.rlim_max)
				wanted.rlim_max = now.rlim_max;
			if (limit->soft < now.rlim_cur)
				wanted.rlim_cur = now.rlim_cur;
		}
		if (setrlimit((int)limit->type, &wanted) < 0)
			in->limits_refused++;
	}
}

int limits_finish(const struct init *in, struct err *err)
{
	PLAN_EACH(plan_rlimit, limit, in->plan, in->plan->rlimits)
	{
		struct rlimit wanted = { limit->soft, limit->hard };

		if (is_late(in, limit) && setrlimit((int)limit->type, &wanted) < 0)
			return err_set(err, errno, "process.rlimits: limit %u", limit->type);
	}
	return 0;
}

/* All that is of use from here on. */
static uint64_t still_needed(const struct init *in)
{
	uint64_t mask = in->plan->capabilities[PLAN_CAP_PERMITTED];

	if (in->plan->flags & PLAN_SECCOMP && !(in->plan->flags & PLAN_NO_NEW_PRIVILEGES))
		mask |= (uint64_t)1 << CAP_SYS_ADMIN;
	return mask;
}

int identity_assume(struct init *in, struct err *err)
{
	uint64_t held, permitted, bounding = in->plan->capabilities[PLAN_CAP_BOUNDING];
	int again;

	if (in->plan->flags & PLAN_NEEDS_HOME)
		find_home(in);
	own_stdio(in);
	set_limits(in);
	/* Tried as root first: what the user may not enter by himself has been given to him. */
	again = enter_cwd(in, false, err);
	if (again < 0 || drop_bounding(bounding, err) < 0 || set_groups(in, err) < 0 ||
	    set_user(in, err) < 0 || get_permitted(&held, err) < 0)
		return -err->code;
	umask(in->plan->umask);
	permitted = held & still_needed(in);
	if (set_capabilities(available(in, PLAN_CAP_EFFECTIVE, permitted), permitted,
			     available(in, PLAN_CAP_INHERITABLE, held & bounding), err) < 0)
		return -err->code;
	return again > 0 ? enter_cwd(in, true, err) : 0;
}

int identity_raise(const struct init *in, int cap, struct err *err)
{
	uint64_t bounding = in->plan->capabilities[PLAN_CAP_BOUNDING], held;

	if (get_permitted(&held, err) < 0)
		return -err->code;
	return set_capabilities(available(in, PLAN_CAP_EFFECTIVE, held) |
					(held & (uint64_t)1 << cap),
				held, available(in, PLAN_CAP_INHERITABLE, held & bounding), err);
}

int identity_seal(const struct init *in, struct err *err)
{
	uint64_t bounding = in->plan->capabilities[PLAN_CAP_BOUNDING];
	uint64_t held, permitted, inheritable, ambient;

	if (get_permitted(&held, err) < 0)
		return -err->code;
	permitted = available(in, PLAN_CAP_PERMITTED, held);
	inheritable = available(in, PLAN_CAP_INHERITABLE, held & bounding);
	if (set_capabilities(available(in, PLAN_CAP_EFFECTIVE, permitted), permitted, inheritable,
			     err) < 0)
		return -err->code;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* The kernel has an ambient capability only where it is permitted and inheritable. */
	ambient = available(in, PLAN_CAP_AMBIENT, permitted & inheritable);
	for (int cap = 0; cap <= CAPABILITIES_MAX; cap++)
		if (ambient & (uint64_t)1 << cap &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_set(err, errno, "raise the ambient capability %d", cap);
	return 0;
}
