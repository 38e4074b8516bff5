#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same as escape.sh for what `ctr` adds: its defaults, images, logs, folders, the shim.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
command -v gcc >/dev/null || t_skip_all "gcc is not installed"
t_own_namespaces "$@"
. "$(dirname "$0")/../lib/ctr.sh"
attacker=$T_DIR/attacker
gcc -std=gnu17 -D_GNU_SOURCE -static -O1 -o "$attacker" "$T_TOP/tests/lib/attacker.c" 2>"$T_DIR/gcc" ||
	t_skip_all "the attacker cannot be built: $(head -n 1 "$T_DIR/gcc")"
c_setup
A=(-v "$attacker:/bin/attacker:ro")
null() { stat -c '%a %u %t:%T' /dev/null; }
t_defer '[ "$(stat -c %a /dev/null)" = 666 ] || chmod 666 /dev/null'

# ---- what a container gets ----

t_is "calls of root in a default container" \
	"EPERM: add_key bpf fsopen init_module io_uring kexec keyctl mount nice open_by_handle open_tree perf pivot reboot remount sethostname setns settime swapon umount unshare-mount unshare-user userfaultfd, ENOSYS: clone3" \
	"$(c run --rm "${A[@]}" "$IMAGE" attacker calls | sed 's/EACCES/EPERM/' | sort | awk '{ a[$2] = a[$2] " " $1 }
		END { for (k in a) if (k != "ENOSYS") printf "%s:%s, ", k, a[k]; printf "ENOSYS:%s", a["ENOSYS"] }')"
t_is "no descriptor, nothing inheritable, no group" \
	"CapAmb: 0000000000000000 CapInh: 0000000000000000 Groups:" \
	"$(c run --rm "${A[@]}" "$IMAGE" sh -c 'attacker fds; grep -E "^Cap(Inh|Amb)|^Groups" /proc/self/status' | sort | xargs)"
t_is "a user has no capabilities, but his groups" "CapEff: 0000000000000000 CapPrm: 0000000000000000 Groups: 29" \
	"$(c run --rm -u user "$IMAGE" grep -E '^Cap(Prm|Eff)|^Groups' /proc/self/status | sort | xargs)"
disk=$(stat -c '0x%t 0x%T' "$(findmnt -no SOURCE / | grep '^/dev/')" 2>/dev/null)
[ -n "$disk" ] || disk="1 0"
t_is "CVE-2024-41110, CVE-2022-0492: devices made inside cannot be opened" "" \
	"$(c run --rm "$IMAGE" sh -c "mknod /disk b $disk && mknod /mem c 1 1 && mknod /kmsg c 1 11
		head -c 1 /disk; head -c 1 /mem; head -c 1 /kmsg; echo x >/kmsg" 2>/dev/null | od -An -c)"
t_is "nothing of /proc and /sys can be written" "" \
	"$(c run --rm "${A[@]}" "$IMAGE" sh -c 'attacker write /proc/sysrq-trigger /proc/sys/kernel/core_pattern \
		/proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sys/net/ipv4/ip_forward /proc/acpi/wakeup /proc/irq/*/smp_affinity \
		/sys/kernel/uevent_helper /sys/power/state /sys/kernel/mm/transparent_hugepage/enabled /sys/class/net/*/mtu \
		$(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name "cgroup.procs" -o -name devices.allow -o -name tasks) \
		$(find /sys -type f -perm -200 2>/dev/null | head -n 300); mkdir /sys/fs/cgroup/*/x 2>/dev/null && echo made')"
t_is "the same in the host's network" "" \
	"$(c run --rm --network host "${A[@]}" "$IMAGE" sh -c 'grep -E "^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /sys[^ ]* rw" /proc/self/mountinfo
		find /sys -xdev -type f -perm -200 2>/dev/null | head -n 300 | xargs attacker write
		ls /sys/kernel/tracing /sys/kernel/debug /sys/kernel/security /sys/fs/bpf 2>/dev/null | grep -v "^/sys.*:$"' | xargs)"
c run --rm "$IMAGE" sh -c 'for f in /proc/keys /proc/timer_list /proc/interrupts /dev/null; do chmod 600 $f; done' 2>/dev/null
t_is "a masked file is not the host's device to change" "666 0 1:3" "$(null)"
t_is "PID 1 cannot be killed from inside" "alive" \
	"$(c run --rm "$IMAGE" sh -c 'kill -9 1; sh -c "kill -9 -1"; echo alive')"
