#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fields of config.json that the everyday documents leave out, each seen from inside the container or
# from the kernel: time offsets, personality, scheduling, memory policy.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-f
mkdir -p "$bundle"
: >"$T_DIR/config-fields"
chmod 755 "$T_DIR"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
cp "$bundle/config.json" "$T_DIR/spec.json"
t_defer 'c delete -f $id'

# config SCRIPT FILTER [ARG...]
config() {
	local script=$1 filter=$2
	shift 2
	jq --arg script "$script" "$@" '.process.terminal = false | .root.readonly = false
		| .process.args = ["sh", "-c", $script] | '"$filter" "$T_DIR/spec.json" >"$bundle/config.json"
}
run() { c run -b "$bundle" "$id" </dev/null; }
# field NAME WANT SCRIPT FILTER
field() {
	config "$3" "$4"
	t_is "$1" "$2" "$(run 2>&1 | xargs)"
}
# refused NAME PATTERN FILTER
refused() {
	config true "$3"
	t_status "$1: refused" 1 c run -b "$bundle" "$id"
	t_match "$1: in words" "$2" "$T_ERR"
}

# ---- time ----

if [ -e /proc/self/ns/time ]; then
	config 'cut -d. -f1 /proc/uptime' '.linux.namespaces += [{type: "time"}]
		| .linux.timeOffsets = {boottime: {secs: 1000000, nanosecs: 5}, monotonic: {secs: 2000000}}'
	before=$(cut -d. -f1 /proc/uptime)
	inside=$(run)
	t_is "timeOffsets: boottime" yes "$([ $((inside - before)) -ge 1000000 ] && [ $((inside - before)) -lt 1000600 ] && echo yes || echo "$before $inside")"
	config 'while :; do sleep 0.1; done' '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}}'
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
	t_match "timeOffsets: exec is there too" '^1[0-9]{6,}$' "$(c exec "$id" cut -d. -f1 /proc/uptime)"
	t_match "timeOffsets: as the kernel has them" "boottime +1000000" "$(cat "/proc/$(c state "$id" | jq .pid)/timens_offsets")"
	t_is "timeOffsets: our own time is as it was" "$(readlink /proc/self/ns/time)" "$(readlink /proc/self/ns/time_for_children)"
	c delete -f "$id"
	field "timeOffsets in a user namespace" 0 'id -u' '.linux.namespaces += [{type: "time"}, {type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .linux.timeOffsets = {boottime: {secs: 1000}}'
	refused "timeOffsets without a namespace" 'linux.timeOffsets: needs a new time namespace' '.linux.timeOffsets = {boottime: {secs: 1}}'
	refused "timeOffsets with too many nanoseconds" 'linux.timeOffsets.boottime.nanosecs: 1000000000' \
		'.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {nanosecs: 1000000000}}'
else
	t_skip "timeOffsets" "this kernel has no time namespaces"
fi

# ---- personality ----

case $(uname -m) in
x86_64) narrow=i686 ;;
aarch64) narrow=armv8l ;;
*) narrow= ;;
esac
if [ -n "$narrow" ]; then
	field "personality: LINUX32" "$narrow" 'uname -m' '.linux.personality = {domain: "LINUX32"}'
	field "personality: LINUX" "$(uname -m)" 'uname -m' '.linux.personality = {domain: "LINUX"}'
fi
refused "personality of another world" 'linux.personality.domain: "WINDOWS"' '.linux.personality = {domain: "WINDOWS"}'
refused "personality with flags" 'linux.personality.flags: ' '.linux.personality = {domain: "LINUX", flags: ["x"]}'

# ---- scheduler ----

stat_field() { echo "sed 's/.*) //' /proc/self/stat | cut -d' ' -f$(($1 - 2))"; }
field "scheduler: batch and nice" "3 5" "$(stat_field 41); $(stat_field 19)" '.process.scheduler = {policy: "SCHED_BATCH", nice: 5}'
field "scheduler: idle" 5 "$(stat_field 41)" '.process.scheduler = {policy: "SCHED_IDLE"}'
config "$(stat_field 41); $(stat_field 40)" '.process.scheduler = {policy: "SCHED_FIFO", priority: 10}'
out=$(run 2>&1 | xargs)
case $out in
*"set process.scheduler: Operation not permitted"*) t_skip "scheduler: FIFO" "this host gives no realtime scheduling" ;;
*) t_is "scheduler: FIFO" "1 10" "$out" ;;
esac
config "$(stat_field 41)" '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 5000000, period: 10000000, flags: ["SCHED_FLAG_RESET_ON_FORK"]}
	| .process.args = ["sleep", "100"]'
