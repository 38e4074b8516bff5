#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clang-format decides; every source says its licence.
. "$(dirname "$0")/../lib/common.sh"
cd "$T_TOP" || exit 1
while read -r file; do
	clang-format --dry-run -Werror "$file" >"$T_DIR/out" 2>&1 ||
		t_fail "format $file" "run clang-format -i $file"
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
		t_fail "licence $file" "no SPDX line on top"
done < <(git ls-files '*.c' '*.h')
[ $T_FAILED -gt 0 ] || t_ok "format of $(git ls-files '*.c' '*.h' | wc -l) files"
