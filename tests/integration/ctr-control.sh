#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# attach and detach, restart, pause, update, top, rename.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"
field() { c inspect "$1" | jq -r ".[0].$2"; }
says() {
	local name=$1 status=$2 pattern=$3
	shift 3
	t_status "$name" "$status" c "$@"
	t_match "$name: sentence" "^ctr: .*$pattern" "$T_ERR"
}
ran() { [ "$(c logs "$1" 2>/dev/null | grep -c '^run')" -ge "$2" ]; }

# ---- attach: several at once ----
mkdir "$T_DIR/go"
c run -di --name talk --network none -v "$T_DIR/go:/go" "$IMAGE" \
	sh -c 'while read x; do echo "got $x"; echo "bad $x" >&2; [ "$x" != end ] || exit 6; done' >/dev/null
mkfifo "$T_DIR/in1"
c attach talk <"$T_DIR/in1" >"$T_DIR/out1" 2>"$T_DIR/err1" &
first=$!
exec 7>"$T_DIR/in1"
c attach --no-stdin talk </dev/null >"$T_DIR/out2" 2>"$T_DIR/err2" &
second=$!
heard() { grep -q "$2" "$T_DIR/out$1"; }
echo one >&7
t_wait 60 heard 1 "got one" || t_fail "attach" "nothing comes: $(cat "$T_DIR/err1")"
for ((i = 2; i < 600; i++)); do
	echo "tick $i" >&7
	t_wait 60 heard 1 "tick $i" || break
	heard 2 tick && break
	sleep 0.1
done
heard 2 tick && t_ok "two at once" || t_fail "two at once" "the second hears nothing: $(cat "$T_DIR/err2")"
exec 7>&-
t_is "its own stdin's end ends nothing" running "$(field talk status)"
echo end | c attach talk >"$T_DIR/out3" 2>"$T_DIR/err3"
t_is "the container's status is attach's" 6 $?
t_is "stdout" "got end" "$(grep end "$T_DIR/out3")"
t_is "stderr" "bad end" "$(grep end "$T_DIR/err3")"
wait $first
t_is "also of the first" 6 $?
wait $second
t_is "also of the second" 6 $?
c rm talk >/dev/null
says "attach to what has ended" 125 'not found' attach talk

# ---- its shim is killed: attach goes on with the next one, to and from ----
c run -di --name talk --network none "$IMAGE" \
	sh -c 'while read x; do echo "got $x"; [ "$x" != end ] || exit 6; done' >/dev/null
c attach talk <"$T_DIR/in1" >"$T_DIR/out1" 2>"$T_DIR/err1" &
first=$!
exec 7>"$T_DIR/in1"
echo one >&7
t_wait 60 heard 1 "got one" || t_fail "attach" "nothing comes: $(cat "$T_DIR/err1")"
kill -9 "$(awk '/^PPid/ {print $2}' "/proc/$(field talk pid)/status")"
t_wait 60 grep -q 'another one has taken over' "$T_DIR/err1" || true
echo two >&7
t_wait 60 heard 1 "got two" && t_ok "attach goes on under another shim" ||
	t_fail "attach goes on under another shim" "nothing comes: $(cat "$T_DIR/err1")"
echo end >&7
code=0
wait $first || code=$?
exec 7>&-
t_is "what came by the first one came once" 1 "$(grep -c "got one" "$T_DIR/out1")"
# As ctr.sh has it: before Linux 6.15 the status may stay unknown.
if [ "$(uname -r | awk -F. '{ print ($1 > 6 || ($1 == 6 && $2 + 0 >= 15)) }')" = 1 ]; then
	t_is "and has its status" 6 $code
else
	t_match "and ends" '^(6|125)$' "$code"
fi
c rm talk >/dev/null

# ---- a slow client holds nobody back ----
c run -d --name loud --network none -v "$T_DIR/go:/go" "$IMAGE" \
	sh -c 'until [ -e /go/loud ]; do echo tick; usleep 10000; done; yes | head -c 3000000; : >/go/said; sleep 1000' >/dev/null