if c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/err"; then
	t_is "scheduler: deadline" 6 "$(sed 's/.*) //' "/proc/$(c state "$id" | jq .pid)/stat" | cut -d' ' -f39)"
	c delete -f "$id"
else
	t_match "scheduler: deadline, why not" "set process.scheduler: " "$(cat "$T_DIR/err")"
	t_skip "scheduler: deadline" "$(tail -n 1 "$T_DIR/err")"
fi
refused "scheduler: no policy" 'process.scheduler.policy: missing' '.process.scheduler = {nice: 1}'
refused "scheduler: unknown policy" 'process.scheduler.policy: "SCHED_FAST"' '.process.scheduler = {policy: "SCHED_FAST"}'
refused "scheduler: unknown flag" 'process.scheduler.flags\[0\]: "X"' '.process.scheduler = {policy: "SCHED_OTHER", flags: ["X"]}'
field "ioPriority" "best-effort: prio 3" 'ionice -p $$' '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 3}'
field "ioPriority: idle" "idle" 'ionice -p $$ | cut -d: -f1' '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE"}'
refused "ioPriority: unknown class" 'process.ioPriority.class: "FAST"' '.process.ioPriority = {class: "FAST"}'
refused "ioPriority: too high" 'process.ioPriority.priority: 8' '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}'

config 'while :; do sleep 0.1; done' '.process.execCPUAffinity = {initial: "0", final: "0"}'
c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
all=$(awk '/Cpus_allowed_list/ {print $2}' /proc/self/status)
t_is "execCPUAffinity: not of the container's init" "$all" "$(awk '/Cpus_allowed_list/ {print $2}' "/proc/$(c state "$id" | jq .pid)/status")"
t_is "execCPUAffinity: of an exec" 0 "$(c exec "$id" awk '/Cpus_allowed_list/ {print $2}' /proc/self/status)"
jq '.process | .execCPUAffinity = {final: "1023"}' "$bundle/config.json" >"$T_DIR/process.json"
t_status "execCPUAffinity: a CPU that is not there" 255 c exec --process "$T_DIR/process.json" "$id"
t_match "execCPUAffinity: a CPU that is not there, in words" "execCPUAffinity" "$T_ERR"
c delete -f "$id"
refused "execCPUAffinity: no list" 'process.execCPUAffinity.final: "0-"' '.process.execCPUAffinity = {final: "0-"}'

# ---- memory policy ----

numa() { echo "awk '{print \$2; exit}' /proc/self/numa_maps"; }
if [ -e /proc/self/numa_maps ]; then
	field "memoryPolicy: bind" "bind:0" "$(numa)" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	field "memoryPolicy: static" "bind=static:0" "$(numa)" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
else
	t_skip "memoryPolicy" "this kernel has no NUMA"
fi
refused "memoryPolicy: unknown mode" 'linux.memoryPolicy.mode: "MPOL_BEST"' '.linux.memoryPolicy = {mode: "MPOL_BEST"}'

# ---- resources by device, page size, interface ----

# limit CONTROLLER FILE_V1 FILE_V2: what the kernel has of the container
limit() {
	local path
	path=$(jq -r .cgroupPath "$root/$id/state.json")
	cat "/sys/fs/cgroup/$1$path/$2" 2>/dev/null || cat "/sys/fs/cgroup$path/$3" 2>/dev/null ||
		cat "/sys/fs/cgroup/unified$path/$3"
}
# limited NAME PATTERN CONTROLLER FILE_V1 FILE_V2 RESOURCES
limited() {
	config 'while :; do sleep 0.1; done' ".linux.resources += $6"
	if c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/err"; then
		t_match "$1" "$2" "$(limit "$3" "$4" "$5")"
		c delete -f "$id"
	elif grep -Eq 'not mounted on this host|not available on this host|this kernel has no' "$T_DIR/err"; then
		t_skip "$1" "$(tail -n 1 "$T_DIR/err")"
	else
		t_fail "$1" "$(cat "$T_DIR/err")"
	fi
}
# The first whole disk: partitions are throttled with it.
disk=$(cat /sys/block/[vsn]d[a-z]/dev /sys/block/nvme*/dev 2>/dev/null | head -n 1)
if [ -n "$disk" ]; then
	device="major: ${disk%:*}, minor: ${disk#*:}"
	limited "blockIO: throttled reads" "$disk .*1048576" blkio blkio.throttle.read_bps_device io.max \
		"{blockIO: {throttleReadBpsDevice: [{$device, rate: 1048576}]}}"
	limited "blockIO: throttled operations" "$disk .*77" blkio blkio.throttle.write_iops_device io.max \
		"{blockIO: {throttleWriteIOPSDevice: [{$device, rate: 77}]}}"
	config 'while :; do sleep 0.1; done' .
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
	jq -n "{blockIO: {throttleWriteBpsDevice: [{$device, rate: 2097152}]}}" >"$T_DIR/some"
	jq -n "{blockIO: {throttleWriteBpsDevice: [{$device, rate: 0}]}}" >"$T_DIR/none"
	if c update -r "$T_DIR/some" "$id" 2>"$T_DIR/err"; then
		t_match "blockIO: update" "$disk .*2097152" "$(limit blkio blkio.throttle.write_bps_device io.max)"
		c update -r "$T_DIR/none" "$id"
		t_is "blockIO: update to none" "" "$(limit blkio blkio.throttle.write_bps_device io.max)"
	else
		t_skip "blockIO: update" "$(tail -n 1 "$T_DIR/err")"
	fi
	c delete -f "$id"
