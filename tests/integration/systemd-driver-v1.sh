#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The systemd driver where systemd has mounted v1 hierarchies, with cgroup2 beside them or without:
# tests/vm/vm.sh --systemd --cgroup hybrid (or v1). Where runc is installed, it has to give the kernel and
# systemd the same by the same document.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -d /run/systemd/system ] && [ -n "${CELLAR_IN_VM:-}" ] || t_skip_all "only in the bench with systemd"
[ -d /sys/fs/cgroup/memory ] || t_skip_all "this host has no cgroup v1"
tree=/sys/fs/cgroup bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-s
scope=cellar-$id.scope
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
s() { cellar --root "$root" --systemd-cgroup "$@"; }
cellar spec -b "$bundle"
# A path with words for both runtimes: theirs differ where there is none.
jq '.process.terminal = false | .linux.cgroupsPath = "system.slice:cellar:'"$id"'" | .process.args = ["sleep", "1000"]' \
	"$bundle/config.json" >"$T_DIR/config.json"
t_defer 'c delete -f $id; runc --root "$T_DIR/runc" delete -f $id'
config() { jq "$1" "$T_DIR/config.json" >"$bundle/config.json"; }
begin() { s run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/begin.err"; }
pid() { c state "$id" | jq .pid; }
show() { systemctl show -p "$1" --value "${2:-$scope}"; }
gone() { [ "$(show LoadState "${1:-$scope}")" = not-found ]; }
properties() { systemctl show -p "$1" "$scope" | sort | xargs; }
# Of the hierarchies of the first word, the folder of a process (the second).
folder() { sed -n "s/^[0-9]*:$1://p" "/proc/$2/cgroup"; }
# file HIERARCHY FILE: "cpu,cpuacct" is "cpu" by a link
file() { cat "$tree/$1$(folder "\\([^:]*[,=]\\)\\?$1\\(,[^:]*\\)\\?" "$(pid)")/$2"; }
files() { while [ $# -gt 0 ]; do file "$1" "$2" && shift 2; done | xargs; }
left() { find $tree -name "*$id*"; }

limits='.linux.resources = (.linux.resources + {"memory": {"limit": 100000000, "swap": 150000000, "reservation": 50000000},
	"cpu": {"shares": 2048, "quota": 25000, "period": 50000, "cpus": "0", "mems": "0"}, "pids": {"limit": 77}})
	| .annotations = {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.Documentation": "[\u0027man:x\u0027]"}'
known=ActiveState,SubState,Delegate,MemoryLimit,TasksMax,CPUQuotaPerSecUSec,CPUQuotaPeriodUSec,CPUShares,DevicePolicy,TimeoutStopUSec,Documentation
config "$limits"
begin && t_ok "run" || t_fail "run" "$(cat "$T_DIR/begin.err")"
t_is "the scope, in every hierarchy" "/system.slice/$scope" "$(cut -d: -f3 "/proc/$(pid)/cgroup" | sort -u)"
t_is "its only process is the container's" "$(pid)" "$(files systemd cgroup.procs)"
t_is "in that of a controller, too" "$(pid)" "$(files memory cgroup.procs)"
t_is "the kernel has its limits" "99999744 149999616 49999872 77 50000 25000 2048 0 0" \
	"$(files memory memory.limit_in_bytes memory memory.memsw.limit_in_bytes memory memory.soft_limit_in_bytes pids pids.max \
		cpu cpu.cfs_period_us cpu cpu.cfs_quota_us cpu cpu.shares cpuset cpuset.cpus cpuset cpuset.mems)"
t_is "systemd knows what it has words for, and annotations" \
	"ActiveState=active CPUQuotaPerSecUSec=500ms CPUQuotaPeriodUSec=50ms CPUShares=2048 Delegate=yes DevicePolicy=strict Documentation=man:x MemoryLimit=100000000 SubState=running TasksMax=77 TimeoutStopUSec=7s" \
	"$(properties $known)"
t_is "the state tells the unit" "$scope" "$(jq -r .systemdUnit "$root/$id/state.json")"
t_status "exec" 0 c exec "$id" true
t_status "exec --detach" 0 c exec -d --pid-file "$T_DIR/pid" "$id" sleep 1000
t_is "is in the same cgroups" "$(cat "/proc/$(pid)/cgroup")" "$(cat "/proc/$(cat "$T_DIR/pid")/cgroup")"
t_is "ps sees both" 2 "$(c ps -f json "$id" | jq length)"
t_is "pause and resume" "paused running" "$({ c pause "$id"; c state "$id" | jq -r .status; c resume "$id"; c state "$id" | jq -r .status; } | xargs)"
t_match "stats" '"limit":77' "$(c events --stats "$id" | jq -c .data.pids)"

change=(--memory 200m --memory-swap 300m --pids-limit 20 --cpu-quota 12345 --cpu-period 100000 --cpu-share 512)
t_status "update" 0 c update "${change[@]}" --cpuset-cpus 0-1 "$id"
t_is "update: systemd knows" "CPUQuotaPerSecUSec=130ms CPUShares=512 MemoryLimit=209715200 TasksMax=20" \
	"$(properties MemoryLimit,TasksMax,CPUQuotaPerSecUSec,CPUShares)"
changed() {
	files memory memory.limit_in_bytes memory memory.memsw.limit_in_bytes pids pids.max cpu cpu.cfs_period_us cpu cpu.cfs_quota_us \
		cpu cpu.shares cpuset cpuset.cpus
}
t_is "update: the kernel has it to the microsecond" "209715200 314572800 20 100000 12345 512 0-1" "$(changed)"
devices=$(file devices devices.list | sort)
t_status "a daemon-reload" 0 systemctl daemon-reload
t_is "leaves the limits of memory and processes" "209715200 20" "$(files memory memory.limit_in_bytes pids pids.max)"
t_is "and the device rules" "$devices" "$(file devices devices.list | sort)"
t_is "which deny a foreign device" denied "$(c exec "$id" sh -c 'mknod /tmp/x b 7 0 2>/dev/null; (: </tmp/x) 2>/dev/null && echo open || echo denied')"
t_status "another scope beside it" 0 systemd-run --quiet --slice system.slice --unit "$T_ID-beside" -p MemoryLimit=1G -p DevicePolicy=closed sleep 1000
t_is "changes nothing" "209715200 20" "$(files memory memory.limit_in_bytes pids pids.max)"
systemctl stop "$T_ID-beside"
t_status "update lifts limits" 0 c update --memory -1 --memory-swap -1 --pids-limit -1 "$id"
t_is "for both" "9223372036854771712 max MemoryLimit=infinity TasksMax=infinity" "$(files memory memory.limit_in_bytes pids pids.max) $(properties MemoryLimit,TasksMax)"
t_status "a second one of the same name is refused" 1 s create -b "$bundle" "$id"
t_status "kill" 0 c kill "$id" KILL
t_wait 60 eval '[ "$(c state "$id" | jq -r .status)" = stopped ]'
t_status "delete" 0 c delete "$id"
t_wait 60 gone && t_ok "the unit is gone" || t_fail "the unit is gone" "$(show ActiveState)"
t_is "and its folders" "" "$(left)"

config '.linux.cgroupsPath = "one-two.slice:pre:na-me" | .linux.resources.pids.limit = 1'
begin && t_ok "slice:prefix:name, at most one process" || t_fail "slice:prefix:name" "$(cat "$T_DIR/begin.err")"
t_is "is where systemd wants it" "/one.slice/one-two.slice/pre-na-me.scope" "$(cut -d: -f3 "/proc/$(pid)/cgroup" | sort -u)"
t_is "one process is one" "1 1" "$(files pids pids.max) $(show TasksMax pre-na-me.scope)"
t_status "delete by force" 0 c delete -f "$id"
t_wait 60 gone pre-na-me.scope && t_ok "its unit is gone" || t_fail "its unit is gone" "$(show ActiveState pre-na-me.scope)"

config '.linux.cgroupsPath = "system.slice::one-three.slice"'
begin && t_ok "a name that ends in .slice" || t_fail "a name that ends in .slice" "$(cat "$T_DIR/begin.err")"
t_is "is a slice" /one.slice/one-three.slice "$(cut -d: -f3 "/proc/$(pid)/cgroup" | sort -u)"
t_status "delete of a slice" 0 c delete -f "$id"

config '.annotations = {"run.oci.systemd.subgroup": "sub"} | .linux.resources.memory.limit = 100000000'
begin && t_ok "run.oci.systemd.subgroup" || t_fail "run.oci.systemd.subgroup" "$(cat "$T_DIR/begin.err")"
t_is "is below the scope" "/system.slice/$scope/sub" "$(cut -d: -f3 "/proc/$(pid)/cgroup" | sort -u)"
t_is "and has the limit" 99999744 "$(files memory memory.limit_in_bytes)"
t_is "systemd keeps the scope" active "$(show ActiveState)"
t_status "exec goes beside" 0 c exec "$id" true
t_status "delete with sub-cgroups" 0 c delete -f "$id"
t_is "no folder is left of it" "" "$(left)"

config '.process.args = ["nosuchprogram"]'
t_status "a program that is not there" 1 s run -b "$bundle" "$id"
t_wait 60 gone && t_ok "leaves no unit" || t_fail "leaves no unit" "$(show ActiveState)"
config '.linux.resources.memory.limit = 100000000 | .process.args = ["true"]'
t_status "run to the end" 0 s run -b "$bundle" "$id"
t_wait 60 gone && t_ok "leaves no unit either" || t_fail "leaves no unit either" "$(show ActiveState)"
t_is "nor a folder" "" "$(left)"
t_is "no helper is left" "" "$(pgrep -x cellar-systemd)"

# ---- the same by runc ----

command -v runc >/dev/null || { t_skip "the same by runc" "runc is not installed" && exit; }
# What all files of limits say in every hierarchy, and what systemd says of the unit. Left out: the
# controller misc, which older runcs do not know; that our units are collected after a failure, too.
facts() {
	local process=$1 line folder
	cut -d: -f2- "/proc/$process/cgroup" | grep -v '^misc:' | sort
	while IFS=: read -r _ line folder; do
		folder=$tree/${line#name=}$folder
		[ -n "$line" ] || folder=$tree/unified${folder#"$tree/"}
		find "$folder" -maxdepth 1 -type f \( -name '*limit*' -o -name 'cpu*.c*' -o -name '*shares' -o -name '*.max' -o -name 'devices.list' \
			-o -name '*weight*' -o -name 'freezer.state' -o -name 'cpuset.*' -o -name 'net_*' -o -name '*swappiness' \) \
			! -name '*usage*' ! -name '*cpu.stat*' ! -name '*failcnt*' ! -name '*max_usage*' ! -name '*pressure*' | sort |
			while read -r file; do sed "s,^,${file#"$tree/"} ," "$file" 2>/dev/null | sort; done
	done <"/proc/$process/cgroup"
	systemctl show -p "$known,Slice,DeviceAllow,BlockIOWeight,MemoryAccounting,CPUAccounting,TasksAccounting,IOAccounting,BlockIOAccounting,DefaultDependencies,AllowedCPUs" "$scope" |
		sed 's/char-pts/char-136/' | sort
}
# both NAME [UPDATE...]: the document as it stands, by each
both() {
	local name=$1 runtime
	shift
	for runtime in cellar runc; do
		local it=("$runtime" --root "$T_DIR/$runtime" --systemd-cgroup)
		"${it[@]}" run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/begin.err" ||
			t_fail "$name: $runtime" "$(cat "$T_DIR/begin.err")"
		[ $# = 0 ] || "${it[@]}" update "$@" "$id" || t_fail "$name: $runtime update"
		facts "$("${it[@]}" state "$id" | jq .pid)" >"$T_DIR/facts.$runtime"
		"${it[@]}" delete -f "$id"
		t_wait 60 gone
	done
	if diff "$T_DIR"/facts.{cellar,runc} >"$T_DIR/diff"; then t_ok "$name: as runc"; else t_fail "$name: as runc" "$(head -n 40 "$T_DIR/diff")"; fi
}
config .
both "no limits"
config "$limits"
both "limits and their update" "${change[@]}"
