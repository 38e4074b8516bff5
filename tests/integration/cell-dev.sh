#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A cell of one machine: celld dev, and the verbs of ctr that talk to it.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"


job() { # FILE NAME COUNT COMMAND [MORE...]
	local file=$1
	cat >"$file" <<-END
		job: $2
		owner: tests
		priority: 200
		tasks:
		  count: $3
		  image: $IMAGE
		  command: $4
		  stop_grace: 100ms
		  resources: {cpu: 50m, memory: 16Mi}
	END
	shift 4
	[ $# = 0 ] || printf '%s\n' "$@" >>"$file"
}

# ---- without a cell ----
t_status "no cell" 1 c job ls
t_match "no cell: sentence" 'no cell is at work at .*; start one by' "$T_ERR"
job "$T_DIR/web.yaml" web 3 '[httpd, -f, -p, "8080"]' '  ports: [{name: http, container: 8080}]'
t_is "validate" "$T_DIR/web.yaml: job web is well-formed" "$(c job validate "$T_DIR/web.yaml")"
sed 's/50m/lots/' "$T_DIR/web.yaml" >"$T_DIR/bad.yaml"
t_status "validate: a mistake" 1 c job validate "$T_DIR/bad.yaml"
t_match "validate: file, line, column" 'bad.yaml:9:[0-9]+: tasks.resources.cpu: "lots"' "$T_ERR"

# ---- three tasks that can be reached ----
d_start
t_is "job run" web "$(c job run --wait "$T_DIR/web.yaml")"
t_is "all run" "running running running" "$(states web)"
t_match "job ls" '^web +tests +200 +up +3/3 +0$' "$(c job ls)"
t_match "job status" '^0 +running +[^ ]+ +0 +[0-9]+->8080' "$(c job status web)"
t_match "machine ls" "^$(uname -n) +up .* 3$" "$(c machine ls)"
port=$(of_task web 0 'ports[0].host')
t_is "its published port answers" 404 "$(curl --retry 60 --retry-delay 1 --retry-all-errors -s -m 20 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/")"
t_is "the port has its name" http "$(of_task web 0 'ports[0].name')"
t_status "the same job again" 1 c job run "$T_DIR/web.yaml"
t_match "the same job again: sentence" 'there is a job called web already; stop it first' "$T_ERR"
t_status "a second celld in the same place" 1 celld dev --root "$C_ROOT" --runroot "$C_RUN"
t_match "a second celld: sentence" 'another celld is at work' "$T_ERR"
t_status "its folders may stand before the command, too" 1 celld --root "$C_ROOT" --runroot "$C_RUN" dev
t_match "its folders before the command: sentence" 'another celld is at work' "$T_ERR"
t_status "a command without folders refuses them" 1 celld --root "$C_ROOT" sim


# ---- what ends is started again, later each time ----
first=$(of_task web 1 incarnation)
kill -9 "$(c inspect "$(of_task web 1 container)" | jq '.[0].pid')"
came_back() { [ "$(of_task web 1 state)" = running ] && [ "$(of_task web 1 incarnation)" -gt "$first" ]; }
t_wait 60 came_back && t_ok "a killed task runs again" || t_fail "a killed task runs again" "$(c job status web)"
t_is "its restarts are counted" 1 "$(of_task web 1 restarts)"
t_match "and why is told" 'exited with status 137' "$(of_task web 1 reason)"
job "$T_DIR/batch.yaml" batch 1 '[sh, -c, "echo done; exit 0"]' 'restart: {when: on-failure}'
c job run "$T_DIR/batch.yaml" >/dev/null
t_wait 60 is_state batch finished && t_ok "what succeeds is finished" || t_fail "what succeeds is finished" "$(c job status batch)"
t_is "its log is still there" "done" "$(c job logs batch)"
job "$T_DIR/fail.yaml" fail 1 '[sh, -c, "exit 3"]' 'restart: {when: never}'
c job run "$T_DIR/fail.yaml" >/dev/null
t_wait 60 is_state fail failed && t_ok "what fails has failed" || t_fail "what fails has failed" "$(c job status fail)"
t_is "with its status" "exited with status 3" "$(of_task fail 0 reason)"
job "$T_DIR/none.yaml" none 1 '[true]'
sed -i 's/image: .*/image: localhost\/nothing:1/' "$T_DIR/none.yaml"
c job run "$T_DIR/none.yaml" >/dev/null
missing() { of_task none 0 reason | grep -q 'localhost/nothing:1'; }
t_wait 60 missing && t_ok "a missing image is told" || t_fail "a missing image is told" "$(c job status none)"
again() { [ "$(of_task none 0 restarts)" -ge 3 ]; }
t_wait 60 again && t_ok "it is tried again" || t_fail "it is tried again" "$(c job status none)"

# ---- what does not fit pends, and says why ----
job "$T_DIR/big.yaml" big 1 '[true]'
sed -i 's/memory: 16Mi/memory: 900Gi/' "$T_DIR/big.yaml"
c job run "$T_DIR/big.yaml" >/dev/null
t_is "too big: pending" pending "$(states big)"
t_match "too big: why" 'big/0: 1 machines: 1 too small' "$(c job why big)"
t_match "why of what runs" 'no task of it is pending' "$(c job why web)"

# ---- celld ends, is killed, and its tasks do not notice ----
pids() { for i in 0 1 2; do c inspect "$(of_task web $i container)" | jq '.[0].pid'; done; }
before=$(pids)
for signal in TERM KILL; do
	d_end $signal
	t_is "after SIG$signal they run on" 3 "$(c ps | grep -c dev.web)"
	d_start
	t_wait 60 is_state web "running running running" || true
	t_is "after SIG$signal the next celld has them" "$before" "$(pids)"
done
t_is "and what was finished is not run again" finished "$(states batch)"
t_is "nor has what pends moved" pending "$(states big)"
pid=$(c inspect "$(of_task web 2 container)" | jq '.[0].pid')
d_end KILL
kill -9 "$pid"
d_start
back() { [ "$(of_task web 2 state) $(of_task web 2 restarts)" = "running 1" ]; }
t_wait 60 back && t_ok "what ended meanwhile is noticed" || t_fail "what ended meanwhile is noticed" "$(c job status web)"

# ---- the end ----
t_is "job stop" web "$(c job stop web)"
no_web() { ! c ps -a | grep -q dev.web; }
t_wait 60 no_web && t_ok "its containers go" || t_fail "its containers go" "$(c ps -a)"
t_is "it is still told" "stopped stopped stopped" "$(states web)"
d_end KILL
d_start
t_is "also by the next celld" "stopped stopped stopped" "$(states web)"
t_is "which runs nothing of it" "" "$(c ps | grep dev.web)"
c job run --wait "$T_DIR/web.yaml" >/dev/null
t_is "a stopped job may come again" "running running running" "$(states web)"
t_status "stop of nothing" 1 c job stop nothing
t_match "stop of nothing: sentence" 'there is no job called nothing' "$T_ERR"
for name in web batch fail none big; do c job stop --purge $name >/dev/null; done
t_is "nothing is left to tell" "[]" "$(c job ls -o json | jq -c .)"
no_tasks() { ! c ps -aq | grep -q . && [ -z "$(ls -A "$C_ROOT/containers/.tmp")" ]; }
t_wait 60 no_tasks && t_ok "nothing runs any more" || t_fail "nothing runs any more" "$(c ps -a)"
d_end TERM
t_is "the socket is gone" "" "$(ls "$C_RUN/cell.sock" 2>/dev/null)"
c_nothing_left "$BEFORE"