else
	t_skip "blockIO" "no disk here"
fi
limited "hugepageLimits" "^4194304$" hugetlb hugetlb.2MB.limit_in_bytes hugetlb.2MB.max \
	'{hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}'
config true '.linux.resources.rdma = {mlx5_9: {hcaHandles: 3, hcaObjects: 10000}}'
run 2>"$T_DIR/err" && t_fail "rdma: a device that is not there" "it ran" ||
	t_match "rdma: a device that is not there" "linux.resources.rdma: .*(rdma.max: |not mounted|not available)" "$(cat "$T_DIR/err")"
config true '.linux.resources.network.classID = 1048577'
if c run -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/err"; then
	grep -q 'net_cls' /proc/mounts && t_ok "network.classID" ||
		t_match "network.classID: ignored on v2, with a word" 'network.classID: cgroup v2 has no such controller' "$(cat "$T_DIR/err")"
else
	t_match "network.classID: refused without its controller" 'network.classID: the net_cls controller is not mounted' "$(cat "$T_DIR/err")"
fi
refused "hugepageLimits: a path" 'hugepageLimits\[0\].pageSize: "../x"' '.linux.resources.hugepageLimits = [{pageSize: "../x", limit: 1}]'
refused "throttles without a rate" 'throttleReadBpsDevice\[0\].rate: missing' '.linux.resources.blockIO.throttleReadBpsDevice = [{major: 1, minor: 1}]'

# ---- idmapped mounts ----

mkdir -p "$T_DIR/mapped/below"
touch "$T_DIR/mapped/mine" "$T_DIR/mapped/theirs"
chown 1000:2000 "$T_DIR/mapped/theirs"
maps='uidMappings: [{containerID: 0, hostID: 5000, size: 10000}], gidMappings: [{containerID: 0, hostID: 7000, size: 10000}]'
mount=".mounts += [{destination: \"/mapped\", source: \"$T_DIR/mapped\", type: \"bind\", options: [\"bind\"], $maps}]"
config 'stat -c %u:%g /mapped/mine /mapped/theirs; touch /mapped/new 2>/dev/null || echo no' "$mount"
out=$(run 2>&1 | xargs)
case $out in
*"its file system may not know how"*) t_skip "mappings of a mount" "$out" ;;
*)
	t_is "mappings of a mount" "5000:7000 6000:9000 no" "$out"
	# One mapped mount makes us open all of them.
	field "mappings of a mount: other binds are as they were" "1000:2000 rw" 'stat -c %u:%g /plain/theirs; touch /plain/x && echo rw; rm -f /plain/x' \
		"$mount | .mounts += [{destination: \"/plain\", source: \"$T_DIR/mapped\", options: [\"rbind\"]}]"
	field "mappings of a mount: the mapped user writes" "0:0" 'touch /mapped/ours; rm -f /mapped/ours; touch /mapped/kept; true' \
		"$mount | .process.user = {uid: 5000, gid: 7000} | .process.args[2] += \"; stat -c %u:%g /mapped/kept | sed s/5000:7000/0:0/\""
	t_is "mappings of a mount: on disk" 0:0 "$(stat -c %u:%g "$T_DIR/mapped/kept")"
	field "mappings of a mount in a user namespace" "0:0" 'stat -c %u:%g /mapped/mine' ".linux.namespaces += [{type: \"user\"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| $mount | .mounts[-1].uidMappings[0].hostID = 100000 | .mounts[-1].gidMappings[0].hostID = 100000"
	field "idmap by the container's user namespace" "0:0" 'stat -c %u:%g /mapped/mine' ".linux.namespaces += [{type: \"user\"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .mounts += [{destination: \"/mapped\", source: \"$T_DIR/mapped\", options: [\"bind\", \"idmap\"]}]"
	field "idmap with maps of its own" "2000:3000" 'stat -c %u:%g /mapped/theirs' \
		".mounts += [{destination: \"/mapped\", source: \"$T_DIR/mapped\", options: [\"bind\", \"idmap=uids=0-1-9#1000-2000-5;gids=0-1-9#2000-3000-1\"]}]"
	field "idmap with maps inside the container's" "7:9" 'stat -c %u:%g /mapped/theirs' ".linux.namespaces += [{type: \"user\"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .mounts += [{destination: \"/mapped\", source: \"$T_DIR/mapped\", options: [\"bind\", \"idmap=uids=@1000-7-1;gids=@2000-9-1\"]}]"
	mkdir "$T_DIR/mapped/below/deep"
	mount -t tmpfs tmpfs "$T_DIR/mapped/below" && t_defer "umount $T_DIR/mapped/below"
	field "mappings of a mount: not of those below" "0:0" 'stat -c %u:%g /mapped/below' "${mount/\"bind\"]/\"rbind\"]}"
	field "mappings of a mount: recursive" "5000:7000" 'stat -c %u:%g /mapped/below' "${mount/\"bind\"]/\"rbind\", \"ridmap\"]}"
	;;
