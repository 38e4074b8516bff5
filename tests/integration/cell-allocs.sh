#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Alloc sets: room that several jobs share, with a cgroup around the tasks in it.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"
d_start

cat >"$T_DIR/set.yaml" <<-END
	alloc_set: big
	owner: search
	priority: 200
	count: 2
	resources: {cpu: 300m, memory: 96Mi}
END
job() { # NAME OWNER MEMORY COUNT
	cat >"$T_DIR/$1.yaml" <<-END
		job: $1
		owner: $2
		priority: 200
		alloc_set: big
		tasks:
		  count: $4
		  image: $IMAGE
		  command: [sleep, "1000"]
		  stop_grace: 100ms
		  resources: {cpu: 100m, memory: $3}
	END
}
job early search 16Mi 1
t_status "a set that is not there" 1 c job run "$T_DIR/early.yaml"
t_match "is told" 'there is no alloc set called big' "$T_ERR"
timeout 120 ctr --root "$C_ROOT" --runroot "$C_RUN" job run --wait "$T_DIR/set.yaml" >/dev/null
t_is "the set is reserved" "reserved reserved" "$(states big)"
job server search 64Mi 2
job helper search 32Mi 2
timeout 120 ctr --root "$C_ROOT" --runroot "$C_RUN" job run --wait "$T_DIR/server.yaml" >/dev/null
timeout 120 ctr --root "$C_ROOT" --runroot "$C_RUN" job run --wait "$T_DIR/helper.yaml" >/dev/null
t_is "a server in each alloc" "running running" "$(states server)"
t_is "and a helper beside it" "running running" "$(states helper)"
job more search 32Mi 1
c job run "$T_DIR/more.yaml" >/dev/null
t_is "nothing more fits" pending "$(states more)"
job thief others 1Mi 1
t_status "another owner's set" 1 c job run "$T_DIR/thief.yaml"
t_match "is refused in words" 'alloc set big belongs to search, and job thief to others' "$T_ERR"

