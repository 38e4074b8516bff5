#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cellar` as its callers use it: the whole life of a container, and what is left of it (nothing).
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state
mkdir -p "$bundle"
t_rootfs "$bundle/rootfs"
cellar spec -b "$bundle"
cp "$bundle/config.json" "$T_DIR/spec.json"
c() { cellar --root "$root" "$@"; }
each_id() { c list -q 2>/dev/null; }
t_defer 'for id in $(each_id); do c delete -f $id; done'

# config FILTER [ARG...]: the bundle's config.json, from spec's
config() {
	local filter=$1
	shift
	jq ".process.terminal = false | $filter" "$@" "$T_DIR/spec.json" >"$bundle/config.json"
}
sh_config() {
	config '.process.args = ["sh", "-c", $script]' --arg script "$1"
}
status() { c state "$1" | jq -r .status; }
is_stopped() { [ "$(status "$1")" = stopped ]; }
residue() {
	ls -A "$root"
	find /sys/fs/cgroup -type d -name "*$T_ID*" 2>/dev/null
	grep "$T_DIR" /proc/self/mountinfo
	pgrep -f "$T_DIR/bundle"
	true
}
# Who was killed leaves a child that has not heard of it yet.
is_clean() { [ -z "$(residue)" ]; }
settles() { t_wait 60 is_clean; residue; }

# ---- run ----

sh_config 'echo out; echo err >&2; exit 42'
t_status "run passes the exit status" 42 c run -b "$bundle" "$T_ID-run"
t_is "run passes stdout" out "$T_OUT"
t_is "run passes stderr" err "$T_ERR"
sh_config 'kill -9 $$'
t_status "a shell as PID 1 cannot kill itself from inside" 0 c run -b "$bundle" "$T_ID-run"
sh_config 'cat; echo end'
t_is "run passes stdin" "hello end" "$(echo hello | c run -b "$bundle" "$T_ID-run" | xargs)"
sh_config 'hostname; echo $$; cat /proc/self/status | grep NoNewPrivs | tr -d "\t"; touch /x'
t_status "a read-only root refuses a file" 1 c run --bundle="$bundle" "$T_ID-run"
t_is "host name, PID 1 and no_new_privs" "cellar 1 NoNewPrivs:1" "$(xargs <<<"$T_OUT")"
(cd "$bundle" && sh_config 'exit 0' && t_status "the bundle defaults to the current folder" 0 c run "$T_ID-run")
t_is "run -bundle with one dash" "" "$(c run -bundle "$bundle" "$T_ID-run" 2>&1)"

sh_config 'grep -E "^Sig(Blk|Ign)" /proc/self/status | cut -f2 | sort -u'
t_is "no signal is blocked or ignored inside" 0000000000000000 "$(c run -b "$bundle" "$T_ID-run")"
sh_config 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
cellar --root "$root" run -b "$bundle" "$T_ID-run" >"$T_DIR/signal.out" 2>&1 </dev/null &
runner=$!
t_wait 60 grep -q ready "$T_DIR/signal.out"
kill -TERM $runner
wait $runner
t_is "signals are passed on" 7 $?
config '.process.args = ["sh", "-c", "sleep 1000 & exit 4"]
	| .linux.namespaces |= map(select(.type != "pid"))'
t_status "without a pid namespace" 4 c run -b "$bundle" "$T_ID-run"
t_is "without a pid namespace: orphans are killed" "" "$(residue)"
t_status "run --keep" 4 c run --keep -b "$bundle" "$T_ID-run"
t_is "run --keep: it has stopped" stopped "$(status "$T_ID-run")"
t_status "run --keep: delete kills the orphans" 0 c delete "$T_ID-run"
t_is "run --keep: nothing is left" "" "$(residue)"
exec 3<"$T_DIR/spec.json" 4<"$T_DIR/spec.json"
sh_config 'ls /proc/self/fd | wc -l; [ -e /proc/self/fd/3 ] && echo three; [ -e /proc/self/fd/4 ] && echo four'
t_is "run --preserve-fds" "three" "$(c run --preserve-fds 1 -b "$bundle" "$T_ID-run" | sed 1d | xargs)"
exec 3<&- 4<&-