esac
refused "uidMappings alone" 'mounts\[[0-9]+\].gidMappings: missing' '.mounts += [{destination: "/m", source: "/tmp", options: ["bind"], uidMappings: [{containerID: 0, hostID: 5000, size: 1}]}]'
refused "mappings of another file system" 'only supported for bind-mounts' '.mounts += [{destination: "/m", type: "tmpfs", uidMappings: [{containerID: 0, hostID: 5, size: 1}], gidMappings: [{containerID: 0, hostID: 5, size: 1}]}]'
refused "idmap with half a map" "idmap's maps are not like" '.mounts += [{destination: "/m", source: "/tmp", options: ["bind", "idmap=uids=0-1-1"]}]'
refused "idmap without maps" 'idmap needs uidMappings' '.mounts += [{destination: "/m", source: "/tmp", options: ["bind", "idmap"]}]'

# ---- symlinks, by crun's options ----

ln -s /some/where "$T_DIR/link"
# symlink NAME WANT TARGET SOURCE OPTION...: what the target is read as, and what is mounted
symlink() {
	config "readlink $3; grep -c ' $3 ' /proc/self/mountinfo" ".mounts += [{destination: \"$3\", source: \"$4\", type: \"bind\", options: [\"bind\", $5]}]"
	t_is "$1" "$2" "$(run 2>&1 | xargs)"
}
symlink "copy-symlink" "/some/where 0" /lib/copied "$T_DIR/link" '"copy-symlink"'
symlink "copy-symlink: it is there already" "/some/where 0" /lib/copied "$T_DIR/link" '"copy-symlink"'
symlink "copy-symlink of a file is a bind" 1 /lib/file "$T_DIR/config-fields" '"copy-symlink"'
symlink "src-nofollow" "/some/where 1" /lib/itself "$T_DIR/link" '"src-nofollow"'
symlink "dest-nofollow" 1 /lib/copied "$T_DIR/config-fields" '"dest-nofollow"'
refused "copy-symlink over a file" '/lib/file: is there already, and no symlink to /some/where' \
	".mounts += [{destination: \"/lib/file\", source: \"$T_DIR/link\", options: [\"bind\", \"copy-symlink\"]}]"
t_is "/dev/mqueue belongs to the root of the user namespace" 0:0 "$(config 'stat -c %u:%g /dev/mqueue' '.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'; run 2>&1 | xargs)"

# ---- what is not there yet is refused, and what is no business of ours is left alone ----

# ---- crun's annotations ----

