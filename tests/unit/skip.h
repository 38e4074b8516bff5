/* SPDX-License-Identifier: Apache-2.0 */
/* A skipped test says why: tests/lib/cmocka.sh reads the line. Include after cmocka.h. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define skip_because(reason)                             \
	do {                                             \
		print_message("reason: %s\n", (reason)); \
		skip();                                  \
	} while (0)
