/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of DNS (RFC 1035) that answering for names of containers takes: reading the one
 * question of a query, and writing an answer to it. Pure; the bytes come from inside a container.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX 255
#define DNS_ANSWER_MAX 512 /* what every client takes */
#define DNS_ADDRESSES_MAX 8

enum { DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28 };
enum { DNS_OK = 0, DNS_SERVER_FAILURE = 2, DNS_NO_SUCH_NAME = 3, DNS_REFUSED = 5 };

struct dns_question {
	char name[DNS_NAME_MAX + 1]; /* "web", "a.example"; "" when no container can be called so */
	uint16_t type;
	size_t end; /* of the question, from the beginning of the message */
};

struct dns_address {
	bool v6;
	union {
		struct in_addr in;
		struct in6_addr in6;
	};
};

/* Whether it is a plain query with one question of the internet class. */
bool dns_parse(const uint8_t *data, size_t len, struct dns_question *ret);

/* Whether a server of the host's may be asked it: no whole zones, which servers give to whom they
 * trust, and questions passed on come from the host. */
bool dns_may_pass(const struct dns_question *question);

#define DNS_HEAD_MAX (12 + DNS_NAME_MAX + 1 + 4) /* header and question */

/* What a client sends by TCP: messages, each behind its length. All zero at first. */
struct dns_stream {
	uint8_t head[2 + DNS_HEAD_MAX];
	size_t head_len;
	size_t left; /* of the message, behind its head */
};

/* Takes what comes next. False when it completes the head of a message that is no question or may
 * not pass: if these bytes do not go on, no server gets to see that message whole. */
bool dns_stream_take(struct dns_stream *stream, const uint8_t *data, size_t len);

/*
 * An answer to a query that dns_parse() took: the addresses of the type that is asked for, which
 * may be none. Returns its length.
 */
size_t dns_format(const uint8_t *query, const struct dns_question *question, int code,
		  const struct dns_address *addresses, size_t count,
		  uint8_t ret[static DNS_ANSWER_MAX]);
