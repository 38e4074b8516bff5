#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr run's limits: each is in the cgroup (v1 and v2 have other files for it) or in the process, `ctr
# inspect` tells it, and what makes no sense is refused in one sentence, with nothing left.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"
v2=
[ -e /sys/fs/cgroup/cgroup.controllers ] && v2=1

# limit NAME V1-FILE V1-WANTED V2-FILE V2-WANTED OPTION...
limit() {
	local name=$1 file=$2 want=$3
	[ -n "$v2" ] && file=$4 want=$5
	shift 5
	t_status "$name" 0 c run --rm "$@" "$IMAGE" cat "/sys/fs/cgroup/$file"
	t_is "$name: value" "$want" "$T_OUT"
}
# refused NAME PATTERN OPTION...
refused() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name" 125 c run --rm "$@" "$IMAGE" true
	t_match "$name: sentence" "^ctr: run: $pattern" "$T_ERR"
	t_is "$name: one line" 1 "$(wc -l <<<"$T_ERR")"
}
inside() { c run --rm "$@" 2>"$T_DIR/err"; }

# ---- memory ----
unlimited=9223372036854771712
limit "memory" memory/memory.limit_in_bytes 67108864 memory.max 67108864 -m 64m
limit "swap is as much again" memory/memory.memsw.limit_in_bytes 134217728 memory.swap.max 67108864 -m 64m
limit "swap of its own" memory/memory.memsw.limit_in_bytes 100663296 memory.swap.max 33554432 \
	-m 64m --memory-swap 96m
limit "no swap" memory/memory.memsw.limit_in_bytes 67108864 memory.swap.max 0 \
	-m 64m --memory-swap 64m
limit "swap without limit" memory/memory.memsw.limit_in_bytes $unlimited memory.swap.max max \
	-m 64m --memory-swap -1
limit "reservation" memory/memory.soft_limit_in_bytes 33554432 memory.low 33554432 \
	-m 64m --memory-reservation 32m
if [ -n "$v2" ]; then
	t_status "swappiness is left out on v2" 0 c run --rm --memory-swappiness 7 "$IMAGE" true
	t_match "swappiness is left out on v2: warning" 'warning: --memory-swappiness: .*no such' "$T_ERR"
else
	limit "swappiness" memory/memory.swappiness 7 - - --memory-swappiness 7
fi
refused "swap without memory" '--memory-swap: .*--memory is needed' --memory-swap 64m
refused "swap below memory" '--memory-swap: .*less than --memory' -m 64m --memory-swap 32m
refused "reservation above memory" '--memory-reservation: .*more than' -m 32m --memory-reservation 64m
refused "a size that is none" '--memory: "much" is not a size' -m much
refused "swappiness beyond 100" '--memory-swappiness: .101. is not' --memory-swappiness 101

# ---- processors ----
limit "shares" cpu/cpu.shares 512 cpu.weight 59 --cpu-shares 512
limit "cpus" cpu/cpu.cfs_quota_us 150000 cpu.max "150000 100000" --cpus 1.5
limit "quota" cpu/cpu.cfs_quota_us 20000 cpu.max "20000 100000" --cpu-quota 20000
limit "quota and period" cpu/cpu.cfs_period_us 50000 cpu.max "20000 50000" \
	--cpu-quota 20000 --cpu-period 50000
limit "cores" cpuset/cpuset.cpus 0 cpuset.cpus 0 --cpuset-cpus 0
limit "memory nodes" cpuset/cpuset.mems 0 cpuset.mems 0 --cpuset-mems 0
t_is "cores are the process's" 0 "$(inside --cpuset-cpus 0 "$IMAGE" \
	awk '/^Cpus_allowed_list/ {print $2}' /proc/self/status)"
refused "cores that are not there" '--cpuset-cpus: "1022-1023": this host has' --cpuset-cpus 1022-1023
refused "cores that are none" '--cpuset-cpus: "all" is not a list' --cpuset-cpus all
refused "nodes that are not there" '--cpuset-mems: "700": this host has' --cpuset-mems 700
refused "cpus and a quota" '--cpus is another way' --cpus 1 --cpu-quota 20000
refused "a period of nothing" '--cpu-period: at least' --cpu-period 5
refused "a quota of nothing" '--cpu-quota: at least' --cpu-quota 5
refused "one share" '--cpu-shares: at least' --cpu-shares 1