t_is "sockets of the host are out of sight, abstract ones too (CVE-2020-15257)" "" \
	"$(c run --rm --network host "$IMAGE" sh -c 'grep -E "cellar|shim" /proc/net/unix | grep @')"
t_is "mqueue and shared memory are its own" "" "$(c run --rm "$IMAGE" sh -c 'ls -A /dev/mqueue /dev/shm | grep -v :')"

# ---- folders of the host that a container has in two ways ----

mkdir -p "$T_DIR/srv/data" "$T_DIR/secret"
echo secret >"$T_DIR/secret/key"
swap="mv /srv/data /srv/old; ln -s $T_DIR/secret /srv/data"
c create --name later -v "$T_DIR/srv/data:/data" "$IMAGE" true >/dev/null
c run -d --name swap --restart always -v "$T_DIR/srv:/srv" -v "$T_DIR/srv/data:/data" "$IMAGE" \
	sh -c "ls /data >>/srv/seen; [ -L /srv/data ] || { $swap; }" >/dev/null
t_wait 60 sh -c "$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN logs swap 2>&1 | grep -q symlink"
t_is "a source swapped for a symlink before a restart is not followed" "" "$(cat "$T_DIR/srv/seen")"
t_match "and said so" 'there is a symlink on the way now' "$(c logs swap 2>&1)"
t_status "nor by --volumes-from" 125 c run --rm --volumes-from swap "$IMAGE" ls /data
t_status "nor by cp out of one that has not run" 1 c cp later:/data/key "$T_DIR/loot"
t_match "which says so" 'there is a symlink on the way now' "$T_ERR"
t_status "nor by cp into it" 1 c cp "$attacker" later:/data/in
t_is "nothing came in or out" "key" "$(ls "$T_DIR/secret"; [ ! -e "$T_DIR/loot" ] || echo loot)"
c rm -f swap later >/dev/null
rm "$T_DIR/srv/data" && mv "$T_DIR/srv/old" "$T_DIR/srv/data" && ln -s srv "$T_DIR/way"
echo mine >"$T_DIR/srv/data/file"
t_is "a symlink of the caller's is" mine "$(c run --rm -v "$T_DIR/way/data:/data" "$IMAGE" cat /data/file)"
t_is "also to a folder that is made" "made" "$(c run --rm -v "$T_DIR/way/new/deep:/data" "$IMAGE" touch /data/made; ls "$T_DIR/srv/new/deep")"

# ---- targets of mounts, by symlinks in a volume that an enemy had ----

c run --rm -v links:/l "$IMAGE" sh -c 'ln -s / /l/root; ln -s ../../.. /l/up; ln -s /proc /l/proc; ln -s /proc/sys /l/sys'
for link in root up proc sys root/proc; do
	t_status "a volume at a symlink to $link" 125 c run --rm -v links:/l -v other:/l/$link "$IMAGE" true
	t_match "a volume at a symlink to $link: sentence" 'leads (to the root|into /proc) of the container' "$T_ERR"
	t_status "a tmpfs at a symlink to $link" 125 c run --rm -v links:/l --tmpfs /l/$link "$IMAGE" true
done

# ---- a neighbour in one pid namespace ----

