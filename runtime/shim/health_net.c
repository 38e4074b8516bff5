/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look over the container's network, at 127.0.0.1 as it is there: a port that takes a connection,
 * or a GET of HTTP/1.0 whose answer has a status from 200 to 399. Of an answer the beginning is
 * kept: it is what a failure is told by.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "netns/namespace.h"
#include "runtime/shim/health_probe.h"
#include "runtime/shim/health_record.h"
#include "runtime/shim/shim.h"

struct probe {
	const struct shim_health *check;
	struct task *task;
	probe_fn fn;
	void *data;
	int fd;
	struct loop_source *source;
	size_t len;
	char answer[HEALTH_OUTPUT_MAX];
};

static void probe_free(struct probe *p)
{
	if (!p)
		return;
	loop_remove(p->source);
	cleanup_fd(&p->fd);
	free(p);
}

static void fail(struct probe *p, int error)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "port %u: %s", p->check->port, strerror(error));

	p->fn(p->data, 1, text, (size_t)n);
}

/* "HTTP/1.1 204 No Content": 0 when it means health. */
static int judge(const struct probe *p)
{
	unsigned minor, status;
	char text[32];

	snprintf(text, sizeof(text), "%.*s", (int)(p->len < 31 ? p->len : 31), p->answer);
	if (sscanf(text, "HTTP/1.%1u %3u", &minor, &status) != 2)
		return 1;
	return status < 200 || status > 399;
}

/* All that is wanted has come, or all there is. */
static int on_answer(void *data, uint32_t events)
{
	struct probe *p = data;
	ssize_t n = recv(p->fd, p->answer + p->len, sizeof(p->answer) - p->len, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		p->len += (size_t)n;
	if (n > 0 && p->len < sizeof(p->answer))
		return 0;
	if (n < 0 && !p->len)
		fail(p, errno);
	else if (!p->len)
		fail(p, ENODATA);
	else
		p->fn(p->data, judge(p), p->answer, p->len);
	return 0;
}

static int ask(struct probe *p)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };

	strbuf_addf(&text,
		    "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\nUser-Agent: cellar\r\n"
		    "Accept: */*\r\nConnection: close\r\n\r\n",
		    p->check->path, p->check->port);
	if (!strbuf_ok(&text))
		return -ENOMEM;
	/* It fits into an empty socket's buffer. */
	if (send(p->fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)text.len)
		return -errno;
	p->source = loop_remove(p->source);
	return loop_add_fd(p->task->shim->loop, p->fd, EPOLLIN, on_answer, p, &p->source, NULL);
}

static int on_connected(void *data, uint32_t events)
{
	struct probe *p = data;
	socklen_t len = sizeof(int);
	int error = 0, r;

	(void)events;
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		fail(p, error);
	} else if (p->check->kind == SHIM_HEALTH_TCP) {
		p->fn(p->data, 0, "", 0);
	} else {
		r = ask(p);
		if (r < 0)
			fail(p, -r);
	}
	return 0;
}

static int open_socket(const struct task *task, struct err *err)
{
	_cleanup_fd_ int netns_fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)task->init.pid);
	netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (netns_fd < 0)
		return err_set(err, errno, "open %s", path);
	return namespace_socket(netns_fd, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, err);
}

static int begin(struct task *task, const struct shim_health *check, probe_fn fn, void *data,
		 struct probe **ret, struct err *err)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(check->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	struct probe *p = calloc(1, sizeof(*p));
	int r = 0;

	if (!p)
		return err_set(err, ENOMEM, "look after container %s", task->id);
	*p = (struct probe){ .check = check, .task = task, .fn = fn, .data = data };
	p->fd = open_socket(task, err);
	if (p->fd < 0)
		r = p->fd;
	else if (connect(p->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
		 errno != EINPROGRESS)
		r = err_set(err, errno, "connect to port %u", check->port);
	if (r == 0)
		r = loop_add_fd(task->shim->loop, p->fd, EPOLLOUT, on_connected, p, &p->source,
				err);
	if (r < 0)
		probe_free(p);
	else
		*ret = p;
	return r;
}

const struct probe_ops probe_net = { .begin = begin, .free = probe_free };
