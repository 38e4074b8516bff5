/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request stays in `requests` until it is sent; its text and what it may fail with stand beside
 * it under the same number, which is also how an answer finds its request.
 */
#include "netns/netlink.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_SIZE_MAX 1024
#define ANSWERS_SIZE 32768 /* the most that the kernel puts into one part of a dump */

struct request {
	char what[192];
	int tolerated;
	bool acked; /* or none is due */
};

struct netlink {
	struct mnl_socket *socket;
	uint32_t first_seq;
	size_t count;
	struct nlmsghdr *last;
	struct request info[NETLINK_BATCH_MAX];
	char requests[NETLINK_BATCH_MAX * REQUEST_SIZE_MAX] __attribute__((aligned(4)));
	char answers[ANSWERS_SIZE] __attribute__((aligned(4)));
};

static int start(struct mnl_socket *socket, struct netlink **ret, struct err *err)
{
	struct netlink *nl = malloc(sizeof(*nl));
	int on = 1;

	if (!nl) {
		mnl_socket_close(socket);
		return err_set(err, ENOMEM, "open netlink socket");
	}
	nl->socket = socket;
	nl->first_seq = 1;
	nl->count = 0;
	nl->last = NULL;
	/* Only nicer messages depend on these. */
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	*ret = nl;
	return 0;
}

int netlink_open(int bus, struct netlink **ret, struct err *err)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (!socket)
		return err_set(err, errno, "open %s socket",
			       bus == NETLINK_NETFILTER ? "nf_tables" : "rtnetlink");
	return start(socket, ret, err);
}

int netlink_adopt(int fd, struct netlink **ret, struct err *err)
{
	struct mnl_socket *socket = mnl_socket_fdopen(fd);

	if (!socket) {
		close(fd);
		return err_set(err, ENOMEM, "open netlink socket");
	}
	return start(socket, ret, err);
}

struct netlink *netlink_close(struct netlink *nl)
{
	if (nl) {
		mnl_socket_close(nl->socket);
		free(nl);
	}
	return NULL;
}

int netlink_fd(const struct netlink *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

static size_t pending_size(const struct netlink *nl)
{
	if (!nl->last)
		return 0;
	return (size_t)((char *)nl->last - nl->requests) + MNL_ALIGN(nl->last->nlmsg_len);
}

struct nlmsghdr *netlink_add(struct netlink *nl, uint16_t type, uint16_t flags, const char *fmt,
			     ...)
{
	size_t used = pending_size(nl);
	struct request *info = &nl->info[nl->count];
	va_list ap;

	assert(nl->count < NETLINK_BATCH_MAX);
	assert(used <= sizeof(nl->requests) - REQUEST_SIZE_MAX);
	*info = (struct request){ 0 };
	va_start(ap, fmt);
	vsnprintf(info->what, sizeof(info->what), fmt, ap);
	va_end(ap);
	nl->last = mnl_nlmsg_put_header(nl->requests + used);
	nl->last->nlmsg_type = type;
	nl->last->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nl->last->nlmsg_seq = nl->first_seq + (uint32_t)nl->count;
	nl->count++;
	return nl->last;
}

void netlink_tolerate(struct netlink *nl, int code)
{
	nl->info[nl->count - 1].tolerated = code;
}

void netlink_expect_no_ack(struct netlink *nl)
{
	nl->info[nl->count - 1].acked = true;
	nl->last->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
}

const struct nlmsghdr *netlink_pending(const struct netlink *nl, size_t *ret_len)
{
	*ret_len = pending_size(nl);
	return (const struct nlmsghdr *)nl->requests;
}

/* ---- answers ---- */

/* The kernel's own words about a refusal, or NULL. */
static const char *kernel_text(const struct nlmsghdr *msg)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(msg);
	size_t offset = sizeof(*e);
	const struct nlattr *attr;

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		offset += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	mnl_attr_for_each(attr, msg, offset) if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
						 mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >=
							 0) return mnl_attr_get_str(attr);
	return NULL;
}

static int refused(const struct request *info, const struct nlmsghdr *msg, int code,
		   struct err *err)
{
	const char *text = kernel_text(msg);

	if (!text)
		return err_set(err, code, "%s", info->what);
	return err_say(err, code, "%s: %s (%s)", info->what, strerror(code), text);
}

/* The request that an answer belongs to; NULL for leftovers of an earlier one. */
static struct request *request_of(struct netlink *nl, const struct nlmsghdr *msg)
{
	uint32_t n = msg->nlmsg_seq - nl->first_seq;

	return n < nl->count ? &nl->info[n] : NULL;
}