config '.process.args = ["nonesuch"]'
t_status "a missing program: status" 1 c run -b "$bundle" "$T_ID-run"
t_match "a missing program: words" 'executable file not found in \$PATH' "$T_ERR"
config '.process.args = ["/nonesuch"]'
t_status "a missing path: status" 1 c run -b "$bundle" "$T_ID-run"
t_match "a missing path: words" '/nonesuch.*[Nn]o such file or directory' "$T_ERR"
config '.process.args = ["/etc/passwd"]'
t_status "a file that is no program: status" 1 c run -b "$bundle" "$T_ID-run"
t_match "a file that is no program: words" '[Pp]ermission denied' "$T_ERR"
t_is "nothing is left of those runs" "" "$(residue)"

# ---- create, start, state, kill, delete ----

sh_config 'trap "exit 7" TERM; echo started; while :; do sleep 0.1; done'
id=$T_ID-life
c create -b "$bundle" --pid-file "$T_DIR/pid" "$id" >"$T_DIR/life.out" 2>&1 </dev/null
t_is "created" created "$(status "$id")"
t_is "the pid file" "$(c state "$id" | jq .pid)" "$(cat "$T_DIR/pid")"
t_is "the program has not begun" "" "$(cat "$T_DIR/life.out")"
t_status "the id is taken" 1 c create -b "$bundle" "$id"
t_match "the id is taken, in words" "container with given ID already exists" "$T_ERR"
t_is "it is created still" created "$(status "$id")"
t_status "start" 0 c start "$id"
t_is "running" running "$(status "$id")"
t_wait 60 grep -q started "$T_DIR/life.out" || t_fail "the program began" "no output"
t_status "a second start fails" 1 c start "$id"
t_status "delete refuses a running container" 1 c delete "$id"
t_match "delete says why" "cannot delete container $id that is not stopped: running" "$T_ERR"
t_is "state: id, bundle, rootfs" "$id $bundle $bundle/rootfs" \
	"$(c state "$id" | jq -r '"\(.id) \(.bundle) \(.rootfs)"')"
t_is "state: owner" root "$(c state "$id" | jq -r .owner)"
t_is "list -q" "$id" "$(c list -q)"
t_match "list, table" "^ID +PID +STATUS +BUNDLE +CREATED +OWNER" "$(c list)"
t_match "list, row" "^$id +[0-9]+ +running +$bundle +20.*Z +root" "$(c list)"
t_is "list, JSON" "running" "$(c list --format json | jq -r '.[0].status')"
t_match "ps, JSON" "^\[[0-9]+(,[0-9]+)*\]$" "$(c ps --format json "$id")"
t_match "ps, table" "sh -c" "$(c ps "$id")"
t_status "kill by number 0 probes" 0 c kill "$id" 0
t_status "kill with a wrong name" 1 c kill "$id" FOO
t_status "kill TERM" 0 c kill "$id" SIGTERM
t_wait 60 is_stopped "$id"
t_is "stopped" stopped "$(status "$id")"
t_is "a stopped container has no pid" 0 "$(c state "$id" | jq .pid)"
t_status "kill of a stopped one: status" 1 c kill "$id" 9
t_match "kill of a stopped one: words" "container not running" "$T_ERR"
t_status "kill --all of a stopped one" 0 c kill --all "$id" 9
t_status "delete" 0 c delete "$id"
t_status "state of none" 1 c state "$id"
t_match "state of none, in words" "does not exist" "$T_ERR"
t_status "delete of none" 1 c delete "$id"
t_status "delete --force of none" 0 c delete --force "$id"
t_is "nothing is left of a life" "" "$(residue)"

c create -b "$bundle" "$id" </dev/null >/dev/null 2>&1
t_status "a created container may be deleted" 0 c delete "$id"
c create -b "$bundle" "$id" </dev/null >/dev/null 2>&1
t_status "kill --all TERM of a created one" 0 c kill --all "$id" TERM
t_wait 60 is_stopped "$id"
t_is "kill --all TERM of a created one ends it" stopped "$(status "$id")"
c delete --force "$id"
c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
t_is "run -d" running "$(status "$id")"
t_status "pause" 0 c pause "$id"
t_is "paused" paused "$(status "$id")"
t_status "exec in a paused one" 255 c exec "$id" true
t_status "resume" 0 c resume "$id"
t_is "resumed" running "$(status "$id")"
c pause "$id"
t_status "delete --force of a paused one" 0 c delete -f "$id"
t_is "nothing is left of a paused one" "" "$(residue)"

# ---- update ----

