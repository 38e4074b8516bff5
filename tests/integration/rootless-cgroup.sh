#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cellar run by a user who is not root, in a cgroup that was delegated to him.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$(dirname "$0")/../lib/rootless.sh"

folders=()
delegate() {
	local at files controllers
	for at in $(awk '$9 == "cgroup2" || $8 == "cgroup2" || $9 == "cgroup" || $8 == "cgroup" {print $5}' /proc/self/mountinfo); do
		case $at in /sys/fs/cgroup*) ;; *) continue ;; esac
		if [ -e "$at/cgroup.controllers" ]; then
			controllers=$(sed 's/\(^\| \)/\1+/g' "$at/cgroup.controllers")
			[ "$at" != /sys/fs/cgroup ] || echo "$controllers" >"$at/cgroup.subtree_control"
		fi
		mkdir -p "$at/$T_ID/session" || return
		folders+=("$at/$T_ID")
		files=("$at/$T_ID" "$at/$T_ID/cgroup.procs" "$at/$T_ID/tasks" "$at/$T_ID/cgroup.subtree_control" "$at/$T_ID/cgroup.threads")
		chown $user:$user "${files[@]}" 2>/dev/null
		if [ -e "$at/$T_ID/cpuset.cpus" ] && [ ! -e "$at/cgroup.controllers" ]; then
			cat "$at/cpuset.cpus" >"$at/$T_ID/cpuset.cpus" && cat "$at/cpuset.mems" >"$at/$T_ID/cpuset.mems"
			echo 1 >"$at/$T_ID/cgroup.clone_children"
			cat "$at/cpuset.cpus" >"$at/$T_ID/session/cpuset.cpus" && cat "$at/cpuset.mems" >"$at/$T_ID/session/cpuset.mems"
		fi
	done
}
undelegate() {
	local folder
	for folder in "${folders[@]}"; do
		find "$folder" -depth -type d | while read -r f; do t_wait 5 rmdir "$f"; done
	done
}
# d COMMAND...: as the user, from a session in what was delegated
d() {
	(
		for folder in "${folders[@]}"; do echo $BASHPID >"$folder/session/cgroup.procs"; done
		u "$@"
	)
}
delegate
t_defer undelegate
number() { # FILE_V1 FILE_V2: of the container's own cgroup, from within
	d cellar exec two sh -c "cat /sys/fs/cgroup/$1 2>/dev/null || cat /sys/fs/cgroup/$2"
}
with '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 100}} | .process.args = ["sh", "-c", "while :; do sleep 0.1; done"]'
t_status "delegated: run with limits" 0 d cellar run -d -b "$bundle" two
t_is "delegated: the folder lies beside the session" 1 "$(find "${folders[0]}" -mindepth 1 -maxdepth 1 -name 'cellar-two' | wc -l)"
t_is "delegated: memory limit" 67108864 "$(number memory/memory.limit_in_bytes memory.max)"
t_is "delegated: processes limit" 100 "$(number pids/pids.max pids.max)"
t_status "delegated: update" 0 d cellar update --pids-limit 50 two
t_is "delegated: another limit" 50 "$(number pids/pids.max pids.max)"
t_status "delegated: pause" 0 d cellar pause two
t_is "delegated: paused" paused "$(c state two | jq -r .status)"
t_status "delegated: resume" 0 d cellar resume two
t_match "delegated: events" '"pids":\{"current":[1-9]' "$(d cellar events --stats two)"
t_match "delegated: ps" "sleep|sh -c" "$(d cellar ps two)"
t_status "exec from elsewhere goes on" 0 c exec two true
t_status "delegated: delete" 0 d cellar delete -f two
t_is "delegated: nothing is left" "" "$(find "${folders[@]}" -mindepth 1 -maxdepth 1 -name 'cellar*')"
with '.linux.cgroupsPath = "mine/of-own" | .process.args = ["true"]'
t_status "delegated: a relative path" 0 d cellar run -b "$bundle" two
with --arg p "/$T_ID/mine/too" '.linux.cgroupsPath = $p | .process.args = ["true"]'
t_status "delegated: an absolute path" 0 d cellar run -b "$bundle" two
t_is "only the user's own session may be used" 1 "$(with '.process.args = ["true"] | .linux.cgroupsPath = "/x"'; d cellar run -b "$bundle" two 2>/dev/null; echo $?)"
t_is "without a delegated cgroup: a limit is refused" 1 "$(with '.linux.resources.pids.limit = 5'; run >/dev/null 2>&1; echo $?)"
gone() { ! pgrep -u $user >/dev/null; }
t_wait 60 gone && t_ok "no process is left" || t_fail "no process is left" "$(ps -fu $user)"
