#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd as Kubernetes drives it: pods over the CRI socket (gRPC by curl and protoc, since Debian has
# no crictl), with our shim, then with runc's and our runtime. RUNTIME=runc: runc's alone.
CLIENT_PROGRAMS=(/usr/bin/containerd /usr/bin/ctr /usr/bin/containerd-shim-runc-v2 /usr/bin/protoc
	/usr/bin/curl /usr/lib/cni/loopback /usr/lib/cni/ptp /usr/lib/cni/host-local)
. "$(dirname "$0")/lib.sh"
clients_enter "$@"
. "$T_TOP/tests/lib/containerd.sh"
. "$T_TOP/tests/lib/cri.sh"
CONTAINERD_NAMESPACE=k8s.io
image=localhost/bb:latest pause=localhost/pause:latest

containerd_config
mkdir -p "$base/cni" "$T_DIR/logs"
jq -n --arg dir "$base/leases" '{cniVersion: "0.4.0", name: "pods", plugins: [{type: "ptp", ipam:
	{type: "host-local", dataDir: $dir, subnet: "10.87.0.0/24", routes: [{dst: "0.0.0.0/0"}]}}]}' \
	>"$base/cni/10-pods.conflist"
cat >>"$base/config.toml" <<END_CONFIG
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "$pause"
restrict_oom_score_adj = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$base/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.shim]
runtime_type = "io.containerd.cellar.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.shim.options]
ConfigPath = "$T_DIR/shim.toml"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "$RUNTIME"
END_CONFIG
echo "Root = '$T_DIR/shim-root' # as our shim understands it" >"$T_DIR/shim.toml"

# ---- what is tried ----

