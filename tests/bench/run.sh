#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long `cellar run` of the default bundle takes, beside the kernel's floor (a hard-coded program
# that does the same work, where its source lies beside the checkout or $CELLAR_FLOOR names it) and
# runc, back to back and after 60 ms of idle, on the host's cgroups and on a view of cgroup v2 alone.
#
#	tests/bench/run.sh [--check] [RUNS]	--check fails where a promise of SPEED is missed
. "$(dirname "$0")/../lib/common.sh"
t_need_root
check=
[ "${1:-}" = --check ] && check=1 && shift
runs=${1:-60}

for tool in interleave=$T_TOP/tests/bench/interleave.c \
	floor=${CELLAR_FLOOR:-$T_TOP/../shared/tools/floor}/floor.c; do
	[ -e "${tool#*=}" ] || continue
	(cd "$(dirname "${tool#*=}")" && gcc -O2 -static -w -D_GNU_SOURCE -o "$T_DIR/${tool%%=*}" "${tool#*=}" 2>"$T_DIR/cc") ||
		t_skip_all "cannot compile ${tool#*=}"
done
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle
mkdir -p "$bundle/rootfs"/{bin,dev,proc,sys}
printf 'int main(void) { return 0; }\n' | gcc -O2 -static -x c -o "$bundle/rootfs/bin/true" -
cellar spec -b "$bundle"
sed -i 's/"terminal": true/"terminal": false/; s/\["sh"\]/["\/bin\/true"]/' "$bundle/config.json"
cp -r "$bundle" "$T_DIR/runc"
command -v runc >/dev/null && (cd "$T_DIR/runc" && rm config.json && runc spec &&
	sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"\/bin\/true"/' config.json)

# measure NAME GAP_MS FLOOR_OPTIONS [WRAPPER...]
measure() {
	local name=$1 gap=$2 floor=$3
	shift 3
	local commands=("cellar=$CELLAR_BIN/cellar --root $T_DIR/state run -b $bundle $T_ID-@")
	[ -x "$T_DIR/floor" ] && commands+=("floor=$T_DIR/floor $floor $bundle/rootfs $T_ID-@ /bin/true")
	command -v runc >/dev/null && commands+=("runc=runc --root $T_DIR/runc-state run -b $T_DIR/runc $T_ID-r@")
	"$@" "$T_DIR/interleave" "$runs" "$gap" "${commands[@]}" >"$T_DIR/result" || {
		t_fail "$name" "the bench failed"
		return
	}
	echo "$name: ms            wall p10  median     p90 | cpu p10  median | peak KiB"
	awk '{ printf "    %-20s %9.2f %7.2f %7.2f | %7.2f %7.2f | %d\n", $1, $2, $3, $4, $5, $6, $7 }' "$T_DIR/result"
	judge "$name"
}

of() { awk -v n="$1" -v c="$2" '$1 == n { print $c }' "$T_DIR/result"; }

judge() {
	[ -n "$check" ] || return 0
	t_at_most "$1: cellar's memory, KiB" 2048 "$(of cellar 7)"
	if [ -n "$(of floor 3)" ]; then
		t_at_most "$1: cellar beside the floor, times" 2 \
			"$(awk -v a="$(of cellar 3)" -v b="$(of floor 3)" 'BEGIN { printf "%.2f", a / b }')"
	else
		t_skip "$1: cellar beside the floor" "no floor.c"
	fi
	[ -z "$(of runc 3)" ] || t_at_most "$1: cellar beside runc, times" 1 \
		"$(awk -v a="$(of cellar 3)" -v b="$(of runc 3)" 'BEGIN { printf "%.2f", a / b }')"
}

v2() {
	unshare --mount --propagation private bash -c \
		'umount -R /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' v2 "$@"
}

if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
	measure "back to back" 0 "-v2 -oR"
	measure "after 60 ms of idle" 60 "-v2 -oR"
else
	measure "this host's cgroups, back to back" 0 "-v1 -oSR"
	measure "this host's cgroups, after 60 ms of idle" 60 "-v1 -oSR"
	measure "cgroup v2, back to back" 0 "-v2 -oR" v2
	measure "cgroup v2, after 60 ms of idle" 60 "-v2 -oR" v2
fi
rmdir /run/cellar-floor 2>/dev/null || true
