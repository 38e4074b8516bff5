/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What musl's <string.h> lacks and ours use; and _FORTIFY_SOURCE's checks for the calls that copy,
 * which musl has no headers for.
 */
#pragma once
#pragma GCC system_header

#include_next <string.h>

/* The words of glibc, that callers and people know, for the codes that musl words otherwise. */
char *musl_strerror(int code);
/* "KILL" for SIGKILL; NULL for a number that is no signal of the first 31. */
const char *sigabbrev_np(int sig);

#define strerror musl_strerror

#if defined(_FORTIFY_SOURCE) && defined(__OPTIMIZE__)
#define MUSL_CHECKED extern inline __attribute__((always_inline, gnu_inline, artificial))

MUSL_CHECKED void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	return __builtin___memcpy_chk(to, from, n, __builtin_object_size(to, 0));
}

MUSL_CHECKED void *memmove(void *to, const void *from, size_t n)
{
	return __builtin___memmove_chk(to, from, n, __builtin_object_size(to, 0));
}

MUSL_CHECKED void *memset(void *to, int c, size_t n)
{
	return __builtin___memset_chk(to, c, n, __builtin_object_size(to, 0));
}

MUSL_CHECKED char *strcpy(char *restrict to, const char *restrict from)
{
	return __builtin___strcpy_chk(to, from, __builtin_object_size(to, 1));
}
#undef MUSL_CHECKED
#endif
