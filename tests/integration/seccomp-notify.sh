#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SCMP_ACT_NOTIFY: an agent on the host decides over calls of the container (listenerPath).
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
command -v cc >/dev/null || t_skip_all "no C compiler to build the agent with"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-n
mkdir -p "$bundle"
chmod 755 "$T_DIR"
t_rootfs "$bundle/rootfs"
cc -O2 -o "$T_DIR/agent" "$(dirname "$0")/../lib/seccomp_agent.c" || t_skip_all "the agent does not compile here"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
cp "$bundle/config.json" "$T_DIR/spec.json"
t_defer 'c delete -f $id'

# config SCRIPT [FILTER]: everything is allowed but making folders, which the agent is asked about
config() {
	jq --arg script "$1" --arg socket "$T_DIR/agent.sock" '.process.terminal = false | .root.readonly = false
		| .process.args = ["sh", "-c", $script]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $socket, listenerMetadata: "who \"asks\"",
			syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}
		| '"${2:-.}" "$T_DIR/spec.json" >"$bundle/config.json"
}
# agent [COUNT]
agent() {
	rm -f "$T_DIR/agent.sock"
	"$T_DIR/agent" "$T_DIR/agent.sock" "${1:-1}" >"$T_DIR/agent.out" &
	agent=$!
	t_wait 60 test -S "$T_DIR/agent.sock"
}
# The agent prints what it heard when it gets to it.
said() {
	local nth=$1
	t_wait 60 eval '[ "$(grep -c "^{" "$T_DIR/agent.out")" -ge "$nth" ]'
	grep '^{' "$T_DIR/agent.out" | sed -n "$1p" | jq -r "$2"
}

for nnp in true false; do
	config 'mkdir /x; echo went on' ".process.noNewPrivileges = $nnp"
	agent
	out=$(c run -b "$bundle" "$id" 2>&1 </dev/null)
	wait "$agent"
	t_match "noNewPrivileges $nnp: the agent's answer is the call's" "argument out of domain" "$out"
	t_match "noNewPrivileges $nnp: and the program goes on" "went on" "$out"
	t_is "noNewPrivileges $nnp: the agent saw the call" 1 "$(grep -c '^call ' "$T_DIR/agent.out")"
done
t_is "it is told the container" "$id" "$(said 1 .state.id)"
t_is "the fds by name" seccompFd "$(said 1 '.fds[]')"
t_is "the metadata" 'who "asks"' "$(said 1 .metadata)"
t_match "the bundle" "$bundle" "$(said 1 .state.bundle)"

config 'while [ ! -e /stop ]; do sleep 0.1; done'
agent 2
t_status "create does not wait for the agent" 0 c create -b "$bundle" "$id"
pid=$(c state "$id" | jq .pid)
t_status "nor does start" 0 c start "$id"
t_becomes "the pid is the container's" "$pid" said 1 .pid
t_is "the status is that of its making" creating "$(said 1 .state.status)"
t_match "exec: the agent answers, too" "argument out of domain" "$(c exec "$id" mkdir /y 2>&1)"
wait "$agent"
t_is "exec: the agent is told that it runs" running "$(said 2 .state.status)"
t_is "exec: another pid" yes "$([ "$(said 2 .pid)" != "$pid" ] && echo yes)"
c delete -f "$id"

config true
rm -f "$T_DIR/agent.sock"
t_status "no agent: refused" 1 c run -b "$bundle" "$id"
t_match "no agent: in words" "linux.seccomp.listenerPath: connect to the seccomp agent $T_DIR/agent.sock" "$T_ERR"
config true '.linux.seccomp.syscalls[0].names += ["write"]'
t_status "what hands the listener over: refused" 1 c run -b "$bundle" "$id"
t_match "what hands the listener over: in words" "has to allow write" "$T_ERR"
config 'mkdir /x && echo made' '.linux.seccomp.syscalls = []'
t_is "a path that nothing needs is left alone" made "$(c run -b "$bundle" "$id" </dev/null 2>&1)"
config 'mkdir /x; echo went on' '.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
agent
t_match "in a user namespace" "went on" "$(c run -b "$bundle" "$id" 2>&1 </dev/null)"
wait "$agent"
config 'mkdir /x; echo went on' '.annotations["run.oci.seccomp.receiver"] = .linux.seccomp.listenerPath | del(.linux.seccomp.listenerPath)'
agent
t_match "the receiver of an annotation" "out of domain.*went on" "$(c run -b "$bundle" "$id" 2>&1 </dev/null | xargs -0 | tr '\n' ' ')"
wait "$agent"
t_is "nothing is left" "" "$(ls -A "$root"; find /sys/fs/cgroup -type d -name "*$T_ID*" 2>/dev/null)"