# ---- cgroups ----
memory_folder() { # PID: of its cgroup that limits memory
	local line
	line=$(grep -E '^[0-9]+:([^:]*,)?memory(,[^:]*)?:' "/proc/$1/cgroup") || line=$(grep '^0::' "/proc/$1/cgroup")
	line=${line#*:*:}
	for root in /sys/fs/cgroup/memory /sys/fs/cgroup; do
		[ -d "$root$line" ] && { echo "$root$line"; return; }
	done
}
limit_of() { # FOLDER
	cat "$1/memory.max" 2>/dev/null || cat "$1/memory.limit_in_bytes"
}
pid_of() { c inspect "$(of_task "$1" "$2" container)" | jq '.[0].pid'; }
folder=$(memory_folder "$(pid_of server 0)")
if [ -n "$folder" ] && [ "$(limit_of "$folder" 2>/dev/null)" = $((64 << 20)) ]; then
	t_match "a task's cgroup is in its alloc's" '/cellar-alloc-dev-[^/]*-big[.][01]/cellar-[0-9a-f]+$' "$folder"
	t_is "which has the alloc's limit" $((96 << 20)) "$(limit_of "$(dirname "$folder")")"
	alloc_folders() { for j in server helper; do for i in 0 1; do dirname "$(memory_folder "$(pid_of $j $i)")"; done; done | sort | uniq -c | awk '{print $1}' | xargs; }
	t_is "server and helper share it" "2 2" "$(alloc_folders)"
else
	t_skip "cgroups of allocs" "no memory controller here"
	folder=
fi

# ---- celld ends and is killed ----
before="$(pid_of server 0) $(pid_of server 1) $(pid_of helper 0) $(pid_of helper 1)"
for signal in TERM KILL; do
	kill -$signal $D
	wait $D 2>/dev/null
	d_start
	t_wait 60 is_state helper "running running" || true
	t_is "after SIG$signal the next celld has them" "$before" "$(pid_of server 0) $(pid_of server 1) $(pid_of helper 0) $(pid_of helper 1)"
	t_is "and the set" "reserved reserved" "$(states big)"
done
t_is "what pended still does" pending "$(states more)"
c job stop --purge helper >/dev/null
t_wait 60 is_state more running && t_ok "it gets the room of what goes" || t_fail "it gets the room of what goes" "$(c job status more; cat "$T_DIR/celld.log")"
t_is "the API tells who is in an alloc" "more/0 server/0 server/1" "$(curl -s --unix-socket "$C_RUN/cell.sock" http://cell/v1/allocs/big | jq -r '.allocs[].tasks[]' | sort | xargs)"

# ---- more room ----
if [ -n "$folder" ]; then
	t_is "resize of the set" true "$(curl -s --unix-socket "$C_RUN/cell.sock" -X POST -d '{"memory_bytes": 134217728}' http://cell/v1/allocs/big/resize | jq .done)"
	has_more() { [ "$(limit_of "$(dirname "$folder")")" = $((128 << 20)) ]; }
	t_wait 60 has_more && t_ok "its cgroup follows" || t_fail "its cgroup follows" "$(limit_of "$(dirname "$folder")")"
fi

# ---- another number of allocs ----
c alloc resize big --memory 128Mi >/dev/null
t_is "plan of a larger set" "2 1" "$(c alloc scale --plan -o json big 3 | jq -r '.tasks[] | "\(.index) \(.machine | length > 0 | if . then 1 else 0 end)"')"
t_is "which changes nothing" "reserved reserved" "$(states big)"
timeout 120 ctr --root "$C_ROOT" --runroot "$C_RUN" alloc scale --wait big 3 >/dev/null
t_is "a larger set" "reserved reserved reserved" "$(states big)"
t_status "one that is too large" 0 c alloc scale big 60
shape() { c job status big -o json | jq -r '[.tasks[].state] | group_by(.) | map("\(length) \(.[0])") | join(" ")'; }
t_is "comes as a whole or not at all" "57 pending 3 reserved" "$(shape)"
t_match "and says what would help" 'it would start with [0-9]+ instead of 60 tasks' "$(c job status big -o json | jq -r '.tasks[59].reason')"
kill -9 $D
wait $D 2>/dev/null
d_start
t_is "after a kill, too" "57 pending 3 reserved" "$(shape)"
c job stop --purge more >/dev/null
t_is "plan of a smaller set" 59 "$(c alloc scale --plan big 1 | grep -c '^big/[0-9]* goes$')"
c alloc scale big 1 >/dev/null
t_wait 60 is_state server "running running" && t_ok "tasks of an alloc that goes come into another" || t_fail "tasks of an alloc that goes come into another" "$(c job status server)"
t_is "both in one" "0 server/0 server/1" "$(c alloc status big -o json | jq -r '.allocs[] | "\(.index) \(.tasks | sort | join(" "))"')"
t_is "and the set remembers" "scaled from 2 to 3 allocs, scaled from 3 to 60 allocs, scaled from 60 to 1 allocs" "$(c job history big -o json | jq -r '[.history[].what | select(startswith("scaled"))] | join(", ")')"
t_status "none at all" 1 c alloc scale big 0
t_match "is refused" '0 is no number of allocs' "$T_ERR"
kill -9 $D
wait $D 2>/dev/null
d_start
t_is "the small set is there after a kill" "1 reserved" "$(shape)"
for name in server big; do c job stop --purge $name >/dev/null; done
no_allocs() { ! c ps -aq | grep -q . && [ ! -e "$C_RUN/.cell" ] && { [ -z "$folder" ] || [ ! -e "$(dirname "$folder")" ]; }; }
t_wait 60 no_allocs && t_ok "the cgroups go with the set" || t_fail "the cgroups go with the set" "$(ls -d "$C_RUN"/.cell/* "$(dirname "${folder:-/}")" 2>/dev/null)"
kill $D
wait $D 2>/dev/null
c_nothing_left "$BEFORE"
