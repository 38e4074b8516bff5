/* SPDX-License-Identifier: Apache-2.0 */
/* A root file system of busybox in a temporary folder, and containers run in it to their end. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/process.h"
#include "isolation/launch.h"

struct bench {
	char dir[64];	 /* the bundle */
	char rootfs[80]; /* dir/rootfs */
};

/* Parts of a config.json; NULL leaves them out. Lists end with a comma each where they are put. */
struct spec {
	const char *script;	/* of sh -c; may not hold a quote */
	const char *args;	/* instead: the JSON array */
	const char *process;	/* "\"cwd\":\"/tmp\"" */
	const char *mounts;	/* more of them, behind proc, dev, pts */
	const char *namespaces; /* instead of new pid, mount, ipc, uts, network */
	const char *linux_;
	const char *top;
	const char *root;
	struct plan_options options;
	struct launch_options launch;
	bool by_fifo;
	bool no_tty_group; /* gid 5 is not mapped */
	int exec_of;	   /* pidfd: run as exec in that container */
};

struct outcome {
	int r; /* of plan, create or start */
	int exit_code;
	pid_t pid;
	char out[16384]; /* stdout and stderr */
	struct err err;
};

static inline int bench_applets(const char *rootfs)
{
	static const char *const applets[] = {
		"sh",	 "cat",	  "ls",	  "id",	   "echo", "grep",  "hostname", "readlink",
		"sleep", "mount", "stat", "touch", "tty",  "stty",  "umount",	"ip",
		"env",	 "test",  "true", "head",  "tr",   "mkdir", "wc",	"false",
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(applets); i++) {
		snprintf(path, sizeof(path), "%s/bin/%s", rootfs, applets[i]);
		if (symlink("busybox", path) < 0)
			return -1;
	}
	return 0;
}

static inline int bench_copy(const char *from, const char *to)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	if (file_read(AT_FDCWD, from, 16 << 20, &data, &len, NULL) < 0)
		return -1;
	return file_replace(AT_FDCWD, to, data, len, 0755, false, NULL);
}

/* <0 where there is no busybox to run. */
static inline int bench_init(struct bench *b)
{
	char path[PATH_MAX];

	snprintf(b->dir, sizeof(b->dir), "/tmp/cellar-launch-XXXXXX");
	if (!mkdtemp(b->dir) || chmod(b->dir, 0755) < 0)
		return -1;
	snprintf(b->rootfs, sizeof(b->rootfs), "%s/rootfs", b->dir);
	snprintf(path, sizeof(path), "%s/bin", b->rootfs);
	if (dir_create(AT_FDCWD, path, 0755, NULL) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/bin/busybox", b->rootfs);
	return bench_copy("/bin/busybox", path) < 0 ? -1 : bench_applets(b->rootfs);
}

static inline void bench_deinit(struct bench *b)
{
	tree_remove(AT_FDCWD, b->dir, NULL);
}

static inline char *bench_config(const struct bench *b, const struct spec *s)
{
	char *text = NULL, *args = NULL;

	if (!s->args && asprintf(&args, "[\"sh\",\"-c\",\"%s\"]", s->script) < 0)
		return NULL;
	if (asprintf(
		    &text,
		    "{\"ociVersion\":\"1.0.2\",\"hostname\":\"cell\","
		    "\"root\":{\"path\":\"%s\"%s%s},"
		    "\"process\":{\"args\":%s,\"env\":[\"PATH=/bin\"],\"user\":{\"uid\":0,"
		    "\"gid\":0},\"cwd\":\"/\"%s%s},"
		    "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":"
		    "[\"mode=755\",\"size=64k\"]},"
		    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
		    "\"options\":[\"newinstance\",\"ptmxmode=0666\"%s]}%s%s]%s%s,"
		    "\"linux\":{\"namespaces\":[%s]%s%s}}",
		    b->rootfs, s->root ? "," : "", s->root ? s->root : "", s->args ? s->args : args,
		    s->process ? "," : "", s->process ? s->process : "",
		    s->no_tty_group ? "" : ",\"gid=5\"", s->mounts ? "," : "",
		    s->mounts ? s->mounts : "", s->top ? "," : "", s->top ? s->top : "",
		    s->namespaces ? s->namespaces
				  : "{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},"
				    "{\"type\":\"uts\"},{\"type\":\"network\"}",
		    s->linux_ ? "," : "", s->linux_ ? s->linux_ : "") < 0)
		text = NULL;
	free(args);
	return text;
}

/* What the container says, until it ends. */
static inline void bench_read(int fd, struct outcome *o)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < sizeof(o->out) &&
	       (n = read(fd, o->out + len, sizeof(o->out) - len - 1)) > 0)
		len += (size_t)n;
	o->out[len] = '\0';
}

static inline int bench_plan(const struct bench *b, const struct spec *s, struct plan **ret,
			     struct err *err)
{
	_cleanup_free_ char *text = bench_config(b, s);
	_cleanup_oci_config_ struct oci_config *config = NULL;
	struct plan_options options = s->options;
	int r = oci_config_parse(text, strlen(text), &config, err);

	if (r < 0)
		return r;
	options.rootfs = b->rootfs;
	options.bundle = b->dir;
	options.id = "bench";
	return s->exec_of ? plan_build_exec(config, &config->process, &options, ret, err)
			  : plan_build(config, &options, ret, err);
}

static inline int bench_start(const struct bench *b, const struct spec *s, int out_fd,
			      struct launch *l, struct err *err)
{
	_cleanup_plan_ struct plan *plan = NULL;
	_cleanup_fd_ int fifo = -1, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int stdio[] = { null, out_fd, out_fd }, r = bench_plan(b, s, &plan, err);
	struct launch_options o = s->launch;
	char path[PATH_MAX];

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/exec.fifo", b->dir);
	if (s->by_fifo) {
		mkfifo(path, 0600);
		fifo = open(path, O_PATH | O_CLOEXEC);
	}
	o.plan = plan;
	o.cgroup_fd = -1;
	o.stdio = stdio;
	o.exec_fifo_fd = fifo;
	o.target_pidfd = s->exec_of ? s->exec_of : -1;
	r = launch_create(&o, l, err);
	if (r < 0)
		return r;
	r = s->by_fifo ? launch_start(AT_FDCWD, path, l->pidfd, err)
		       : launch_release(l, NULL, NULL, err);
	unlink(path);
	return r;
}

static inline struct outcome bench_run(const struct bench *b, const struct spec *s)
{
	static struct outcome o;
	struct launch l = LAUNCH_NONE;
	int out[2], status;

	memset(&o, 0, sizeof(o));
	if (pipe2(out, O_CLOEXEC) < 0)
		abort();
	o.r = bench_start(b, s, out[1], &l, &o.err);
	o.pid = l.pid;
	close(out[1]);
	if (l.console_fd >= 0)
		bench_read(l.console_fd, &o);
	else
		bench_read(out[0], &o);
	close(out[0]);
	if (l.pidfd >= 0 && process_wait(l.pidfd, &status) == 0)
		o.exit_code = process_exit_code(status);
	launch_deinit(&l);
	return o;
}