/* Forgets what was sent, so that the next requests get fresh numbers. */
static void forget(struct netlink *nl)
{
	nl->first_seq += (uint32_t)nl->count;
	nl->count = 0;
	nl->last = NULL;
}

static int send_pending(struct netlink *nl, struct err *err)
{
	ssize_t n;

	do
		n = mnl_socket_sendto(nl->socket, nl->requests, pending_size(nl));
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_set(err, errno, "%s", nl->info[0].what) : 0;
}

/* Returns the size of what was received, or -errno. */
static int receive(struct netlink *nl, struct err *err)
{
	ssize_t n;

	do
		n = mnl_socket_recvfrom(nl->socket, nl->answers, sizeof(nl->answers));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return err_say(err, EPROTO, "%s: the kernel gave no answer", nl->info[0].what);
	return n < 0 ? err_set(err, errno, "%s", nl->info[0].what) : (int)n;
}

/* ---- commit ---- */

/* 0: accepted or tolerated; <0: refused. */
static int take_ack(struct netlink *nl, const struct nlmsghdr *msg, struct err *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(msg);
	struct request *info = request_of(nl, msg);

	if (!info || msg->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(msg) < sizeof(*e))
		return 0;
	info->acked = true;
	if (e->error == 0 || -e->error == info->tolerated)
		return 0;
	return refused(info, msg, -e->error, err);
}

static bool all_acked(const struct netlink *nl)
{
	for (size_t i = 0; i < nl->count; i++)
		if (!nl->info[i].acked)
			return false;
	return true;
}

/*
 * Ends at the first refusal: what the kernel says about later requests is then mostly a
 * consequence, and stays in the queue under numbers that nobody asks for.
 */
static int take_acks(struct netlink *nl, struct err *err)
{
	int r = 0;

	do {
		const struct nlmsghdr *msg = (const struct nlmsghdr *)nl->answers;
		int len = receive(nl, err);

		if (len < 0)
			return len;
		for (; mnl_nlmsg_ok(msg, len) && r == 0; msg = mnl_nlmsg_next(msg, &len))
			r = take_ack(nl, msg, err);
	} while (r == 0 && !all_acked(nl));
	return r;
}

int netlink_commit(struct netlink *nl, struct err *err)
{
	int r = send_pending(nl, err);

	if (r == 0)
		r = take_acks(nl, err);
	forget(nl);
	return r;
}

/* ---- query ---- */

struct query {
	int (*fn)(void *data, const struct nlmsghdr *msg);
	void *data;
	bool dump, interrupted;
};

/* 1: the end was reached; 0: more is to come. */
static int take_answer(struct netlink *nl, struct query *q, const struct nlmsghdr *msg,
		       struct err *err)
{
	int code = 0, r;

	if (!request_of(nl, msg))
		return 0;
	if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
		q->interrupted = true;
	if (msg->nlmsg_type == NLMSG_ERROR || msg->nlmsg_type == NLMSG_DONE) {
		if (mnl_nlmsg_get_payload_len(msg) >= sizeof(code))
			memcpy(&code, mnl_nlmsg_get_payload(msg), sizeof(code));
		if (code == 0)
			return 1;
		if (msg->nlmsg_type == NLMSG_DONE)
			return err_set(err, -code, "%s", nl->info[0].what);
		return refused(&nl->info[0], msg, -code, err);
	}
	if (msg->nlmsg_type < NLMSG_MIN_TYPE)
		return 0;
	r = q->fn(q->data, msg);
	if (r < 0)
		return r;
	return !q->dump;
}

static int take_answers(struct netlink *nl, struct query *q, struct err *err)
{
	int r = 0;

	while (r == 0) {
		const struct nlmsghdr *msg = (const struct nlmsghdr *)nl->answers;
		int len = receive(nl, err);

		if (len < 0)
			return len;
		for (; mnl_nlmsg_ok(msg, len) && r == 0; msg = mnl_nlmsg_next(msg, &len))
			r = take_answer(nl, q, msg, err);
	}
	if (r > 0 && q->interrupted)
		return err_set(err, EAGAIN, "%s", nl->info[0].what);
	return r < 0 ? r : 0;
}

int netlink_query(struct netlink *nl, int (*fn)(void *data, const struct nlmsghdr *msg), void *data,
		  struct err *err)
{
	struct query q = { .fn = fn, .data = data };
	int r;

	assert(nl->count == 1);
	nl->last->nlmsg_flags &= (uint16_t)~NLM_F_ACK; /* what it gives is the answer */
	q.dump = (nl->last->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	r = send_pending(nl, err);
	if (r == 0)
		r = take_answers(nl, &q, err);
	forget(nl);
	return r;
}
