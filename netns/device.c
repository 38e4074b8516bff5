/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. The kernel's move takes an interface down, and with it go its addresses: so
 * they are read before, as requests that give them again, which are sent in the other namespace. A
 * rename that comes after a move may fail with the interface on the wrong side, so the name is
 * looked up there first.
 */
#include "netns/device.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "netns/namespace.h"

#define ANSWER_BYTES_MAX 32768
/* What of an address's flags is a wish, and not what the kernel says of it. */
#define FLAGS_KEPT                                                                      \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | \
	 IFA_F_MCAUTOJOIN)

struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	};
	char attributes[256];
};

typedef int on_object(void *data, const struct nlmsghdr *object);

/* ---- messages ---- */

static void begin(struct request *q, uint16_t type, uint16_t flags, size_t header_len)
{
	memset(q, 0, sizeof(*q));
	q->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(header_len);
	q->head.nlmsg_type = type;
	q->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
}

/* All that we put is small and of known size. */
static void put(struct request *q, uint16_t type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	if (NLMSG_ALIGN(q->head.nlmsg_len) + RTA_SPACE(len) > sizeof(*q))
		return;
	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->head.nlmsg_len) + RTA_SPACE(len));
}

/* Answers of one read. 1: there is more to come; 0: the end; -errno of the kernel's. */
static int read_answers(const char *buf, size_t len, on_object *fn, void *data)
{
	const struct nlmsghdr *m = (const void *)buf;
	int r;

	for (; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len)) {
		if (m->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(m))->error;
		if (m->nlmsg_type == NLMSG_DONE)
			return 0;
		if (!fn)
			continue;
		r = fn(data, m);
		if (r < 0)
			return r;
	}
	return 1;
}