# ---- processes ----
limit "pids" pids/pids.max 7 pids.max 7 --pids-limit 7
limit "pids without limit" pids/pids.max max pids.max max --pids-limit -1
refused "pids below none" '--pids-limit: .-2. is not' --pids-limit -2

# ---- disks: which of them there are is the host's business ----
disk=
for d in /dev/vda /dev/sda /dev/nvme0n1; do
	[ -b "$d" ] && disk=$d && break
done
# The bench has no disk, and may have a loop.
if [ -z "$disk" ] && [ -n "${CELLAR_IN_VM:-}" ] && modprobe loop 2>/dev/null; then
	truncate -s 8M "$T_DIR/disk"
	disk=$(losetup -f --show "$T_DIR/disk") && t_defer "losetup -d $disk"
fi
if [ -n "$disk" ] && { [ -n "$v2" ] || [ -d /sys/fs/cgroup/blkio ]; }; then
	number=$(printf '%d:%d' "$(stat -c 0x%t "$disk")" "$(stat -c 0x%T "$disk")")
	limit "bytes read" blkio/blkio.throttle.read_bps_device "$number 1048576" \
		io.max "$number rbps=1048576 wbps=max riops=max wiops=max" --device-read-bps "$disk:1m"
	limit "bytes written" blkio/blkio.throttle.write_bps_device "$number 2097152" \
		io.max "$number rbps=max wbps=2097152 riops=max wiops=max" --device-write-bps "$disk:2m"
	limit "reads" blkio/blkio.throttle.read_iops_device "$number 10" \
		io.max "$number rbps=max wbps=max riops=10 wiops=max" --device-read-iops "$disk:10"
	limit "writes" blkio/blkio.throttle.write_iops_device "$number 20" \
		io.max "$number rbps=max wbps=max riops=max wiops=20" --device-write-iops "$disk:20"
	# Needs the disk to be under BFQ: it is set, or refused by the option's name.
	c run --rm --blkio-weight-device "$disk:300" "$IMAGE" true 2>"$T_DIR/err" ||
		grep -q '^ctr: run: --blkio-weight-device: ' "$T_DIR/err"
	t_is "weight of one disk is set, or refused by its name" 0 $?
else
	t_skip "rates of disks" "no disk, or no controller for it"
fi
c run --rm --blkio-weight 300 "$IMAGE" \
	sh -c 'cat /sys/fs/cgroup/blkio/blkio*.weight /sys/fs/cgroup/io*.weight 2>/dev/null | tr "\n" " "' \
	>"$T_DIR/out" 2>"$T_DIR/err"
if [ -s "$T_DIR/err" ]; then
	t_match "weight of disks: refused by its name" '^ctr: run: --blkio-weight: ' "$(cat "$T_DIR/err")"
else
	t_match "weight of disks" '(^| )(300|2930)( |$)' "$(cat "$T_DIR/out")"
fi
refused "a disk that is none" '--device-read-bps: /dev/null is no block device' \
	--device-read-bps /dev/null:1m
refused "a disk that is not there" '--device-write-iops: find /dev/nosuch: No such file' \
	--device-write-iops /dev/nosuch:1
refused "a rate that is none" '--device-read-iops: /dev/x: "fast" is not' --device-read-iops /dev/x:fast
refused "a rate without a disk" '--device-write-bps: "1m" is not /dev' --device-write-bps 1m
refused "a weight out of range" '--blkio-weight-device: /dev/x: a weight is from' \
	--blkio-weight-device /dev/x:5
refused "a weight out of range, for all" '--blkio-weight: from 10' --blkio-weight 5

# ---- the process ----
t_is "ulimits" "100 200 0" "$(inside --ulimit nofile=100:200 --ulimit core=0 "$IMAGE" \
	sh -c 'echo $(ulimit -n) $(ulimit -Hn) $(ulimit -c)')"