# limit ID CONTROLLER FILE_V1 FILE_V2: what the kernel has
limit() {
	local path
	path=$(jq -r .cgroupPath "$root/$1/state.json")
	cat "/sys/fs/cgroup/$2$path/$3" 2>/dev/null || cat "/sys/fs/cgroup$path/$4"
}
sh_config 'while :; do sleep 0.1; done'
t_status "update of none" 1 c update --memory 64m "$id"
t_match "update of none, in words" "does not exist" "$T_ERR"
c create -b "$bundle" "$id" </dev/null >/dev/null 2>&1
if t_status "update of a created one" 0 c update --pids-limit 40 "$id" && grep -q . <<<"$(limit "$id" pids pids.max pids.max 2>/dev/null)"; then
	t_is "update: processes" 40 "$(limit "$id" pids pids.max pids.max)"
	c start "$id"
	t_status "update: memory" 0 c update --memory 64m --memory-reservation 33554432b "$id"
	t_is "update: memory, as the kernel has it" 67108864 "$(limit "$id" memory memory.limit_in_bytes memory.max)"
	t_is "update: reservation" 33554432 "$(limit "$id" memory memory.soft_limit_in_bytes memory.low)"
	t_status "update: no limit of memory" 0 c update --memory -1 "$id"
	t_match "update: no limit, as the kernel has it" "max|[0-9]{15,}" "$(limit "$id" memory memory.limit_in_bytes memory.max)"
	t_status "update: cpu" 0 c update --cpu-period 50000 --cpu-quota=25000 --cpu-share 512 "$id"
	t_match "update: cpu, as the kernel has it" "^25000( 50000)?$" "$(limit "$id" cpu cpu.cfs_quota_us cpu.max)"
	t_match "update: share" "^(512|59)$" "$(limit "$id" cpu cpu.shares cpu.weight)"
	t_status "update: cpuset" 0 c update --cpuset-cpus 0 --cpuset-mems 0 "$id"
	t_is "update: cpuset, as the kernel has it" 0 "$(limit "$id" cpuset cpuset.cpus cpuset.cpus)"
	echo '{"cpu": {"quota": 30000}, "pids": {"limit": 50}, "devices": [{"allow": false, "access": "rwm"}]}' >"$T_DIR/resources"
	t_status "update from stdin" 0 eval "c update --resources - $id <$T_DIR/resources"
	t_match "update from stdin: cpu" "^30000( 50000)?$" "$(limit "$id" cpu cpu.cfs_quota_us cpu.max)"
	t_is "update leaves the devices alone" 3 "$(c exec "$id" head -c 3 /dev/zero | wc -c)"
	sed -i s/50/60/ "$T_DIR/resources"
	t_status "update from a file" 0 c update -r "$T_DIR/resources" "$id"
	t_is "update from a file: processes" 60 "$(limit "$id" pids pids.max pids.max)"
	t_is "update leaves the rest" 0 "$(limit "$id" cpuset cpuset.cpus cpuset.cpus)"
else
	t_skip "update" "no controllers here"
fi
t_status "update with a wrong size" 1 c update --memory 64q "$id"
t_match "update with a wrong size, in words" "--memory: '64q' is no size" "$T_ERR"
t_status "update with a wrong document" 1 eval "echo '{\"cpu\": {\"quota\": \"x\"}}' | c update -r - $id"
t_match "update with a wrong document, in words" "stdin: cpu.quota: " "$T_ERR"
c kill "$id" KILL
t_wait 60 is_stopped "$id"
t_status "update of a stopped one" 1 c update --memory 64m "$id"
t_match "update of a stopped one, in words" "container not running" "$T_ERR"
c delete "$id"
t_is "nothing is left of update" "" "$(residue)"

# ---- exec ----

sh_config 'while :; do sleep 0.1; done'
c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
t_status "exec passes the status" 3 c exec "$id" sh -c 'echo in $(hostname); exit 3'
t_is "exec is inside" "in cellar" "$T_OUT"
t_is "exec: env, folder, user, groups" "v /tmp 5 6 7" \
	"$(c exec -e A=v --cwd /tmp -u 5:6 -g 7 "$id" sh -c 'echo $A $PWD $(id -u) $(id -G)')"
