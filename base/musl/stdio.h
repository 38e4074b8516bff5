/* SPDX-License-Identifier: Apache-2.0 */
/* _FORTIFY_SOURCE's checks for the calls that print into a buffer, which musl has no headers for.
 */
#pragma once
#pragma GCC system_header

#include_next <stdio.h>
#include <stdarg.h>

#if defined(_FORTIFY_SOURCE) && defined(__OPTIMIZE__)
#define MUSL_CHECKED extern inline __attribute__((always_inline, gnu_inline, artificial))

MUSL_CHECKED int snprintf(char *restrict to, size_t n, const char *restrict format, ...)
{
	return __builtin___snprintf_chk(to, n, 0, __builtin_object_size(to, 1), format,
					__builtin_va_arg_pack());
}

MUSL_CHECKED int vsnprintf(char *restrict to, size_t n, const char *restrict format, va_list args)
{
	return __builtin___vsnprintf_chk(to, n, 0, __builtin_object_size(to, 1), format, args);
}
#undef MUSL_CHECKED
#endif
