/* SPDX-License-Identifier: Apache-2.0 */
/* The container's program: found, waited for, executed. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef AT_EACCESS
#define AT_EACCESS 0x200
#endif

/* Turns the slots of a list of strings into the pointers that execve(2) wants, in place. */
static char **pointers(struct init *in, struct plan_list list)
{
	uint64_t *slots = (uint64_t *)(void *)((char *)in->plan + list.offset);
	char **out = (char **)slots;

	for (uint32_t i = 0; i < list.count; i++)
		out[i] = (char *)in->plan + slots[i];
	out[list.count] = NULL;
	return out;
}

static const char *first_argument(const struct init *in)
{
	const uint64_t *slots = plan_records(in->plan, in->plan->args);

	return in->plan->args.count ? (const char *)in->plan + slots[0] : NULL;
}

static const char *search_path(const struct init *in)
{
	const uint64_t *slots = plan_records(in->plan, in->plan->env);

	for (uint32_t i = 0; i < in->plan->env.count; i++) {
		const char *entry = (const char *)in->plan + slots[i];

		if (strncmp(entry, "PATH=", 5) == 0)
			return entry + 5;
	}
	return DEFAULT_PATH;
}

/* 0, or why the file cannot be executed by us. */
static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EACCES;
	return syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int search(struct init *in, const char *name, struct err *err)
{
	bool denied = false;

	for (const char *p = search_path(in);; p++) {
		size_t len = strcspn(p, ":");
		int n = snprintf(in->program, sizeof(in->program), "%.*s%s%s", (int)len, p,
				 len ? "/" : "./", name);
		int r = n < (int)sizeof(in->program) ? check_program(in->program) : -ENAMETOOLONG;

		if (r == 0)
			return 0;
		denied |= r == -EACCES;
		p += len;
		if (!*p)
			break;
	}
	if (denied)
		return err_say(err, EACCES, "exec: \"%s\": permission denied", name);
	return err_say(err, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

int program_find(struct init *in, struct err *err)
{
	const char *name = first_argument(in);
	int r;

	if (!name)
		return 0; /* allowed until it is started */
	if (!*name)
		return err_say(err, ENOENT, "exec: \"\": executable file not found in $PATH");
	if (!strchr(name, '/'))
		return search(in, name, err);
	if (strlen(name) >= sizeof(in->program))
		return err_set(err, ENAMETOOLONG, "exec: \"%s\"", name);
	strcpy(in->program, name);
	r = check_program(name);
	switch (r) {
	case 0:
		return 0;
	case -ENOENT:
	case -ENOTDIR:
		return err_say(err, ENOENT, "exec: \"%s\": stat %s: no such file or directory",
			       name, name);
	case -EACCES:
		return err_say(err, EACCES, "exec: \"%s\": permission denied", name);
	case -EISDIR:
		return err_say(err, EACCES, "exec: \"%s\": is a directory", name);
	}
	return err_set(err, -r, "exec: \"%s\"", name);
}

/* Blocks until somebody opens the exec fifo for reading; errors go there from now on. */
static int wait_for_fifo(struct init *in, struct err *err)
{
	char path[32];

	close(in->sync_fd);
	in->sync_fd = -1;
	snprintf(path, sizeof(path), "fd/%d", in->fifo_fd);
	do
		in->start_fd = openat(in->proc_fd, path, O_WRONLY | O_CLOEXEC);
	while (in->start_fd < 0 && errno == EINTR);
	close(in->fifo_fd);
	in->fifo_fd = -1;
	return in->start_fd < 0 ? err_set(err, errno, "open the exec fifo") : 0;
}

/* Who waits for a start, or runs hooks of the container's, may be traced meanwhile. */
static bool is_early(const struct init *in)
{
	return in->plan->flags & PLAN_EARLY_FILTER;
}

int program_wait(struct init *in, struct err *err)
{
	if (listener_prepare(in, err) < 0 || (is_early(in) && program_confine(in, err) < 0))
		return -err->code;
	if (channel_send(in, SYNC_READY, in->limits_refused, in->console_fd, err) < 0)
		return -err->code;
	if (in->console_fd >= 0)
		close(take_fd(&in->console_fd));
	if (in->fifo_fd >= 0)
		return wait_for_fifo(in, err);
	if (in->begin.start_early && !in->limits_refused)
		return 0;
	return channel_wait(in, SYNC_START, NULL, err);
}

/* Tells whoever started us that the program is next. */
static int announce(struct init *in, struct err *err)
{
	struct sync_message message = { .type = SYNC_EXECUTING };

	if (in->start_fd < 0)
		return channel_send(in, SYNC_EXECUTING, 0, -1, err);
	if (write(in->start_fd, &message, SYNC_SHORT) < 0)
		return err_set(err, errno, "answer through the exec fifo");
	return 0;
}

static int write_attribute(struct init *in, const char *const *paths, const char *text,
			   struct err *err)
{
	int code = ENOENT;

	for (; *paths; paths++) {
		_cleanup_fd_ int fd =
			sys_openat2(in->proc_fd, *paths, O_WRONLY, 0,
				    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

		if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
			return 0;
		code = errno;
	}
	return err_set(err, code, "set the security label \"%s\"", text);
}

int program_label(struct init *in, struct err *err)
{
	static const char *const apparmor[] = { "attr/apparmor/exec", "attr/exec", NULL };
	static const char *const selinux[] = { "attr/exec", NULL };
	const char *profile = init_string(in, in->plan->apparmor_profile);
	const char *label = init_string(in, in->plan->selinux_label);
	char text[512];

	if (in->proc_fd < 0)
		return 0; /* done already */
	if (profile) {
		if (snprintf(text, sizeof(text), "exec %s", profile) >= (int)sizeof(text))
			return err_set(err, ENAMETOOLONG, "apparmorProfile %s", profile);
		if (write_attribute(in, apparmor, text, err) < 0)
			return -err->code;
	}
	return label ? write_attribute(in, selinux, label, err) : 0;
}

static int load_seccomp(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;
	struct {
		unsigned short len;
		const void *filter;
	} program = { (unsigned short)plan->filter.count, plan_records(plan, plan->filter) };
	long listener;

	if (!(plan->flags & PLAN_SECCOMP))
		return 0;
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, plan->seccomp_flags, &program);
	if (listener < 0)
		return err_set(err, errno, "load the seccomp filter");
	return plan->flags & PLAN_LISTENER ? listener_send(in, (int)listener, err) : 0;
}

/*
 * The filter comes last, so that it need not allow what we do. Without no_new_privileges loading it
 * takes CAP_SYS_ADMIN, so there it comes before the capabilities go.
 */
int program_confine(struct init *in, struct err *err)
{
	if (in->confined)
		return 0;
	in->confined = true;
	if (in->plan->flags & PLAN_NO_NEW_PRIVILEGES) {
		if (identity_seal(in, err) < 0)
			return -err->code;
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			return err_set(err, errno, "set no_new_privs");
		return load_seccomp(in, err);
	}
	if (in->plan->flags & PLAN_SECCOMP &&
	    (identity_raise(in, CAP_SYS_ADMIN, err) < 0 || load_seccomp(in, err) < 0))
		return -err->code;
	return identity_seal(in, err);
}

int program_execute(struct init *in, struct err *err)
{
	char **args, **env;

	if (!in->program[0])
		return err_say(err, EINVAL, "process.args: missing");
	if (hooks_start(in, err) < 0 || program_label(in, err) < 0)
		return -err->code;
	args = pointers(in, in->plan->args);
	env = pointers(in, in->plan->env);
	if (in->plan->flags & PLAN_NEEDS_HOME && in->home[0])
		env[in->plan->env.count - 1] = in->home;
	if (sys_close_range(3 + in->plan->preserve_fds, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return err_set(err, errno, "close descriptors");
	if (announce(in, err) < 0 || limits_finish(in, err) < 0 || program_confine(in, err) < 0)
		return -err->code;
	execve(in->program, args, env);
	if (errno == ENOEXEC)
		return err_say(err, ENOEXEC, "exec %s: exec format error", in->program);
	if (errno == ENOENT)
		return err_say(err, ENOENT, "exec %s: no such file or directory (its interpreter?)",
			       in->program);
	return err_set(err, errno, "exec %s", in->program);
}
