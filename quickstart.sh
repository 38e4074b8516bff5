#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian to a running container: installs what is needed, builds, makes an OCI image of
# Debian's busybox-static and runs it with `ctr run`.
#
# The trial has a network namespace, an image store and a state folder of its own, all gone at the
# end: it changes nothing on the host but the build folder and the packages it installs.
set -euo pipefail
cd "$(dirname "$0")"

if [ "$(id -u)" != 0 ]; then
	echo "quickstart: namespaces and cgroups need root; run it as root" >&2
	exit 1
fi

if [ -z "${CELLAR_QUICKSTART_INSIDE:-}" ]; then
	tools/install-deps.sh build
	mkdir -p build
	echo "Building (the log is build/quickstart.log)..."
	if ! { cmake --preset release && cmake --build --preset release; } >build/quickstart.log 2>&1; then
		tail -n 20 build/quickstart.log >&2
		echo "quickstart: the build failed; the whole log is build/quickstart.log" >&2
		exit 1
	fi
	CELLAR_QUICKSTART_INSIDE=1 exec unshare --net --mount --propagation slave -- "$0"
fi

export PATH=$PWD/build/release/bin:$PATH
home=$(mktemp -d "${TMPDIR:-/tmp}/cellar-quickstart.XXXXXX")
ctr=(ctr --root "$home/lib" --runroot "$home/run")
trap '"${ctr[@]}" rm -f hello >/dev/null 2>&1 || true; rm -rf "$home"' EXIT

ip link set lo up 2>/dev/null || true
echo "Making an OCI image of busybox..."
tools/make-test-image.sh "$home/image" >/dev/null
"${ctr[@]}" image import "$home/image"

show='
echo "  process      PID $$, $(ps | wc -l | tr -d " ") lines in ps"
echo "  host name    $(hostname)"
echo "  network      $(ip -o -4 addr show eth0 | awk "{print \$2, \$4}"), gateway $(ip route | awk "/default/ {print \$3}")"
memory=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
echo "  memory       limited to $((memory / 1048576)) MiB"
echo "  processes    limited to $(cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null | head -n 1)"
echo "  privileges   $(grep CapEff /proc/self/status | tr -s "\t" " "), seccomp mode $(awk "/^Seccomp:/ {print \$2}" /proc/self/status)"
'
echo "ctr run --rm -m 64m --cpus 0.5 --pids-limit 32 --hostname hello localhost/bb:latest sh -c '...'"
status=0
"${ctr[@]}" run --rm --name hello -m 64m --cpus 0.5 --pids-limit 32 --hostname hello \
	localhost/bb:latest sh -c "$show" || status=$?

# The start as a person feels it: a whole `ctr run --rm true` with overlay, NIC and removal.
best=
for _ in 1 2 3 4 5; do
	start=$(date +%s%N)
	"${ctr[@]}" run --rm localhost/bb:latest true
	took=$((($(date +%s%N) - start) / 10000))
	if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
done
printf '  whole run    %d.%02d ms from command to removed (best of 5 runs of true)\n' \
	$((best / 100)) $((best % 100))
exit $status
