/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup mounts of the host: at their usual places, else found in /proc/self/mountinfo. */
#include "cgroups/cgroup_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/fd.h"

#define DEFAULT_ROOT "/sys/fs/cgroup"
#define MOUNTINFO_MAX (64 << 20)

static const struct {
	const char *v1, *v2;
} controllers[CGROUP_CONTROLLERS] = {
	[CGROUP_CPU] = { "cpu", "cpu" },
	[CGROUP_CPUACCT] = { "cpuacct", NULL },
	[CGROUP_CPUSET] = { "cpuset", "cpuset" },
	[CGROUP_MEMORY] = { "memory", "memory" },
	[CGROUP_PIDS] = { "pids", "pids" },
	[CGROUP_IO] = { "blkio", "io" },
	[CGROUP_DEVICES] = { "devices", NULL },
	[CGROUP_FREEZER] = { "freezer", NULL },
	[CGROUP_HUGETLB] = { "hugetlb", "hugetlb" },
	[CGROUP_RDMA] = { "rdma", "rdma" },
	[CGROUP_NET_CLS] = { "net_cls", NULL },
	[CGROUP_NET_PRIO] = { "net_prio", NULL },
};

/* Further v1 controllers: they only give a hierarchy its name. */
static const char *const other_controllers[] = { "perf_event", "misc", "debug" };

const char *cgroup_controller_name(enum cgroup_controller controller, bool v2)
{
	return v2 ? controllers[controller].v2 : controllers[controller].v1;
}

/* A line of mountinfo, cut into the fields that matter. */
struct mount_line {
	char *device, *root, *mountpoint, *type, *options;
};

/* A mount that was taken, with what is needed to judge a second one of the same hierarchy. */
struct candidate {
	struct cgroup_hierarchy hierarchy;
	char device[16];
	unsigned controllers; /* bits of enum cgroup_controller */
	int rank;
};

static int octal(const char *s)
{
	for (int i = 0; i < 3; i++)
		if (s[i] < '0' || s[i] > '7')
			return -1;
	return (s[0] - '0') * 64 + (s[1] - '0') * 8 + (s[2] - '0');
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		int c = *s == '\\' ? octal(s + 1) : -1;

		*out++ = c < 0 ? *s : (char)c;
		s += c < 0 ? 1 : 4;
	}
	*out = '\0';
}

/* "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu" */
static bool split_line(char *line, struct mount_line *ret)
{
	char *save = NULL, *field[5], *dash = strstr(line, " - ");

	if (!dash)
		return false;
	*dash = '\0';
	for (int i = 0; i < 5; i++)
		if (!(field[i] = strtok_r(i ? NULL : line, " ", &save)))
			return false;
	ret->device = field[2];
	ret->root = field[3];
	ret->mountpoint = field[4];
	ret->type = strtok_r(dash + 3, " ", &save);
	if (!ret->type || !strtok_r(NULL, " ", &save))
		return false;
	ret->options = strtok_r(NULL, " ", &save);
	return ret->options != NULL;
}

static bool is_controller(const char *option, unsigned *bits)
{
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (strcmp(option, controllers[i].v1) == 0) {
			*bits |= 1u << i;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(other_controllers); i++)
		if (strcmp(option, other_controllers[i]) == 0)
			return true;
	return false;
}

/* The options of a v1 super block: the controllers among them are the name, else "name=". */
static void name_hierarchy(char *options, struct candidate *c)
{
	char *save = NULL, *name = c->hierarchy.name;
	const char *named = "";
	size_t size = sizeof(c->hierarchy.name), len = 0;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (strncmp(o, "name=", 5) == 0)
			named = o + 5;
		else if (is_controller(o, &c->controllers) && len < size)
			len += (size_t)snprintf(name + len, size - len, "%s%s", len ? "," : "", o);
	}
	if (len == 0)
		snprintf(name, size, "%s", named);
}

static bool read_candidate(char *line, struct candidate *ret)
{
	struct mount_line m;
	struct candidate c = { 0 };

	if (!split_line(line, &m))
		return false;
	c.hierarchy.v2 = strcmp(m.type, "cgroup2") == 0;
	if (!c.hierarchy.v2 && strcmp(m.type, "cgroup") != 0)
		return false;
	unescape(m.mountpoint);
	if (strlen(m.mountpoint) >= sizeof(c.hierarchy.mountpoint) ||
	    strlen(m.device) >= sizeof(c.device))
		return false;
	strcpy(c.hierarchy.mountpoint, m.mountpoint);
	strcpy(c.device, m.device);
	c.rank = (strcmp(m.root, "/") == 0) * 2 +
		 (strncmp(m.mountpoint, DEFAULT_ROOT, strlen(DEFAULT_ROOT)) == 0);
	if (!c.hierarchy.v2)
		name_hierarchy(m.options, &c);
	*ret = c;
	return true;
}

