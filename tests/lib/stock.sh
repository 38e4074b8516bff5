# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Stock of all that our programs can leave, for tests that compare it often; sourced after common.sh,
# in a network namespace and a pid namespace of the test's own (T_UNSHARE="--pid --fork --mount-proc
# --kill-child"), so that what runs and what is plugged in is ours alone. Cgroups are the machine's:
# in those of others something runs.

# stock FOLDER...: a line each, sorted
stock() {
	local dir exe
	{
		awk '{ print "mount " $5 }' /proc/self/mountinfo
		find /sys/fs/cgroup -mindepth 2 -type d -path '*cellar*' -printf 'cgroup %p\n' |
			grep -Ev '/cellar-(t[0-9]+-[0-9]+|unit-[0-9]+)(/|$)'
		ip -o link | sed 's/^[0-9]*: /link /; s/[@:].*//'
		nft list ruleset | sed 's/^/nft /'
		find "$@" -mindepth 1 -printf 'file %p %y %m %l\n'
		for dir in /proc/[0-9]*; do
			exe=$(readlink "$dir/exe") || continue
			case $exe in
			"$CELLAR_BIN"/* | /memfd:* | /bin/busybox) echo "process ${exe##*/}" ;;
			esac
		done
	} 2>/dev/null | sort
}

# Of another pid namespace's processes cgroup.procs tells nothing, but they are counted.
stock_cgroup_is_foreign() {
	local name=${1##*/}
	[ ! -d "$1" ] ||
		[ "$(cat /sys/fs/cgroup/{pids/,}"$name/pids.current" 2>/dev/null | head -n 1)" -gt 0 ] 2>/dev/null
}

# stock_changes BEFORE FOLDER...: what has come (>) and what has gone (<)
stock_changes() {
	local before=$1 sign kind what
	shift
	stock "$@" | diff "$before" - | grep '^[<>]' | while read -r sign kind what; do
		[ "$kind" != cgroup ] || { [ "$sign" = '>' ] && ! stock_cgroup_is_foreign "$what"; } || continue
		echo "$sign $kind $what"
	done | sort
}

# stock_settles SECONDS BEFORE FOLDER...: waits until nothing is changed; what stays is then in
# $T_DIR/left. A network namespace dies, and its NIC with it, some 20 ms after its last use.
stock_settles() {
	local end=$((SECONDS + $1))
	shift
	stock_changes "$@" >"$T_DIR/left"
	while [ -s "$T_DIR/left" ] && [ $SECONDS -lt $end ]; do
		sleep 0.02
		stock_changes "$@" >"$T_DIR/left.now"
		comm -12 "$T_DIR/left" "$T_DIR/left.now" >"$T_DIR/left.both"
		mv "$T_DIR/left.both" "$T_DIR/left"
	done
	[ ! -s "$T_DIR/left" ]
}
