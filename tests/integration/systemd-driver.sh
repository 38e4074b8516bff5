#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who makes cgroups: systemd (where one runs: tests/vm/vm.sh --systemd), nobody, or we; and exec into
# a container that has divided its cgroup. On a host without systemd: the refusals.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar-systemd" ] || t_skip_all "no cellar-systemd in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-s
scope=cellar-$id.scope
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
s() { cellar --root "$root" --systemd-cgroup "$@"; }
cellar spec -b "$bundle"
jq '.process.terminal = false | del(.linux.cgroupsPath) | .process.args = ["sleep", "1000"]' \
	"$bundle/config.json" >"$T_DIR/config.json"
t_defer 'c delete -f $id; c delete -f $id-2'
config() { jq "$1" "$T_DIR/config.json" >"$bundle/config.json"; }
begin() { s run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/begin.err"; }
pid() { c state "$id" | jq .pid; }
cgroup_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
v2=
[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || v2=1
has_systemd=
[ ! -d /run/systemd/system ] || ! busctl status org.freedesktop.systemd1 >/dev/null 2>&1 || has_systemd=1

# ---- nobody ----

config '.linux.resources.pids.limit = 5'
own=$(cat /proc/self/cgroup)
t_status "disabled: run" 0 cellar --root "$root" --cgroup-manager disabled run -b "$bundle" -d "$id"
t_match "disabled: the limit is warned about" "no limit is set" "$T_ERR"
t_is "disabled: it stays in its caller's cgroups" "$own" "$(cat "/proc/$(pid)/cgroup")"
t_status "disabled: exec" 0 c exec "$id" true
t_status "disabled: pause is refused" 1 c pause "$id"
t_match "disabled: in words" "without a cgroup cannot be paused" "$T_ERR"
t_status "disabled: update is refused" 1 c update --pids-limit 7 "$id"
t_status "disabled: kill --all reaches the first process" 0 c kill --all "$id" KILL
t_wait 60 eval '[ "$(c state "$id" | jq -r .status)" = stopped ]'
t_status "disabled: delete" 0 c delete "$id"
t_is "disabled: the test itself lives on" "$own" "$(cat /proc/self/cgroup)"
t_status "--cgroup-manager with a wrong word" 1 cellar --root "$root" --cgroup-manager mine create -b "$bundle" "$id"
t_match "and in words" "'mine' is none of cgroupfs, systemd, disabled" "$T_ERR"

# ---- names that systemd has no use for ----

config '.linux.cgroupsPath = "/some/path"'
t_status "a path is no slice:prefix:name" 1 s create -b "$bundle" "$id"
t_match "and in words" 'linux.cgroupsPath: "/some/path" is not slice:prefix:name' "$T_ERR"
config '.linux.cgroupsPath = "some:cellar:x"'
t_status "a slice ends in .slice" 1 s create -b "$bundle" "$id"
t_match "and in words" '"some" is no slice' "$T_ERR"
config '.annotations = {"org.systemd.property.TimeoutStopUSec": "soon"}'
t_status "a property that is no value" 1 s create -b "$bundle" "$id"
t_match "and in words" 'annotations."org.systemd.property.TimeoutStopUSec".: .soon. is not a value' "$T_ERR"
t_is "nothing was made" "" "$(c list -q)"
t_status "--systemd-cgroup: list does not mind" 0 s list

# ---- a cgroup that its container has divided ----

if [ -n "$v2" ] && grep -q pids /sys/fs/cgroup/cgroup.controllers; then
	config '.mounts |= map(select(.type != "cgroup" and .type != "cgroup2"))
		+ [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw"]}]
		| .linux.readonlyPaths = [] | .process.args = ["sh", "-c", "cd /sys/fs/cgroup && mkdir one && echo 0 >one/cgroup.procs && echo +memory >cgroup.subtree_control && echo divided >/tmp/ready; exec sleep 1000"]
		| .root.readonly = false'
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
	t_wait 60 test -e "$bundle/rootfs/tmp/ready" && t_ok "a container divides its cgroup" || t_fail "a container divides its cgroup"
	t_status "exec is born beside init" 0 c exec "$id" cat /proc/self/cgroup
	t_is "namely in its sub-cgroup" "0::/one" "$T_OUT"
	t_status "exec --detach too" 0 c exec -d --pid-file "$T_DIR/pid" "$id" sleep 100
	t_is "and its own" "$(cgroup_of "$(pid)")" "$(cgroup_of "$(cat "$T_DIR/pid")")"
	t_status "delete takes it all" 0 c delete -f "$id"
	t_is "no folder is left" "" "$(find /sys/fs/cgroup -name "*$id*")"
	config '.annotations = {"run.oci.delegate-cgroup": "inner"}'
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/begin.err" || cat "$T_DIR/begin.err"
	t_is "run.oci.delegate-cgroup: a folder of its own" "/cellar-$id/inner" "$(cgroup_of "$(pid)")"
	t_is "with controllers" max "$(cat "/sys/fs/cgroup/cellar-$id/inner/memory.max")"
	t_status "and exec goes there" 0 c exec "$id" cat /proc/self/cgroup
	t_is "as seen from inside" "0::/inner" "$T_OUT"
	c delete -f "$id"
else
	t_skip "exec into a divided cgroup" "this host has no cgroup v2 with controllers"
fi

# ---- no systemd ----

config .
if [ -z "$has_systemd" ]; then
	t_status "without systemd: create is refused" 1 s create -b "$bundle" "$id"
	t_match "in words" "systemd not running on this host, cannot use the systemd cgroup driver" "$T_ERR"
	t_is "in one sentence" 1 "$(wc -l <"$T_DIR/err")"
	t_is "nothing is left" "" "$(c list -q; find /sys/fs/cgroup -name "*$id*")"
	t_skip "the systemd driver" "no systemd runs here (tests/vm/vm.sh --systemd has one)"
	exit 0
fi

[ -n "$v2" ] || { t_skip "the systemd driver on cgroup v1" "systemd-driver-v1.sh has it" && exit 0; }

# ---- systemd ----

show() { systemctl show -p "$1" --value "${2:-$scope}"; }
# What systemd and the kernel have: "Name=value ..." in order of the names; lines of files.
properties() { systemctl show -p "$1" "$scope" | sort | xargs; }
files() { (cd "/sys/fs/cgroup$(cgroup_of "$(pid)")" && cat "$@" | xargs); }
gone() { [ "$(show LoadState "${1:-$scope}")" = not-found ]; }

config '.linux.resources = (.linux.resources + {"memory": {"limit": 100000000, "swap": 150000000, "reservation": 50000000},
	"cpu": {"shares": 2048, "quota": 25000, "period": 50000, "cpus": "0", "mems": "0"}, "pids": {"limit": 77}, "blockIO": {"weight": 100}})
	| .annotations = {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.Documentation": "[\u0027man:x\u0027]"}'
begin && t_ok "run" || t_fail "run" "$(cat "$T_DIR/begin.err")"
t_is "the scope is in system.slice" "/system.slice/$scope" "$(cgroup_of "$(pid)")"
t_is "its only process is the container's" "$(pid)" "$(files cgroup.procs)"
t_is "the kernel has its limits" "99999744 49999872 49999872 77 25000 50000 0 0 174 default 910" \
	"$(files memory.max memory.swap.max memory.low pids.max cpu.max cpuset.cpus cpuset.mems cpu.weight io.weight)"
t_is "systemd knows the same, and annotations" \
	"ActiveState=active AllowedCPUs=0 AllowedMemoryNodes=0 CPUQuotaPerSecUSec=500ms CPUQuotaPeriodUSec=50ms CPUWeight=174 Delegate=yes Documentation=man:x IOWeight=910 MemoryLow=50000000 MemoryMax=100000000 MemorySwapMax=50000000 SubState=running TasksMax=77 TimeoutStopUSec=7s" \
	"$(properties ActiveState,SubState,Delegate,MemoryMax,MemorySwapMax,MemoryLow,TasksMax,CPUQuotaPerSecUSec,CPUQuotaPeriodUSec,AllowedCPUs,AllowedMemoryNodes,CPUWeight,IOWeight,TimeoutStopUSec,Documentation)"
t_is "the state tells the unit" "$scope" "$(jq -r .systemdUnit "$root/$id/state.json")"
t_status "exec" 0 c exec "$id" cat /proc/self/cgroup
t_status "ps" 0 c ps -f json "$id"
t_is "pause and resume" "paused running" "$({ c pause "$id"; c state "$id" | jq -r .status; c resume "$id"; c state "$id" | jq -r .status; } | xargs)"

t_status "update" 0 c update --memory 200m --memory-swap 300m --pids-limit 20 --cpu-quota 12345 --cpu-period 100000 --cpu-share 512 --cpuset-cpus 0-1 "$id"
t_is "update: systemd knows" "AllowedCPUs=0-1 CPUQuotaPerSecUSec=130ms CPUQuotaPeriodUSec=100ms CPUWeight=59 MemoryMax=209715200 MemorySwapMax=104857600 TasksMax=20" \
	"$(properties MemoryMax,MemorySwapMax,TasksMax,CPUQuotaPerSecUSec,CPUQuotaPeriodUSec,AllowedCPUs,CPUWeight | sed 's/=0 1/=0-1/')"
t_is "update: the kernel has it to the microsecond" "209715200 104857600 20 12345 100000 0-1 59" \
	"$(files memory.max memory.swap.max pids.max cpu.max cpuset.cpus cpu.weight)"
t_status "a daemon-reload" 0 systemctl daemon-reload
t_is "leaves the limits" "209715200 20" "$(files memory.max pids.max)"
t_is "and the device rules" denied "$(c exec "$id" sh -c 'mknod /tmp/x b 7 0 2>/dev/null; (: </tmp/x) 2>/dev/null && echo open || echo denied')"
t_status "update lifts limits" 0 c update --memory -1 --memory-swap -1 --pids-limit -1 "$id"
t_is "for both" "max max MemoryMax=infinity TasksMax=infinity" "$(files memory.max pids.max) $(properties MemoryMax,TasksMax)"
t_status "a second one of the same name is refused" 1 s create -b "$bundle" "$id"

t_status "kill" 0 c kill "$id" KILL
t_wait 60 eval '[ "$(c state "$id" | jq -r .status)" = stopped ]'
t_status "delete" 0 c delete "$id"
gone && t_ok "the unit is gone" || t_fail "the unit is gone" "$(show ActiveState)"
t_is "and its folder" "" "$(find /sys/fs/cgroup -name "*$id*")"

config '.linux.cgroupsPath = "one-two.slice:pre:na-me" | .linux.resources.pids.limit = 1'
begin && t_ok "slice:prefix:name, at most one process" || t_fail "slice:prefix:name" "$(cat "$T_DIR/begin.err")"
t_is "is where systemd wants it" "/one.slice/one-two.slice/pre-na-me.scope" "$(cgroup_of "$(pid)")"
t_is "one process is one" "1 1" "$(files pids.max) $(show TasksMax pre-na-me.scope)"
config '.linux.cgroupsPath = "one-two.slice:pre:na-me"'
t_status "the scope of another is not taken" 1 s create -b "$bundle" "$id-2"
t_match "and in words" "systemd has a unit of this name already" "$T_ERR"
t_is "the first one still runs" running "$(c state "$id" | jq -r .status)"
t_status "delete by force" 0 c delete -f "$id"
gone pre-na-me.scope && t_ok "its unit is gone" || t_fail "its unit is gone" "$(show ActiveState pre-na-me.scope)"

config '.linux.cgroupsPath = "system.slice::one-three.slice"'
begin && t_ok "a name that ends in .slice" || t_fail "a name that ends in .slice" "$(cat "$T_DIR/begin.err")"
t_is "is a slice" /one.slice/one-three.slice "$(cgroup_of "$(pid)")"
t_status "delete of a slice" 0 c delete -f "$id"
# As a creator leaves it that was killed while it waited for systemd's answer.
killed() {
	mkdir "$root/$id" && cp "$bundle/config.json" "$root/$id/" && touch "$root/$id/unit.asked"
	systemctl start one-three.slice
}
killed
t_status "delete of one whose creator was killed" 0 c delete -f "$id"
t_is "its slice is gone" inactive "$(systemctl is-active one-three.slice)"
killed
systemd-run --quiet --slice one-three.slice --unit "$T_ID-other" sleep 1000
t_status "the same where others use the slice" 0 c delete -f "$id"
t_is "they go on" "active active" "$(systemctl is-active one-three.slice "$T_ID-other" | xargs)"
systemctl stop "$T_ID-other" one-three.slice

config '.annotations = {"run.oci.systemd.subgroup": "sub", "run.oci.delegate-cgroup": "own"} | .linux.resources.memory.limit = 100000000'
begin && t_ok "run.oci.systemd.subgroup" || t_fail "run.oci.systemd.subgroup" "$(cat "$T_DIR/begin.err")"
t_is "is below the scope" "/system.slice/$scope/sub/own" "$(cgroup_of "$(pid)")"
t_is "and has the limit" "99999744 max" "$(cat "/sys/fs/cgroup/system.slice/$scope/sub/memory.max") $(files memory.max)"
t_status "exec goes beside" 0 c exec "$id" true
t_status "delete with sub-cgroups" 0 c delete -f "$id"
t_is "no folder is left of it" "" "$(find /sys/fs/cgroup -name "*$id*")"

config '.process.args = ["nosuchprogram"]'
t_status "a program that is not there" 1 s run -b "$bundle" "$id"
t_wait 60 gone && t_ok "leaves no unit" || t_fail "leaves no unit" "$(show ActiveState)"
config '.linux.resources.memory.limit = 100000000 | .process.args = ["true"]'
t_status "run to the end" 0 s run -b "$bundle" "$id"
t_wait 60 gone && t_ok "leaves no unit either" || t_fail "leaves no unit either" "$(show ActiveState)"
t_is "no helper is left" "" "$(pgrep -x cellar-systemd)"

# ---- without the bus: systemd's own socket ----

config .
t_status "no bus: systemd's own socket does" 0 env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere cellar --root "$root" --systemd-cgroup run -b "$bundle" -d "$id"
t_is "no bus: the scope is there" active "$(show ActiveState)"
t_status "no bus: delete" 0 env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere cellar --root "$root" delete -f "$id"
