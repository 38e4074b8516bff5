/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic between namespaces, each end in a child of its own. Tries are repeated, because the first
 * packet may be lost while neighbours get to know each other; all waiting is by poll(2).
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "sandbox.h"

#define TRAFFIC_TRIES 160
#define TRAFFIC_TRY_MS 250

static inline int traffic_await(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, TRAFFIC_TRY_MS) > 0;
}

static inline uint16_t traffic_checksum(const void *data, size_t len)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len / 2; i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

static inline int traffic_ping_once(int fd, struct in_addr to)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = to };
	struct icmphdr echo = { .type = ICMP_ECHO, .un.echo.id = htons(4711) };
	char answer[256];

	echo.checksum = traffic_checksum(&echo, sizeof(echo));
	if (sendto(fd, &echo, sizeof(echo), 0, (struct sockaddr *)&in, sizeof(in)) < 0)
		return 0;
	while (traffic_await(fd)) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);
		const struct iphdr *ip = (const void *)answer;
		const struct icmphdr *icmp = (const void *)(answer + ip->ihl * 4);

		if (n >= (ssize_t)(ip->ihl * 4 + sizeof(*icmp)) && icmp->type == ICMP_ECHOREPLY &&
		    ip->saddr == to.s_addr)
			return 1;
	}
	return 0;
}

static inline int traffic_ping_child(void *data)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	for (int i = 0; i < TRAFFIC_TRIES; i++)
		if (traffic_ping_once(fd, *(struct in_addr *)data))
			return 0;
	return 1;
}

/* Pings from a namespace. 0: answered. */
static inline int traffic_ping(const char *netns, struct in_addr to)
{
	return sandbox_run_in(netns, traffic_ping_child, &to);
}

/* Answers each datagram with the address that it came from, as text. */
static inline int traffic_mirror_child(void *data)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(5353) };
	char text[INET_ADDRSTRLEN], byte;

	(void)data;
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		return 1;
	for (;;) {
		socklen_t len = sizeof(in);

		if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&in, &len) < 0)
			return 2;
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		sendto(fd, text, sizeof(text), 0, (struct sockaddr *)&in, len);
	}
}

/* Starts a mirror in a namespace; the caller kills it. */
static inline pid_t traffic_mirror(const char *netns)
{
	return sandbox_start_in(netns, traffic_mirror_child, NULL);
}

struct traffic_look {
	struct in_addr to;
	const char *expected;
	int tries;
};

/* 0: the mirror saw the expected address; 2: it saw another; 1: nobody answered. */
static inline int traffic_look_child(void *data)
{
	const struct traffic_look *look = data;
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(5353),
		.sin_addr = look->to,
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[INET_ADDRSTRLEN] = "";

	for (int i = 0; i < look->tries; i++) {
		sendto(fd, "?", 1, 0, (struct sockaddr *)&in, sizeof(in));
		if (!traffic_await(fd) || recv(fd, text, sizeof(text), 0) != sizeof(text))
			continue;
		if (strcmp(text, look->expected) == 0)
			return 0;
		print_message("seen as %s instead of %s\n", text, look->expected);
		return 2;
	}
	return 1;
}
