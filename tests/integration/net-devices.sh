#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# linux.netDevices: interfaces of the runtime's network namespace move into the container's, with
# their addresses. The runtime's namespace is one of the test's own.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
for program in jq ip; do
	command -v $program >/dev/null || t_skip_all "$program is not installed"
done
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-n
mkdir -p "$bundle"
chmod 755 "$T_DIR"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
cp "$bundle/config.json" "$T_DIR/spec.json"
t_defer 'c delete -f $id'

# config FILTER: the container sleeps, and is looked into from here.
config() {
	jq '.process.terminal = false | .root.readonly = false | .process.args = ["sleep", "1000"]
		| '"$1" "$T_DIR/spec.json" >"$bundle/config.json"
}
up() { c run -d -b "$bundle" "$id" </dev/null >"$T_DIR/out" 2>&1 || t_fail "$1" "$(cat "$T_DIR/out")"; }
inside() { nsenter -t "$(c state "$id" | jq .pid)" -n "$@"; }
# refused NAME PATTERN FILTER
refused() {
	config "$3"
	t_status "$1: refused" 1 c run -b "$bundle" "$id"
	t_match "$1: in words" "$2" "$T_ERR"
}
# pair: two ends of a new veth, ours to give away.
pair() {
	ip link del host0 2>/dev/null || true
	ip link del give0 2>/dev/null || true
	ip link add give0 type veth peer name host0
	ip addr add 10.9.8.7/24 brd + dev give0
	ip addr add 10.9.8.9/24 dev give0
	ip link set give0 mtu 1400 address 02:00:00:00:00:07
	ip -6 addr add fd09::7/64 nodad dev give0 2>/dev/null || true
	ip link set give0 up
	ip link set host0 up
}
ip link add give0 type veth peer name host0 2>/dev/null || t_skip_all "this kernel has no veth"

pair
config '.linux.netDevices = {give0: {}}'
up "moved under its own name"
t_is "it is gone here" no "$(ip link show give0 >/dev/null 2>&1 && echo yes || echo no)"
t_is "its addresses are kept" "10.9.8.7/24 10.9.8.9/24" "$(inside ip -o -4 addr show give0 | awk '{print $4}' | xargs)"
t_match "with the broadcast address" "brd 10.9.8.255" "$(inside ip -4 addr show give0)"
[ ! -e /proc/sys/net/ipv6 ] || t_match "IPv6 too" "fd09::7/64" "$(inside ip -6 addr show give0)"
t_match "it is up" ",UP" "$(inside ip link show give0)"
t_match "with its MTU" "mtu 1400" "$(inside ip link show give0)"
t_match "and its MAC" "02:00:00:00:00:07" "$(inside ip link show give0)"
ip addr add 10.9.8.1/24 dev host0
t_is "it carries packets" yes "$(ping -c 1 -W 10 10.9.8.7 >/dev/null 2>&1 && echo yes || echo no)"
c delete -f "$id"

pair
config '.linux.netDevices = {give0: {name: "inner"}}'
up "moved under another name"
t_match "it has that name" "10.9.8.7/24" "$(inside ip -4 addr show inner 2>&1)"
c delete -f "$id"

pair
config '.linux.netDevices = {give0: {name: "net%d"}}'
up "moved under a name with a number"
t_match "the number is the first free" "10.9.8.7/24" "$(inside ip -4 addr show net0 2>&1)"
c delete -f "$id"

pair
config '.linux.netDevices = {give0: {name: "e0"}, host0: {}}'
up "two of them"
t_is "both are inside" "e0 host0 lo" "$(inside ip -o link | sed 's/^[0-9]*: //; s/[@:].*//' | sort | xargs)"
c delete -f "$id"

# Into a namespace that is joined, where names may be taken.
pair
ip netns add "$T_ID" && t_defer 'ip netns del $T_ID'
config '.linux.netDevices = {give0: {name: "eth0"}}
	| .linux.namespaces |= map(if .type == "network" then .path = "/run/netns/'"$T_ID"'" else . end)'
up "into a joined namespace"
t_match "it is there" "10.9.8.7/24" "$(ip -n "$T_ID" -4 addr show eth0 2>&1)"
c delete -f "$id"
t_match "and stays" "10.9.8.7/24" "$(ip -n "$T_ID" -4 addr show eth0 2>&1)"
pair
refused "a name that is taken" 'linux.netDevices.give0: .*interface lo already' '.linux.netDevices = {give0: {name: "lo"}}'
t_is "it has not moved" yes "$(ip link show give0 >/dev/null 2>&1 && echo yes || echo no)"

refused "no such interface" 'linux.netDevices.nowhere7: there is no interface nowhere7 here' '.linux.netDevices = {nowhere7: {}}'
refused "no namespace" 'linux.netDevices: needs a network namespace' \
	'.linux.netDevices = {give0: {}} | .linux.namespaces |= map(select(.type != "network"))'
refused "our own namespace" 'linux.netDevices: .* is the one that they are to come from' \
	'.linux.netDevices = {give0: {}} | .linux.namespaces |= map(if .type == "network" then .path = "/proc/'$$'/ns/net" else . end)'
refused "one name twice" 'linux.netDevices.host0: x is the name of another' '.linux.netDevices = {give0: {name: "x"}, host0: {name: "x"}}'
refused "a name too long" 'linux.netDevices.give0.name: "abcdefghijklmnop"' '.linux.netDevices = {give0: {name: "abcdefghijklmnop"}}'
refused "one that cannot move" 'linux.netDevices.lo: ' '.linux.netDevices = {lo: {name: "lo7"}}'

# What a container got that never came to be is given back.
pair
refused "a hook that fails after the move" 'createRuntime hook' '.linux.netDevices = {give0: {name: "e%d"}, host0: {}}
	| .hooks.createRuntime = [{path: "/bin/false"}]'
t_match "its interface is back, under its name" "10.9.8.7/24" "$(ip -4 addr show give0 2>&1)"
t_match "so is the other" ",UP" "$(ip link show host0 2>&1)"
refused "a program that is not there" 'nothere' '.linux.netDevices = {give0: {name: "e%d"}} | .process.args = ["/nothere"]'
t_match "after that, too" "10.9.8.7/24" "$(ip -4 addr show give0 2>&1)"
refused "the second of two that fails" 'linux.netDevices.host0: .*already' '.linux.netDevices = {give0: {name: "x1"}, host0: {name: "lo"}}'
t_match "the first is back" "10.9.8.7/24" "$(ip -4 addr show give0 2>&1)"
t_is "nothing was left" "" "$(ls "$root")"
