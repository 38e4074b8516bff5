#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr as a person uses it: run, exec, logs, stop, kill, wait, rm, ps, inspect, stats, image, and what
# it says when it is used wrongly.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"

# in_run NAME STATUS WANTED-OUTPUT ARG...: ctr run --rm ARG...
in_run() {
	local name=$1 status=$2 want=$3
	shift 3
	t_status "$name" "$status" c run --rm "$@"
	t_is "$name: output" "$want" "$T_OUT"
}
# says NAME STATUS PATTERN ARG...: ctr ARG... fails with one clear sentence
says() {
	local name=$1 status=$2 pattern=$3
	shift 3
	t_status "$name" "$status" c "$@"
	t_match "$name: sentence" "^ctr: .*$pattern" "$T_ERR"
	t_is "$name: one line" 1 "$(wc -l <<<"$T_ERR")"
}
field() { c ps -a --format json | jq -r --arg n "$1" ".[] | select(.name == \$n) | .$2"; }

# ---- exit statuses ----
in_run "exit status 0" 0 "hello" "$IMAGE" echo hello
in_run "exit status 42" 42 "" "$IMAGE" sh -c 'exit 42'
in_run "killed by a signal" 143 "" "$IMAGE" sh -c 'sh -c "kill -TERM \$\$"; exit $?'
says "no such command is 127" 127 'run: .*"nosuch".*not found' run --rm "$IMAGE" nosuch
says "no such path is 127" 127 'run: .*no such file' run --rm "$IMAGE" /no/such
says "not executable is 126" 126 'run: .*permission denied' run --rm "$IMAGE" /etc/passwd
says "no image is 125" 125 "run: .*nope.*$IMAGE" run --rm nope true

# ---- what the process gets ----
in_run "short name, default command of the image is replaced" 0 "1" bb sh -c 'echo $$'
in_run "environment, unknown here" 0 "b" -e A=b -e T_GIVEN "$IMAGE" sh -c 'echo $A $T_GIVEN'
export T_GIVEN=c
in_run "environment from ours" 0 "b c" -e A=b -e T_GIVEN "$IMAGE" sh -c 'echo $A $T_GIVEN'
in_run "HOME and HOSTNAME" 0 "/root h1 h1" --hostname h1 "$IMAGE" \
	sh -c 'echo $HOME $HOSTNAME $(hostname)'
in_run "working folder" 0 "/tmp" -w /tmp "$IMAGE" pwd
in_run "user by number" 0 "1234 0" -u 1234 "$IMAGE" sh -c 'echo $(id -u) $(id -g)'
in_run "user and group" 0 "1234 5678" -u 1234:5678 "$IMAGE" sh -c 'echo $(id -u) $(id -g)'
in_run "another user has no capability" 0 "CapEff: 0000000000000000" -u 1234 "$IMAGE" \
	sh -c 'echo $(grep CapEff /proc/self/status)'
says "unknown user" 125 'user "ghost" is not in' run --rm -u ghost "$IMAGE" true
in_run "entrypoint" 0 "a b" --entrypoint echo "$IMAGE" a b
in_run "no entrypoint" 0 "x" --entrypoint= "$IMAGE" echo x
in_run "options behind the image are the command's" 0 "-it --rm" "$IMAGE" echo -it --rm
in_run "default capabilities" 0 "00000000a80425fb" "$IMAGE" \
	sh -c 'grep CapEff /proc/self/status | cut -f2'
in_run "capabilities added and dropped" 0 "0000000000001020" --cap-drop ALL --cap-add KILL \
	--cap-add CAP_NET_ADMIN "$IMAGE" sh -c 'grep CapEff /proc/self/status | cut -f2'
in_run "read-only root" 1 "" --read-only "$IMAGE" touch /x
t_match "read-only root: message" 'Read-only file system' "$T_ERR"
in_run "writable without it" 0 "" "$IMAGE" touch /x
in_run "tmpfs" 0 "1024 tmpfs" --tmpfs /scratch:size=1m "$IMAGE" \
	sh -c 'df -k /scratch | awk "END {print \$2, \$1}"'
