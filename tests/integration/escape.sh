#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tries to get out of containers of `cellar`, by every way that became a CVE of some runtime, and by
# a few that did not. The names of the checks begin with the CVE; docs/SECURITY.md lists them.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
command -v gcc >/dev/null || t_skip_all "gcc is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

attacker=$T_DIR/attacker
gcc -std=gnu17 -D_GNU_SOURCE -static -O1 -o "$attacker" "$T_TOP/tests/lib/attacker.c" 2>"$T_DIR/gcc" ||
	t_skip_all "the attacker cannot be built: $(head -n 1 "$T_DIR/gcc")"
b=$T_DIR/bundle root=$T_DIR/state id=$T_ID
base=$T_DIR/base victim=$T_DIR/victim
c() { cellar --root "$root" "$@"; }
each_id() { c list -q 2>/dev/null; }
pattern=$(cat /proc/sys/kernel/core_pattern)
t_defer '[ "$(cat /proc/sys/kernel/core_pattern)" = "$pattern" ] || echo "$pattern" >/proc/sys/kernel/core_pattern'
t_defer 'for i in $(each_id); do c delete -f $i; done'

# The root file system that is copied for each attack, and what must never change.
mkdir -p "$base"/{bin,dev,etc,proc,sys,tmp,root} "$b" "$victim"/{folder,proc}
cp /bin/busybox "$base/bin/busybox"
mkdir -p "$base/usr"
ln -s ../bin "$base/usr/bin"
busybox --install -s "$base/bin"
cp "$attacker" "$base/bin/attacker"
echo 'root:x:0:0:root:/root:/bin/sh' >"$base/etc/passwd"
echo secret >"$victim/file"
(cd "$b" && cellar spec)
cp "$b/config.json" "$T_DIR/spec.json"

