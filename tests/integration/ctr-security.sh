#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr run's flags about what a container may do: devices, sysctls, --security-opt with seccomp profiles
# in Docker's format, no-new-privileges, masks, control groups, AppArmor where the kernel has it.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"

# refused NAME PATTERN OPTION...
refused() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name" 125 c run --rm "$@" "$IMAGE" true
	t_match "$name: sentence" "^ctr: run: $pattern" "$T_ERR"
	t_is "$name: one line" 1 "$(wc -l <<<"$T_ERR")"
}
# inside NAME WANTED ARG...: what is printed by `ctr run --rm ARG...`
inside() {
	local name=$1 want=$2
	shift 2
	t_is "$name" "$want" "$(c run --rm "$@" 2>&1)"
}

# ---- devices: the memory device full (1:7) under another name is ours to play with ----
inside "a device" "c 1 7" --device /dev/full:/dev/mine "$IMAGE" \
	sh -c 'stat -c "%F %t %T" /dev/mine | sed "s/character special file/c/"'
disk=$(for d in /dev/loop0 /dev/vda /dev/sda; do [ -b "$d" ] && echo "$d" && break; done)
if [ -n "$disk" ]; then
	inside "a block device" "b" --device "$disk" "$IMAGE" sh -c "[ -b $disk ] && : <$disk && echo b"
	inside "to be read only" "read" --device "$disk:r" "$IMAGE" \
		sh -c ": <$disk && echo read; : 2>&- >>$disk && echo written"
	inside "under another name, to be written only" "" --device "$disk:/dev/x:w" "$IMAGE" \
		sh -c ": 2>&- </dev/x && echo read"
	numbers=$(printf '%d:%d' "0x$(stat -c %t "$disk")" "0x$(stat -c %T "$disk")")
	inside "without it not" "" "$IMAGE" \
		sh -c "mknod /x b ${numbers%:*} ${numbers#*:}; : 2>&- </x && echo read"
	inside "a rule" "read" --device-cgroup-rule "b $numbers rm" "$IMAGE" \
		sh -c "mknod /x b ${numbers%:*} ${numbers#*:}; : </x && echo read; : 2>&- >>/x && echo written"
	inside "a rule for all of a kind" "read" --device-cgroup-rule "b ${numbers%:*}:* rwm" "$IMAGE" \
		sh -c "mknod /x b ${numbers%:*} ${numbers#*:}; : </x && echo read"
else
	t_skip "block devices" "there is none here"
fi
[ -d /dev/net ] && inside "a folder of devices" "tun" --device /dev/net "$IMAGE" ls /dev/net
refused "a device that is not there" '--device: find /dev/nosuch: No such file' --device /dev/nosuch
refused "no device" '--device: /etc/passwd is no device' --device /etc/passwd
refused "a folder without devices" '--device: there is no device below /etc' --device /etc
refused "an access that is none" '--device: .*the access "rx"' --device /dev/full:rx
refused "a device without a path" '--device: "full" is not /dev' --device full
refused "a rule that is none" '--device-cgroup-rule: "c 1 rwm" is no rule' --device-cgroup-rule 'c 1 rwm'
refused "a rule for nothing" '--device-cgroup-rule: .* is no rule' --device-cgroup-rule 'c 1:3 '

# ---- sysctls ----
inside "sysctls" "99 100000" --sysctl net.core.somaxconn=99 --sysctl kernel.shmmax=100000 "$IMAGE" \
	sh -c 'echo $(cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmax)'
inside "a default one is replaced" 1024 --sysctl net.ipv4.ip_unprivileged_port_start=1024 "$IMAGE" \
	cat /proc/sys/net/ipv4/ip_unprivileged_port_start
panic=$(cat /proc/sys/kernel/panic)
refused "one of the host's" '--sysctl kernel.panic: belongs to the whole host' --sysctl kernel.panic=9
t_is "one of the host's: it is as it was" "$panic" "$(cat /proc/sys/kernel/panic)"
refused "one of the host's network" '--sysctl net.core.somaxconn: would change the host' \
	--sysctl net.core.somaxconn=9 --network host