t_status "exec of a missing program: status" 255 c exec "$id" nonesuch
t_match "exec of a missing program: words" 'executable file not found in \$PATH' "$T_ERR"
t_status "exec of no program" 255 c exec "$id" /etc/passwd
t_match "exec of no program: words" '[Pp]ermission denied' "$T_ERR"
jq '.process | .args = ["sh", "-c", "exit 9"]' "$bundle/config.json" >"$T_DIR/process.json"
t_status "exec --process" 9 c exec --process "$T_DIR/process.json" "$id"
t_status "exec --detach" 0 c exec --detach --pid-file "$T_DIR/exec.pid" "$id" sleep 100
t_match "exec's pid is in the container" "\b$(cat "$T_DIR/exec.pid")\b" "$(c ps -f json "$id")"
t_is "exec shares the namespaces" \
	"$(readlink "/proc/$(c state "$id" | jq .pid)/ns/pid")" "$(readlink "/proc/$(cat "$T_DIR/exec.pid")/ns/pid")"
t_is "exec is confined as init" "$(c exec "$id" grep -E 'Cap|NoNew' /proc/1/status | xargs)" \
	"$(c exec "$id" grep -E 'Cap|NoNew' /proc/self/status | xargs)"
t_status "kill of the exec'd" 0 c kill --all "$id" KILL
t_wait 60 is_stopped "$id"
t_is "and it has stopped" stopped "$(status "$id")"
t_status "exec in a stopped one" 255 c exec "$id" true
t_status "delete after that" 0 c delete "$id"
t_is "nothing is left of exec" "" "$(residue)"

# ---- terminal ----

if command -v script >/dev/null; then
	config '.process.terminal = true | .process.args = ["sh", "-c", "tty; stty size; exit 5"]'
	out=$(script -qec "stty rows 33 cols 77; $CELLAR_BIN/cellar --root $root run -b $bundle $id" /dev/null </dev/null)
	t_match "a terminal inside" "/dev/(pts/0|console)" "$out"
	t_match "and of our size" "33 77" "$out"
	t_status "no terminal outside" 1 c run -b "$bundle" "$id"
	t_match "no terminal outside, in words" "not a TTY" "$T_ERR"
	sh_config 'while :; do sleep 0.1; done'
	c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
	out=$(script -qec "$CELLAR_BIN/cellar --root $root exec -t $id tty" /dev/null </dev/null)
	t_match "exec -t" "/dev/(pts/|console)" "$out"
	c delete -f "$id"
else
	t_skip "terminal" "script(1) is not installed"
fi
config '.process.terminal = true | .process.args = ["sh", "-c", "echo hi; sleep 100"]'
t_status "a terminal that nobody takes" 1 c create -b "$bundle" "$id"
t_match "a terminal that nobody takes, in words" "console-socket" "$T_ERR"
if command -v python3 >/dev/null; then
	python3 - "$T_DIR/console" >"$T_DIR/console.out" <<-'END' &
		import array, os, socket, sys
		s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1] + ".new"); s.listen(1)
		os.rename(sys.argv[1] + ".new", sys.argv[1])
		c = s.accept()[0]
		data, anc, _, _ = c.recvmsg(100, 100)
		fd = array.array("i", anc[0][2])[0]
		print(data.decode(), flush=True)
		print(os.read(fd, 100).decode().strip(), flush=True)
		try:
		    os.read(fd, 100)
		except OSError:
		    pass
	END
	reader=$!
	t_wait 60 test -S "$T_DIR/console"
	t_status "create with a console socket" 0 c create -b "$bundle" --console-socket "$T_DIR/console" "$id"
	t_status "start with a console socket" 0 c start "$id"
	t_wait 60 grep -q hi "$T_DIR/console.out"
	t_match "the master arrived" "/dev/p.* hi" "$(xargs <"$T_DIR/console.out")"
	c delete -f "$id"
	kill $reader 2>/dev/null
	wait $reader 2>/dev/null
else
	t_skip "console socket" "python3 is not installed"
fi
t_is "nothing is left of terminals" "" "$(residue)"

# ---- hooks ----

