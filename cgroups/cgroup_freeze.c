/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freezing: cgroup.freeze of cgroup2 where there is one (also on a hybrid host: its frozen
 * processes can be killed, and it tells when it is done), else the freezer of v1.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cgroups/cgroup_events.h"

#define FREEZE_TIMEOUT_NS (5 * 1000000000LL)
#define POLL_NS 1000000

int cgroup_events_wait(const struct cgroup *c, const char *key, bool value, int64_t deadline_ns)
{
	_cleanup_fd_ int fd = cgroup_file_open(c, c->mounts->v2, "cgroup.events", O_RDONLY);
	char text[256], want[64];
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	if (fd < 0)
		return fd;
	snprintf(want, sizeof(want), "%s %d", key, value);
	for (;;) {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		int64_t left_ns = deadline_ns - clock_monotonic_ns();

		if (n < 0)
			return -errno;
		text[n] = '\0';
		if (strstr(text, want))
			return 0;
		if (left_ns <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left_ns / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
	}
}

void cgroup_pause(int64_t ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)ns }, NULL);
}

/*
 * v1 freezes in its own time, tells nobody, and may miss a process that was forking or stopped
 * until it is asked again: hence the poll, each round with a new write.
 */
static int freeze_v1(const struct cgroup *c, int freezer)
{
	int64_t deadline = clock_monotonic_ns() + FREEZE_TIMEOUT_NS;
	char state[32];
	int r;

	for (;;) {
		r = cgroup_file_write(c, freezer, "freezer.state", "FROZEN");
		if (r == 0)
			r = (int)cgroup_file_read(c, freezer, "freezer.state", state,
						  sizeof(state));
		if (r < 0 || strcmp(state, "FROZEN") == 0)
			break;
		if (clock_monotonic_ns() > deadline) {
			r = -ETIMEDOUT;
			break;
		}
		cgroup_pause(POLL_NS);
	}
	if (r < 0)
		cgroup_file_write(c, freezer, "freezer.state", "THAWED");
	return r < 0 ? r : 0;
}

static int freeze_v2(const struct cgroup *c, bool frozen)
{
	int r = cgroup_file_write(c, c->mounts->v2, "cgroup.freeze", frozen ? "1" : "0");

	if (r < 0 || !frozen)
		return r;
	r = cgroup_events_wait(c, "frozen", true, clock_monotonic_ns() + FREEZE_TIMEOUT_NS);
	if (r < 0)
		cgroup_file_write(c, c->mounts->v2, "cgroup.freeze", "0");
	return r;
}

int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct err *err)
{
	int freezer = cgroup->mounts->v1[CGROUP_FREEZER], r = -ENOENT;

	if (cgroup_is_none(cgroup))
		return err_say(err, EOPNOTSUPP,
			       "a container without a cgroup cannot be paused; have one delegated");
	if (cgroup->mounts->v2 >= 0)
		r = freeze_v2(cgroup, frozen);
	/* Linux before 5.2 has no cgroup.freeze. And thawed is thawed, whoever froze it. */
	if (freezer >= 0 && !frozen) {
		int thawed = cgroup_file_write(cgroup, freezer, "freezer.state", "THAWED");

		r = r < 0 ? thawed : r;
	} else if (freezer >= 0 && r == -ENOENT) {
		r = freeze_v1(cgroup, freezer);
	}
	if (r == -ENOENT)
		return err_say(err, EOPNOTSUPP,
			       "freeze cgroup %s: this host has no freezer, or the cgroup is gone",
			       cgroup->path);
	if (r == -ETIMEDOUT)
		return err_say(err, ETIMEDOUT,
			       "freeze cgroup %s: a process did not stop within %lld seconds",
			       cgroup->path, FREEZE_TIMEOUT_NS / 1000000000);
	return r < 0 ? err_set(err, -r, "%s cgroup %s", frozen ? "freeze" : "thaw", cgroup->path)
		     : 0;
}

int cgroup_is_frozen(const struct cgroup *cgroup)
{
	int freezer = cgroup->mounts->v1[CGROUP_FREEZER];
	ssize_t n = -ENOENT;
	char text[32];

	if (cgroup->mounts->v2 >= 0) {
		n = cgroup_file_read(cgroup, cgroup->mounts->v2, "cgroup.freeze", text,
				     sizeof(text));
		if (n > 0 && text[0] == '1')
			return 1;
	}
	if (freezer >= 0) {
		n = cgroup_file_read(cgroup, freezer, "freezer.state", text, sizeof(text));
		if (n > 0 && strcmp(text, "THAWED") != 0)
			return 1; /* FROZEN, or on its way there */
	}
	return n < 0 ? (int)n : 0;
}
