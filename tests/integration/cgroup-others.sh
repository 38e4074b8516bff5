#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cgroups that others have a hand in. One that is in use is refused, and who uses it is left alone.
# Nothing waits for ever for one that somebody has frozen: exec and create say so, by whomever it was
# and wherever on the path; --ignore-paused waits for the resume, as its name says.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-z
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
jq --arg path "/$T_ID/above/$id" '.process.terminal = false | .process.args = ["sleep", "10000"]
	| .linux.cgroupsPath = $path' "$bundle/config.json" >"$T_DIR/config" && mv "$T_DIR/config" "$bundle/config.json"
folders() { find /sys/fs/cgroup -depth -type d -path "*/$T_ID*"; }
t_defer 'for name in $(c list -q); do c resume $name; c delete -f $name; done; folders | xargs -r rmdir'
c run -d -b "$bundle" "$id" </dev/null || t_fail "a container" "no"
run() { timeout -k 1 120 "$CELLAR_BIN/cellar" --root "$root" "$@"; }
processes() { c ps -f json "$id" | jq length; }

# ---- in use ----

t_status "a cgroup that is in use" 1 run create -b "$bundle" "$T_ID-y"
t_match "a cgroup that is in use, in words" "cgroup .*/$T_ID/above/$id is in use" "$T_ERR"
t_is "a cgroup that is in use: its container runs on" "1 running" "$(processes) $(c state "$id" | jq -r .status)"
t_is "a cgroup that is in use: nothing is left" "$id" "$(c list -q)"
# As a creator leaves it that was killed before it looked.
mkdir "$root/$T_ID-y"
cp "$bundle/config.json" "$root/$T_ID-y/config.json"
t_status "delete of one that got no further than its config.json" 0 run delete -f "$T_ID-y"
t_is "the container whose cgroup it named runs on" "1 running" "$(processes) $(c state "$id" | jq -r .status)"

# ---- frozen ----

jq --arg path "/$T_ID/above/other" '.linux.cgroupsPath = $path' "$bundle/config.json" >"$T_DIR/config"
mv "$T_DIR/config" "$bundle/config.json"
c pause "$id"
t_status "exec into a paused container" 255 run exec "$id" true
t_match "exec into a paused container, in words" 'cannot exec in a paused container \(use --ignore-paused' "$T_ERR"
run exec --ignore-paused "$id" echo late >"$T_DIR/late" 2>&1 </dev/null &
late=$!
sleep 1.5
t_is "--ignore-paused waits" "" "$(cat "$T_DIR/late")"
c resume "$id"
wait $late
t_is "--ignore-paused: until the resume" "0 late" "$? $(cat "$T_DIR/late")"

# freeze FOLDER...: each as its hierarchy has it
freeze() {
	local file
	for file in "$@"; do
		case $file in */cgroup.freeze) echo 1 ;; *) echo FROZEN ;; esac >"$file"
	done
}
thaw() {
	local file
	for file in "$@"; do
		case $file in */cgroup.freeze) echo 0 ;; *) echo THAWED ;; esac >"$file"
	done
}
# The container's own is what `pause` freezes; here it is the one above, in each hierarchy that can.
# shellcheck disable=SC2044
for file in $(find /sys/fs/cgroup \( -name cgroup.freeze -o -name freezer.state \) -path "*/$T_ID/above/*" ! -path "*/$id/*"); do
	name="the cgroup above is frozen by ${file##*/}"
	freeze "$file"
	t_status "$name: exec" 255 run exec "$id" true
	t_match "$name: in words" "container $id: the cgroup .*/$T_ID/above.* is frozen|in a paused container" "$T_ERR"
	t_status "$name: create" 1 run create -b "$bundle" "$T_ID-y"
	t_match "$name: create, in words" "container $T_ID-y: the cgroup .*/$T_ID/above.* is frozen" "$T_ERR"
	thaw "$file"
	# What was killed while it was frozen dies when it has thawed.
	t_becomes "$name: one process is left in it" 1 processes
	t_status "$name: thawed" 0 run exec "$id" true
done
