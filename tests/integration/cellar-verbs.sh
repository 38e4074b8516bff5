#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The rest of the command line that runc's callers know: events, features, ps of ps(1), sockets for
# pidfds, exec in other cgroups, options in front of the verb, spec --rootless.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-v
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
jq '.process.terminal = false | .process.args = ["sh", "-c", "while :; do sleep 0.1; done"]' \
	"$bundle/config.json" >"$T_DIR/config.json"
cp "$T_DIR/config.json" "$bundle/config.json"
t_defer 'c delete -f $id'
begin() { c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/begin.err"; }
is_stopped() { [ "$(c state "$id" | jq -r .status)" = stopped ]; }
cgroup() { jq -r .cgroupPath "$root/$id/state.json"; }

# ---- events ----

begin
t_status "events --stats" 0 c events --stats "$id"
t_is "events: one line" "stats $id" "$(jq -r '"\(.type) \(.id)"' <<<"$T_OUT")"
t_is "events: numbers" true "$(jq '.data | .cpu.usage.total >= 0 and .memory.usage.usage >= 0 and .pids.current >= 0' <<<"$T_OUT")"
c events --interval 50ms "$id" >"$T_DIR/events" 2>&1 &
follower=$!
t_wait 60 eval '[ "$(grep -c "\"stats\"" "$T_DIR/events")" -ge 3 ]' && t_ok "events: again and again" || t_fail "events: again and again" "$(cat "$T_DIR/events")"
c kill "$id" KILL
wait $follower
t_is "events end with the container" 0 $?
t_wait 60 is_stopped
t_status "events of a stopped one" 1 c events --stats "$id"
t_status "events with a wrong interval" 1 c events --interval soon "$id"
t_match "events with a wrong interval, in words" "--interval: 'soon'" "$T_ERR"
c delete "$id"
jq '.linux.resources.memory.limit = 12000000 | .process.args[2] = "until [ -e /go ]; do sleep 0.1; done; tail /dev/zero; while :; do sleep 0.1; done"' \
	"$T_DIR/config.json" >"$bundle/config.json"
if begin; then
	: >"$T_DIR/events"
	c events --interval 100ms "$id" >"$T_DIR/events" 2>&1 &
	follower=$!
	t_wait 60 grep -q '"stats"' "$T_DIR/events"
	: >"$bundle/rootfs/go"
	t_wait 60 grep -q 'oom"' "$T_DIR/events"
	c kill "$id" KILL
	wait $follower
	rm "$bundle/rootfs/go"
	t_is "events tell an OOM kill" "{\"type\":\"oom\",\"id\":\"$id\"}" "$(grep -m 1 oom\" "$T_DIR/events" | grep -v stats)"
	c delete -f "$id"
else
	t_skip "events tell an OOM kill" "$(tail -n 1 "$T_DIR/begin.err")"
fi
cp "$T_DIR/config.json" "$bundle/config.json"

# ---- features ----

t_status "features" 0 cellar features
t_is "features: versions" "1.0.0 1" "$(jq -r '"\(.ociVersionMin) \(.ociVersionMax | split(".")[0])"' <<<"$T_OUT")"
t_is "features: words" true "$(jq '(.hooks | length) == 6 and (.mountOptions | index("rro") and index("tmpcopyup"))
	and (.linux.namespaces | index("time")) and (.linux.capabilities | index("CAP_SYS_ADMIN"))
	and (.linux.seccomp.operators | index("SCMP_CMP_MASKED_EQ")) and (.linux.seccomp.archs | length > 0) | . != null' <<<"$T_OUT")"
t_is "features: mount options are sorted and there once" "$(jq -c '.mountOptions | unique' <<<"$T_OUT")" "$(jq -c .mountOptions <<<"$T_OUT")"
# Each action that is promised works: a filter of it is loaded.
for action in $(jq -r '.linux.seccomp.actions[]' <<<"$T_OUT" | grep -v NOTIFY); do
	jq --arg a "$action" '.process.args = ["true"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["sethostname"], action: $a}]}' \
		"$T_DIR/config.json" >"$bundle/config.json"
	t_status "features: $action" 0 c run -b "$bundle" "$id"
done
cp "$T_DIR/config.json" "$bundle/config.json"

# ---- ps, pidfds ----

begin
pid=$(c state "$id" | jq .pid)
t_is "ps with options of ps" "PID COMM $pid sh" "$(c ps "$id" -o pid=PID,comm=COMM | xargs | cut -d' ' -f1-4)"
t_match "ps -ef" "^UID +PID" "$(c ps "$id" -ef | head -n 1)"
t_status "ps without a PID column" 1 c ps "$id" -o comm
if command -v python3 >/dev/null; then
	receive() {
		rm -f "$T_DIR/pidfd"
		python3 - "$T_DIR/pidfd" >"$T_DIR/pidfd.out" <<-'END_PYTHON' &
			import array, os, socket, sys
			s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1] + ".new"); s.listen(1)
			os.rename(sys.argv[1] + ".new", sys.argv[1])
			data, anc, _, _ = s.accept()[0].recvmsg(100, 100)
			fd = array.array("i", anc[0][2])[0]
			pid = [l.split()[1] for l in open("/proc/self/fdinfo/%d" % fd) if l.startswith("Pid:")][0]
			print(data.decode(), pid)
		END_PYTHON
		receiver=$!
		t_wait 60 test -S "$T_DIR/pidfd"
	}
	receive
	t_status "exec --pidfd-socket" 0 c exec -d --pid-file "$T_DIR/pid" --pidfd-socket "$T_DIR/pidfd" "$id" sleep 100
	wait $receiver
	t_is "exec --pidfd-socket: what arrived" "setns $(cat "$T_DIR/pid")" "$(cat "$T_DIR/pidfd.out")"
	c delete -f "$id"
	receive
	t_status "create --pidfd-socket" 0 eval "c create -b $bundle --pidfd-socket $T_DIR/pidfd $id >/dev/null 2>&1"
	wait $receiver
	t_is "create --pidfd-socket: what arrived" "standard $(c state "$id" | jq .pid)" "$(cat "$T_DIR/pidfd.out")"
	c delete -f "$id"
	begin
