#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What callers of runc see of cellar: exit statuses, the words they match, and what a container finds,
# as runc 1.3 was seen to do it when the same command lines and documents went through both.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-d
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
jq '.process.terminal = false | .process.args = ["sleep", "1000"]' "$bundle/config.json" >"$T_DIR/config.json"
t_defer 'c delete -f $id'
# config FILTER: the bundle's document, changed
config() { jq "$1" "$T_DIR/config.json" >"$bundle/config.json"; }
# says NAME STATUS WORDS COMMAND...: the status, and words of runc's in the message
says() {
	local name=$1 status=$2 words=$3
	shift 3
	t_status "$name" "$status" "$@"
	t_match "$name, in runc's words" "$words" "$T_ERR"
}

# ---- life: what is refused, and in which words ----

config .
says "no id" 1 "container id cannot be empty" c run -b "$bundle" ""
says "a wrong id" 1 "invalid container ID format" c run -b "$bundle" a/b
says "an unknown verb" 3 "No help topic for 'frob'" c frob
says "no config.json" 1 "JSON specification file config.json not found" c run -b "$bundle/rootfs" "$id"
says "state in JSON on stderr" 1 '^\{"level":"error","msg":"container does not exist' c --log-format json state "$id"
says "run with descriptors that are not there" 1 "unable to stat preserved-fd" c run -b "$bundle" --preserve-fds 50 "$id"
c create -b "$bundle" "$id" </dev/null >/dev/null 2>&1
c pause "$id"
t_is "a created container that is paused" paused "$(c state "$id" | jq -r .status)"
says "start of what is paused" 1 "cannot start a container in the paused state" c start "$id"
t_status "resume of what is created" 0 c resume "$id"
t_status "start" 0 c start "$id"
says "start again" 1 "cannot start an already running container" c start "$id"
says "create with its id" 1 "container with given ID already exists" c create -b "$bundle" "$id"
says "delete of what runs" 1 "cannot delete container $id that is not stopped: running" c delete "$id"
says "an unknown signal" 1 'unknown signal "FOO"' c kill "$id" FOO
t_status "no signal is TERM, IO is a signal" 0 c kill "$id" IO
t_status "crun's RTMAX-1 is one" 0 c kill "$id" RTMAX-1
t_is "exec: the last of two variables counts, HOME comes last" "TERM=xterm A=2 PATH=/bin HOME=/root" \
	"$(c exec -e A=1 -e A=2 -e PATH=/bin "$id" /bin/env | xargs)"
t_is "exec with an empty user is exec without" 0 "$(c exec --user "" "$id" id -u)"
t_status "exec --cap of what nobody knows" 0 c exec --cap CAP_FOO "$id" true
says "exec in a folder that is not there" 255 'exec failed: unable to start container process: chdir to cwd \("/none"\) set in config.json failed: No such' c exec --cwd /none "$id" true
says "exec where nobody is" 255 "exec failed: container does not exist" c exec "$id-no" true
t_is "state: the order of its keys" '["ociVersion","id","pid","status","bundle"]' "$(c state "$id" | jq -c 'keys_unsorted[:5]')"
says "exec without a program" 255 "exec args cannot be empty" c exec "$id"
says "exec with a relative folder" 255 "Cwd must be an absolute path" c exec --cwd etc "$id" true
says "exec -d -t without a socket" 255 "cannot allocate tty" c exec -d -t "$id" true
says "exec of what is not there" 255 'exec: "nope": executable file not found in \$PATH' c exec "$id" nope
t_match "ps is ps -ef" "^UID +PID +PPID +C +STIME +TTY +TIME +CMD$" "$(c ps "$id" | head -n 1)"
t_match "ps: a row" "^root +$(c state "$id" | jq .pid) +[0-9]+ +[0-9]+ [0-9A-Za-z:]{5} \\?  +00:00:0[0-9] sleep 1000$" "$(c ps "$id" | tail -n 1)"
t_is "events: what runc's callers read" true "$(c events --stats "$id" | jq '.data | (.memory.raw | length > 10) and
	(.memory.swap.usage >= 0) and (.cpu.usage.total > 0) and (.pids.current == 1) and (.blkio | type == "object") and (.hugetlb | type == "object")')"