mkdir "$T_DIR/v"
echo from-host >"$T_DIR/v/f"
in_run "bind mount" 0 "from-host" -v "$T_DIR/v:/v" "$IMAGE" sh -c 'cat /v/f; echo x >/v/g'
t_is "written through the bind mount" x "$(cat "$T_DIR/v/g")"
in_run "read-only bind mount" 1 "from-host" -v "$T_DIR/v:/v:ro" "$IMAGE" sh -c 'cat /v/f; touch /v/h'
in_run "named volume" 0 "" -v data:/d "$IMAGE" sh -c 'echo kept >/d/f'
in_run "named volume keeps" 0 "kept" -v data:/d "$IMAGE" cat /d/f
in_run "masked and read-only paths" 0 "0 denied" "$IMAGE" \
	sh -c 'echo $(wc -c </proc/timer_list) $(echo 1 2>&- >/proc/sys/kernel/panic && echo written || echo denied)'
in_run "privileged" 0 "written" --privileged "$IMAGE" \
	sh -c 'cat /proc/sys/kernel/panic >/proc/sys/kernel/panic && echo written'
in_run "hosts names the container" 0 "1" --hostname h1 "$IMAGE" \
	sh -c 'grep -c "^$(ip -o -4 addr show eth0 | awk "{print \$4}" | cut -d/ -f1).h1 " /etc/hosts'
in_run "network none" 0 "lo" --network none "$IMAGE" ls /sys/class/net
in_run "network host" 0 "$(readlink /proc/self/ns/net)" --network host "$IMAGE" \
	readlink /proc/self/ns/net
in_run "pids limit" 0 "32" --pids-limit 32 "$IMAGE" \
	sh -c 'cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true'

# ---- stdio ----
t_is "stdin" "hello" "$(echo hello | c run --rm -i "$IMAGE" cat)"
t_is "no stdin without -i" "0" "$(echo hello | c run --rm "$IMAGE" wc -c)"
t_is "a file as stdin" "$(wc -c <"$0")" "$(c run --rm -i "$IMAGE" wc -c <"$0")"
c run --rm "$IMAGE" seq 100000 >"$T_DIR/seq"
t_is "a file as stdout" "$(seq 100000 | cksum)" "$(cksum <"$T_DIR/seq")"
t_is "a large stdin comes through whole" "$(seq 300000 | cksum)" \
	"$(seq 300000 | c run --rm -i "$IMAGE" cat | cksum)"
t_is "stderr apart" "e" "$(c run --rm "$IMAGE" sh -c 'echo o; echo e >&2' 2>&1 >/dev/null)"
t_is "a reader that leaves ends the container" "y" "$(timeout -k 5 "$T_LONG" ctr --root "$C_ROOT" \
	--runroot "$C_RUN" run --rm "$IMAGE" yes | head -n 1)"
t_is "a reader that pauses gets everything" 40000 \
	"$(c run --rm "$IMAGE" seq 40000 | { sleep 3; wc -l; })"
t_is "closed stdin" "0" "$(c run --rm -i "$IMAGE" wc -c <&-)"
t_is "closed stdout is said" "ctr: write stdout: Bad file descriptor; the rest of it is lost" \
	"$(c run --rm "$IMAGE" echo x 2>&1 >&-)"
c run --name stuck "$IMAGE" yes 2>/dev/null | { t_wait 60 test -e "$T_DIR/unstuck"; head -n 1 >/dev/null; } &
t_wait 60 sh -c "[ \"\$(ctr --root $C_ROOT --runroot $C_RUN ps -q)\" ]"
c kill stuck >/dev/null
t_is "a reader that takes nothing keeps the status from nobody" 137 "$(c wait stuck)"
: >"$T_DIR/unstuck"
wait
t_status "and it is removed" 0 c rm stuck
says "-it without a terminal" 125 'needs a terminal' run --rm -it "$IMAGE" sh
tty=$(script -qec "stty rows 33 cols 111; ctr --root $C_ROOT --runroot $C_RUN run --rm -it $IMAGE \
	sh -c 'tty; stty size; echo \$TERM; exit 9'; echo status \$?" /dev/null | tr -d '\r' | sed 's,^\^@,,')