static size_t add_candidate(struct candidate *list, size_t count, const struct candidate *c)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].device, c->device) != 0)
			continue;
		if (c->rank > list[i].rank)
			list[i] = *c;
		return count;
	}
	if (count < CGROUP_HIERARCHIES_MAX)
		list[count++] = *c;
	return count;
}

static void init(struct cgroup_mounts *m)
{
	*m = (struct cgroup_mounts){ .v2 = -1 };
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		m->v1[i] = -1;
}

static void take(struct cgroup_mounts *m, const struct candidate *c)
{
	int index = (int)m->count;

	m->hierarchies[m->count++] = c->hierarchy;
	if (c->hierarchy.v2)
		m->v2 = index;
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if (c->controllers & 1u << i)
			m->v1[i] = index;
}

/* In their order, but cgroup2 comes last. */
static void take_all(struct cgroup_mounts *m, const struct candidate *list, size_t count)
{
	init(m);
	for (int v2 = 0; v2 < 2; v2++)
		for (size_t i = 0; i < count; i++)
			if (list[i].hierarchy.v2 == v2)
				take(m, &list[i]);
	m->layout = m->v2 < 0 ? CGROUP_V1 : m->count == 1 ? CGROUP_V2 : CGROUP_HYBRID;
}

void cgroup_mounts_parse(const char *mountinfo, struct cgroup_mounts *ret)
{
	struct candidate list[CGROUP_HIERARCHIES_MAX], c;
	size_t count = 0;
	char line[4096];

	for (const char *p = mountinfo; *p;) {
		size_t len = strcspn(p, "\n");

		/* A longer line is an overlay of many layers, never a cgroup mount. */
		if (len < sizeof(line)) {
			memcpy(line, p, len);
			line[len] = '\0';
			if (read_candidate(line, &c))
				count = add_candidate(list, count, &c);
		}
		p += len + (p[len] == '\n');
	}
	take_all(ret, list, count);
}

/* cgroup2 at its usual place is the whole truth, and mountinfo may be long: do not read it. */
static bool find_v2_alone(struct cgroup_mounts *ret)
{
	struct candidate c = { .hierarchy = { .mountpoint = DEFAULT_ROOT, .v2 = true } };
	struct statfs fs;

	if (statfs(DEFAULT_ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return false;
	init(ret);
	ret->layout = CGROUP_V2;
	take(ret, &c);
	return true;
}

/* "4:memory:/some/path", "9:name=systemd:/", "0::/" of /proc/self/cgroup, where init systems mount
 * it. */
static bool find_hierarchy(char *line, struct candidate *ret)
{
	char *names = strchr(line, ':'), *end = names ? strchr(++names, ':') : NULL;
	struct cgroup_hierarchy *h = &ret->hierarchy;
	struct statfs fs;
	int n;

	if (!end)
		return false;
	*end = '\0';
	*ret = (struct candidate){ .hierarchy.v2 = !*names };
	n = snprintf(h->mountpoint, sizeof(h->mountpoint), DEFAULT_ROOT "/%s",
		     h->v2 ? "unified" : names + (strncmp(names, "name=", 5) ? 0 : 5));
	if (n >= (int)sizeof(h->mountpoint) || statfs(h->mountpoint, &fs) < 0 ||
	    fs.f_type != (h->v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
		return false;
	if (!h->v2)
		name_hierarchy(names, ret);
	return true;
}

/*
 * Each hierarchy that exists, at its usual place: then mountinfo, in which every running container
 * has two lines, need not be read. A hierarchy elsewhere, or none, leaves the word to mountinfo.
 */
static bool find_usual(struct cgroup_mounts *ret)
{
	struct candidate list[CGROUP_HIERARCHIES_MAX];
	_cleanup_free_ char *text = NULL;
	char *save = NULL;
	size_t count = 0;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", 65536, &text, NULL, NULL) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (count == ARRAY_SIZE(list) || !find_hierarchy(line, &list[count++]))
			return false;
	/* Listed from the newest to the oldest. */
	for (size_t i = 0; i < count / 2; i++) {
		struct candidate c = list[i];

		list[i] = list[count - 1 - i];
		list[count - 1 - i] = c;
	}
	take_all(ret, list, count);
	return count > 0;
}

int cgroup_mounts_find(const struct cgroup_mounts **ret, struct err *err)
{
	static struct cgroup_mounts found;
	_cleanup_free_ char *text = NULL;

	if (found.count == 0 && !find_v2_alone(&found) && !find_usual(&found)) {
		if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL, err) <
		    0)
			return err_add(err, "find the cgroup mounts");
		cgroup_mounts_parse(text, &found);
	}
	if (found.count == 0)
		return err_say(err, ENODEV,
			       "no cgroup file system is mounted on this host (want %s)",
			       DEFAULT_ROOT);
	*ret = &found;
	return 0;
}

enum cgroup_layout cgroup_layout(void)
{
	const struct cgroup_mounts *mounts;

	return cgroup_mounts_find(&mounts, NULL) < 0 ? CGROUP_V2 : mounts->layout;
}