c pause "$id"
says "exec in what is paused" 255 "cannot exec in a paused container \(use --ignore-paused to override\)" c exec "$id" true
c kill "$id" KILL
is_stopped() { [ "$(c state "$id" | jq -r .status)" = stopped ]; }
t_wait 60 is_stopped
says "kill of what has stopped" 1 "container not running" c kill "$id" TERM
says "start of what has stopped" 1 "cannot start a container that has stopped" c start "$id"
says "exec in what has stopped" 255 "cannot exec in a stopped container" c exec "$id" true
says "events of what has stopped" 1 "container with id $id is not running" c events --stats "$id"
c delete "$id"
c create -b "$bundle" "$id" </dev/null >/dev/null 2>&1
t_status "TERM for what waits for its start" 0 c kill "$id"
t_wait 60 is_stopped && t_ok "ends it" || t_fail "ends it" "$(c state "$id")"
c delete "$id"

# ---- documents ----

refused() {
	config "$3"
	says "$1" 1 "$2" c run -b "$bundle" "$id"
}
refused "no process" "process property must not be empty" 'del(.process)'
refused "no arguments" "args must not be empty" '.process.args = []'
refused "no folder" "Cwd property must not be empty" '.process.cwd = ""'
refused "a relative folder" "Cwd must be an absolute path" '.process.cwd = "etc"'
refused "effective capabilities that are not permitted" "CAP_KILL is not among the permitted" \
	'.process.capabilities.effective = ["CAP_KILL"] | .process.capabilities.permitted = []'
refused "options of a file system for a bind" "bind mounts cannot have any filesystem-specific options" \
	'.mounts += [{destination: "/mnt", source: "/", type: "bind", options: ["bind", "size=1m"]}]'
config '.process.args = ["env"] | .process.env += ["A=1", "HOME=", "A=2"]'
t_is "run: the last of two variables counts, HOME comes last" "A=2 HOME=/root" \
	"$(c run -b "$bundle" "$id" </dev/null | tail -n 2 | xargs)"
config '.process.args = ["true"] | .mounts += [{destination: "/tmp", source: "/var", type: "bind", options: ["rbind", "sync", "lazytime"]}]'
t_status "options of a superblock do nothing to a bind" 0 c run -b "$bundle" "$id"
config '.process.args = ["grep", " /mnt ", "/proc/self/mountinfo"] | .linux.cgroupsPath = ""
	| .mounts += [{destination: "/mnt", source: "tmpfs", type: "tmpfs", options: ["norelatime"]}]'
t_match "norelatime is not strictatime, and an empty cgroupsPath is none" " /mnt rw,relatime " "$(c run -b "$bundle" "$id" </dev/null)"

# ---- what turns out to be no program, hooks ----

printf '#!/nowhere/sh\n' >"$bundle/rootfs/bin/orphan"
echo nonsense >"$bundle/rootfs/bin/nonsense"
chmod +x "$bundle/rootfs/bin/orphan" "$bundle/rootfs/bin/nonsense"
config '.process.args = ["/bin/orphan"]'
says "run without its interpreter" 255 "exec /bin/orphan: no such file or directory" c run -b "$bundle" "$id"
config '.process.args = ["/bin/nonsense"]'
says "run of what is no program" 255 "exec /bin/nonsense: exec format error" c run -b "$bundle" "$id"
for hook in prestart createRuntime createContainer startContainer poststart; do
	config '.hooks.'$hook' = [{path: "/bin/true"}, {path: "/bin/sh", args: ["sh", "-c", "echo no luck >&2; exit 7"]}]'
	says "a $hook hook that fails" 1 "error running $hook hook #1: .*exit status 7.*no luck" c run -d -b "$bundle" "$id"