c run -d --name peep "$IMAGE" sh -c 'while :; do for p in /proc/[0-9]*; do
	x=$(readlink $p/exe) || continue; case $x in /bin/*) ;; *) echo "exe $x"; ls -l $p/fd $p/root/ ;; esac; done; done 2>/dev/null' >/dev/null
for i in 1 2 3 4 5; do c run --rm --pid container:peep "$IMAGE" true; done
t_is "sees nothing of cellar-init on its way in" "" "$(c logs peep)"
c rm -f peep >/dev/null

# ---- exec into a hostile container ----

c run -d --name enemy "${A[@]}" "$IMAGE" sleep 1000 >/dev/null
x() { timeout -k 5 "$T_LONG" ctr --root "$C_ROOT" --runroot "$C_RUN" exec "$@" </dev/null 2>&1; }
passwd() { # NAME PATTERN COMMAND
	x enemy sh -c "rm -rf /etc/passwd; $3"
	t_match "exec -u, /etc/passwd is $1" "$2" "$(x -u user enemy id; echo "status $?")"
}
passwd "a device" 'not in' 'mknod /etc/passwd c 1 5'
# Opening it alone would count.
passwd "a FIFO" 'not in' 'mkfifo /etc/passwd'
passwd "a loop" 'not in' 'ln -s passwd /etc/passwd'
passwd "a link out" 'not in' 'ln -s ../../../../../../../../../../etc/passwd /etc/passwd; echo "x:x:1:1" >/etc/passwd; true'
passwd "a folder" 'not in' 'mkdir /etc/passwd'
passwd "giant" 'not in|larger' 'yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -c 6000000 >/etc/passwd'
x enemy sh -c 'rm -rf /etc/passwd; mknod /etc/passwd c 1 5'
strace=$(command -v strace)
if [ -n "$strace" ]; then
	timeout "$T_LONG" strace -f -e trace=openat,openat2 -o "$T_DIR/strace" "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" exec -u 5 enemy true </dev/null >/dev/null 2>&1
	t_is "exec -u opens no device of the container" "" "$(grep 'etc/passwd' "$T_DIR/strace" | grep -v O_PATH)"
else
	t_skip "exec -u opens no device" "strace is not installed"
fi
c rm -f enemy >/dev/null

# ---- folders, sockets, secrets ----

c run -d --name keep -e TOKEN=secret -v vol:/vol "$IMAGE" sh -c 'cp /bin/busybox /vol/su; cp /bin/busybox /su; chmod 4755 /su /vol/su; echo x; sleep 1000' >/dev/null
t_wait 60 sh -c "[ -n \"\$($CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN logs keep)\" ]"
chmod 755 "$T_DIR"
other() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
reach=$(other find "$C_ROOT" "$C_RUN" -type f -readable -not -name version 2>/dev/null)
for path in $(grep -o " $T_DIR/[^ ]*/rootfs " /proc/self/mountinfo) "$C_ROOT"/containers/*/{upper,rootfs,config.json,meta.json,log,hosts} \
	"$C_ROOT"/volumes/vol/data "$C_RUN"/*/state.json "$C_RUN"/.engine/shim/*; do
	other test -e "$path" && reach+=" $path"
done
t_is "CVE-2021-41103: another user of the host reaches nothing of a container" "" "$reach"
t_is "CVE-2020-15257: sockets are ours alone" "600 700" \
	"$(stat -c %a "$C_RUN"/.engine/shim/* "$C_RUN/.engine/shim" | sort -u | xargs)"
t_is "no file with secrets is readable by others" "" \
	"$(grep -rlE 'TOKEN=secret' "$C_ROOT/containers" "$C_RUN" --include='*.json' | xargs stat -c '%a' | grep -v '^600$')"
shim=$(pgrep -f "containerd-shim-cellar-v2.*$(c inspect keep | jq -r '.[0].id // .id')")
t_is "the environment of its command is not in the shim's arguments" "" "$(tr '\0' '\n' <"/proc/$shim/cmdline" | grep TOKEN)"
c rm -f keep >/dev/null

# ---- a bad caller ----

for ((fd = 3; fd < 20; fd++)); do eval "exec $fd</"; done
(umask 0777 && "$attacker" caller 012 "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" run -d --name bad "${A[@]}" \
	-v made:/made "$IMAGE" sh -c 'attacker fds; grep -E "^Sig(Blk|Ign)" /proc/self/status; echo end; sleep 1000')
for ((fd = 3; fd < 20; fd++)); do eval "exec $fd<&-"; done
t_wait 60 sh -c "$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN logs bad | grep -q end"
t_is "closed stdio, blocked signals, umask 0777, open descriptors: inside" \
	"SigBlk: 0000000000000000 SigIgn: 0000000000000000 end" "$(c logs bad | xargs)"
shim=$(pgrep -f "containerd-shim-cellar-v2.*$(c inspect bad | jq -r '.[0].id // .id')")
# Its own container's memory it watches.
t_is "and the shim has none of them" "" \
	"$(for f in /proc/"$shim"/fd/*; do readlink "$f"; done | grep -Ev "^(/dev/null|pipe:|socket:|anon_inode:|$T_DIR/.*|/sys/fs/cgroup/.*/memory\.(events|oom_control)\$)" | xargs)"
t_is "a volume is of use, whatever the umask" 755 "$(stat -c %a "$C_ROOT/volumes/made/data")"
c rm -f bad >/dev/null
mkdir "$T_DIR/gone"
t_is "a deleted current folder" 0 "$(cd "$T_DIR/gone" && rmdir "$T_DIR/gone" && c run --rm "$IMAGE" true >/dev/null 2>&1; echo $?)"