t_match "terminal" '/dev/pts/0$' "$tty"
t_match "terminal: size" '^33 111$' "$tty"
t_match "terminal: TERM" '^xterm$' "$tty"
t_match "terminal: status" '^status 9$' "$tty"
modes=$(script -qec "stty -a >$T_DIR/m1; ctr --root $C_ROOT --runroot $C_RUN run --rm -it $IMAGE true; \
	stty -a >$T_DIR/m2" /dev/null)
t_is "terminal: modes are restored$modes" "" "$(diff "$T_DIR/m1" "$T_DIR/m2")"

# A terminal that goes away takes ctr along and nothing else: script is killed, and its terminal with it.
mkfifo "$T_DIR/keys"
exec 9<>"$T_DIR/keys"
script -qec "ctr --root $C_ROOT --runroot $C_RUN run --name hup -it $IMAGE sleep 1000" /dev/null \
	>/dev/null 2>&1 <"$T_DIR/keys" 9>&- &
pid=$!
t_wait 60 sh -c "[ \"\$(ctr --root $C_ROOT --runroot $C_RUN ps -q)\" ]"
client() { pgrep -f "ctr --root $C_ROOT --runroot $C_RUN run --name hup"; }
# script, ctr, and in some shells one between them.
t_match "terminal: a client runs" '^[1-9]' "$(client | wc -l)"
{ kill -9 $pid && wait $pid; } 2>/dev/null
exec 9>&-
t_wait 60 sh -c "! pgrep -f 'ctr --root $C_ROOT --runroot $C_RUN run --name hu[p]'" &&
	t_ok "terminal: its end is ctr's" || t_fail "terminal: its end is ctr's" "$(client)"
t_is "terminal: its end is not the container's" running "$(field hup status)"
c rm -f hup >/dev/null

# ---- signals ----
ctr --root "$C_ROOT" --runroot "$C_RUN" run --rm --name sig "$IMAGE" \
	sh -c 'trap "exit 5" TERM; trap "echo usr1" USR1; echo up; while :; do sleep 0.1; done' >"$T_DIR/sig" &
pid=$!
t_wait 60 grep -q up "$T_DIR/sig"
kill -USR1 $pid
t_wait 60 grep -q usr1 "$T_DIR/sig" && t_ok "SIGUSR1 is passed on" || t_fail "SIGUSR1 is passed on" "-"
kill -TERM $pid
wait $pid
t_is "SIGTERM is passed on" 5 $?

# ---- detached ----
# Two pipes have no order between them: out waits until err was seen.
id=$(c run -d --name web "$IMAGE" sh -c 'echo err >&2; until [ -e /go ]; do sleep 0.1; done; echo out; printf part; sleep 1000')
t_match "-d prints the id" '^[0-9a-f]{64}$' "$id"
t_wait 60 sh -c "ctr --root $C_ROOT --runroot $C_RUN logs web 2>&1 | grep -q err"
c exec web touch /go
t_wait 60 sh -c "ctr --root $C_ROOT --runroot $C_RUN logs web 2>/dev/null | grep -q part"
t_is "logs: stdout" "$(printf 'out\npart')" "$(c logs web 2>/dev/null)"
t_is "logs: stderr" "err" "$(c logs web 2>&1 >/dev/null)"
t_is "logs: tail" "part" "$(c logs -n 1 web 2>/dev/null)"
t_match "logs: timestamps" '^20[0-9-]*T[0-9:.]*Z out$' "$(c logs -t web 2>/dev/null)"
t_is "ps -q" "${id:0:12}" "$(c ps -q)"
t_match "ps" "^${id:0:12} .*Up .* 10\..* web$" "$(c ps)"
t_is "ps json" "$id running $IMAGE" "$(c ps --format json | jq -r '.[0] | .id + " " + .status + " " + .image')"
t_is "pid is the container's" "$id" "$(grep -o '[0-9a-f]\{64\}' "/proc/$(field web pid)/cgroup" | head -n 1)"
t_is "inspect by a prefix of the id" "web sh" \
	"$(c inspect "${id:0:6}" | jq -r '.[0] | .name + " " + .config.process.args[0]')"
t_is "stats" "web true" "$(c stats --format json web | jq -r '.[0] | .name + " " + (.pids_current >= 1 | tostring)')"
says "a name is taken once" 125 'name "web" is in use by container' run --name web "$IMAGE" true
says "rm of what runs" 1 'web is running' rm web
says "image rm of what is used" 1 "used by container ${id:0:12}" image rm "$IMAGE"

