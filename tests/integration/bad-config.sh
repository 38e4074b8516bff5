#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 30 wrong config.json documents, each a valid one with one field changed: `cellar run` says in one
# sentence which field it was, by its JSON path, ends with 1, and leaves nothing.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
cellar spec -b "$bundle"
valid=$T_DIR/valid.json
jq '.process.terminal = false | .process.args = ["true"]' "$bundle/config.json" >"$valid"
cp "$valid" "$bundle/config.json"
t_status "the valid document runs" 0 cellar --root "$root" run -b "$bundle" "$T_ID"

residue() {
	ls -A "$root"
	find /sys/fs/cgroup -type d -name "*$T_ID*" 2>/dev/null
	grep -c "$T_DIR" /proc/self/mountinfo
}
residue >"$T_DIR/before"

# bad NAME FILTER PATTERN: the sentence has to match, and to name the path
bad() {
	jq "$2" "$valid" >"$bundle/config.json"
	t_status "$1: status" 1 cellar --root "$root" run -b "$bundle" "$T_ID"
	t_match "$1: sentence" "$3" "$T_ERR"
	t_is "$1: one line, nothing on stdout" "1 0" "$(wc -l <<<"$T_ERR") ${#T_OUT}"
	residue >"$T_DIR/after"
	t_is "$1: nothing is left" "" "$(diff "$T_DIR/before" "$T_DIR/after" | tr '\n' ' ')"
}

bad "version of another world" '.ociVersion = "2.0.0"' 'ociVersion: "2.0.0"'
bad "no version" 'del(.ociVersion)' 'ociVersion: missing'
bad "version as a number" '.ociVersion = 1' 'ociVersion: a number'
bad "no root" 'del(.root)' 'root: missing'
bad "empty root path" '.root.path = ""' 'root.path: empty'
bad "root that is not there" '.root.path = "nowhere"' 'invalid rootfs .root.path.: .*nowhere: No such file'
bad "root that is a file" '.root.path = "config.json"' 'invalid rootfs .root.path.: .*config.json: not a directory'
bad "read-only as text" '.root.readonly = "yes"' 'root.readonly: a string'
bad "no process" 'del(.process)' 'process property must not be empty'
bad "no program" '.process.args = []' 'process.args: args must not be empty'
bad "arguments as text" '.process.args = "true"' 'process.args: a string'
bad "a number among the arguments" '.process.args = ["true", 7]' 'process.args\[1\]: a number'
bad "relative folder" '.process.cwd = "tmp"' 'process.cwd: Cwd must be an absolute path'
bad "user beyond 32 bits" '.process.user.uid = 4294967296' 'process.user.uid: 4294967296'
bad "negative group" '.process.user.gid = -1' 'process.user.gid: -1'
bad "a number for a capability" '.process.capabilities.bounding += [12]' \
	'process.capabilities.bounding\[3\]: a number'
bad "unknown limit" '.process.rlimits[0].type = "RLIMIT_X"' 'process.rlimits\[0\].type: .*RLIMIT_X'
bad "soft limit above the hard one" '.process.rlimits[0].soft = 2048' 'process.rlimits\[0\]'
bad "oom score out of range" '.process.oomScoreAdj = 1001' 'process.oomScoreAdj: 1001'
bad "host name without its namespace" \
	'.linux.namespaces |= map(select(.type != "uts"))' 'hostname: needs a uts namespace'
bad "no mount namespace" '.linux.namespaces |= map(select(.type != "mount"))' \
	'linux.namespaces: .*mount namespace'
bad "unknown namespace" '.linux.namespaces[0].type = "space"' 'linux.namespaces\[0\].type: .*space'
bad "namespace that is not there" '.linux.namespaces[1].path = "/nowhere/net"' \
	'/nowhere/net.*No such file'
bad "a namespace twice" '.linux.namespaces += [{"type": "ipc"}]' 'linux.namespaces\[[0-9]+\]'
bad "user namespace without maps" '.linux.namespaces += [{"type": "user"}]' 'linux.uidMappings: missing'
bad "unknown file system" '.mounts[2].type = "nofs"' 'mount.* nofs .*/dev/pts.*no such file system'
bad "mount source that is not there" \
	'.mounts += [{"destination": "/tmp", "source": "/nowhere/at/all", "options": ["bind"]}]' \
	'/nowhere/at/all.*No such file'
bad "device rule of no type" '.linux.resources.devices[0].type = "x"' \
	'linux.resources.devices\[0\].type: .*x'
bad "memory limit as text" '.linux.resources.memory.limit = "64m"' \
	'linux.resources.memory.limit: a string'
bad "hook with a relative path" '.hooks.prestart = [{"path": "bin/x"}]' \
	'hooks.prestart\[0\].path: .*bin/x'
bad "seccomp action of no meaning" '.linux.seccomp = {"defaultAction": "SCMP_ACT_SING"}' \
	'linux.seccomp.defaultAction: .*SCMP_ACT_SING'

printf '{"ociVersion": "1.0.2", "process": {' >"$bundle/config.json"
t_status "a torn document: status" 1 cellar --root "$root" run -b "$bundle" "$T_ID"
t_match "a torn document: sentence" 'config.json' "$T_ERR"
