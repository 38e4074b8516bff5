/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroups/resctrl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"

#define SCHEMATA_BYTES_MAX (1u << 20)

int resctrl_mountpoint(const char *mountinfo, char ret[static PATH_MAX], struct err *err)
{
	_cleanup_file_ FILE *f = fopen(mountinfo, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!f)
		return err_set(err, errno, "open %s", mountinfo);
	while (getline(&line, &size, f) > 0) {
		char path[PATH_MAX];

		if (strstr(line, " - resctrl ") &&
		    sscanf(line, "%*s %*s %*s %*s %4095s", path) == 1) {
			memcpy(ret, path, sizeof(path));
			return 0;
		}
	}
	return err_say(err, ENOTSUP,
		       "linux.intelRdt: no resctrl file system is mounted on this host (mount -t "
		       "resctrl resctrl /sys/fs/resctrl, where the processor has it)");
}

/* ---- the plan ---- */

static void add_line(struct strbuf *sb, const char *line, size_t len)
{
	if (len == 0)
		return;
	strbuf_add(sb, line, len);
	strbuf_adds(sb, "\n");
}

/* Bandwidth of l3CacheSchema counts only where memBwSchema is not given. */
static void add_cache_lines(struct strbuf *sb, const struct oci_intel_rdt *rdt)
{
	bool bandwidth_given = rdt->mem_bw_schema && rdt->mem_bw_schema[0];

	for (const char *line = rdt->l3_cache_schema; line && *line;) {
		size_t len = strcspn(line, "\n");

		if (!bandwidth_given || strncmp(line, "MB:", 3) != 0)
			add_line(sb, line, len);
		line += len + (line[len] == '\n');
	}
}

int resctrl_plan_build(const struct oci_intel_rdt *rdt, const char *id, struct resctrl_plan *ret,
		       struct err *err)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	struct resctrl_plan plan = { .is_own = !rdt->clos_id };
	const char *group = rdt->clos_id ? rdt->clos_id : id;

	if (strcmp(group, "/") != 0)
		snprintf(plan.group, sizeof(plan.group), "%s", group);
	if (rdt->enable_monitoring.value)
		snprintf(plan.monitor, sizeof(plan.monitor), "%s", id);
	add_cache_lines(&sb, rdt);
	if (rdt->mem_bw_schema)
		add_line(&sb, rdt->mem_bw_schema, strlen(rdt->mem_bw_schema));
	for (size_t i = 0; rdt->schemata && rdt->schemata[i]; i++)
		add_line(&sb, rdt->schemata[i], strlen(rdt->schemata[i]));
	if (!strbuf_ok(&sb))
		return err_set(err, ENOMEM, "linux.intelRdt");
	if (sb.len > 0) {
		plan.schemata = strbuf_take(&sb);
		if (!plan.schemata)
			return err_set(err, ENOMEM, "linux.intelRdt");
	}
	*ret = plan;
	return 0;
}

void resctrl_plan_deinit(struct resctrl_plan *plan)
{
	free(take_ptr(plan->schemata));
}

/* ---- is it what a group has? ---- */

static const char *skip_blank(const char *s, const char *end)
{
	while (s < end && isblank((unsigned char)*s))
		s++;
	return s;
}

/* "000ff" is "ff": kernels fill up with zeros. */
static bool same_value(const char *a, size_t a_len, const char *b, size_t b_len)
{
	while (a_len > 1 && *a == '0')
		a++, a_len--;
	while (b_len > 1 && *b == '0')
		b++, b_len--;
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* line has this domain ("0=ff") with that value. */
static bool has_domain(const char *line, const char *end, const char *domain, size_t len)
{
	size_t key = strcspn(domain, "=");

	while (line < end) {
		size_t n;

		line = skip_blank(line, end);
		n = strcspn(line, ";\n");
		if (key < len && n > key && strncmp(line, domain, key + 1) == 0)
			return same_value(line + key + 1, n - key - 1, domain + key + 1,
					  len - key - 1);
		line += n + 1;
	}
	return false;
}

/* Every domain that a wanted line names has that value in the line of the same resource. */
static bool has_line(const char *text, const char *wanted, size_t len)
{
	size_t name = strcspn(wanted, ":");
	const char *at = wanted + name + 1, *stop = wanted + len;

	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n"), *start = skip_blank(line, end);

		line = *end ? end + 1 : end;
		if (name >= len || (size_t)(end - start) <= name ||
		    strncmp(start, wanted, name + 1) != 0)
			continue;
		while (at < stop) {
			size_t n;

			at = skip_blank(at, stop);
			n = strcspn(at, ";\n");
			if (n > 0 && !has_domain(start + name + 1, end, at, n))
				return false;
			at += n + 1;
		}
		return true;
	}
	return false;
}

static int compare(int dirfd, const struct resctrl_plan *plan, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	err_try(file_read(dirfd, "schemata", SCHEMATA_BYTES_MAX, &text, NULL, err));
	for (const char *line = plan->schemata; *line;) {
		size_t len = strcspn(line, "\n");

		if (!has_line(text, line, len))
			return err_say(err, EINVAL,
				       "linux.intelRdt: the class %s exists with other schemata "
				       "than \"%.*s\"",
				       plan->group[0] ? plan->group : "/", (int)len, line);
		line += len + 1;
	}
	return 0;
}

