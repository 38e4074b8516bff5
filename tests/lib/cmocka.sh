#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a cmocka program and turns its lines into ours: tests/lib/cmocka.sh PROGRAM
set -uo pipefail
# To a file: what a test left running and holds its end of a pipe would hold us up. When the time is over
# the program gets the signal, too, and what it has said is told.
file=$(mktemp "${TMPDIR:-/tmp}/cellar-unit.XXXXXX")
trap : TERM
"$1" >"$file" 2>&1
status=$?
out=$(cat "$file")
rm -f "$file"
[ $status -lt 126 ] || echo "ended by status $status; begun last: $(grep '^\[ RUN ' <<<"$out" | tail -n 1)"
printf '%s\n' "$out" | grep -v '^\[  *\(OK\|RUN\|=*\|-*\|PASSED\|FAILED\|SKIPPED\)  *\]'
printf '%s\n' "$out" | sed -n 's/^\[       OK \] \(.*\)$/ok \1/p' | sort -u
# What was printed since the test began is its reason: the sentence and the line, in one of ours.
printf '%s\n' "$out" | awk '
	/^\[ RUN / { reason = ""; next }
	/^\[  FAILED  \] [A-Za-z_0-9]*$/ && !seen[$4]++ { print "FAIL " $4 ": " (reason == "" ? "see above" : reason) }
	/^\[ +(OK|=+|-+|PASSED|FAILED|SKIPPED) +\]/ { reason = ""; next }
	{
		sub(/^\[ +(ERROR|LINE) +\] --- /, "")
		if (length(reason) < 600 && $0 != "")
			reason = reason (reason == "" ? "" : "; ") $0
	}'
# A skipped test printed its reason just before (tests/unit/skip.h).
printf '%s\n' "$out" | awk '
	/^reason: / { reason = substr($0, 9) }
	/^\[  SKIPPED \] [A-Za-z_0-9]*$/ && !seen[$4]++ { print "skip " $4 ": " reason; reason = "" }'
if [ $status = 77 ] && ! printf '%s\n' "$out" | grep -q '^\['; then
	echo "skip $(basename "$1"): $(printf '%s' "$out" | tail -n 1)"
fi
exit $status
