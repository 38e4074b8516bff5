/* SPDX-License-Identifier: Apache-2.0 */
/* Session, keyring, host name, loopback and kernel settings of the new namespaces. */
#include <errno.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

/* Possessor: all; user: view, read, search, link. */
#define KEYRING_PERMISSIONS 0x3f1b0000

int host_session(struct init *in, struct err *err)
{
	const char *name = init_string(in, in->plan->keyring);
	long ring;

	if (!(in->plan->flags & PLAN_EXEC))
		setsid();
	if (!name)
		return 0;
	ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (ring >= 0)
		ring = syscall(SYS_keyctl, KEYCTL_SETPERM, ring, KEYRING_PERMISSIONS);
	/* ENOSYS: no keyrings in this kernel; EPERM: an outer container's seccomp forbids them. */
	if (ring < 0 && errno != ENOSYS && errno != EPERM)
		return err_set(err, errno, "make the session keyring %s", name);
	return 0;
}

static int loopback_up(struct err *err)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_set(err, errno, "bring up the loopback interface");
	return 0;
}

static int write_sysctl(struct init *in, const struct plan_sysctl *sysctl, struct err *err)
{
	const char *value = init_string(in, sysctl->value);
	_cleanup_fd_ int fd = sys_openat2(in->proc_fd, init_string(in, sysctl->path), O_WRONLY, 0,
					  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(err, errno, "set linux.sysctl[\"%s\"] to \"%s\"",
			       init_string(in, sysctl->key), value);
	return 0;
}

int host_settings(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;
	const char *host = init_string(in, plan->hostname);
	const char *domain = init_string(in, plan->domainname);

	if (plan->flags & PLAN_LOOPBACK && loopback_up(err) < 0)
		return -err->code;
	if (host && host[0] && sethostname(host, strlen(host)) < 0)
		return err_set(err, errno, "set the host name %s", host);
	if (domain && domain[0] && setdomainname(domain, strlen(domain)) < 0)
		return err_set(err, errno, "set the domain name %s", domain);
	PLAN_EACH(plan_sysctl, sysctl, plan, plan->sysctls)
	if (write_sysctl(in, sysctl, err) < 0)
		return -err->code;
	return 0;
}
