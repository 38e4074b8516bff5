/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/dns_message.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* A question for "web", type A, with recursion desired. */
static const uint8_t web[] = { 0x12, 0x34, 0x01, 0x00, 0,   1, 0, 0, 0, 0, 0,
			       0,    3,	   'w',	 'e',  'b', 0, 0, 1, 0, 1 };

static void a_question_is_read(void **state)
{
	struct dns_question q;

	(void)state;
	assert_true(dns_parse(web, sizeof(web), &q));
	assert_string_equal(q.name, "web");
	assert_int_equal(q.type, DNS_TYPE_A);
	assert_int_equal(q.end, sizeof(web));
}

/* Every length short of the whole, from a buffer of just that size, for ASan to see. */
static void a_cut_question_is_refused(void **state)
{
	struct dns_question q;

	(void)state;
	for (size_t len = 0; len < sizeof(web); len++) {
		uint8_t *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy + 1, web, len);
		assert_false(dns_parse(copy + 1, len, &q));
		free(copy);
	}
}

static void what_is_no_plain_question_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 2, 0x81 },  /* an answer */
		{ 2, 0x11 },  /* another operation */
		{ 5, 2 },     /* two questions */
		{ 5, 0 },     /* none */
		{ 12, 0xc0 }, /* a pointer */
		{ 12, 64 },   /* a label too long */
		{ 12, 9 },    /* a label beyond the end */
		{ 20, 3 },    /* another class */
	};
	struct dns_question q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		uint8_t copy[sizeof(web)];

		memcpy(copy, web, sizeof(web));
		copy[changes[i].at] = changes[i].value;
		if (dns_parse(copy, sizeof(copy), &q))
			fail_msg("change %zu was accepted", i);
	}
}

static void names_of_no_container_are_empty(void **state)
{
	uint8_t copy[sizeof(web)];
	struct dns_question q;

	(void)state;
	memcpy(copy, web, sizeof(web));
	copy[14] = '.';
	assert_true(dns_parse(copy, sizeof(copy), &q));
	assert_string_equal(q.name, "");
	copy[14] = '/';
	assert_true(dns_parse(copy, sizeof(copy), &q));
	assert_string_equal(q.name, "");
	copy[14] = 0;
	assert_true(dns_parse(copy, sizeof(copy), &q));
	assert_string_equal(q.name, "");
}

static size_t put_name(uint8_t *p, size_t labels)
{
	size_t n = 12;

	memcpy(p, web, 12);
	for (size_t i = 0; i < labels; i++) {
		p[n++] = 63;
		memset(p + n, 'a', 63);
		n += 63;
	}
	memcpy(p + n, "\0\0\1\0\1", 5);
	return n + 5;
}

static void the_longest_name_fits_and_no_longer(void **state)
{
	uint8_t query[600], answer[DNS_ANSWER_MAX];
	struct dns_address addresses[20] = { { .v6 = true } };
	struct dns_question q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		addresses[i].v6 = true;
	assert_true(dns_parse(query, put_name(query, 3), &q));
	assert_int_equal(strlen(q.name), 3 * 64 - 1);
	q.type = DNS_TYPE_AAAA;
	assert_true(dns_format(query, &q, DNS_OK, addresses, ARRAY_SIZE(addresses), answer) <=
		    DNS_ANSWER_MAX);
	assert_false(dns_parse(query, put_name(query, 4), &q));
}

static void an_answer_has_the_addresses_asked_for(void **state)
{
	struct dns_address addresses[3] = { { .v6 = false }, { .v6 = true }, { .v6 = false } };
	uint8_t answer[DNS_ANSWER_MAX];
	struct dns_question q;
	size_t len;

	(void)state;
	inet_pton(AF_INET, "10.77.0.2", &addresses[0].in);
	inet_pton(AF_INET6, "fd00::2", &addresses[1].in6);
	inet_pton(AF_INET, "10.77.0.3", &addresses[2].in);
	assert_true(dns_parse(web, sizeof(web), &q));
	len = dns_format(web, &q, DNS_OK, addresses, 3, answer);
	assert_int_equal(len, sizeof(web) + 2 * 16);
	assert_memory_equal(answer, "\x12\x34\x81\x80\0\1\0\2\0\0\0\0", 12);
	assert_memory_equal(answer + 12, web + 12, sizeof(web) - 12);
	assert_memory_equal(answer + sizeof(web), "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\x4d\0\2", 16);
	assert_memory_equal(answer + sizeof(web) + 16, "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\x4d\0\3",
			    16);
	q.type = 15;
	len = dns_format(web, &q, DNS_OK, addresses, 3, answer);
	assert_int_equal(len, sizeof(web));
	len = dns_format(web, &q, DNS_NO_SUCH_NAME, NULL, 0, answer);
	assert_memory_equal(answer, "\x12\x34\x81\x83\0\1\0\0\0\0\0\0", 12);
	assert_int_equal(len, sizeof(web));
}

/* Behind its length; in pieces of every size. */
static bool passes(const uint8_t *message, size_t len, size_t piece)
{
	struct dns_stream stream = { 0 };
	uint8_t text[4 + 2 * 512], *copy;
	bool fine = true;

	text[0] = (uint8_t)(len >> 8);
	text[1] = (uint8_t)len;
	memcpy(text + 2, message, len);
	memcpy(text + 2 + len, text, 2 + len);
	for (size_t at = 0, n; fine && at < 2 * (2 + len); at += n) {
		n = 2 * (2 + len) - at < piece ? 2 * (2 + len) - at : piece;
		copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, text + at, n);
		fine = dns_stream_take(&stream, copy, n);
		free(copy);
	}
	return fine;
}

static void questions_pass_by_tcp(void **state)
{
	uint8_t padded[500] = { 0 };

	(void)state;
	memcpy(padded, web, sizeof(web));
	for (size_t piece = 1; piece < 60; piece++) {
		assert_true(passes(web, sizeof(web), piece));
		assert_true(passes(padded, sizeof(padded), piece));
	}
}

static void nothing_else_passes_by_tcp(void **state)
{
	uint8_t update[sizeof(web)], zone[sizeof(web)];

	(void)state;
	memcpy(update, web, sizeof(web));
	memcpy(zone, web, sizeof(web));
	update[2] = 0x28;
	zone[sizeof(web) - 3] = 252;
	for (size_t piece = 1; piece < 60; piece++) {
		assert_false(passes(update, sizeof(update), piece));
		assert_false(passes(zone, sizeof(zone), piece));
		assert_false(passes(web, sizeof(web) - 1, piece));
		assert_false(passes(web, 0, piece));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_read),
		cmocka_unit_test(a_cut_question_is_refused),
		cmocka_unit_test(what_is_no_plain_question_is_refused),
		cmocka_unit_test(names_of_no_container_are_empty),
		cmocka_unit_test(the_longest_name_fits_and_no_longer),
		cmocka_unit_test(an_answer_has_the_addresses_asked_for),
		cmocka_unit_test(questions_pass_by_tcp),
		cmocka_unit_test(nothing_else_passes_by_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
