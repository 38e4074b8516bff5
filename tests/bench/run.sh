#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long things take: `cellar run` of the default bundle, the same with Docker's seccomp profile in
# config.json, and `cellar exec`, beside the kernel's floor (a hard-coded program that does the same
# work; its source lies beside the checkout, or $CELLAR_FLOOR names its folder), crun and runc, and
# `ctr run --rm` with a NIC. All run by turns, back to back and after 60 ms of idle, on a view of the
# host's cgroup v1 alone and of its v2 alone, in a network namespace of their own, with all state on a
# tmpfs, which /run is on most hosts, and the images on the disk that $TMPDIR is on. docs/speed.md
# tells how to read it.
#
#	tests/bench/run.sh [--check] [RUNS]	--check fails where a promise of docs/speed.md is missed
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
check='' view=''
while [[ "${1:-}" = --* ]]; do
	case $1 in
	--check) check=--check ;;
	--view) view=$2 && shift ;; # ours: what follows runs in that view already
	*) t_skip_all "unknown option $1" ;;
	esac
	shift
done
runs=${1:-60}
floor_dir=${CELLAR_FLOOR:-$T_TOP/../shared/tools/floor}
[ -e "$floor_dir/floor.c" ] || t_skip_all "no floor.c in $floor_dir; \$CELLAR_FLOOR names its folder"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

# The floor's state is always below /run/cellar-floor.
mkdir -p "$T_DIR/tmpfs" /run/cellar-floor
mount -t tmpfs none "$T_DIR/tmpfs"
mount -t tmpfs none /run/cellar-floor
t_defer 'umount -R "$T_DIR/tmpfs" /run/cellar-floor; rmdir /run/cellar-floor'

compile() { # PROGRAM SOURCE
	(cd "$(dirname "$2")" && gcc -O2 -static -w -D_GNU_SOURCE -o "$1" "$2" 2>"$T_DIR/cc") ||
		t_skip_all "cannot compile $2"
}
compile "$T_DIR/interleave" "$T_TOP/tests/bench/interleave.c"
compile "$T_DIR/floor" "$floor_dir/floor.c"

# bundle DIR MAKER...: a default bundle that runs /bin/true, and one that stays
bundle() {
	local dir=$1
	shift
	mkdir -p "$dir/rootfs"/{bin,dev,proc,sys}
	cp "$T_DIR/true" "$T_DIR/stay" "$dir/rootfs/bin/"
	(cd "$dir" && "$@") || t_skip_all "$* makes no bundle"
	sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"\/bin\/true"/' "$dir/config.json"
	cp -r "$dir" "$dir-stay"
	sed -i 's/"\/bin\/true"/"\/bin\/stay"/' "$dir-stay/config.json"
}
printf 'int main(void) { return 0; }\n' | gcc -O2 -static -x c -o "$T_DIR/true" -
printf '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n' |
	gcc -O2 -static -x c -o "$T_DIR/stay" -
