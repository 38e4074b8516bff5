#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Includes point down only: base < spec < {isolation, cgroups, netns, storage} < runtime < scheduler
# < cmd; none sideways among the four; headers of a folder include each other in no circle; every
# header compiles alone.
. "$(dirname "$0")/../lib/common.sh"
cd "$T_TOP" || exit 1

declare -A level=([base]=0 [spec]=1 [isolation]=2 [cgroups]=2 [netns]=2 [storage]=2 [runtime]=3
	[scheduler]=4 [cmd]=5)

while IFS=: read -r file line; do
	from=${file%%/*}
	included=$(sed -n 's/^#[ ]*include "\([^"]*\)".*/\1/p' <<<"$line")
	to=${included%%/*}
	[ -n "${level[$to]:-}" ] && [ "$from" != "$to" ] || continue
	[ "${level[$from]}" -gt "${level[$to]}" ] ||
		t_fail "layers" "$file includes $included, which does not point down"
done < <(git ls-files base spec isolation cgroups netns storage runtime scheduler cmd |
	grep '\.[ch]$' | xargs grep -H '^#[ ]*include "')

circle=$(git ls-files '*.h' | while read -r header; do
	sed -n 's/^#[ ]*include "\([^"]*\)".*/\1/p' "$header" | sed "s|^|$header |"
done | tsort 2>&1 >/dev/null | sed 's/^tsort: //' | tr '\n' ' ')
[ -z "$circle" ] || t_fail "circle among headers" "$circle"

for word in utils internal common all; do
	bad=$(git ls-files | grep -E "/$word\.h$")
	[ -z "$bad" ] || t_fail "header names" "$bad says nothing"
done

while read -r header; do
	printf '#include "%s"\n' "$header" >"$T_DIR/alone.c"
	gcc -std=gnu17 -D_GNU_SOURCE -I. -Ibuild/release/generated -Ibuild/release -fsyntax-only \
		"$T_DIR/alone.c" 2>"$T_DIR/err" ||
		t_fail "compiles alone $header" "$(head -n 2 "$T_DIR/err")"
done < <(git ls-files '*.h')
[ $T_FAILED -gt 0 ] || t_ok "layers, circles and $(git ls-files '*.h' | wc -l) headers alone"