else
	t_skip "--pidfd-socket" "python3 is not installed"
fi
t_status "create with a pidfd socket that is not there" 1 c create -b "$bundle" --pidfd-socket "$T_DIR/none" "$id-none"
t_match "and in words" "pidfd socket $T_DIR/none" "$T_ERR"
t_is "and nothing is left" "$id" "$(c list -q)"

# ---- exec --cgroup ----

mkdir_everywhere() {
	local folder
	while read -r folder; do
		folder+=$(cgroup)
		[ -d "$folder" ] || continue
		mkdir "$folder/inner"
		# A cpuset of v1 starts without any, and nobody may join it.
		[ ! -e "$folder/cpuset.cpu_exclusive" ] || cp --no-preserve=all "$folder"/cpuset.{cpus,mems} "$folder/inner/"
	done < <(awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts)
}
mkdir_everywhere
t_is "exec --cgroup" "$(cgroup)/inner" "$(c exec --cgroup inner "$id" sleep 0 && c exec -d --cgroup ./a/../inner --pid-file "$T_DIR/pid" "$id" sleep 100 >/dev/null && cut -d: -f3 "/proc/$(cat "$T_DIR/pid")/cgroup" | grep inner | sort -u)"
t_status "exec --cgroup that is not there" 255 c exec --cgroup nowhere "$id" true
t_status "exec --cgroup out of the container's" 255 c exec --cgroup ../.. "$id" true
t_match "exec --cgroup out of the container's, in words" "not a sub cgroup path" "$T_ERR"
t_status "exec --cgroup that is not there" 255 c exec --cgroup nowhere "$id" true
t_match "exec --cgroup that is not there, in words" "open the cgroup .*/nowhere" "$T_ERR"
if grep -q 'cgroup [^ ]*pids' /proc/mounts || grep -Eq 'cgroup rw.*pids' /proc/mounts; then
	c exec -d --cgroup pids:inner --pid-file "$T_DIR/pid" "$id" sleep 100
	t_is "exec --cgroup of one controller" "$(cgroup)/inner $(cgroup)" \
		"$(grep -E ':(pids|freezer):' "/proc/$(cat "$T_DIR/pid")/cgroup" | sort -t: -k2 -r | cut -d: -f3 | xargs)"
