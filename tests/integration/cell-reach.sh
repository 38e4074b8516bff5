#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr job logs and exec, of tasks on another machine, asked for from wherever the master is reached.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/cell.sh"
cell_setup
URL=https://10.99.0.1:$CELL_PORT
cell_machine m1
t_wait 60 cell_up 1 || t_fail "a machine" "$(cell machine ls)"
cell_job "$T_DIR/web.yaml" web 2
sed -i 's/^  command: .*/  command: [sh, -c, "echo hello; echo trouble >\&2; exec sleep 1000"]/' "$T_DIR/web.yaml"
cell job run --wait --timeout 120s "$T_DIR/web.yaml" >/dev/null
person() { # NAME ROLE
	celld join --master $URL --token "$(celld token create --runroot "$CELL/master/run" "--$2" "$1" 2>/dev/null)" \
		--to "$T_DIR/$1" >/dev/null || t_fail "$1 joins" "no"
}
as() { # NAME ARG...
	local name=$1
	shift
	CELLAR_CELL_KEYS=$T_DIR/$name ctr --cell $URL "$@"
}
helpers() { cell_in m1 pgrep -cf 'celld reach'; }
no_helpers() { [ "$(helpers)" = 0 ]; }

# ---- exec ----
person tests person
person eve person
t_is "exec, by the owner, from elsewhere" "m1 hi" "$(as tests job exec web/0 -- sh -c 'echo m1 hi')"
t_status "exec: its status" 7 cell job exec web/1 -- sh -c 'echo out; echo err >&2; exit 7'
t_is "exec: stdout and stderr" "out err" "$T_OUT $T_ERR"
t_is "exec: stdin" "$(seq 1 50000 | md5sum)" "$(seq 1 50000 | cell job exec -i web/0 -- md5sum)"
t_is "exec: a file as stdin" "$(md5sum <"$T_DIR/web.yaml")" "$(cell job exec -i web/0 -- md5sum <"$T_DIR/web.yaml")"
t_is "exec: much output" "$(seq 1 200000 | md5sum)" "$(as tests job exec web/0 -- seq 1 200000 | md5sum)"
t_is "exec: user, folder" "1000 /tmp" "$(cell job exec -u 1000 -w /tmp web/0 -- sh -c 'echo $(id -u) $(pwd)')"
# Nobody types: an end of input, which script(1) types when it likes, would be the end of ctr's stdin.
mkfifo "$T_DIR/silent"
t_is "exec: a terminal" "24 80" "$(script -qec "stty rows 24 cols 80; $CELLAR_BIN/ctr --root $CELL/master/lib \
	--runroot $CELL/master/run job exec -it web/0 -- stty size" /dev/null <>"$T_DIR/silent" | tr -d '\r')"
t_status "exec: no such command" 127 cell job exec web/0 -- nonsense
for n in 70000 65440; do # of the request, of what the machine is told
	t_status "exec: too long" 1 cell job exec -u "$(head -c $n /dev/zero | tr '\0' a)" web/0 -- date
	t_match "exec: too long, why" 'the command is too long' "$T_ERR"
done
t_status "exec: which of them" 1 cell job exec web true
t_match "exec: which of them, why" 'job web has 2 tasks; say which: web/0' "$T_ERR"
t_status "exec: another owner" 1 as eve job exec web/0 -- id
t_match "exec: another owner, why" 'eve does not speak for tests' "$T_ERR"
t_is "exec: the audit" '["tests","done"]' "$(jq -c 'select(.what == "execute in web/0: sh -c echo m1 hi") | [.who, .result]' \
	"$CELL/master/lib/cell.db.audit")"
t_is "exec: of who was refused, too" '["eve","refused"]' "$(jq -c 'select(.what == "execute in web/0: id") | [.who, .result]' \
	"$CELL/master/lib/cell.db.audit")"
t_wait 60 no_helpers && t_ok "no helper is left" || t_fail "no helper is left" "$(helpers)"

