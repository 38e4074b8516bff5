#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `cellar features` says is what `cellar run` takes: each word that it lists is used in a
# container, and a word that it doesn't list is refused.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-w
mkdir -p "$bundle" "$T_DIR/source"
chmod 755 "$T_DIR" "$T_DIR/source"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
cp "$bundle/config.json" "$T_DIR/spec.json"
cellar features >"$T_DIR/features.json"
t_defer 'c delete -f $id'
said() { jq -r "$1" "$T_DIR/features.json"; }
# run FILTER [ARG...]: a container that says "fine"
run() {
	local filter=$1
	shift
	jq --slurpfile said "$T_DIR/features.json" --arg dir "$T_DIR" "$@" '.process.terminal = false | .root.readonly = false
		| .process.args = ["echo", "fine"] | '"$filter" "$T_DIR/spec.json" >"$bundle/config.json"
	c run -b "$bundle" "$id" </dev/null 2>&1 | tail -n 1
}
takes() { t_is "$1" fine "$(run "${@:2}")"; }
refuses() { t_match "$1" "$2" "$(run "${@:3}")"; }

# ---- mounts ----

# Each on a file system of its own, but for those that need a bind or something to change.
takes "mountOptions" '.mounts += [$said[0].mountOptions[]
	| if test("^(bind|rbind)$") then {source: ($dir + "/source"), options: [.]}
	elif test("^r?idmap$") then empty
	elif . == "remount" then empty
	else {type: "tmpfs", source: "tmpfs", options: [.]} end
	| .destination = "/m/" + .options[-1]] + [{type: "tmpfs", destination: "/m/ro", options: ["remount", "rw"]}]'
for option in $(said '.mountOptions[]' | grep idmap); do
	out=$(run '.mounts += [{source: ($dir + "/source"), destination: "/m", options: ["bind", $option],
		uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}]' --arg option "$option")
	case $out in
	*"Invalid argument"* | *"not supported"*) t_skip "mountOptions: $option" "not on this file system: $out" ;;
	*) t_is "mountOptions: $option" fine "$out" ;;
	esac
done
refuses "an option that is not listed" 'mount tmpfs at /m.*nofun' '.mounts += [{type: "tmpfs", source: "tmpfs", destination: "/m", options: ["nofun"]}]'

# ---- namespaces, capabilities ----

for ns in $(said '.linux.namespaces[]'); do
	if [ "$ns" = mount ]; then
		takes "namespaces: $ns" '.linux.namespaces |= .'
	elif [ -e "/proc/self/ns/${ns/network/net}" ]; then
		takes "namespaces: $ns" '.linux.namespaces = [{type: "mount"}, {type: $ns}] + if $ns == "user" then [{type: "pid"}, {type: "network"}, {type: "ipc"}] else [] end
			| del(.hostname, .linux.seccomp)
			| if $ns == "user" then .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
				| .mounts |= map(select(.type != "cgroup" and .type != "mqueue")) else . end
			| .mounts |= map(select(.type | test("proc|tmpfs")))' --arg ns "$ns"
	else
		t_skip "namespaces: $ns" "this kernel has none"
	fi
done
refuses "namespaces: one that is not listed" 'linux.namespaces.*"cpu" is no namespace' '.linux.namespaces += [{type: "cpu"}]'
takes "capabilities" '.process.capabilities |= map_values($said[0].linux.capabilities) | del(.process.capabilities.ambient)'

# ---- hooks ----

takes "hooks" '.hooks = ($said[0].hooks | map({(.): [{path: "/bin/sh", args: ["sh", "-c", "echo \(.) >>\($dir)/hooks"]}]}) | add)
	| .hooks.startContainer[0].args[2] = "echo startContainer >/ran" '
t_is "hooks: all of them ran" "$(said '.hooks[]' | grep -v startContainer | sort | xargs) startContainer" \
	"$(sort "$T_DIR/hooks" | xargs) $(cat "$bundle/rootfs/ran" 2>&1)"

# ---- seccomp ----

takes "seccomp: actions" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [$said[0].linux.seccomp.actions[] | select(test("NOTIFY") | not)
	| {names: ["getcpu"], action: .}]}'
takes "seccomp: operators" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [$said[0].linux.seccomp.operators[]
	| {names: ["getcpu"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, valueTwo: 1, op: .}]}]}'
takes "seccomp: archs" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: $said[0].linux.seccomp.archs, syscalls: []}'
for flag in $(said '.linux.seccomp.supportedFlags[]'); do
	takes "seccomp: $flag" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: [$flag], syscalls: []}' --arg flag "$flag"
done
t_is "seccomp: supported flags are known ones" "" "$(said '.linux.seccomp | .supportedFlags - .knownFlags | .[]')"
refuses "seccomp: an arch that is not listed" 'linux.seccomp.architectures.*SCMP_ARCH_Z80' '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_Z80"]}'

# ---- the rest ----

for mode in $(said '.linux.memoryPolicy.modes[]'); do
	[ -e /proc/self/numa_maps ] || continue
	out=$(run '.linux.memoryPolicy = {mode: $mode} + if $mode | test("DEFAULT|LOCAL") then {} else {nodes: "0"} end' --arg mode "$mode")
	case $out in
	*"linux.memoryPolicy"*": Invalid argument" | *"not supported"*) t_skip "memoryPolicy: $mode" "not of this kernel: $out" ;;
	*) t_is "memoryPolicy: $mode" fine "$out" ;;
	esac
done
t_is "netDevices and intelRdt" "true true" "$(said '"\(.linux.netDevices.enabled) \(.linux.intelRdt.enabled)"')"
driver=$(said .linux.cgroup.systemd)
jq '.linux.cgroupsPath = "system.slice:cellar:'"$id"'"' "$T_DIR/spec.json" >"$bundle/config.json"
if [ "$driver" = false ]; then
	t_status "cgroup: what is not there is refused" 1 c --systemd-cgroup create -b "$bundle" "$id"
fi
t_is "what runs and what says so is of one version" "$(cellar --version | awk 'NR == 1 {print $3}')" "$(said '.annotations["io.cellar.version"]')"
t_match "annotations that a caller should not pass on" 'run.oci.' "$(said '.potentiallyUnsafeConfigAnnotations[]')"
t_is "nothing is left" "" "$(ls -A "$root"; find /sys/fs/cgroup -type d -name "*$T_ID*" 2>/dev/null)"
