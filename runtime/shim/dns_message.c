/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/dns_message.h"

#include <ctype.h>
#include <string.h>

#define HEADER 12
#define CLASS_INTERNET 1
#define TTL_SECONDS 1 /* a container may be gone by then */
#define POINTER_TO_QUESTION (0xc000 | HEADER)

#define TYPE_PART_OF_ZONE 251 /* IXFR */
#define TYPE_ZONE 252	      /* AXFR */

#define FLAG_ANSWER 0x8000
#define FLAGS_OPCODE 0x7800
#define FLAG_RECURSION_DESIRED 0x0100
#define FLAG_RECURSION_AVAILABLE 0x0080

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static size_t put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return 2;
}

/* Of what a name of a container may be made. */
static bool is_plain(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '_';
}

/* Reads labels up to the root's, at *at. A question has no pointers to elsewhere. */
static bool parse_name(const uint8_t *data, size_t len, size_t *at,
		       char name[static DNS_NAME_MAX + 1])
{
	size_t n = 0, pos = *at;
	bool plain = true;

	while (pos < len && data[pos]) {
		size_t label = data[pos++];

		if (label > 63 || label >= len - pos || n + label + 1 > DNS_NAME_MAX - 1)
			return false;
		if (n)
			name[n++] = '.';
		for (size_t i = 0; i < label; i++) {
			plain &= is_plain(data[pos]);
			name[n++] = (char)data[pos++];
		}
	}
	if (pos >= len)
		return false;
	name[plain ? n : 0] = '\0';
	*at = pos + 1;
	return true;
}

bool dns_parse(const uint8_t *data, size_t len, struct dns_question *ret)
{
	size_t at = HEADER;

	if (len < HEADER || get16(data + 2) & (FLAG_ANSWER | FLAGS_OPCODE) || get16(data + 4) != 1)
		return false;
	if (!parse_name(data, len, &at, ret->name) || len - at < 4)
		return false;
	ret->type = get16(data + at);
	ret->end = at + 4;
	return get16(data + at + 2) == CLASS_INTERNET;
}

bool dns_may_pass(const struct dns_question *question)
{
	return question->type != TYPE_PART_OF_ZONE && question->type != TYPE_ZONE;
}

/* How long the head will be, as far as that is known. */
static size_t head_want(const struct dns_stream *stream)
{
	size_t len = stream->head_len < 2 ? 0 : get16(stream->head);

	return 2 + (len < DNS_HEAD_MAX ? len : DNS_HEAD_MAX);
}

/* It is there; what follows it is of no interest. */
static bool end_head(struct dns_stream *stream)
{
	size_t len = stream->head_len - 2;
	struct dns_question question;

	stream->left = get16(stream->head) - len;
	stream->head_len = 0;
	return dns_parse(stream->head + 2, len, &question) && dns_may_pass(&question);
}

static bool take_head(struct dns_stream *stream, const uint8_t *data, size_t len)
{
	memcpy(stream->head + stream->head_len, data, len);
	stream->head_len += len;
	return stream->head_len < 2 || stream->head_len < head_want(stream) || end_head(stream);
}

bool dns_stream_take(struct dns_stream *stream, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t rest = stream->left ? stream->left : head_want(stream) - stream->head_len;
		size_t n = rest < len ? rest : len;

		if (stream->left)
			stream->left -= n;
		else if (!take_head(stream, data, n))
			return false;
		data += n;
		len -= n;
	}
	return true;
}

static size_t put_address(uint8_t *p, const struct dns_address *address)
{
	size_t len = address->v6 ? sizeof(address->in6) : sizeof(address->in), n = 0;

	n += put16(p + n, POINTER_TO_QUESTION);
	n += put16(p + n, address->v6 ? DNS_TYPE_AAAA : DNS_TYPE_A);
	n += put16(p + n, CLASS_INTERNET);
	n += put16(p + n, 0);
	n += put16(p + n, TTL_SECONDS);
	n += put16(p + n, (unsigned)len);
	memcpy(p + n, &address->in6, len);
	return n + len;
}

size_t dns_format(const uint8_t *query, const struct dns_question *question, int code,
		  const struct dns_address *addresses, size_t count,
		  uint8_t ret[static DNS_ANSWER_MAX])
{
	size_t n = question->end; /* at most HEADER + 256 + 4 */
	unsigned answers = 0;

	memcpy(ret, query, n);
	put16(ret + 2, FLAG_ANSWER | (get16(query + 2) & FLAG_RECURSION_DESIRED) |
			       FLAG_RECURSION_AVAILABLE | (unsigned)code);
	for (size_t i = 0; i < count && answers < DNS_ADDRESSES_MAX; i++)
		if (question->type == (addresses[i].v6 ? DNS_TYPE_AAAA : DNS_TYPE_A)) {
			n += put_address(ret + n, &addresses[i]);
			answers++;
		}
	put16(ret + 6, answers);
	put16(ret + 8, 0);
	put16(ret + 10, 0);
	return n;
}
