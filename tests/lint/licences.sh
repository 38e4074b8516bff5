#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that our programs are linked with, shared or static, stands in docs/licences.tsv with a
# licence that an Apache-2.0 program may be linked with.
. "$(dirname "$0")/../lib/common.sh"
cd "$T_TOP" || exit 1

{
	for program in build/release/bin/*; do
		readelf -d "$program" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'
	done
	# Static archives of others on the link lines.
	grep -ho '/usr/[^ ]*\.a\b' build/release/build.ninja | xargs -rn1 basename
} | sed -E 's/^lib//; s/\.so.*//; s/\.a$//' | sort -u >"$T_DIR/linked"

while read -r library; do
	row=$(awk -F'\t' -v l="$library" '$1 == l' docs/licences.tsv)
	if [ -z "$row" ]; then
		t_fail "licence of $library" "not in docs/licences.tsv"
	elif cut -f2 <<<"$row" | grep -Eq '^GPL|^AGPL'; then
		t_fail "licence of $library" "$(cut -f2 <<<"$row") forbids linking"
	else
		t_ok "$library is $(cut -f2 <<<"$row"), $(cut -f3 <<<"$row")"
	fi
done <"$T_DIR/linked"
