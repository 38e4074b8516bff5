#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# checkpoint and restore: a process that counts goes on counting, from memory, with its files, its
# terminal and its cgroup; what cannot be written down is told in one sentence and runs on.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/criu.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-k images=$T_DIR/images
mkdir -p "$bundle" "$T_DIR/volume"
chmod 755 "$T_DIR"
t_rootfs "$bundle/rootfs"
CRIU=/nonexistent
c() { cellar --root "$root" --criu "$CRIU" "$@"; }
cellar spec -b "$bundle"
cp "$bundle/config.json" "$T_DIR/spec.json"
t_defer 'for name in $(c list -q); do c delete -f $name; done'
# config SCRIPT FILTER
config() {
	jq --arg script "$1" --arg dir "$T_DIR" '.process.terminal = false | .root.readonly = false
		| .process.args = ["sh", "-c", $script] | '"${2:-.}" "$T_DIR/spec.json" >"$bundle/config.json"
}
# The number lives in the shell's memory only.
count='n=0; while :; do n=$((n + 1)); echo $n >/count.new; mv /count.new /count; sleep 0.1; done'
number() { cat "$bundle/rootfs/count"; }
beyond() { [ "$(number)" -gt "$1" ]; }
up() { c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/err" || t_fail "$1" "$(cat "$T_DIR/err")"; }
save() { t_status "$@" --work-path "$T_DIR/work" --image-path "$images" "$id"; }

# ---- refused ----

config 'while :; do sleep 1; done'
up "a container"
t_status "without criu: refused" 1 c checkpoint --image-path "$images" "$id"
t_match "without criu: in words" 'checkpoint.*/nonexistent: No such file' "$T_ERR"
t_is "without criu: it runs on" running "$(c state "$id" | jq -r .status)"
c delete -f "$id"
t_status "a container that is not there" 1 c checkpoint --image-path "$images" "$id"
t_match "a container that is not there, in words" 'does not exist' "$T_ERR"
t_status "--manage-cgroups-mode of none" 1 c restore --manage-cgroups-mode loose --image-path "$images" -b "$bundle" "$id"
t_match "--manage-cgroups-mode of none, in words" "manage-cgroups-mode: 'loose' is none of" "$T_ERR"
t_is "nothing was left" "" "$(ls -A "$root")"

t_criu || t_skip_all "$CRIU_WHY"
echo "# $CRIU: $("$CRIU" --version | head -n 1)"

# ---- a process that counts ----

config "$count" '.mounts += [{destination: "/volume", type: "bind", source: ($dir + "/volume"), options: ["rbind", "ro", "nosuid"]}]
	| .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "echo hook >>\($dir)/hooks"]}]
	| .linux.resources.pids = {limit: 50} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcpu"], action: "SCMP_ACT_ERRNO"}]}'