config 'id -G' '.annotations = {"run.oci.keep_original_groups": "1"}'
t_is "run.oci.keep_original_groups" "0 1234" "$(setpriv --groups 1234 cellar --root "$root" run -b "$bundle" "$id" </dev/null | xargs)"
hook() { printf '[{path: "/bin/sh", args: ["sh", "-c", "echo said %s; echo erred >&2"]}]' "$1"; }
config true '.annotations = {"run.oci.hooks.stdout": $out, "run.oci.hooks.stderr": $err}
	| .hooks = {createRuntime: '"$(hook first)"', createContainer: '"$(hook here)"', startContainer: '"$(hook inside)"',
		poststop: '"$(hook last)"'}' --arg out "$T_DIR/out" --arg err "$T_DIR/err"
t_status "run.oci.hooks.*" 0 c run -b "$bundle" "$id"
t_is "run.oci.hooks.stdout" "said first said here said inside said last" "$(xargs <"$T_DIR/out")"
t_is "run.oci.hooks.stderr" "erred erred erred erred" "$(xargs <"$T_DIR/err")"
refused "run.oci.handler" 'run.oci.handler.*"wasm" is no handler' '.annotations = {"run.oci.handler": "wasm"}'
refused "run.oci.seccomp.plugins" 'run.oci.seccomp.plugins.*loads no code' '.annotations = {"run.oci.seccomp.plugins": "/x.so"}'
refused "run.oci.mount_context_type of none" 'run.oci.mount_context_type.*"secontext" is none of' '.annotations = {"run.oci.mount_context_type": "secontext"}'
unknown='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["fly_to_the_moon"], action: "SCMP_ACT_ERRNO"}]}'
field "an unknown call in a profile" fine 'echo fine' "$unknown"
refused "run.oci.seccomp_fail_unknown_syscall" 'linux.seccomp.syscalls\[0\]: no call is named "fly_to_the_moon"' \
	"$unknown | .annotations = {\"run.oci.seccomp_fail_unknown_syscall\": \"1\"}"
# A filter of one instruction: everything is allowed; and one that refuses all calls of getcpu's kind.
allow=$(printf '\x06\x00\x00\x00\x00\x00\xff\x7f' | base64)
field "run.oci.seccomp_bpf_data" "2 1" "awk '/^Seccomp(_filters)?:/ {print \$2}' /proc/self/status" ".annotations = {\"run.oci.seccomp_bpf_data\": \"$allow\"}
	| .linux.seccomp = {defaultAction: \"SCMP_ACT_KILL\"}"
refused "run.oci.seccomp_bpf_data: no program" 'run.oci.seccomp_bpf_data.*no program' '.annotations = {"run.oci.seccomp_bpf_data": "@@"}'
if [ -e /proc/self/ns/time ]; then
	field "run.oci.timens_offset" yes 'read -r up _ </proc/uptime; [ "${up%.*}" -gt 5000000 ] && echo yes' \
		'.linux.namespaces += [{type: "time"}] | .annotations = {"run.oci.timens_offset": "boottime 5000000 0"}'
	refused "run.oci.timens_offset of no clock" 'run.oci.timens_offset.*"tai 1 0" is not' '.linux.namespaces += [{type: "time"}] | .annotations = {"run.oci.timens_offset": "tai 1 0"}'
fi
config true '.annotations = {"run.oci.handler-options": "x"}'
t_status "an annotation of crun that means nothing here" 0 c run -b "$bundle" "$id"
t_match "an annotation of crun that means nothing here, in words" 'run.oci.handler-options.*nothing is done' "$T_ERR"
force='.annotations = {"run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup"}'
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
	refused "run.oci.systemd.force_cgroup_v1 on v2" 'force_cgroup_v1.*cgroup v2 alone' "$force"
else
	config true "$force"
	t_status "run.oci.systemd.force_cgroup_v1 where v1 is" 0 c run -b "$bundle" "$id"
fi

if grep -q ' - resctrl ' /proc/self/mountinfo; then
	t_skip "intelRdt" "this host has resctrl: nothing of it is touched by tests"
else
	refused "intelRdt on a host without" 'linux.intelRdt: no resctrl file system is mounted' '.linux.intelRdt = {closID: "x"}'
	config 'while :; do sleep 0.1; done' .
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
	t_status "update --l3-cache-schema on a host without" 1 c update --l3-cache-schema 'L3:0=f' "$id"
	t_match "update --l3-cache-schema, in words" 'linux.intelRdt: no resctrl file system' "$T_ERR"
	c delete -f "$id"
fi
field "an empty intelRdt and a vm" fine 'echo fine' '.linux.intelRdt = {} | .vm = {kernel: {path: "/vmlinuz"}}'
t_is "nothing is left" "" "$(ls -A "$root"; find /sys/fs/cgroup -type d -name "*$T_ID*" 2>/dev/null)"