fresh() {
	rm -rf --one-file-system "$b/rootfs"
	cp -al "$base" "$b/rootfs"
}
# config FILTER [ARG...]: from spec's; a writable root
config() {
	local filter=$1
	shift
	jq ".process.terminal = false | .root.readonly = false | $filter" "$@" "$T_DIR/spec.json" >"$b/config.json"
}
sh_config() { # SCRIPT [FILTER [ARG...]]
	local script=$1 filter=${2:-.}
	shift $(($# > 2 ? 2 : $#))
	config ".process.args = [\"sh\", \"-c\", \$script] | $filter" --arg script "$script" "$@"
}
run() { # NAME...: runs the bundle, whatever comes of it, with a time limit
	RUN_STATUS=0
	RUN_OUT=$(timeout -k 5 "$T_LONG" cellar --root "$root" run -b "$b" "$id" </dev/null 2>&1) || RUN_STATUS=$?
}
# What the host has that an attack could have changed.
host_state() {
	find "$victim" -printf '%p %y %m %u %s\n' | sort
	cat "$victim/file"
	stat -c '%a %u %t:%T' /dev/null /dev/zero /dev/tty
	cat /proc/sys/kernel/core_pattern
	grep -c "$victim" /proc/self/mountinfo
}
host_state >"$T_DIR/host"
untouched() { # NAME
	local diff
	diff=$(diff "$T_DIR/host" <(host_state) | tr '\n' ' ')
	if [ -z "$diff" ]; then t_ok "$1"; else
		t_fail "$1" "the host changed: $diff; the container said: ${RUN_OUT:0:300}"
		chmod 666 /dev/null
	fi
}
refused() { # NAME PATTERN
	if [ "$RUN_STATUS" != 0 ] && [ "$RUN_STATUS" != 124 ] && grep -Eq -- "$2" <<<"$RUN_OUT"; then
		t_ok "$1"
	else
		t_fail "$1" "status $RUN_STATUS, no /$2/ in '${RUN_OUT:0:300}'"
	fi
}
allowed() { # NAME PATTERN
	if [ "$RUN_STATUS" = 0 ] && grep -Eq -- "$2" <<<"$RUN_OUT"; then t_ok "$1"; else
		t_fail "$1" "status $RUN_STATUS, no /$2/ in '${RUN_OUT:0:300}'"
	fi
}

# ---- mount targets that are symlinks ----

for target in /etc /tmp/x "$victim/folder" ../../../../../../../..$victim/folder; do
	fresh
	rmdir "$b/rootfs/proc"
	ln -s "$target" "$b/rootfs/proc"
	sh_config 'echo ran'
	run
	refused "CVE-2019-19921, CVE-2023-27561: /proc -> ${target/"$T_DIR"/DIR}" 'symlink|proc'
	fresh
	rmdir "$b/rootfs/sys"
	ln -s "$target" "$b/rootfs/sys"
	run
	refused "CVE-2023-28642: /sys -> ${target/"$T_DIR"/DIR}" 'symlink|sys'
	fresh
	rmdir "$b/rootfs/dev"
	ln -s "$target" "$b/rootfs/dev"
	sh_config 'echo ran; ls /dev/'
	run
	untouched "CVE-2021-30465: /dev -> ${target/"$T_DIR"/DIR}"
done
fresh
mkdir -p "$b/rootfs/dev"
for name in pts shm mqueue console fd stdin ptmx null; do
	ln -sf "../../../../../../../..$victim/folder" "$b/rootfs/dev/$name"
done
sh_config 'echo ran' '.mounts |= map(select(.destination != "/dev"))'
run
untouched "CVE-2021-30465: everything in /dev leads out"

fresh
rm -rf "$b/rootfs/etc"
ln -s "$victim" "$b/rootfs/etc"
echo host >"$T_DIR/hosts"
sh_config 'cat /etc/hosts' '.mounts += [{destination: "/etc/hosts", type: "bind", source: $h, options: ["rbind", "ro"]}]' \
	--arg h "$T_DIR/hosts"
run
allowed "CVE-2024-45310: a file bound below /etc -> host: made inside" '^host$'
untouched "CVE-2024-45310: a file bound below /etc -> host: the host is as before"
fresh
ln -s "../../../../../../../..$victim/new" "$b/rootfs/etc/hosts"
run
allowed "CVE-2024-45310: a dangling link out as target: made inside" '^host$'
untouched "CVE-2024-45310: a dangling link out as target: nothing made on the host"
sh_config 'echo ran' '.process.cwd = "/link/made"'
fresh
ln -s "../../../../../../../..$victim/folder" "$b/rootfs/link"
run
untouched "the working folder is made inside"
fresh
ln -s loop "$b/rootfs/loop"
sh_config 'echo ran' '.process.cwd = "/loop/a"'
run
refused "a working folder in a loop of symlinks" 'loop|symbolic|levels'

# A neighbour that shares the folder of a mount swaps it with a symlink while we mount.
fresh
mkdir -p "$b/rootfs/vol/a" "$T_DIR/shared/a"
ln -s / "$T_DIR/shared/b"
config '.process.args = ["sh", "-c", "ls -d /vol/*; cat /proc/self/mountinfo"] | .mounts += [
	{destination: "/vol", type: "bind", source: $s, options: ["rbind", "rw"]},
	{destination: "/vol/a/x/y", type: "bind", source: $v, options: ["rbind", "ro"]}]' \
	--arg s "$T_DIR/shared" --arg v "$victim/folder"
mv_pair() {
	while :; do
		mv -T "$T_DIR/shared/a" "$T_DIR/shared/c" && mv -T "$T_DIR/shared/b" "$T_DIR/shared/a"
		mv -T "$T_DIR/shared/a" "$T_DIR/shared/b" && mv -T "$T_DIR/shared/c" "$T_DIR/shared/a"
	done 2>/dev/null
}
mv_pair &
swapper=$!
for ((i = 0; i < 12; i++)); do run; done
kill $swapper
wait $swapper 2>/dev/null
[ ! -e /x/y ] || { t_fail "CVE-2021-30465: a race of symlinks" "/x/y was made on the host"; rmdir /x/y /x; }
untouched "CVE-2021-30465: a race of symlinks in a shared volume"

# The same with /proc itself, by one who has our root file system for a volume: masks have to find it.
fresh
mkdir "$b/rootfs/else" "$T_DIR/other"
cp -al "$base" "$T_DIR/other/rootfs"
mkdir "$T_DIR/other/rootfs/r"
config '.process.args = ["attacker", "exchange", "/r/proc", "/r/else"] | .mounts += [{destination: "/r", type: "bind", source: $r, options: ["rbind"]}]' \
	--arg r "$b/rootfs"
mv "$b/config.json" "$T_DIR/other"
c run -d -b "$T_DIR/other" "$id-other" </dev/null >/dev/null 2>&1
sh_config 'for d in /proc /else; do [ ! -e $d/timer_list ] || { attacker write $d/sys/kernel/core_pattern $d/sysrq-trigger; stat -c "mask %F" $d/timer_list; }; done 2>/dev/null' \
	'.linux.readonlyPaths = ["/proc/sys", "/proc/sysrq-trigger"]'
rounds=40 got=
[ -z "${CELLAR_IN_VM:-}" ] || rounds=5
for ((i = 0; i < rounds; i++)); do
	run
	got+=$RUN_OUT$'\n'
	# By chance each saw neither name: then a few more.
	[ $i -lt $((rounds - 1)) ] || [ $rounds -ge 60 ] || grep -q '^mask' <<<"$got" || rounds=$((rounds + 1))
done
c delete -f "$id-other"
t_is "CVE-2025-31133: a race of /proc itself, in a shared root file system" "mask character special file" \
	"$(grep -E '^(wrote|mask)' <<<"$got" | sort -u | xargs)"
untouched "and the host's settings are as before"

# ---- masks ----

look='for f in /proc/kcore /proc/keys /proc/timer_list; do [ ! -e $f ] || stat -c "%F %t:%T" $f; done | sort -u'
for target in /proc/sys/kernel/core_pattern /etc/passwd /dev/zero "$victim/file"; do
	fresh
	ln -sf "$target" "$b/rootfs/dev/null"
	sh_config "$look" '.mounts |= map(select(.destination | startswith("/dev") | not))'
	run
	t_is "CVE-2025-31133: /dev/null -> ${target/"$T_DIR"/DIR}" 'character special file 1:3' "$RUN_OUT"
done
fresh
mkdir "$b/rootfs/hidden"
echo x >"$b/rootfs/hidden/file"
ln -s hidden "$b/rootfs/link"
ln -s "$victim" "$b/rootfs/out"
sh_config 'ls /hidden /link/; touch /ro/x; echo end' '.linux.maskedPaths += ["/link", "/out", "/out/file"]
	| .linux.readonlyPaths += ["/rolink"]'
mkdir "$b/rootfs/ro"
ln -s /ro "$b/rootfs/rolink"
run
t_is "masks and read-only paths follow symlinks, inside only" "/hidden: /link/: touch: /ro/x: Read-only file system end" "$(xargs <<<"$RUN_OUT")"
untouched "a mask that leads out"
fresh
sh_config 'for f in /proc/kcore /proc/keys /proc/timer_list /dev/null; do chmod 600 $f; chown 5 $f; done 2>&1; echo ran'
run
untouched "the device under a mask is not the host's to change"

# ---- procfs that is none ----

mkdir -p "$T_DIR/fake/self/attr" "$T_DIR/fake/sys/kernel" "$T_DIR/fake/1"
fake_mount() { # NAME MOUNT
	fresh
	ln -s /proc "$b/rootfs/alias"
	ln -s /proc/self "$b/rootfs/me"
	sh_config 'echo ran' ".mounts += [$2]" --arg f "$T_DIR/fake"
	run
	refused "$1" 'proc'
}
fake_mount "CVE-2019-16884, CVE-2025-52881: a tmpfs at /proc" '{destination: "/proc", type: "tmpfs", source: "tmpfs"}'
fake_mount "CVE-2019-16884: a volume at /proc" '{destination: "/proc", type: "bind", source: $f, options: ["rbind"]}'
fake_mount "CVE-2019-19921: a volume at /proc/sys" '{destination: "/proc/sys", type: "bind", source: $f, options: ["rbind"]}'
fake_mount "CVE-2025-52881: a volume at /proc/self/attr" '{destination: "/proc/self/attr", type: "bind", source: $f, options: ["rbind"]}'
fake_mount "CVE-2025-52881: the same behind ..: /tmp/../proc/self" '{destination: "/tmp/../proc/self", type: "bind", source: $f, options: ["rbind"]}'
fake_mount "CVE-2025-52881: the same with //: //proc//self" '{destination: "//proc//self", type: "bind", source: $f, options: ["rbind"]}'
fake_mount "CVE-2025-52881: the same behind a link of the image" '{destination: "/alias/self/attr", type: "bind", source: $f, options: ["rbind"]}'
fake_mount "CVE-2025-52881: the same behind a link to /proc/self" '{destination: "/me/attr", type: "tmpfs", source: "tmpfs"}'
fake_mount "a second proc below an alias" '{destination: "/alias", type: "tmpfs", source: "tmpfs"}'
fresh
sh_config 'cat /proc/self/oom_score_adj; cat /proc/sys/net/ipv4/ip_forward; grep -c . /proc/1/attr/exec 2>/dev/null; echo end' \
	'.process.oomScoreAdj = 321 | .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
run
t_is "CVE-2025-52881: what is written to procfs arrives" "321 1 end" "$(grep -v '^0$' <<<"$RUN_OUT" | xargs)"

# ---- settings of the host ----

for key in kernel.core_pattern kernel.modprobe vm.drop_caches net/../kernel/core_pattern net.ipv4/../../kernel/core_pattern \
	"kernel.shm_rmid_forced/../core_pattern" "fs.mqueue/../../kernel/core_pattern" "net.ipv4.ip_forward=1+kernel.core_pattern"; do
	fresh
	sh_config 'echo ran' '.linux.sysctl = {($k): "|/evil"}' --arg k "$key"
	run
	refused "CVE-2022-0811: sysctl $key" 'sysctl'
done
untouched "CVE-2022-0811: the host's settings are as before"
# In namespaces of its own, should it come to that.
for ns in uts:.hostname='"x"' uts:.domainname='"x"' 'ipc:.linux.sysctl={"kernel.shmmni":"99"}' 'network:.linux.sysctl={"net.ipv4.ip_forward":"1"}'; do
	kind=${ns%%:*}
	file=${kind/network/net}
	fresh
	sh_config 'echo ran' "del(.hostname) | (.linux.namespaces[] | select(.type == \"$kind\")) += {path: \"/proc/self/ns/$file\"} | ${ns#*:}"
	RUN_STATUS=0
	RUN_OUT=$(unshare --uts --ipc --net timeout "$T_LONG" "$CELLAR_BIN/cellar" --root "$root" run -b "$b" "$id" 2>&1 </dev/null) || RUN_STATUS=$?
	refused "settings of a joined $kind namespace that is the host's" 'would (change|rename) the host'
done

# ---- a user namespace that maps root to root ----

if [ -e /proc/self/ns/user ]; then
	fresh
	sh_config 'for f in /dev/null /dev/zero /dev/tty /proc/keys; do chmod 600 $f; chown 5 $f; done 2>/dev/null; echo x >/dev/null && echo ran' \
		'.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		| (.process.capabilities | .bounding, .effective, .permitted) += ["CAP_FOWNER", "CAP_CHOWN"]'
	chmod 711 "$T_DIR"
	run
	allowed "devices bound into a user namespace can be written" '^ran$'
	untouched "and are not its root's to change"
else
	t_skip "a user namespace" "this kernel has none"
fi

# ---- the terminal ----

pty() { # the bundle with a terminal of its own
	RUN_STATUS=0
	RUN_OUT=$(timeout -k 5 "$T_LONG" "$attacker" pty cellar --root "$root" run -b "$b" "$id" </dev/null 2>&1) || RUN_STATUS=$?
}
for target in /proc/sys/kernel/core_pattern /proc/self/attr/exec; do
	fresh
	ln -s "$target" "$b/rootfs/dev/console"
	sh_config 'echo ran' '.process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
	mkdir "$b/rootfs/dev/pts"
	pty
	refused "CVE-2025-52565: /dev/console -> $target" 'leads into /proc'
done
fresh
ln -s "../../../../../../../..$victim/file" "$b/rootfs/dev/console"
mkdir "$b/rootfs/dev/pts"
pty
untouched "CVE-2025-52565: /dev/console -> a file of the host"
fresh
for kind in p c; do
	rm -rf "$b/rootfs/dev"
	mkdir "$b/rootfs/dev"
	if [ $kind = p ]; then mkfifo "$b/rootfs/dev/ptmx"; else mknod "$b/rootfs/dev/ptmx" c 1 5; fi
	sh_config 'echo ran' '.process.terminal = true | .mounts |= map(select(.destination | startswith("/dev") | not))'
	pty
	refused "/dev/ptmx of the image is none ($kind)" 'terminal'
done
fresh
config '.process.terminal = true | .process.args = ["attacker", "tiocsti"]'
pty
# On its own terminal it may; the host's is another.
t_is "TIOCSTI: the container's terminal is its own" "tty works" "$(tr -d '\r' <<<"$RUN_OUT" | grep ^tty)"
config '.process.args = ["attacker", "tiocsti"]'
RUN_OUT=$(timeout -k 5 "$T_LONG" "$attacker" pty cellar --root "$root" run -b "$b" "$id" </dev/null 2>&1)
t_match "CVE-2016-2568: no TIOCSTI into the caller's terminal" "^tty ENXIO tiocsti (EPERM|EIO) take EPERM$" "$(tr -d '\r' <<<"$RUN_OUT" | xargs)"

# ---- descriptors of the host ----

for ((fd = 3; fd < 20; fd++)); do eval "exec $fd</"; done
fresh
config '.process.args = ["attacker", "fds"]'
run
t_is "CVE-2016-9962, CVE-2024-21626: no descriptor gets in" "" "$RUN_OUT"
here=$(stat -c %d:%i /)
leaks=
for ((fd = 3; fd < 20; fd++)); do
	sh_config 'stat -c %d:%i . .. ../.. ../../../../../../..; pwd' ".process.cwd = \"/proc/self/fd/$fd\""
	run
	grep -qx "$here" <<<"$RUN_OUT" && leaks+=" $fd"
	[ "$RUN_STATUS" = 0 ] && leaks+=" $fd:ran"
done
t_is "CVE-2024-21626: process.cwd /proc/self/fd/N" "" "$leaks"
sh_config 'while :; do sleep 1; done'
ln -s /proc/self/fd/7 "$b/rootfs/seven"
c run -d -b "$b" "$id" </dev/null >/dev/null 2>&1
leaks=
for ((fd = 3; fd < 20; fd++)); do
	out=$(c exec --cwd "/proc/self/fd/$fd" "$id" stat -c %d:%i . ../../../../../../.. 2>/dev/null) && leaks+=" $fd:$out"
done
c exec --cwd /seven "$id" true 2>/dev/null && leaks+=" seven"
t_is "CVE-2024-21626: exec --cwd /proc/self/fd/N" "" "$leaks"
t_is "exec: no descriptor gets in" "" "$(c exec "$id" attacker fds)"
for ((fd = 3; fd < 20; fd++)); do eval "exec $fd<&-"; done

# ---- exec into a hostile container ----

hostile() { timeout -k 5 "$T_LONG" cellar --root "$root" exec "$@" </dev/null 2>&1; }
rm -f "$b/rootfs/bin/sh" "$b/rootfs/bin/id"
mkfifo "$b/rootfs/bin/sh"
ln -s /proc/self/exe "$b/rootfs/bin/id"
t_match "exec of a FIFO" 'denied' "$(hostile "$id" sh -c true; echo $?)"
t_match "exec of /proc/self/exe ends" '^([12]|255)$' "$(hostile "$id" id 99; echo $?)"
rm -f "$b/rootfs/etc/passwd"
mkfifo "$b/rootfs/etc/passwd"
t_match "exec with a FIFO as /etc/passwd" 'HOME=/' "$(hostile "$id" env)"
rm "$b/rootfs/etc/passwd"
mknod "$b/rootfs/etc/passwd" c 1 5
t_match "exec with /dev/zero as /etc/passwd" 'HOME=/' "$(hostile "$id" env)"
rm "$b/rootfs/etc/passwd"
{ yes 'a:x:1:1::/a:' | head -c 3000000; echo; yes 0 | tr -d '\n' | head -c 3000000; } >"$b/rootfs/etc/passwd"
t_match "exec with a giant /etc/passwd" 'HOME=/' "$(hostile "$id" env)"
printf 'root:x:0:0:::\nroot:x:0:0::../../x:\nroot:x:0:0::/a\033[2Jb:\n' >"$b/rootfs/etc/passwd"
t_match "exec with a hostile HOME" 'HOME=/$' "$(hostile "$id" env)"
rm -f "$b/rootfs/etc/passwd"
ln -s loop "$b/rootfs/loop"
t_match "exec --cwd in a loop" 'loop|symbolic' "$(hostile --cwd /loop "$id" true; echo $?)"
t_is "CVE-2022-24769, CVE-2022-29162: exec --cap gives nothing to inherit" "CapInh: 0000000000000000 CapAmb: 0000000000000000" \
	"$(hostile --cap NET_ADMIN "$id" grep -E 'Cap(Inh|Amb)' /proc/self/status | xargs)"
t_is "CVE-2022-29162: nor has the container's init any" "CapInh: 0000000000000000 CapAmb: 0000000000000000" \
	"$(hostile "$id" grep -E 'Cap(Inh|Amb)' /proc/1/status | xargs)"
t_is "another user's exec has no capabilities" "CapPrm: 0000000000000000 CapEff: 0000000000000000" \
	"$(hostile -u 1000:1000 "$id" grep -E 'Cap(Prm|Eff)' /proc/self/status | xargs)"
t_is "CVE-2026-30892: a user without a group is that user" "1 0 0000000000000000" \
	"$(hostile -u 1 "$id" grep -E '^(Uid|Gid|CapEff)' /proc/self/status | awk '{ print $2 }' | xargs)"
t_is "CVE-2022-2995, CVE-2023-25173: no group but those asked for" "Groups: 7" \
	"$(hostile -u 1000:1000 -g 7 "$id" grep Groups /proc/self/status | xargs)"
t_is "and none of root's" "Groups:" "$(hostile "$id" grep Groups /proc/self/status | xargs)"
c delete -f "$id"

# ---- the runtime's own program ----

before=$(cat "$CELLAR_BIN"/{cellar,cellar-init,ctr,containerd-shim-cellar-v2} | sha256sum)
fresh
printf '#!/proc/self/exe\n' >"$b/rootfs/evil"
printf '#!/proc/self/exe 3\n' >"$b/rootfs/evil2"
chmod 755 "$b/rootfs"/evil*
ln -s /proc/self/exe "$b/rootfs/evil3"
mkdir -p "$b/rootfs/lib"
echo /lib/evil.so >"$b/rootfs/etc/ld.so.preload"
for evil in /evil /evil2 /evil3; do
	config ".process.args = [\"$evil\", \"3\"]"
	run
	t_match "CVE-2019-5736: the entrypoint is ${evil#/}: it ends, without a word" '^[12] $' "$RUN_STATUS $RUN_OUT"
done

# Root inside watches for cellar-init while the host executes; then with CAP_SYS_PTRACE as well.
hunt() { # NAME FILTER
	fresh
	config ".process.args = [\"attacker\", \"hunt\", \"50\"] | $2"
	c run -d -b "$b" "$id" </dev/null >"$T_DIR/hunt" 2>&1
	for ((i = 0; i < 40; i++)); do
		c exec "$id" true </dev/null >/dev/null 2>&1
		[ $i -lt 15 ] || ! grep -q 'traced' "$T_DIR/hunt" || break
	done
	touch "$b/rootfs/tmp/stop"
	t_wait 60 grep -q ^met "$T_DIR/hunt"
	c delete -f "$id"
	HUNT=$(sort -u "$T_DIR/hunt")
}
hunt plain .
t_is "CVE-2016-9962: root inside cannot look into cellar-init" "" "$(grep -v -e ^met -e ^capab <<<"$HUNT")"
ptrace='(.process.capabilities | .bounding, .effective, .permitted) += ["CAP_SYS_PTRACE"]'
hunt ptrace "$ptrace | .process.noNewPrivileges = true"
t_is "CVE-2019-5736: not even a tracer writes to its file" "" "$(grep writing <<<"$HUNT")"
t_is "CVE-2016-9962: a tracer finds no capability that it lacks" "capabilities above ours 0" "$(grep ^capab <<<"$HUNT")"
hunt ptrace "$ptrace | .process.noNewPrivileges = false"
t_is "CVE-2016-9962: the same without no_new_privs" "capabilities above ours 0" "$(grep ^capab <<<"$HUNT")"
t_is "CVE-2019-5736: the programs are as before" "$before" \
	"$(cat "$CELLAR_BIN"/{cellar,cellar-init,ctr,containerd-shim-cellar-v2} | sha256sum)"

# Who waits to be started, and who runs a hook that the image brought: traced meanwhile?
out_by_init='for n in 4 5 6 7 8 9 10 11 12 13 14 15 16; do for up in . .. ../.. ../../.. ../../../..; do
	for pid in /proc/1/fd/$n/$up/[0-9]*; do [ ! -e $pid/root$V/file ] || echo "out by $n/$up"; done; done; done 2>/dev/null | sort -u | head -n 3'
ptrace="$ptrace | .process.noNewPrivileges = false | .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\",
	architectures: [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_AARCH64\"], syscalls: [{names: [\"reboot\"], action: \"SCMP_ACT_ERRNO\"}]}"
fresh
config ".process.args = [\"true\"] | $ptrace"
c create -b "$b" "$id" </dev/null >"$T_DIR/err" 2>&1 || t_fail "create for a tracer" "$(cat "$T_DIR/err")"
t_is "CVE-2016-8649: a tracer in a created container does not get out by cellar-init" "" "$(c exec -e V="$victim" "$id" sh -c "$out_by_init" 2>&1)"
t_is "nor does it find it without a filter, or above itself" "0 2" \
	"$(c exec "$id" sh -c 'a=$(grep CapPrm /proc/self/status); b=$(grep CapPrm /proc/1/status); [ "$a" = "$b" ]; echo $?; grep Seccomp: /proc/1/status' 2>&1 | tr -d 'Secomp:\t' | xargs)"
c start "$id"
t_wait 60 sh -c "[ \"\$(cellar --root $root state $id | jq -r .status)\" = stopped ]"
t_is "and it starts" stopped "$(c state "$id" | jq -r .status)"
c delete -f "$id"
fresh
config ".process.args = [\"cat\", \"/hook\"] | $ptrace | .hooks.startContainer = [{path: \"/bin/sh\", env: [\"PATH=/bin\", \"V=\" + \$v],
	args: [\"sh\", \"-c\", \$script]}]" --arg v "$victim" --arg script "exec >/hook 2>&1; $out_by_init; grep -h -e CapPrm -e Seccomp: /proc/self/status /proc/1/status"
run
caps=$(sed -n 's/^CapPrm:\t//p' <<<"$RUN_OUT" | head -n 1)
t_is "nor a hook of the image's, which is behind the filter as well" "CapPrm: $caps Seccomp: 2 CapPrm: $caps Seccomp: 2" "$(xargs <<<"$RUN_OUT")"

# ---- identity ----

fresh
cp "$attacker" "$b/rootfs/bin/suid"
chmod 6755 "$b/rootfs/bin/suid"
config '.process.args = ["suid"] | .process.user = {uid: 1000, gid: 1000} | .process.noNewPrivileges = true'
run
t_is "no_new_privs: a setuid program gives nothing" "uid 1000 euid 1000 gid 1000 egid 1000" "$RUN_OUT"
sh_config 'grep -E "^(Cap(Prm|Eff|Inh|Amb)|Groups)" /proc/self/status' '.process.user = {uid: 1000, gid: 1000, additionalGids: [5]}'
run
t_is "a user's process: no capabilities, only its groups" \
	"Groups: 5 CapInh: 0000000000000000 CapPrm: 0000000000000000 CapEff: 0000000000000000 CapAmb: 0000000000000000" "$(xargs <<<"$RUN_OUT")"
config '.process.args = ["attacker", "keyring"]'
run
t_match "the session keyring is the container's own" "_ses.$id" "$RUN_OUT"
printf 'a' >"$T_DIR/input"
chmod 644 "$T_DIR/input"
sh_config 'echo changed >/proc/self/fd/0' '.process.user = {uid: 1000, gid: 1000}'
c run -b "$b" "$id" <"$T_DIR/input" >/dev/null 2>&1
t_is "a file as stdin does not become the container's" "0 a" "$(stat -c %u "$T_DIR/input") $(cat "$T_DIR/input")"

# ---- its own cgroup, where it may make groups ----

fresh
sh_config 'd=/sys/fs/cgroup; [ ! -d $d/pids ] || d=$d/pids; exec attacker nest $d 600' '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
c run -d -b "$b" "$id" </dev/null >"$T_DIR/nest" 2>&1
t_wait 60 grep -q nested "$T_DIR/nest"
t_match "groups nested in groups" '^nested 600' "$(cat "$T_DIR/nest")"
t_is "are listed" 1 "$(c ps -f json "$id" | jq length)"
t_status "and removed" 0 cellar --root "$root" delete -f "$id"

# ---- a bad caller ----

fresh
sh_config ': >/out; for i in 0 1 2; do x=$(readlink /proc/1/fd/$i); echo "$x" >>/out; done; attacker fds >>/out; grep -E "^Sig(Blk|Ign)" /proc/self/status | cut -f2 >>/out; umask >>/out; ls -ld /dev /dev/pts | cut -c1-10 >>/out; cat /out'
for closed in 0 1 2 012; do
	rm -f "$b/rootfs/out"
	(umask 0777 && "$attacker" caller $closed cellar --root "$root" run -b "$b" "$id") </dev/null >/dev/null 2>&1
	t_is "closed stdio ($closed), blocked signals, umask 0777" "0000000000000000 0000000000000000 0022 drwxr-xr-x drwxr-xr-x" \
		"$(tail -n 5 "$b/rootfs/out" 2>&1 | xargs)"
	t_is "closed stdio ($closed): nothing of ours in its place" "" "$(grep -Ev '^(/dev/null|[0-9]+|d.*)$' "$b/rootfs/out" | xargs)"
done
mkdir "$T_DIR/gone"
t_is "a deleted current folder" 0 "$(cd "$T_DIR/gone" && rmdir "$T_DIR/gone" && c run -b "$b" "$id" </dev/null >/dev/null 2>&1; echo $?)"
for n in 3 4 8 12; do
	sh_config "ulimit -n" ".process.rlimits = [{type: \"RLIMIT_NOFILE\", soft: $n, hard: $n}]"
	config ".process.args = [\"busybox\", \"true\"] | .process.rlimits = [{type: \"RLIMIT_NOFILE\", soft: $n, hard: $n}]"
	run
	t_is "RLIMIT_NOFILE of $n" "0 " "$RUN_STATUS $RUN_OUT"
	c create -b "$b" "$id" </dev/null >/dev/null 2>"$T_DIR/err"
	t_is "RLIMIT_NOFILE of $n: create, start" 0 "$(c start "$id" >/dev/null 2>>"$T_DIR/err"; echo $?; cat "$T_DIR/err")"
	c delete -f "$id"
done

# ---- the state folder ----

sh_config 'sleep 100' '.process.env += ["TOKEN=1"]'
(umask 0 && c run -d -b "$b" "$id" </dev/null >/dev/null 2>&1)
t_is "the state is closed to others, also with umask 0" "700" "$(stat -c %a "$root/$id")"
t_is "no file in it is open to others" "" "$(find "$root/$id" -type f -perm /077)"
c delete -f "$id"
mkdir -m 777 "$T_DIR/open"
config '.process.args = ["sleep", "100"]'
c create -b "$b" --pid-file "$T_DIR/open/pid" "$id" </dev/null >/dev/null 2>&1
t_is "a pid file is whole and ours" "$(c state "$id" | jq .pid) 0" "$(cat "$T_DIR/open/pid") $(stat -c %u "$T_DIR/open/pid")"
c delete -f "$id"
mkdir "$T_DIR/theirs"
ln -s "$victim/folder" "$T_DIR/theirs/$id"
t_status "a symlink in the place of a state folder: create" 1 cellar --root "$T_DIR/theirs" run -b "$b" "$id"
t_status "a symlink in the place of a state folder: delete" 0 cellar --root "$T_DIR/theirs" delete -f "$id"
for bad in ../x . .. a/b "$(printf 'a\nb')" "$(printf 'a\033[2J')"; do
	t_status "id '$(tr -d '\n\033' <<<"$bad")'" 1 c run -b "$b" "$bad"
done
untouched "the host is as it was"
