#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One fuzzer for some seconds over its corpus: tests/fuzz/run.sh PROGRAM SECONDS
set -uo pipefail
program=$1 seconds=$2
name=$(basename "$program")
work=$(mktemp -d "${TMPDIR:-/tmp}/cellar-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/new" "$work/bad"
corpus=tests/fuzz/corpus/${name#fuzz-}
[ -d "$corpus" ] || corpus=
chmod -R 777 "$work"
# Inputs are hostile by design: nothing but the work folder is writable, and there is no network.
cage=()
if [ "$(id -u)" = 0 ]; then
	# shellcheck disable=SC2016
	cage=(unshare --mount --net bash -c 'mount --bind "$0" "$0" &&
		mount -o remount,bind,ro / && exec "$@"' "$work")
fi
status=0
# In the quick run the same inputs each time; what the long one finds is kept below.
seed=()
[ -n "${CELLAR_TEST_FULL:-}" ] || seed=(-seed=1)
# shellcheck disable=SC2086
TMPDIR=$work "${cage[@]}" "$program" -max_total_time="$seconds" "${seed[@]}" -timeout=60 -rss_limit_mb=2048 \
	-artifact_prefix="$work/bad/" -print_final_stats=1 "$work/new" $corpus >"$work/log" 2>&1 ||
	status=$?
inputs=$(awk '/stat::number_of_executed_units/ {print $2}' "$work/log" | tail -n 1)
if [ $status = 77 ]; then
	echo "skip $name: $(tail -n 1 "$work/log")"
elif [ $status = 0 ] && [ "${inputs:-0}" -gt 0 ]; then
	echo "ok $name: $inputs inputs"
else
	tail -n 40 "$work/log"
	mkdir -p build/fuzz-findings
	cp "$work"/bad/* build/fuzz-findings/ 2>/dev/null
	echo "FAIL $name: status $status after ${inputs:-0} inputs; findings are in build/fuzz-findings"
	exit 1
fi