up "counting"
t_wait 60 beyond 3 || t_fail "counting" "it does not"
facts() {
	local pid
	pid=$(c state "$1" | jq .pid)
	grep -E '^(Cap|NoNew|Seccomp|Uid|Gid)' "/proc/$pid/status"
	# A second mask may come back without its flags: what it shows is /dev/null.
	awk '{print $5, $6}' "/proc/$pid/mountinfo" | grep -v '^/proc/[a-z_]* ' | sort
	sed "s/$1/ID/" "/proc/$pid/cgroup"
}
before=$(facts "$id")
save "checkpoint --leave-running" 0 c checkpoint --leave-running
t_is "checkpoint --leave-running: it runs" running "$(c state "$id" | jq -r .status)"
t_wait 60 beyond "$(number)" && t_ok "checkpoint --leave-running: it counts" || t_fail "checkpoint --leave-running: it counts" "no"
rm -rf "$images"
save "checkpoint" 0 c checkpoint
t_is "checkpoint: the container is gone" "" "$(ls -A "$root"; find /sys/fs/cgroup -type d -name "$id*" 2>/dev/null)"
at=$(number)
t_is "checkpoint: its log is in the work folder" yes "$([ -s "$T_DIR/work/dump.log" ] && echo yes)"
sleep 0.5
t_is "checkpoint: it counts no more" "$at" "$(number)"
rm -f "$T_DIR/hooks"
t_status "restore" 0 c restore -d --pid-file "$T_DIR/pid" --work-path "$T_DIR/work" --image-path "$images" -b "$bundle" "$id"
t_wait 60 beyond "$at" && t_ok "restore: it counts on" || t_fail "restore: it counts on" "$(number), not beyond $at; $(grep Error "$T_DIR/work/restore.log")"
t_is "restore: from where it was" yes "$([ "$(number)" -lt $((at + 1000)) ] && echo yes)"
t_is "restore: the state" "running $(cat "$T_DIR/pid")" "$(c state "$id" | jq -r '"\(.status) \(.pid)"')"
t_is "restore: identity, mounts, cgroups" "$before" "$(facts "$id")"
t_is "restore: hooks ran" hook "$(cat "$T_DIR/hooks" 2>&1)"
t_is "restore: limits" 50 "$(find /sys/fs/cgroup -path "*$id/pids.max" -exec cat {} + | head -n 1)"
t_is "restore: exec" fine "$(c exec "$id" echo fine 2>&1)"
t_status "restore: the id is taken" 1 c restore -d --image-path "$images" -b "$bundle" "$id"
t_status "restore: kill" 0 c kill "$id" KILL
t_wait 60 eval '[ "$(c state "$id" | jq -r .status)" = stopped ]' || t_fail "restore: kill" "$(c state "$id")"
t_status "restore: delete" 0 c delete "$id"
t_is "restore: no mount is left" "" "$(grep "$T_DIR" /proc/self/mountinfo)"

# Once more, under another name, twice from the same images.
for other in "$id-a" "$id-b"; do
	rm -f "$bundle/rootfs/count"
	t_status "restore as $other" 0 c restore -d --image-path "$images" -b "$bundle" "$other"
	t_wait 60 test -s "$bundle/rootfs/count" || t_fail "restore as $other" "it does not count"
	t_is "restore as $other: a cgroup of its own" yes "$(grep -q "$other" "/proc/$(c state "$other" | jq .pid)/cgroup" && echo yes)"
	c delete -f "$other"
done

# ---- in the foreground, with pipes ----

config 'while [ ! -e /go ]; do sleep 0.1; done; echo said; exit 7'
rm -rf "$images" "$bundle/rootfs/go"
c run -d -b "$bundle" "$id" </dev/null > >(cat >"$T_DIR/first") 2>&1
save "checkpoint: with pipes" 0 c checkpoint
c restore --image-path "$images" -b "$bundle" "$id" </dev/null 2>&1 | cat >"$T_DIR/second" &
reader=$!
t_wait 60 eval '[ "$(c state "$id" | jq -r .status)" = running ]' || t_fail "restore: in the foreground" "$(cat "$T_DIR/second")"
touch "$bundle/rootfs/go"
wait $reader
t_is "restore: pipes lead to the new caller" said "$(cat "$T_DIR/second")"
t_is "restore: not to the old one" "" "$(cat "$T_DIR/first")"
rm -f "$bundle/rootfs/go"
(sleep 1; touch "$bundle/rootfs/go") &
t_status "restore: the exit status is the container's" 7 c restore --image-path "$images" -b "$bundle" "$id"
t_is "restore: deleted when it has ended" "" "$(ls -A "$root")"

# ---- a terminal ----

