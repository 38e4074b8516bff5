# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every test script sources first:  . "$(dirname "$0")/../lib/common.sh"
#
# A check prints one line: `ok NAME`, `FAIL NAME: why`, `skip NAME: why`; test.sh counts them. The
# script's status is 0 when nothing failed, 77 when it was skipped whole. Everything a test makes is
# named after $T_ID and lies below $T_DIR; t_defer undoes it, last made first, however the script ends.
set -uo pipefail

T_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export CELLAR_BIN=${CELLAR_BIN:-$T_TOP/build/release/bin}
export PATH=$CELLAR_BIN:$PATH
T_ID=t$$-$RANDOM
T_DIR=$(mktemp -d "${TMPDIR:-/tmp}/cellar-$T_ID.XXXXXX")
# How t_processes knows our shims.
export CELLAR_TEST_OWNER=$T_DIR
T_FAILED=0
T_DEFERRED=()
# Seconds after which a command that should take one is taken to hang; longer where all is emulated.
T_LONG=300
[ -z "${CELLAR_IN_VM:-}" ] || T_LONG=400

t_defer() {
	T_DEFERRED+=("$*")
}

# t_kill_later PID: at the end, if it runs still; its number may be somebody else's by then.
t_kill_later() {
	t_defer "[ '$(t_birth "$1")' = \"\$(t_birth $1)\" ] && kill -9 $1"
}

# t_birth PID: when it was started; no two of one number have the same
t_birth() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

