/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroups/cgroup_oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cgroups/cgroup_folder.h"
#include "cgroups/cgroup_stat_text.h"

#define TEXT_MAX 512

static int open_v2(const struct cgroup *c, struct cgroup_oom *ret)
{
	int fd = cgroup_file_open(c, c->mounts->v2, "memory.events", O_RDONLY);

	if (fd < 0)
		return fd == -ENOENT ? -EOPNOTSUPP : fd;
	*ret = (struct cgroup_oom){ .event_fd = fd, .events = EPOLLPRI, .count_fd = -1 };
	return 0;
}

static int open_v1(const struct cgroup *c, int i, struct cgroup_oom *ret)
{
	_cleanup_fd_ int event = -1, count = -1;
	char text[32];
	int r;

	count = cgroup_file_open(c, i, "memory.oom_control", O_RDONLY);
	if (count < 0)
		return count;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;
	snprintf(text, sizeof(text), "%d %d", event, count);
	r = cgroup_file_write(c, i, "cgroup.event_control", text);
	if (r < 0)
		return r;
	*ret = (struct cgroup_oom){
		.event_fd = take_fd(&event),
		.events = EPOLLIN,
		.count_fd = take_fd(&count),
		.early = true,
	};
	return 0;
}

int cgroup_oom_open(const struct cgroup *cgroup, struct cgroup_oom *ret, struct err *err)
{
	int v1 = cgroup->mounts->v1[CGROUP_MEMORY];
	int r = -EOPNOTSUPP;

	if (v1 >= 0)
		r = open_v1(cgroup, v1, ret);
	else if (cgroup->mounts->v2 >= 0)
		r = open_v2(cgroup, ret);
	return r < 0 ? err_set(err, -r, "watch for kills by lack of memory") : 0;
}

void cgroup_oom_close(struct cgroup_oom *oom)
{
	cleanup_fd(&oom->event_fd);
	cleanup_fd(&oom->count_fd);
	oom->event_fd = oom->count_fd = -1;
}

int cgroup_oom_count(const struct cgroup_oom *oom, uint64_t *ret)
{
	int fd = oom->count_fd >= 0 ? oom->count_fd : oom->event_fd;
	char text[TEXT_MAX];
	uint64_t events;
	ssize_t n;

	if (oom->count_fd >= 0 && read(oom->event_fd, &events, sizeof(events)) < 0 &&
	    errno != EAGAIN)
		return -errno;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return stat_text_find(text, "oom_kill", ret) ? 0 : -ENODATA;
}
