# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced after ctr.sh: a network namespace that plays the outside, reached by `up0`. The host is
# 192.0.2.1 and 2001:db8::1 there, the outside 192.0.2.2 and 2001:db8::2; neither has another route.
unshare --net sleep 100000 &
T_OUTSIDE=$!
t_defer "kill $T_OUTSIDE"
t_wait 60 sh -c "[ \$(readlink /proc/$T_OUTSIDE/ns/net) != \$(readlink /proc/$$/ns/net) ]"

outside() { nsenter -t "$T_OUTSIDE" -n "$@"; }

ip link add up0 type veth peer name eth0 netns "$T_OUTSIDE"
ip addr add 192.0.2.1/24 dev up0
ip addr add 2001:db8::1/64 dev up0 nodad 2>/dev/null || true
ip link set up0 up
outside ip addr add 192.0.2.2/24 dev eth0
outside ip addr add 2001:db8::2/64 dev eth0 nodad 2>/dev/null || true
outside ip link set eth0 up
outside ip link set lo up

# t_retry COMMAND...: until it has said something, a minute at most; for servers that are about to listen
t_retry() {
	local end=$((SECONDS + 60)) out
	while true; do
		out=$("$@" 2>/dev/null)
		[ -z "$out" ] || break
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
	printf '%s\n' "$out"
}