t_finish() {
	local status=$? i
	trap - EXIT
	for ((i = ${#T_DEFERRED[@]} - 1; i >= 0; i--)); do
		eval "${T_DEFERRED[i]}" >/dev/null 2>&1 || true
	done
	rm -rf --one-file-system "$T_DIR" 2>/dev/null || true
	[ "$status" = 0 ] || [ "$status" = 77 ] || [ "$T_FAILED" -gt 0 ] ||
		echo "FAIL $(basename "$0"): ended with status $status"
	[ "$T_FAILED" = 0 ] || status=1
	exit "$status"
}
trap t_finish EXIT
trap 'exit 130' INT TERM

t_ok() {
	echo "ok $1"
}

t_fail() {
	local name=$1
	shift
	echo "FAIL $name: $*"
	T_FAILED=$((T_FAILED + 1))
}

t_skip() {
	echo "skip $1: ${2:-}"
}

t_skip_all() {
	echo "skip $(basename "$0"): $1"
	exit 77
}

# t_is NAME WANT GOT
t_is() {
	if [ "$2" = "$3" ]; then t_ok "$1"; else t_fail "$1" "wanted '$2', got '$3'"; fi
}

# t_match NAME PATTERN TEXT: an extended regular expression somewhere in the text
t_match() {
	if grep -Eq -- "$2" <<<"$3"; then t_ok "$1"; else t_fail "$1" "no /$2/ in '$3'"; fi
}

# t_status NAME WANT COMMAND...: the exit status; output goes to $T_OUT and $T_ERR
t_status() {
	local name=$1 want=$2 got=0
	shift 2
	"$@" >"$T_DIR/out" 2>"$T_DIR/err" </dev/null || got=$?
	T_OUT=$(cat "$T_DIR/out")
	T_ERR=$(cat "$T_DIR/err")
	if [ "$got" = "$want" ]; then
		t_ok "$name"
	else
		t_fail "$name" "status $got instead of $want; out: ${T_OUT:0:300}; err: ${T_ERR:0:600}"
	fi
}

# t_at_most NAME LIMIT VALUE [UNIT]: numbers may have fractions
t_at_most() {
	if awk -v a="$3" -v b="$2" 'BEGIN { exit !(a ~ /^-?[0-9]/ && a + 0 <= b + 0) }'; then
		echo "ok $1: $3 ${4:-} (at most $2)"
	else
		t_fail "$1" "$3 ${4:-} is more than $2"
	fi
}

# t_wait SECONDS COMMAND...: polls until the command succeeds; longer where all is emulated
t_wait() {
	local end=$((SECONDS + $1 * (${CELLAR_IN_VM:+7} + 1)))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# t_becomes NAME WANT COMMAND...: what the command prints, within a minute
t_becomes() {
	local name=$1 want=$2
	shift 2
	t_prints() {
		local want=$1
		shift
		[ "$("$@")" = "$want" ]
	}
	if t_wait 60 t_prints "$want" "$@"; then t_ok "$name"; else t_is "$name" "$want" "$("$@")"; fi
}

# t_dead PID: a zombie is as dead; whose child it is may take its time
t_dead() {
	! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"
}

# t_kill PID: by SIGKILL, and waits until it is dead
t_kill() {
	kill -9 "$1"
	t_wait 60 t_dead "$1"
}

t_need_root() {
	[ "$(id -u)" = 0 ] || t_skip_all "needs root"
}

# Goes on in a network namespace and a mount namespace of the test's own: call before anything else.
# T_UNSHARE: more options of unshare(1).
t_own_namespaces() {
	[ -n "${T_UNSHARED:-}" ] && { ip link set lo up 2>/dev/null || true; } && return
	rm -rf "$T_DIR"
	trap - EXIT
	# shellcheck disable=SC2086
	T_UNSHARED=1 exec unshare --net --mount --propagation slave ${T_UNSHARE:-} -- "$BASH" "$0" "$@"
}

# t_rootfs DIR: a small root file system of busybox, with every applet as a symlink
t_rootfs() {
	local applet
	mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,root}
	cp /bin/busybox "$1/bin/busybox"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$1/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
}

# t_image: makes the test image once a checkout and prints the path of its OCI layout
t_image() {
	local layout=$T_TOP/build/test-image
	(
		flock 9
		[ -e "$layout/index.json" ] || {
			rm -rf "$layout" "$layout.new"
			"$T_TOP/tools/make-test-image.sh" "$layout.new" >/dev/null
			mv "$layout.new" "$layout"
		}
	) 9>"${TMPDIR:-/tmp}/cellar-test-image.lock" >&2
	echo "$layout"
}

# t_processes: our programs and containers that this test started, a line each with the pid. Others
# may run at the same time: a shim has our environment, a container sees a file system of ours.
t_processes() {
	local file pid own its
	own=$(readlink /proc/self/ns/mnt)
	for file in $(grep -lsaF "CELLAR_TEST_OWNER=$T_DIR" /proc/[0-9]*/environ); do
		pid=$(cut -d/ -f3 <<<"$file")
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = containerd-shim ] && echo "process shim $pid"
	done
	for file in $(grep -lsF "$T_DIR" /proc/[0-9]*/mountinfo); do
		pid=$(cut -d/ -f3 <<<"$file")
		# One that has ended meanwhile has none.
		its=$(readlink "/proc/$pid/ns/mnt") || continue
		[ "$its" = "$own" ] || echo "process inside $pid"
	done 2>/dev/null
}

# t_cgroups: folders of ctr's containers and of allocs that hold no process (those of others go by themselves),
# and what is named after this test.
t_cgroups() {
	find /sys/fs/cgroup -mindepth 1 -path '*cellar*' -name cgroup.procs -print0 2>/dev/null |
		xargs -0r grep -L . 2>/dev/null | sed 's,/cgroup.procs$,,; s/^/cgroup /' |
		grep -E '/cellar-([0-9a-f]{64}|alloc-)' | sort
	find /sys/fs/cgroup -mindepth 1 -depth -type d -path "*/cellar-$T_ID*" 2>/dev/null | sed 's/^/cgroup /' | sort
}

# t_residue FOLDER...: everything of ours that the kernel and the folders hold, to be compared
# before and after
t_residue() {
	awk '{print "mount " $5}' /proc/self/mountinfo | sort
	t_cgroups
	ip -o link 2>/dev/null | awk -F': ' '{print "link " $2}' | sed 's/@.*//' | sort
	nft list ruleset 2>/dev/null | sed 's/^/nft /'
	find "$@" -mindepth 1 2>/dev/null | sed 's/^/file /' | sort
	t_processes
}