/* 0 or -errno. The kernel has answered when send(2) returns, so nothing here waits. */
static int talk(int fd, struct request *q, on_object *fn, void *data)
{
	char buf[ANSWER_BYTES_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n;
	int r;

	/* One of its two bits means something else in requests that change. */
	if ((q->head.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		q->head.nlmsg_flags |= NLM_F_ACK;
	do
		n = send(fd, q, q->head.nlmsg_len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	do {
		do
			n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		r = read_answers(buf, (size_t)n, fn, data);
	} while (r > 0);
	return r;
}

/* ---- links ---- */

static int take_index(void *data, const struct nlmsghdr *m)
{
	*(int *)data = ((const struct ifinfomsg *)NLMSG_DATA(m))->ifi_index;
	return 0;
}

/* Its index, 0 where there is none, or -errno. */
static int find_link(int fd, const char *name)
{
	struct request q;
	int index = 0, r;

	begin(&q, RTM_GETLINK, 0, sizeof(q.link));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	r = talk(fd, &q, take_index, &index);
	return r == -ENODEV ? 0 : r < 0 ? r : index;
}

static int set_up(int fd, int index)
{
	struct request q;

	begin(&q, RTM_NEWLINK, 0, sizeof(q.link));
	q.link.ifi_index = index;
	q.link.ifi_flags = q.link.ifi_change = IFF_UP;
	return talk(fd, &q, NULL, NULL);
}

static int send_link(int fd, int index, const char *name, int netns_fd)
{
	struct request q;

	begin(&q, RTM_NEWLINK, 0, sizeof(q.link));
	q.link.ifi_index = index;
	q.link.ifi_change = IFF_UP; /* and not in the flags: down, as a rename wants it */
	put(&q, IFLA_NET_NS_FD, &netns_fd, sizeof(netns_fd));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	return talk(fd, &q, NULL, NULL);
}

/* The name for inside that is free there, with its number if it wants one. */
static int choose_name(int fd, const char *wanted, char ret[static IFNAMSIZ], struct err *err)
{
	const char *percent = strchr(wanted, '%');
	int found = 0;

	for (unsigned n = 0; n < 100000; n++) {
		int len = percent ? snprintf(ret, IFNAMSIZ, "%.*s%u%s", (int)(percent - wanted),
					     wanted, n, percent + 2)
				  : snprintf(ret, IFNAMSIZ, "%s", wanted);

		if (len >= IFNAMSIZ)
			return err_say(err, ENAMETOOLONG, "no free name of the form %s", wanted);
		found = find_link(fd, ret);
		if (found < 0)
			return err_set(err, -found, "look for %s in the container", ret);
		if (found == 0)
			return 0;
		if (!percent)
			break;
	}
	return err_say(err, EEXIST, "the container's network namespace has an interface %s already",
		       wanted);
}

/* ---- addresses ---- */

/* struct request after request, each of full size. */
struct addresses {
	struct strbuf requests;
	int index;
};

static void addresses_deinit(struct addresses *a)
{
	strbuf_deinit(&a->requests);
}

static uint32_t flags_of(const struct nlmsghdr *m)
{
	const struct ifaddrmsg *a = NLMSG_DATA(m);
	uint32_t flags = a->ifa_flags;
	int len = (int)IFA_PAYLOAD(m);

	for (const struct rtattr *t = IFA_RTA(a); RTA_OK(t, len); t = RTA_NEXT(t, len))
		if (t->rta_type == IFA_FLAGS && RTA_PAYLOAD(t) == sizeof(flags))
			memcpy(&flags, RTA_DATA(t), sizeof(flags));
	return flags;
}

static int take_address(void *data, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *a = NLMSG_DATA(m);
	struct addresses *all = data;
	uint32_t flags = flags_of(m), kept = flags & FLAGS_KEPT;
	int len = (int)IFA_PAYLOAD(m);
	struct request q;

	if ((int)a->ifa_index != all->index || a->ifa_scope != RT_SCOPE_UNIVERSE ||
	    !(flags & IFA_F_PERMANENT))
		return 0;
	begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(q.address));
	q.address.ifa_family = a->ifa_family;
	q.address.ifa_prefixlen = a->ifa_prefixlen;
	q.address.ifa_scope = a->ifa_scope;
	put(&q, IFA_FLAGS, &kept, sizeof(kept));
	for (const struct rtattr *t = IFA_RTA(a); RTA_OK(t, len); t = RTA_NEXT(t, len))
		if (t->rta_type == IFA_ADDRESS || t->rta_type == IFA_LOCAL ||
		    t->rta_type == IFA_BROADCAST || t->rta_type == IFA_RT_PRIORITY ||
		    t->rta_type == IFA_CACHEINFO)
			put(&q, t->rta_type, RTA_DATA(t), RTA_PAYLOAD(t));
	strbuf_add(&all->requests, &q, sizeof(q));
	return all->requests.failed ? -ENOMEM : 0;
}

static int read_addresses(int fd, struct addresses *all)
{
	struct request q;

	begin(&q, RTM_GETADDR, NLM_F_DUMP, sizeof(q.address));
	return talk(fd, &q, take_address, all);
}

static int give_addresses(int fd, int index, const struct addresses *all)
{
	for (size_t at = 0; at + sizeof(struct request) <= all->requests.len;
	     at += sizeof(struct request)) {
		struct request q;

		memcpy(&q, all->requests.data + at, sizeof(q));
		q.address.ifa_index = (uint32_t)index;
		err_try(talk(fd, &q, NULL, NULL));
	}
	return 0;
}

/* ---- the move ---- */

static int finish(int inside, const char *name, const struct addresses *addresses, struct err *err)
{
	int index = find_link(inside, name), r;

	if (index <= 0)
		return err_set(err, index < 0 ? -index : ENODEV, "find %s in the container", name);
	r = give_addresses(inside, index, addresses);
	if (r < 0)
		return err_set(err, -r, "give its addresses to %s in the container", name);
	r = set_up(inside, index);
	return r < 0 ? err_set(err, -r, "set %s up in the container", name) : 0;
}

int device_move(int netns_fd, const char *host_name, const char *name,
		char ret_name[static IFNAMSIZ], struct err *err)
{
	_cleanup_fd_ int here = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	_cleanup_fd_ int inside = -1;
	_cleanup_(addresses_deinit) struct addresses addresses = { 0 };
	int r;

	ret_name[0] = '\0';
	if (here < 0)
		return err_set(err, errno, "open a netlink socket");
	inside = namespace_socket(netns_fd, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, err);
	if (inside < 0)
		return inside;
	addresses.index = find_link(here, host_name);
	if (addresses.index <= 0)
		return addresses.index == 0
			       ? err_say(err, ENODEV, "there is no interface %s here", host_name)
			       : err_set(err, -addresses.index, "look for %s", host_name);
	r = choose_name(inside, name ? name : host_name, ret_name, err);
	if (r < 0) {
		ret_name[0] = '\0';
		return r;
	}
	r = read_addresses(here, &addresses);
	if (r < 0)
		return err_set(err, -r, "read the addresses of %s", host_name);
	r = send_link(here, addresses.index, ret_name, netns_fd);
	if (r == -EINVAL)
		return err_say(err, EINVAL,
			       "%s is of a kind that cannot leave its network namespace",
			       host_name);
	if (r < 0)
		return err_set(err, -r, "move %s into the container as %s", host_name, ret_name);
	return finish(inside, ret_name, &addresses, err);
}
