#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd where systemd makes the cgroups: by its ctr with runc's shim, and by CRI as Kubernetes sets
# it up, with runc's shim (SystemdCgroup) and ours (which goes by the path). Under a systemd:
# tests/vm/vm.sh --systemd. On the machine itself, for systemd knows no pids of another pid namespace; the
# bench is thrown away afterwards.
. "$(dirname "$0")/lib.sh"
t_need_root
[ -x /usr/bin/containerd ] && [ -x /usr/bin/containerd-shim-runc-v2 ] || t_skip_all "containerd is not installed"
command -v protoc >/dev/null && command -v curl >/dev/null || t_skip_all "protoc or curl is not installed"
[ -d /run/systemd/system ] && [ -n "${CELLAR_IN_VM:-}" ] || t_skip_all "only in the bench with systemd"
. "$T_TOP/tests/lib/containerd.sh"
. "$T_TOP/tests/lib/cri.sh"
CONTAINERD_NAMESPACE=k8s.io
image=localhost/bb:latest pause=localhost/pause:latest slice=cellar_$$.slice
chmod 711 "$T_DIR"
mkdir "$T_DIR/logs"
containerd_config
cat >>"$base/config.toml" <<END_CONFIG
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "$pause"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.shim]
runtime_type = "io.containerd.cellar.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "$RUNTIME"
SystemdCgroup = true
END_CONFIG
show() { systemctl show -p "$1" --value "$2"; }
# limits UNIT: as systemd and as the kernel have them
limits() {
	local folder
	folder=/sys/fs/cgroup$(show ControlGroup "$1")
	echo "$(for n in MemoryMax CPUQuotaPerSecUSec; do show $n "$1"; done | xargs) $(cat "$folder"/{memory,cpu}.max | xargs)"
}
gone() { [ "$(show LoadState "$1")" = not-found ]; }
cgroup_of() { ctrd tasks ls | awk -v id="$1" '$1 == id {print $2}' | xargs -I{} sed -n 's/^0:://p' /proc/{}/cgroup; }
containerd_up
cri_images

# ---- ctr ----

life() { # NAME OPTION...
	local n="$1: " id=c1 scope=cellar-$T_ID.scope
	shift
	t_status "${n}run" 0 ctrd run -d --cgroup "$slice:cellar:$T_ID" --memory-limit 50331648 --cpus 0.5 "$@" $image $id sleep 1000
	t_is "${n}the scope is in its slice" "/$slice/$scope" "$(cgroup_of $id)"
	t_is "${n}systemd and the kernel have the limits" "50331648 500ms 50331648 50000 100000" "$(limits "$scope")"
	t_is "${n}exec" there "$(ctrd tasks exec --exec-id e1 $id echo there)"
	t_match "${n}metrics" "memory|pids" "$(ctrd tasks metrics $id)"
	t_status "${n}kill" 0 ctrd tasks kill -s KILL $id
	t_wait 60 task_is $id STOPPED
	t_match "${n}exit status" "exit code 137" "$(ctrd tasks rm $id 2>&1)"
	ctrd containers rm $id >/dev/null
	t_wait 60 gone "$scope" && t_ok "${n}the scope is gone" || t_fail "${n}the scope is gone" "$(show ActiveState "$scope")"
}
life "ctr, runc's shim" --runc-systemd-cgroup --runc-binary "$RUNTIME"
life "ctr, our shim" --runtime io.containerd.cellar.v2

# ---- CRI ----

for how in runc shim; do
	n="CRI, $how: " CRI_CGROUP_PARENT=/$slice
	t_status "${n}a pod" 0 pod p1 "" "security_context { namespace_options { network: NODE } }"
	run a 'trap "exit 7" TERM; while :; do sleep 0.1; done' "linux { resources { memory_limit_in_bytes: 33554432 cpu_quota: 50000 cpu_period: 100000 } }" ||
		t_fail "${n}a container" "does not start"
	scope=cri-containerd-$created.scope
	t_is "${n}the pod is a scope of the slice" "/$slice/cri-containerd-$pod.scope" "$(cgroup_of "$pod")"
	t_is "${n}so is the container" "/$slice/$scope" "$(cgroup_of "$created")"
	t_is "${n}limits" "33554432 500ms 33554432 50000 100000" "$(limits "$scope")"
	t_status "${n}update" 0 cri UpdateContainerResources UpdateRequest Empty "container_id: '$created' linux { memory_limit_in_bytes: 50331648 }"
	t_is "${n}updated, both" "50331648 500ms 50331648 50000 100000" "$(limits "$scope")"
	t_is "${n}exec" there "$(execute "$created" echo there)"
	t_match "${n}stats" 'working_set_bytes.*value: [1-9]' "$(cri ContainerStats ContainerRequest ContainerStatsResponse "container_id: '$created'" | tr '\n' ' ')"
	t_status "${n}stop" 0 cri StopContainer StopContainerRequest Empty "container_id: '$created' timeout: $T_LONG"
	t_match "${n}its exit status" 'EXITED.*exit_code: 7' "$(status "$created" | xargs)"
	t_status "${n}the pod stops" 0 cri StopPodSandbox PodRequest Empty "pod_sandbox_id: '$pod'"
	t_status "${n}and is removed" 0 cri RemovePodSandbox PodRequest Empty "pod_sandbox_id: '$pod'"
	for unit in "$scope" "cri-containerd-$pod.scope"; do
		t_wait 60 gone "$unit" && t_ok "${n}its scope is gone" || t_fail "${n}its scope is gone" "$(show ActiveState "$unit")"
	done
done
t_is "no folder is left in the slice" "" "$(find "/sys/fs/cgroup/$slice" -mindepth 1 -type d)"
