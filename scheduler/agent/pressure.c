/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/pressure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/slice.h"
#include "scheduler/agent/usage.h"

#define LOOK_NS INT64_C(1000000000)
#define CALM_NS INT64_C(10000000000) /* so long after the last victim nothing new comes */
#define KIB 1024
/* Little is available: a 50th, or this. Not much: four times that. */
#define LOW_PART 50
#define LOW_MOST (INT64_C(256) << 20)
#define NOT_MUCH 4
#define STALLED 0.1
/* Tasks waited for memory for 300 ms of two seconds: without CAP_SYS_RESOURCE the kernel takes
 * multiples of those alone. */
#define TRIGGER "some 300000 2000000"
#define PSI "/proc/pressure/memory"

struct pressure {
	struct agent *agent;
	struct loop_source *timer, *stalls;
	int psi_fd; /* -1: the kernel has none */
	int64_t on_until_ns, usage_due_ns;
};

bool pressure_is_high(const struct pressure_look *look)
{
	int64_t low = look->total_bytes / LOW_PART;

	if (low > LOW_MOST)
		low = LOW_MOST;
	return look->available_bytes < low ||
	       (look->stalled > STALLED && look->available_bytes < NOT_MUCH * low);
}

static unsigned rank(const struct box *box)
{
	return 2 * box->priority + box->latency_sensitive;
}

struct box *pressure_victim(const struct agent *agent)
{
	struct box *victim = NULL;

	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->state == BOX_RUNNING && !box->evicted &&
		    (!victim || rank(box) < rank(victim) ||
		     (rank(box) == rank(victim) &&
		      box->used_memory_bytes > victim->used_memory_bytes)))
			victim = box;
	return victim;
}

static bool field(const char *line, const char *key, int64_t *ret)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0)
		return false;
	*ret = strtoll(line + len, NULL, 10) * KIB;
	return true;
}

static void read_meminfo(const char *path, struct pressure_look *ret)
{
	FILE *file = fopen(path, "re");
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (field(line, "MemAvailable:", &ret->available_bytes))
			break;
		else
			field(line, "MemTotal:", &ret->total_bytes);
	if (file)
		fclose(file);
}

/* "some avg10=1.23 ...", in percent. */
static void read_psi(struct pressure_look *ret)
{
	FILE *file = fopen(PSI, "re");
	double percent = 0;

	if (file && fscanf(file, "some avg10=%lf", &percent) == 1)
		ret->stalled = percent / 100;
	if (file)
		fclose(file);
}

/* What the tasks use, where more was lent than there is. */
static bool is_overdrawn(const struct agent *agent)
{
	int64_t used = 0;

	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->state == BOX_RUNNING && box->used_memory_bytes > 0)
			used += box->used_memory_bytes;
	return used > agent->memory_bytes;
}

static bool has_victim_on_its_way(const struct agent *agent)
{
	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->evicted && box->state != BOX_ENDED)
			return true;
	return false;
}

/* Of the machine as a whole, or of the cgroup that its tasks are kept to. */
static bool is_short(const struct agent *agent)
{
	struct pressure_look now = { 0 };

	read_meminfo(agent->options.meminfo ? agent->options.meminfo : "/proc/meminfo", &now);
	read_psi(&now);
	if (now.total_bytes && pressure_is_high(&now))
		return true;
	return slice_look(agent, &now) && pressure_is_high(&now);
}

static void look(struct pressure *p)
{
	struct agent *agent = p->agent;
	struct box *victim;

	if (!is_short(agent) && !is_overdrawn(agent))
		return;
	if (!pressure_is_on(agent))
		agent_changed(agent);
	p->on_until_ns = clock_monotonic_ns() + CALM_NS;
	/* One at a time: what it frees may be enough. */
	victim = has_victim_on_its_way(agent) ? NULL : pressure_victim(agent);
	if (!victim)
		return;
	log_warn("the machine has no memory left: task %s goes", victim->task);
	box_evict(victim, "the machine had no memory left, and it was the lowest there");
}

static int on_timer(void *data)
{
	struct pressure *p = data;
	int64_t now = clock_monotonic_ns();

	if (now >= p->usage_due_ns) {
		usage_read(p->agent);
		p->usage_due_ns = now + USAGE_NS;
	}
	look(p);
	return loop_add_time(p->agent->loop, now + LOOK_NS, on_timer, p, &p->timer, NULL);
}

static int on_stall(void *data, uint32_t events)
{
	struct pressure *p = data;

	if (events & EPOLLERR)
		p->stalls = loop_remove(p->stalls);
	else
		look(p);
	return 0;
}

static void close_psi(struct pressure *p)
{
	cleanup_fd(&p->psi_fd);
	p->psi_fd = -1;
}

/* Sooner than the next second. */
static void listen_to_stalls(struct pressure *p)
{
	char path[CGROUP_PATH_MAX];

	p->psi_fd =
		open(slice_stalls(p->agent, path) ? path : PSI, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (p->psi_fd >= 0 &&
	    (write(p->psi_fd, TRIGGER, sizeof(TRIGGER)) < 0 ||
	     loop_add_fd(p->agent->loop, p->psi_fd, EPOLLPRI, on_stall, p, &p->stalls, NULL) < 0))
		close_psi(p);
}

struct pressure *pressure_new(struct agent *agent)
{
	struct pressure *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct pressure){ .agent = agent, .psi_fd = -1 };
	listen_to_stalls(p);
	if (on_timer(p) < 0)
		return pressure_free(p);
	return p;
}

struct pressure *pressure_free(struct pressure *p)
{
	if (!p)
		return NULL;
	loop_remove(p->timer);
	loop_remove(p->stalls);
	close_psi(p);
	free(p);
	return NULL;
}

bool pressure_is_on(const struct agent *agent)
{
	return agent->pressure && clock_monotonic_ns() < agent->pressure->on_until_ns;
}