# ---- logs, floods, bombs ----

rss() { awk '/VmHWM/ { print $2 }' "/proc/$1/status"; }
shim_of() { pgrep -f "containerd-shim-cellar-v2.*$(c inspect "$1" | jq -r '.[0].id // .id')"; }
mib=64
[ -z "${CELLAR_IN_VM:-}" ] || mib=8
c run -d --name flood --log-max-size 100m "${A[@]}" "$IMAGE" sh -c "attacker flood $mib; echo; echo end; sleep 1000" >/dev/null
t_wait 120 sh -c "tail -c 100 $C_ROOT/containers/*/log | grep -q end"
t_at_most "a line of $mib MiB: memory of the shim" 12288 "$(rss "$(shim_of flood)")" KiB
t_is "a line of $mib MiB: the log has all of it" $((mib * 1024 * 1024)) "$(c logs flood | head -n 1 | tr -d '\n' | wc -c)"
c rm -f flood >/dev/null
mkfifo "$T_DIR/full"
exec 9<>"$T_DIR/full"
"$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" run --name flood "${A[@]}" "$IMAGE" attacker flood 32 >"$T_DIR/full" 2>/dev/null </dev/null &
client=$!
t_wait 60 c exec flood true
sleep 0.3
t_at_most "a flood that nobody reads: memory of the shim" 12288 "$(rss "$(shim_of flood)")" KiB
t_status "and it can be removed" 0 timeout "$T_LONG" "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" rm -f flood
kill -9 $client
wait $client 2>/dev/null
exec 9<&-
c run -d --name deaf "${A[@]}" "$IMAGE" attacker stubborn 5 >/dev/null
t_wait 60 sh -c "$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN logs deaf | grep -q ready"
t_status "a process that ignores every signal is stopped" 0 timeout "$T_LONG" "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" stop -t 1 deaf
c rm -f deaf >/dev/null
for how in "stop -t 1" "rm -f"; do
	c run -d --name bomb --pids-limit 60 "${A[@]}" "$IMAGE" attacker bomb >/dev/null
	t_wait 60 sh -c "$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN logs bomb | grep -q ready"
	# shellcheck disable=SC2086
	t_status "a fork bomb: $how" 0 timeout "$T_LONG" "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" $how bomb
	c rm -f bomb >/dev/null 2>&1
done
bombs() { pgrep -f '^(sh -c )?attacker (bomb|stubborn|flood)' | xargs; }
t_becomes "nothing of the bombs is left" "" bombs

# ---- hostile images ----