# ---- a signal, a client that leaves, one that does not read ----
as tests job exec web/0 -- sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.1; done' >"$T_DIR/trap" 2>&1 &
E=$!
t_kill_later $E
t_wait 60 grep -q ready "$T_DIR/trap" || t_fail "it is ready" "$(cat "$T_DIR/trap")"
client() { pgrep -P $E || echo $E; } # ctr, which a shell may have started
kill -INT "$(client)"
wait $E
t_is "a signal gets there" "3 caught" "$? $(tail -n 1 "$T_DIR/trap")"
as tests job exec web/0 -- sleep 4321 &
E=$!
t_kill_later $E
runs() { cell_in m1 pgrep -f 'sleep 4321$' >/dev/null; }
runs_not() { ! runs; }
t_wait 60 runs || t_fail "a command that waits" "it does not run"
kill -9 "$(client)"
t_wait 60 runs_not && t_ok "who has left takes its command along" || t_fail "who has left" "$(cell_in m1 ps)"
mkfifo "$T_DIR/unread"
as tests job exec web/0 -- yes >"$T_DIR/unread" &
E=$!
t_kill_later $E
exec 9<"$T_DIR/unread"
sleep 1
rss=$(awk '/VmRSS/ {print $2}' "/proc/$CELL_MASTER/status")
[ "$rss" -lt 100000 ] && t_ok "what nobody reads is not kept ($rss KiB)" || t_fail "what nobody reads is not kept" "$rss KiB"
exec 9<&-
wait $E 2>/dev/null

# ---- logs ----
both() { [ "$(as tests job logs web/1 2>&1 | sort | xargs)" = "hello trouble" ]; }
t_wait 60 both || t_fail "logs" "not both"
t_is "logs, from elsewhere" "hello" "$(as tests job logs web/1 2>/dev/null)"
t_is "logs: stderr" "trouble" "$(as tests job logs web/1 2>&1 >/dev/null)"
t_is "logs --tail" "trouble" "$(as tests job logs --tail 1 web/1 2>&1)"
t_status "logs: another owner" 1 as eve job logs web/0
as tests job logs -f web/1 >"$T_DIR/follow" 2>&1 &
E=$!
t_kill_later $E
t_wait 60 grep -q hello "$T_DIR/follow" && t_ok "logs -f" || t_fail "logs -f" "$(cat "$T_DIR/follow")"
cell job stop web >/dev/null
wait $E
t_is "logs -f ends with its task" 0 $?
t_wait 60 no_helpers && t_ok "no helper is left behind" || t_fail "no helper is left behind" "$(helpers)"

# ---- a stranger, an agent of another machine, a machine that is gone ----
celld join --master $URL --token "$(celld token create --runroot "$CELL/master/run" 2>/dev/null)" --name m2 --root "$T_DIR/m2" >/dev/null
t_match "an agent takes up no stream that is not there" 'this stream is over' "$(curl -s -m 60 --connect-to "::10.99.0.1:$CELL_PORT" \
	--cacert "$T_DIR/m2/pki/agent-ca.crt" --cert "$T_DIR/m2/pki/agent.crt" --key "$T_DIR/m2/pki/agent.key" \
	"https://master.cellar/v1/agent/streams/00000000000000000000000000000000?claim=true")"
t_match "nor may a person" 'that is not for the person tests' "$(curl -s -m 60 --connect-to "::10.99.0.1:$CELL_PORT" \
	--cacert "$T_DIR/tests/person-ca.crt" --cert "$T_DIR/tests/person.crt" --key "$T_DIR/tests/person.key" \
	"https://master.cellar/v1/agent/streams/00000000000000000000000000000000")"
sed -i 's/^job: web/job: late/; s/count: 2/count: 1/' "$T_DIR/web.yaml"
cell job run --wait --timeout 120s "$T_DIR/web.yaml" >/dev/null
cell job exec late -- sleep 1000 >"$T_DIR/lost" 2>&1 &
E=$!
t_kill_later $E
one_helper() { [ "$(helpers)" = 1 ]; }
t_wait 60 one_helper || t_fail "a command on the machine" "$(helpers)"
cell_master_end KILL
wait $E
t_is "a master that is killed ends it" 1 $?
cell_master_start
t_wait 60 no_helpers && t_ok "and its helper" || t_fail "and its helper" "$(helpers)"