bundle "$T_DIR/bundle" cellar spec
# Docker's profile as Podman's package holds it, as an engine resolves it for these capabilities.
profile=/usr/share/containers/seccomp.json
if [ -e $profile ]; then
	cp -r "$T_DIR/bundle" "$T_DIR/seccomp"
	jq --slurpfile p $profile '.linux.seccomp = ($p[0] | { defaultAction, defaultErrnoRet,
		architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		syscalls: [.syscalls[] | select((.includes.caps // []) == [] and
			((.includes.arches // ["amd64"]) | index("amd64")) and
			((.excludes.arches // []) | index("amd64") | not)) |
			{ names, action, args, errnoRet }] } | del(..|nulls) | del(..|select(. == [])))' \
		"$T_DIR/bundle/config.json" >"$T_DIR/seccomp/config.json"
fi
# crun of Debian 12 knows no later version of the specification.
cp -r "$T_DIR/bundle" "$T_DIR/crun"
sed -i 's/"ociVersion": "[^"]*"/"ociVersion": "1.0.2"/' "$T_DIR/crun/config.json"
has_runc=
if command -v runc >/dev/null; then
	has_runc=1
	bundle "$T_DIR/runc" runc spec
fi

commands=()
prepare() { # FLOOR_OPTIONS
	local cellar="$CELLAR_BIN/cellar --root $T_DIR/tmpfs/cellar"
	local runc="runc --root $T_DIR/tmpfs/runc" pid

	C_RUN=$T_DIR/tmpfs/ctr

	t_defer "$cellar delete -f $T_ID"
	$cellar run -d -b "$T_DIR/bundle-stay" "$T_ID" </dev/null >/dev/null 2>&1 ||
		t_skip_all "cellar run -d fails here"
	pid=$($cellar state "$T_ID" | jq .pid)
	c_setup 2>"$T_DIR/log"
	commands=(
		"cellar-run=$cellar run -b $T_DIR/bundle $T_ID-@"
		"floor-run=$T_DIR/floor $1 $T_DIR/bundle/rootfs $T_ID-@ /bin/true"
		"cellar-exec=$cellar exec $T_ID /bin/true"
		"floor-exec=$T_DIR/floor $1 -e $pid $T_DIR/bundle/rootfs cellar-$T_ID /bin/true"
	)
	[ ! -e "$T_DIR/seccomp" ] ||
		commands+=("cellar-seccomp=$cellar run -b $T_DIR/seccomp $T_ID-s@")
	local crun="crun --root $T_DIR/tmpfs/crun run -b $T_DIR/crun $T_ID-c"
	# It refuses hybrid hosts, and cgroup v2 where it may not raise the limit of locked memory.
	if command -v crun >/dev/null && $crun >"$T_DIR/log" 2>&1 </dev/null; then
		commands+=("crun-run=$crun@")
	else
		t_skip "crun" "$(tail -n 1 "$T_DIR/log")"
		# What it leaves when it fails.
		rmdir "/sys/fs/cgroup/$T_ID-c" "/sys/fs/cgroup/unified/$T_ID-c" 2>/dev/null
	fi
	# The v2 half of a hybrid host has no controllers, which ctr's limit of processes needs.
	if c run --rm "$IMAGE" true 2>"$T_DIR/log"; then
		commands+=("ctr-run=$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN run --rm $IMAGE true")
	else
		t_skip "ctr run --rm with a NIC" "$(tail -n 1 "$T_DIR/log")"
	fi
	[ -n "$has_runc" ] || return 0
	t_defer "$runc delete -f $T_ID-r"
	$runc run -d -b "$T_DIR/runc-stay" "$T_ID-r" </dev/null >/dev/null 2>&1 || return 0
	commands+=("runc-run=$runc run -b $T_DIR/runc $T_ID-r@" "runc-exec=$runc exec $T_ID-r /bin/true")
}

# result NAME COLUMN: 2 p10, 3 median, 4 p90 of the wall; 5 p10, 6 median of the CPU; 7 peak memory
result() { awk -v n="$1" -v c="$2" '$1 == n { print $c }' "$T_DIR/result"; }
ratio() { awk -v a="$(result "$1" "$3")" -v b="$(result "$2" "$3")" 'BEGIN { printf "%.2f", a / b }'; }

measure() { # NAME GAP_MS
	"$T_DIR/interleave" "$runs" "$2" "${commands[@]}" >"$T_DIR/result" || {
		t_fail "$1" "the bench failed"
		return
	}
	echo "$1 (ms; load $(cut -d' ' -f1 /proc/loadavg))"
	echo "                   wall p10  median     p90 | CPU p10  median | times the floor: p10 median CPU | peak KiB"
	awk 'NR == FNR { split($1, n, "-"); if (n[1] == "floor") for (i = 2; i < 7; i++) {
		floor[n[2], i] = $i
		if (n[2] == "run") floor["seccomp", i] = $i
	} next }
	{
		split($1, n, "-"); verb = n[2]; times = "                 "
		if (n[1] != "ctr" && (verb, 3) in floor)
			times = sprintf("%5.2f %5.2f %5.2f", $2 / floor[verb, 2], $3 / floor[verb, 3], $6 / floor[verb, 6])
		printf "    %-14s %8.2f %7.2f %7.2f | %7.2f %7.2f |       %s        | %6d\n", $1, $2, $3, $4, $5, $6, times, $7
	}' "$T_DIR/result" "$T_DIR/result"
	[ -z "$check" ] || judge "$1"
}

judge() {
	t_at_most "$1: cellar run, times the floor (median; p10 $(ratio cellar-run floor-run 2))" 1.3 \
		"$(ratio cellar-run floor-run 3)"
	[ -z "$(result cellar-seccomp 3)" ] ||
		t_at_most "$1: with a profile, times the floor (median; p10 $(ratio cellar-seccomp floor-run 2))" 1.5 \
			"$(ratio cellar-seccomp floor-run 3)"
	t_at_most "$1: cellar exec, times the floor (median; p10 $(ratio cellar-exec floor-exec 2))" 1.6 \
		"$(ratio cellar-exec floor-exec 3)"
	[ -z "$(result crun-run 3)" ] ||
		t_at_most "$1: CPU of cellar run, times crun's (median)" 0.5 "$(ratio cellar-run crun-run 6)"
	t_at_most "$1: cellar run, peak memory" 1229 "$(result cellar-run 7)" KiB
	[ -z "$(result ctr-run 3)" ] || t_at_most "$1: ctr run --rm with a NIC (median; p10 $(result ctr-run 2))" \
		30 "$(result ctr-run 3)" ms
	[ -z "$(result runc-run 3)" ] || t_at_most "$1: cellar run, times runc" 1 \
		"$(ratio cellar-run runc-run 3)"
}

both() { # NAME FLOOR_OPTIONS
	prepare "$2"
	measure "$1, back to back" 0
	measure "$1, after 60 ms of idle" 60
}

if [ "$view" = v2 ] || [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
	both "cgroup v2" "-v2 -oR"
	exit
fi
if [ -z "$view" ]; then
	# shellcheck disable=SC2016
	unshare --mount --propagation private bash -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"' \
		v1 "$BASH" "$0" --view v1 $check "$runs" || T_FAILED=$((T_FAILED + 1))
else
	both "cgroup v1" "-v1 -oSR"
	exit
fi
# shellcheck disable=SC2016
unshare --mount --propagation private bash -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup &&
	exec "$@"' v2 "$BASH" "$0" --view v2 $check "$runs" || T_FAILED=$((T_FAILED + 1))