layout=$T_DIR/layout
blob() { # FILE: put among the blobs; prints digest and size
	local digest
	digest=$(sha256sum "$1" | cut -d' ' -f1)
	cp "$1" "$layout/blobs/sha256/$digest"
	echo "sha256:$digest $(stat -c %s "$1")"
}
# mutate NAME CONFIG-FILTER [MANIFEST-FILTER [INDEX-FILTER]]: the test image, made hostile
mutate() {
	local manifest config digest size
	rm -rf "$layout"
	cp -r "$(t_image)" "$layout"
	manifest=$layout/blobs/$(jq -r '.manifests[0].digest' "$layout/index.json" | tr : /)
	config=$layout/blobs/$(jq -r .config.digest "$manifest" | tr : /)
	jq -c "$2" "$config" >"$T_DIR/config"
	read -r digest size < <(blob "$T_DIR/config")
	jq -c ".config.digest = \"$digest\" | .config.size = $size | ${3:-.}" "$manifest" >"$T_DIR/manifest"
	read -r digest size < <(blob "$T_DIR/manifest")
	jq -c --arg n "$1" ".manifests[0] |= (.digest = \"$digest\" | .size = $size | .annotations[\"org.opencontainers.image.ref.name\"] = \$n) | ${4:-.}" \
		"$(t_image)/index.json" >"$layout/index.json"
}
esc() { grep -c "$(printf '\033')" <<<"$1"; }
image() { # NAME CONFIG-FILTER [MANIFEST [INDEX]]: imports it; IMPORTED is the status
	mutate "$@"
	IMPORTED=0
	IMPORT=$(c image import "$layout" 2>&1) || IMPORTED=$?
}
denied() { # NAME: of the last import
	if [ "$IMPORTED" != 0 ] && [ "$(esc "$IMPORT")" = 0 ]; then t_ok "$1"; else t_fail "$1" "status $IMPORTED: $IMPORT"; fi
}
image localhost/evil:1 '.config.User = "root\nuser:x" | .config.WorkingDir = "/tmp/../../../../../../link"'
t_status "an image whose User has a newline" 125 c run --rm localhost/evil:1 true
image localhost/evil:2 '.config.User = "\u001b]0;owned\u0007\u001b[2J"'
t_status "an image whose User is an escape sequence" 125 c run --rm localhost/evil:2 true
t_is "and no escape sequence gets to the terminal" 0 "$(esc "$T_ERR$T_OUT")"
image localhost/evil:3 '.config.Entrypoint = ["\u001b]0;owned\u0007\u001b[2J\u009b2J"] | .config.Labels = {"a\u001b[2J": "\u001b[2J"} | .config.Env += ["A\u001b[2J=\u001b[2J"]'
t_status "an image whose entrypoint is an escape sequence" 127 c run --rm localhost/evil:3
t_is "its error has none" 0 "$(esc "$T_ERR$T_OUT")"
c run -d --name esc localhost/evil:3 >/dev/null 2>&1
c run -d --name esc2 --entrypoint sleep localhost/evil:3 1000 >/dev/null 2>&1
t_is "nor ps, inspect, stats, image ls" 0 "$(esc "$(c ps -a --no-trunc; c inspect esc2; c stats --no-stream esc2 2>&1; c image ls; c image ls --format json; c ps -a --format json)")"
c rm -f esc esc2 >/dev/null 2>&1
image localhost/evil:4 '.config.Env = ([range(20000)] | map("V\(.)=" + ("x" * 100)))'
t_match "an image with 20,000 variables: runs, or says why not" '^(0|12[56])' "$(timeout "$T_LONG" "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" run --rm localhost/evil:4 true >/dev/null 2>&1 </dev/null; echo $?)"
export HOST_SECRET=secret
image localhost/evil:4 '.config.Env = ["PATH=/bin", "HOST_SECRET", "HOST*"]'
t_is "CVE-2026-57231: an image's variable without a value takes none of the caller's" 0 "$(c run --rm localhost/evil:4 env 2>/dev/null | grep -c secret)"
image localhost/evil:4 '.config.User = "4294967296"'
t_status "CVE-2026-46680: an image's user that is no 32-bit number" 125 c run --rm localhost/evil:4 id
image localhost/evil:4 ".config.WorkingDir = \"/../../../../../../../..$T_DIR/wd\""
t_is "CVE-2026-55686: an image's working folder is made inside" "$T_DIR/wd" "$(c run --rm localhost/evil:4 pwd; ls -d "$T_DIR/wd" 2>/dev/null)"
image localhost/evil:4 '.config.Labels = {"io.cellar.seccomp": "none", "io.cellar.privileged": "true", "run.oci.hooks.stdout": "/owned", "containerd.io/restart.loguri": "binary:///bin/sh"}'
t_is "CVE-2026-53488: labels of an image are told and no more" 2 "$(c run --rm localhost/evil:4 sed -n 's/^Seccomp:\t//p' /proc/self/status)"
image localhost/evil:4 ".config.Volumes = {\"/../../../../../../../..$T_DIR/secret\": {}}"
t_is "CVE-2022-23648: a volume of the image's at a path that leads out gets nothing of the host's" "" "$(c run --rm localhost/evil:4 ls "$T_DIR/secret")"
image localhost/evil:4 '.config.Volumes = ([range(3000)] | map({key: "/v\(.)", value: {}}) | from_entries)'
t_status "an image of 3,000 volumes" 125 c run --rm localhost/evil:4 true
image localhost/evil:4 '.config.Healthcheck = {Test: ["CMD-SHELL", "echo x >>/looks"], Interval: 1, Timeout: 1, StartPeriod: 1, StartInterval: 1}'
begin=$SECONDS
c run -d --name hasty localhost/evil:4 sleep 1000 >/dev/null
looks=$(sleep 1; c exec hasty cat /looks 2>/dev/null | wc -l)
t_at_most "an image that wants a look each nanosecond: looks" $((20 * (SECONDS - begin))) "$looks" looks
c rm -f hasty >/dev/null
c run -d --name loud --health-cmd 'yes yes' --health-interval 1s --health-timeout 1s "$IMAGE" sleep 1000 >/dev/null
t_wait 60 sh -c "$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN inspect loud | grep -q 'took longer'"
t_at_most "CVE-2022-31030: a look that never stops talking: memory of the shim" 12288 "$(rss "$(shim_of loud)")" KiB
c rm -f loud >/dev/null
t_status "CVE-2018-20699: a list of four thousand million CPUs" 125 c run --rm --cpuset-cpus 0-4294967294 "$IMAGE" true
image localhost/evil:5 '.config.WorkingDir = "/proc/self/fd/7"'
for ((fd = 3; fd < 20; fd++)); do eval "exec $fd</"; done
t_match "CVE-2024-21626: WorkingDir /proc/self/fd/N" '^12[56]$' "$(c run --rm localhost/evil:5 pwd >/dev/null 2>&1; echo $?)"
for ((fd = 3; fd < 20; fd++)); do eval "exec $fd<&-"; done
for name in '../../etc/passwd' "$(printf 'a\033[2Jb')" "$(printf 'a\nb')" '/x' '.' "$(head -c 5000 /dev/zero | tr '\0' a)"; do
	image "$name" .
	if [ "$IMPORTED" = 0 ]; then
		t_is "an image called '$(tr -cd 'a-z./' <<<"$name" | head -c 20)': shown tamely" "0 0" \
			"$(esc "$IMPORT$(c image ls)") $(find "$C_ROOT/images" -mindepth 2 | wc -l)"
	else
		denied "an image called '$(tr -cd 'a-z./' <<<"$name" | head -c 20)'"
	fi