# ---- exec ----
t_status "exec" 7 c exec web sh -c 'echo in; exit 7'
t_is "exec: output" "in" "$T_OUT"
t_is "exec: stdin" "hello" "$(echo hello | c exec -i web cat)"
t_is "exec: env, user, folder" "b 1234 /tmp" "$(c exec -e A=b -u 1234 -w /tmp web sh -c 'echo $A $(id -u) $(pwd)')"
says "exec: no such command" 127 'exec: .*"nosuch"' exec web nosuch
t_status "exec -d" 0 c exec -d web sh -c 'touch /detached'
t_wait 60 ctr --root "$C_ROOT" --runroot "$C_RUN" exec web test -e /detached && t_ok "exec -d ran" ||
	t_fail "exec -d ran" "-"
t_match "exec: terminal" '/dev/pts/0.$' \
	"$(script -qec "ctr --root $C_ROOT --runroot $C_RUN exec -it web tty" /dev/null)"

# ---- two containers ----
c run -d --name other "$IMAGE" sleep 1000 >/dev/null
address=$(c inspect other | jq -r '.[0].address' | cut -d/ -f1)
t_status "containers reach each other" 0 c exec web ping -c 1 -W 10 "$address"
t_status "rm -f of what runs" 0 c rm -f other
t_is "it is gone" "" "$(field other status)"

# ---- the end ----
t_status "kill -s 0" 1 c kill -s 0 web
t_status "stop" 0 c stop -t 1 web
t_is "stopped by SIGKILL" "exited 137" "$(field web status) $(field web exit_code)"
t_is "wait for what has ended" 137 "$(c wait web)"
t_is "logs of what has ended" "err" "$(c logs web 2>&1 >/dev/null)"
says "exec in what has ended" 125 'web is exited' exec web true
says "kill of what has ended" 1 'web is not running' kill web
t_match "ps -a" 'Exited \(137\)' "$(c ps -a)"
t_is "ps shows only what runs" "" "$(c ps -q)"
t_status "rm" 0 c rm web
says "gone after rm" 1 '"web": not found' inspect web

# ---- an end that nobody watches ----
c run -d --name alone "$IMAGE" true >/dev/null
t_wait 60 sh -c "[ -z \"\$(ls $C_RUN/.engine/netns)\" ]" && t_ok "its network goes with its end" ||
	t_fail "its network goes with its end" "$(ls "$C_RUN/.engine/netns")"
t_is "its address stays its own" 1 "$(find "$C_ROOT/networks/leases/by-id" -type l -not -name "*:*" | wc -l)"
c rm alone >/dev/null
t_is "until it is removed" 0 "$(find "$C_ROOT/networks/leases/by-id" -type l -not -name "*:*" | wc -l)"
id=$(c run -di --name open "$IMAGE" cat)
echo hello >"$C_RUN/.engine/io/$id/init.in"
t_wait 60 sh -c "[ \"\$(ctr --root $C_ROOT --runroot $C_RUN logs open)\" = hello ]" &&
	t_ok "-di keeps stdin open" || t_fail "-di keeps stdin open" "$(c logs open)"
t_is "and runs on" running "$(field open status)"
c rm -f open >/dev/null

c run -d --name w3 "$IMAGE" sh -c 'sleep 0.5; exit 3' >/dev/null
t_is "wait" 3 "$(c wait w3)"
t_is "logs -f ends with the container" "a b " "$(c run -d --name lf "$IMAGE" \
	sh -c 'echo a; sleep 1; echo b' >/dev/null; c logs -f lf | tr '\n' ' ')"
c rm w3 lf >/dev/null
t_status "-d --rm" 0 c run -d --rm --name gone "$IMAGE" true
t_wait 60 sh -c "[ -z \"\$(ctr --root $C_ROOT --runroot $C_RUN ps -aq)\" ]" && t_ok "-d --rm removes" ||
	t_fail "-d --rm removes" "$(c ps -a)"

# ---- memory ----
says "a memory hog" 137 'container hog: OOM-killed at 16 MiB' run --name hog -m 16m "$IMAGE" \
	tail /dev/zero
