#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scheduler/core is pure: of the C library it calls only what computes, compares, copies, formats or
# allocates, of base only errors and arenas: no system call, no clock, no randomness, no output; and it
# has no variable outside of functions' frames, static ones in functions included.
. "$(dirname "$0")/../lib/common.sh"
cd "$T_TOP" || exit 1
core=build/debug/scheduler/core/libcore.a
[ -e "$core" ] || t_skip_all "no $core"

allowed="_GLOBAL_OFFSET_TABLE_ __assert_fail abort
	aligned_alloc calloc free malloc realloc reallocarray
	asprintf snprintf vsnprintf
	memcmp memcpy memmove memset strcmp strdup strlen
	exp2f floor fmax fmaxf fminf log2 sqrt
	qsort qsort_r
	arena_calloc arena_free arena_new err_add err_say err_set"

nm -u "$core" | awk '$1 == "U" && $2 !~ /^__(asan|ubsan)_/ { print $2 }' |
	sed -E 's/^__(.*)_chk$/\1/; s/^__stack_chk_fail$/abort/' | sort -u >"$T_DIR/called"
nm --defined-only "$core" | awk 'NF == 3 { print $3 }' | sort -u >"$T_DIR/own"
foreign=$(comm -23 "$T_DIR/called" "$T_DIR/own" | grep -vxF "$(xargs -n1 <<<"$allowed")")
t_is "scheduler/core calls nothing that reaches out of the program" "" "$foreign"

# Symbols in a section that can be written; tables of pointers (.data.rel.ro) are constant.
variables=$(objdump -t "$core" | grep -E '^[0-9a-f]+ .{7} (\.data|\.bss|\*COM\*)' |
	grep -v ' \.data\.rel\.ro' | awk '{ print $NF }' |
	grep -vE '^\.(data|bss)|^\.?Lubsan|^\.LASAN|^__(odr_)?asan' | sort -u)
t_is "scheduler/core has no variable of its own" "" "$variables"
[ -s "$T_DIR/called" ] || t_fail "scheduler/core" "nm says nothing of $core"
