# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests of a cell of one machine: sourced after ctr.sh and c_setup.
#
#	d_start [OPTION...]	a `celld dev` that is ready; $D is its pid, its log $T_DIR/celld.log
#	d_end SIGNAL
#	states JOB		"running running pending"
#	is_state JOB STATES
#	of_task JOB INDEX FIELD
D=

d_start() {
	: >"$T_DIR/ready"
	celld dev --root "$C_ROOT" --runroot "$C_RUN" "$@" >"$T_DIR/ready" 2>>"$T_DIR/celld.log" &
	D=$!
	t_kill_later $D
	t_wait 60 grep -q "is ready" "$T_DIR/ready" || t_fail "celld dev is ready" "$(cat "$T_DIR/celld.log")"
}

d_end() {
	kill "-$1" "$D" 2>/dev/null && wait "$D" 2>/dev/null
}

states() {
	c job status "$1" -o json | jq -r '[.tasks[].state] | join(" ")'
}

is_state() {
	[ "$(states "$1")" = "$2" ]
}

of_task() {
	c job status "$1" -o json | jq -r ".tasks[$2].$3"
}
