#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib/common.sh"
cd "$T_TOP" || exit 1
while read -r file; do
	head -n 1 "$file" | grep -Eq '^#!.*sh|shellcheck shell' || continue
	shellcheck -x -S warning -e SC1091,SC2154,SC2034 "$file" >"$T_DIR/out" 2>&1 ||
		t_fail "shellcheck $file" "$(grep -m1 -A3 '^In ' "$T_DIR/out" | tr '\n' ' ')"
done < <(git ls-files '*.sh' '.ci/run' 'tests/show/*')
[ $T_FAILED -gt 0 ] || t_ok "shellcheck"