mkfifo "$T_DIR/slow"
c attach loud >"$T_DIR/slow" 2>"$T_DIR/slow.err" </dev/null &
slow=$!
exec 8<"$T_DIR/slow"
read -r -t 60 -u 8 || t_fail "a slow client" "it is not attached"
: >"$T_DIR/go/loud"
t_wait 60 test -e "$T_DIR/go/said" && t_ok "a slow client holds nobody back" ||
	t_fail "a slow client holds nobody back" "the container stands still"
cat <&8 >/dev/null &
reader=$!
exec 8<&-
wait $slow
t_is "and is told" 125 $?
t_match "and is told: sentence" 'left behind' "$(cat "$T_DIR/slow.err")"
wait $reader
c rm -f loud >/dev/null

# ---- clients that are killed leave nothing ----
c run -d --name host --network none "$IMAGE" sleep 100000 >/dev/null
io=$C_RUN/.engine/io/$(field host id)
fifos() { find "$io" -type p ! -name '.*' 2>/dev/null | wc -l; }
fifos_are() { [ "$(fifos)" = "$1" ]; }
# Not by a function, which in the background is a shell around the client.
ctr --root "$C_ROOT" --runroot "$C_RUN" attach host </dev/null >/dev/null 2>&1 &
killed=$!
exec 7<>"$T_DIR/in1"
ctr --root "$C_ROOT" --runroot "$C_RUN" exec -i host cat <&7 >/dev/null 2>&1 &
piped=$!
ctr --root "$C_ROOT" --runroot "$C_RUN" exec -t host sleep 100000 </dev/null >/dev/null 2>&1 &
stays=$!
# Two, three and one of them.
t_wait 60 fifos_are 6 || t_fail "clients that are killed" "there are $(fifos) FIFOs"
kill -9 $killed $piped
wait $killed $piped 2>/dev/null || true
exec 7>&-
t_wait 60 fifos_are 1 && t_ok "killed clients leave no FIFOs" ||
	t_fail "killed clients leave no FIFOs" "$(ls -A "$io")"
t_kill $stays
fifos_gone() { [ ! -e "$io" ] || fifos_are 0; }
t_wait 60 fifos_gone && t_ok "nor does the last one" || t_fail "nor does the last one" "$(ls -A "$io")"
t_is "and the container goes on" running "$(field host status)"
c rm -f host >/dev/null

# ---- a terminal: detach keys, attach again ----
if command -v script >/dev/null; then
	mkfifo "$T_DIR/keys"
	script -qfec "ctr --root $C_ROOT --runroot $C_RUN run -it --name box --network none $IMAGE sh" \
		"$T_DIR/term" <"$T_DIR/keys" >/dev/null 2>&1 &
	pid=$!
	exec 7>"$T_DIR/keys"
	shows() { grep -aqs "$1" "$T_DIR/term"; }
	# Until it is heard: what is typed before the terminal is ctr's may be lost.
	types() { # WORDS SHOWN
		local i
		for ((i = 0; i < 1200; i++)); do
			[ $((i % 20)) != 0 ] || echo "$1" >&7
			shows "$2" && return
			sleep 0.05
		done
		return 1
	}
	types 'echo a$((1+1))b' a2b || t_fail "terminal" "no shell"
	printf '\020\021' >&7
	wait $pid
	t_is "ctrl-p ctrl-q leaves" 0 $?
	exec 7>&-
	t_match "and says so" 'detached; container box goes on' "$(cat "$T_DIR/term")"
	t_is "and it goes on" running "$(field box status)"
	script -qfec "ctr --root $C_ROOT --runroot $C_RUN attach --detach-keys ctrl-a,x box" \
		"$T_DIR/term" <"$T_DIR/keys" >/dev/null 2>&1 &
	pid=$!
	exec 7>"$T_DIR/keys"
	types 'echo c$((2+2))d' c4d && t_ok "attached again" || t_fail "attached again" "$(cat "$T_DIR/term")"
	printf '\001x' >&7
	wait $pid
	t_is "other keys" 0 $?
	exec 7>&-
	script -qfec "ctr --root $C_ROOT --runroot $C_RUN exec -it box sh" \
		"$T_DIR/term" <"$T_DIR/keys" >/dev/null 2>&1 &
	pid=$!
	exec 7>"$T_DIR/keys"
	types 'echo e$((3+3))f' e6f || t_fail "exec -it" "no shell"
	printf '\020\021' >&7
	wait $pid
	t_is "exec -it: ctrl-p ctrl-q leaves" 0 $?
	exec 7>&-
	t_is "exec -it: the process goes on" 2 "$(c top box | grep -c ' sh$')"
	c rm -f box >/dev/null
