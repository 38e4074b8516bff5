#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside the bench: the kernel's unit tests of cgroups and every integration script, on v2.
cd "$(dirname "$0")/../.." || exit 1

each() {
	local name=$1 start=$SECONDS status=0
	shift
	echo "# begin $name"
	timeout -k 10 600 "$@" </dev/null 2>&1 || status=$?
	[ $status != 124 ] || echo "FAIL $name: took longer than 600 s"
	echo "# done $name $status $((SECONDS - start))"
}

export CELLAR_IN_VM=1
for program in build/debug/bin/unit-cgroups-*; do
	[ -x "$program" ] && each "${program##*/}" tests/lib/cmocka.sh "$program"
done
for script in tests/integration/*.sh; do
	each "$(basename "$script" .sh)" bash "$script"
done
echo "# end of suite"