done
config '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "pwd; echo $T_HOOK >&2; exit 1"]}]}'
T_HOOK=inherited says "a hook without variables has ours" 1 "inherited" c run -b "$bundle" "$id"
config '.hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", "pwd >&2; exit 1"]}]}'
says "a createContainer hook is in the root file system" 1 "$bundle/rootfs" c run -b "$bundle" "$id"
config '.hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "echo $HOME $TERM >&2; exit 1"]}]}'
says "a startContainer hook has the program's variables" 1 "/root xterm" c run -b "$bundle" "$id"
config '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: []}'
t_status "a filter that refuses even the end" 132 timeout -k 1 60 cellar --root "$root" run -b "$bundle" "$id"

# ---- options of crun, and debugging messages ----

config '.process.args = ["echo", "other"]'
mv "$bundle/config.json" "$T_DIR/other.json"
t_is "run --config" other "$(cd "$T_DIR" && c run -b "$bundle" -f other.json "$id" </dev/null)"
t_status "create --config, --no-subreaper" 0 eval 'c create --no-subreaper --config "$T_DIR/other.json" -b "$bundle" "$id" >/dev/null 2>&1'
t_status "delete of what was created" 0 c delete "$id"
says "--config of what is not there" 1 "JSON specification file none.json not found" c run -b "$bundle" -f none.json "$id"
t_status "spec --file" 0 c spec -b "$T_DIR" --file from-spec.json
t_is "and it is one" true "$(jq 'has("process")' "$T_DIR/from-spec.json")"
says "spec over a file" 1 "from-spec.json exists. Remove it first" c spec -b "$T_DIR" --file from-spec.json
config '.process.args = ["true"]'
says "--debug" 0 "level=debug" c --debug run -b "$bundle" "$id"
t_status "--debug with a log in JSON" 0 c --debug --log "$T_DIR/debug.log" --log-format json run -b "$bundle" "$id"
t_match "which has lines of it" '^\{"level":"debug","msg":' "$(cat "$T_DIR/debug.log")"

# ---- what is out of range, or of another place ----

refused "kernel.hostname by sysctl" 'conflicts with the OCI "hostname" field' '.linux.sysctl = {"kernel.hostname": "x"}'
refused "a priority without a realtime policy" "can only be specified for SchedFIFO or SchedRR" \
	'.process.scheduler = {policy: "SCHED_OTHER", priority: 5}'
refused "a deadline without its policy" "can only be specified for SchedDeadline" \
	'.process.scheduler = {policy: "SCHED_OTHER", runtime: 5}'
config '.process.args = ["hostname"] | .hostname = ""'
t_is "an empty host name leaves the host's" "$(uname -n)" "$(c run -b "$bundle" "$id" </dev/null)"
if grep -q 'cgroup [^ ]*cpu' /proc/mounts && [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
	refused "swappiness" "invalid memory swappiness value: 101" '.linux.resources.memory = {swappiness: 101}'
	refused "one share" "the minimum allowed cpu-shares is 2" '.linux.resources.cpu = {shares: 1}'
	refused "a million shares" "the maximum allowed cpu-shares is 262144" '.linux.resources.cpu = {shares: 1000000}'
	config .
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
	t_match "tun is among the default devices" "^c 10:200 rwm" "$(cat "/sys/fs/cgroup/devices$(jq -r .cgroupPath "$root/$id/state.json")/devices.list")"
	c delete -f "$id"
elif [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	config '.linux.resources.cpu = {shares: 1024}'
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
	t_is "the default of shares is the default of weights" 100 \
		"$(cat "/sys/fs/cgroup$(jq -r .cgroupPath "$root/$id/state.json")/cpu.weight")"
	c delete -f "$id"
	refused "a file of no controller" 'controller "foo" not available' '.linux.resources.unified = {"foo.bar": "1"}'
fi