else
	t_status "exec --cgroup of one controller, without v1" 255 c exec --cgroup pids:inner "$id" true
fi
t_status "exec --no-subreaper" 0 c exec --no-subreaper "$id" true
t_status "delete takes inner cgroups along" 0 c delete -f "$id"
t_is "nothing is left of cgroups" "" "$(find /sys/fs/cgroup -type d -name "*$id*")"

# ---- sockets of systemd ----

jq '.process.args = ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4"]' "$T_DIR/config.json" >"$bundle/config.json"
echo three >"$T_DIR/three"
echo four >"$T_DIR/four"
t_is "LISTEN_FDS are passed on" "2 1 three four" \
	"$(sh -c 'LISTEN_PID=$$ LISTEN_FDS=2 exec cellar --root "$1" run -b "$2" "$3"' sh "$root" "$bundle" "$id" 3<"$T_DIR/three" 4<"$T_DIR/four" </dev/null | xargs)"
jq '.process.args = ["sh", "-c", "echo ${LISTEN_FDS:-none}; [ -e /proc/self/fd/3 ] && readlink /proc/self/fd/3"]' "$T_DIR/config.json" >"$bundle/config.json"
t_is "LISTEN_FDS of another process are not" none \
	"$(LISTEN_PID=1 LISTEN_FDS=1 c run -b "$bundle" "$id" 3<"$T_DIR/three" </dev/null | grep -v proc | xargs)"
cp "$T_DIR/config.json" "$bundle/config.json"

# ---- options in front ----

t_status "--cgroup-manager cgroupfs" 0 cellar --root "$root" --cgroup-manager cgroupfs --rootless auto --log-level error list
t_status "--rootless with a wrong word" 1 cellar --rootless perhaps list
t_status "--log-level with a wrong word" 1 cellar --log-level loud list
(cd "$T_DIR" && mkdir spec && cd spec && cellar spec --rootless)
t_is "spec --rootless" "user 0 null" "$(jq -r '"\(.linux.namespaces[] | select(.type == "user") | .type) \(.linux.uidMappings[0].hostID) \(.linux.resources)"' "$T_DIR/spec/config.json")"
mkdir "$T_DIR/spec/rootfs" && cp -a "$bundle/rootfs/." "$T_DIR/spec/rootfs"
jq '.process.terminal = false | .process.args = ["id", "-u"]' "$T_DIR/spec/config.json" >"$T_DIR/spec/config.new" && mv "$T_DIR/spec/config.new" "$T_DIR/spec/config.json"
chmod 755 "$T_DIR"
t_is "spec --rootless can be run" 0 "$(c run -b "$T_DIR/spec" "$id")"
for verb in events features; do
	t_status "help: $verb" 0 cellar $verb --help
	t_match "help: $verb, usage" "^Usage: cellar" "$T_OUT"
done

# ---- several at once ----

for i in 1 2 3; do
	c run -d -b "$bundle" "$id-many$i" </dev/null >/dev/null 2>&1
done
t_defer 'c delete -f --regex "$id-"'
c create -b "$bundle" "$id-other" </dev/null >/dev/null 2>&1
t_status "kill --regex" 0 c kill --regex "^$id-many[12]\$" KILL
some_stopped() { [ "$(c list -f json | jq '[.[] | select(.status == "stopped")] | length')" = 2 ]; }
t_wait 60 some_stopped && t_ok "kill --regex: those that match, and no others" ||
	t_fail "kill --regex: those that match, and no others" "$(c list)"
t_status "delete --regex leaves the running ones alone" 0 c delete --regex "$id-many"
t_is "delete --regex: the others stay" "$id-many3 $id-other" "$(c list -q | xargs)"
t_status "delete --regex: nothing that matches is no error" 0 c delete --regex '^nothing$'
t_status "delete --force --regex" 0 c delete --force --regex "$id-"
t_is "delete --force --regex: all" "" "$(c list -q)"
t_status "--regex that is none" 1 c kill --regex '('
t_match "--regex that is none, in words" "--regex: '\(': .*" "$T_ERR"

# ---- logs of the system ----