hook() { # NAME SCRIPT
	printf '[{"path": "/bin/sh", "args": ["sh", "-c", %s]}]' "$(jq -Rn --arg s "$2" '$s')"
}
hooks() { # FILE
	local name
	for name in prestart createRuntime createContainer startContainer poststart poststop; do
		printf '%s"%s": %s' "$([ $name = prestart ] || echo ,)" $name \
			"$(hook $name "cat >$1/$name; echo $name >>$1/order")"
	done
}
mkdir "$T_DIR/hooks"
config ".hooks = {$(hooks "$T_DIR/hooks")} | .process.args = [\"true\"]
	| .mounts += [{destination: \"$T_DIR/hooks\", source: \"$T_DIR/hooks\", options: [\"rbind\", \"rw\"]}]
	| .root.readonly = false"
t_status "run with hooks" 0 c run -b "$bundle" "$id"
t_is "hooks run in order" "prestart createRuntime createContainer startContainer poststart poststop" \
	"$(xargs <"$T_DIR/hooks/order")"
for pair in createRuntime:creating createContainer:creating startContainer:created poststart:running poststop:stopped; do
	t_is "the state that ${pair%:*} sees" "$id ${pair#*:}" \
		"$(jq -r '"\(.id) \(.status)"' "$T_DIR/hooks/${pair%:*}")"
done
t_is "hooks inside see its pid as it is there" "1 1" \
	"$(jq .pid "$T_DIR/hooks/createContainer" "$T_DIR/hooks/startContainer" | xargs)"
rm -rf "$bundle/rootfs/tmp/cellar-"*
for name in prestart createRuntime createContainer startContainer poststart; do
	config ".hooks = {\"$name\": $(hook x 'echo no luck >&2; exit 3')} | .process.args = [\"sleep\", \"100\"]"
	t_status "$name that fails: status" 1 c run -b "$bundle" "$id"
	t_match "$name that fails: words" "$name.*(status 3|exit status 3|3)" "$T_ERR"
	t_is "$name that fails: nothing is left" "" "$(residue)"
done
config ".hooks = {\"poststop\": $(hook x 'echo no luck >&2; exit 3')} | .process.args = [\"true\"]"
t_status "poststop that fails is only logged" 0 c run -b "$bundle" "$id"
t_match "poststop that fails is logged" "poststop.*exit status 3: no luck" "$T_ERR"

# ---- messages ----

t_status "JSON log" 1 c --log "$T_DIR/log.json" --log-format json state nobody
t_is "JSON log: level and words" "error true" \
	"$(tail -n 1 "$T_DIR/log.json" | jq -r '"\(.level) \(.msg | contains("does not exist"))"')"
t_status "--version" 0 cellar --version
t_match "--version: first line" '^cellar version [0-9]+\.[0-9]+\.[0-9]+' "$T_OUT"
t_match "--version: spec" '^spec: 1\.' "$T_OUT"
t_status "an unknown verb" 3 cellar dance
t_status "an unknown option" 1 c run --dance x
t_match "an unknown option, in words" '--dance' "$T_ERR"
for verb in "" create run start state kill delete list exec pause resume ps spec update; do
	t_status "help: $verb" 0 cellar $verb --help
	t_match "help: $verb, usage" "^Usage: cellar" "$T_OUT"
done

# ---- kill -9 at any moment ----

sh_config 'sleep 100'
rounds=15
[ -n "${CELLAR_TEST_FULL:-}" ] && rounds=60
for ((i = 0; i < rounds; i++)); do
	cellar --root "$root" run -b "$bundle" "$id" </dev/null >/dev/null 2>&1 &
	victim=$!
	sleep "0.0$(printf %02d $((RANDOM % 25)))"
	kill -9 $victim
	wait $victim 2>/dev/null
	case $(c state "$id" 2>/dev/null | jq -r .status) in
	"" | creating | created | running | stopped) ;;
	*) t_fail "state after kill -9" "$(c state "$id")" ;;
	esac
	c delete --force "$id" || t_fail "delete after kill -9" "round $i"
	left=$(settles)
	[ -z "$left" ] || { t_fail "nothing is left after kill -9" "round $i: $left"; break; }
done
[ -z "$left" ] && t_ok "nothing is left after $rounds kill -9"
for ((i = 0; i < rounds; i++)); do
	cellar --root "$root" create -b "$bundle" "$id" </dev/null >/dev/null 2>&1 &
	victim=$!
	sleep "0.0$(printf %02d $((RANDOM % 15)))"
	c delete --force "$id" || t_fail "delete while it is created" "round $i"
	wait $victim 2>/dev/null
	c delete --force "$id" || t_fail "delete afterwards" "round $i"
	left=$(settles)
	[ -z "$left" ] || { t_fail "nothing is left after racing deletes" "round $i: $left"; break; }
done
[ -z "$left" ] && t_ok "nothing is left after $rounds racing deletes"
