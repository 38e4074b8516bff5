#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cellar run by a user who is not root: with his own id, with ranges through newuidmap, without a
# cgroup; and as root of a user namespace, which is how Podman's rootless runs it.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$(dirname "$0")/../lib/rootless.sh"

t_is "spec --rootless: namespaces and maps" \
	"pid ipc uts mount user [{\"containerID\":0,\"hostID\":$user,\"size\":1}] [{\"containerID\":0,\"hostID\":$user,\"size\":1}]" \
	"$(jq -r '"\([.linux.namespaces[].type | select(. != "cgroup")] | join(" ")) \(.linux.uidMappings | tojson) \(.linux.gidMappings | tojson)"' "$bundle/config.json")"
t_is "spec --rootless: mounts and resources" "none /sys rbind,nosuid,noexec,nodev,ro false null" \
	"$(jq -r '(.mounts[] | select(.destination == "/sys") | "\(.type) \(.source) \(.options | join(","))") + " \([.mounts[].options // [] | .[] | test("^[ug]id=")] | any) \(.linux.resources)"' "$bundle/config.json")"

# ---- one id ----

with '.process.args = ["sh", "-c", "id; exit 42"]'
t_status "run: exit status" 42 run
t_is "run: root inside" "uid=0(root) gid=0(root)" "${T_OUT%% groups*}"
t_is "the only id is the user's own, groups are denied" "0 $user 1 deny" "$(says 'cat /proc/self/uid_map /proc/self/setgroups')"
t_is "no set-uid file of ours" "" "$(find "$CELLAR_BIN" "$CELLAR_BIN/../libexec" -perm /6000 2>/dev/null)"
t_is "what it makes is the user's" "$user:$user" "$(says 'touch /home/made' >/dev/null; stat -c %u:%g "$bundle/rootfs/home/made")"
t_is "it reads no more than the user may" "no" "$(says 'cat /secret 2>/dev/null || echo no')"
with '.process.args = ["sh", "-c", "cat /mnt/shadow 2>/dev/null || echo no; head -c 0 /mnt/passwd && echo yes"]
	| .mounts += [{destination: "/mnt", source: "/etc", options: ["rbind", "ro"]}]'
t_is "nor through a bind of the host's" "no yes" "$(run | xargs)"
t_is "devices: the host's nodes" "character special file yes no" \
	"$(says 'stat -c %F /dev/null; echo x >/dev/null && echo yes; mknod /tmp/d c 1 3 2>/dev/null && echo yes || echo no')"
t_is "devices: their mode is not for it to change" "no 666" "$(says 'chmod 777 /dev/null 2>/dev/null || echo no') $(stat -c %a /dev/null)"
t_match "/sys is the host's, read-only" "^ro 0 no$" "$(says 'awk "\$5 == \"/sys\" {print substr(\$6, 1, 2); exit}" /proc/self/mountinfo; ls /sys/kernel >/dev/null; echo $?; touch /sys/x 2>/dev/null || echo no')"
t_is "mqueue, shm, devpts, masked and read-only paths" "mqueue tmpfs devpts 0 no" \
	"$(says 'for m in /dev/mqueue /dev/shm /dev/pts; do awk -v m=$m "\$2 == m {print \$3}" /proc/mounts; done; wc -c </proc/timer_list; (echo x >/proc/sys/kernel/hostname) 2>/dev/null || echo no')"
with '.linux.namespaces += [{type: "network"}] | .process.args = ["sh", "-c", "cat /sys/class/net/lo/flags; awk \"\\$2 == \\\"/sys\\\" {print \\$3}\" /proc/mounts"]
	| (.mounts[] | select(.destination == "/sys")) |= {destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]}
	| .mounts |= map(select(.destination != "/sys/fs/cgroup"))'
t_is "a network namespace: its own sysfs, its loopback up" "0x9 sysfs" "$(run | xargs)"
with '(.mounts[] | select(.destination == "/sys")) |= {destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]}
	| .process.args = ["ls", "/sys/kernel/mm"]'
t_status "sysfs without a network namespace: the host's instead" 0 run
with '(.mounts[] | select(.destination == "/dev/pts")).options += ["gid=5"] | .process.args = ["true"]'
t_status "the tty group of devpts is left out where it is not mapped" 0 run
with '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["uid=7"]}]'
refused "another mount with an id that is not mapped" "unmapped uid in rootless"
with '.process.user.additionalGids = [7]'
refused "groups where they are denied" "additionalGids"
with '.process.user.uid = 7'
refused "a user who is not mapped" "uidMappings does not map"
t_status "a lower limit" 0 eval 'with ".process.rlimits = [{type: \"RLIMIT_NOFILE\", soft: 99, hard: 100}] | .process.args = [\"sh\", \"-c\", \"ulimit -n\"]"; run'
t_is "a lower limit is in force" 99 "$T_OUT"
with '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 9000000, hard: 9000000}]'
refused "a higher limit than ours" "hard limit"
with '.process.oomScoreAdj = 500 | .process.args = ["cat", "/proc/self/oom_score_adj"]'
t_is "a higher OOM score" 500 "$(run)"
with '.process.oomScoreAdj = -900 | .process.args = ["true"]'
t_status "a lower OOM score is done without" 0 run
t_match "a lower OOM score, in words" "oomScoreAdj.*left as it is" "$T_ERR"
with '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "id -u >$HOME/hook"], env: ["HOME='"$T_DIR"'/home"]}]} | .process.args = ["true"]'
run
t_is "hooks run as the user" $user "$(cat "$T_DIR/home/hook")"
with '.process.terminal = true | .process.args = ["sh", "-c", "tty; stat -c %u $(tty)"]'
t_match "terminal" "/dev/(console|pts/0) 0" "$(script -qefc "$(declare -f u c); user=$user T_DIR=$T_DIR; c run -b $bundle x" /dev/null </dev/null | tr -d '\r\0' | sed 's/\^@//g' | xargs)"

# Flags of what is bound are locked: kept, and never taken away.
mkdir "$T_DIR/locked" && mount -t tmpfs -o nosuid,nodev,noexec,noatime,mode=1777 tmpfs "$T_DIR/locked"
t_defer "umount -l $T_DIR/locked"
with --arg d "$T_DIR/locked" '.mounts += [{destination: "/mnt", source: $d, options: ["rbind", "rprivate", "ro", "relatime"]}]
	| .process.args = ["sh", "-c", "awk \"\\$2 == \\\"/mnt\\\" {print \\$4}\" /proc/mounts"]'
t_match "bind, read-only: locked flags stay" "^ro,nosuid,nodev,noexec,noatime" "$(run)"
with --arg d "$T_DIR/locked" '.mounts += [{destination: "/mnt", source: $d, options: ["rbind", "suid", "exec"]}]'
refused "bind: to take locked flags away" "locked"
mkdir "$T_DIR/locked/below" && mount -t tmpfs tmpfs "$T_DIR/locked/below"
with --arg d "$T_DIR/locked" '.mounts += [{destination: "/mnt", source: $d, options: ["bind"]}]'
refused "bind: to show what a mount covers" "rbind"
umount "$T_DIR/locked/below"

# ---- ranges ----

with "$ranges"' | .process.capabilities[] += ["CAP_CHOWN"] | .process.args = ["sh", "-c", "cat /proc/self/uid_map /proc/self/gid_map; touch /home/a; chown 1000:1000 /home/a; stat -c %u:%g /home/a; rm /home/a"]'
t_is "ranges by newuidmap" "0 $user 1 1 700000 65536 0 $user 1 1 700000 65536 1000:1000" "$(run | xargs)"
with "$ranges"' | .process.user = {uid: 1000, gid: 1000, additionalGids: [7, 8]} | .process.args = ["sh", "-c", "id -u; id -G; umask"] | .process.user.umask = 63'
t_is "ranges: another user, groups, umask" "1000 1000 7 8 0077" "$(run | xargs)"
with "$ranges"' | .process.args = ["cat", "/secret"]'
t_status "ranges: still no more than the user may read" 1 run
with '.linux.uidMappings[0].size = 2 | .linux.gidMappings[0].size = 2'
refused "one id more than is ours" "newgidmap refused 0:$user:2.* gives user alice-$T_ID 700000:65536"
with "$ranges"' | .linux.uidMappings[1].size = 65537'
refused "one id more than the range" "newuidmap refused .*1:700000:65537.* 700000:65536"
with '.linux.uidMappings[0].hostID = 0'
refused "root's id" "newuidmap refused 0:0:1"
with "$ranges"' | .linux.uidMappings += [{containerID: 5, hostID: 900000, size: 1}]'
refused "maps that overlap" "linux.uidMappings\[2\]: maps an id that \[1\] maps already"
with "$ranges"' | .linux.uidMappings[1].size = 4294967295'
refused "maps beyond the last id" "beyond the last id"
: >"$T_DIR/etc/subuid"
with "$ranges"
refused "no range in /etc/subuid" "/etc/subuid gives user alice-$T_ID nothing"
echo "$user:700000:65536" >"$T_DIR/etc/subuid"
with "$ranges"' | .process.args = ["true"]'
t_status "a range by number" 0 run
for program in newuidmap newgidmap; do
	mount --bind /dev/null "$(command -v $program)"
	with "$ranges"
	refused "$program is missing" "$program, which is not installed"
	t_is "$program is missing: one's own id does without" "$user" "$(says 'set -- $(cat /proc/self/uid_map); echo $2')"
	umount "$(command -v $program)"
done

# ---- a life without a cgroup ----

sh_ 'echo up >/tmp/up; trap "exit 3" TERM; sleep 1000 & while :; do sleep 0.1; done'
t_status "create" 0 c --log "$T_DIR/run/log" --log-format json create -b "$bundle" --pid-file "$T_DIR/run/pid" one
t_is "created" created "$(c state one | jq -r .status)"
t_is "state: owner" "alice-$T_ID" "$(c state one | jq -r .owner)"
t_is "pid file" "$(c state one | jq .pid)" "$(cat "$T_DIR/run/pid")"
t_is "state lies in XDG_RUNTIME_DIR, which nobody cleans up" "1700 $user" "$(stat -c '%a %u' "$T_DIR/run/cellar")"
t_status "start" 0 c start one
t_wait 60 test -e "$bundle/rootfs/tmp/up"
t_is "list" "one running" "$(c list -f json | jq -r '.[] | "\(.id) \(.status)"')"
has_sleep() { grep -q "sleep 1000" <<<"$(c ps one)"; }
t_wait 60 has_sleep && t_ok "ps: by the pid namespace" || t_fail "ps: by the pid namespace" "$(c ps one)"
t_status "exec: exit status" 5 c exec one sh -c 'id -u; exit 5'
t_is "exec: as root inside" 0 "$T_OUT"
t_status "exec: detached" 0 c exec -d --pid-file "$T_DIR/run/pid" one sleep 2000
t_is "exec: it is inside" "$(readlink "/proc/$(c state one | jq .pid)/ns/user")" "$(readlink "/proc/$(cat "$T_DIR/run/pid")/ns/user")"
t_status "exec: a missing program" 255 c exec one nonesuch
for verb in pause "update --pids-limit 5" events; do
	# shellcheck disable=SC2046
	t_status "${verb%% *}: refused" 1 c ${verb%% *} $(cut -s -d' ' -f2- <<<"$verb") one
	t_match "${verb%% *}: in words" "cgroup" "$T_ERR"
done
t_status "delete of a running one" 1 c delete one
t_status "kill --all reaches all" 0 c kill --all one USR1
sleepers() { c ps one | grep -q 'sleep [12]000$'; }
t_wait 60 eval '! sleepers' && t_ok "kill --all: they are gone" || t_fail "kill --all: they are gone" "$(c ps one)"
t_status "kill" 0 c kill one KILL
stopped() { [ "$(c state one | jq -r .status)" = stopped ]; }
t_wait 60 stopped && t_ok "stopped" || t_fail "stopped" "$(c state one)"
t_status "delete" 0 c delete one
t_status "delete --force of one that is gone" 0 c delete -f one
gone() { ! pgrep -u $user >/dev/null; }
t_wait 60 gone && t_ok "no process is left" || t_fail "no process is left" "$(ps -fu $user)"

# ---- what takes more than the user has ----

with '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
refused "without a user namespace" "requires user namespaces"
with '.linux.resources.memory.limit = 67108864'
refused "a limit without a cgroup" "linux.resources.memory.limit.*(rootless needs no limits)"
with '.linux.resources.pids.limit = -1 | .process.args = ["true"]'
t_status "no limit, said in full" 0 run
with '.linux.resources.devices = [{allow: false, access: "rwm"}] | .process.args = ["true"]'
t_status "device rules are not needed" 0 run
t_is "device rules: no word" "" "$T_ERR"
with --arg p "/$T_ID-foreign/x" '.linux.cgroupsPath = $p'
refused "a cgroup that was not delegated" "permission denied"
with '.process.args = ["true"]'
t_status "--rootless false wants a cgroup" 1 c --rootless false run -b "$bundle" "$T_ID"
t_match "--rootless false, in words" "create cgroup .*permission denied" "$T_ERR"
t_status "--rootless true" 0 c --rootless true run -b "$bundle" x
t_status "no XDG_RUNTIME_DIR" 1 u env -u XDG_RUNTIME_DIR cellar run -b "$bundle" x
t_match "no XDG_RUNTIME_DIR, in words" "XDG_RUNTIME_DIR is not set" "$T_ERR"
t_status "a root that may not be written" 1 c --root /proc/x run -b "$bundle" x
t_status "the root's root" 1 c --root /run/cellar-$T_ID run -b "$bundle" x
t_match "the root's root, in words" "/run/cellar-$T_ID: Permission denied" "$T_ERR"
t_is "nothing of all that is left" "" "$(u ls "$T_DIR/run/cellar")"

# ---- namespaces of others, root of a user namespace ----

u unshare -U -r sh -c 'echo $$ >"$HOME/holder.new" && mv "$HOME/holder.new" "$HOME/holder" && exec sleep 1000' >/dev/null 2>&1 &
t_wait 60 test -e "$T_DIR/home/holder"
holder=$(cat "$T_DIR/home/holder")
t_kill_later "$holder"
with --arg p "/proc/$holder/ns/user" '.linux.namespaces |= map(if .type == "user" then .path = $p else . end) | del(.linux.uidMappings, .linux.gidMappings)
	| .process.args = ["readlink", "/proc/self/ns/user"]'
t_is "a user namespace is joined" "$(readlink /proc/$holder/ns/user)" "$(run)"
kill $holder
root_in() { u unshare -U -r "$@"; }
with '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map"]
	| (.mounts[] | select(.destination == "/dev/pts")).options += ["gid=5"]'
t_is "root of a user namespace: no further one" "0 0 $user 1" "$(root_in cellar run -b "$bundle" x 2>&1 | xargs)"
with '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0 | .process.args = ["sh", "-c", "cat /proc/self/uid_map"]'
t_is "root of a user namespace: one inside" "0 0 1" "$(root_in cellar run -b "$bundle" x 2>&1 | xargs)"
with '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings) | .process.user = {uid: 1000, gid: 1000, additionalGids: [9]}
	| .process.args = ["sh", "-c", "id -u; id -G; cat /secret 2>/dev/null || echo no"]'
if u unshare -U --map-root-user --map-auto -m true 2>/dev/null; then
	t_is "root of a user namespace with ranges: as Podman does" "1000 1000 9 no" \
		"$(u unshare -U --map-root-user --map-auto -m cellar run -b "$bundle" x 2>&1 | xargs)"
else
	t_skip "root of a user namespace with ranges" "this unshare knows no --map-auto"
fi
t_is "root of a user namespace: its state" "$user" "$(stat -c %u "$T_DIR/run/cellar")"

# ---- root itself ----

with '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["true"]'
t_status "--cgroup-manager disabled" 0 cellar --root "$T_DIR/root" --cgroup-manager disabled run -b "$bundle" "$T_ID"
with '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings) | .linux.resources.pids.limit = 5'
t_status "--cgroup-manager disabled: no limit is set" 0 cellar --root "$T_DIR/root" --cgroup-manager disabled run -b "$bundle" "$T_ID"
t_match "--cgroup-manager disabled: which is warned about" "no limit is set" "$T_ERR"
t_wait 60 gone && t_ok "no process is left in the end" || t_fail "no process is left in the end" "$(ps -fu $user)"