t_is "its end is known" "137 true" "$(field hog exit_code) $(field hog oom_killed)"
c rm -f hog >/dev/null

# ---- a shim that is killed ----
c run -d --name orphan "$IMAGE" sleep 1000 >/dev/null
pid=$(field orphan pid)
shim=$(awk '/^PPid/ {print $2}' "/proc/$pid/status")
t_kill "$shim"
t_is "without shim it is still said to run" "running $pid" "$(field orphan status) $(field orphan pid)"
t_status "and can be stopped" 0 c stop -t 0 orphan
# Its new shim is not its parent. PIDFD_INFO_EXIT came with Linux 6.15; before, the status is known only
# to who looks before init has reaped it.
knows_exit=$(uname -r | awk -F. '{ print ($1 > 6 || ($1 == 6 && $2 + 0 >= 15)) }')
ended="$(field orphan status) $(field orphan exit_code)"
if [ "$knows_exit" = 1 ] || [ "$ended" = "exited 137" ]; then
	t_is "then its status is known" "exited 137" "$ended"
	t_is "wait says so" 137 "$(c wait orphan)"
else
	t_is "then its status is unknown" "exited null" "$ended"
	says "wait says so" 1 'orphan.*unknown' wait orphan
fi
t_status "and can be removed" 0 c rm orphan

# Who stays with it goes on staying, by the next shim: all that it writes comes, and so does its status.
foreground() { # NAME OPTION...: prints lines until told to end
	local name=$1
	shift
	c run --name "$name" "$@" "$IMAGE" sh -c 'i=0; until [ -e /stop ]; do i=$((i + 1)); echo "line $i"; usleep 5000; done; echo end; exit 7'
}
for how in "" --rm; do
	rm -f "$T_DIR/front" "$T_DIR/front.err"
	foreground front $how >"$T_DIR/front" 2>"$T_DIR/front.err" &
	front=$!
	t_wait 60 grep -qs "line 10\$" "$T_DIR/front"
	shim=$(awk '/^PPid/ {print $2}' "/proc/$(field front pid)/status")
	kill -9 "$shim"
	t_wait 60 grep -q 'another one has taken over' "$T_DIR/front.err" || true
	c exec front touch /stop
	code=0
	wait $front || code=$?
	if [ "$knows_exit" = 1 ]; then
		t_is "run${how:+ $how} goes on under another shim: its status" 7 $code
		t_is "run${how:+ $how} goes on under another shim: what it wrote last" end "$(tail -n 1 "$T_DIR/front")"
	else
		t_match "run${how:+ $how} goes on under another shim: how it ends" '^(7|125)$' "$code"
	fi
	# What was on its way between two descriptors of the dead shim is in the log alone.
	t_is "run${how:+ $how}: no line comes twice" "" "$(grep line "$T_DIR/front" | sort | uniq -d)"
	[ -n "$how" ] || c rm front >/dev/null
	t_is "run${how:+ $how}: it is gone" "" "$(field front status)"
done
on_terminal() { script -qec "$*" /dev/null </dev/null; }
if command -v script >/dev/null; then
	on_terminal "$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN run -t --rm --name tty $IMAGE sh -c 'echo up; trap \"\" HUP; sleep 1000'" >"$T_DIR/tty" 2>&1 &
	front=$!
	t_wait 60 grep -q up "$T_DIR/tty"
	kill -9 "$(awk '/^PPid/ {print $2}' "/proc/$(field tty pid)/status")"
	code=0
	wait $front || code=$?
	t_match "run -t ends with its shim" '^(137|129|125)$' "$code"
	t_wait 60 sh -c "[ -z \"\$(ctr --root $C_ROOT --runroot $C_RUN ps -aq --filter name=tty 2>/dev/null)\" ]" || true
	c rm -f tty >/dev/null 2>&1 || true
fi

# ---- a shim that hangs ----
c run -d --name hung "$IMAGE" sleep 1000 >/dev/null
shim=$(awk '/^PPid/ {print $2}' "/proc/$(field hung pid)/status")
kill -STOP "$shim"
says "exec says that its shim hangs" 125 'container hung: its supervisor does not answer' exec hung true
t_status "rm -f goes on without it" 0 c rm -f hung
t_is "and it is gone" "" "$(field hung status)"
t_wait 60 t_dead "$shim" && t_ok "with its shim" || t_fail "with its shim" "$(cat "/proc/$shim/status")"

