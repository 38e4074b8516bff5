/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/frame.h"

/* "kind:length:text " of each. */
static int note(void *data, enum frame_kind kind, const char *bytes, size_t len)
{
	struct strbuf *sb = data;

	assert_int_equal(bytes[len], 0);
	strbuf_addf(sb, "%c:%zu:%.8s ", kind, len, bytes);
	return kind == FRAME_EXIT ? -ECANCELED : 0;
}

static void frames_come_whole_however_they_are_cut(void **state)
{
	_cleanup_strbuf_ struct strbuf sent = { 0 };

	(void)state;
	frame_add(&sent, FRAME_NAME, "abc", 3);
	frame_add(&sent, FRAME_PULSE, "", 0);
	frame_add(&sent, FRAME_STDOUT, "a\0b", 3);
	for (size_t cut = 1; cut <= sent.len; cut++) {
		struct frame_reader reader = { 0 };
		_cleanup_strbuf_ struct strbuf seen = { 0 };

		for (size_t at = 0; at < sent.len; at += cut)
			assert_int_equal(frame_read(&reader, sent.data + at,
						    sent.len - at < cut ? sent.len - at : cut, note,
						    &seen),
					 0);
		assert_string_equal(seen.data, "n:3:abc p:0: o:3:a ");
		frame_reader_deinit(&reader);
	}
}

static void what_is_too_long_goes_in_several(void **state)
{
	static const char data[FRAME_MAX + 5];
	_cleanup_strbuf_ struct strbuf sent = { 0 }, seen = { 0 };
	struct frame_reader reader = { 0 };

	(void)state;
	frame_add(&sent, FRAME_STDIN, data, sizeof(data));
	assert_int_equal(frame_read(&reader, sent.data, sent.len, note, &seen), 0);
	assert_string_equal(seen.data, "i:65536: i:5: ");
	frame_reader_deinit(&reader);
}

static void what_is_no_frame_is_refused(void **state)
{
	struct frame_reader reader = { 0 };

	(void)state;
	assert_int_equal(frame_read(&reader, "o\xff\xff\xff", 4, note, NULL), -EBADMSG);
	frame_reader_deinit(&reader);
}

static void the_reader_may_stop(void **state)
{
	_cleanup_strbuf_ struct strbuf sent = { 0 }, seen = { 0 };
	struct frame_reader reader = { 0 };

	(void)state;
	frame_add(&sent, FRAME_EXIT, "7", 1);
	frame_add(&sent, FRAME_STDOUT, "late", 4);
	assert_int_equal(frame_read(&reader, sent.data, sent.len, note, &seen), -ECANCELED);
	assert_string_equal(seen.data, "x:1:7 ");
	frame_reader_deinit(&reader);
}

static void what_has_arrived_goes_and_the_rest_stays(void **state)
{
	_cleanup_strbuf_ struct strbuf sent = { 0 };

	(void)state;
	frame_drop(&sent, 0);
	strbuf_adds(&sent, "abcde");
	frame_drop(&sent, 3);
	assert_string_equal(sent.data, "de");
	frame_drop(&sent, 2);
	assert_string_equal(sent.data, "");
	assert_int_equal(sent.len, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_whole_however_they_are_cut),
		cmocka_unit_test(what_is_too_long_goes_in_several),
		cmocka_unit_test(what_is_no_frame_is_refused),
		cmocka_unit_test(the_reader_may_stop),
		cmocka_unit_test(what_has_arrived_goes_and_the_rest_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