t_is "ulimits: one number is both, the last counts" "50 50" "$(inside --ulimit nofile=9 \
	--ulimit nofile=50 "$IMAGE" sh -c 'echo $(ulimit -n) $(ulimit -Hn)')"
t_is "ulimits: -1 is none" unlimited "$(inside --ulimit fsize=-1 "$IMAGE" sh -c 'ulimit -f')"
t_is "ulimits go for exec too" 77 "$(c run -d --name ul --ulimit nofile=77 "$IMAGE" sleep 1000 >/dev/null
	c exec ul sh -c 'ulimit -n')"
c rm -f ul >/dev/null
hard=$(ulimit -Hn)
if capsh --has-p=cap_sys_resource >/dev/null 2>&1; then
	t_is "ulimits above ours" "$((hard + 10))" \
		"$(inside --ulimit nofile=$((hard + 10)) "$IMAGE" sh -c 'ulimit -n')"
	t_is "OOM score, lower" -500 "$(inside --oom-score-adj -500 "$IMAGE" cat /proc/self/oom_score_adj)"
elif command -v capsh >/dev/null; then
	t_is "ulimits above ours become ours" "$hard" \
		"$(inside --ulimit nofile=$((hard + 10)) "$IMAGE" sh -c 'ulimit -n')"
	t_match "ulimits above ours become ours: warning" \
		"^ctr: run: warning: --ulimit nofile: .*at most $hard" "$(cat "$T_DIR/err")"
	t_is "OOM score, lower, is left" "$(inside "$IMAGE" cat /proc/self/oom_score_adj)" \
		"$(inside --oom-score-adj -999 "$IMAGE" cat /proc/self/oom_score_adj)"
	t_match "OOM score, lower, is left: warning" 'warning: --oom-score-adj' "$(cat "$T_DIR/err")"
fi
refused "a limit that is none" '--ulimit: there is no limit "files"' --ulimit files=7
refused "a limit without value" '--ulimit: "nofile" is not NAME=SOFT' --ulimit nofile
refused "a limit that is no number" '--ulimit: "nofile=x": the limits must be' --ulimit nofile=x
refused "soft above hard" '--ulimit: "nofile=9:8": the soft limit' --ulimit nofile=9:8
t_is "OOM score" 300 "$(inside --oom-score-adj 300 "$IMAGE" cat /proc/self/oom_score_adj)"
refused "an OOM score beyond" '--oom-score-adj: .1001. is not' --oom-score-adj 1001
t_is "size of /dev/shm" 1024 "$(inside --shm-size 1m "$IMAGE" df -k /dev/shm | awk 'END {print $2}')"
t_is "size of /dev/shm, default" 65536 "$(inside "$IMAGE" df -k /dev/shm | awk 'END {print $2}')"
refused "a size of nothing" '--shm-size: "none" is not a size' --shm-size none

# ---- told ----
c run -d --name told -m 64m --memory-swap -1 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 9 \
	--ulimit nofile=100:200 --oom-score-adj 300 --shm-size 1m "$IMAGE" sleep 1000 >/dev/null
t_is "inspect tells them" "67108864 -1 512 0 9 RLIMIT_NOFILE 100 200 300 1048576" "$(c inspect told |
	jq -r '.[0].limits | [.memory_bytes, .memory_swap_bytes, .cpu_shares, .cpuset_cpus,
		.pids_limit, .ulimits[0].type, .ulimits[0].soft, .ulimits[0].hard, .oom_score_adj,
		.shm_bytes] | join(" ")')"
# What the first Cellar wrote is still read.
id=$(c inspect told | jq -r '.[0].id')
jq '.memory_bytes = 33554432 | .cpu_millicpu = 500 | .pids_limit = 5 | del(.limits)' \
	"$C_ROOT/containers/$id/meta.json" >"$T_DIR/old.json"
cp "$T_DIR/old.json" "$C_ROOT/containers/$id/meta.json"
t_is "an old meta.json is read" "33554432 500 5" \
	"$(c inspect told | jq -r '.[0].limits | "\(.memory_bytes) \(.cpu_millicpu) \(.pids_limit)"')"
c rm -f told >/dev/null

c_nothing_left "$T_DIR/before"
