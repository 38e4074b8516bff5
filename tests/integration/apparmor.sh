#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# AppArmor: the default profile is loaded by the first container and enforced where nothing else would
# refuse (no seccomp, no masks, capabilities added); it is told, lifted and replaced; cellar takes
# process.apparmorProfile. The bench's kernel has AppArmor.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] ||
	t_skip_all "AppArmor is not on in this kernel"
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
loaded() { grep -E "^$1 " /sys/kernel/security/apparmor/profiles; }
[ -z "$(loaded cellar-default)" ] || t_skip "that it is not there before" "somebody loaded it"
c_setup
t_is "the first container loads it" "cellar-default (enforce)" "$(loaded cellar-default)"
mark=$C_RUN/.engine/apparmor
open=(--security-opt seccomp=unconfined --security-opt systempaths=unconfined --cap-add SYS_ADMIN
	--cap-add NET_ADMIN --cap-add SYS_RAWIO --cap-add SYS_PTRACE)
off=(--security-opt apparmor=unconfined)
label() { c run --rm "$@" "$IMAGE" cat /proc/self/attr/current 2>&1; }
# outcome SCRIPT OPTION...: "allowed" or what is said, by a container that only AppArmor holds back
outcome() {
	local script=$1
	shift
	c run --rm "${open[@]}" "$@" "$IMAGE" sh -c "{ $script; } >/dev/null && echo allowed" 2>&1 |
		sed 's/.*: //'
}
# denied NAME SCRIPT: refused by AppArmor alone, as without it is allowed
denied() {
	t_is "$1: denied" "Permission denied" "$(outcome "$2")"
	t_is "$1: and without it allowed" allowed "$(outcome "$2" "${off[@]}")"
}

t_is "it is the container's" "cellar-default (enforce)" "$(label)"
t_is "another user's too" "cellar-default (enforce)" "$(label -u 1000)"
t_is "lifted" unconfined "$(label "${off[@]}")"
t_is "privileged ones have none" unconfined "$(label --privileged)"
t_is "unless they ask" "cellar-default (enforce)" \
	"$(label --privileged --security-opt apparmor=cellar-default)"

# ---- enforced: what is written is what is there ----
same() { echo "x=\$(cat $1) && echo \$x >$1"; }
denied "mounting" 'mount -t tmpfs none /tmp'
denied "remounting what is read-only" 'mount -o remount,rw /sys'
denied "a kernel setting" "$(same /proc/sys/kernel/core_pattern)"
denied "a setting of memory" "$(same /proc/sys/vm/swappiness)"
denied "a setting of the network" "$(same /proc/sys/net/ipv4/ip_forward)"
denied "the memory of the kernel" 'head -c 1 /proc/kcore'
denied "interrupts" "$(same /proc/irq/default_smp_affinity)"
# Not tried without the profile: it would obey.
t_is "SysRq: denied" "Permission denied" "$(outcome 'echo x >/proc/sysrq-trigger')"

# ---- not in the way ----
t_is "a setting of IPC" allowed "$(outcome "$(same /proc/sys/kernel/shmmax)")"
t_is "a process's own files" allowed "$(outcome 'echo 100 >/proc/self/oom_score_adj; echo x >/proc/self/comm')"
t_is "signals within" allowed "$(outcome 'sleep 1000 & kill $!')"
t_is "unmounting" allowed "$(outcome 'umount /dev/mqueue')"
t_is "files and programs" allowed \
	"$(outcome 'cp /bin/busybox /tmp/b; ln /tmp/b /tmp/true; chmod 700 /tmp/b; /tmp/true')"
t_is "sockets" allowed "$(outcome 'nc -l -p 5000 &
	for i in $(seq 300); do nc -w 1 127.0.0.1 5000 </dev/null 2>/dev/null && break; sleep 0.1; done; true')"
c run -d --name aa "$IMAGE" sh -c 'trap "exit 4" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
t_wait 60 sh -c "ctr --root $C_ROOT --runroot $C_RUN logs aa | grep -q up"
t_is "exec is in it" "cellar-default (enforce)" "$(c exec aa cat /proc/self/attr/current)"
t_is "inspect names it" cellar-default "$(c inspect aa | jq -r '.[0].security.apparmor')"
t_is "config.json names it" cellar-default "$(c inspect aa | jq -r '.[0].config.process.apparmorProfile')"
t_status "the runtime's signals arrive" 0 c stop -t 600 aa
t_is "the runtime's signals arrive: status" 4 "$(c inspect aa | jq '.[0].exit_code')"
c rm aa >/dev/null

# ---- others, and none ----
t_status "a profile that is not loaded" 125 c run --rm --security-opt apparmor=nosuch "$IMAGE" true
t_match "a profile that is not loaded: sentence" \
	'^ctr: run: --security-opt apparmor=nosuch: no such profile is loaded' "$T_ERR"
if command -v apparmor_parser >/dev/null; then
	printf 'profile t-readonly flags=(attach_disconnected) { file, deny /tmp/** w, }\n' >"$T_DIR/p"
	apparmor_parser -q -K -r "$T_DIR/p"
	t_defer "apparmor_parser -q -R '$T_DIR/p'"
	t_is "one of the host's" "t-readonly (enforce)" "$(label --security-opt apparmor=t-readonly)"
	t_is "one of the host's is enforced" "Permission denied" \
		"$(outcome 'echo x >/tmp/f' --security-opt apparmor=t-readonly)"
fi
# An older version in the kernel is replaced: the mark tells another digest.
echo other >"$mark"
label >/dev/null
t_match "another version is replaced" '^[0-9a-f]{64}$' "$(cat "$mark")"
rm "$mark"
t_is "a lost mark does no harm" "cellar-default (enforce)" "$(label)"
umount /sys/kernel/security
t_is "securityfs need not be mounted" "cellar-default (enforce)" "$(label)"
mount -t securityfs securityfs /sys/kernel/security

# ---- cellar, the OCI runtime ----
bundle=$T_DIR/bundle
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
cellar spec -b "$bundle"
jq '.process.terminal = false | .process.args = ["cat", "/proc/self/attr/current"] |
	.process.apparmorProfile = "cellar-default"' "$bundle/config.json" >"$bundle/c" &&
	mv "$bundle/c" "$bundle/config.json"
t_is "process.apparmorProfile" "cellar-default (enforce)" \
	"$(cellar --root "$T_DIR/state" run -b "$bundle" "$T_ID" 2>&1)"
jq '.process.args = ["sleep", "1000"]' "$bundle/config.json" >"$bundle/c" && mv "$bundle/c" "$bundle/config.json"
cellar --root "$T_DIR/state" run -d -b "$bundle" "$T_ID" </dev/null >/dev/null 2>&1
t_is "an exec has it" "cellar-default (enforce)" \
	"$(cellar --root "$T_DIR/state" exec "$T_ID" cat /proc/self/attr/current 2>&1)"
cellar --root "$T_DIR/state" delete -f "$T_ID"
jq '.process.apparmorProfile = "nosuch"' "$bundle/config.json" >"$bundle/c" && mv "$bundle/c" "$bundle/config.json"
t_status "a profile that is not there" 1 cellar --root "$T_DIR/state" run -b "$bundle" "$T_ID"
t_match "a profile that is not there: sentence" 'exec nosuch.*No such file' "$T_ERR"
