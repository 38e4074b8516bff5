#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib/common.sh"
cd "$T_TOP" || exit 1
[ -s build/debug/compile_commands.json ] || t_skip_all "no debug build"
# Only what the debug build compiles: cellar-init has a compiler of its own (musl-gcc).
files=$(git ls-files 'base/*.c' 'spec/*.c' 'isolation/*.c' 'cgroups/*.c' 'netns/*.c' 'storage/*.c' \
	'runtime/*.c' 'scheduler/*.c' 'cmd/*.c' | while read -r f; do
	grep -q "\"$T_TOP/$f\"" build/debug/compile_commands.json && echo "$f"
done)
# The analyzer takes nearly all of the time, and finds the least: only in the long run.
checks=()
[ -n "${CELLAR_TEST_FULL:-}" ] || checks=(--checks='-clang-analyzer-*')
# shellcheck disable=SC2086
printf '%s\n' $files | xargs -P "$(nproc)" -n 4 clang-tidy --quiet "${checks[@]}" -p build/debug \
	>"$T_DIR/out" 2>/dev/null
if grep -E 'warning:|error:' "$T_DIR/out" | sort -u >"$T_DIR/found" && [ -s "$T_DIR/found" ]; then
	while read -r line; do t_fail tidy "${line#"$T_TOP"/}"; done <"$T_DIR/found"
else
	t_ok "clang-tidy over $(printf '%s\n' "$files" | wc -l) files"
fi