refused "one that is not there" '.*--sysctl net.no.such' --sysctl net.no.such=9
refused "a sysctl without value" '--sysctl: "net.core.somaxconn" is not KEY=VALUE' \
	--sysctl net.core.somaxconn

# ---- no-new-privileges, masks, control groups, labels ----
status='/^NoNewPrivs|^Seccomp:/ {printf "%s ", $2}'
inside "as it is" "0 2 " "$IMAGE" awk "$status" /proc/self/status
inside "no-new-privileges" "1 2 " --security-opt no-new-privileges "$IMAGE" awk "$status" /proc/self/status
inside "no-new-privileges=false" "0 2 " --security-opt no-new-privileges=false "$IMAGE" \
	awk "$status" /proc/self/status
inside "no seccomp" "0 0 " --security-opt seccomp=unconfined "$IMAGE" awk "$status" /proc/self/status
inside "no seccomp, with Docker's old colon" "0 0 " --security-opt seccomp:unconfined "$IMAGE" \
	awk "$status" /proc/self/status
inside "system paths" "masked" "$IMAGE" sh -c '[ -s /proc/timer_list ] || echo masked'
inside "system paths, open" "open" --security-opt systempaths=unconfined "$IMAGE" \
	sh -c '[ "$(head -c 1 /proc/timer_list)" ] && echo open'
inside "control groups" "" "$IMAGE" \
	sh -c 'mkdir /sys/fs/cgroup/x /sys/fs/cgroup/pids/x 2>&- && echo made'
inside "control groups, writable" "made" --security-opt writable-cgroups=true "$IMAGE" \
	sh -c 'd=/sys/fs/cgroup; [ -d $d/pids ] && d=$d/pids; mkdir $d/x && rmdir $d/x && echo made'
inside "no label" "" --security-opt label=disable "$IMAGE" true
[ -e /sys/fs/selinux/enforce ] ||
	refused "a label without SELinux" '--security-opt: label: this kernel has no SELinux' \
		--security-opt label=type:container_t
refused "a label that is none" '--security-opt: label is disable' --security-opt label=x:y
refused "an option that is none" '--security-opt: "foo=bar" is unknown' --security-opt foo=bar
refused "a switch that is none" '--security-opt: no-new-privileges is true or false' \
	--security-opt no-new-privileges=maybe
refused "masks that are none" '--security-opt: systempaths can only be' --security-opt systempaths=x

