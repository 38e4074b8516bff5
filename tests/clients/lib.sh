# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts of real clients share: . "$(dirname "$0")/lib.sh", then `clients_enter "$@"`.
#
# The script goes on in a network, mount and pid namespace of its own, with private /run and /dev/shm:
# whatever a client starts or mounts is gone with the script. Only cgroups are the machine's; they lie
# below a folder named after the test, which clients_enter has removed again at the end.
#
# RUNTIME is the runtime under test: a path or a name; the one of $CELLAR_BIN unless given. With
# RUNTIME=runc the same checks tell what this machine and these clients can do at all.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

RUNTIME=$(command -v "${RUNTIME:-$CELLAR_BIN/cellar}") || t_skip_all "no runtime ${RUNTIME:-cellar}"
export RUNTIME
# Of one command of a client, in seconds.
CLIENT_TIMEOUT=120
[ -z "${CELLAR_IN_VM:-}" ] || CLIENT_TIMEOUT=400
# Containers started at once.
many=12
[ -z "${CELLAR_TEST_FULL:-}" ] || many=50
[ -z "${CELLAR_IN_VM:-}" ] || many=4

# Before anything else. Needs the client's programs.
clients_enter() {
	local program
	for program in "${CLIENT_PROGRAMS[@]}"; do
		[ -x "$program" ] || t_skip_all "$program is not installed"
	done
	t_need_root
	if [ -z "${T_UNSHARED:-}" ]; then
		rm -rf "$T_DIR"
		trap - EXIT
		T_UNSHARED=1 exec unshare --net --mount --pid --fork --kill-child --mount-proc \
			--propagation slave -- "$BASH" "$0" "$@"
	fi
	ip link set lo up
	mount -t tmpfs -o mode=755 tmpfs /run
	mount -t tmpfs -o mode=1777 tmpfs /dev/shm
	# On the way to every root file system, which mapped users walk too.
	chmod 711 "$T_DIR"
	# conmon leaves files in the current folder.
	cd "$T_DIR" || exit 1
	t_defer client_cgroups_remove
	t_defer client_end_all
}

# Whatever a check that failed has left: all processes but us, and what they mounted below $T_DIR,
# which could not be removed else. Only as the first process of a pid namespace: there "all" is ours.
client_end_all() {
	local mountpoint
	[ $$ = 1 ] || return 0
	kill -9 -1
	awk -v dir="$T_DIR/" 'index($5, dir) == 1 {print $5}' /proc/self/mountinfo | sort -r |
		while read -r mountpoint; do umount -l "$mountpoint"; done
}

# The machine's cgroup folders of this test, the deepest first. What is in them ends with us.
client_cgroups_remove() {
	local folder pid
	find /sys/fs/cgroup -depth -type d -path "*/$T_ID*" 2>/dev/null | while read -r folder; do
		while read -r pid; do
			[ "$pid" = 0 ] || kill -9 "$pid"
		done <"$folder/cgroup.procs"
		t_wait 5 rmdir "$folder"
	done
}

# daemon NAME COMMAND...: starts one, to be ended by the script; its output goes to $T_DIR/NAME.log
client_daemon() {
	local name=$1
	shift
	"$@" >"$T_DIR/$name.log" 2>&1 </dev/null &
	CLIENT_PID=$!
	t_defer "kill $CLIENT_PID; client_gone $CLIENT_PID || kill -9 $CLIENT_PID; wait $CLIENT_PID"
}

client_gone() {
	t_wait 30 t_dead "$1"
}

# on_terminal COMMAND...: the command with a terminal of 33 lines of 77 columns; output without CRs.
# Nobody types: an end of input, which script(1) types when it likes, lets podman leave before its
# container has said anything.
on_terminal() {
	local words
	words=$(printf '%q ' "$@")
	[ -p "$T_DIR/silent" ] || mkfifo "$T_DIR/silent"
	script -qefc "stty rows 33 cols 77; $words" /dev/null <>"$T_DIR/silent" 2>&1 | tr -d '\r'
}

# What is left of the runtime: processes of ours and cgroups of this test
client_residue() {
	pgrep -a 'cellar-init|runc:|containerd-shim' -f
	find /sys/fs/cgroup -mindepth 2 -type d -path "*/$T_ID/*" 2>/dev/null
	true
}