# ---- damaged files ----
for what in missing garbage; do
	c run -d --name hurt "$IMAGE" sleep 1000 >/dev/null
	meta=$(echo "$C_ROOT"/containers/*/meta.json)
	[ $what = missing ] && rm "$meta" || echo '{"version": 1, "id": 7}' >"$meta"
	t_match "meta.json $what: ps shows it" 'Damaged, up +hurt$' "$(c ps)"
	t_match "meta.json $what: the reason" 'meta.json' "$(field hurt damage)"
	says "meta.json $what: rm without force" 1 'hurt is running' rm hurt
	says "meta.json $what: its image stays" 1 'is used by' image rm "$IMAGE"
	t_status "meta.json $what: stop" 0 c stop -t 0 hurt
	t_status "meta.json $what: rm" 0 c rm hurt
	t_is "meta.json $what: the name is free" "" "$(ls "$C_ROOT/containers/.names")"
done
c run -d --name hurt "$IMAGE" sleep 1000 >/dev/null
echo '{' >"$C_RUN/$(field hurt id)/state.json"
says "state.json damaged: rm without force" 1 'is running|damaged.*by force' rm hurt
t_status "state.json damaged: rm -f" 0 c rm -f hurt

# ---- wrong command lines ----
says "unknown command" 125 '"bogus".*--help' bogus
says "unknown option" 125 'bogus.*--help' run --bogus "$IMAGE"
says "no image" 125 'too few arguments' run
says "wrong size" 125 'memory: "5q" is not a size' run -m 5q "$IMAGE"
says "wrong processors" 125 'cpus: "x"' run --cpus x "$IMAGE"
says "wrong network" 125 '--network: "x" is unknown' run --network x "$IMAGE"
says "wrong volume" 125 'is not a volume' run -v x: "$IMAGE"
says "a path or a volume" 125 'begins with / or ./' run -v a/b:/y "$IMAGE"
says "wrong name" 125 'must be of letters' run --name a/b "$IMAGE"
says "two at one place" 125 'two mounts are to be at /x' run -v /tmp:/x --tmpfs /x/ "$IMAGE"
says "wrong host name" 125 'hostname: "a.b" must be' run --hostname $'a\nb' "$IMAGE"
t_status "0 is no limit" 0 c run --rm -m 0 --cpus 0 --pids-limit 0 "$IMAGE" true
says "runroot that cannot be" 125 'Not a directory' --runroot /etc/passwd run "$IMAGE"
t_is "and nothing is left" "" "$(c ps -aq)"
says "wrong capability" 125 'no capability "X"' run --cap-add X "$IMAGE"
says "relative folder" 125 'must begin with /' run -w x "$IMAGE" true
says "wrong signal" 1 'is not a signal' kill -s NOPE x
says "wrong format" 1 'format: "xml"' ps --format xml
says "no such container" 1 '"nope": not found' stop nope
for verb in run ps exec logs inspect stop kill wait rm stats image version info; do
	t_status "help of $verb" 0 c help $verb
	t_match "help of $verb: usage" "^Usage: ctr $verb" "$T_OUT"
done
t_match "help of run with more words" '^Usage: ctr run' "$(c help run "$IMAGE")"
t_match "help of image ls" '^Usage: ctr image ls' "$(c help image ls)"
t_is "version json" "true" "$(c version --format json | jq 'has("version")')"
t_is "info json" "$C_ROOT" "$(c info --format json | jq -r .root)"
t_is "image ls json" "$IMAGE" "$(c image ls --format json | jq -r '.[0].name')"

# Processes and cgroups of others may come and go meanwhile: ours are named by ids of 64 digits.
ours() { grep -Ev '^process|^cgroup .*/cellar-.{0,63}$'; }
left() { c_residue | ours | grep -Fvxf "$T_DIR/before"; }
settled() { ! left; }
if t_wait 60 settled; then t_ok "nothing is left behind"; else
	t_fail "nothing is left behind" "$(left | head -n 10 | tr '\n' ';')"
fi
