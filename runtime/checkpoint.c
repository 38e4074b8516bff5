/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container written to disk by CRIU. What lies outside of it and what it only sees is told as
 * external: mounts, a network namespace of others, its standard files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "runtime/container_struct.h"
#include "runtime/criu.h"
#include "runtime/criu_options.h"

#define LOG "dump.log"

/* ---- what is external ---- */

static int add_namespace(struct criu_options *o, const struct container *c, const char *name,
			 const char *key, struct err *err)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", c->record.pid, name);
	if (stat(path, &st) < 0)
		return err_set(err, errno, "look at %s", path);
	return criu_options_add(
		o, &o->message.external, &o->message.n_external,
		arena_printf(o->arena, "%s[%lu]:%s", name, (unsigned long)st.st_ino, key), err);
}

/* The mount of an open file; -1: unknown. */
static int mount_of(pid_t pid, int fd)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	char path[64];
	int id;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	if (file_read(AT_FDCWD, path, 65536, &text, NULL, NULL) < 0)
		return -1;
	line = strstr(text, "mnt_id:");
	return line && sscanf(line, "mnt_id: %d", &id) == 1 ? id : -1;
}

static bool has_mount(pid_t pid, int id)
{
	_cleanup_file_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[64];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0)
		if (strtol(line, NULL, 10) == id)
			return true;
	return false;
}

/* What the file is called: "pipe:[123]", "file[MOUNT:INODE]" of one that is the host's, else a
 * path. NULL when out of memory. */
static const char *describe_file(struct criu_options *o, pid_t pid, int fd)
{
	char path[64], link[PATH_MAX];
	struct stat st;
	ssize_t n;
	int mount;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = '\0';
	mount = mount_of(pid, fd);
	if (link[0] == '/' && mount >= 0 && !has_mount(pid, mount) && stat(path, &st) == 0)
		return arena_printf(o->arena, "file[%x:%lx]", (unsigned)mount,
				    (unsigned long)st.st_ino);
	return arena_strdup(o->arena, link);
}

static int add_stdio(struct criu_options *o, const struct container *c, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	const char *names[3];

	if (!w)
		return err_set(err, ENOMEM, "describe the standard files");
	json_open_array(w);
	for (int fd = 0; fd < 3; fd++) {
		bool again = false;

		names[fd] = describe_file(o, c->record.pid, fd);
		if (!names[fd])
			return err_set(err, ENOMEM, "describe the standard files");
		json_put_string(w, names[fd]);
		for (int i = 0; i < fd; i++)
			again |= strcmp(names[i], names[fd]) == 0;
		if (!again && strncmp(names[fd], "file[", 5) == 0)
			err_try(criu_options_add(o, &o->message.external, &o->message.n_external,
						 arena_strdup(o->arena, names[fd]), err));
	}
	json_close_array(w);
	text = json_writer_take(w, NULL);
	if (!text)
		return err_set(err, ENOMEM, "describe the standard files");
	return file_replace(o->images_fd, CRIU_STDIO_FILE, text, strlen(text), 0600, false, err);
}

/* All processes stop at once by the freezer, and not one by one. */
static int add_freezer(struct criu_options *o, struct container *c, struct err *err)
{
	char folder[CGROUP_PATH_MAX];
	struct cgroup *cgroup;
	size_t count;
	const struct cgroup_hierarchy *h, *found = NULL;

	if (container_load_cgroup(c, &cgroup, NULL) < 0)
		return 0; /* the container has none */
	h = cgroup_hierarchies(cgroup, &count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(h[i].name, "freezer") == 0 || (h[i].v2 && !found))
			found = &h[i];
	if (!found)
		return 0;
	o->message.freeze_cgroup = arena_strdup(o->arena, cgroup_folder(cgroup, found, folder));
	return o->message.freeze_cgroup ? 0 : err_set(err, ENOMEM, "ask criu");
}

static int add_all(struct criu_options *o, struct container *c, const struct oci_config *config,
		   struct err *err)
{
	const struct oci_namespace *net = &config->namespaces[OCI_NS_NETWORK];
	struct criu_mounts mounts = { 0 };

	err_try(criu_mounts_read(c->record.pid, config, c->record.rootfs, o->arena, &mounts, err));
	err_try(criu_options_add_mounts(o, &mounts, err));
	if (net->present && net->path)
		err_try(add_namespace(o, c, "net", CRIU_NET_KEY, err));
	err_try(add_freezer(o, c, err));
	return add_stdio(o, c, err);
}

/* ---- the dump ---- */

static int on_step(void *data, const char *step, pid_t pid, int fd, struct err *err)
{
	(void)data;
	(void)pid;
	(void)err;
	log_debug("criu: %s", step);
	cleanup_fd(&fd);
	return 0;
}

static int ask(struct criu_options *o, struct container *c,
	       const struct container_criu_options *from, struct err *err)
{
	Criu__Request request = CRIU__REQUEST__INIT;
	struct criu_call call = {
		.program = from->program,
		.request = &request,
		.cgroup_fd = -1,
		.work_fd = o->work_fd,
		.log = LOG,
		.notify = on_step,
	};
	Criu__Options *m = &o->message;

	request.type = from->pre_dump ? CRIU__TYPE__PRE_DUMP : CRIU__TYPE__DUMP;
	request.opts = m;
	m->has_pid = m->has_leave_running = m->has_tcp_skip_in_flight = m->has_link_remap = 1;
	m->pid = c->record.pid;
	m->root = (char *)(uintptr_t)c->record.rootfs;
	m->leave_running = from->leave_running;
	m->tcp_skip_in_flight = from->tcp_skip_in_flight;
	m->link_remap = from->link_remap;
	m->parent_img = (char *)(uintptr_t)from->parent_path;
	m->has_track_mem = 1;
	m->track_mem = from->pre_dump || from->parent_path;
	return criu_call(&call, NULL, err);
}

int container_checkpoint(struct container *c, const struct container_criu_options *from,
			 struct err *err)
{
	_cleanup_criu_options_ struct criu_options o = CRIU_OPTIONS_NONE;
	enum oci_status status = container_status(c);
	const struct oci_config *config;
	int r;

	if (status != OCI_RUNNING && status != OCI_PAUSED)
		return err_say(err, ESRCH, "container not running: %s is %s", c->id,
			       oci_status_name(status));
	if (from->parent_path && from->parent_path[0] == '/')
		return err_say(err, EINVAL,
			       "--parent-path: '%s' has to be relative to the images' folder",
			       from->parent_path);
	err_try(container_load_config(c, &config, err));
	err_try(criu_options_open(from, config, true, LOG, &o, err));
	err_try(add_all(&o, c, config, err));
	r = ask(&o, c, from, err);
	if (r < 0)
		return err_add(err, "checkpoint container %s", c->id);
	return from->leave_running || from->pre_dump ? 0 : container_wait_dead(c, err);
}