if command -v script >/dev/null; then
	config 'tty; while [ ! -e /go ]; do sleep 0.1; done; stty size >/dev/null && tty; echo end' '.process.terminal = true'
	rm -rf "$images" "$bundle/rootfs/go"
	script -qec "$CELLAR_BIN/cellar --root $root run -b $bundle $id" /dev/null </dev/null >"$T_DIR/tty1" 2>&1 &
	t_wait 60 grep -q /dev/ "$T_DIR/tty1" || t_fail "a terminal" "$(cat "$T_DIR/tty1")"
	save "checkpoint: a terminal" 0 c checkpoint
	wait $!
	script -qec "$CELLAR_BIN/cellar --root $root --criu $CRIU restore --image-path $images -b $bundle $id" /dev/null </dev/null >"$T_DIR/tty2" 2>&1 &
	t_wait 60 eval '[ "$(c state "$id" | jq -r .status)" = running ]' || t_fail "restore: a terminal" "$(cat "$T_DIR/tty2")"
	touch "$bundle/rootfs/go"
	wait $!
	t_match "restore: a terminal" '/dev/(pts/0|console).*end' "$(tr -d '\r' <"$T_DIR/tty2" | xargs)"
else
	t_skip "a terminal" "script is not installed"
fi

# ---- in a user namespace ----

config "$count" '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 700000, size: 65536}]
	| .linux.gidMappings = .linux.uidMappings'
rm -rf "$images" "$bundle/rootfs/count"
chown -R 700000:700000 "$bundle/rootfs"
# criu opens standard files again that are the host's, as the namespace's root: not ours of mode 600.
c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1 || t_fail "a user namespace" "no"
t_wait 60 beyond 3 || t_fail "a user namespace" "it does not count"
save "a user namespace: checkpoint" 0 c checkpoint
at=$(number)
t_is "a user namespace: the images are for its root only" "710 0 700000" "$(stat -c '%a %u %g' "$images")"
c restore -d --work-path "$T_DIR/work" --image-path "$images" -b "$bundle" "$id" </dev/null >/dev/null 2>&1
t_is "a user namespace: restore" "0 " "$? $(grep Error "$T_DIR/work/restore.log" | grep -v 'rlimit: \|address already\|Address already' | head -n 1 | xargs)"
t_wait 60 beyond "$at" && t_ok "a user namespace: it counts on" || t_fail "a user namespace: it counts on" "$(number), not beyond $at"
t_match "a user namespace: with its ids" '^ +0 +700000 +65536$' "$(cat "/proc/$(c state "$id" | jq .pid)/uid_map")"
c delete -f "$id"
chown -R 0:0 "$bundle/rootfs"

# ---- memory beforehand, and to somewhere else ----

config "$count"
rm -rf "$images" "$bundle/rootfs/count"
up "--pre-dump"
t_wait 60 beyond 3 || t_fail "--pre-dump" "it does not count"
if "$CRIU" check --feature mem_dirty_track >/dev/null 2>&1; then
	t_status "--pre-dump" 0 c checkpoint --pre-dump --work-path "$T_DIR/work" --image-path "$images-1" "$id"
	t_is "--pre-dump: it runs on" running "$(c state "$id" | jq -r .status)"
	save "--parent-path" 0 c checkpoint --parent-path "../$(basename "$images")-1"
	at=$(number)
	t_status "--parent-path: restore" 0 c restore -d --work-path "$T_DIR/work" --image-path "$images" -b "$bundle" "$id"
	t_wait 60 beyond "$at" && t_ok "--parent-path: it counts on" || t_fail "--parent-path: it counts on" "$(number)"
else
	t_status "--pre-dump, where the kernel does not track memory" 1 c checkpoint --pre-dump --work-path "$T_DIR/work" --image-path "$images-1" "$id"
	t_match "in words" 'criu: Tracking memory is not available' "$T_ERR"
	t_is "it runs on" running "$(c state "$id" | jq -r .status)"
fi
t_status "--parent-path that is absolute" 1 c checkpoint --parent-path "$images-1" --image-path "$images" "$id"
t_match "--parent-path that is absolute, in words" "has to be relative" "$T_ERR"