# ---- seccomp profiles: Docker's conditions ----
cat >"$T_DIR/p.json" <<'JSON'
{
	"defaultAction": "SCMP_ACT_ALLOW",
	"archMap": [
		{ "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
		{ "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"] },
		{ "architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null }
	],
	"syscalls": [
		{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
		  "comment": "ENOSPC", "includes": {}, "excludes": { "caps": ["CAP_SYS_ADMIN"] } },
		{ "names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
		  "includes": { "caps": ["CAP_SYS_ADMIN"] } },
		{ "names": ["link", "linkat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
		  "includes": { "minKernel": "4.8", "arches": ["amd64", "arm64", "riscv64"] } },
		{ "names": ["rename", "renameat", "renameat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
		  "includes": { "minKernel": "99.0" } },
		{ "names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
		  "excludes": { "minKernel": "4.8" } }
	]
}
JSON
tried='cd /tmp; : >f; mkdir d 2>&- && echo mkdir; ln -s f s 2>&- && echo symlink
	ln f l 2>&- && echo link; mv f g 2>&- && echo rename; chmod 600 g 2>&- && echo chmod; true'
t_is "conditions of a profile" "symlink rename chmod " \
	"$(c run --rm --security-opt seccomp="$T_DIR/p.json" "$IMAGE" sh -c "$tried" | tr '\n' ' ')"
t_is "conditions of a profile, another capability" "mkdir rename chmod " \
	"$(cd "$T_DIR" && c run --rm --cap-add SYS_ADMIN --security-opt seccomp=p.json "$IMAGE" \
		sh -c "$tried" | tr '\n' ' ')"
t_is "a profile for a privileged one" "mkdir rename chmod " \
	"$(c run --rm --privileged --security-opt seccomp="$T_DIR/p.json" "$IMAGE" sh -c "$tried" | tr '\n' ' ')"
shipped=/usr/share/containers/seccomp.json
if [ -e $shipped ]; then
	inside "the profile of Podman" "0 2 no" --security-opt seccomp=$shipped "$IMAGE" \
		sh -c "awk '$status' /proc/self/status; unshare -m true 2>&- || echo no"
	inside "the profile of Podman, with CAP_SYS_ADMIN" "yes" --cap-add SYS_ADMIN --security-opt apparmor=unconfined \
		--security-opt seccomp=$shipped "$IMAGE" unshare -m echo yes
else
	t_skip "the profile of Podman" "it is not installed"
fi
# bad NAME FILTER PATTERN
bad() {
	jq "$2" "$T_DIR/p.json" >"$T_DIR/bad.json"
	refused "$1" "--security-opt seccomp: $T_DIR/bad.json: $3" --security-opt seccomp="$T_DIR/bad.json"
}
bad "an action that is none" '.syscalls[2].action = "KILL"' 'syscalls\[2\].action: "KILL" is not an action'
bad "no default" 'del(.defaultAction)' 'defaultAction: missing'
bad "a kernel that is none" '.syscalls[0].includes = {"minKernel": "new"}' \
	'syscalls\[0\].includes: minKernel: "new"'
bad "names that are a text" '.syscalls[1].names = "mkdir"' 'syscalls\[1\].names: a string'
bad "two lists of architectures" '.architectures = ["SCMP_ARCH_X86_64"]' 'archMap: stands beside'
echo '{' >"$T_DIR/bad.json"
refused "no JSON" "--security-opt seccomp: $T_DIR/bad.json: " --security-opt seccomp="$T_DIR/bad.json"
refused "no such profile" '--security-opt seccomp: open .*nosuch.json: No such file' \
	--security-opt seccomp=nosuch.json

# ---- told ----
c run -d --name told --device /dev/full:/dev/mine:r --device-cgroup-rule 'c 9:* r' \
	--sysctl net.core.somaxconn=99 --cap-add KILL --read-only --security-opt no-new-privileges \
	--security-opt seccomp=unconfined "$IMAGE" sleep 1000 >/dev/null
t_is "inspect tells it" '["/dev/mine","c 9:* r","99",["KILL"],true,true,"unconfined"]' \
	"$(c inspect told | jq -c '.[0].security | [.devices[0].target, .device_rules[0],
		.sysctls["net.core.somaxconn"], .cap_add, .readonly_rootfs, .no_new_privileges, .seccomp]')"
t_is "exec has it too" "1 0 " "$(c exec told awk "$status" /proc/self/status)"
id=$(c inspect told | jq -r '.[0].id')
jq 'del(.security) | .privileged = true' "$C_ROOT/containers/$id/meta.json" >"$T_DIR/old.json"
cp "$T_DIR/old.json" "$C_ROOT/containers/$id/meta.json"
t_is "an old meta.json is read" "true false" \
	"$(c inspect told | jq -r '.[0].security | "\(.privileged) \(.readonly_rootfs)"')"
c rm -f told >/dev/null

# ---- AppArmor ----
# (with it: apparmor.sh)
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ]; then
	inside "unconfined without AppArmor" "" --security-opt apparmor=unconfined "$IMAGE" true
	refused "a profile without AppArmor" '--security-opt apparmor=x: AppArmor is not on' \
		--security-opt apparmor=x
fi

c_nothing_left "$T_DIR/before"
