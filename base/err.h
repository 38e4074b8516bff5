/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error that travels: of fixed size and without heap, so that it can be filled in after clone
 * and out of memory, and can cross a socket whole. It is set once, at its origin, with what was
 * attempted on what; callers put context in front with err_add(), so that a person reads one
 * sentence which names the file or JSON path and says what to do.
 *
 *	if (mkdirat(dirfd, name, 0700) < 0)
 *		return err_set(err, errno, "create folder %s", name);
 *
 * prints "create folder x: Permission denied". Every function that takes a struct err accepts NULL.
 */
#pragma once

#include <stddef.h>

#define ERR_TEXT_MAX 1020

struct err {
	int code; /* a positive errno value, 0 when nothing is set */
	char text[ERR_TEXT_MAX];
};

/*
 * Sets what was attempted and appends strerror(code). Returns -code, ready for return.
 * A code of 0 is a programmer's error and becomes EIO.
 */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Sets a whole sentence, to which nothing is appended. Returns -code. */
int err_say(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " in front of the text. Returns -err->code, or -EIO where err is NULL or unset. */
int err_add(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The analyzer sees one file at a time: tell it that these never return 0. */
#if defined(__clang_analyzer__) && !defined(ERR_IMPLEMENTATION)
#define err_set(...) ((err_set)(__VA_ARGS__), -1)
#define err_say(...) ((err_say)(__VA_ARGS__), -1)
#define err_add(...) ((err_add)(__VA_ARGS__), -1)
#endif

static inline void err_clear(struct err *err)
{
	if (err) {
		err->code = 0;
		err->text[0] = '\0';
	}
}

/* Forwards a failure as it is; for the long flat functions of parsers and writers. */
#define err_try(expr)                    \
	do {                             \
		int err_try_ = (expr);   \
		if (err_try_ < 0)        \
			return err_try_; \
	} while (0)
