#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Namespaces of `ctr run`, shared with the host or with another container, and groups.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c run --rm --ipc shareable "$IMAGE" true
# Makes the folders that stay.
c run --rm --userns auto -v made:/made "$IMAGE" true >/dev/null 2>&1
c volume rm made >/dev/null 2>&1
c_residue >"$T_DIR/before"

# in_run NAME STATUS OUTPUT ARGS...
in_run() {
	local name=$1 want=$2 out=$3
	shift 3
	t_status "$name: status" "$want" c run --rm "$@"
	t_is "$name" "$out" "$T_OUT"
}
# says NAME PATTERN ARGS...: one sentence, nothing run
says() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name: status" 125 c run --rm "$@"
	t_match "$name" "$pattern" "$T_ERR"
	[ "$(wc -l <<<"$T_ERR")" = 1 ] || t_fail "$name: one sentence" "$T_ERR"
}
ours() { readlink "/proc/self/ns/$1"; }
of() { echo "readlink /proc/self/ns/$1"; }

# ---- the host's ----
in_run "--pid host" 0 "$(ours pid)" --pid host "$IMAGE" sh -c "$(of pid)"
in_run "--pid host sees the host's processes" 0 yes --pid host "$IMAGE" sh -c "[ -d /proc/$$ ] && echo yes"
marker=31$RANDOM
t_status "--pid host: the rest ends with the first" 3 c run --rm --pid host "$IMAGE" sh -c "sleep $marker & exit 3"
t_is "and is gone" "" "$(pgrep -f "sleep $marker")"
in_run "--ipc host" 0 "$(ours ipc)" --ipc host "$IMAGE" sh -c "$(of ipc)"
name=shm-$T_ID
echo host >"/dev/shm/$name"
t_defer "rm -f /dev/shm/$name"
in_run "--ipc host has the host's /dev/shm" 0 host --ipc host "$IMAGE" cat "/dev/shm/$name"
in_run "--uts host" 0 "$(hostname) $(hostname)" --uts host "$IMAGE" sh -c 'echo $(hostname) $(cat /etc/hostname)'
# The name it already has: nothing changes, should it ever be let.
t_status "whose name it cannot change" 1 c run --rm --uts host "$IMAGE" hostname "$(hostname)"
in_run "--cgroupns host" 0 "$(ours cgroup)" --cgroupns host "$IMAGE" sh -c "$(of cgroup)"
t_match "--cgroupns host shows the whole path" '/cellar-[0-9a-f]{64}$' "$(c run --rm --cgroupns host "$IMAGE" cat /proc/self/cgroup)"
t_is "and nothing below /sys/fs/cgroup can be written" "" \
	"$(c run --rm --cgroupns host "$IMAGE" sh -c 'for d in $(find /sys/fs/cgroup -type d | head -n 200); do mkdir $d/x 2>/dev/null && echo $d; done')"
in_run "private ones by name" 0 4 --pid private --ipc private --uts private --cgroupns private --userns host "$IMAGE" sh -c \
	"for n in pid ipc uts cgroup; do case \" $(ours pid) $(ours ipc) $(ours uts) $(ours cgroup) \" in *\" \$(readlink /proc/self/ns/\$n) \"*) ;; *) echo \$n ;; esac; done | wc -l"
in_run "--ipc none has no /dev/shm" 0 no --ipc none "$IMAGE" sh -c '[ -e /dev/shm ] || echo no'

# ---- another container's ----
c run -d --name web --ipc shareable --shm-size 2m "$IMAGE" sh -c 'echo shared >/dev/shm/f; exec sleep 1000' >/dev/null
pid=$(c inspect web | jq '.[0].pid')
t_wait 60 grep -qx sleep "/proc/$pid/comm"
in_run "--pid container" 0 "$(readlink "/proc/$pid/ns/pid")" --pid container:web "$IMAGE" sh -c "$(of pid)"
in_run "sees its processes" 0 "sleep1000" --pid container:web "$IMAGE" sh -c "tr -d '\\0' </proc/1/cmdline"
in_run "may signal them" 0 "" --pid container:web "$IMAGE" kill -0 1
in_run "--ipc container" 0 "$(readlink "/proc/$pid/ns/ipc")" --ipc container:web "$IMAGE" sh -c "$(of ipc)"
in_run "with its /dev/shm" 0 "shared 2048" --ipc container:web "$IMAGE" sh -c 'echo $(cat /dev/shm/f) $(df -k /dev/shm | awk "END { print \$2 }"); echo back >/dev/shm/g'
t_is "both ways" back "$(c exec web cat /dev/shm/g)"
t_is "inspect tells it" "shareable" "$(c inspect web | jq -r '.[0].namespaces.ipc')"
c run -d --name guest --pid container:web --ipc container:web "$IMAGE" sleep 1000 >/dev/null
t_is "exec is in the same" "$(readlink "/proc/$pid/ns/pid")" "$(c exec guest readlink /proc/self/ns/pid)"
c run -d --name alone "$IMAGE" sleep 1000 >/dev/null
says "an ipc namespace that is not shared" 'alone does not share.*--ipc shareable' --ipc container:alone "$IMAGE" true
c stop -t 0 alone >/dev/null
says "one that does not run" 'alone does not run' --pid container:alone "$IMAGE" true
says "one that is not there" '--pid: container "nobody": not found' --pid container:nobody "$IMAGE" true
c rm -f web >/dev/null
t_wait 60 sh -c "[ \"\$($CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN inspect guest | jq -r '.[0].status')\" = exited ]"
t_is "who is in a pid namespace ends with its first process" exited "$(c inspect guest | jq -r '.[0].status')"
c rm -f guest alone >/dev/null