/* ---- doing it ---- */

/* The kernel tells what it does not like in a file of its own. */
static int write_schemata(const char *mountpoint, int dirfd, const struct resctrl_plan *plan,
			  struct err *err)
{
	_cleanup_free_ char *why = NULL;
	char path[PATH_MAX];
	int r = file_write(dirfd, "schemata", plan->schemata, err);

	if (r == 0)
		return 0;
	err_add(err, "linux.intelRdt");
	snprintf(path, sizeof(path), "%.4000s/info/last_cmd_status", mountpoint);
	if (!err || file_read(AT_FDCWD, path, 4096, &why, NULL, NULL) < 0 || !why[0] ||
	    strncmp(why, "ok", 2) == 0)
		return r;
	why[strcspn(why, "\n")] = '\0';
	return err_say(err, -r, "linux.intelRdt: the kernel refuses the schemata: %s", why);
}

static int open_group(int root, const struct resctrl_plan *plan, struct err *err)
{
	return dir_open(root, plan->group[0] ? plan->group : ".", err);
}

static int make_group(int root, const struct resctrl_plan *plan, bool *ret_made, struct err *err)
{
	bool optional = plan->is_own || plan->schemata;
	struct stat st;

	*ret_made = false;
	if (!plan->group[0] || fstatat(root, plan->group, &st, 0) == 0)
		return 0;
	if (!optional)
		return err_say(err, ENOENT,
			       "linux.intelRdt.closID: there is no class %s, and without schemata "
			       "it cannot be made",
			       plan->group);
	if (mkdirat(root, plan->group, 0755) < 0)
		return err_set(err, errno, "linux.intelRdt: make class %s%s", plan->group,
			       errno == ENOSPC ? " (the processor has no more of them)" : "");
	*ret_made = true;
	return 0;
}

static int fill_group(const char *mountpoint, int dirfd, const struct resctrl_plan *plan, bool made,
		      struct err *err)
{
	char monitor[NAME_MAX + sizeof("mon_groups/")];

	if (plan->schemata && !made && !plan->is_own)
		err_try(compare(dirfd, plan, err));
	else if (plan->schemata)
		err_try(write_schemata(mountpoint, dirfd, plan, err));
	if (!plan->monitor[0])
		return 0;
	snprintf(monitor, sizeof(monitor), "mon_groups/%s", plan->monitor);
	if (mkdirat(dirfd, monitor, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "linux.intelRdt.enableMonitoring: make %s", monitor);
	return 0;
}

int resctrl_apply(const char *mountpoint, const struct resctrl_plan *plan, struct err *err)
{
	_cleanup_fd_ int root = dir_open(AT_FDCWD, mountpoint, err), dirfd = -1;
	bool made;
	int r;

	if (root < 0)
		return root;
	err_try(make_group(root, plan, &made, err));
	dirfd = open_group(root, plan, err);
	if (dirfd < 0)
		return dirfd;
	r = fill_group(mountpoint, dirfd, plan, made, err);
	if (r < 0 && made)
		unlinkat(root, plan->group, AT_REMOVEDIR);
	return r;
}

int resctrl_update(const char *mountpoint, const struct resctrl_plan *plan, struct err *err)
{
	_cleanup_fd_ int root = dir_open(AT_FDCWD, mountpoint, err), dirfd = -1;

	if (root < 0)
		return root;
	dirfd = open_group(root, plan, err);
	if (dirfd < 0)
		return dirfd;
	return plan->schemata ? write_schemata(mountpoint, dirfd, plan, err) : 0;
}

int resctrl_join(const char *mountpoint, const struct resctrl_plan *plan, pid_t pid,
		 struct err *err)
{
	_cleanup_fd_ int root = dir_open(AT_FDCWD, mountpoint, err), dirfd = -1;
	char text[16], monitor[NAME_MAX + sizeof("mon_groups//tasks")];

	if (root < 0)
		return root;
	dirfd = open_group(root, plan, err);
	if (dirfd < 0)
		return dirfd;
	snprintf(text, sizeof(text), "%d", pid);
	if (file_write(dirfd, "tasks", text, err) < 0)
		return err_add(err, "linux.intelRdt");
	if (!plan->monitor[0])
		return 0;
	snprintf(monitor, sizeof(monitor), "mon_groups/%s/tasks", plan->monitor);
	if (file_write(dirfd, monitor, text, err) < 0)
		return err_add(err, "linux.intelRdt");
	return 0;
}

int resctrl_remove(const char *mountpoint, const struct resctrl_plan *plan, struct err *err)
{
	_cleanup_fd_ int root = dir_open(AT_FDCWD, mountpoint, err);
	char path[2 * NAME_MAX + sizeof("/mon_groups/")];
	int r = 0;

	if (root < 0)
		return root;
	if (plan->monitor[0]) {
		snprintf(path, sizeof(path), "%s/mon_groups/%s", plan->group[0] ? plan->group : ".",
			 plan->monitor);
		r = unlinkat(root, path, AT_REMOVEDIR);
	}
	if (plan->is_own)
		r = unlinkat(root, plan->group, AT_REMOVEDIR);
	return r < 0 && errno != ENOENT
		       ? err_set(err, errno, "linux.intelRdt: remove class %s", plan->group)
		       : 0;
}