else
	t_skip "detach keys" "there is no script(1)"
fi
says "wrong keys" 125 'attach: --detach-keys: .*are no keys|not found|no keys' run --detach-keys ctrl-9 "$IMAGE" true

# ---- restart ----
c run -d --name again "$IMAGE" sh -c 'echo x >>/f; echo run $(wc -l </f) $(hostname); exec sleep 1000' >/dev/null
t_wait 60 ran again 1
pid=$(field again pid)
t_is "restart" again "$(c restart -t 0 again)"
t_wait 60 ran again 2
[ "$(field again pid)" != "$pid" ] && t_ok "with another process" || t_fail "with another process" "$pid"
t_is "its files and name stay" "1 2" "$(c logs again | cut -d' ' -f2 | xargs)"
t_is "counted" 1 "$(field again restarts)"
shim=$(pgrep -f -- "-id $(field again id) ")
held() { ls "/proc/$shim/fd" | wc -l; grep -c "$T_DIR" /proc/self/mountinfo; find "$C_RUN" "$C_ROOT/networks" | wc -l; }
dirty() { awk '/^Private_Dirty/ { print $2 }' "/proc/$shim/smaps_rollup"; }
now() { held | xargs; }
# A shim that rests gives back what it can after a second.
rests() { before=$(now) && sleep 2 && [ "$(now)" = "$before" ]; }
t_wait 60 rests
kib=$(dirty)
times=20
[ -z "${CELLAR_TEST_FULL:-}" ] || times=100
for ((i = 0; i < times; i++)); do c restart -t 0 again >/dev/null || t_fail "restart $i" "-"; done
t_becomes "descriptors, mounts and files after $times restarts" "$before" now
little() { [ $(($(dirty) - kib)) -le 32 ]; }
t_wait 60 little
t_at_most "memory of the shim after $times restarts: more by" 32 $(($(dirty) - kib)) KiB
c stop -t 0 again >/dev/null
t_is "restart of what has ended" again "$(c restart again)"
c rm -f again >/dev/null

# ---- pause ----
c run -d --name ice --network none "$IMAGE" sleep 1000 >/dev/null
t_is "pause" "ice paused" "$(c pause ice) $(field ice status)"
says "pause twice" 1 'cannot pause a container that is paused' pause ice
t_is "unpause" "ice running" "$(c unpause ice) $(field ice status)"

# ---- top, rename, update ----
# What was thawed has to get the CPU before it sleeps again.
sleeps() { grep -Eq '^ *[0-9]+ +[0-9]+ +0 +S +0:00:00 +sleep 1000$' <<<"$(c top ice)"; }
t_wait 60 sleeps && t_ok "top" || t_fail "top" "$(c top ice)"
t_status "rename" 0 c rename ice water
t_is "the new name" running "$(field water status)"
says "the old name is gone" 1 'not found' stop ice
says "a name that is taken" 1 'is in use|not found' rename nosuch water
t_status "the old name is free" 0 c run -d --name ice --network none "$IMAGE" sleep 1000
says "rename to a taken name" 1 'is in use' rename ice water
says "rename to nonsense" 1 'must be of letters' rename ice -- -x
t_is "update" water "$(c update -m 64m --cpus 0.5 --pids-limit 77 water)"
t_is "inspect shows it" "67108864 500 77" \
	"$(field water limits.memory_bytes) $(field water limits.cpu_millicpu) $(field water limits.pids_limit)"
t_match "stats shows it" '/ 64 MiB' "$(c stats --no-stream water)"
c restart -t 0 water >/dev/null
t_match "after a restart, too" '/ 64 MiB' "$(c stats --no-stream water)"
says "update of nothing" 1 'nothing to change' update water
c_clean >/dev/null

c_nothing_left "$T_DIR/before"