# ---- groups ----
in_run "--group-add by name and number" 0 "0 29 777" --group-add audio --group-add 777 --group-add 0 "$IMAGE" id -G
in_run "--group-add, behind the user's own" 0 "1000 5 29" -u user --group-add 29 --group-add 5 "$IMAGE" id -G
says "a group that is not there" 'group-add: "nope" is not in' --group-add nope "$IMAGE" true

# ---- users of its own ----
ids() { find "$C_ROOT/containers/.ids" -type l 2>/dev/null | wc -l; }
c run --rm --userns auto "$IMAGE" true 2>"$T_DIR/err" >/dev/null
if grep -Eq 'may not know how|which Linux has from' "$T_DIR/err"; then
	t_skip "--userns auto" "$(cat "$T_DIR/err")"
else
	in_run "--userns auto: root inside" 0 "0 1879048192 65536" --userns auto "$IMAGE" \
		sh -c 'echo $(id -u) $(awk "{ print \$2, \$3 }" /proc/self/uid_map)'
	c run -d --name u1 --userns auto -v mapped:/vol "$IMAGE" sh -c 'touch /made /vol/made; chown user /vol/made; exec sleep 1000' >/dev/null
	c run -d --name u2 --userns auto "$IMAGE" sleep 1000 >/dev/null
	t_wait 60 sh -c "[ \"\$(ctr --root $C_ROOT --runroot $C_RUN exec u1 cat /proc/1/comm)\" = sleep ]"
	p1=$(c inspect u1 | jq '.[0].pid') p2=$(c inspect u2 | jq '.[0].pid')
	t_is "nobody outside, and each another" "1879048192 1879113728" "$(stat -c %u "/proc/$p1" "/proc/$p2" | sort | xargs)"
	t_is "layers show the container's ids, and stay as they are" "0 0 700" \
		"$(c exec u1 stat -c '%u %g %a' /root)"
	t_is "what it writes is its own" "1879048192" "$(stat -c %u "$C_ROOT"/containers/*/upper/made)"
	t_is "a volume keeps the container's ids" "1000" "$(stat -c %u "$(c volume inspect mapped | jq -r '.[0].path')/made")"
	in_run "so another container sees them, too" 0 "1000" -v mapped:/vol "$IMAGE" stat -c %u /vol/made
	t_is "a file of the host's root is nobody's" "65534" "$(touch "$T_DIR/ours"; c run --rm --userns auto -v "$T_DIR/ours:/ours" "$IMAGE" stat -c %u /ours)"
	t_is "exec is inside" "$(readlink "/proc/$p1/ns/user")" "$(c exec u1 readlink /proc/self/ns/user)"
	t_is "exec as a user" "1000 29" "$(c exec -u user u1 sh -c 'echo $(id -u) $(id -G | cut -d" " -f2)')"
	t_is "its network is its own" "yes" "$(c exec u1 ip addr show eth0 | grep 'inet ' >/dev/null && echo yes)"
	t_status "to rule, with the capability" 0 c run --rm --userns auto --cap-add NET_ADMIN "$IMAGE" ip link set eth0 mtu 1400
	t_status "the bridge answers" 0 c exec u1 ping -c 1 -W 10 "$(c inspect u1 | jq -r '.[0].gateway')"
	in_run "no network" 0 "lo" --userns auto --network none "$IMAGE" sh -c 'ls /sys/class/net'
	in_run "an image's user" 0 "1000" --userns auto -u user "$IMAGE" id -u
	t_is "another container's processes are out of reach" "" "$(c exec u1 sh -c "kill -0 $p2" 2>/dev/null && echo reached)"
	says "not with --privileged" 'userns auto: --privileged' --userns auto --privileged "$IMAGE"
	says "not with the host's network" 'a network namespace of the' --userns auto --network host "$IMAGE"
	says "not with the host's processes" 'a pid namespace of the' --userns auto --pid host "$IMAGE"
	says "not with another's" "another container's" --userns auto --pid container:u1 "$IMAGE"
	says "nobody joins it" 'user namespace of its own, which keeps others out' --pid container:u1 "$IMAGE"
	t_is "two ranges are taken" 2 "$(ids)"
	c rm -f u1 u2 >/dev/null
	t_is "and let go" 0 "$(ids)"
	c volume rm mapped >/dev/null
fi

# ---- wrong ones ----
says "pid: unknown" 'pid: "x" is unknown; there are private, host and' --pid x "$IMAGE"
says "pid: not shareable" 'pid: "shareable" is unknown' --pid shareable "$IMAGE"
says "ipc: which" 'ipc: which container' --ipc container: "$IMAGE"
says "uts: unknown" 'uts: "container:x" is unknown' --uts container:x "$IMAGE"
says "cgroupns: unknown" 'cgroupns: "none" is unknown' --cgroupns none "$IMAGE"
says "userns: unknown" 'userns: "keep-id" is unknown' --userns keep-id "$IMAGE"
says "a host name for the host" 'the host keeps its name' --uts host --hostname x "$IMAGE"

c_nothing_left "$T_DIR/before"