# The server's own folder has the memory, the images' all else.
rm -rf "$images"
mkdir "$T_DIR/pages"
port=$((20000 + RANDOM % 10000))
"$CRIU" page-server --images-dir "$T_DIR/pages" --address 127.0.0.1 --port $port >"$T_DIR/pages.log" 2>&1 &
server=$!
t_kill_later $server
listens() { grep -q "0100007F:$(printf %04X $port) .* 0A " /proc/net/tcp; }
if t_wait 60 listens; then
	save "--page-server" 0 c checkpoint --page-server 127.0.0.1:$port
	wait $server
	at=$(number)
	t_is "--page-server: no memory among the images" "" "$(find "$images" -name 'pages-*')"
	cp "$T_DIR"/pages/page* "$images/"
	t_status "--page-server: restore" 0 c restore -d --no-pivot --work-path "$T_DIR/work" --image-path "$images" -b "$bundle" "$id"
	t_wait 60 beyond "$at" && t_ok "--page-server: it counts on" || t_fail "--page-server: it counts on" "$(number)"
else
	t_fail "--page-server" "criu does not listen: $(cat "$T_DIR/pages.log")"
fi
t_status "--page-server that is none" 1 c checkpoint --page-server nowhere --image-path "$images" "$id"
t_match "--page-server that is none, in words" 'page-server: .nowhere. is not of the form' "$T_ERR"
c delete -f "$id"

# ---- what it cannot do ----

config 'sleep 1000 | nc -l -p 1099 >/dev/null & until grep -q ":044B .* 0A " /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done; sleep 1000 | nc 127.0.0.1 1099 >/dev/null' .
rm -rf "$images"
up "a connection"
joined() { grep -q ' 01 ' "/proc/$(c state "$id" | jq .pid)/net/tcp"; }
t_wait 60 joined || t_fail "a connection" "it is not made"
save "a connection: refused" 1 c checkpoint
t_match "a connection: in words" "checkpoint container $id: criu: .*([Cc]onnected TCP|established)" "$T_ERR"
t_is "a connection: it runs on" running "$(c state "$id" | jq -r .status)"
t_status "--network-lock of none" 1 c checkpoint --network-lock chain --image-path "$images" "$id"
t_match "--network-lock of none, in words" "network-lock: 'chain' is none of iptables, nftables, skip" "$T_ERR"
# What the lock takes is not there everywhere: iptables or nft, in CRIU and in the kernel.
for lock in nftables skip iptables; do
	rm -rf "$images"
	c checkpoint --tcp-established --network-lock $lock --work-path "$T_DIR/work" --image-path "$images" "$id" >/dev/null 2>"$T_DIR/err" && break
	echo "# --network-lock $lock: $(tail -n 1 "$T_DIR/err")"
	lock=
done
if [ -n "$lock" ]; then
	t_ok "--tcp-established, --network-lock $lock"
	t_status "--tcp-established: restore" 0 c restore -d --tcp-established --network-lock $lock --work-path "$T_DIR/work" --image-path "$images" -b "$bundle" "$id"
	t_wait 60 joined && t_ok "--tcp-established: the connection stands" || t_fail "--tcp-established" "the connection is gone"
	c delete -f "$id"
	t_status "--tcp-close: restore" 0 c restore -d --tcp-close --network-lock $lock --work-path "$T_DIR/work" --image-path "$images" -b "$bundle" "$id"
	gone() { ! joined; }
	t_wait 60 gone && t_ok "--tcp-close: the connection is closed" || t_fail "--tcp-close" "the connection stands"
else
	t_skip "--tcp-established, --tcp-close" "criu writes no connection down on this kernel"
fi
c delete -f "$id"
t_status "restore: images that are none" 1 c restore -d --image-path "$T_DIR/volume" -b "$bundle" "$id"
t_match "restore: images that are none, in words" '^cellar: restore: criu: ' "$T_ERR"
t_is "nothing is left" "" "$(ls -A "$root"; find /sys/fs/cgroup -type d -name "*$T_ID*" 2>/dev/null; grep "$T_DIR" /proc/self/mountinfo)"
