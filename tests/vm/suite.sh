#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside the bench: the unit tests of cgroups and the integration scripts, on v2. In the short
# run those that this kernel and cgroup v2 make different; what runs there runs 15 times slower.
cd "$(dirname "$0")/../.." || exit 1

each() {
	local name=$1 start=$SECONDS status=0
	shift
	echo "# begin $name"
	timeout -k 10 "$limit_s" "$@" </dev/null 2>&1 || status=$?
	[ $status != 124 ] || echo "FAIL $name: took longer than $limit_s s"
	echo "# done $name $status $((SECONDS - start))"
}

export CELLAR_IN_VM=1
limit_s=1200
for program in build/debug/bin/unit-cgroups-*; do
	[ -x "$program" ] && each "${program##*/}" tests/lib/cmocka.sh "$program"
done
short=" apparmor cellar config-fields ctr ctr-limits escape escape-ctr rootless-cgroup seccomp-notify "
for script in tests/integration/*.sh; do
	[ -n "${CELLAR_TEST_FULL:-}" ] || [[ $short == *" $(basename "$script" .sh) "* ]] || continue
	each "$(basename "$script" .sh)" bash "$script"
done
# Real clients, and a kernel that does not tell the exit status of a process that is not a child's. With
# little else to do on the machine two to five minutes each.
if [ -n "${CELLAR_TEST_FULL:-}" ]; then
	limit_s=1800
	for script in tests/clients/{containerd,containerd-cri,podman,docker}.sh tests/show/shim/{kill-shim,oom,dialects,containerd-restarts}; do
		each "$(basename "$script" .sh)" bash "$script"
	done
fi
# The smallest limit of memory, which v2 counts otherwise than v1.
[ -z "${CELLAR_TEST_FULL:-}" ] || each memory bash tests/show/oci/memory
# A JVM looks at cgroups with eyes of its own. Some five minutes of translated code.
[ -z "${CELLAR_TEST_FULL:-}" ] || each java bash tests/show/any-image/java
echo "# end of suite"