checks() {
	local n="$how: " a b c first
	t_status "${n}a pod" 0 pod p1
	t_is "${n}it is ready" "" "$(pod_state "$pod" | grep -v READY)"
	t_match "${n}it has an address" '10\.87\.0\.[0-9]+' "$(cri PodSandboxStatus PodRequest PodStatusResponse "pod_sandbox_id: '$pod'")"

	run a 'trap "exit 7" TERM; echo out; echo err >&2; while :; do sleep 0.1; done' \
		"envs { key: 'A' value: 'v' } working_dir: '/tmp' mounts { container_path: '/mnt' host_path: '$T_DIR/shared' }
		linux { security_context { namespace_options { pid: CONTAINER } } }" ||
		t_fail "${n}a container" "does not start"
	a=$created
	run b 'sleep 1000' "linux { resources { memory_limit_in_bytes: 33554432 cpu_quota: 50000 cpu_period: 100000 }
		security_context { run_as_user { value: 1000 } run_as_group { value: 1000 } readonly_rootfs: true no_new_privs: true
		capabilities { drop_capabilities: 'ALL' } seccomp { profile_type: 0 } } }"
	b=$created
	run c 'echo last; exit 3'
	c=$created
	t_is "${n}three containers, one shim" "RUNNING RUNNING 1" "$(state "$a") $(state "$b") $(shims)"
	[ "$how" != shim ] || t_status "${n}its options" 0 test -e "$T_DIR/shim-root/k8s.io/$a/state.json"
	t_wait 60 ended "$c"
	t_is "${n}exit status" "exit_code: 3 Error" "$(status "$c" | sed -n 's/^ *\(exit_code.*\)/\1/p; s/^ *reason: //p' | xargs)"
	t_wait 60 grep -q last "$T_DIR/logs/p1/c.log"
	t_match "${n}its log" '^[0-9TZ:.-]+ stdout F last$' "$(log p1/c.log)"
	t_wait 60 grep -q err "$T_DIR/logs/p1/a.log"
	t_match "${n}a log of both streams" 'stdout F out stderr F err|stderr F err stdout F out' "$(log p1/a.log | cut -d' ' -f2- | xargs)"

	t_is "${n}exec: output and status" "in err 5" "$(execute "$a" sh -c 'echo in; echo err >&2; exit 5')"
	t_is "${n}exec: environment and folder" "v /tmp" "$(execute "$a" sh -c 'echo $A $(pwd)')"
	t_is "${n}a mount" "from outside" "$(execute "$a" cat /mnt/file)"
	t_match "${n}exec: a time-out" 'DeadlineExceeded|status 4 |deadline' "$(exec_timeout=1 execute "$a" sleep 1234)"
	runs_on() { execute "$a" sh -c 'ps | grep -c "[s]leep 1234"' | cut -d' ' -f1; }
	t_becomes "${n}nothing of it runs on" 0 runs_on
	t_match "${n}exec: a missing program" 'not found|no such file' "$(execute "$a" nonesuch 2>&1)"
	t_is "${n}user, group, capabilities" "1000 1000 0000000000000000" "$(execute "$b" sh -c 'echo $(id -u) $(id -g) $(awk "/CapEff/ {print \$2}" /proc/self/status)')"
	t_is "${n}seccomp, no_new_privs" "2 1" "$(execute "$b" sh -c 'awk "/^Seccomp:|NoNewPrivs/ {print \$2}" /proc/self/status | sort -r' | sed 's/\([12]\)\([12]\)/\1 \2/')"
	t_match "${n}read-only root" 'Read-only' "$(execute "$b" touch /x)"
	t_is "${n}limits" "33554432" "$(limit "$b")"
	first=$(execute "$a" sh -c 'readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts; hostname')
	t_is "${n}the pod's namespaces are shared" "$first" "$(execute "$b" sh -c 'readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts; hostname')"
	t_match "${n}the pod's host name" 'host-p1' "$first"
	t_is "${n}processes where it was asked for" "trap pause" "$(execute "$a" cat /proc/1/cmdline | grep -o trap) $(
		execute "$b" cat /proc/1/cmdline | grep -o pause)"
	t_match "${n}the pod's address" '10\.87\.0\.' "$(execute "$b" ip -4 addr show dev eth0)"

	t_match "${n}stats" 'usage_core_nano_seconds.*value: [1-9].*working_set_bytes.*value: [1-9]' \
		"$(cri ContainerStats ContainerRequest ContainerStatsResponse "container_id: '$b'" | tr '\n' ' ')"
	t_status "${n}update" 0 cri UpdateContainerResources UpdateRequest Empty "container_id: '$b' linux { memory_limit_in_bytes: 50331648 }"
	t_is "${n}updated" 50331648 "$(limit "$b")"
	mv "$T_DIR/logs/p1/a.log" "$T_DIR/logs/p1/a.old"
	t_status "${n}the log is reopened" 0 cri ReopenContainerLog ContainerRequest Empty "container_id: '$a'"
	t_is "${n}a new one is there" yes "$([ -e "$T_DIR/logs/p1/a.log" ] && echo yes)"

	run oom 'exec tail /dev/zero' "linux { resources { memory_limit_in_bytes: 16777216 } }"
	t_wait 60 ended "$created"
	t_match "${n}out of memory" 'exit_code: 137' "$(status "$created" | xargs)"
	# runc's shim often tells the end before the reason.
	[ "$how" != shim ] || { t_wait 60 told "$created" && t_ok "${n}and told so"; } || t_fail "${n}and told so" "$(status "$created" | xargs)"

	first=$(inner "$b")
	containerd_down "$signal"
	kill -9 "$first"
	containerd_up
	t_wait 60 ready
	t_is "${n}containerd was restarted (SIG$signal): the pod is ready" "" "$(pod_state "$pod" | grep -v READY)"
	t_is "${n}a container runs on" RUNNING "$(state "$a")"
	t_wait 60 ended "$b"
	t_match "${n}one ended meanwhile" 'EXITED.*exit_code: 137' "$(status "$b" | xargs)"
	t_is "${n}exec after that" v "$(execute "$a" sh -c 'echo $A')"
	execute "$a" sh -c 'echo again >/proc/1/fd/1' >/dev/null
	t_wait 60 grep -q again "$T_DIR/logs/p1/a.log" && t_ok "${n}its output after that" || t_fail "${n}its output after that" "$(log p1/a.log)"
	t_status "${n}another container after that" 0 run d 'trap "" TERM; while :; do sleep 0.1; done'
	t_is "${n}still one shim" "RUNNING 1" "$(state "$created") $(shims)"

	t_status "${n}stop" 0 cri StopContainer StopContainerRequest Empty "container_id: '$a' timeout: 100"
	t_match "${n}stopped by SIGTERM" 'EXITED.*exit_code: 7' "$(status "$a" | xargs)"
	t_status "${n}stop of one that does not listen" 0 cri StopContainer StopContainerRequest Empty "container_id: '$created' timeout: 1"
	t_match "${n}killed" 'EXITED.*exit_code: 137' "$(status "$created" | xargs)"
	t_status "${n}removed" 0 cri RemoveContainer ContainerRequest Empty "container_id: '$a'"
	t_is "${n}four are left" 4 "$(cri ListContainers Empty ListContainersResponse "" | grep -c 'pod_sandbox_id')"
	t_status "${n}the pod stops" 0 cri StopPodSandbox PodRequest Empty "pod_sandbox_id: '$pod'"
	t_is "${n}it is not ready" NOTREADY "$(pod_state "$pod")"
	t_status "${n}the pod is removed" 0 cri RemovePodSandbox PodRequest Empty "pod_sandbox_id: '$pod'"
	t_is "${n}no container is left" 0 "$(cri ListContainers Empty ListContainersResponse "" | grep -c 'pod_sandbox_id')"

	pod host "" "security_context { namespace_options { network: NODE pid: POD } }"
	run a 'exec sleep 1000'
	t_is "${n}the host's network, the pod's processes" "$(readlink /proc/self/ns/net) pause" "$(execute "$created" readlink /proc/self/ns/net | cut -d' ' -f1) $(
		execute "$created" cat /proc/1/cmdline | grep -o pause)"
	pkill -9 -f '[c]ontainerd-shim.* -id '
	t_wait 60 ended "$created" && t_ok "${n}a killed shim: its container is seen to end" || t_fail "${n}a killed shim" "$(status "$created")"
	t_status "${n}its pod is stopped" 0 cri StopPodSandbox PodRequest Empty "pod_sandbox_id: '$pod'"
	t_status "${n}its pod is removed" 0 cri RemovePodSandbox PodRequest Empty "pod_sandbox_id: '$pod'"
	nothing_left() { [ -z "$(client_residue)" ]; }
	t_wait 60 nothing_left
	t_is "${n}nothing is left" "" "$(client_residue)"
}
# limit ID: of its memory, as the host has it
limit() {
	local path
	path=$(grep -m1 -E '^[0-9]+:memory:|^0::' "/proc/$(inner "$1")/cgroup" | cut -d: -f3)
	cat "/sys/fs/cgroup/memory$path/memory.limit_in_bytes" "/sys/fs/cgroup$path/memory.max" 2>/dev/null
}
inner() { ctrd tasks ls | awk -v id="$1" '$1 == id {print $2}'; }
ready() { cri ListContainers Empty ListContainersResponse ""; }

mkdir "$T_DIR/shared"
echo "from outside" >"$T_DIR/shared/file"
containerd_up
cri_images
if [ "${RUNTIME##*/}" = cellar ]; then
	how=shim signal=TERM
	checks
fi
how=runc signal=KILL
checks