t_status "--log file:" 1 cellar --log "file:$T_DIR/log" --log-format json --root "$root" state nobody
t_match "--log file: gets the error" '"level":"error","msg":".*does not exist' "$(cat "$T_DIR/log")"
if command -v python3 >/dev/null; then
	cat >"$T_DIR/dgram.py" <<-'END_PYTHON'
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(60)
		sys.stdout.write(s.recv(4096).decode())
	END_PYTHON
	# In mounts of its own, so that the sockets of the host are left alone.
	cat >"$T_DIR/logs.sh" <<-'END'
		root=$1 dir=$2
		listen() {
			python3 "$dir/dgram.py" "$1" >"$dir/got" &
			for _ in $(seq 300); do [ -S "$1" ] && return; sleep 0.1; done
		}
		mkdir -p "$dir/dev"
		mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount -t tmpfs tmpfs "$dir/dev"
		for node in null zero urandom; do cp -a "/dev/$node" "$dir/dev/"; done
		mount --bind "$dir/dev" /dev
		listen /run/systemd/journal/socket
		cellar --log journald:box --root "$root" state nobody 2>/dev/null
		wait && tr '\n' '|' <"$dir/got" && echo
		listen /dev/log
		cellar --log syslog:box --root "$root" state nobody 2>/dev/null
		wait && tr '\n' '|' <"$dir/got" && echo
	END
	logs=$(unshare -m bash "$T_DIR/logs.sh" "$root" "$T_DIR" 2>&1)
	t_match "--log journald:" '^PRIORITY=3\|SYSLOG_IDENTIFIER=box\|MESSAGE=container does not exist: nobody' "$logs"
	t_match "--log syslog:" '^<11>.* box\[[0-9]+\]: container does not exist: nobody' "$logs"
else
	t_skip "--log journald:, syslog:" "python3 is not installed"
fi
t_status "--log journald: without a journal" 1 unshare -m sh -c 'mount -t tmpfs tmpfs /run; exec cellar --log journald:box list'
t_match "--log journald: without a journal, in words" "reach the journal at /run/systemd/journal/socket" "$T_ERR"

# ---- sd_notify ----

if command -v python3 >/dev/null; then
	cat >"$T_DIR/manager.py" <<-'END_PYTHON'
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(60)
		print(s.recv(4096).decode().replace("\n", " "), flush=True)
	END_PYTHON
	cat >"$bundle/ready.py" <<-'END_PYTHON'
		import os, socket
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.connect(os.environ["NOTIFY_SOCKET"])
		s.send(b"STATUS=warming up")
		s.send(b"STATUS=up\nREADY=1\nMAINPID=1")
	END_PYTHON
	# The container's program has the host's python, which it sees read-only.
	jq '.process.args = ["sh", "-c", "python3 /ready.py; while [ ! -e /tmp/stop ]; do sleep 0.1; done"]
		| .mounts += ([["/usr", "/usr"], ["/lib", "/lib"], ["/lib64", "/lib64"], ["'"$bundle"'/ready.py", "/ready.py"]]
		| map({destination: .[1], source: .[0], options: ["rbind", "ro"]}))' "$T_DIR/config.json" >"$bundle/config.json"
	for way in start run; do
		rm -f "$T_DIR/manager"
		python3 "$T_DIR/manager.py" "$T_DIR/manager" >"$T_DIR/told" &
		manager=$!
		t_wait 60 test -S "$T_DIR/manager"
		if [ $way = start ]; then
			NOTIFY_SOCKET=$T_DIR/manager c create -b "$bundle" "$id" </dev/null >/dev/null 2>&1
			NOTIFY_SOCKET=$T_DIR/manager c start "$id" || t_fail "sd_notify: start" "status $?"
		else
			NOTIFY_SOCKET=$T_DIR/manager c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
		fi
		wait $manager
		t_is "sd_notify: $way waits until it is ready" "READY=1 MAINPID=$(c state "$id" | jq .pid)" "$(cat "$T_DIR/told")"
		c delete -f "$id"
		t_is "sd_notify: nothing is left" "" "$(ls -A "$root")"
	done
	cp "$T_DIR/config.json" "$bundle/config.json"
else
	t_skip "sd_notify" "python3 is not installed"
fi