done
for digest in 'sha256:../../../../etc/passwd' 'sha256:' 'md5:abc' "../../index.json" "sha256:$(head -c 64 /dev/zero | tr '\0' A)" "sha256:$(head -c 64 /dev/zero | tr '\0' 0)"; do
	image localhost/evil:6 . ".layers[0].digest = \"$digest\""
	denied "a layer's digest is ${digest:0:30}"
	image localhost/evil:6 . . ".manifests[0].digest = \"$digest\""
	denied "a manifest's digest is ${digest:0:30}"
done
image localhost/evil:7 . '.layers[0].size = 5'
denied "a layer of another size"
image localhost/evil:7 . '.layers = [range(5000) as $i | .layers[0]]'
denied "5,000 layers"
image localhost/evil:7 '.rootfs.diff_ids[0] = "sha256:../../x"'
denied "a diff_id that leads out"
image localhost/evil:7 '.config.Volumes = {"/proc": {}}'
t_status "an image that has a volume at /proc" 125 c run --rm localhost/evil:7 true
image localhost/evil:7 '.config.Volumes = {"/proc/sys/kernel": {}}'
t_status "an image that has a volume in /proc" 125 c run --rm localhost/evil:7 true
# An index that holds itself: no digest can, so a chain of them.
mutate localhost/evil:8 .
cp "$layout/index.json" "$T_DIR/chain"
for ((i = 0; i < 60; i++)); do
	read -r digest size < <(blob "$T_DIR/chain")
	echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"$digest\",\"size\":$size,\"annotations\":{\"org.opencontainers.image.ref.name\":\"localhost/evil:8\"}}]}" >"$T_DIR/chain"
done
cp "$T_DIR/chain" "$layout/index.json"
IMPORTED=0
IMPORT=$(timeout "$T_LONG" "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" image import "$layout" 2>&1) || IMPORTED=$?
denied "indexes in indexes, 60 deep"
mutate localhost/evil:9 .
rm -rf "$layout/blobs/sha256" && ln -s /etc "$layout/blobs/sha256"
IMPORTED=0
IMPORT=$(c image import "$layout" 2>&1) || IMPORTED=$?
denied "blobs are a symlink"
for file in index.json "blobs/$(jq -r '.manifests[0].digest' "$layout/index.json" | tr : /)"; do
	mutate localhost/evil:9 .
	truncate -s 3G "$layout/$file"
	IMPORTED=0
	IMPORT=$(ulimit -v 1000000; c image import "$layout" 2>&1) || IMPORTED=$?
	denied "CVE-2023-25153: ${file%%/*} of 3 GiB"
done
mutate localhost/evil:9 .
rm "$layout/index.json" && mkfifo "$layout/index.json"
IMPORTED=0
IMPORT=$(timeout "$T_LONG" "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" image import "$layout" 2>&1) || IMPORTED=$?
if [ $IMPORTED = 124 ]; then t_fail "index.json is a FIFO" "it waits for ever"; else denied "index.json is a FIFO"; fi
t_is "the host's device is as it was" "666 0 1:3" "$(null)"
